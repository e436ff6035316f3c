package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

var (
	coll  = liaison.CollectionOf(liaison.H([]byte("a")), "cyber", 1)
	other = liaison.CollectionOf(liaison.H([]byte("b")), "cyber", 1)
	under = liaison.H([]byte("under"))
	alice = desktest.PartyID("alice")
	bob   = desktest.PartyID("bob")
	carol = desktest.PartyID("carol")
)

// office is a journal on a store in a folder.
type office struct {
	*journal.Journal
	dir   string
	keys  *desktest.Keys
	clock *desktest.Clock
	stop  func()
}

type tb interface {
	Helper()
	Fatal(...any)
}

func must(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t tb, dir string, name liaison.Office, wrap func(store.Store) store.Store) *office {
	t.Helper()
	engine, err := sqlite.Open(dir, sqlite.Config{})
	must(t, err)
	var s store.Store = engine
	if wrap != nil {
		s = wrap(engine)
	}
	o := &office{dir: dir, keys: desktest.NewKeys(name), clock: desktest.NewClock()}
	o.Journal = journal.New(journal.Config{
		Office: name, Store: s, Signer: o.keys, Anchor: journal.AnchorDir(dir),
		Log: slog.New(slog.DiscardHandler), Now: o.clock.Now, Salt: desktest.Salt,
	})
	must(t, o.Open(context.Background()))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = o.Run(ctx) })
	o.stop = func() { cancel(); running.Wait(); engine.Close() }
	return o
}

// first names the first generation of a log.
func (o *office) first(c liaison.CollectionID) liaison.Origin {
	return liaison.Origin{Office: o.Office, Collection: c, Generation: 1}
}

func start(t *testing.T) *office {
	t.Helper()
	o := open(t, t.TempDir(), desktest.Tokyo, nil)
	t.Cleanup(func() { o.stop() })
	return o
}

func (o *office) reopen(t tb) {
	t.Helper()
	o.stop()
	again := open(t, o.dir, o.Office, nil)
	o.Journal, o.stop = again.Journal, again.stop
}

func object(t tb, format string, args ...any) *stix.Object {
	t.Helper()
	o, err := stix.Parse(fmt.Appendf(nil, format, args...), stix.DefaultLimits())
	must(t, err)
	return o
}

// note has an owner, a version and a text.
func note(t tb, name string, owner liaison.Party, version int, text string) *stix.Object {
	return object(t, `{"type":"note","spec_version":"2.1","id":"%s","created_by_ref":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:%02d.000Z","content":"%s"}`,
		desktest.ID("note", name), owner, version, text)
}

// address is an observable: it has no version.
func address(t tb, text string) *stix.Object {
	return object(t, `{"type":"ipv4-addr","spec_version":"2.1","id":"%s","value":"198.51.100.7","x_seen":"%s"}`, desktest.ID("ipv4-addr", "seven"), text)
}

func item(o *stix.Object, by liaison.Party) journal.Item {
	return journal.Item{Object: o, Owner: by, Judge: func(liaison.Instant, *journal.Earlier) (journal.Ruling, bool) {
		return journal.Ruling{By: by, Under: under, Label: stix.Green}, true
	}}
}

func (o *office) append(t tb, c liaison.CollectionID, items ...journal.Item) []journal.Outcome {
	t.Helper()
	out, err := o.Append(context.Background(), &journal.Batch{Collection: c, Items: items})
	must(t, err)
	return out
}

func (o *office) entries(t tb, c liaison.CollectionID) (list []store.Entry) {
	t.Helper()
	must(t, o.View(context.Background(), func(v store.View) error {
		return v.Range(c, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
			k := *e
			k.Bytes, k.Leaf, k.Act, k.Batch = bytes.Clone(e.Bytes), bytes.Clone(e.Leaf), bytes.Clone(e.Act), bytes.Clone(e.Batch)
			list = append(list, k)
			return nil
		})
	}))
	return list
}

func (o *office) shown(t tb, c liaison.CollectionID) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, e := range o.entries(t, c) {
		if e.Hidden {
			continue
		}
		if _, twice := m[e.ID]; twice {
			t.Fatal("in sight twice: " + e.ID)
		}
		if e.Kind == liaison.KindAgain {
			t.Fatal("an again leaf is in sight")
		}
		m[e.ID] = string(e.Bytes)
	}
	return m
}

