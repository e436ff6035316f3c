// Package storetest is the contract of package store as tests. Every engine
// runs the same ones:
//
//	storetest.Run(t, func(t testing.TB) func() store.Store { … })
//
// # What it does not do
//
// It cuts no power and breaks no disks: how an engine can fail is its own, and
// so are the tests of that.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// Engine makes a new, empty database and returns what opens it: the same one
// at each call. A test closes a store before it opens the database again, unless
// the engine is a store.Leaser, which several processes open at once; and it
// leaves closing the last one to the engine (t.Cleanup).
type Engine func(t testing.TB) (open func() store.Store)

// Run runs every test of the contract.
func Run(t *testing.T, engine Engine) {
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) { p.test(t, engine) })
	}
}

type promise struct {
	name string
	test func(*testing.T, Engine)
}

var promises = slices.Concat(
	durability, order, lookup, long, keyed, erasure, running, leases,
	powers,
)

// in is a store in a test: what fails, fails the test.
type in struct {
	testing.TB
	store.Store
}

func (s in) update(lock store.Lock, fn func(store.Tx) error) {
	s.Helper()
	if err := s.Update(context.Background(), lock, fn); err != nil {
		s.Fatal(err)
	}
}

func (s in) view(fn func(store.View) error) {
	s.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		s.Fatal(err)
	}
}

func (s in) append(l *Log, n int) {
	s.Helper()
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Append(l.Collection, l.Next(n)) })
}

// holds checks that the store has exactly the entries of a log.
func (s in) holds(l *Log) {
	s.Helper()
	s.view(func(v store.View) error {
		same(s, "entries", rangeOf(s, v, l.Collection, 0, store.MaxEntries, store.Full), l.Entries)
		p, err := v.Position(l.Collection)
		var want store.Position
		if n := len(l.Entries); n > 0 {
			want = store.Position{Size: uint64(n), Added: l.Entries[n-1].Added, Generation: l.Generation}
		}
		same(s, "position", p, want)
		return err
	})
}

func only(c ...liaison.CollectionID) store.Lock { return store.Lock{Collections: c} }

// same compares; nil and empty are the same.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	g, ok := got.([]store.Entry)
	if ok && slices.EqualFunc(g, want.([]store.Entry), equal) {
		return // cmp takes its time over long bytes
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s: want -, got +:\n%.4000s", what, d)
	}
}

func equal(a, b store.Entry) bool {
	for _, p := range [][2][]byte{{a.Bytes, b.Bytes}, {a.Leaf, b.Leaf}, {a.Act, b.Act}, {a.Batch, b.Batch}, {a.Consent, b.Consent}, {a.Hops, b.Hops}} {
		if !bytes.Equal(p[0], p[1]) {
			return false
		}
	}
	return a.Index == b.Index && a.Added == b.Added && a.Kind == b.Kind &&
		a.ID == b.ID && a.Version == b.Version && a.Type == b.Type &&
		a.Hidden == b.Hidden && a.By == b.By && a.Erased == b.Erased && a.ActHash == b.ActHash && a.Salt == b.Salt &&
		slices.Equal(a.Hashes, b.Hashes)
}

func refused(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// into collects copies of what is yielded.
func into(out *[]store.Entry) func(*store.Entry) error {
	return func(e *store.Entry) error {
		*out = append(*out, clone(e))
		return nil
	}
}

func clone(e *store.Entry) store.Entry {
	c := *e
	for _, b := range []*[]byte{&c.Bytes, &c.Leaf, &c.Act, &c.Batch, &c.Consent, &c.Hops} {
		*b = bytes.Clone(*b)
	}
	c.Hashes = slices.Clone(c.Hashes)
	return c
}

func rangeOf(t testing.TB, v store.View, c liaison.CollectionID, from, to uint64, part store.Part) (out []store.Entry) {
	t.Helper()
	if err := v.Range(c, from, to, part, into(&out)); err != nil {
		t.Fatal(err)
	}
	return out
}

func find(t testing.TB, v store.View, c liaison.CollectionID, id string) (out []store.Entry) {
	t.Helper()
	if err := v.Find(c, id, store.Full, into(&out)); err != nil {
		t.Fatal(err)
	}
	return out
}

// with returns the entries for which keep says yes.
func with(entries []store.Entry, keep func(*store.Entry) bool) (out []store.Entry) {
	for i := range entries {
		if keep(&entries[i]) {
			out = append(out, entries[i])
		}
	}
	return out
}
