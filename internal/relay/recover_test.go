package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

var trial = desktest.Collection("trial", "cyber")

// A story is seoul, tokyo and hq at work, a copy of seoul's store, and what
// happened after the copy was made.
type story struct {
	s, k, h *node
	copied  string // seoul's store, as it was
	before  int    // entries of the community at seoul then
	log     []store.Entry
	proofs  []*liaison.Receipt // all that seoul's entries had
}

// newStory lets things happen: some are in the copy, the others are lost with the
// store. What is posted as alone nobody but seoul has.
func newStory(t *testing.T, alone int) *story {
	t.Helper()
	st := &story{copied: t.TempDir()}
	st.s, st.k, st.h = row(t, newWires())
	start(st.s, st.k, st.h)
	st.h.Found(t, "register", "community")
	knows(t, st.s, st.k)
	st.s.post(t, "Korea", community, notes("early seoul", 0, 12)...)
	st.k.post(t, "Japan", community, by("Japan", "early tokyo", 0, 3)...)
	st.h.post(t, "NATO", community, by("NATO", "early hq", 0, 3)...)
	st.settled(t, 18)
	st.s.stop()
	st.s.Office.Close()
	must(t, os.CopyFS(st.copied, os.DirFS(filepath.Join(st.s.Dir, "store"))))
	st.before = 18
	st.s.open(t)
	st.s.start()

	st.s.post(t, "Korea", community, notes("late seoul", 0, 20)...)
	st.h.post(t, "NATO", community, by("NATO", "late hq", 0, 4)...)
	st.k.post(t, "Japan", community, by("Japan", "late tokyo", 0, 4)...)
	st.s.post(t, "Korea", community, revised("late seoul 3", 2), revised("early seoul 2", 2), revised("early seoul 2", 3))
	st.s.post(t, "Korea", community, by("NATO", "late hq", 2, 3)...)
	st.settled(t, 50)
	st.h.Found(t, "trial") // a programme that the copy knows nothing of
	eventually(t, "seoul knows the trial", func() bool {
		list, err := st.s.Desk.Collections(t.Context(), st.s.As(t, "Korea"))
		return err == nil && slices.ContainsFunc(list, func(c desk.Collection) bool { return c.ID == trial && c.CanWrite })
	})
	st.s.post(t, "Korea", trial, notes("trial", 0, 2)...)
	eventually(t, "hq has the trial", func() bool { return st.h.Size(t, trial) == 2 })
	for _, e := range entries(t, st.s, community) {
		if leaf, err := liaison.ParseLeaf(e.Leaf); err == nil && leaf.Via == nil {
			proved(t, st.s, e.Index)
		}
	}
	if alone > 0 {
		st.k.stop()
		st.s.post(t, "Korea", community, notes("alone", 0, alone)...)
	}
	for i := range st.s.Size(t, community) {
		st.proofs = append(st.proofs, receipt(t, st.s, "Korea", i))
	}
	st.log = entries(t, st.s, community)
	return st
}

// settled waits until all three have a number of entries.
func (st *story) settled(t *testing.T, size int) {
	t.Helper()
	for _, n := range []*node{st.s, st.k, st.h} {
		eventually(t, string(n.Name)+" has everything", func() bool { return n.Size(t, community) == uint64(size) })
	}
}

// restore puts the copy of the store back, as it was.
func (st *story) restore(t *testing.T) {
	t.Helper()
	st.s.stop()
	st.s.Office.Close()
	folder := filepath.Join(st.s.Dir, "store")
	must(t, os.RemoveAll(folder))
	must(t, os.CopyFS(folder, os.DirFS(st.copied)))
	st.s.Clock.Move(time.Second) // clocks stand still in these tests
}

