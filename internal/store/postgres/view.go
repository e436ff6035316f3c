package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// chunk is how many entries or keys one query asks for: a walk that ends early
// makes the server send no more than that in vain. It holds a page of 1000 with the
// entry behind it, by which a page knows that there is another.
const chunk = 1024

// view implements store.View in the transaction that its connection is in. A
// log ends where it did when it was first looked up.
type view struct {
	ctx  context.Context // of the transaction
	conn *pgx.Conn
	logs map[liaison.CollectionID]*log
	open *walk // the walk whose rows the connection is sending

	ended error // why the transaction cannot go on

	absent map[objectKey]bool // objects that Prepare has not found
}

// objectKey names an object of a collection.
type objectKey struct {
	c  liaison.CollectionID
	id string
}

var _ store.Preparer = (*view)(nil)

func newView(ctx context.Context, c *pgxpool.Conn) *view {
	return &view{ctx: ctx, conn: c.Conn(), logs: map[liaison.CollectionID]*log{}}
}

// log is one row of collections. Without one it is empty, and num is 0.
type log struct {
	num        int64
	generation uint32
	size       uint64
	added      liaison.Instant
}

// indexBits is how many bits of a key are the index.
const indexBits = 40

func (l *log) key(index uint64) int64 {
	return l.num<<indexBits | int64(min(index, store.MaxEntries-1))
}

// keys returns the first key of a range of indexes and the one after its last.
func (l *log) keys(from, to uint64) (int64, int64) {
	to = min(to, l.size)
	if from >= to {
		return 0, 0
	}
	return l.key(from), l.key(to-1) + 1
}

func indexOf(key int64) uint64 { return uint64(key) & (store.MaxEntries - 1) }

const logColumns = "SELECT id, num, generation, size, added FROM collections WHERE id = "

// log finds the log of a collection.
func (v *view) log(c liaison.CollectionID) (*log, error) {
	if l := v.logs[c]; l != nil {
		return l, nil
	}
	l := &log{}
	err := v.each(func(r row) error {
		*l = r.log()
		return nil
	}, logColumns+"$1 ORDER BY generation DESC LIMIT 1", c[:])
	if err == nil {
		v.logs[c] = l
	}
	return l, err
}

func (v *view) Position(c liaison.CollectionID) (p store.Position, err error) {
	l, err := v.log(c)
	if err != nil || l.size == 0 {
		return p, fail("position", c, err)
	}
	return store.Position{Size: l.size, Added: l.added, Generation: l.generation}, nil
}

// fail adds to an error where it happened. Stop is none.
func fail(verb string, c liaison.CollectionID, err error) error {
	if err == nil || errors.Is(err, store.Stop) {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, c, err)
}

func (v *view) Range(c liaison.CollectionID, from, to uint64, part store.Part, yield func(*store.Entry) error) error {
	l, err := v.log(c)
	if err != nil {
		return fail("range", c, err)
	}
	sql := columns(part, " AND %[1]s.key >= $1 AND %[1]s.key < $2") + " WHERE o.key >= $1 AND o.key < $2 ORDER BY o.key"
	first, end := l.keys(from, to)
	for ; first < end; first += chunk {
		if err := v.entries(part, yield, sql, first, min(first+chunk, end)); err != nil {
			return fail("range", c, err)
		}
	}
	return nil
}

func (v *view) Find(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error) error {
	return v.find(c, id, part, yield, "")
}

func (v *view) FindSame(c liaison.CollectionID, id string, same uint64, part store.Part, yield func(*store.Entry) error) error {
	return v.find(c, id, part, yield, " AND hidden IN (false, true) AND same = $4", int64(same))
}

func (v *view) FindShown(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error) error {
	return v.find(c, id, part, yield, " AND hidden = false")
}

