package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// tx implements store.Tx.
type tx struct {
	*view
	held    *pgxpool.Conn
	locked  []liaison.CollectionID
	changed []liaison.CollectionID // those with new entries
	erased  bool                   // what was erased is still in the files, as a row of erasures says
	failed  error                  // the first write that failed: the transaction is not whole
}

// errAbsent says that a collection to be locked has no row yet.
var errAbsent = errors.New("collection has no row")

// beginUpdate starts a transaction and locks. Nothing has been done by then, so
// that trying again is safe.
func (s *Store) beginUpdate(ctx context.Context, w *writer, lock store.Lock) (*tx, error) {
	cs := slices.Clone(lock.Collections)
	slices.SortFunc(cs, func(a, b liaison.CollectionID) int { return slices.Compare(a[:], b[:]) })
	cs = slices.Compact(cs)
	for made := false; ; made = true {
		var t *tx
		err := s.insist(ctx, func() (err error) {
			t, err = s.beginLocked(ctx, w, lock.IsAlone(), cs)
			return err
		})
		if err == nil || made || !errors.Is(err, errAbsent) {
			return t, err
		}
		if err := s.make(ctx, cs); err != nil {
			return nil, err
		}
	}
}

func (s *Store) beginLocked(ctx context.Context, w *writer, alone bool, cs []liaison.CollectionID) (*tx, error) {
	c, err := s.beginOnce(ctx, s.writing, w.begins(alone))
	if err != nil {
		return nil, err
	}
	t := &tx{view: newView(ctx, c), held: c, locked: cs}
	if err := named(ctx, t.conn, t.lock()); err != nil {
		t.release()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return t, nil
}

// lock locks the rows of the collections, one after the other in the order of
// their ids, and reads where their logs end.
func (t *tx) lock() error {
	if len(t.locked) == 0 {
		return nil
	}
	err := t.each(func(r row) error {
		l := r.log()
		t.logs[liaison.CollectionID(r[0])] = &l
		return nil
	}, logColumns+"ANY($1) ORDER BY id, generation FOR UPDATE", ids(t.locked))
	if err == nil && len(t.logs) < len(t.locked) {
		return errAbsent
	}
	return err
}

func ids(cs []liaison.CollectionID) [][]byte {
	out := make([][]byte, len(cs))
	for i := range cs {
		out[i] = cs[i][:]
	}
	return out
}

// make gives collections a row, before the transaction that locks it: the only
// locks that a transaction waits for are then those that lock takes, in order.
func (s *Store) make(ctx context.Context, cs []liaison.CollectionID) error {
	return s.insist(ctx, func() error {
		c, err := s.acquire(ctx, s.writing)
		if err != nil {
			return err
		}
		defer c.Release()
		_, err = c.Exec(ctx, `INSERT INTO collections (id) SELECT x FROM unnest($1::bytea[]) x
			WHERE NOT EXISTS (SELECT FROM collections c WHERE c.id = x) ORDER BY x ON CONFLICT DO NOTHING`, ids(cs))
		return err
	})
}

// release undoes what is not committed and gives the connection back.
func (t *tx) release() {
	if t.held == nil {
		return
	}
	rollback(t.held)
	t.held.Release()
	t.held = nil
}

// drop ends a connection that nothing is expected of any more.
func (t *tx) drop() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	t.conn.Close(ended)
	t.held.Release()
	t.held = nil
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

// exec runs a statement without rows and returns how many it changed.
func (t *tx) exec(sql string, args ...any) (int64, error) {
	t.settle()
	tag, err := t.conn.Exec(t.ctx, sql, args...)
	return tag.RowsAffected(), err
}

func (t *tx) Append(c liaison.CollectionID, entries []store.Entry) error {
	return t.note(fail("append to", c, t.append(c, entries)))
}

func (t *tx) append(c liaison.CollectionID, entries []store.Entry) error {
	if err := t.mayWrite(c); err != nil || len(entries) == 0 {
		return err
	}
	l := t.logs[c]
	if err := inOrder(l, entries); err != nil {
		return err
	}
	generation, err := store.Opens(l.generation, entries)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := t.insert(l, table, entries); err != nil {
			return fmt.Errorf("%s: %w", table.name, err)
		}
	}
	for i := range entries {
		delete(t.absent, objectKey{c, entries[i].ID})
	}
	return t.move(c, l, &entries[len(entries)-1], generation)
}