// open opens the office of a node again.
func (n *node) open(t *testing.T) {
	t.Helper()
	n.Office = desktest.Open(t, n.Name, n.Dir, desktest.Options{Clock: n.Clock})
	t.Cleanup(func() { n.stop(); n.Office.Close() })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// by makes notes that another party created.
func by(party, prefix string, from, to int) [][]byte {
	list := notes(prefix, from, to)
	for i := range list {
		list[i] = bytes.ReplaceAll(list[i], []byte(desktest.PartyID("Korea")), []byte(desktest.PartyID(party)))
	}
	return list
}

// revised is a later version of a note.
func revised(name string, version int) []byte {
	return bytes.Replace(note(name), []byte(`"modified":"2026-03-01T08:00:00.000Z"`), fmt.Appendf(nil, `"modified":"2026-03-01T08:00:0%d.000Z"`, version), 1)
}

func entries(t *testing.T, n *node, c liaison.CollectionID) (list []store.Entry) {
	t.Helper()
	must(t, n.Store.View(context.Background(), func(v store.View) error {
		return v.Range(c, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
			k := *e
			for _, b := range []*[]byte{&k.Bytes, &k.Leaf, &k.Act, &k.Batch, &k.Consent, &k.Hops} {
				*b = bytes.Clone(*b)
			}
			list = append(list, k)
			return nil
		})
	}))
	return list
}

// refuses checks that nothing is accepted or proved, and that reading goes on.
func refuses(t *testing.T, n *node) {
	t.Helper()
	_, err := n.Desk.Accept(t.Context(), n.As(t, "Korea"), desk.Batch{Collection: community, Items: desktest.Items(note("too early"))})
	if !errors.Is(err, desk.ErrNoWrite) {
		t.Errorf("it is accepted: %v", err)
	}
	err = n.Journal.View(t.Context(), func(v store.View) error {
		_, err := n.Journal.Checkpoint(t.Context(), v, community, 0)
		return err
	})
	if err == nil {
		t.Error("it signs")
	}
	if p, err := n.Read(t, "Korea", desk.Query{Collection: community}); err != nil || len(p.Entries) == 0 {
		t.Errorf("it cannot be read: %v", err)
	}
}

// asItWas checks that seoul's log is what it was before the loss, entry by entry.
func (st *story) asItWas(t *testing.T) {
	t.Helper()
	got := entries(t, st.s, community)
	if len(got) < len(st.log) {
		t.Fatalf("%d entries, want %d", len(got), len(st.log))
	}
	eventually(t, "the trial is whole", func() bool { return st.s.Size(t, trial) == 2 })
	if d := cmp.Diff(st.log, got[:len(st.log)], cmpopts.IgnoreFields(store.Entry{}, "Hops")); d != "" {
		t.Errorf("the log is not as it was (-before +after):\n%.3000s", d)
	}
}

// stillProved checks that what was proved before the loss is proved now, by what
// was issued then and by what is issued now, under checkpoints of one history.
func (st *story) stillProved(t *testing.T) {
	t.Helper()
	for i, r := range st.proofs {
		if _, err := ledger.VerifyReceipt(r, desktest.Pin()); err != nil {
			t.Errorf("receipt %d does not verify any more: %v", i, err)
		}
		now := receipt(t, st.s, "Korea", uint64(i))
		if _, err := ledger.VerifyReceipt(now, desktest.Pin()); err != nil {
			t.Errorf("the new receipt of %d: %v", i, err)
		}
		if r.Act.Hash() != now.Act.Hash() || !bytes.Equal(r.Object.Bytes, now.Object.Bytes) {
			t.Errorf("receipt %d is of another act", i)
		}
		for _, h := range r.Hops {
			if cp, err := ledger.ReadCheckpoint(h.Checkpoint); err != nil || cp.Origin.Office == seoul && rootAt(t, st.s, cp.Size) != cp.Root {
				t.Errorf("the checkpoint of receipt %d, at %d, is of another history: %v", i, cp.Size, err)
			}
		}
	}
	report, err := st.s.Journal.Check(t.Context())
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("fsck: %v %q", err, report.Problems)
	}
}

func rootAt(t *testing.T, n *node, size uint64) (root liaison.Hash) {
	t.Helper()
	must(t, n.Store.View(context.Background(), func(v store.View) (err error) {
		root, err = journal.Root(v, community, size)
		return err
	}))
	return root
}