// find yields the entries of an id whose rows of ids fit which.
func (v *view) find(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error, which string, args ...any) error {
	if id == "" || v.absent[objectKey{c, id}] {
		return nil
	}
	sql := "SELECT key FROM ids WHERE h = $1 AND key >= $2 AND key < $3" + which + " ORDER BY key"
	only := columns(part, "") + " WHERE o.key = ANY($1) AND o.id = $2 ORDER BY o.key"
	return fail("find", c, v.found(c, sql, idDigest(id), args, part, yield, only, []byte(id)))
}

// Prepare implements store.Preparer: it notes which objects have no entry. A log
// ends where it did when it was first looked up, and what this transaction appends
// is taken out again, so that stays true.
func (v *view) Prepare(c liaison.CollectionID, ids []string) error {
	l, err := v.log(c)
	if err != nil {
		return fail("prepare", c, err)
	}
	here := map[int64]bool{}
	if l.size > 0 {
		first, end := l.keys(0, l.size)
		err = v.each(func(r row) error {
			here[r.number(0)] = true
			return nil
		}, "SELECT h FROM ids WHERE h = ANY($1) AND key >= $2 AND key < $3", idDigests(ids), first, end)
	}
	if err != nil {
		return fail("prepare", c, err)
	}
	if v.absent == nil {
		v.absent = make(map[objectKey]bool, len(ids))
	}
	for _, id := range ids {
		if !here[idDigest(id)] {
			v.absent[objectKey{c, id}] = true
		}
	}
	return nil
}

func idDigests(ids []string) []int64 {
	hs := make([]int64, len(ids))
	for i, id := range ids {
		hs[i] = idDigest(id)
	}
	return hs
}

func (v *view) FindAct(c liaison.CollectionID, act liaison.Hash, part store.Part, yield func(*store.Entry) error) error {
	if act.IsZero() {
		return nil
	}
	part |= store.Proof
	const sql = "SELECT key FROM proofs WHERE act_h = $1 AND key >= $2 AND key < $3 ORDER BY key"
	only := columns(part, "") + " WHERE o.key = ANY($1) AND p.acthash = $2 ORDER BY o.key"
	return fail("find act", c, v.found(c, sql, digest(act), nil, part, yield, only, act[:]))
}

// found yields the entries to which a digest leads, unless they are others with
// the same one. Their keys are read first.
func (v *view) found(c liaison.CollectionID, sql string, h int64, args []any, part store.Part, yield func(*store.Entry) error, only string, want []byte) error {
	l, err := v.log(c)
	if err != nil || l.size == 0 {
		return err
	}
	first, end := l.keys(0, l.size)
	var keys []int64
	err = v.each(func(r row) error {
		keys = append(keys, r.number(0))
		return nil
	}, sql, append([]any{h, first, end}, args...)...)
	for len(keys) > 0 && err == nil {
		n := min(len(keys), chunk)
		err = v.entries(part, yield, only, keys[:n], want)
		keys = keys[n:]
	}
	return err
}

// idDigest and digest are what ids and acts are found by.
func idDigest(id string) int64 { return digest(sha256.Sum256([]byte(id))) }

func digest(h [32]byte) int64 { return int64(binary.BigEndian.Uint64(h[:8])) }

// columns selects what scan reads. The rows of one entry have one key; and is a
// format for what more is known of that of a table.
func columns(part store.Part, and string) string {
	sql, from := "SELECT o.key, g.by, o.added, o.kind, o.id, o.version, o.type", " FROM objects o LEFT JOIN gaps g ON g.key = o.key"+bound(and, "g")
	if part&store.Bytes != 0 {
		sql += ", o.bytes"
	}
	if part&(store.Proof|store.Tree) != 0 {
		from += " JOIN proofs p ON p.key = o.key" + bound(and, "p")
	}
	if part&store.Proof != 0 {
		sql += ", p.acthash, p.salt, p.leaf, p.act, p.batch, p.consent, p.hops"
	}
	if part&store.Tree != 0 {
		sql += ", p.hashes"
	}
	return sql + from
}