func (o *office) healthy(t tb) {
	t.Helper()
	r, err := o.Check(context.Background())
	must(t, err)
	if len(r.Problems) > 0 {
		t.Fatal(strings.Join(r.Problems, "\n"))
	}
}

func TestTheSameActTwiceAddsNothing(t *testing.T) {
	o := start(t)
	first := o.append(t, coll, item(note(t, "n", alice, 1, "a"), alice))[0]
	second := o.append(t, coll, item(note(t, "n", alice, 1, "a"), alice))[0]
	if first.State != journal.Appended || second.State != journal.Duplicate || second.Act != first.Act || second.Index != first.Index {
		t.Errorf("first %+v, second %+v", first, second)
	}
	twice := o.append(t, coll, item(note(t, "m", alice, 1, "a"), alice), item(note(t, "m", alice, 1, "a"), alice))
	if twice[0].State != journal.Appended || twice[1].State != journal.Duplicate {
		t.Errorf("in one batch: %+v", twice)
	}
	if n := len(o.entries(t, coll)); n != 2 {
		t.Errorf("%d leaves, want 2", n)
	}
}

func TestAnotherPartysActForTheSameObjectIsAnAgainLeafOutOfSight(t *testing.T) {
	o := start(t)
	o.append(t, coll, item(note(t, "n", alice, 1, "a"), alice))
	out := o.append(t, coll, item(note(t, "n", alice, 1, "a"), bob))[0]
	es := o.entries(t, coll)
	if out.Kind != liaison.KindAgain || len(es) != 2 || !es[1].Hidden || es[1].By != 0 || es[0].Hidden {
		t.Errorf("%+v %+v", out, es)
	}
}

func TestOtherContentsUnderTheSameVersionAreRefusedAtTheFirstDoor(t *testing.T) {
	o := start(t)
	o.append(t, coll, item(note(t, "n", alice, 1, "a"), alice))
	for _, by := range []liaison.Party{alice, bob} {
		if out := o.append(t, coll, item(note(t, "n", alice, 1, "b"), by))[0]; out.State != journal.Differs || out.Index != 0 {
			t.Errorf("%s: %+v", by, out)
		}
	}
	reordered := object(t, `{"id":"%s","type":"note","spec_version":"2.1","created_by_ref":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:01Z","content":"a"}`, desktest.ID("note", "n"), alice)
	if out := o.append(t, coll, item(reordered, alice))[0]; out.State != journal.Differs {
		t.Errorf("01Z and 01.000Z are one version with other contents: %+v", out)
	}
	if n := len(o.entries(t, coll)); n != 1 {
		t.Errorf("%d leaves, want 1", n)
	}
}

func TestTheGreatestVersionIsInSightNotTheLatestArrival(t *testing.T) {
	o := start(t)
	for _, v := range []int{2, 3, 1} {
		o.append(t, coll, item(note(t, "n", alice, v, "a"), alice))
	}
	var hidden []string
	for _, e := range o.entries(t, coll) {
		hidden = append(hidden, fmt.Sprint(e.Hidden, e.By))
	}
	if want := []string{"true 1", "false 0", "true 1"}; !slices.Equal(hidden, want) {
		t.Errorf("%v, want %v", hidden, want)
	}
}

func TestAnObservableWithOtherContentsIsALaterVersion(t *testing.T) {
	o := start(t)
	a := o.append(t, coll, item(address(t, "a"), alice))[0]
	o.clock.Move(time.Second)
	b := o.append(t, coll, item(address(t, "b"), bob))[0]
	if a.State != journal.Appended || b.State != journal.Appended || a.Version != a.Added.String() || b.Version <= a.Version {
		t.Errorf("%+v %+v", a, b)
	}
	if out := o.append(t, coll, item(address(t, "b"), alice))[0]; out.Kind != liaison.KindAgain {
		t.Errorf("equal contents: %+v", out)
	}
	if got := o.shown(t, coll)[string(address(t, "b").ID())]; got != string(address(t, "b").Bytes()) {
		t.Errorf("in sight: %s", got)
	}
}