// goesOn checks that all three exchange notes again, and that nobody is in
// trouble.
func (st *story) goesOn(t *testing.T, name string) {
	t.Helper()
	st.s.post(t, "Korea", community, notes("new seoul "+name, 0, 3)...)
	st.h.post(t, "NATO", community, by("NATO", "new hq "+name, 0, 2)...)
	shown := func(n *node) map[string]string { return n.Shown(t, community) }
	eventually(t, "all show the same", func() bool {
		list := shown(st.h)
		return list[string(desktest.ID("note", "new seoul "+name+" 2"))] != "" && cmp.Equal(list, shown(st.s)) && cmp.Equal(list, shown(st.k))
	})
	eventually(t, "nobody is in trouble", func() bool {
		for _, n := range []*node{st.s, st.k, st.h} {
			for _, p := range n.relay.Status() {
				if p.Connected == 0 || slices.ContainsFunc(p.Follows, func(f FollowStatus) bool { return f.Error != "" || f.Fork != nil }) {
					return false
				}
			}
		}
		return true
	})
}

// TestARestoredStoreIsRebuiltFromItsNeighbour: an old backup is put back. Nothing
// is signed before the neighbour has answered; then the log is as it was.
func TestARestoredStoreIsRebuiltFromItsNeighbour(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, st *story){
		"an old copy": func(t *testing.T, st *story) { st.restore(t) },
		"an old copy, and no anchors": func(t *testing.T, st *story) {
			st.restore(t)
			must(t, os.RemoveAll(filepath.Join(st.s.Dir, "anchors")))
		},
		"an old copy, and its anchors": func(t *testing.T, st *story) {
			st.restore(t)
			must(t, os.RemoveAll(filepath.Join(st.s.Dir, "anchors")))
			st.s.open(t)
			for _, c := range []liaison.CollectionID{community, charter} { // as the copied machine had them
				must(t, st.s.Journal.Adopt(t.Context(), c, ""))
			}
			st.s.Office.Close()
		},
		"a restore, and no anchors": func(t *testing.T, st *story) {
			st.restore(t)
			must(t, os.RemoveAll(filepath.Join(st.s.Dir, "anchors")))
			st.s.open(t)
			st.mark(t)
			st.s.Office.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				st := newStory(t, 0)
				lose(t, st)
				st.k.stop()
				st.s.open(t)
				if name != "an old copy, and its anchors" {
					refuses(t, st.s)
				}
				st.s.start()
				time.Sleep(time.Minute)
				if name != "an old copy, and its anchors" {
					refuses(t, st.s)
				}
				if got := st.s.Size(t, community); got != uint64(st.before) {
					t.Errorf("without its neighbour it has %d entries, want %d", got, st.before)
				}
				st.k.start()
				eventually(t, "the log is whole", func() bool { return st.s.Size(t, community) >= uint64(len(st.log)) })
				st.asItWas(t)
				st.goesOn(t, "after")
				st.stillProved(t)
				st.restarts(t)
			})
		})
	}
}

// restarts checks that nothing of it has to be done again.
func (st *story) restarts(t *testing.T) {
	t.Helper()
	st.s.stop()
	st.s.Office.Close()
	st.s.open(t)
	st.s.post(t, "Korea", community, note("after a restart"))
	st.s.start()
	must(t, st.s.Store.View(context.Background(), func(v store.View) error {
		return v.States("returned", "", func(key string, _ []byte) error {
			t.Errorf("%s was not forgotten", key)
			return nil
		})
	}))
}

// mark leaves in seoul's store what a restore leaves.
func (st *story) mark(t *testing.T) {
	t.Helper()
	must(t, st.s.Store.Update(context.Background(), store.Lock{}, func(tx store.Tx) error {
		return store.MarkRestore(tx, store.Restore{Token: "a", At: desktest.At(0), Backup: desktest.At(0)})
	}))
}