// move writes where a log ends now. The row says where it ended: locked or not,
// nobody else has moved it.
func (t *tx) move(c liaison.CollectionID, l *log, last *store.Entry, generation uint32) error {
	n, err := t.exec("UPDATE collections SET size = $1, added = $2, generation = $3 WHERE num = $4 AND size = $5",
		int64(last.Index+1), int64(last.Added), int64(generation), l.num, int64(l.size))
	if err == nil && n != 1 {
		err = errors.New("another transaction wrote to it")
	}
	if err != nil {
		return err
	}
	l.size, l.added, l.generation = last.Index+1, last.Added, generation
	if !slices.Contains(t.changed, c) {
		t.changed = append(t.changed, c)
	}
	return nil
}

func inOrder(l *log, entries []store.Entry) error {
	size, added := l.size, l.added
	if size+uint64(len(entries)) > store.MaxEntries {
		return errors.New("the collection is full")
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Index != size:
			return fmt.Errorf("%w: index %d, want %d", store.ErrOrder, e.Index, size)
		case size > 0 && e.Added <= added:
			return fmt.Errorf("%w: index %d added %s, not after %s", store.ErrOrder, e.Index, e.Added, added)
		}
		size, added = e.Index+1, e.Added
	}
	return nil
}

// table says how an entry becomes a row.
type table struct {
	name    string
	columns []string
	row     func(key int64, e *store.Entry) []any // nil: it has none
}

var tables = [...]table{
	{"objects", []string{"key", "added", "kind", "id", "version", "type", "bytes"}, objectRow},
	{"proofs", []string{"key", "act_h", "acthash", "salt", "leaf", "act", "batch", "consent", "hops", "hashes"}, proofRow},
	{"ids", []string{"h", "hidden", "same", "key"}, idRow},
}

func objectRow(key int64, e *store.Entry) []any {
	return []any{key, int64(e.Added), []byte(e.Kind), []byte(e.ID), []byte(e.Version), []byte(e.Type), blob(e.Bytes)}
}

func proofRow(key int64, e *store.Entry) []any {
	var act any
	if !e.ActHash.IsZero() {
		act = digest(e.ActHash)
	}
	hashes := make([]byte, 0, len(e.Hashes)*len(e.Salt))
	for i := range e.Hashes {
		hashes = append(hashes, e.Hashes[i][:]...)
	}
	return []any{key, act, hash(&e.ActHash), hash(&e.Salt), blob(e.Leaf), blob(e.Act), blob(e.Batch), blob(e.Consent), blob(e.Hops), blob(hashes)}
}

func idRow(key int64, e *store.Entry) []any {
	if e.ID == "" {
		return nil
	}
	return []any{idDigest(e.ID), false, int64(e.Same), key}
}

