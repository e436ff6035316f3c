package desk_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// erase is a batch that erases acts.
func erase(c liaison.CollectionID, acts ...liaison.Hash) desk.Batch {
	b := desk.Batch{Collection: c}
	for _, a := range acts {
		b.Items = append(b.Items, desk.Item{Erases: a})
	}
	return b
}

func erased(t *testing.T, o *Office, v desk.Viewer, c liaison.CollectionID, act liaison.Hash) desk.Outcome {
	t.Helper()
	out, err := accept(o, v, erase(c, act))
	if err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("%s: erase: %+v %v", o.Name, out, err)
	}
	return out[0]
}

// left says where in a store a text is still to be found: in any entry, and in
// any keyed state.
func left(t *testing.T, o *Office, texts ...string) (found []string) {
	t.Helper()
	look := func(where string, b []byte) {
		for _, text := range texts {
			for _, spelled := range spellings(text) {
				if bytes.Contains(b, []byte(spelled)) {
					found = append(found, where+": "+text)
					break
				}
			}
		}
	}
	err := o.Store.View(context.Background(), func(v store.View) error {
		err := v.Collections(func(c liaison.CollectionID) error {
			return v.Range(c, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
				look(fmt.Sprintf("entry %s/%d", c, e.Index), fmt.Appendf(nil, "%s %s %s %s %s %s", e.ID, e.Bytes, e.Leaf, e.Act, e.Hops, e.Batch))
				return nil
			})
		})
		return errors.Join(err, v.Buckets(func(bucket string) error {
			return v.States(bucket, "", func(key string, value []byte) error {
				look("state "+bucket+"/"+key, []byte(key+" "+string(value)))
				return nil
			})
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// proof is the receipt of an entry without its object.
func proof(t *testing.T, o *Office, party string, c liaison.CollectionID, index uint64) *liaison.Receipt {
	t.Helper()
	page, err := o.Read(t, party, desk.Query{What: desk.Receipts, Collection: c, From: index})
	if err != nil {
		t.Fatalf("receipt at %s of %d: %v", o.Name, index, err)
	}
	return page.Receipt
}

// bring gives tokyo a part of a page of seoul's.
func bring(t *testing.T, tokyo *Office, b desk.Batch) []desk.Outcome {
	t.Helper()
	out, err := tokyo.Desk.Accept(context.Background(), registry.Neighbour(Seoul), b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// spellings are a text as it is, and in the middle of base64.
func spellings(text string) []string {
	list := []string{text}
	for shift := range 3 {
		b := base64.StdEncoding.EncodeToString([]byte("xx"[:shift] + text))
		list = append(list, b[4:len(b)-4])
	}
	return list
}

func TestAPartyErasesItsOwnActForAll(t *testing.T) {
	seoul, tokyo, hq := row(t)
	c := Collection("itpp", "cyber")
	out := seoul.Post(t, "Denmark for NATO", c, note("secret", 1, stix.Green), note("open", 1, stix.Green))
	Settle(t, seoul, tokyo, hq)
	for _, o := range []*Office{seoul, tokyo, hq} {
		if len(left(t, o, string(ID("note", "secret")))) == 0 {
			t.Fatalf("%s has not got it", o.Name)
		}
	}
	seoul.Clock.Move(time.Second)
	did := erased(t, seoul, seoul.As(t, "Denmark for NATO"), c, out[0].Act)
	Settle(t, seoul, tokyo, hq)
	for _, o := range []*Office{seoul, tokyo, hq} {
		for _, f := range left(t, o, string(ID("note", "secret")), `"secret 1"`) {
			t.Errorf("%s: %s", o.Name, f)
		}
		if n := len(o.Shown(t, c)); n != 1 {
			t.Errorf("%s shows %d", o.Name, n)
		}
		if err := check(o); err != nil {
			t.Error(err)
		}
	}
	r := verify(t, proof(t, seoul, "Denmark for NATO", c, out[0].Index), 3)
	if r.Hops[2].Office != HQ {
		t.Errorf("the proof of delivery ends at %s", r.Hops[2].Office)
	}
	verify(t, proof(t, seoul, "Denmark for NATO", c, did.Index), 3)
	_, err := seoul.Read(t, "Denmark for NATO", desk.Query{What: desk.Receipts, Collection: c, From: out[0].Index, WithObject: true})
	if !errors.Is(err, desk.ErrErased) {
		t.Errorf("the receipt with its object: %v", err)
	}
	if _, err := seoul.Read(t, "India", desk.Query{What: desk.Receipts, Collection: c, From: out[0].Index, WithObject: true}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("and for who may not read: %v", err)
	}
	again, err := accept(seoul, seoul.As(t, "Denmark for NATO"), erase(c, out[0].Act))
	if err != nil || again[0].Status != desk.Duplicate || again[0].Act != did.Act {
		t.Errorf("again: %+v %v", again, err)
	}
}

func TestOnlyWhoReleasedItErasesAndOthersLearnNothing(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c := Collection("trial", "cyber")
	mine := o.Post(t, "Korea", c, note("mine", 1, stix.Green))[0]
	theirs := o.Post(t, "Denmark for NATO", c, note("theirs", 1, stix.Green))[0]
	reader := Account("Korea")
	reader.Name, reader.Roles = "reader", []registry.AccountRole{registry.MayRead}
	for what, try := range map[string]struct {
		v    desk.Viewer
		b    desk.Batch
		want error
	}{
		"another's":                 {o.As(t, "Korea"), erase(c, theirs.Act), desk.ErrNotFound},
		"its own and another's":     {o.As(t, "Korea"), erase(c, mine.Act, theirs.Act), desk.ErrNotFound},
		"what is not there":         {o.As(t, "Korea"), erase(c, liaison.H([]byte("none"))), desk.ErrNotFound},
		"in no collection":          {o.As(t, "Korea"), erase(liaison.CollectionOf(mine.Act, "x", 1), mine.Act), desk.ErrNotFound},
		"another who may not read":  {o.As(t, "India"), erase(c, mine.Act), desk.ErrNotFound},
		"nobody":                    {registry.Nobody(), erase(c, mine.Act), desk.ErrNotFound},
		"an account that reads":     {o.PutAccount(t, reader), erase(c, mine.Act), desk.ErrReadOnly},
		"the embassy's own account": {o.As(t, "Denmark"), erase(c, mine.Act), desk.ErrNotFound},
	} {
		if out, err := accept(o, try.v, try.b); !errors.Is(err, try.want) {
			t.Errorf("%s: %+v %v", what, out, err)
		}
	}
	mixed := erase(c, mine.Act)
	mixed.Items = append(mixed.Items, Items(note("more", 1, stix.Green))...)
	if _, err := accept(o, o.As(t, "Korea"), mixed); err == nil {
		t.Error("a batch erases and brings something")
	}
	if n := o.Size(t, c); n != 2 {
		t.Errorf("the log has %d entries", n)
	}
	charter := Collection("trial", liaison.Charter)
	var act liaison.Hash
	if err := o.Store.View(context.Background(), func(v store.View) error {
		return v.Range(charter, 0, 1, store.Proof, func(e *store.Entry) error { act = e.ActHash; return nil })
	}); err != nil {
		t.Fatal(err)
	}
	if out, err := accept(o, registry.Operator(o.Name), erase(charter, act)); err == nil {
		t.Errorf("a control object: %+v", out)
	}
}

func TestErasingIsAllowedWhateverTheTerm(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			o := alone(t, Seoul, Options{})
			c := Collection("trial", "cyber")
			out := o.Post(t, "Korea", c, note("mine", 1, stix.Green))[0]
			end(t, o)
			did, err := accept(o, o.As(t, "Korea"), erase(c, out.Act))
			if err != nil || did[0].Status != desk.Accepted {
				t.Fatalf("%+v %v", did, err)
			}
			if !did[0].Unread || did[0].Index != 0 || did[0].Added != 0 || !did[0].Act.IsZero() {
				t.Errorf("the answer says how the log has grown: %+v", did[0])
			}
			if f := left(t, o, string(ID("note", "mine"))); len(f) > 0 {
				t.Error(f)
			}
			if err := check(o); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheOperatorErasesHereAloneAndFollowersAreToldThatItIsMissing(t *testing.T) {
	seoul, tokyo := pair(t)
	c := Collection("trial", "cyber")
	out := seoul.Post(t, "Korea", c, note("secret", 1, stix.Green), note("open", 1, stix.Green))
	b := erase(c, out[0].Act)
	b.Items[0].Reason = "court order"
	did, err := accept(seoul, registry.Operator(seoul.Name), b)
	if err != nil || did[0].Status != desk.Accepted {
		t.Fatalf("%+v %v", did, err)
	}
	if f := left(t, seoul, string(ID("note", "secret"))); len(f) > 0 {
		t.Error(f)
	}
	got := take(t, tokyo, seoul, page(t, tokyo, seoul, c))
	if got[0].Status != desk.Refused || got[1].Status != desk.Accepted {
		t.Errorf("at the follower: %+v", got)
	}
	verify(t, proof(t, seoul, "Korea", c, out[0].Index), 1)
	for _, o := range []*Office{seoul, tokyo} {
		if err := check(o); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatPeopleWereToldForgetsWhatWasErased(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c, v := Collection("trial", "cyber"), o.As(t, "Korea")
	out, err := accept(o, v, desk.Batch{Collection: c, Status: "s", Items: Items(note("secret", 1, stix.Green), note("open", 1, stix.Green))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := accept(o, v, desk.Batch{Collection: c, Status: "again", Items: Items(note("secret", 1, stix.Green), note("secret", 1, stix.Red))}); err != nil {
		t.Fatal(err)
	}
	if len(left(t, o, string(ID("note", "secret")))) != 3 {
		t.Fatal("statuses do not name it: the test shows nothing")
	}
	erased(t, o, v, c, out[0].Act)
	if f := left(t, o, string(ID("note", "secret"))); len(f) > 0 {
		t.Error(f)
	}
	p, err := o.Desk.Read(context.Background(), v, desk.Query{What: desk.Statuses, Status: "s"})
	if err != nil || !p.Outcomes[0].Erased || p.Outcomes[0].Act != out[0].Act || p.Outcomes[1].ID != string(ID("note", "open")) {
		t.Errorf("%+v %v", p, err)
	}
}

// The others' acts for the object stand: the next living one is served, and says
// its own version.
func TestTheNextLivingActIsServed(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c := Collection("trial", "cyber")
	address := fmt.Appendf(nil, `{"type":"ipv4-addr","spec_version":"2.1","id":"%s","value":"198.51.100.7","object_marking_refs":["%s"]}`, ID("ipv4-addr", "a"), stix.Green.Marking())
	for _, object := range [][]byte{note("both", 1, stix.Green), address} {
		first := o.Post(t, "Korea", c, object)[0]
		second := o.Post(t, "Denmark for NATO", c, object)[0]
		if second.Status != desk.Accepted {
			t.Fatalf("%+v", second)
		}
		erased(t, o, o.As(t, "Korea"), c, first.Act)
		for _, versions := range [][]string{nil, {"all"}, {"first"}, {"last"}} {
			p, err := o.Read(t, "Korea", desk.Query{Collection: c, Filter: desk.Filter{IDs: []string{first.ID}, Versions: versions}})
			if err != nil || len(p.Entries) != 1 || p.Entries[0].Index != second.Index || !bytes.Equal(p.Entries[0].Bytes, object) {
				t.Errorf("%s %v: %+v %v", first.ID, versions, p, err)
			}
		}
		erased(t, o, o.As(t, "Denmark for NATO"), c, second.Act)
		if p, err := o.Read(t, "Korea", desk.Query{Collection: c, Filter: desk.Filter{IDs: []string{first.ID}, Versions: []string{"all"}}}); err != nil || len(p.Entries) != 0 {
			t.Errorf("after the last one: %+v %v", p, err)
		}
	}
}

// erasure is a page of seoul's log with an act, and one with the act that erases
// it.
func erasure(t *testing.T) (seoul, tokyo *Office, c liaison.CollectionID, with, by desk.Batch) {
	seoul, tokyo = pair(t)
	c = Collection("trial", "cyber")
	out := seoul.Post(t, "Korea", c, note("secret", 1, stix.Green))
	with = page(t, tokyo, seoul, c)
	erased(t, seoul, seoul.As(t, "Korea"), c, out[0].Act)
	whole := page(t, tokyo, seoul, c)
	by = whole
	by.Items = whole.Items[1:]
	with.Follow, by.Follow = nil, nil
	return seoul, tokyo, c, with, by
}

func TestAnActThatErasesWaitsForOneThatComesByASlowerWay(t *testing.T) {
	_, tokyo, c, with, by := erasure(t)
	if out := bring(t, tokyo, by); out[0].Status != desk.Waiting {
		t.Fatalf("before what it erases: %+v", out)
	}
	tokyo.Reopen(t)
	if out := bring(t, tokyo, with); out[0].Status != desk.Accepted {
		t.Fatalf("what it erases: %+v", out)
	}
	atTokyo(t, tokyo, c)
	if u := undelivered(t, tokyo); len(u) > 0 {
		t.Error(u)
	}
}

// atTokyo checks that both leaves are there and the object is not.
func atTokyo(t *testing.T, tokyo *Office, c liaison.CollectionID) {
	t.Helper()
	if n := tokyo.Size(t, c); n != 2 {
		t.Errorf("the log has %d entries", n)
	}
	if f := left(t, tokyo, string(ID("note", "secret"))); len(f) > 0 {
		t.Error(f)
	}
	if err := check(tokyo); err != nil {
		t.Error(err)
	}
}

func TestAPageThatLacksTheObjectAndThenErasesItIsTaken(t *testing.T) {
	seoul, tokyo, c, _, _ := erasure(t)
	tokyo.Follow(t, seoul, c)
	atTokyo(t, tokyo, c)
}

func TestTheActWithoutItsObjectWaitsForTheNextPage(t *testing.T) {
	seoul, tokyo, c, _, by := erasure(t)
	whole := page(t, tokyo, seoul, c)
	whole.Items, whole.Follow = whole.Items[:1], nil
	if out := bring(t, tokyo, whole); out[0].Status != desk.Waiting {
		t.Fatalf("without its object: %+v", out)
	}
	bring(t, tokyo, by)
	tokyo.Await(t, func() bool { return tokyo.Size(t, c) == 2 }, c)
	atTokyo(t, tokyo, c)
}

func TestWhatWaitsLosesItsObjectWhenItIsErased(t *testing.T) {
	seoul, tokyo := pair(t)
	c := Collection("trial", "cyber")
	out := seoul.Post(t, "Korea", c, statement("terms", stix.Green.Marking()), markedBy("secret", stix.Green.Marking(), ID("marking-definition", "terms")))
	b := page(t, tokyo, seoul, c)
	b.Items, b.Follow = b.Items[1:], nil
	if got := bring(t, tokyo, b); got[0].Status != desk.Waiting || len(left(t, tokyo, string(ID("note", "secret")))) == 0 {
		t.Fatalf("%+v", got)
	}
	erased(t, seoul, seoul.As(t, "Korea"), c, out[1].Act)
	whole := page(t, tokyo, seoul, c)
	whole.Items, whole.Follow = whole.Items[2:], nil
	bring(t, tokyo, whole)
	tokyo.Await(t, func() bool { return tokyo.Size(t, c) == 2 }, c) // no marking is missing any more
	atTokyo(t, tokyo, c)
}

func TestOnlyThePartyErasesByRelayFromItsOwnFirstOffice(t *testing.T) {
	for name, k := range map[string]struct {
		change func(*liaison.Act)
		rule   string
	}{
		"another party":  {func(a *liaison.Act) { a.By = PartyID("Japan") }, "erase.own"},
		"for another":    {func(a *liaison.Act) { a.By, a.For = PartyID("Denmark"), PartyID("NATO") }, "erase.own"},
		"another office": {func(a *liaison.Act) { a.Office = HQ }, "erase.own"},
	} {
		t.Run(name, func(t *testing.T) {
			_, tokyo, c, with, by := erasure(t)
			bring(t, tokyo, with)
			a := by.Items[0].Arrival
			resign(a, k.change)
			out := bring(t, tokyo, by)
			if out[0].Status == desk.Accepted || tokyo.Size(t, c) != 1 || len(left(t, tokyo, string(ID("note", "secret")))) == 0 {
				t.Errorf("%+v", out)
			}
			if u := fmt.Sprint(undelivered(t, tokyo)); !strings.Contains(u, k.rule) {
				t.Errorf("%s, want the rule %s", u, k.rule)
			}
			if err := check(tokyo); err != nil {
				t.Error(err)
			}
		})
	}
}
