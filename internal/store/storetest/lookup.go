package storetest

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

var lookup = []promise{
	{"absence is not an error", testAbsent},
	{"a range is exactly the entries inside its bounds", testRange},
	{"a range loads the parts it is asked for", testParts},
	{"a walk ends at Stop and passes on other errors", testStop},
	{"walks may be nested", testNested},
	{"an object is found in all its versions, and nothing else is", testFind},
	{"one version of an object is found among many, and what is in sight", testFindSame},
	{"what was prepared is found as if it had not been", testPrepare},
	{"ids are compared byte by byte", testUnicode},
	{"an act is found in every leaf that names it", testFindAct},
	{"a hidden entry is marked, and stays", testHide},
	{"hashes are those of a tree in memory", testHashes},
	{"IndexAfter is the first later entry", testIndexAfter},
	{"collections are those that have entries", testCollections},
}

func testAbsent(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	present, absent := NewLog(1), NewLog(2)
	s.append(present, 3)
	s.view(func(v store.View) error {
		p, err := v.Position(absent.Collection)
		same(t, "position", p, store.Position{})
		same(t, "range", rangeOf(t, v, absent.Collection, 0, 10, store.Full), []store.Entry(nil))
		same(t, "find", find(t, v, absent.Collection, present.Entries[0].ID), []store.Entry(nil))
		same(t, "find nothing", find(t, v, present.Collection, ""), []store.Entry(nil))
		i, err2 := v.IndexAfter(absent.Collection, 0)
		same(t, "index after", i, uint64(0))
		_, ok, err3 := v.State("b", "k")
		same(t, "state", ok, false)
		if _, err := v.Hashes(absent.Collection, []int64{0}); err == nil {
			t.Error("a hash of an empty log is there")
		}
		return errors.Join(err, err2, err3)
	})
	s.update(store.Lock{}, func(tx store.Tx) error { return tx.Delete("b", "k") })
}

func testRange(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	a, b := NewLog(1), NewLog(2)
	s.append(a, 50)
	s.append(b, 50)
	bound := rapid.OneOf(rapid.Uint64Range(0, 60), rapid.SampledFrom([]uint64{store.MaxEntries - 1, store.MaxEntries, store.MaxEntries + 1, math.MaxInt64, math.MaxUint64}))
	s.view(func(v store.View) error {
		rapid.Check(t, func(r *rapid.T) {
			from, to := bound.Draw(r, "from"), bound.Draw(r, "to")
			var want []store.Entry
			if from < min(to, 50) {
				want = a.Entries[from:min(to, 50)]
			}
			same(t, "range", rangeOf(t, v, a.Collection, from, to, store.Full), want)
		})
		return nil
	})
}

func testParts(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 20)
	s.view(func(v store.View) error {
		for part := store.Meta; part <= store.Full; part++ {
			want := slices.Clone(l.Entries)
			for i := range want {
				e := &want[i]
				if part&store.Bytes == 0 {
					e.Bytes = nil
				}
				if part&store.Proof == 0 {
					e.Leaf, e.Act, e.Batch, e.Consent, e.Hops = nil, nil, nil, nil, nil
					e.ActHash, e.Salt = liaison.Hash{}, liaison.Hash{}
				}
				if part&store.Tree == 0 {
					e.Hashes = nil
				}
			}
			same(t, "range", rangeOf(t, v, l.Collection, 0, 20, part), want)
		}
		return nil
	})
}

func testStop(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 20)
	s.update(store.Lock{}, func(tx store.Tx) error { return errors.Join(tx.Put("b", "1", nil), tx.Put("b", "2", nil)) })
	reason := errors.New("reason")
	s.view(func(v store.View) error {
		for _, want := range []error{store.Stop, reason} {
			n := 0
			end := func() error { n++; return want }
			for _, err := range []error{
				v.Range(l.Collection, 0, 20, store.Meta, func(*store.Entry) error { return end() }),
				v.Find(l.Collection, l.Entries[0].ID, store.Meta, func(*store.Entry) error { return end() }),
				v.FindSame(l.Collection, l.Entries[0].ID, l.Entries[0].Same, store.Meta, func(*store.Entry) error { return end() }),
				v.FindShown(l.Collection, l.Entries[0].ID, store.Meta, func(*store.Entry) error { return end() }),
				v.FindAct(l.Collection, l.Entries[0].ActHash, store.Meta, func(*store.Entry) error { return end() }),
				v.Collections(func(liaison.CollectionID) error { return end() }),
				v.States("b", "", func(string, []byte) error { return end() }),
			} {
				if want == store.Stop {
					refused(t, err, nil)
				} else {
					refused(t, err, want)
				}
			}
			same(t, "calls", n, 7)
		}
		return nil
	})
}