// blob and hash are NULL where there is nothing.
func blob(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func hash(h *liaison.Hash) []byte {
	if h.IsZero() {
		return nil
	}
	return h[:]
}

func (t *tx) insert(l *log, to table, entries []store.Entry) error {
	i := 0
	rows := pgx.CopyFromFunc(func() (row []any, err error) {
		for row == nil && i < len(entries) {
			row = to.row(l.key(entries[i].Index), &entries[i])
			i++
		}
		return row, t.ctx.Err()
	})
	t.settle()
	_, err := t.conn.CopyFrom(t.ctx, pgx.Identifier{to.name}, to.columns, rows)
	return cause(t.ctx, err)
}

func (t *tx) Hide(c liaison.CollectionID, index, by uint64) error {
	return t.note(fail("hide in", c, t.hide(c, index, by)))
}

func (t *tx) hide(c liaison.CollectionID, index, by uint64) error {
	if err := t.mayWrite(c); err != nil {
		return err
	}
	l := t.logs[c]
	if max(index, by) >= l.size || index == by {
		return fmt.Errorf("index %d by %d: want two of the %d entries", index, by, l.size)
	}
	if _, err := t.exec("INSERT INTO gaps VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET by = excluded.by", l.key(index), int64(by)); err != nil {
		return err
	}
	return t.inSight(l.key(index), false)
}

// inSight says in the row of ids too whether an entry is hidden. There is one if
// the entry has an id.
func (t *tx) inSight(key int64, yes bool) error {
	id, _, err := t.identity(key)
	if err != nil {
		return err
	}
	_, err = t.exec("UPDATE ids SET hidden = $1 WHERE h = $2 AND hidden = $3 AND key = $4", !yes, idDigest(id), yes, key)
	return err
}

// identity reads the id of an entry, and whether it is erased.
func (t *tx) identity(key int64) (id string, erased bool, err error) {
	err = t.each(func(r row) error {
		id = string(r[0])
		_, erased = kindOf(r[1])
		return nil
	}, "SELECT id, kind FROM objects WHERE key = $1", key)
	return id, erased, err
}

func (t *tx) Show(c liaison.CollectionID, index uint64) error {
	return t.note(fail("show in", c, t.show(c, index)))
}

func (t *tx) show(c liaison.CollectionID, index uint64) error {
	key, err := t.present(c, index)
	if err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM gaps WHERE key = $1", key); err != nil {
		return err
	}
	return t.inSight(key, true)
}

// present returns the key of an entry that may be changed.
func (t *tx) present(c liaison.CollectionID, index uint64) (int64, error) {
	if err := t.mayWrite(c); err != nil {
		return 0, err
	}
	l := t.logs[c]
	if index >= l.size {
		return 0, fmt.Errorf("index %d: there are %d entries", index, l.size)
	}
	return l.key(index), nil
}

func (t *tx) Erase(c liaison.CollectionID, index uint64) error {
	return t.note(fail("erase in", c, t.erase(c, index)))
}

// erase leaves of the rows of an entry what proves that there was one. What they
// were is in the files until Scrub, and a row of erasures says so.
func (t *tx) erase(c liaison.CollectionID, index uint64) error {
	key, err := t.present(c, index)
	if err != nil {
		return err
	}
	id, erased, err := t.identity(key)
	if err != nil || erased {
		return err
	}
	if !t.erased {
		if _, err := t.exec("INSERT INTO erasures DEFAULT VALUES"); err != nil {
			return err
		}
		t.erased = true
	}
	_, err1 := t.exec("DELETE FROM ids WHERE h = $1 AND key = $2", idDigest(id), key)
	_, err2 := t.exec(`UPDATE objects SET kind = kind || '\x00', id = '', version = '', type = '', bytes = NULL WHERE key = $1`, key)
	_, err3 := t.exec("UPDATE proofs SET salt = NULL WHERE key = $1", key)
	return errors.Join(err1, err2, err3)
}

func (t *tx) Put(bucket, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	_, err := t.exec("INSERT INTO state VALUES ($1, $2, $3) ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value", []byte(bucket), []byte(key), value)
	if err != nil {
		err = fmt.Errorf("put %s %.80q: %w", bucket, key, err)
	}
	return t.note(err)
}

func (t *tx) Delete(bucket, key string) error {
	_, err := t.exec("DELETE FROM state WHERE bucket = $1 AND key = $2", []byte(bucket), []byte(key))
	if err != nil {
		err = fmt.Errorf("delete %s %.80q: %w", bucket, key, err)
	}
	return t.note(err)
}