// TestWhatNobodyReturnsIsLeftToTheNextGeneration: entries that no neighbour had
// are lost with the store. An operator opens the next generation; what the
// neighbour has comes back from its log, and all offices converge.
func TestWhatNobodyReturnsIsLeftToTheNextGeneration(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newStory(t, 5)
		st.restore(t)
		st.k.start()
		st.s.open(t)
		st.s.start()
		var l desk.StoppedLog
		eventually(t, "the neighbour has returned what it has", func() bool {
			l = stopped(t, st.s, community)
			return strings.Contains(l.Waits, "every neighbour has answered")
		})
		if want := (desk.StoppedLog{Collection: community, Name: "community.cyber", Held: 18, Signed: 55, Lost: 37, Returned: 32, Reopens: true}); !cmp.Equal(l, want, cmpopts.IgnoreFields(l, "Why", "Waits"), cmpopts.EquateEmpty()) {
			t.Errorf("the operator reads %+v", l)
		}
		time.Sleep(time.Minute)
		refuses(t, st.s)
		stale := seen(t, st.s, st.log)

		reopened(t, st.s, community, 18)
		st.goesOn(t, "in the next generation")
		if o := st.s.Origin(community); o.Generation != 2 {
			t.Errorf("the log is %s", o)
		}
		for i, r := range st.proofs {
			if _, err := ledger.VerifyReceipt(r, desktest.Pin()); err != nil {
				t.Errorf("receipt %d does not verify any more: %v", i, err)
			}
		}
		st.convergedAfter(t, 18)
		st.misses(t, stale)
		for _, n := range []*node{st.k, st.h} { // both follow the log that they know
			eventually(t, "the new generation is followed", func() bool {
				p, err := n.Desk.Read(t.Context(), registry.Neighbour(seoul), desk.Query{What: desk.Position, Collection: community, Origin: liaison.Origin{Office: seoul, Collection: community}})
				return n == st.h || err == nil && p.Follow.Origin.Generation == 2 && p.Follow.Size == st.s.Size(t, community)
			})
		}
		// What is lost once more comes back with the leaf that opened the generation.
		st.log = entries(t, st.s, community)
		st.restore(t)
		st.s.open(t)
		defer st.explain(t)
		refuses(t, st.s)
		st.s.start()
		eventually(t, "the log is whole", func() bool { return st.s.Size(t, community) >= uint64(len(st.log)) })
		st.asItWas(t)
		if o := st.s.Origin(community); o.Generation != 2 {
			t.Errorf("the rebuilt log is %s", o)
		}
		st.goesOn(t, "once more")
	})
}

// explain says, if the test failed, for what seoul's logs wait.
func (st *story) explain(t *testing.T) {
	if !t.Failed() {
		return
	}
	p, err := st.s.Desk.Read(context.Background(), registry.Operator(seoul), desk.Query{What: desk.Stopped})
	t.Logf("seoul's logs: %+v %v", p, err)
}

// stopped returns what the operator reads of a stopped log.
func stopped(t *testing.T, n *node, c liaison.CollectionID) desk.StoppedLog {
	t.Helper()
	p, err := n.Desk.Read(t.Context(), registry.Operator(n.Name), desk.Query{What: desk.Stopped})
	must(t, err)
	i := slices.IndexFunc(p.Stopped, func(l desk.StoppedLog) bool { return l.Collection == c })
	if i < 0 {
		return desk.StoppedLog{}
	}
	return p.Stopped[i]
}

// reopened opens the next generation as the operator does.
func reopened(t *testing.T, n *node, c liaison.CollectionID, index uint64) {
	t.Helper()
	outcomes, err := n.Desk.Accept(t.Context(), registry.Operator(n.Name), desk.Batch{Collection: c, Reopen: true})
	must(t, err)
	if len(outcomes) != 1 || outcomes[0].Index != index {
		t.Errorf("it opens with %+v, want index %d", outcomes, index)
	}
}

// convergedAfter checks that each act that the offices have stands once in the
// log, that every receipt verifies, and that fsck finds nothing.
func (st *story) convergedAfter(t *testing.T, kept int) {
	t.Helper()
	acts := map[liaison.Hash]bool{}
	for i, e := range entries(t, st.s, community) {
		if e.Kind == liaison.KindOpened {
			if i != kept {
				t.Errorf("the generation begins at %d, want %d", i, kept)
			}
			continue
		}
		if acts[e.ActHash] {
			t.Errorf("act %s stands there twice", e.ActHash)
		}
		acts[e.ActHash] = true
		if _, err := ledger.VerifyReceipt(receipt(t, st.s, "Korea", e.Index), desktest.Pin()); err != nil {
			t.Errorf("the receipt of %d: %v", e.Index, err)
		}
	}
	for _, e := range entries(t, st.k, community) {
		if !acts[e.ActHash] {
			t.Errorf("act %s, which tokyo has, did not come back", e.ActHash)
		}
	}
	for _, n := range []*node{st.s, st.k, st.h} {
		report, err := n.Journal.Check(t.Context())
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("%s: fsck: %v %q", n.Name, err, report.Problems)
		}
	}
}

