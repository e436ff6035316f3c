package storetest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

var order = []promise{
	{"a gap, a repetition and an instant that does not increase are refused", testOrder},
	{"a collection that was not locked is not written", testNotLocked},
	{"an entry keeps its bytes, empty ones and a mebibyte", testBytes},
	{"nothing of an entry is kept by reference", testNoReference},
	{"logs do not mix", testSeparate},
	{"an opening entry begins the next generation, and what was there stays", testGenerations},
}

func testOrder(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 5)
	ahead := *l
	next := ahead.Next(2)
	end := l.Entries[4].Added
	for name, change := range map[string]func([]store.Entry) []store.Entry{
		"an index left out":         func(e []store.Entry) []store.Entry { return e[1:] },
		"an index again":            func(e []store.Entry) []store.Entry { return append(l.Entries[4:5:5], e...) },
		"an index twice":            func(e []store.Entry) []store.Entry { e[1].Index = e[0].Index; return e },
		"a gap inside":              func(e []store.Entry) []store.Entry { e[1].Index++; return e },
		"the instant of the last":   func(e []store.Entry) []store.Entry { e[0].Added = end; return e },
		"an earlier instant":        func(e []store.Entry) []store.Entry { e[0].Added = end - 1; return e },
		"the same instant inside":   func(e []store.Entry) []store.Entry { e[1].Added = e[0].Added; return e },
		"a beginning that is not 0": func(e []store.Entry) []store.Entry { return e },
	} {
		c := l.Collection
		if name == "a beginning that is not 0" {
			c = NewLog(2).Collection
		}
		err := s.Update(context.Background(), only(c), func(tx store.Tx) error {
			return tx.Append(c, change(append([]store.Entry(nil), next...)))
		})
		t.Log(name, "->", err)
		refused(t, err, store.ErrOrder)
		s.holds(l)
	}
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Append(l.Collection, nil) })
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Append(l.Collection, next) })
	s.holds(&ahead)
}

func testNotLocked(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	a, b := NewLog(1), NewLog(2)
	s.append(a, 5)
	writes := map[string]func(store.Tx) error{
		"append": func(tx store.Tx) error { return tx.Append(b.Collection, b.Next(1)) },
		"hide":   func(tx store.Tx) error { return tx.Hide(a.Collection, 0, 1) },
	}
	locks := map[string]store.Lock{"append": only(a.Collection), "hide": only(b.Collection)}
	for name, write := range writes {
		refused(t, s.Update(context.Background(), locks[name], write), store.ErrNotLocked)
	}
	s.holds(a)
	s.holds(NewLog(2))
}

func testBytes(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	es := l.Next(4)
	big := bytes.Repeat([]byte{0, 0xff, 'x', '\n'}, 1<<18)
	es[0].Bytes, es[0].Consent, es[0].Hops = big, big[1:], big[2:]
	es[1] = store.Entry{Index: 1, Added: es[1].Added, Kind: liaison.KindClosed, Hashes: es[1].Hashes}
	es[2].Bytes, es[2].Act = []byte{}, []byte{}
	es[3].Bytes, es[3].Version = []byte{0}, "v\u0301"
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Append(l.Collection, es) })
	s.holds(l)
	s.view(func(v store.View) error {
		if got := rangeOf(t, v, l.Collection, 2, 3, store.Full)[0]; got.Bytes != nil || got.Act != nil {
			t.Error("empty bytes are not nil")
		}
		return nil
	})
}

func testNoReference(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.update(only(l.Collection), func(tx store.Tx) error {
		es := l.Next(3)
		mine := clone(&es[2])
		if err := tx.Append(l.Collection, []store.Entry{es[0], es[1], mine}); err != nil {
			return err
		}
		clear(mine.Bytes)
		clear(mine.Leaf)
		clear(mine.Hashes)
		return nil
	})
	s.holds(l)
}

func testSeparate(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	logs := []*Log{NewLog(1), NewLog(2), NewLog(3)}
	all := only(logs[2].Collection, logs[0].Collection, logs[1].Collection)
	for i := range 5 {
		s.update(all, func(tx store.Tx) error {
			for j, l := range logs {
				if err := tx.Append(l.Collection, l.Next(1+(i+j)%3)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, l := range logs {
		s.holds(l)
	}
}

func testGenerations(t *testing.T, engine Engine) {
	open := engine(t)
	s := in{t, open()}
	l, other, first := NewLog(1), NewLog(2), NewLog(3)
	s.append(l, 5)
	s.append(other, 5)
	opens := func(l *Log, before uint32) []store.Entry {
		es := l.Next(3)
		es[1] = store.Entry{Index: es[1].Index, Added: es[1].Added, Kind: liaison.KindOpened, Hashes: es[1].Hashes}
		es[1].Leaf = l.opened(before)
		return es
	}
	ahead := *l
	before := ahead.Generation
	next := opens(&ahead, before)
	failed := errors.New("changed my mind")
	refused(t, s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error {
		if err := tx.Append(l.Collection, next); err != nil {
			t.Fatal(err)
		}
		if p, err := tx.Position(l.Collection); err != nil || p.Generation != before+1 {
			t.Errorf("within the update it has generation %d, %v", p.Generation, err)
		}
		return failed
	}), failed)
	s.holds(l)

	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Append(l.Collection, next) })
	s.holds(&ahead)
	past := ahead
	refused(t, s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error {
		return tx.Append(l.Collection, opens(&past, before)) // it had been opened before
	}), store.ErrOrder)
	later := opens(&ahead, before+6)
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Append(l.Collection, later) })
	s.holds(&ahead)
	begin := opens(first, 4)[1:2] // a log of which nothing is left
	begin[0].Index, first.Entries = 0, begin
	s.update(only(first.Collection), func(tx store.Tx) error { return tx.Append(first.Collection, begin) })
	s.append(&ahead, 40)

	s.Close()
	s = in{t, open()}
	s.holds(&ahead)
	s.holds(other)
	s.holds(first)
}
