package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// erases is an item by which a party erases an act.
func erases(act liaison.Hash, by liaison.Party) journal.Item {
	return journal.Item{Erases: act, Owner: by, Judge: func(liaison.Instant, *journal.Earlier) (journal.Ruling, bool) {
		return journal.Ruling{By: by, Under: under}, true
	}}
}

func TestOfAnErasedActTheProofStaysAndTheObjectIsGone(t *testing.T) {
	o := start(t)
	a := o.append(t, coll, item(note(t, "one", alice, 1, "secret"), alice), item(note(t, "two", alice, 1, "open"), alice))
	was := o.entries(t, coll)[a[0].Index]
	out := o.append(t, coll, erases(a[0].Act, alice))[0]
	if out.State != journal.Appended || out.Kind != liaison.KindErasure || out.Index != 2 || out.Gone.ID != was.ID || out.Gone.Version != was.Version {
		t.Fatalf("%+v", out)
	}
	es := o.entries(t, coll)
	e := es[a[0].Index]
	if e.ID != "" || e.Version != "" || e.Type != "" || len(e.Bytes) > 0 || !e.Salt.IsZero() {
		t.Errorf("left of it: %+v", e)
	}
	if !bytes.Equal(e.Leaf, was.Leaf) || !bytes.Equal(e.Act, was.Act) || !bytes.Equal(e.Batch, was.Batch) {
		t.Error("leaf, act and batch do not stay")
	}
	act, err := liaison.ParseAct(es[2].Act)
	must(t, err)
	leaf, err := liaison.ParseLeaf(es[2].Leaf)
	must(t, err)
	if act.Erases != a[0].Act || act.Accepted != leaf.Added || leaf.Act != act.Hash() || leaf.Kind != liaison.KindErasure {
		t.Errorf("act %+v, leaf %+v", act, leaf)
	}
	var p liaison.BatchProof
	must(t, json.Unmarshal(es[2].Batch, &p))
	must(t, ledger.VerifyBatch(act, p, [][]byte{o.keys.ActKey()}))
	o.healthy(t)
	o.reopen(t)
	o.healthy(t)
	if again := o.append(t, coll, erases(a[0].Act, alice))[0]; again.State != journal.Duplicate || again.Act != out.Act || again.Index != 2 {
		t.Errorf("erased again: %+v", again)
	}
	// The same version with other contents, which would differ from what was: it is not
	// known any more.
	if o := o.append(t, coll, item(note(t, "one", alice, 1, "something else"), alice))[0]; o.State != journal.Appended || o.Kind != liaison.KindObject {
		t.Errorf("released after the erasure: %+v", o)
	}
	if none := o.append(t, coll, erases(liaison.H([]byte("none")), alice), erases(out.Act, alice)); none[0].State != journal.Absent || none[1].State != journal.Absent {
		t.Errorf("acts without an object: %+v", none)
	}
}

func TestTheOperatorErasesHereAloneAndAnActMayFollow(t *testing.T) {
	o := start(t)
	a := o.append(t, coll, item(note(t, "one", alice, 1, "secret"), alice))[0]
	local := journal.Item{Erases: a.Act, Reason: "court order 7"}
	if out := o.append(t, coll, local)[0]; out.State != journal.ErasedHere || out.Index != 0 || out.Gone == nil {
		t.Fatalf("%+v", out)
	}
	if out := o.append(t, coll, local)[0]; out.State != journal.Duplicate {
		t.Fatalf("again: %+v", out)
	}
	if n := len(o.entries(t, coll)); n != 1 {
		t.Fatalf("%d entries", n)
	}
	o.healthy(t)
	if out := o.append(t, coll, erases(a.Act, alice))[0]; out.State != journal.Appended {
		t.Fatalf("by an act: %+v", out)
	}
	must(t, o.View(context.Background(), func(v store.View) error {
		why, ok, err := journal.ErasedBy(v, coll, a.Act)
		if !ok || why.Reason != "court order 7" || why.By.IsZero() {
			t.Errorf("%+v", why)
		}
		return err
	}))
	o.healthy(t)
}

// Bytes that are missing without an erasure are damage.
func TestFsckTellsAnErasureFromALoss(t *testing.T) {
	o := start(t)
	a := o.append(t, coll, item(note(t, "one", alice, 1, "secret"), alice))[0]
	must(t, o.Store.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{coll}}, func(tx store.Tx) error { return tx.Erase(coll, a.Index) }))
	r, err := o.Check(context.Background())
	must(t, err)
	if len(r.Problems) != 1 {
		t.Errorf("problems: %q", r.Problems)
	}
}

// An act that comes again by relay after its erasure is the one that is here.
func TestAnErasedActThatComesAgainAddsNothing(t *testing.T) {
	here, there := start(t), open(t, t.TempDir(), desktest.HQ, nil)
	t.Cleanup(there.stop)
	a := there.append(t, coll, item(note(t, "one", alice, 1, "secret"), alice))[0]
	arrival := relayed(t, there, coll, 0)
	if out := here.append(t, coll, arrival)[0]; out.State != journal.Appended {
		t.Fatalf("%+v", out)
	}
	here.append(t, coll, journal.Item{Erases: a.Act, Reason: "reason"})
	if out := here.append(t, coll, arrival)[0]; out.State != journal.Duplicate || out.Index != 0 {
		t.Errorf("it came again: %+v", out)
	}
	here.healthy(t)
}

