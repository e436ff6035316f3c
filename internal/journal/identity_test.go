package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// naive is what one office has of one object, kept as a list: every act is
// compared with every other.
type naive []travelled

type travelled struct {
	act    liaison.Act
	salt   liaison.Hash
	object *stix.Object
}

// version is the instant; of an object that does not say it, when it was
// accepted.
func (a *travelled) version() string {
	if v := a.object.Version(); v != "" {
		return v
	}
	return a.act.Accepted.String()
}

func (a *travelled) sameVersion(b *travelled) bool {
	if a.object.Version() == "" || b.object.Version() == "" {
		return a.object.Version() == b.object.Version() && a.equal(b)
	}
	c, err := stix.CompareInstants(a.version(), b.version())
	return err == nil && c == 0
}

func (a *travelled) equal(b *travelled) bool {
	x, err1 := stix.Canonical(a.object.Bytes())
	y, err2 := stix.Canonical(b.object.Bytes())
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// beats is DESIGN's order: the later version, then the act of the party that
// created the object, then the earliest, then the lowest hash.
func (a *travelled) beats(b *travelled) bool {
	c, _ := stix.CompareInstants(a.version(), b.version())
	said, other := a.object.Version() != "", b.object.Version() != ""
	switch {
	case c != 0:
		return c > 0
	case said != other:
		return said
	case said && a.owns() != b.owns():
		return a.owns()
	case said && a.act.Accepted != b.act.Accepted:
		return a.act.Accepted < b.act.Accepted
	}
	x, y := a.act.Hash(), b.act.Hash()
	return bytes.Compare(x[:], y[:]) < 0
}

func (a *travelled) owns() bool { return a.object.CreatedByRef() == a.act.By }

// inSight returns the bytes of the act that beats all others.
func (n naive) inSight() string {
	best := &n[0]
	for i := range n {
		if n[i].beats(best) {
			best = &n[i]
		}
	}
	return string(best.object.Bytes())
}

// post says what becomes of an object at the first door.
func (n naive) post(it *travelled) journal.State {
	state := journal.Appended
	for i := range n {
		switch k := &n[i]; {
		case !k.sameVersion(it):
		case k.equal(it) && k.act.By == it.act.By:
			return journal.Duplicate
		case !k.equal(it):
			state = journal.Differs
		}
	}
	return state
}

func (n naive) has(act liaison.Hash) bool {
	for i := range n {
		if n[i].act.Hash() == act {
			return true
		}
	}
	return false
}

// drawObject is one of a few versions of one object, each written in several
// ways, or of its kind that says no version.
func drawObject(t *rapid.T) *stix.Object {
	id := desktest.ID("note", "n")
	text := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text")
	format := rapid.SampledFrom([]string{
		`{"type":"note","spec_version":"2.1","id":"%s",%s"content":"%s"}`,
		`{"id":"%s","type":"note","spec\u005fversion":"2.1",%s"content":"%s"}`,
	}).Draw(t, "writing")
	if rapid.IntRange(0, 4).Draw(t, "says its version") == 0 {
		return object(t, format, id, "", text)
	}
	modified := rapid.SampledFrom([]string{"%02dZ", "%02d.000Z", "%02d.0000001Z", "%02d.00000010Z"}).Draw(t, "digits")
	head := fmt.Sprintf(`"created_by_ref":"%s","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:`+modified+`",`,
		rapid.SampledFrom([]liaison.Party{alice, bob}).Draw(t, "creator"), rapid.IntRange(1, 3).Draw(t, "second"))
	return object(t, format, id, head, text)
}

// TestWhatIsInSightIsWhatANaiveListSays posts at several offices and relays
// between them in any order: each shows at every step what comparing all acts
// with all would show, and in the end all show the same.
func TestWhatIsInSightIsWhatANaiveListSays(t *testing.T) {
	offices := [3]*office{}
	for i, name := range []liaison.Office{desktest.Tokyo, desktest.Seoul, desktest.HQ} {
		o := open(t, t.TempDir(), name, nil)
		t.Cleanup(o.stop)
		offices[i] = o
	}
	n := uint32(0)
	rapid.Check(t, func(t *rapid.T) {
		n++
		w := &world{offices: offices, coll: liaison.CollectionOf(under, "space", n)}
		t.Repeat(map[string]func(*rapid.T){
			"post":  w.post,
			"relay": w.relay,
			"tick": func(t *rapid.T) {
				w.office(t).clock.Move(time.Duration(rapid.IntRange(1, 3).Draw(t, "seconds")) * time.Second)
			},
		})
		for i := range w.have {
			w.bring(t, i, w.all)
		}
		for i := range w.have {
			w.agrees(t, i)
			if len(w.all) > 0 && w.have[i].inSight() != w.have[0].inSight() {
				t.Fatal("the list is no order")
			}
		}
	})
	for _, o := range offices {
		o.healthy(t)
	}
}

// world is one collection at all offices.
type world struct {
	offices [3]*office
	coll    liaison.CollectionID
	have    [3]naive
	all     naive // every act, once
}

func (w *world) office(t *rapid.T) *office {
	return w.offices[rapid.IntRange(0, len(w.offices)-1).Draw(t, "office")]
}

// post brings a batch of one to three objects to an office.
func (w *world) post(t *rapid.T) {
	i := rapid.IntRange(0, len(w.offices)-1).Draw(t, "office")
	var items []journal.Item
	for range rapid.IntRange(1, 3).Draw(t, "items") {
		items = append(items, item(drawObject(t), rapid.SampledFrom([]liaison.Party{alice, bob, carol}).Draw(t, "by")))
	}
	out := w.offices[i].append(t, w.coll, items...)
	es := w.offices[i].entries(t, w.coll)
	for k, it := range items {
		post := travelled{object: it.Object, act: liaison.Act{By: it.Owner}}
		if want := w.have[i].post(&post); out[k].State != want {
			t.Fatalf("item %d becomes %d, want %d", k, out[k].State, want)
		}
		if out[k].State != journal.Appended {
			continue
		}
		e := es[out[k].Index]
		act, err := liaison.ParseAct(e.Act)
		must(t, err)
		post.act, post.salt = *act, e.Salt
		w.have[i], w.all = append(w.have[i], post), append(w.all, post)
	}
	w.agrees(t, i)
}

// relay brings some acts of all offices to one, in any order.
func (w *world) relay(t *rapid.T) {
	if len(w.all) == 0 {
		t.Skip("nothing yet")
	}
	i := rapid.IntRange(0, len(w.offices)-1).Draw(t, "office")
	var some naive
	for range rapid.IntRange(1, len(w.all)).Draw(t, "page") {
		some = append(some, w.all[rapid.IntRange(0, len(w.all)-1).Draw(t, "act")])
	}
	w.bring(t, i, some)
	w.agrees(t, i)
}

func (w *world) bring(t *rapid.T, i int, acts naive) {
	var items []journal.Item
	for k, a := range acts {
		items = append(items, journal.Item{Object: a.object, Arrival: &journal.Arrival{
			Travels: liaison.Travels{Act: a.act, Salt: a.salt, Bytes: a.object.Bytes(), Batch: liaison.BatchProof{Path: []liaison.Hash{}}},
			Via:     liaison.Via{Origin: liaison.Origin{Office: a.act.Office, Collection: w.coll, Generation: 1}, Index: uint64(k)},
			Hops:    []liaison.Hop{},
		}})
		if !w.have[i].has(a.act.Hash()) {
			w.have[i] = append(w.have[i], a)
		}
	}
	w.offices[i].append(t, w.coll, items...)
}

// agrees compares an office with its list.
func (w *world) agrees(t *rapid.T, i int) {
	if got, want := len(w.offices[i].entries(t, w.coll)), len(w.have[i]); got != want {
		t.Fatalf("%d leaves, want one for each of %d acts", got, want)
	}
	if len(w.have[i]) == 0 {
		return
	}
	id := string(desktest.ID("note", "n"))
	if got, want := w.offices[i].shown(t, w.coll)[id], w.have[i].inSight(); got != want {
		t.Fatalf("in sight at %s:\n%s\nwant\n%s", w.offices[i].Office, got, want)
	}
}

// counting counts the entries that an update is given by a search.
type counting struct {
	store.Store
	found int // owned by the journal's goroutine; read between its commits
}

func (s *counting) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, lock, func(tx store.Tx) error { return fn(countingTx{tx, s}) })
}

