package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/liaison-office/liaison/ledger"
)

// beside opens a further journal of an office on its store and its anchors, as
// another process does.
func beside(t *testing.T, o *office, s store.Store) *office {
	t.Helper()
	again := &office{dir: o.dir, keys: o.keys, clock: o.clock}
	again.Journal = journal.New(journal.Config{
		Office: o.Office, Store: s, Signer: o.keys, Anchor: o.Anchor, Log: o.Log, Now: o.clock.Now, Salt: desktest.Salt,
	})
	must(t, again.Open(t.Context()))
	run(t, again)
	return again
}

// run runs a journal until the test ends.
func run(t *testing.T, o *office) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = o.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
}

// replaced is a database whose primary can be replaced by one that lost commits.
type replaced struct{ now atomic.Pointer[store.Store] }

func (r *replaced) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	return (*r.now.Load()).Update(ctx, lock, fn)
}

func (r *replaced) View(ctx context.Context, fn func(store.View) error) error {
	return (*r.now.Load()).View(ctx, fn)
}

func (r *replaced) Scrub(ctx context.Context) error { return (*r.now.Load()).Scrub(ctx) }

func (r *replaced) Close() error { return (*r.now.Load()).Close() }

func empty(t *testing.T) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.TempDir(), sqlite.Config{})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// forked opens a journal on one store, and moves it to another one that has
// other entries than those it has seen: as many, or more.
func forked(t *testing.T, sign bool, more int) (o *office) {
	t.Helper()
	lost, kept := empty(t), empty(t)
	r := new(replaced)
	r.now.Store(&lost)
	first := start(t) // for its folder of anchors and its keys
	o = beside(t, first, r)
	o.append(t, coll, item(note(t, "lost", alice, 1, ""), alice))
	if sign {
		o.signed(t, coll)
	}
	other := &office{keys: o.keys, clock: o.clock}
	other.Journal = journal.New(journal.Config{
		Office: o.Office, Store: kept, Signer: o.keys, Anchor: journal.AnchorDir(t.TempDir()), Log: o.Log, Now: o.clock.Now, Salt: desktest.Salt,
	})
	must(t, other.Open(t.Context()))
	run(t, other)
	o.clock.Move(time.Second)
	for i := range 1 + more {
		other.append(t, coll, item(note(t, fmt.Sprint("kept", i), alice, 1, ""), alice))
	}
	r.now.Store(&kept)
	return o
}

// TestALogThatWasReplacedByOneOfTheSameSizeIsReadFromTheStore: what a process
// remembers of its right edge is of another log.
func TestALogThatWasReplacedByOneOfTheSameSizeIsReadFromTheStore(t *testing.T) {
	o := forked(t, false, 0)
	o.append(t, coll, item(note(t, "next", alice, 1, ""), alice))
	report, err := o.Check(t.Context())
	if err != nil || report.Entries != 2 {
		t.Fatalf("%+v %v", report, err)
	}
	for _, p := range report.Problems {
		if !strings.Contains(p, "checkpoint") { // the anchors are of the other one
			t.Error(p)
		}
	}
}

// TestALogThatIsNotTheOneThatWasSignedIsNotSigned, whether it is as long or
// longer; and every process is kept from it.
func TestALogThatIsNotTheOneThatWasSignedIsNotSigned(t *testing.T) {
	for _, more := range []int{0, 3} {
		o := forked(t, true, more)
		second := beside(t, o, o.Store)
		checkpoint := func(o *office) error {
			return o.View(t.Context(), func(v store.View) error {
				_, err := o.Checkpoint(t.Context(), v, coll, 0)
				return err
			})
		}
		if err := checkpoint(o); !errors.Is(err, journal.ErrBehind) {
			t.Errorf("%d more: signed: %v", more, err)
		}
		if _, err := o.Append(t.Context(), &journal.Batch{Collection: coll}); !errors.Is(err, journal.ErrBehind) {
			t.Errorf("%d more: written: %v", more, err)
		}
		if err := checkpoint(second); !errors.Is(err, journal.ErrBehind) {
			t.Errorf("%d more: another process signs: %v", more, err)
		}
	}
}