func TestAddedIncreasesWhenTheClockGoesBack(t *testing.T) {
	o := start(t)
	o.append(t, coll, item(note(t, "a", alice, 1, ""), alice), item(note(t, "b", alice, 1, ""), alice))
	o.clock.Move(-4 * time.Minute)
	o.append(t, coll, item(note(t, "c", alice, 1, ""), alice))
	o.reopen(t)
	o.append(t, coll, item(note(t, "d", alice, 1, ""), alice))
	last := liaison.Instant(0)
	for _, e := range o.entries(t, coll) {
		act, err := liaison.ParseAct(e.Act)
		must(t, err)
		if e.Added <= last || act.Accepted != e.Added {
			t.Errorf("index %d: added %s after %s, accepted %s", e.Index, e.Added, last, act.Accepted)
		}
		last = e.Added
	}
	o.healthy(t)
}

func TestBatchesOfEverySizeAndSharedTransactionsVerify(t *testing.T) {
	o := start(t)
	for n := 1; n <= 17; n++ {
		var items []journal.Item
		for i := range n {
			items = append(items, item(note(t, fmt.Sprint(n, i), alice, 1, ""), alice))
		}
		o.append(t, coll, items...)
	}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			c := []liaison.CollectionID{coll, other}[i%2]
			o.append(t, c, item(note(t, fmt.Sprint("shared", i), alice, 1, ""), alice))
		})
	}
	wait.Wait()
	for _, c := range []liaison.CollectionID{coll, other} {
		for _, e := range o.entries(t, c) {
			act, err := liaison.ParseAct(e.Act)
			must(t, err)
			var p liaison.BatchProof
			must(t, liaison.ParseJCS(e.Batch, &p))
			if err := ledger.VerifyBatch(act, p, [][]byte{o.keys.ActKey()}); err != nil {
				t.Errorf("%s %d: %v", c, e.Index, err)
			}
		}
	}
	o.healthy(t)
}

func TestEveryCheckpointAndEveryPathVerifies(t *testing.T) {
	o := start(t)
	var tree ledger.Range
	for i := range 33 {
		o.append(t, coll, item(note(t, fmt.Sprint(i), alice, 1, ""), alice))
		es := o.entries(t, coll)
		tree.Append(liaison.LeafHash(es[i].Leaf))
		must(t, o.View(context.Background(), func(v store.View) error {
			note, err := o.Checkpoint(context.Background(), v, coll, 0)
			must(t, err)
			cp, _, err := ledger.OpenCheckpoint(note, [][]byte{o.keys.LogKey()})
			must(t, err)
			if cp.Size != uint64(i+1) || cp.Root != tree.Root() || cp.Origin != o.first(coll) {
				t.Errorf("checkpoint %+v, want root %s", cp, tree.Root())
			}
			for k := range es {
				hop, err := journal.Hop(v, coll, uint64(k), note)
				must(t, err)
				must(t, ledger.VerifyInclusion(liaison.LeafHash(liaison.JCS(hop.Leaf)), hop.Index, cp.Size, hop.Path, cp.Root))
			}
			return nil
		}))
	}
}

