package sqlite

import (
	"context"
	"errors"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) func() store.Store {
		dir := t.TempDir()
		return func() store.Store { return openTest(t, dir, Config{vfs: unsynced}) } // the contract cuts no power
	})
}

func openTest(t testing.TB, dir string, config Config) *Store {
	t.Helper()
	s, err := Open(dir, config)
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

// Digests of eight bytes can be made to collide.
func TestADigestThatCollidesFindsNothingElse(t *testing.T) {
	s := openTest(t, t.TempDir(), Config{})
	l := storetest.NewLog(1)
	l.Next(10)
	fill(t, s, l)
	other := liaison.H([]byte("another act"))
	err := s.Update(context.Background(), store.Lock{}, func(t store.Tx) error {
		c := t.(*tx).conn
		return errors.Join(
			c.exec("INSERT INTO ids SELECT ?, 0, 1, key FROM objects", idDigest("note--b")),
			c.exec("INSERT INTO acts SELECT ?, key FROM objects", digest(other)))
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
