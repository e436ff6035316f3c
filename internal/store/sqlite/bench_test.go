package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// The benchmarks come in pairs: what the store does, and what SQLite alone
// does with the same objects, through the same driver, as durably, with as much
// cache and in groups of the same size. SQLite alone keeps its own page size
// (4096) and moves its write-ahead log at its own 1000 pages.

const group = 100 // entries in a transaction

func BenchmarkAppend(b *testing.B) {
	l := storetest.NewLog(1)
	l.Next(b.N)
	s := openTest(b, b.TempDir(), Config{})
	b.SetBytes(int64(len(l.Entries[0].Bytes)))
	b.ReportAllocs()
	b.ResetTimer()
	fill(b, s, l)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

func fill(b testing.TB, s *Store, l *storetest.Log) {
	for i := 0; i < len(l.Entries); i += group {
		err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, l.Entries[i:min(i+group, len(l.Entries))])
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRaw inserts the objects alone: no act, leaf, salt or hash.
func BenchmarkRaw(b *testing.B) {
	l := storetest.NewLog(1)
	l.Next(b.N)
	c := openRaw(b)
	b.SetBytes(int64(len(l.Entries[0].Bytes)))
	b.ReportAllocs()
	b.ResetTimer()
	fillRaw(b, c, l)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

func openRaw(b testing.TB) *sqlite3.Conn {
	c, err := sqlite3.Open(filepath.Join(b.TempDir(), "raw.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	err = c.Exec(`
		PRAGMA journal_mode = WAL;
		PRAGMA synchronous = FULL;
		PRAGMA cache_size = -16000;
		CREATE TABLE objects (seq INTEGER PRIMARY KEY, added INTEGER, id TEXT, version TEXT, type TEXT, bytes BLOB) STRICT;
		CREATE UNIQUE INDEX identity ON objects (id, version)`)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func fillRaw(b testing.TB, c *sqlite3.Conn, l *storetest.Log) {
	s, _, err := c.Prepare("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for i := 0; i < len(l.Entries); i += group {
		c.Exec("BEGIN IMMEDIATE")
		for _, e := range l.Entries[i:min(i+group, len(l.Entries))] {
			s.BindInt64(1, int64(e.Index))
			s.BindInt64(2, int64(e.Added))
			s.BindText(3, e.ID)
			s.BindText(4, fmt.Sprint(e.Version, e.Index)) // again is no duplicate here
			s.BindText(5, e.Type)
			s.BindBlob(6, e.Bytes)
			if err := s.Exec(); err != nil {
				b.Fatal(err)
			}
		}
		if err := c.Exec("COMMIT"); err != nil {
			b.Fatal(err)
		}
	}
}

// The sizes of a log that is read, and of a page.
const (
	logSize  = 10_000
	pageRows = 1000
)

func BenchmarkRange(b *testing.B) {
	for name, part := range map[string]store.Part{"meta": store.Meta, "bytes": store.Bytes, "full": store.Full} {
		b.Run(name, func(b *testing.B) {
			l := storetest.NewLog(1)
			l.Next(logSize)
			s := openTest(b, b.TempDir(), Config{})
			fill(b, s, l)
			b.ReportAllocs()
			n, total := 0, 0
			for b.Loop() {
				from := uint64(n * pageRows % logSize)
				err := s.View(context.Background(), func(v store.View) error {
					return v.Range(l.Collection, from, from+pageRows, part, func(e *store.Entry) error {
						total += len(e.Bytes)
						return nil
					})
				})
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.SetBytes(int64(total / n))
		})
	}
}

// BenchmarkRawSelect reads a page of bytes by a bare SELECT.
func BenchmarkRawSelect(b *testing.B) {
	l := storetest.NewLog(1)
	l.Next(logSize)
	c := openRaw(b)
	fillRaw(b, c, l)
	if err := c.Exec(readerPragmas); err != nil {
		b.Fatal(err)
	}
	s, _, err := c.Prepare("SELECT seq, bytes FROM objects WHERE seq >= ? AND seq < ?")
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	n, total := 0, 0
	for b.Loop() {
		from := int64(n * pageRows % logSize)
		s.BindInt64(1, from)
		s.BindInt64(2, from+pageRows)
		for s.Step() {
			s.ColumnInt64(0)
			total += len(s.ColumnRawBlob(1))
		}
		if err := s.Reset(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.SetBytes(int64(total / n))
}

// BenchmarkLookup measures what one request asks beside its page.
func BenchmarkLookup(b *testing.B) {
	l := storetest.NewLog(1)
	l.Next(logSize)
	s := openTest(b, b.TempDir(), Config{})
	fill(b, s, l)
	ctx := context.Background()
	drop := func(*store.Entry) error { return nil }
	last := &l.Entries[logSize-1]
	for name, fn := range map[string]func(v store.View, i int) error{
		"nothing": func(store.View, int) error { return nil },
		"position": func(v store.View, _ int) error {
			_, err := v.Position(l.Collection)
			return err
		},
		"after-now": func(v store.View, _ int) error {
			_, err := v.IndexAfter(l.Collection, last.Added)
			return err
		},
		"after": func(v store.View, i int) error {
			_, err := v.IndexAfter(l.Collection, l.Entries[i*7919%logSize].Added)
			return err
		},
		"find": func(v store.View, i int) error {
			return v.Find(l.Collection, l.Entries[i*7919%logSize].ID, store.Bytes, drop)
		},
		"find-act": func(v store.View, i int) error {
			return v.FindAct(l.Collection, l.Entries[i*7919%logSize].ActHash, store.Meta, drop)
		},
		"tile": func(v store.View, i int) error {
			_, err := v.Hashes(l.Collection, tile(i%(logSize/256)))
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				if err := s.View(ctx, func(v store.View) error { return fn(v, i) }); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// tile returns the numbers of the 256 stored hashes of a tile of level 0.
func tile(n int) []int64 {
	x := make([]int64, 256)
	for i := range x {
		x[i] = tlog.StoredHashIndex(0, int64(n*256+i))
	}
	return x
}