// awaitMark waits until the store says that coll is stopped, or is not.
func awaitMark(t *testing.T, s store.Store, want bool) {
	t.Helper()
	for marked := !want; marked != want; time.Sleep(time.Millisecond) {
		must(t, s.View(t.Context(), func(v store.View) (err error) {
			_, marked, err = v.State("fence", "stopped/"+coll.String())
			return err
		}))
	}
}

// TestALogThatOneProcessStopsIsStoppedForAll, until it agrees with its anchor
// again.
func TestALogThatOneProcessStopsIsStoppedForAll(t *testing.T) {
	a := start(t)
	a.append(t, coll, fiveNotes(t)...)
	cp := a.signed(t, coll)
	b := beside(t, a, a.Store)
	true5, err := os.ReadFile(anchorPath(a))
	must(t, err)

	ahead := ledger.Checkpoint{Origin: cp.Origin, Size: 9, Root: cp.Root}
	replaceAnchor(t, a, []byte(a.keys.SignCheckpoint(ahead.Origin, ahead.Text())))
	beside(t, a, a.Store) // finds it and says so
	awaitMark(t, a.Store, true)

	for name, o := range map[string]*office{"a": a, "b": b} {
		_, err := o.Append(t.Context(), &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, "late", alice, 1, ""), alice)}})
		if !errors.Is(err, journal.ErrBehind) || !strings.Contains(err.Error(), "signed 9 entries, the store holds 5") {
			t.Errorf("%s writes: %v", name, err)
		}
		err = o.View(t.Context(), func(v store.View) error {
			_, err := o.Checkpoint(t.Context(), v, coll, 0)
			return err
		})
		if !errors.Is(err, journal.ErrBehind) {
			t.Errorf("%s signs: %v", name, err)
		}
		o.append(t, other, item(note(t, "other"+name, alice, 1, ""), alice)) // other logs go on
	}

	replaceAnchor(t, a, true5)
	beside(t, a, a.Store)
	awaitMark(t, a.Store, false)
	b.append(t, coll, item(note(t, "late", alice, 1, ""), alice))
	if got := b.signed(t, coll); got.Size != 6 {
		t.Errorf("signed %d", got.Size)
	}
}

