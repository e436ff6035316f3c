package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// view implements store.View in the transaction that its connection is in.
type view struct {
	*conn
	last log // the log looked up last
}

// log is one row of collections. num 0 stands for a collection without one.
type log struct {
	id         liaison.CollectionID
	num        int64
	generation uint32
}

// indexBits is how many bits of a key are the index.
const indexBits = 40

func (l log) key(index uint64) int64 {
	return l.num<<indexBits | int64(min(index, store.MaxEntries-1))
}

// keys returns the first key of a range of indexes and the one after its last.
func (l log) keys(from, to uint64) (int64, int64) {
	if from >= min(to, store.MaxEntries) {
		return 0, 0
	}
	return l.key(from), l.key(min(to, store.MaxEntries)-1) + 1
}

func indexOf(key int64) uint64 { return uint64(key) & (store.MaxEntries - 1) }

// log finds the log of a collection.
func (v *view) log(c liaison.CollectionID) (log, error) {
	if v.last.num != 0 && v.last.id == c {
		return v.last, nil
	}
	l := log{id: c}
	err := v.each(func(s *sqlite3.Stmt) error {
		l.num, l.generation = s.ColumnInt64(0), uint32(s.ColumnInt64(1))
		return nil
	}, "SELECT num, generation FROM collections WHERE id = ? ORDER BY generation DESC LIMIT 1", c[:])
	v.last = l
	return l, err
}

func (v *view) Position(c liaison.CollectionID) (p store.Position, err error) {
	l, err := v.log(c)
	if err != nil || l.num == 0 {
		return p, fail("position", c, err)
	}
	p, err = v.end(l)
	return p, fail("position", c, err)
}

func (v *view) end(l log) (p store.Position, err error) {
	first, end := l.keys(0, store.MaxEntries)
	err = v.each(func(s *sqlite3.Stmt) error {
		p.Size, p.Added = indexOf(s.ColumnInt64(0))+1, headAdded(s.ColumnRawBlob(1))
		p.Generation = l.generation
		return nil
	}, "SELECT key, head FROM objects WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1", first, end)
	return p, err
}

// fail adds to an error where it happened.
func fail(verb string, c liaison.CollectionID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, c, err)
}

func (v *view) Range(c liaison.CollectionID, from, to uint64, part store.Part, yield func(*store.Entry) error) error {
	l, err := v.log(c)
	if err != nil || l.num == 0 {
		return fail("range", c, err)
	}
	first, end := l.keys(from, to)
	g, err := v.gaps(first, end)
	if err != nil {
		return fail("range", c, err)
	}
	defer g.close()
	sql := columns(part) + " WHERE o.key >= ? AND o.key < ? ORDER BY o.key"
	return fail("range", c, v.entries(part, g.at, yield, sql, first, end))
}

// How the rows of ids are found; FindSame binds one number more.
const (
	findAll   = "SELECT key FROM ids WHERE h = ? AND key >= ? AND key < ?"
	findSame  = findAll + " AND hidden IN (0, 1) AND same = ?"
	findShown = findAll + " AND hidden = 0"
)

func (v *view) Find(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error) error {
	return fail("find", c, v.find(c, id, part, yield, findAll))
}

func (v *view) FindSame(c liaison.CollectionID, id string, same uint64, part store.Part, yield func(*store.Entry) error) error {
	return fail("find", c, v.find(c, id, part, yield, findSame, int64(same)))
}

func (v *view) FindShown(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error) error {
	return fail("find", c, v.find(c, id, part, yield, findShown))
}

// find yields the entries of an id whose rows of ids fit which. Their keys are
// read first: ids is not in their order.
func (v *view) find(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error, which string, args ...int64) error {
	l, err := v.log(c)
	if err != nil || l.num == 0 || id == "" {
		return err
	}
	keys, err := v.keys(l, id, which, args)
	if err != nil || len(keys) == 0 {
		return err
	}
	slices.Sort(keys)
	sql := columns(part) + " WHERE o.key = ?"
	for _, key := range keys {
		stopped, err := v.one(sql, key, id, part, yield)
		if err != nil || stopped {
			return err
		}
	}
	return nil
}

// keys reads keys from ids. Every object that is appended is looked for, and most
// are not there: so this costs no allocation.
func (v *view) keys(l log, id, sql string, args []int64) (keys []int64, err error) {
	s, err := v.prepare(sql)
	if err != nil {
		return nil, err
	}
	defer v.done(sql, s)
	first, end := l.keys(0, store.MaxEntries)
	err = errors.Join(s.BindInt64(1, idDigest(id)), s.BindInt64(2, first), s.BindInt64(3, end))
	for i, a := range args {
		err = errors.Join(err, s.BindInt64(4+i, a))
	}
	for err == nil && s.Step() {
		keys = append(keys, s.ColumnInt64(0))
	}
	return keys, errors.Join(err, damaged(s.Err()))
}

