package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

var erasure = []promise{
	{"of an erased entry what proves it stays, and what it was is gone", testErase},
	{"erasing again, and what is not there", testEraseAgain},
	{"what was appended or hidden in the same update can be erased", testEraseOwn},
	{"an update that fails erases nothing", testEraseAtomic},
	{"a view from before an erasure still has what was erased", testEraseSnapshot},
	{"an erased entry stays erased after opening again, and the log goes on", testEraseReopen},
	{"what is shown again is as if it had never been hidden", testShow},
}

// erased returns what is left of an entry.
func erased(e store.Entry) store.Entry {
	e.ID, e.Version, e.Type, e.Same, e.Salt, e.Bytes, e.Erased = "", "", "", 0, liaison.Hash{}, nil, true
	return e
}

// some returns the places of entries with an object, one of them hidden by
// another.
func some(t testing.TB, l *Log, n int) (places []int) {
	for i := range l.Entries {
		if l.Entries[i].ID != "" && len(places) < n {
			places = append(places, i)
		}
	}
	if len(places) < n {
		t.Fatalf("%d entries have an object", len(places))
	}
	return places
}

func (s in) erase(l *Log, places ...int) {
	s.Helper()
	s.update(only(l.Collection), func(tx store.Tx) error {
		for _, i := range places {
			if err := tx.Erase(l.Collection, uint64(i)); err != nil {
				return err
			}
			l.Entries[i] = erased(l.Entries[i])
		}
		return nil
	})
	if err := s.Scrub(context.Background()); err != nil {
		s.Fatal(err)
	}
}

func testErase(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l, other := NewLog(1), NewLog(1)
	other.Collection[0] ^= 1
	s.append(l, 60)
	s.append(other, 60)
	at := some(t, l, 6)
	a, b, c, d := at[0], at[1], at[2], at[3]
	s.update(only(l.Collection), func(tx store.Tx) error {
		return errors.Join(tx.Hide(l.Collection, uint64(a), uint64(b)), tx.Hide(l.Collection, uint64(c), uint64(d)), tx.Put("b", "k", []byte("value")))
	})
	l.Entries[a].Hidden, l.Entries[a].By = true, uint64(b)
	l.Entries[c].Hidden, l.Entries[c].By = true, uint64(d)
	was := slices.Clone(l.Entries)
	s.erase(l, b, c, at[5]) // what hides, what is hidden, and one of neither
	s.holds(l)
	s.holds(other)
	s.view(func(v store.View) error {
		for _, i := range []int{b, c, at[5]} {
			e := was[i]
			rest := with(l.Entries, func(o *store.Entry) bool { return o.ID == e.ID })
			same(t, "find", find(t, v, l.Collection, e.ID), rest)
			same(t, "find elsewhere", len(find(t, v, other.Collection, e.ID)) > 0, true)
			var shown, versions, acts []store.Entry
			err := errors.Join(
				v.FindShown(l.Collection, e.ID, store.Full, into(&shown)),
				v.FindSame(l.Collection, e.ID, e.Same, store.Full, into(&versions)),
				v.FindAct(l.Collection, e.ActHash, store.Full, into(&acts)))
			if err != nil {
				return err
			}
			same(t, "find shown", shown, with(rest, func(o *store.Entry) bool { return !o.Hidden }))
			same(t, "find same", versions, with(rest, func(o *store.Entry) bool { return sameOf(was, o) == e.Same }))
			same(t, "find act", acts, []store.Entry{erased(e)})
			after, err := v.IndexAfter(l.Collection, e.Added-1)
			same(t, "index after", after, uint64(i))
			if err != nil {
				return err
			}
		}
		all := make([]int64, len(l.Hashes))
		for i := range all {
			all[i] = int64(i)
		}
		hashes, err := v.Hashes(l.Collection, all)
		same(t, "hashes", hashes, l.Hashes)
		value, _, err2 := v.State("b", "k")
		same(t, "state", value, []byte("value"))
		return errors.Join(err, err2)
	})
	for part := store.Meta; part <= store.Full; part++ {
		s.view(func(v store.View) error {
			e := rangeOf(t, v, l.Collection, uint64(b), uint64(b)+1, part)[0]
			same(t, "erased", []any{e.Erased, e.ID, e.Bytes, e.Salt, e.Kind, e.Added}, []any{true, "", []byte(nil), liaison.Hash{}, was[b].Kind, was[b].Added})
			return nil
		})
	}
}