// TestABatchOfAStoppedLogSpoilsNoOther of its group.
func TestABatchOfAStoppedLogSpoilsNoOther(t *testing.T) {
	a := start(t)
	b := beside(t, a, a.Store)
	must(t, a.Store.Update(t.Context(), store.Lock{Collections: []liaison.CollectionID{coll}}, func(tx store.Tx) error {
		return tx.Put("fence", "stopped/"+coll.String(), []byte("it was found at fault"))
	}))
	var posting sync.WaitGroup
	for i := range 8 {
		c, want := coll, journal.ErrBehind
		if i%2 == 0 {
			c, want = other, nil
		}
		posting.Go(func() {
			_, err := b.Append(context.Background(), &journal.Batch{Collection: c, Items: []journal.Item{item(note(t, fmt.Sprint(i), alice, 1, ""), alice)}})
			if !errors.Is(err, want) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	posting.Wait()
	if n := len(b.entries(t, other)); n != 4 {
		t.Errorf("%d entries", n)
	}
}

// TestANewStoreHasOneOwner: two offices find it at the same time.
func TestANewStoreHasOneOwner(t *testing.T) {
	s := empty(t)
	var offices []*office
	for _, name := range []liaison.Office{desktest.Tokyo, desktest.HQ} {
		o := &office{keys: desktest.NewKeys(name), clock: desktest.NewClock()}
		o.Journal = journal.New(journal.Config{
			Office: name, Store: s, Signer: o.keys, Anchor: journal.AnchorDir(t.TempDir()), Log: start(t).Log, Now: o.clock.Now, Salt: desktest.Salt,
		})
		must(t, o.Open(t.Context()))
		run(t, o)
		offices = append(offices, o)
	}
	offices[0].append(t, coll, fiveNotes(t)...)
	_, err := offices[1].Append(t.Context(), &journal.Batch{Collection: coll, Items: fiveNotes(t)})
	if err == nil || !strings.Contains(err.Error(), "the store is of tokyo.example.org, and this office is hq.example.org") {
		t.Errorf("%v", err)
	}
	if n := len(offices[0].entries(t, coll)); n != 5 {
		t.Errorf("%d entries", n)
	}
}

// TestProcessesSignInTurnAndTheNewestIsKept.
func TestProcessesSignInTurnAndTheNewestIsKept(t *testing.T) {
	a := start(t)
	b := beside(t, a, a.Store)
	for i := range 12 {
		o, size := a, uint64(i+1)
		if i%3 == 1 {
			o = b
		}
		o.append(t, coll, item(note(t, fmt.Sprint(i), alice, 1, ""), alice))
		if got := o.signed(t, coll); got.Size != size {
			t.Errorf("signed %d, want %d", got.Size, size)
		}
		if got := kept(t, a); got.Size != size {
			t.Errorf("kept %d, want %d", got.Size, size)
		}
	}
	must(t, a.View(t.Context(), func(v store.View) error { // of an earlier size, by who has signed a later one
		_, err := a.Checkpoint(t.Context(), v, coll, 5)
		return err
	}))
	if got := kept(t, a); got.Size != 12 {
		t.Errorf("kept %d", got.Size)
	}
	if report, err := b.Check(t.Context()); err != nil || len(report.Problems) > 0 {
		t.Errorf("%v %v", report, err)
	}
}

// TestASnapshotFromBeforeAnothersCheckpointIsSignedAfterALookAtTheStore.
func TestASnapshotFromBeforeAnothersCheckpointIsSignedAfterALookAtTheStore(t *testing.T) {
	a := start(t)
	b := beside(t, a, a.Store)
	a.append(t, coll, item(note(t, "1", alice, 1, ""), alice))
	must(t, a.View(t.Context(), func(v store.View) error {
		b.append(t, coll, item(note(t, "2", alice, 1, ""), alice))
		b.signed(t, coll)
		text, err := a.Checkpoint(t.Context(), v, coll, 0)
		must(t, err)
		if cp, err := ledger.ReadCheckpoint(text); err != nil || cp.Size != 1 {
			t.Errorf("%+v %v", cp, err)
		}
		return nil
	}))
	if got := kept(t, a); got.Size != 2 {
		t.Errorf("kept %d", got.Size)
	}
	err := a.View(t.Context(), func(v store.View) error { // one that the store will never hold
		ahead := ledger.Checkpoint{Origin: a.first(coll), Size: 9, Root: liaison.H(nil)}
		replaceAnchor(t, a, []byte(a.keys.SignCheckpoint(ahead.Origin, ahead.Text())))
		_, err := a.Checkpoint(t.Context(), v, coll, 0)
		must(t, err)
		return nil
	})
	if !errors.Is(err, journal.ErrBehind) {
		t.Errorf("%v", err)
	}
}

// racing is a place of anchors where another process saves one just before.
type racing struct {
	journal.Anchor
	note string
}

func (r racing) Save(o liaison.Origin, note string) (string, error) {
	if _, err := r.Anchor.Save(o, r.note); err != nil {
		return "", err
	}
	return r.Anchor.Save(o, note)
}

// TestWhatAnotherProcessSignedIsComparedBeforeMoreIsSigned, whether it signed
// before or at the same time, more or less.
func TestWhatAnotherProcessSignedIsComparedBeforeMoreIsSigned(t *testing.T) {
	for _, size := range []uint64{2, 3, 9} {
		for _, same := range []bool{false, true} {
			o := start(t)
			o.append(t, coll, item(note(t, "1", alice, 1, ""), alice))
			o.signed(t, coll)
			o.append(t, coll, item(note(t, "2", alice, 1, ""), alice), item(note(t, "3", alice, 1, ""), alice))
			theirs := ledger.Checkpoint{Origin: o.first(coll), Size: size, Root: liaison.H(nil)}
			text := o.keys.SignCheckpoint(theirs.Origin, theirs.Text())
			if same {
				if size == 2 {
					continue // it is replaced, as what is signed at the same time always is
				}
				o.Anchor = racing{o.Anchor, text}
			} else {
				replaceAnchor(t, o, []byte(text))
			}
			err := o.View(t.Context(), func(v store.View) error {
				_, err := o.Checkpoint(t.Context(), v, coll, 0)
				return err
			})
			if !errors.Is(err, journal.ErrBehind) {
				t.Errorf("they signed %d, at the same time %v: %v", size, same, err)
			}
		}
	}
}

// hinting is a shared store that says what a test says.
type hinting struct {
	store.Store
	hints chan liaison.CollectionID
}

func (h hinting) Listen(ctx context.Context, hint func(liaison.CollectionID)) error {
	for {
		select {
		case c := <-h.hints:
			hint(c)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// TestAHintWakesAtOnceAndALostOneIsMadeUpFor.
func TestAHintWakesAtOnceAndALostOneIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hinting{hints: make(chan liaison.CollectionID)}
		j := journal.New(journal.Config{Store: h})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- j.Listen(ctx) }()
		begun := time.Now()
		for _, c := range []struct{ hint, wakes, not liaison.CollectionID }{
			{coll, coll, other},
			{coll, liaison.CollectionID{}, other},
			{liaison.CollectionID{}, coll, liaison.CollectionID{1}},
		} {
			woken, asleep := j.Changed(c.wakes), j.Changed(c.not)
			h.hints <- c.hint
			<-woken
			select {
			case <-asleep:
				if !c.hint.IsZero() {
					t.Errorf("a hint of %s woke %s", c.hint, c.not)
				}
			default:
			}
		}
		if d := time.Since(begun); d > 0 {
			t.Errorf("hints woke after %s", d)
		}
		<-j.Changed(coll)
		if d := time.Since(begun); d > journal.HintSlack {
			t.Errorf("a lost hint woke after %s", d)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// distant is a database that is away: each transaction waits for it in vain.
type distant struct {
	store.Store
	waits func()
	times atomic.Int32
}

func (d *distant) Update(context.Context, store.Lock, func(store.Tx) error) error {
	if d.times.Add(1) == 1 {
		d.waits()
	}
	return store.ErrAway
}

// TestAGroupWaitsOnceForADatabaseThatIsAway: its batches are not to blame, and
// are not tried one after the other.
func TestAGroupWaitsOnceForADatabaseThatIsAway(t *testing.T) {
	d := new(distant)
	first := start(t)
	first.append(t, other, item(note(t, "claims", alice, 1, ""), alice))
	d.Store = first.Store
	o := beside(t, first, d)
	const more = 3
	d.waits = func() {
		for o.Waiting() < more {
			time.Sleep(time.Millisecond)
		}
	}
	var posting sync.WaitGroup
	post := func(i int) {
		_, err := o.Append(context.Background(), &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, fmt.Sprint(i), alice, 1, ""), alice)}})
		if !errors.Is(err, store.ErrAway) {
			t.Errorf("%d: %v", i, err)
		}
	}
	posting.Go(func() { post(0) })
	for d.times.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for i := range more {
		posting.Go(func() { post(1 + i) })
	}
	posting.Wait()
	if n := d.times.Load(); n != 2 {
		t.Errorf("%d transactions, want one for the first and one for the others", n)
	}
}