func testNested(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(l, 12)
	s.view(func(v store.View) error {
		n := 0
		err := v.Range(l.Collection, 0, 12, store.Full, func(e *store.Entry) error {
			outer := clone(e)
			same(t, "inner", rangeOf(t, v, l.Collection, 0, 12, store.Full), l.Entries)
			if _, err := v.Position(l.Collection); err != nil {
				return err
			}
			same(t, "outer", *e, outer)
			n++
			return nil
		})
		same(t, "outer entries", n, 12)
		return err
	})
}

func testFind(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	a, b := NewLog(1), NewLog(2)
	es := a.Next(200)
	other := b.Next(1)
	other[0].ID = es[0].ID
	s.update(only(a.Collection, b.Collection), func(tx store.Tx) error {
		return errors.Join(tx.Append(a.Collection, es), tx.Append(b.Collection, other))
	})
	several := 0
	s.view(func(v store.View) error {
		for _, e := range es {
			if e.ID == "" {
				continue
			}
			want := with(es, func(o *store.Entry) bool { return o.ID == e.ID })
			several = max(several, len(want))
			same(t, e.ID, find(t, v, a.Collection, e.ID), want)
		}
		same(t, "in the other log", find(t, v, b.Collection, es[0].ID), other)
		return nil
	})
	if several < 2 {
		t.Fatal("no object of the sample has two entries")
	}
}

// testPrepare is for engines that can: objects that are there, that are not, and
// that come afterwards in the same transaction.
func testPrepare(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	a, b := NewLog(1), NewLog(2)
	s.append(a, 100)
	es, ids := slices.Clone(a.Entries), []string{"note--nowhere", ""}
	for _, e := range append(a.Next(50), b.Next(50)...) {
		ids = append(ids, e.ID)
	}
	for _, e := range es {
		ids = append(ids, e.ID)
	}
	s.update(only(a.Collection, b.Collection), func(tx store.Tx) error {
		p, able := tx.(store.Preparer)
		if !able {
			return nil
		}
		found := func(when string, c liaison.CollectionID, among []store.Entry) {
			for _, id := range ids {
				var want []store.Entry
				if id != "" {
					want = with(among, func(o *store.Entry) bool { return o.ID == id })
				}
				same(t, when+" "+id, find(t, tx, c, id), want)
			}
		}
		err := errors.Join(p.Prepare(a.Collection, ids), p.Prepare(b.Collection, ids))
		found("before", a.Collection, es)
		found("in an empty log", b.Collection, nil)
		err = errors.Join(err, tx.Append(a.Collection, a.Entries[100:]), tx.Append(b.Collection, b.Entries))
		found("after", a.Collection, a.Entries)
		found("in a new log", b.Collection, b.Entries)
		return err
	})
}

func testFindSame(t *testing.T, engine Engine) {
	open := engine(t)
	s := in{t, open()}
	a, b := NewLog(1), NewLog(2)
	es, ids := a.Next(300), []string{"note--a", "note--b", "note--c"}
	for i := range es {
		es[i].ID = ids[i*i%len(ids)]
	}
	other := b.Next(1)
	other[0].ID, other[0].Same = ids[0], es[0].Same
	s.update(only(a.Collection, b.Collection), func(tx store.Tx) error {
		err := errors.Join(tx.Append(a.Collection, es), tx.Append(b.Collection, other))
		for i := range es {
			if i%7 == 3 {
				continue
			}
			by := uint64((i + 1) % len(es))
			err = errors.Join(err, tx.Hide(a.Collection, uint64(i), uint64((i+2)%len(es))), tx.Hide(a.Collection, uint64(i), by))
			es[i].Hidden, es[i].By = true, by
		}
		findsSame(t, tx, a, ids)
		return err
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = in{t, open()}
	s.view(func(v store.View) error {
		findsSame(t, v, a, ids)
		findsSame(t, v, b, ids)
		return nil
	})
}

// findsSame compares what is found of each object with a log's list.
func findsSame(t testing.TB, v store.View, l *Log, ids []string) {
	t.Helper()
	for _, id := range append(ids, "", "note--none") {
		for _, number := range append(sames[:], 7) {
			var got []store.Entry
			if err := v.FindSame(l.Collection, id, number, store.Full, into(&got)); err != nil {
				t.Fatal(err)
			}
			same(t, id, got, with(l.Entries, func(e *store.Entry) bool { return id != "" && e.ID == id && e.Same == number }))
		}
		var got []store.Entry
		if err := v.FindShown(l.Collection, id, store.Full, into(&got)); err != nil {
			t.Fatal(err)
		}
		same(t, id, got, with(l.Entries, func(e *store.Entry) bool { return id != "" && e.ID == id && !e.Hidden }))
	}
}

func testUnicode(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	es := l.Next(len(unicodeIDs))
	for i := range es {
		es[i].ID = unicodeIDs[i]
	}
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Append(l.Collection, es) })
	s.view(func(v store.View) error {
		for i, id := range unicodeIDs {
			same(t, id, find(t, v, l.Collection, id), es[i:i+1])
		}
		return nil
	})
}

