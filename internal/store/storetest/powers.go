package storetest

import (
	"context"
	"testing"

	"github.com/liaison-office/liaison/internal/store"
)

// An engine without a power has nothing to keep here.
var powers = []promise{
	{"a long view sees one snapshot beside any number of views and updates", testLongView},
	{"clearing removes everything and keeps what its function writes", testClear},
	{"clearing that fails removes nothing", testClearFails},
	{"compacting changes nothing that is read", testCompact},
	{"the room is that of this store", testRoom},
}

func testLongView(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	long, ok := s.Store.(store.LongViewer)
	if !ok {
		return
	}
	l := NewLog(1)
	s.append(l, 50)
	inside := func(s store.Store, v store.View) {
		before := len(l.Entries)
		for range 20 {
			in{t, s}.append(l, 10)
			in{t, s}.holds(l)
		}
		same(t, "entries", rangeOf(t, v, l.Collection, 0, store.MaxEntries, store.Full), l.Entries[:before])
	}
	err := long.LongView(context.Background(), func(v store.View) error {
		inside(s, v)
		return long.LongView(context.Background(), func(v store.View) error { inside(s, v); return nil })
	})
	refused(t, err, nil)
	s.holds(l)
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err = long.LongView(ctx, func(v store.View) error {
		return v.Range(l.Collection, 0, store.MaxEntries, store.Full, func(*store.Entry) error {
			n++
			cancel()
			return nil
		})
	})
	refused(t, err, context.Canceled)
	if n == len(l.Entries) {
		t.Error("it was walked to its end")
	}
	refused(t, s.Close(), nil)
	refused(t, long.LongView(context.Background(), func(store.View) error { return nil }), store.ErrClosed)
}

func testClear(t *testing.T, engine Engine) {
	open := engine(t)
	s := in{t, open()}
	c, ok := s.Store.(store.Clearer)
	if !ok {
		return
	}
	old := []*Log{NewLog(1), NewLog(2)}
	for _, l := range old {
		s.append(l, 30)
		s.update(only(l.Collection), func(tx store.Tx) error { return tx.Hide(l.Collection, 1, 2) })
	}
	s.update(store.Lock{}, func(tx store.Tx) error { return tx.Put("b", "old", nil) })
	refused(t, c.Clear(context.Background(), func(tx store.Tx) error { return tx.Put("b", "new", nil) }), nil)
	for range 2 {
		s.holds(NewLog(1))
		s.holds(NewLog(2))
		s.view(func(v store.View) error {
			_, was, err := v.State("b", "old")
			_, is, err2 := v.State("b", "new")
			same(t, "old and new", []bool{was, is}, []bool{false, true})
			refused(t, err2, nil)
			return err
		})
		refused(t, s.Close(), nil)
		s = in{t, open()}
	}
	l := NewLog(1)
	s.append(l, 40)
	s.holds(l)
}

func testClearFails(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	c, ok := s.Store.(store.Clearer)
	if !ok {
		return
	}
	l := NewLog(1)
	s.append(l, 30)
	refused(t, c.Clear(context.Background(), func(tx store.Tx) error { return store.ErrOrder }), store.ErrOrder)
	s.holds(l)
}

func testCompact(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	c, ok := s.Store.(store.Compacter)
	if !ok {
		return
	}
	l := NewLog(1)
	s.append(l, 300)
	for _, rewrite := range []bool{false, true} {
		refused(t, c.Compact(context.Background(), rewrite), nil)
		s.holds(l)
		s.append(l, 5)
		s.holds(l)
	}
}

func testRoom(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	m, ok := s.Store.(store.Measurer)
	if !ok {
		return
	}
	l := NewLog(1)
	s.append(l, 300)
	r, err := m.Room(context.Background())
	refused(t, err, nil)
	bytes, given := int64(0), int64(0)
	for _, f := range r.Files {
		bytes += f.Bytes
	}
	for i := range l.Entries {
		given += int64(len(l.Entries[i].Bytes))
	}
	if r.Engine == "" || r.Schema == 0 || bytes < given {
		t.Errorf("%d bytes of objects are kept in %+v", given, r)
	}
}