// poller is a TAXII client that had read a log to a place that was lost.
type poller struct {
	from  uint64
	added liaison.Instant
}

// seen returns pollers at every place of a log as it was.
func seen(t *testing.T, n *node, log []store.Entry) (list []poller) {
	t.Helper()
	for _, e := range log {
		list = append(list, poller{e.Index + 1, e.Added})
	}
	return list
}

// misses checks that no poller misses what has come since.
func (st *story) misses(t *testing.T, pollers []poller) {
	t.Helper()
	fresh := string(desktest.ID("note", "new seoul in the next generation 1"))
	for _, p := range pollers {
		for what, q := range map[string]desk.Query{
			"added_after": {Collection: community, AddedAfter: p.added},
			"next":        {Collection: community, From: p.from, Generation: 1, Seen: p.added},
		} {
			page, err := st.s.Read(t, "Korea", q)
			if err != nil || !slices.ContainsFunc(page.Entries, func(e desk.Entry) bool { return e.ID == fresh }) {
				t.Errorf("who read on from %d by %s misses what is new: %v", p.from, what, err)
			}
		}
	}
}

// TestAGenerationThatForgetsIsAFork: an operator who does not wait for the
// neighbour opens a generation that names less than the neighbour has verified.
// It is not followed until a person says so.
func TestAGenerationThatForgetsIsAFork(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newStory(t, 0)
		st.restore(t)
		must(t, os.RemoveAll(filepath.Join(st.s.Dir, "anchors")))
		st.k.stop()
		st.s.open(t)
		for _, c := range []liaison.CollectionID{community, charter, desktest.Collection("register", liaison.Charter)} {
			reopened(t, st.s, c, st.s.Size(t, c))
		}
		st.s.post(t, "Korea", community, note("impatient"))
		st.s.start()
		st.k.start()
		fork := func() *Fork {
			for _, f := range st.k.status(seoul).Follows {
				if f.Collection == community {
					return f.Fork
				}
			}
			return nil
		}
		eventually(t, "tokyo sees the fork", func() bool { return fork() != nil })
		if f := fork(); f.Reason != Forgotten || f.Origin.Generation != 2 || !strings.Contains(f.Known, community.String()+"/1") || !strings.Contains(f.Claimed, community.String()+"/2") {
			t.Errorf("the evidence is %+v", f)
		}
		time.Sleep(time.Minute)
		if st.k.Shown(t, community)[string(desktest.ID("note", "impatient"))] != "" {
			t.Error("the log is followed all the same")
		}
		must(t, st.k.relay.Resume(seoul, community))
		st.goesOn(t, "after it was explained")
		st.convergedAfter(t, 18)
	})
}

// TestWhatANeighbourInventsIsNotAppended: what it returns is not what this office
// signed.
func TestWhatANeighbourInventsIsNotAppended(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newStory(t, 0)
		st.restore(t)
		st.k.stop()
		st.s.open(t)
		v := registry.Neighbour(tokyo)
		told, err := st.k.Desk.Read(t.Context(), registry.Neighbour(seoul), desk.Query{What: desk.Recall, Collection: community, From: 18, MaxBytes: 1 << 20})
		must(t, err)
		if len(told.Returned) != 32 {
			t.Fatalf("tokyo returns %d leaves, want 32", len(told.Returned))
		}
		for name, lie := range map[string]func(r *desk.Returned){
			"another instant": func(r *desk.Returned) { r.Hop.Leaf.Added++ },
			"another index":   func(r *desk.Returned) { r.Hop.Index++ },
			"another act":     func(r *desk.Returned) { r.Travels.Act.Label = stix.Clear },
			"no act":          func(r *desk.Returned) { r.Travels = nil },
			"another object": func(r *desk.Returned) {
				r.Travels.Bytes = bytes.Replace(r.Travels.Bytes, []byte("note"), []byte("fake"), 1)
			},
			"another salt":       func(r *desk.Returned) { r.Travels.Salt[0]++ },
			"another checkpoint": func(r *desk.Returned) { r.Hop.Checkpoint = st.k.Keys.SignCheckpoint(r.Hop.Leaf.Via.Origin, "x") },
		} {
			for i := range told.Returned {
				r := told.Returned[i]
				if name == "another checkpoint" && r.Hop.Leaf.Via == nil {
					continue
				}
				travels := *r.Travels
				travels.Bytes = bytes.Clone(travels.Bytes)
				r.Travels = &travels
				lie(&r)
				_, err := st.s.Desk.Accept(t.Context(), v, desk.Batch{Collection: community, Told: &desk.Told{Returned: []desk.Returned{r}, Done: true}})
				if !errors.Is(err, desk.ErrNotSigned) {
					t.Errorf("%s: leaf %d is taken: %v", name, i, err)
				}
			}
		}
		// A batch proof or a way that does not verify stops the rebuild.
		forged := slices.Clone(told.Returned)
		travels := *forged[3].Travels
		travels.Batch.Sig = bytes.Clone(travels.Batch.Sig)
		travels.Batch.Sig[20]++
		forged[3].Travels = &travels
		_, err = st.s.Desk.Accept(t.Context(), v, desk.Batch{Collection: community, Told: &desk.Told{Returned: forged, Done: true}})
		must(t, err)
		eventually(t, "it is said", func() bool { return strings.Contains(stopped(t, st.s, community).Waits, "as it was returned") })
		refuses(t, st.s)
		if got := st.s.Size(t, community); got != 18 {
			t.Errorf("it has %d entries", got)
		}
	})
}

