package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

var running = []promise{
	{"updates of one collection run one after the other", testSerial},
	{"an update that is alone, or names nothing, runs beside no other", testAlone},
	{"an update that is alone has its turn while others keep coming", testFair},
	{"a view does not wait for an update that is alone, and sees what was before", testViewBeside},
	{"readers beside writers see whole prefixes with a true tree", testConcurrent},
	{"an ended context ends waiting, walking and writing", testContext},
	{"a closed store refuses, and closing again is nothing", testClosed},
	{"any sequence of updates and reopenings leaves what a list would", testModel},
}

func testSerial(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	c := NewLog(1).Collection
	for name, lock := range map[string]store.Lock{
		"none": {}, "one": only(c), "alone": {Collections: []liaison.CollectionID{c}, Alone: true},
	} {
		const writers, times = 4, 10
		parallel(t, writers, func(int) error { return count(s, lock, name, times) })
		same(t, name, s.counted(name), writers*times)
	}
}

// count reads a counter and writes the next number, in each of some updates.
func count(s store.Store, lock store.Lock, key string, times int) error {
	for range times {
		err := s.Update(context.Background(), lock, func(tx store.Tx) error { return countIn(tx, key) })
		if err != nil {
			return err
		}
	}
	return nil
}

func countIn(tx store.Tx, key string) error {
	b, _, err := tx.State("count", key)
	if err != nil {
		return err
	}
	return tx.Put("count", key, append(b, '.'))
}

func (s in) counted(key string) (n int) {
	s.Helper()
	s.view(func(v store.View) error {
		b, _, err := v.State("count", key)
		n = len(b)
		return err
	})
	return n
}