// lose keeps the folder as it was and brings it back later.
func TestALogThatIsBehindItsAnchorStops(t *testing.T) {
	cases := map[string]struct {
		spoil func(t *testing.T, o *office)
		want  string
	}{
		"missing": {func(t *testing.T, o *office) { replaceAnchor(t, o, nil) }, "it is missing"},
		"ahead": {func(t *testing.T, o *office) {
			cp := ledger.Checkpoint{Origin: o.first(coll), Size: 9, Root: under}
			replaceAnchor(t, o, []byte(o.keys.SignCheckpoint(cp.Origin, cp.Text())))
		}, "signed 9 entries, the store holds 2"},
		"other root": {func(t *testing.T, o *office) {
			cp := ledger.Checkpoint{Origin: o.first(coll), Size: 2, Root: under}
			replaceAnchor(t, o, []byte(o.keys.SignCheckpoint(cp.Origin, cp.Text())))
		}, "another root"},
		"by another key": {func(t *testing.T, o *office) {
			cp := kept(t, o)
			hq := desktest.NewKeys(desktest.HQ)
			replaceAnchor(t, o, []byte(hq.SignCheckpoint(cp.Origin, cp.Text())))
		}, "has not signed it"},
		"of another log": {func(t *testing.T, o *office) {
			cp := kept(t, o)
			cp.Origin = o.first(other)
			replaceAnchor(t, o, []byte(o.keys.SignCheckpoint(cp.Origin, cp.Text())))
		}, "it is of " + string(desktest.Tokyo)},
		"unreadable": {func(t *testing.T, o *office) { replaceAnchor(t, o, []byte("x")) }, "checkpoint"},
		"store lost": {func(t *testing.T, o *office) { removeStore(t, o) }, "the store holds none"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			o.append(t, coll, item(note(t, "a", alice, 1, ""), alice), item(note(t, "b", alice, 1, ""), alice))
			o.append(t, other, item(note(t, "a", alice, 1, ""), alice))
			must(t, o.View(context.Background(), func(v store.View) error {
				_, err := o.Checkpoint(context.Background(), v, coll, 0)
				return err
			}))
			o.stop()
			c.spoil(t, o)
			again := open(t, o.dir, o.Office, nil)
			o.stop = again.stop
			_, err := again.Append(context.Background(), &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, "c", alice, 1, ""), alice)}})
			if !errors.Is(err, journal.ErrBehind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("append: %v", err)
			}
			err = again.View(context.Background(), func(v store.View) error {
				_, err := again.Checkpoint(context.Background(), v, coll, 1)
				return err
			})
			if !errors.Is(err, journal.ErrBehind) {
				t.Errorf("checkpoint: %v", err)
			}
			if name != "store lost" {
				again.append(t, other, item(note(t, "c", alice, 1, ""), alice)) // other logs go on
			}
		})
	}
}

// faulty fails the next update in the way a test chooses.
type faulty struct {
	store.Store
	undone bool // not done, instead of done with the reply lost

	mu   sync.Mutex
	next error
}

func (f *faulty) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	f.mu.Lock()
	err := f.next
	f.mu.Unlock()
	if err != nil && f.undone {
		return err
	}
	if err != nil {
		return errors.Join(f.Store.Update(ctx, lock, fn), err) // done, with the reply lost
	}
	return f.Store.Update(ctx, lock, fn)
}

func TestAfterACommitOfUnknownOutcomeNothingIsWrittenAndNobodyWaits(t *testing.T) {
	f := &faulty{}
	o := open(t, t.TempDir(), desktest.Tokyo, func(s store.Store) store.Store { f.Store = s; return f })
	defer o.stop()
	o.append(t, coll, item(note(t, "a", alice, 1, ""), alice))
	f.mu.Lock()
	f.next = store.ErrBroken
	f.mu.Unlock()
	results := make(chan error)
	const callers = 20
	for i := range callers {
		go func() {
			b := &journal.Batch{Collection: coll, Alone: i%3 == 0, Items: []journal.Item{item(note(t, fmt.Sprint(i), alice, 1, ""), alice)}}
			_, err := o.Append(context.Background(), b)
			results <- err
		}()
	}
	broken := 0
	for range callers {
		err := <-results
		if errors.Is(err, store.ErrBroken) {
			broken++
		} else if !errors.Is(err, journal.ErrStopped) {
			t.Errorf("got %v", err)
		}
	}
	if broken == 0 {
		t.Error("nobody was told that the commit failed")
	}
	if _, err := o.Append(context.Background(), &journal.Batch{Collection: other}); !errors.Is(err, journal.ErrStopped) {
		t.Errorf("later: %v", err)
	}
}