// one yields the entry with a key, unless its id is another with the same
// digest.
func (v *view) one(sql string, key int64, id string, part store.Part, yield func(*store.Entry) error) (stopped bool, err error) {
	err = v.entries(part, v.gap, func(e *store.Entry) error {
		if e.ID != id {
			return nil
		}
		err := yield(e)
		stopped = errors.Is(err, store.Stop)
		return err
	}, sql, key)
	return stopped, err
}

func (v *view) FindAct(c liaison.CollectionID, act liaison.Hash, part store.Part, yield func(*store.Entry) error) error {
	l, err := v.log(c)
	if err != nil || l.num == 0 || act.IsZero() {
		return fail("find act", c, err)
	}
	first, end := l.keys(0, store.MaxEntries)
	sql := columns(part|store.Proof) + " JOIN acts a ON a.key = o.key WHERE a.h = ? AND a.key >= ? AND a.key < ? AND l.acthash = ? ORDER BY a.key"
	return fail("find act", c, v.entries(part|store.Proof, v.gap, yield, sql, digest(act), first, end, act[:]))
}

// idDigest and digest are what the tables ids and acts are ordered by.
func idDigest(id string) int64 {
	var space [128]byte
	return digest(sha256.Sum256(append(space[:0], id...)))
}

func digest(h [32]byte) int64 { return int64(binary.BigEndian.Uint64(h[:8])) }

// columns selects what scan reads. The rows of one entry have one key.
func columns(part store.Part) string {
	sql, from := "SELECT o.key, o.head", " FROM objects o"
	if part&store.Bytes != 0 {
		sql += ", o.bytes"
	}
	if part&store.Proof != 0 {
		sql += ", l.acthash, l.salt, l.leaf, l.act, l.batch, l.consent, l.hops"
		from += " JOIN leaves l ON l.key = o.key"
	}
	if part&store.Tree != 0 {
		sql += ", t.hashes"
		from += " JOIN trees t ON t.key = o.key"
	}
	return sql + from
}

// gapAt says whether the entry with a key is hidden, and by which index.
type gapAt func(key int64) (by uint64, hidden bool, err error)

// entries yields what a query by columns finds.
func (v *view) entries(part store.Part, gap gapAt, yield func(*store.Entry) error, sql string, args ...any) error {
	var e store.Entry
	err := v.each(func(s *sqlite3.Stmt) (err error) {
		e = store.Entry{}
		key := s.ColumnInt64(0)
		e.Index = indexOf(key)
		if err = scan(s, part, &e); err == nil {
			e.By, e.Hidden, err = gap(key)
		}
		if err != nil {
			return fmt.Errorf("index %d: %w", e.Index, err)
		}
		return yield(&e)
	}, sql, args...)
	if errors.Is(err, store.Stop) {
		return nil
	}
	return err
}

func scan(s *sqlite3.Stmt, part store.Part, e *store.Entry) error {
	if err := parseHead(s.ColumnRawBlob(1), e); err != nil {
		return err
	}
	next := 2
	blob := func() []byte {
		next++
		return s.ColumnRawBlob(next - 1)
	}
	if part&store.Bytes != 0 {
		e.Bytes = blob()
	}
	if part&store.Proof != 0 {
		if err := errors.Join(setHash(&e.ActHash, blob()), setHash(&e.Salt, blob())); err != nil {
			return err
		}
		e.Leaf, e.Act, e.Batch, e.Consent, e.Hops = blob(), blob(), blob(), blob(), blob()
	}
	if part&store.Tree != 0 {
		return setHashes(&e.Hashes, blob())
	}
	return nil
}

func setHash(h *liaison.Hash, b []byte) error {
	if len(b) != 0 && len(b) != len(h) {
		return fmt.Errorf("a hash of %d bytes", len(b))
	}
	copy(h[:], b)
	return nil
}

func setHashes(hs *[]liaison.Hash, b []byte) error {
	const size = len(liaison.Hash{})
	if len(b)%size != 0 {
		return fmt.Errorf("tree hashes of %d bytes", len(b))
	}
	*hs = make([]liaison.Hash, len(b)/size)
	for i := range *hs {
		copy((*hs)[i][:], b[i*size:])
	}
	return nil
}

func (v *view) IndexAfter(c liaison.CollectionID, added liaison.Instant) (uint64, error) {
	l, err := v.log(c)
	if err != nil || l.num == 0 {
		return 0, fail("index after", c, err)
	}
	p, err := v.end(l)
	if err != nil || added >= p.Added {
		return p.Size, fail("index after", c, err)
	}
	i := sort.Search(int(p.Size), func(i int) bool {
		at, e := v.addedAt(l.key(uint64(i)))
		err = errors.Join(err, e)
		return at > added
	})
	return uint64(i), fail("index after", c, err)
}