// relayed is an entry of another office's log as it comes by relay.
func relayed(t tb, from *office, coll liaison.CollectionID, index uint64) journal.Item {
	e := from.entries(t, coll)[index]
	act, err := liaison.ParseAct(e.Act)
	must(t, err)
	a := &journal.Arrival{Travels: liaison.Travels{Act: *act, Salt: e.Salt, Bytes: e.Bytes}, Via: liaison.Via{Origin: from.first(coll), Index: e.Index}}
	must(t, json.Unmarshal(e.Batch, &a.Travels.Batch))
	it := journal.Item{Arrival: a}
	if len(e.Bytes) > 0 {
		o, err := stix.Parse(bytes.Clone(e.Bytes), stix.DefaultLimits())
		must(t, err)
		it.Object = o
	}
	return it
}

// Whatever is erased, what is in sight is what would be if it had never been
// there, at every office, in whatever order acts and erasures came.
func TestWhatIsInSightAfterErasuresIsWhatTheLivingActsSay(t *testing.T) {
	offices := [3]*office{}
	for i, name := range []liaison.Office{desktest.HQ, desktest.Tokyo, desktest.Seoul} {
		offices[i] = open(t, t.TempDir(), name, nil)
		t.Cleanup(offices[i].stop)
	}
	n := uint32(0)
	rapid.Check(t, func(t *rapid.T) {
		n++
		coll := liaison.CollectionOf(under, "erasure", n)
		arrivals, gone := releaseAndErase(t, offices[0], coll)
		living := slices.DeleteFunc(slices.Clone(arrivals), func(it journal.Item) bool {
			return it.Object == nil || gone[it.Arrival.Travels.Act.Hash()]
		})
		want := sights(t, offices[0], coll)
		for i, order := range [][]journal.Item{living, rapid.Permutation(arrivals).Draw(t, "order")} {
			o := offices[i+1]
			for len(order) > 0 {
				out := o.append(t, coll, order...)
				order = slices.DeleteFunc(slices.Clone(order), func(it journal.Item) bool {
					return out[slices.IndexFunc(order, func(same journal.Item) bool { return same.Arrival == it.Arrival })].State != journal.Absent
				}) // what is absent waits, at the desk
			}
			if got := sights(t, o, coll); !slices.Equal(got, want) {
				t.Fatalf("order %d: in sight are %q, want %q", i, got, want)
			}
		}
	})
	for _, o := range offices {
		o.healthy(t)
	}
}

// releaseAndErase releases objects of few versions and erases some acts. It
// returns everything as it is relayed, and the acts that are erased.
func releaseAndErase(t *rapid.T, o *office, coll liaison.CollectionID) (arrivals []journal.Item, gone map[liaison.Hash]bool) {
	gone = map[liaison.Hash]bool{}
	for range rapid.IntRange(1, 14).Draw(t, "acts") {
		it := item(drawObject(t), rapid.SampledFrom([]liaison.Party{alice, bob, carol}).Draw(t, "by"))
		it.Apart = true // so that there are conflicts
		o.append(t, coll, it)
	}
	n := uint64(len(o.entries(t, coll)))
	for i := range n {
		arrivals = append(arrivals, relayed(t, o, coll, i))
	}
	for _, it := range arrivals {
		if act := it.Arrival.Travels.Act.Hash(); rapid.Bool().Draw(t, "erased") {
			gone[act] = true
			o.append(t, coll, erases(act, alice))
			arrivals = append(arrivals, relayed(t, o, coll, n))
			n++
		}
	}
	return arrivals, gone
}

// sights are the bytes in sight of each object.
func sights(t tb, o *office, coll liaison.CollectionID) (list []string) {
	for _, e := range o.entries(t, coll) {
		if !e.Hidden && !e.Erased && e.ID != "" {
			list = append(list, string(e.Bytes))
		}
	}
	slices.Sort(list)
	return list
}

// Who kept a range learns that an entry of it came into sight again, though what
// was erased lies far behind.
func TestAnEntryThatIsShownAgainChangesItsRange(t *testing.T) {
	o := start(t)
	changes := func() (n uint64) {
		must(t, o.View(context.Background(), func(v store.View) (err error) {
			n, err = journal.Changes(v, coll, 0, 10)
			return err
		}))
		return n
	}
	o.append(t, coll, item(note(t, "n", alice, 1, "a"), alice))
	var others []journal.Item
	for i := range journal.ChangesBlock {
		others = append(others, item(note(t, fmt.Sprint(i), alice, 1, "other"), alice))
	}
	o.append(t, coll, others...)
	second := o.append(t, coll, item(note(t, "n", alice, 2, "b"), alice))[0]
	before := changes()
	o.append(t, coll, erases(second.Act, alice))
	if e := o.entries(t, coll)[0]; e.Hidden || changes() == before {
		t.Errorf("hidden %v, changes %d and before %d", e.Hidden, changes(), before)
	}
}