// TestARebuildThatWasCutShortGoesOn: the office is killed between two
// transactions of a rebuild, and started again.
func TestARebuildThatWasCutShortGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newStory(t, 0)
		st.restore(t)
		st.k.stop()
		st.s.open(t)
		told, err := st.k.Desk.Read(t.Context(), registry.Neighbour(seoul), desk.Query{What: desk.Recall, Collection: community, From: 18, MaxBytes: 1 << 20})
		must(t, err)
		_, err = st.s.Desk.Accept(t.Context(), registry.Neighbour(tokyo), desk.Batch{Collection: community, Told: &desk.Told{Returned: told.Returned}})
		must(t, err)
		slices.SortFunc(told.Returned, func(a, b desk.Returned) int { return int(a.Hop.Index) - int(b.Hop.Index) })
		var lost []journal.Lost
		for _, r := range told.Returned[:7] {
			o, err := stix.Parse(r.Travels.Bytes, stix.DefaultLimits())
			must(t, err)
			lost = append(lost, journal.Lost{Leaf: liaison.JCS(r.Hop.Leaf), Travels: r.Travels, Object: o})
		}
		must(t, st.s.Journal.Rebuild(t.Context(), community, 18, lost, false, func(store.Tx, []journal.Outcome) error { return nil }))
		st.s.Office.Close()
		st.s.open(t)
		if got := st.s.Size(t, community); got != 25 {
			t.Errorf("it has %d entries, want 25", got)
		}
		refuses(t, st.s)
		st.s.start()
		st.k.start()
		eventually(t, "the log is whole", func() bool { return st.s.Size(t, community) >= uint64(len(st.log)) })
		st.asItWas(t)
		st.goesOn(t, "after")
		st.stillProved(t)
	})
}

// TestARebuildThatFailedIsTriedAgain: the neighbour has returned everything, and
// no checkpoint could be kept at that moment. Nobody brings it again.
func TestARebuildThatFailedIsTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newStory(t, 0)
		st.restore(t)
		st.k.stop()
		st.s.open(t)
		told, err := st.k.Desk.Read(t.Context(), registry.Neighbour(seoul), desk.Query{What: desk.Recall, Collection: community, From: 18, MaxBytes: 1 << 20})
		must(t, err)
		ready := filepath.Join(st.s.Dir, "anchors", "ready.new")
		must(t, os.RemoveAll(ready))
		must(t, os.Mkdir(ready, 0o700))
		_, err = st.s.Desk.Accept(t.Context(), registry.Neighbour(tokyo), desk.Batch{Collection: community, Told: &desk.Told{Returned: told.Returned, Done: true}})
		must(t, err)
		time.Sleep(time.Minute)
		if got := st.s.Size(t, community); got != 18 {
			t.Fatalf("without a place for checkpoints it has %d entries", got)
		}
		must(t, os.Remove(ready))
		eventually(t, "the log is whole", func() bool { return st.s.Size(t, community) >= uint64(len(st.log)) })
		st.s.start()
		st.k.start()
		st.asItWas(t)
	})
}