func TestAJournalThatStopsWritingGoesOnReading(t *testing.T) {
	f := &faulty{}
	o := open(t, t.TempDir(), desktest.Tokyo, func(s store.Store) store.Store { f.Store = s; return f })
	o.append(t, coll, item(note(t, "a", alice, 1, ""), alice))
	o.stop() // of the engine too: only the journal's end matters below
	var log bytes.Buffer
	again := open(t, o.dir, desktest.Tokyo, func(s store.Store) store.Store { f.Store = s; return f })
	defer again.stop()
	j := journal.New(journal.Config{
		Office: desktest.Tokyo, Store: f, Signer: o.keys, Anchor: journal.AnchorDir(o.dir), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	f.next = store.ErrBroken
	b := &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, "b", alice, 1, ""), alice)}}
	for _, want := range []error{store.ErrBroken, journal.ErrStopped, journal.ErrStopped} {
		if _, err := j.Append(ctx, b); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("the journal ended: %v", err)
	default:
	}
	must(t, j.View(ctx, func(v store.View) error { _, err := v.Position(coll); return err }))
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
	if got := log.String(); strings.Count(got, "level=ERROR") != 1 || !strings.Contains(got, "then restart the office") {
		t.Errorf("the operator reads %q", got)
	}
}

func TestAFullDiskIsSaidOnceAndNeedsNoRestart(t *testing.T) {
	f := &faulty{undone: true}
	o := open(t, t.TempDir(), desktest.Tokyo, func(s store.Store) store.Store { f.Store = s; return f })
	defer o.stop()
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	add := func(name string) error {
		_, err := o.Append(context.Background(), &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, name, alice, 1, ""), alice)}})
		return err
	}
	f.next = store.ErrFull
	for range 3 {
		if err := add("a"); !errors.Is(err, store.ErrFull) {
			t.Errorf("%v", err)
		}
	}
	f.mu.Lock()
	f.next = nil
	f.mu.Unlock()
	must(t, add("a"))
	if n := len(o.entries(t, coll)); n != 1 {
		t.Errorf("%d leaves, want 1", n)
	}
	if got := log.String(); strings.Count(got, "level=ERROR") != 1 || strings.Count(got, "level=INFO") != 1 {
		t.Errorf("the operator reads %q", got)
	}
	o.healthy(t)
}

// hold lets a test fill the queue while a transaction is open.
func hold(o *office) (release func()) {
	begun, end := make(chan struct{}), make(chan struct{})
	go o.Append(context.Background(), &journal.Batch{Collection: coll, Then: func(store.Tx, []journal.Outcome) error {
		close(begun)
		<-end
		return nil
	}})
	<-begun
	return func() { close(end) }
}

func TestOneBadBatchDoesNotSpoilTheOthersOfItsGroup(t *testing.T) {
	o := start(t)
	release := hold(o)
	bad := errors.New("bad batch")
	var wait sync.WaitGroup
	errs := make([]error, 12)
	for i := range errs {
		wait.Go(func() {
			b := &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, fmt.Sprint(i), alice, 1, ""), alice)}}
			b.Then = func(tx store.Tx, _ []journal.Outcome) error {
				if i%4 == 0 {
					return bad
				}
				return tx.Put("seen", fmt.Sprint(i), []byte("1"))
			}
			_, errs[i] = o.Append(context.Background(), b)
		})
	}
	release()
	wait.Wait()
	for i, err := range errs {
		if i%4 == 0 && !errors.Is(err, bad) || i%4 != 0 && err != nil {
			t.Errorf("batch %d: %v", i, err)
		}
	}
	if n := len(o.entries(t, coll)); n != 9 {
		t.Errorf("%d leaves, want 9", n)
	}
	o.healthy(t)
}

func TestABatchAloneIsFollowedByItsAfterBeforeAnyLaterBatch(t *testing.T) {
	o := start(t)
	release := hold(o)
	law := "old" // what judges go by; only the journal touches it
	seen := make(chan string, 40)
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			it := item(note(t, fmt.Sprint(i), alice, 1, ""), alice)
			judge := it.Judge
			it.Judge = func(at liaison.Instant, earlier *journal.Earlier) (journal.Ruling, bool) {
				seen <- law
				return judge(at, earlier)
			}
			o.append(t, coll, it)
		})
	}
	wait.Go(func() {
		_, err := o.Append(context.Background(), &journal.Batch{
			Collection: other, Alone: true, Items: []journal.Item{item(note(t, "law", alice, 1, ""), alice)},
			Then:  func(store.Tx, []journal.Outcome) error { seen <- "change"; return nil },
			After: func() { law = "new" },
		})
		must(t, err)
	})
	release()
	wait.Wait()
	close(seen)
	changed := false
	for s := range seen {
		if s == "change" {
			changed = true
		} else if changed != (s == "new") {
			t.Fatalf("a batch was judged by %s law, changed: %v", s, changed)
		}
	}
}