func bound(and, table string) string {
	if and == "" {
		return ""
	}
	return fmt.Sprintf(and, table)
}

// entries yields what a query by columns finds.
func (v *view) entries(part store.Part, yield func(*store.Entry) error, sql string, args ...any) error {
	var e store.Entry
	return v.each(func(r row) error {
		e = store.Entry{}
		if err := scan(r, part, &e); err != nil {
			return fmt.Errorf("index %d: %w", e.Index, err)
		}
		return yield(&e)
	}, sql, args...)
}

func scan(r row, part store.Part, e *store.Entry) error {
	e.Index = indexOf(r.number(0))
	if r[1] != nil {
		e.Hidden, e.By = true, uint64(r.number(1))
	}
	e.Added = liaison.Instant(r.number(2))
	e.Kind, e.Erased = kindOf(r[3])
	e.ID, e.Version, e.Type = string(r[4]), string(r[5]), string(r[6])
	rest := r[7:]
	if part&store.Bytes != 0 {
		e.Bytes, rest = rest[0], rest[1:]
	}
	if part&store.Proof != 0 {
		if err := errors.Join(setHash(&e.ActHash, rest[0]), setHash(&e.Salt, rest[1])); err != nil {
			return err
		}
		e.Leaf, e.Act, e.Batch, e.Consent, e.Hops = rest[2], rest[3], rest[4], rest[5], rest[6]
		rest = rest[7:]
	}
	if part&store.Tree != 0 {
		return setHashes(&e.Hashes, rest[0])
	}
	return nil
}

// kindOf reads the column kind: of an erased entry a zero byte comes last.
func kindOf(b []byte) (k liaison.Kind, erased bool) {
	if string(b) == string(liaison.KindObject) {
		return liaison.KindObject, false
	}
	if n := len(b); n > 0 && b[n-1] == 0 {
		return liaison.Kind(b[:n-1]), true
	}
	return liaison.Kind(b), false
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

// indexAfter halves a range of keys until one is left.
const indexAfter = `WITH RECURSIVE s (lo, hi) AS (
		SELECT $1::bigint, $2::bigint
	UNION ALL
		SELECT CASE WHEN o.added <= $3 THEN o.key + 1 ELSE s.lo END, CASE WHEN o.added <= $3 THEN s.hi ELSE o.key END
		FROM s, LATERAL (SELECT key, added FROM objects WHERE key = s.lo + (s.hi - s.lo) / 2) o
		WHERE s.lo < s.hi
	) SELECT lo FROM s WHERE lo = hi`

func (v *view) IndexAfter(c liaison.CollectionID, added liaison.Instant) (index uint64, err error) {
	l, err := v.log(c)
	if err != nil || l.size == 0 || added >= l.added {
		return l.size, fail("index after", c, err)
	}
	found := false
	first, end := l.keys(0, l.size-1) // the last one is later
	if first == end {
		return 0, nil
	}
	err = v.each(func(r row) error {
		index, found = indexOf(r.number(0)), true
		return nil
	}, indexAfter, first, end, int64(added))
	if err == nil && !found {
		err = errors.New("an entry is missing")
	}
	return index, fail("index after", c, err)
}

// Hashes finds the stored hash of level L and number n in the row of the leaf
// that completed it, (n+1)·2^L − 1, at place L.
func (v *view) Hashes(c liaison.CollectionID, indexes []int64) ([]liaison.Hash, error) {
	l, err := v.log(c)
	if err != nil {
		return nil, fail("hashes", c, err)
	}
	keys, levels := make([]int64, len(indexes)), make([]int, len(indexes))
	for i, x := range indexes {
		if keys[i], levels[i], err = l.leafOf(x); err != nil {
			return nil, fail("hashes", c, fmt.Errorf("stored hash %d: %w", x, err))
		}
	}
	rows, err := v.hashRows(keys)
	if err != nil {
		return nil, fail("hashes", c, err)
	}
	out := make([]liaison.Hash, len(indexes))
	for i, x := range indexes {
		b, at := rows[keys[i]], levels[i]*len(out[i])
		if len(b) < at+len(out[i]) {
			return nil, fail("hashes", c, fmt.Errorf("stored hash %d: entry %d has %d bytes of hashes", x, indexOf(keys[i]), len(b)))
		}
		copy(out[i][:], b[at:])
	}
	return out, nil
}

// leafOf returns the key of the leaf that completed a stored hash, and its level.
func (l *log) leafOf(stored int64) (key int64, level int, err error) {
	if stored < 0 || stored > math.MaxInt64/4 {
		return 0, 0, errors.New("no such number")
	}
	level, n := tlog.SplitStoredHashIndex(stored)
	leaf := uint64(n+1)<<level - 1
	if leaf >= l.size {
		return 0, 0, fmt.Errorf("entry %d is not there", leaf)
	}
	return l.key(leaf), level, nil
}

func (v *view) hashRows(keys []int64) (map[int64][]byte, error) {
	rows := make(map[int64][]byte, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), chunk)
		err := v.each(func(r row) error {
			rows[r.number(0)] = append([]byte(nil), r[1]...)
			return nil
		}, "SELECT key, hashes FROM proofs WHERE key = ANY($1)", keys[:n])
		if err != nil {
			return nil, err
		}
		keys = keys[n:]
	}
	return rows, nil
}