func testFindAct(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	es := l.Next(10)
	es[7].ActHash = es[2].ActHash
	near := es[2].ActHash
	near[31]++
	es[8].ActHash = near
	s.update(only(l.Collection), func(tx store.Tx) error { return tx.Append(l.Collection, es) })
	s.view(func(v store.View) error {
		for _, e := range es {
			var got []store.Entry
			if err := v.FindAct(l.Collection, e.ActHash, store.Full, into(&got)); err != nil {
				return err
			}
			same(t, e.ActHash.String(), got, with(es, func(o *store.Entry) bool { return !e.ActHash.IsZero() && o.ActHash == e.ActHash }))
		}
		return v.FindAct(NewLog(2).Collection, es[2].ActHash, store.Meta, func(*store.Entry) error { return errors.New("found in another log") })
	})
}

func testHide(t *testing.T, engine Engine) {
	open := engine(t)
	s := in{t, open()}
	l := NewLog(1)
	s.append(l, 5)
	hide := func(index, by uint64) error {
		return s.Update(context.Background(), only(l.Collection), func(tx store.Tx) error { return tx.Hide(l.Collection, index, by) })
	}
	for _, err := range []error{hide(1, 3), hide(3, 0), hide(3, 4)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l.Entries[1].Hidden, l.Entries[1].By = true, 3
	l.Entries[3].Hidden, l.Entries[3].By = true, 4
	s.holds(l)
	for _, no := range [][2]uint64{{5, 1}, {1, 5}, {2, 2}, {math.MaxUint64, 1}} {
		if hide(no[0], no[1]) == nil {
			t.Errorf("index %d is hidden by %d", no[0], no[1])
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = in{t, open()}
	s.holds(l)
	s.view(func(v store.View) error {
		same(t, "found", find(t, v, l.Collection, l.Entries[1].ID), l.Entries[1:2])
		return nil
	})
}

func testHashes(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	seed := uint64(0)
	rapid.Check(t, func(r *rapid.T) {
		seed++
		l := NewLog(seed)
		for _, n := range rapid.SliceOfN(rapid.IntRange(1, 20), 1, 4).Draw(r, "batches") {
			s.append(l, n)
		}
		indexes := rapid.SliceOf(rapid.Int64Range(0, int64(len(l.Hashes)-1))).Draw(r, "indexes")
		missing := rapid.OneOf(rapid.Int64Range(int64(len(l.Hashes)), int64(len(l.Hashes)+9)), rapid.Int64Max(-1),
			rapid.Int64Min(math.MaxInt64-70), rapid.Int64Min(1<<40)).Draw(r, "missing")
		s.view(func(v store.View) error {
			got, err := v.Hashes(l.Collection, indexes)
			for i, x := range indexes {
				same(t, "hash", got[i], l.Hashes[x])
			}
			if _, err := v.Hashes(l.Collection, []int64{0, missing}); err == nil {
				t.Errorf("hash %d of %d is there", missing, len(l.Hashes))
			}
			return err
		})
	})
}

func testIndexAfter(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	s.append(NewLog(2), 9)
	s.append(l, 100)
	s.append(NewLog(3), 9)
	last := l.Entries[99].Added
	s.view(func(v store.View) error {
		rapid.Check(t, func(r *rapid.T) {
			at := rapid.OneOf(
				rapid.Map(rapid.IntRange(0, 99), func(i int) liaison.Instant { return l.Entries[i].Added }),
				rapid.Map(rapid.Int64Range(int64(l.Entries[0].Added)-2, int64(last)+2), func(i int64) liaison.Instant { return liaison.Instant(i) }),
				rapid.SampledFrom([]liaison.Instant{0, math.MinInt64, math.MaxInt64}),
			).Draw(r, "added")
			want := uint64(len(with(l.Entries, func(e *store.Entry) bool { return e.Added <= at })))
			got, err := v.IndexAfter(l.Collection, at)
			if err != nil || got != want {
				r.Fatalf("after %d: %d, %v, want %d", at, got, err, want)
			}
		})
		return nil
	})
}

func testCollections(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	var want []liaison.CollectionID
	for seed := range uint64(12) {
		l := NewLog(seed)
		s.append(l, 1)
		want = append(want, l.Collection)
	}
	s.update(only(NewLog(99).Collection), func(tx store.Tx) error { return tx.Append(NewLog(99).Collection, nil) })
	slices.SortFunc(want, func(a, b liaison.CollectionID) int { return slices.Compare(a[:], b[:]) })
	s.view(func(v store.View) error {
		var got []liaison.CollectionID
		err := v.Collections(func(c liaison.CollectionID) error {
			got = append(got, c)
			return nil
		})
		same(t, "collections", got, want)
		return err
	})
}