func (v *view) addedAt(key int64) (at liaison.Instant, err error) {
	err = v.each(func(s *sqlite3.Stmt) error {
		at = headAdded(s.ColumnRawBlob(0))
		return nil
	}, "SELECT head FROM objects WHERE key = ?", key)
	return at, err
}

// Hashes finds the stored hash of level L and number n in the row of the leaf
// that completed it, (n+1)·2^L − 1, at place L.
func (v *view) Hashes(c liaison.CollectionID, indexes []int64) ([]liaison.Hash, error) {
	l, err := v.log(c)
	if err != nil {
		return nil, fail("hashes", c, err)
	}
	const sql = "SELECT hashes FROM trees WHERE key = ?"
	s, err := v.prepare(sql)
	if err != nil {
		return nil, fail("hashes", c, err)
	}
	defer v.done(sql, s)
	out := make([]liaison.Hash, len(indexes))
	for i, x := range indexes {
		if err := l.hash(s, x, &out[i]); err != nil {
			return nil, fail("hashes", c, fmt.Errorf("stored hash %d: %w", x, err))
		}
	}
	return out, nil
}

func (l log) hash(s *sqlite3.Stmt, stored int64, h *liaison.Hash) error {
	if stored < 0 || stored > math.MaxInt64/4 {
		return errors.New("no such number")
	}
	level, n := tlog.SplitStoredHashIndex(stored)
	leaf := uint64(n+1)<<level - 1
	if l.num == 0 || leaf >= store.MaxEntries {
		return fmt.Errorf("entry %d is not there", leaf)
	}
	if err := errors.Join(s.Reset(), s.BindInt64(1, l.key(leaf))); err != nil {
		return err
	}
	if !s.Step() {
		if err := s.Err(); err != nil {
			return damaged(err)
		}
		return fmt.Errorf("entry %d is not there", leaf)
	}
	b := s.ColumnRawBlob(0)
	if len(b) < (level+1)*len(h) {
		return fmt.Errorf("entry %d has %d bytes of hashes", leaf, len(b))
	}
	copy(h[:], b[level*len(h):])
	return nil
}

func (v *view) Collections(yield func(liaison.CollectionID) error) error {
	err := v.each(func(s *sqlite3.Stmt) error {
		return yield(liaison.CollectionID(s.ColumnRawBlob(0)))
	}, "SELECT DISTINCT id FROM collections ORDER BY id")
	if err != nil && !errors.Is(err, store.Stop) {
		return fmt.Errorf("collections: %w", err)
	}
	return nil
}

func (v *view) State(bucket, key string) (value []byte, ok bool, err error) {
	err = v.each(func(s *sqlite3.Stmt) error {
		value, ok = s.ColumnBlob(0, nil), true
		return nil
	}, "SELECT value FROM state WHERE bucket = CAST(? AS BLOB) AND key = CAST(? AS BLOB)", bucket, key)
	if err != nil {
		return nil, false, fmt.Errorf("state %s %.80q: %w", bucket, key, err)
	}
	return value, ok, nil
}

func (v *view) Buckets(yield func(string) error) error {
	const first, next = "SELECT bucket FROM state ORDER BY bucket LIMIT 1", "SELECT bucket FROM state WHERE bucket > CAST(? AS BLOB) ORDER BY bucket LIMIT 1"
	var bucket string
	more := true
	row := func(s *sqlite3.Stmt) error {
		bucket, more = s.ColumnText(0), true
		return nil
	}
	look := func(sql string, args ...any) error {
		more = false
		return v.each(row, sql, args...)
	}
	err := look(first)
	for err == nil && more {
		if err = yield(bucket); err == nil {
			err = look(next, bucket)
		}
	}
	if err != nil && !errors.Is(err, store.Stop) {
		return fmt.Errorf("buckets: %w", err)
	}
	return nil
}

func (v *view) States(bucket, prefix string, yield func(string, []byte) error) error {
	const sql = "SELECT key, value FROM state WHERE bucket = CAST(? AS BLOB) AND key >= CAST(? AS BLOB)"
	row := func(s *sqlite3.Stmt) error { return yield(s.ColumnText(0), s.ColumnRawBlob(1)) }
	var err error
	if end, ok := afterPrefix(prefix); ok {
		err = v.each(row, sql+" AND key < CAST(? AS BLOB) ORDER BY key", bucket, prefix, end)
	} else {
		err = v.each(row, sql+" ORDER BY key", bucket, prefix)
	}
	if err != nil && !errors.Is(err, store.Stop) {
		return fmt.Errorf("states %s %.80q: %w", bucket, prefix, err)
	}
	return nil
}

// afterPrefix returns the first string after all that begin with prefix, if
// there is one.
func afterPrefix(prefix string) (string, bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1]), true
		}
	}
	return "", false
}