func (v *view) Collections(yield func(liaison.CollectionID) error) error {
	err := v.each(func(r row) error { return yield(liaison.CollectionID(r[0])) },
		"SELECT DISTINCT id FROM collections WHERE size > 0 ORDER BY id")
	if err != nil && !errors.Is(err, store.Stop) {
		return fmt.Errorf("collections: %w", err)
	}
	return nil
}

func (v *view) State(bucket, key string) (value []byte, ok bool, err error) {
	err = v.each(func(r row) error {
		value, ok = append([]byte(nil), r[0]...), true
		return nil
	}, "SELECT value FROM state WHERE bucket = $1 AND key = $2", []byte(bucket), []byte(key))
	if err != nil {
		return nil, false, fmt.Errorf("state %s %.80q: %w", bucket, key, err)
	}
	return value, ok, nil
}

func (v *view) Buckets(yield func(string) error) error {
	const sql = "SELECT bucket FROM state WHERE $1::bytea IS NULL OR bucket > $1 ORDER BY bucket LIMIT 1"
	var last []byte
	for more := true; more; {
		more = false
		err := v.each(func(r row) error {
			last, more = append([]byte{}, r[0]...), true
			return nil
		}, sql, last)
		if err == nil && more {
			err = yield(string(last))
		}
		if errors.Is(err, store.Stop) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("buckets: %w", err)
		}
	}
	return nil
}

func (v *view) States(bucket, prefix string, yield func(string, []byte) error) error {
	var err error
	for from, more := []byte(prefix), true; more && err == nil; {
		n := 0
		err = v.each(func(r row) error {
			n++
			from = append(append(from[:0:0], r[0]...), 0) // the next key after it
			return yield(string(r[0]), r[1])
		}, "SELECT key, value FROM state WHERE bucket = $1 AND key >= $2 AND ($3::bytea IS NULL OR key < $3) ORDER BY key LIMIT $4",
			[]byte(bucket), from, afterPrefix(prefix), chunk)
		more = n == chunk
	}
	if err != nil && !errors.Is(err, store.Stop) {
		return fmt.Errorf("states %s %.80q: %w", bucket, prefix, err)
	}
	return nil
}

// afterPrefix returns the first string after all that begin with prefix; nil if
// there is none.
func afterPrefix(prefix string) []byte {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return b[:i+1]
		}
	}
	return nil
}