// testAlone: who is alone reads what others wrote under other locks, and writes
// by it.
func testAlone(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	const beside, times = 3, 20
	locks := []store.Lock{{}, {Collections: []liaison.CollectionID{NewLog(8).Collection}, Alone: true}}
	for i := range beside {
		locks = append(locks, only(NewLog(uint64(i)).Collection))
	}
	var running atomic.Int32
	parallel(t, len(locks), func(i int) error {
		for range times {
			err := s.Update(context.Background(), locks[i], func(tx store.Tx) error {
				if n := running.Add(1); locks[i].IsAlone() && n > 1 {
					return fmt.Errorf("%d others run", n-1)
				}
				err := countIn(tx, strconv.Itoa(i))
				if n := running.Add(-1); locks[i].IsAlone() && n > 0 {
					return fmt.Errorf("%d others began", n)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for i := range locks {
		same(t, "count", s.counted(strconv.Itoa(i)), times)
	}
}

// testFair: others keep coming until the last that wants to be alone has been.
func testFair(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	const beside, times = 3, 10
	var done atomic.Bool
	parallel(t, beside+1, func(i int) error {
		if i == beside {
			defer done.Store(true)
			return count(s, store.Lock{}, "alone", times)
		}
		for !done.Load() {
			if err := count(s, only(NewLog(uint64(i)).Collection), strconv.Itoa(i), 1); err != nil {
				return err
			}
		}
		return nil
	})
	same(t, "count", s.counted("alone"), times)
}

func testViewBeside(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 5)
	s.update(store.Lock{Collections: []liaison.CollectionID{l.Collection}, Alone: true}, func(tx store.Tx) error {
		ahead := *l
		if err := tx.Append(l.Collection, ahead.Next(5)); err != nil {
			return err
		}
		seen := make(chan error)
		go func() {
			seen <- s.View(context.Background(), func(v store.View) error {
				p, err := v.Position(l.Collection)
				return errors.Join(err, same64("entries", p.Size, 5))
			})
		}()
		return <-seen
	})
}

// parallel runs fn n times at once and fails the test with the first error.
func parallel(t testing.TB, n int, fn func(i int) error) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func testConcurrent(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	const writers, readers, commits = 2, 6, 15
	logs := [writers]*Log{}
	roots := [writers]map[uint64]liaison.Hash{} // by size, written before the readers start
	for i := range logs {
		logs[i], roots[i] = NewLog(uint64(i)), map[uint64]liaison.Hash{}
		logs[i].Next(commits * 20)
		for n := range uint64(commits + 1) {
			roots[i][n*20] = logs[i].Root(n * 20)
		}
	}
	parallel(t, writers+readers, func(i int) error {
		if i < writers {
			return write(s, logs[i], 20)
		}
		l, root := logs[i%writers], roots[i%writers]
		for size := uint64(0); size < commits*20; {
			err := s.View(context.Background(), func(v store.View) (err error) {
				size, err = verify(v, l, root)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, l := range logs {
		s.holds(l)
	}
}

func write(s store.Store, l *Log, n int) error {
	for i := 0; i < len(l.Entries); i += n {
		err := s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error {
			return tx.Append(l.Collection, l.Entries[i:i+n])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// verify reads what a follower would and returns the size of the log.
func verify(v store.View, l *Log, roots map[uint64]liaison.Hash) (uint64, error) {
	p, err := v.Position(l.Collection)
	if err != nil {
		return 0, err
	}
	next := uint64(0)
	err = v.Range(l.Collection, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
		want := &l.Entries[next]
		if e.Index != next || e.Added != want.Added || string(e.Bytes) != string(want.Bytes) || string(e.Leaf) != string(want.Leaf) {
			return errors.New("entry " + strconv.FormatUint(next, 10) + " is another")
		}
		next++
		return nil
	})
	if err != nil || next != p.Size {
		return next, errors.Join(err, same64("entries", next, p.Size))
	}
	root, err := tlog.TreeHash(int64(p.Size), tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hs, err := v.Hashes(l.Collection, indexes)
		out := make([]tlog.Hash, len(hs))
		for i := range hs {
			out[i] = tlog.Hash(hs[i])
		}
		return out, err
	}))
	if err == nil && liaison.Hash(root) != roots[p.Size] {
		err = errors.New("the root is another")
	}
	return p.Size, err
}

func same64(what string, got, want uint64) error {
	if got == want {
		return nil
	}
	return errors.New(what + ": " + strconv.FormatUint(got, 10) + ", want " + strconv.FormatUint(want, 10))
}

func testContext(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 50)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	never := errors.New("ran")
	refused(t, s.View(ended, func(store.View) error { return never }), context.Canceled)
	refused(t, s.Update(ended, store.Lock{}, func(store.Tx) error { return never }), context.Canceled)

	s.update(store.Lock{}, func(store.Tx) error { // while another one writes
		ctx, cancel := context.WithCancel(context.Background())
		waits := make(chan error)
		go func() { waits <- s.Update(ctx, store.Lock{}, func(store.Tx) error { return never }) }()
		cancel()
		refused(t, <-waits, context.Canceled)
		return nil
	})

	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err := s.View(ctx, func(v store.View) error {
		return v.Range(l.Collection, 0, 50, store.Meta, func(*store.Entry) error {
			n++
			cancel()
			return nil
		})
	})
	refused(t, err, context.Canceled)
	same(t, "yielded after the end", n, 1)

	ctx, cancel = context.WithCancel(context.Background())
	ahead := *l
	err = s.Update(ctx, only(l.Collection), func(tx store.Tx) error {
		cancel()
		return tx.Append(l.Collection, ahead.Next(5))
	})
	refused(t, err, context.Canceled)
	s.holds(l)
	s.append(l, 5)
	s.holds(l)
}

func testClosed(t *testing.T, engine Engine) {
	open := engine(t)
	s := in{t, open()}
	l := NewLog(1)
	s.append(l, 5)
	closed := make(chan error)
	s.view(func(v store.View) error {
		go func() { closed <- s.Close() }()
		same(t, "entries", rangeOf(t, v, l.Collection, 0, 5, store.Full), l.Entries)
		return nil
	})
	refused(t, <-closed, nil)
	refused(t, s.Close(), nil)
	refused(t, s.View(context.Background(), func(store.View) error { return nil }), store.ErrClosed)
	refused(t, s.Update(context.Background(), store.Lock{}, func(store.Tx) error { return nil }), store.ErrClosed)
	in{t, open()}.holds(l)
}

// testModel plays random updates, some of which fail, against logs in memory.
func testModel(t *testing.T, engine Engine) {
	reason := errors.New("reason")
	rapid.Check(t, func(r *rapid.T) {
		open := engine(t)
		s := in{t, open()}
		logs := []*Log{NewLog(1), NewLog(2)}
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			l := logs[rapid.IntRange(0, 1).Draw(r, "log")]
			ahead := *l
			es := ahead.Next(rapid.IntRange(0, 12).Draw(r, "entries"))
			fails := rapid.IntRange(0, 3).Draw(r, "fails") == 0
			err := s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error {
				if err := tx.Append(l.Collection, es); err != nil || !fails {
					return err
				}
				return reason
			})
			if fails {
				refused(t, err, reason)
			} else {
				refused(t, err, nil)
				*l = ahead
			}
			if rapid.IntRange(0, 3).Draw(r, "reopen") == 0 {
				refused(t, s.Close(), nil)
				s = in{t, open()}
			}
			s.holds(l)
		}
		for _, l := range logs {
			s.holds(l)
		}
		refused(t, s.Close(), nil)
	})
}
