package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/liaison-office/liaison/internal/store"
)

var durability = []promise{
	{"what was committed is there after opening again", testReopen},
	{"an update that fails leaves nothing", testAtomic},
	{"a write that failed is not committed though its error is ignored", testIgnored},
	{"a panic undoes the update and the store goes on", testPanic},
	{"a view never sees a later update", testSnapshot},
	{"a view sees every update that returned before it", testVisible},
	{"an update sees its own writes", testOwnWrites},
}

func testReopen(t *testing.T, engine Engine) {
	open := engine(t)
	a, b := NewLog(1), NewLog(2)
	for range 3 {
		s := in{t, open()}
		s.append(a, 70)
		s.append(b, 3)
		s.update(store.Lock{}, func(tx store.Tx) error { return tx.Put("bucket", "key", []byte{byte(len(a.Entries))}) })
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := in{t, open()}
	s.holds(a)
	s.holds(b)
	s.view(func(v store.View) error {
		value, _, err := v.State("bucket", "key")
		same(t, "state", value, []byte{210})
		return err
	})
}

func testAtomic(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	kept := NewLog(1)
	s.append(kept, 10)
	s.update(store.Lock{}, func(tx store.Tx) error { return tx.Put("b", "old", []byte("value")) })
	lost, fresh := *kept, NewLog(2)
	reason := errors.New("reason")
	ctx, cancel := context.WithCancel(context.Background())
	for _, how := range []struct {
		name string
		end  func() error
		want error
	}{
		{"its function fails", func() error { return reason }, reason},
		{"its context ends", func() error { cancel(); return nil }, context.Canceled},
	} {
		err := s.Update(ctx, only(kept.Collection, fresh.Collection), func(tx store.Tx) error {
			return errors.Join(
				tx.Append(kept.Collection, lost.Next(5)),
				tx.Append(fresh.Collection, fresh.Next(5)),
				tx.Hide(kept.Collection, 1, 2),
				tx.Put("b", "new", []byte("value")),
				tx.Delete("b", "old"),
				how.end())
		})
		refused(t, err, how.want)
		s.holds(kept)
		s.holds(NewLog(2))
		s.view(func(v store.View) error {
			_, was, err := v.State("b", "old")
			_, is, err2 := v.State("b", "new")
			same(t, how.name, []bool{was, is}, []bool{true, false})
			return errors.Join(err, err2)
		})
		lost, fresh = *NewLog(1), NewLog(2)
		lost.Next(10)
	}
	s.append(kept, 5)
	s.holds(kept)
}

func testIgnored(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 3)
	err := s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error {
		tx.Put("b", "k", nil)
		tx.Append(l.Collection, l.Entries[:1]) // index 0 again
		return nil
	})
	refused(t, err, store.ErrOrder)
	s.holds(l)
	s.view(func(v store.View) error {
		_, ok, err := v.State("b", "k")
		same(t, "state is there", ok, false)
		return err
	})
}

func testPanic(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	func() {
		defer func() { same(t, "recovered", recover(), "reason") }()
		s.Update(context.Background(), store.Lock{}, func(tx store.Tx) error {
			tx.Put("b", "k", nil)
			panic("reason")
		})
	}()
	func() {
		defer func() { same(t, "recovered", recover(), "reason") }()
		s.View(context.Background(), func(store.View) error { panic("reason") })
	}()
	s.view(func(v store.View) error {
		_, ok, err := v.State("b", "k")
		same(t, "state is there", ok, false)
		return err
	})
	s.append(l, 3)
	s.holds(l)
}

func testSnapshot(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 10)
	s.view(func(v store.View) error {
		done := make(chan error)
		go func() {
			done <- s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error {
				return errors.Join(
					tx.Append(l.Collection, l.Next(10)),
					tx.Hide(l.Collection, 1, 2),
					tx.Put("b", "k", nil))
			})
		}()
		if err := <-done; err != nil {
			return err
		}
		p, err := v.Position(l.Collection)
		same(t, "size", p.Size, uint64(10))
		same(t, "entries", rangeOf(t, v, l.Collection, 0, 20, store.Full), l.Entries[:10])
		_, ok, err2 := v.State("b", "k")
		same(t, "state is there", ok, false)
		_, err3 := v.Hashes(l.Collection, []int64{30})
		if err3 == nil {
			t.Error("a hash of a later update is there")
		}
		return errors.Join(err, err2)
	})
}

func testVisible(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	for range 30 {
		s.append(l, 1)
		s.holds(l)
	}
}

func testOwnWrites(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.update(only(l.Collection), func(tx store.Tx) error {
		for range 3 {
			if err := tx.Append(l.Collection, l.Next(7)); err != nil {
				return err
			}
			p, err := tx.Position(l.Collection)
			if err != nil {
				return err
			}
			same(t, "size", p.Size, uint64(len(l.Entries)))
			same(t, "entries", rangeOf(t, tx, l.Collection, 0, p.Size, store.Full), l.Entries)
		}
		if err := tx.Put("b", "k", []byte("v")); err != nil {
			return err
		}
		v, _, err := tx.State("b", "k")
		same(t, "state", v, []byte("v"))
		return err
	})
}