func TestACallerThatGivesUpBeforeItsTurnLeavesNothing(t *testing.T) {
	o := start(t)
	release := hold(o)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := o.Append(ctx, &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, "a", alice, 1, ""), alice)}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	o.append(t, coll, item(note(t, "b", alice, 1, ""), alice))
	if n := len(o.entries(t, coll)); n != 1 {
		t.Errorf("%d leaves, want 1", n)
	}
}

func TestChangedWakesAtTheNextCommit(t *testing.T) {
	o := start(t)
	changed := o.Changed(coll)
	o.append(t, other, item(note(t, "a", alice, 1, ""), alice))
	select {
	case <-changed:
		t.Error("woken by another collection")
	default:
	}
	o.append(t, coll, item(note(t, "a", alice, 1, ""), alice))
	<-changed
}

// arrivals are acts for few ids: versions, equal and other contents, in two
// spellings, by several parties.
func arrivals(t *rapid.T, coll liaison.CollectionID) (list []journal.Item) {
	n := rapid.IntRange(1, 9).Draw(t, "acts")
	for i := range n {
		text := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text")
		by := rapid.SampledFrom([]liaison.Party{alice, bob, carol}).Draw(t, "by")
		var o *stix.Object
		if rapid.Bool().Draw(t, "observable") {
			o = address(t, text)
		} else {
			owner := rapid.SampledFrom([]liaison.Party{alice, bob}).Draw(t, "owner")
			o = note(t, "n", owner, rapid.IntRange(1, 2).Draw(t, "version"), text)
		}
		if rapid.Bool().Draw(t, "spelling") {
			o = object(t, "%s", bytes.Replace(o.Bytes(), []byte(`"spec_version"`), []byte(`"spec\u005fversion"`), 1))
		}
		salt := desktest.Salt(coll, uint64(i))
		act := liaison.Act{
			V: liaison.ActVersion, Office: desktest.HQ, Collection: coll, Commit: liaison.Commit(salt, o.Bytes()),
			By: by, Under: under, Label: stix.Green, Accepted: desktest.At(time.Duration(rapid.IntRange(0, 4).Draw(t, "accepted")) * time.Second),
		}
		list = append(list, journal.Item{Object: o, Arrival: &journal.Arrival{
			Travels: liaison.Travels{Act: act, Salt: salt, Bytes: o.Bytes(), Batch: liaison.BatchProof{Path: []liaison.Hash{}}},
			Via:     liaison.Via{Origin: liaison.Origin{Office: desktest.HQ, Collection: coll, Generation: 1}, Index: uint64(i)},
			Hops:    []liaison.Hop{},
		}})
	}
	return list
}

func TestOfficesThatHoldTheSameActsShowTheSameBytes(t *testing.T) {
	offices := [2]*office{start(t), start(t)}
	n := uint32(0)
	rapid.Check(t, func(t *rapid.T) {
		n++
		coll := liaison.CollectionOf(under, "cyber", n)
		list := arrivals(t, coll)
		order := rapid.Permutation(list).Draw(t, "order")
		var shown [2]map[string]string
		for i, items := range [][]journal.Item{list, order} {
			o := offices[i]
			for len(items) > 0 { // pages of any length
				k := rapid.IntRange(1, len(items)).Draw(t, "page")
				o.append(t, coll, items[:k]...)
				items = items[k:]
			}
			o.append(t, coll, list...) // all again: nothing
			shown[i] = o.shown(t, coll)
			if want := distinct(list); len(o.entries(t, coll)) != want {
				t.Fatalf("%d leaves, want one for each of %d acts", len(o.entries(t, coll)), want)
			}
		}
		if fmt.Sprint(shown[0]) != fmt.Sprint(shown[1]) {
			t.Fatalf("one order shows\n%v\nthe other\n%v", shown[0], shown[1])
		}
	})
}

func distinct(list []journal.Item) int {
	seen := map[liaison.Hash]bool{}
	for _, it := range list {
		seen[it.Arrival.Travels.Act.Hash()] = true
	}
	return len(seen)
}
