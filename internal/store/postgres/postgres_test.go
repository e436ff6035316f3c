package postgres

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

func TestContract(t *testing.T) {
	s := pgtest.Fast(t)
	storetest.Run(t, func(t testing.TB) func() store.Store {
		database := pgtest.Schema(t, s)
		return func() store.Store { return openTest(t, database, Config{unsynced: true}) } // the contract cuts no power
	})
}

// The contract holds whichever process of several does what.
func TestContractOfSeveralProcesses(t *testing.T) {
	s := pgtest.Fast(t)
	storetest.Run(t, func(t testing.TB) func() store.Store {
		database := pgtest.Schema(t, s)
		return func() store.Store {
			return &several{stores: []store.Store{
				openTest(t, database, Config{unsynced: true}),
				openTest(t, database, Config{unsynced: true}),
			}}
		}
	})
}

// several are processes that take turns.
type several struct {
	stores []store.Store
	turn   atomic.Uint32
}

func (s *several) next() store.Store { return s.stores[int(s.turn.Add(1))%len(s.stores)] }

func (s *several) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	return s.next().Update(ctx, lock, fn)
}

func (s *several) View(ctx context.Context, fn func(store.View) error) error {
	return s.next().View(ctx, fn)
}

func (s *several) Scrub(ctx context.Context) error { return s.next().Scrub(ctx) }

func (s *several) Close() error {
	errs := make([]error, len(s.stores))
	for i := range errs {
		errs[i] = s.stores[i].Close()
	}
	return errors.Join(errs...)
}

// Digests of eight bytes can be made to collide.
func TestADigestThatCollidesFindsNothingElse(t *testing.T) {
	s := openTest(t, pgtest.Schema(t, pgtest.Fast(t)), Config{unsynced: true})
	l := storetest.NewLog(1)
	fill(t, s, l, 10)
	other := liaison.H([]byte("another act"))
	err := s.Update(context.Background(), store.Lock{}, func(w store.Tx) error {
		t := w.(*tx)
		_, err1 := t.exec("INSERT INTO ids SELECT $1, false, 1, key FROM objects", idDigest("note--b"))
		_, err2 := t.exec("UPDATE proofs SET act_h = $1", digest(other))
		return errors.Join(err1, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	found := func(*store.Entry) error { return errors.New("it is found") }
	err = s.View(context.Background(), func(v store.View) error {
		return errors.Join(
			v.Find(l.Collection, "note--b", store.Meta, found),
			v.FindSame(l.Collection, "note--b", 1, store.Meta, found),
			v.FindShown(l.Collection, "note--b", store.Meta, found),
			v.FindAct(l.Collection, other, store.Meta, found))
	})
	if err != nil {
		t.Error(err)
	}
}

func openTest(t testing.TB, database string, config Config) *Store {
	t.Helper()
	s, err := Open(context.Background(), database, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func fill(t testing.TB, s store.Store, l *storetest.Log, n int) {
	t.Helper()
	es := l.Next(n)
	if err := appendTo(s, l.Collection, es); err != nil {
		t.Fatal(err)
	}
}

func appendTo(s store.Store, c liaison.CollectionID, es []store.Entry) error {
	return s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{c}}, func(tx store.Tx) error { return tx.Append(c, es) })
}

func sizeOf(t testing.TB, s store.Store, c liaison.CollectionID) uint64 {
	t.Helper()
	var p store.Position
	err := s.View(context.Background(), func(v store.View) (err error) {
		p, err = v.Position(c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.Size
}

// storeWith fills a store with ten entries.
func storeWith(t testing.TB, s store.Store) *storetest.Log {
	t.Helper()
	l := storetest.NewLog(1)
	fill(t, s, l, 10)
	return l
}