func sameOf(entries []store.Entry, e *store.Entry) uint64 { return entries[e.Index].Same }

func testEraseAgain(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l, absent := NewLog(1), NewLog(2)
	s.append(l, 10)
	at := some(t, l, 2)
	s.erase(l, at[0])
	s.erase(l, at[0], at[1], at[1])
	s.holds(l)
	for _, try := range []func(tx store.Tx) error{
		func(tx store.Tx) error { return tx.Erase(l.Collection, 10) },
		func(tx store.Tx) error { return tx.Erase(l.Collection, store.MaxEntries) },
		func(tx store.Tx) error { return tx.Erase(absent.Collection, 0) },
		func(tx store.Tx) error { return tx.Show(l.Collection, 10) },
	} {
		if err := s.Update(context.Background(), only(l.Collection, absent.Collection), try); err == nil {
			t.Error("what is not there was changed")
		}
	}
	for _, try := range []func(tx store.Tx) error{
		func(tx store.Tx) error { return tx.Erase(l.Collection, 2) },
		func(tx store.Tx) error { return tx.Show(l.Collection, 2) },
	} {
		refused(t, s.Update(context.Background(), only(absent.Collection), try), store.ErrNotLocked)
	}
	s.holds(l)
}

func testEraseOwn(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 10)
	s.update(only(l.Collection), func(tx store.Tx) error {
		fresh := l.Next(10)
		at := some(t, l, 12)
		a, b := at[1], at[len(at)-1]
		err := errors.Join(tx.Append(l.Collection, fresh), tx.Hide(l.Collection, uint64(a), uint64(b)),
			tx.Erase(l.Collection, uint64(b)), tx.Erase(l.Collection, uint64(a)))
		l.Entries[a].Hidden, l.Entries[a].By = true, uint64(b)
		l.Entries[a], l.Entries[b] = erased(l.Entries[a]), erased(l.Entries[b])
		same(t, "entries", rangeOf(t, tx, l.Collection, 0, 20, store.Full), l.Entries)
		return err
	})
	s.holds(l)
}

func testEraseAtomic(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 10)
	reason := errors.New("reason")
	err := s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error {
		return errors.Join(tx.Erase(l.Collection, uint64(some(t, l, 1)[0])), reason)
	})
	refused(t, err, reason)
	s.holds(l)
}

func testEraseSnapshot(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 10)
	i := some(t, l, 1)[0]
	s.view(func(v store.View) error {
		if _, err := v.Position(l.Collection); err != nil {
			return err
		}
		done := make(chan error)
		go func() {
			done <- s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error { return tx.Erase(l.Collection, uint64(i)) })
		}()
		if err := <-done; err != nil {
			return err
		}
		same(t, "entries", rangeOf(t, v, l.Collection, 0, 20, store.Full), l.Entries)
		return nil
	})
	l.Entries[i] = erased(l.Entries[i])
	s.holds(l)
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.holds(l)
}

func testEraseReopen(t *testing.T, engine Engine) {
	open := engine(t)
	s := in{t, open()}
	l := NewLog(1)
	s.append(l, 30)
	at := some(t, l, 3)
	s.erase(l, at[0])
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Erase(l.Collection, uint64(at[1])) })
	l.Entries[at[1]] = erased(l.Entries[at[1]])
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = in{t, open()}
	s.holds(l)
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.append(l, 30)
	s.erase(l, at[2])
	s.holds(l)
}

func testShow(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 30)
	at := some(t, l, 2)
	a := uint64(at[0])
	e := l.Entries[a]
	shown := func(tx store.View) (out []store.Entry) {
		if err := tx.FindShown(l.Collection, e.ID, store.Full, into(&out)); err != nil {
			t.Fatal(err)
		}
		return out
	}
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Show(l.Collection, a) }) // it is
	s.update(only(l.Collection), func(tx store.Tx) error {
		before := shown(tx)
		err := errors.Join(tx.Hide(l.Collection, a, uint64(at[1])), tx.Show(l.Collection, a))
		same(t, "find shown", shown(tx), before)
		return err
	})
	s.holds(l)
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Hide(l.Collection, a, uint64(at[1])) })
	s.view(func(v store.View) error {
		same(t, "it is hidden", slices.ContainsFunc(shown(v), func(o store.Entry) bool { return bytes.Equal(o.Bytes, e.Bytes) }), false)
		return nil
	})
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Show(l.Collection, a) })
	s.holds(l)
}
