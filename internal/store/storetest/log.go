package storetest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// Log makes the entries of one collection, with the Merkle hashes of a tree it
// keeps in memory. The same seed makes the same log.
type Log struct {
	Collection liaison.CollectionID
	Entries    []store.Entry  // all that Next made
	Hashes     []liaison.Hash // the stored hashes of the tree over them
	Generation uint32         // after them

	rand  *rand.Rand
	added liaison.Instant
}

// NewLog returns an empty log.
func NewLog(seed uint64) *Log {
	r := rand.New(rand.NewPCG(seed, 0x10a150))
	return &Log{Collection: liaison.CollectionOf(random(r), "cyber", 1), Generation: 1, rand: r, added: 1_700_000_000_000_000}
}

func random(r *rand.Rand) (h liaison.Hash) {
	for i := 0; i < len(h); i += 8 {
		binary.LittleEndian.PutUint64(h[i:], r.Uint64())
	}
	return h
}

// Next makes n more entries and returns them. Most are new objects of about
// 700 bytes; some are acts for an object that is there, and a few name none.
func (l *Log) Next(n int) []store.Entry {
	for range n {
		e := l.entry()
		l.added += liaison.Instant(1 + l.rand.IntN(1000))
		if e.Kind == liaison.KindOpened {
			e.Leaf = l.opened(l.Generation + uint32(l.rand.IntN(2)))
		}
		e.Index, e.Added = uint64(len(l.Entries)), l.added
		e.Hashes = l.grow(liaison.LeafHash(e.Leaf))
		l.Entries = append(l.Entries, e)
	}
	return l.Entries[len(l.Entries)-n:]
}

func (l *Log) entry() store.Entry {
	switch p := l.rand.IntN(100); {
	case p == 0:
		return store.Entry{Kind: liaison.KindOpened}
	case p < 10 && len(l.Entries) > 0:
		if e := l.Entries[l.rand.IntN(len(l.Entries))]; e.ID != "" {
			return l.object(liaison.KindAgain, e.ID)
		}
	}
	h := random(l.rand)
	return l.object(liaison.KindObject, fmt.Sprintf("indicator--%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}

// opened returns a leaf that opens the generation after one.
func (l *Log) opened(before uint32) []byte {
	l.Generation = before + 1
	return liaison.JCS(liaison.Leaf{V: liaison.LeafVersion, Kind: liaison.KindOpened, Added: l.added, Prev: &liaison.Head{
		Origin: liaison.Origin{Office: "seoul.example.org", Collection: l.Collection, Generation: before},
		Size:   uint64(len(l.Entries)), Root: random(l.rand),
	}})
}

func (l *Log) object(k liaison.Kind, id string) store.Entry {
	e := store.Entry{
		Kind:    k,
		ID:      id,
		Version: fmt.Sprintf("2026-01-02T03:04:05.%06dZ", l.rand.IntN(1_000_000)),
		Type:    "indicator",
		Bytes:   l.text(700),
		Leaf:    l.text(200),
		Act:     l.text(450),
		Salt:    random(l.rand),
		Batch:   l.text(300),
	}
	e.Same = sames[int(e.Salt[0])%len(sames)]
	e.ActHash = liaison.LeafHash(e.Act)
	return e
}

// sames are the numbers of versions: few, so that several entries share one.
var sames = [...]uint64{0, 1, 1 << 63, math.MaxUint64}

// text returns JSON of n bytes that does not repeat itself.
func (l *Log) text(n int) []byte {
	b := fmt.Appendf(nil, `{"number":%d,"text":"`, len(l.Entries))
	for len(b) < n-2 {
		b = fmt.Appendf(b, "%x ", l.rand.Uint64())
	}
	return append(b[:n-2], `"}`...)
}

// grow adds a leaf to the tree and returns the hashes it completes.
func (l *Log) grow(leaf liaison.Hash) []liaison.Hash {
	hs, err := tlog.StoredHashesForRecordHash(int64(len(l.Entries)), tlog.Hash(leaf), l.reader())
	if err != nil {
		panic(err) // all earlier hashes are in memory
	}
	out := make([]liaison.Hash, len(hs))
	for i := range hs {
		out[i] = liaison.Hash(hs[i])
	}
	l.Hashes = append(l.Hashes, out...)
	return out
}

func (l *Log) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = tlog.Hash(l.Hashes[x])
		}
		return out, nil
	})
}

// Root returns the root of the tree over the first n entries.
func (l *Log) Root(n uint64) liaison.Hash {
	h, err := tlog.TreeHash(int64(n), l.reader())
	if err != nil {
		panic(err) // all hashes are in memory
	}
	return liaison.Hash(h)
}

// unicodeIDs are ids that a database might fold, cut or confuse.
var unicodeIDs = []string{
	"note--café", "note--cafe\u0301", "note--CAFÉ", "note--Київ", "note--київ", "note--東京", "note--🕊",
	"note--a", "note--A", "note--a ", " note--a", "note--%", "note--_", "note--'; DROP TABLE objects; --",
	"note--" + strings.Repeat("x", 4000),
}
