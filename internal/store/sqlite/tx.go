package sqlite

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// tx implements store.Tx. There is one at a time, so that locking a collection
// is no more than having named it.
type tx struct {
	view
	locked []liaison.CollectionID
	erased bool  // what was erased is still in the files
	failed error // the first write that failed: the transaction is not whole
}

// note keeps the first failure of a write, so that no half of one is committed
// even if the caller ignores it.
func (t *tx) note(err error) error {
	if t.failed == nil {
		t.failed = err
	}
	return err
}

func (t *tx) mayWrite(c liaison.CollectionID) error {
	if !slices.Contains(t.locked, c) {
		return store.ErrNotLocked
	}
	return nil
}

func (t *tx) Append(c liaison.CollectionID, entries []store.Entry) error {
	return t.note(fail("append to", c, t.append(c, entries)))
}

func (t *tx) append(c liaison.CollectionID, entries []store.Entry) error {
	if err := t.mayWrite(c); err != nil || len(entries) == 0 {
		return err
	}
	l, err := t.make(c)
	if err != nil {
		return err
	}
	p, err := t.end(l)
	if err != nil {
		return err
	}
	if err := inOrder(p, entries); err != nil {
		return err
	}
	if err := t.open(l, entries); err != nil {
		return err
	}
	for _, table := range tables {
		if err := t.insert(l, table, entries); err != nil {
			return fmt.Errorf("%s: %w", table.name, err)
		}
	}
	return nil
}

// make returns the log of a collection, with a number for a new one.
func (t *tx) make(c liaison.CollectionID) (log, error) {
	l, err := t.log(c)
	if err != nil || l.num != 0 {
		return l, err
	}
	if err := t.exec("INSERT INTO collections (id, generation) VALUES (?, 1)", c[:]); err != nil {
		return l, err
	}
	return t.log(c)
}

// open writes the generation that a log has after entries.
func (t *tx) open(l log, entries []store.Entry) error {
	g, err := store.Opens(l.generation, entries)
	if err != nil || g == l.generation {
		return err
	}
	t.last = log{} // it is read again
	return t.exec("UPDATE collections SET generation = ? WHERE num = ?", int64(g), l.num)
}

func inOrder(p store.Position, entries []store.Entry) error {
	if p.Size+uint64(len(entries)) > store.MaxEntries {
		return errors.New("the collection is full")
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Index != p.Size:
			return fmt.Errorf("%w: index %d, want %d", store.ErrOrder, e.Index, p.Size)
		case p.Size > 0 && e.Added <= p.Added:
			return fmt.Errorf("%w: index %d added %s, not after %s", store.ErrOrder, e.Index, e.Added, p.Added)
		}
		p.Size, p.Added = e.Index+1, e.Added
	}
	return nil
}

// table says how an entry becomes a row.
type table struct {
	name string
	sql  string
	bind func(s *sqlite3.Stmt, key int64, e *store.Entry) error
	skip func(e *store.Entry) bool // nil: every entry has a row
}

// tables are filled one after the other: that keeps one b-tree at a time in
// the processor's cache.
var tables = [...]table{
	{"objects", "INSERT INTO objects VALUES (?, ?, ?)", bindObject, nil},
	{"leaves", "INSERT INTO leaves VALUES (?, ?, ?, ?, ?, ?, ?, ?)", bindLeaf, nil},
	{"trees", "INSERT INTO trees VALUES (?, ?)", bindTree, nil},
	{"ids", "INSERT INTO ids VALUES (?, 0, ?, ?)", bindID, func(e *store.Entry) bool { return e.ID == "" }},
	{"acts", "INSERT INTO acts VALUES (?, ?)", bindAct, func(e *store.Entry) bool { return e.ActHash.IsZero() }},
}

func (t *tx) insert(l log, to table, entries []store.Entry) error {
	s, err := t.prepare(to.sql)
	if err != nil {
		return err
	}
	defer t.done(to.sql, s)
	for i := range entries {
		e := &entries[i]
		if to.skip != nil && to.skip(e) {
			continue
		}
		if err := to.bind(s, l.key(e.Index), e); err != nil {
			return fmt.Errorf("index %d: %w", e.Index, err)
		}
		if err := s.Exec(); err != nil {
			return fmt.Errorf("index %d: %w", e.Index, err)
		}
	}
	return nil
}

func bindObject(s *sqlite3.Stmt, key int64, e *store.Entry) error {
	var space [256]byte
	head, err := appendHead(space[:0], e)
	if err != nil {
		return err
	}
	return errors.Join(s.BindInt64(1, key), s.BindBlob(2, head), bindBlob(s, 3, e.Bytes))
}

func bindLeaf(s *sqlite3.Stmt, key int64, e *store.Entry) error {
	return errors.Join(
		s.BindInt64(1, key),
		bindHash(s, 2, &e.ActHash),
		bindHash(s, 3, &e.Salt),
		bindBlob(s, 4, e.Leaf),
		bindBlob(s, 5, e.Act),
		bindBlob(s, 6, e.Batch),
		bindBlob(s, 7, e.Consent),
		bindBlob(s, 8, e.Hops))
}