type countingTx struct {
	store.Tx
	s *counting
}

func (t countingTx) count(yield func(*store.Entry) error) func(*store.Entry) error {
	return func(e *store.Entry) error {
		t.s.found++
		return yield(e)
	}
}

func (t countingTx) Find(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error) error {
	return t.Tx.Find(c, id, part, t.count(yield))
}

func (t countingTx) FindSame(c liaison.CollectionID, id string, same uint64, part store.Part, yield func(*store.Entry) error) error {
	return t.Tx.FindSame(c, id, same, part, t.count(yield))
}

func (t countingTx) FindShown(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error) error {
	return t.Tx.FindShown(c, id, part, t.count(yield))
}

func TestAVersionCostsTheSameHoweverManyAreThere(t *testing.T) {
	s := &counting{}
	o := open(t, t.TempDir(), desktest.Tokyo, func(engine store.Store) store.Store { s.Store = engine; return s })
	t.Cleanup(o.stop)
	cost := func(from, n int) int {
		before := s.found
		o.append(t, coll, versions(t, from, n, 10)...)
		return s.found - before
	}
	cost(0, 5)
	few := cost(5, 1)
	cost(6, 300)
	if many := cost(306, 1); many != few {
		t.Errorf("a version reads %d entries among 306, and %d among 5", many, few)
	}
	if again := cost(0, 306); again > 306*3 {
		t.Errorf("306 versions that are here read %d entries", again)
	}
}