func bindTree(s *sqlite3.Stmt, key int64, e *store.Entry) error {
	var space [8 * len(liaison.Hash{})]byte
	b := space[:0]
	for i := range e.Hashes {
		b = append(b, e.Hashes[i][:]...)
	}
	return errors.Join(s.BindInt64(1, key), s.BindBlob(2, b))
}

func bindID(s *sqlite3.Stmt, key int64, e *store.Entry) error {
	return errors.Join(s.BindInt64(1, idDigest(e.ID)), s.BindInt64(2, int64(e.Same)), s.BindInt64(3, key))
}

func bindAct(s *sqlite3.Stmt, key int64, e *store.Entry) error {
	return errors.Join(s.BindInt64(1, digest(e.ActHash)), s.BindInt64(2, key))
}

func bindBlob(s *sqlite3.Stmt, i int, v []byte) error {
	if len(v) == 0 {
		return s.BindNull(i)
	}
	return s.BindBlob(i, v)
}

func bindHash(s *sqlite3.Stmt, i int, h *liaison.Hash) error {
	if h.IsZero() {
		return s.BindNull(i)
	}
	return s.BindBlob(i, h[:])
}

func (t *tx) Hide(c liaison.CollectionID, index, by uint64) error {
	return t.note(fail("hide in", c, t.hide(c, index, by)))
}

func (t *tx) hide(c liaison.CollectionID, index, by uint64) error {
	if err := t.mayWrite(c); err != nil {
		return err
	}
	l, size, err := t.extent(c)
	if err != nil {
		return err
	}
	if max(index, by) >= size || index == by {
		return fmt.Errorf("index %d by %d: want two of the %d entries", index, by, size)
	}
	if err := t.exec(`INSERT INTO gaps VALUES (?, ?) ON CONFLICT DO UPDATE SET "by" = excluded."by"`, l.key(index), int64(by)); err != nil {
		return err
	}
	return t.inSight(l.key(index), false)
}

// extent returns a log and how many entries it has.
func (t *tx) extent(c liaison.CollectionID) (l log, size uint64, err error) {
	if l, err = t.log(c); err != nil || l.num == 0 {
		return l, 0, err
	}
	p, err := t.end(l)
	return l, p.Size, err
}

// inSight says in the row of ids too whether an entry is hidden. There is one if
// the entry has an id.
func (t *tx) inSight(key int64, yes bool) error {
	e, err := t.head(key)
	if err != nil {
		return err
	}
	was, is := int64(0), int64(1)
	if yes {
		was, is = is, was
	}
	return t.exec("UPDATE ids SET hidden = ? WHERE h = ? AND hidden = ? AND key = ?", is, idDigest(e.ID), was, key)
}

// head reads what an entry is found by.
func (t *tx) head(key int64) (e store.Entry, err error) {
	err = t.each(func(s *sqlite3.Stmt) error { return parseHead(s.ColumnRawBlob(0), &e) }, "SELECT head FROM objects WHERE key = ?", key)
	return e, err
}

func (t *tx) Show(c liaison.CollectionID, index uint64) error {
	return t.note(fail("show in", c, t.show(c, index)))
}

func (t *tx) show(c liaison.CollectionID, index uint64) error {
	if err := t.mayWrite(c); err != nil {
		return err
	}
	l, size, err := t.extent(c)
	if err == nil && index >= size {
		err = fmt.Errorf("index %d: there are %d entries", index, size)
	}
	if err != nil {
		return err
	}
	if err := t.exec("DELETE FROM gaps WHERE key = ?", l.key(index)); err != nil {
		return err
	}
	return t.inSight(l.key(index), true)
}

func (t *tx) Erase(c liaison.CollectionID, index uint64) error {
	return t.note(fail("erase in", c, t.erase(c, index)))
}

// erase leaves of the rows of an entry what proves that there was one. What is
// overwritten so is in the write-ahead log until Scrub.
func (t *tx) erase(c liaison.CollectionID, index uint64) error {
	if err := t.mayWrite(c); err != nil {
		return err
	}
	l, size, err := t.extent(c)
	if err == nil && index >= size {
		err = fmt.Errorf("index %d: there are %d entries", index, size)
	}
	if err != nil {
		return err
	}
	key := l.key(index)
	e, err := t.head(key)
	if err != nil || e.Erased {
		return err
	}
	t.erased = true
	head, err := erasedHead(&e)
	return errors.Join(err,
		t.exec("DELETE FROM ids WHERE h = ? AND key = ?", idDigest(e.ID), key),
		t.exec("UPDATE objects SET head = ?, bytes = NULL WHERE key = ?", head, key),
		t.exec("UPDATE leaves SET salt = NULL WHERE key = ?", key))
}

func (t *tx) Put(bucket, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	err := t.exec("INSERT INTO state VALUES (CAST(? AS BLOB), CAST(? AS BLOB), ?) ON CONFLICT DO UPDATE SET value = excluded.value", bucket, key, value)
	if err != nil {
		err = fmt.Errorf("put %s %.80q: %w", bucket, key, err)
	}
	return t.note(err)
}

func (t *tx) Delete(bucket, key string) error {
	err := t.exec("DELETE FROM state WHERE bucket = CAST(? AS BLOB) AND key = CAST(? AS BLOB)", bucket, key)
	if err != nil {
		err = fmt.Errorf("delete %s %.80q: %w", bucket, key, err)
	}
	return t.note(err)
}
