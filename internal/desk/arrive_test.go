package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// pair opens seoul and tokyo with one clock; both know the whole alliance.
func pair(t *testing.T) (seoul, tokyo *Office) {
	t.Helper()
	clock := NewClock()
	return alone(t, Seoul, Options{Clock: clock}), alone(t, Tokyo, Options{Clock: clock})
}

// page returns what seoul's log has for tokyo.
func page(t *testing.T, tokyo, seoul *Office, c liaison.CollectionID) desk.Batch {
	t.Helper()
	b, ok, err := tokyo.Page(context.Background(), seoul, c, 0)
	if err != nil || !ok {
		t.Fatalf("page: %v %v", ok, err)
	}
	return b
}

func take(t *testing.T, o, from *Office, b desk.Batch) []desk.Outcome {
	t.Helper()
	out, err := o.Take(context.Background(), from, b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// undelivered lists what an office's operator sees, as "status rule office".
func undelivered(t *testing.T, o *Office) (list []string) {
	t.Helper()
	p, err := o.Desk.Read(context.Background(), registry.Operator(o.Name), desk.Query{What: desk.Undelivered})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range p.Acts {
		list = append(list, fmt.Sprintf("%s %s %s", a.Status, a.Rule, a.Office))
	}
	slices.Sort(list)
	return list
}

// resign makes the arrival's act a batch of its own in a log of its own, signed
// by its office: what an office that breaks the rules could send.
func resign(a *desk.Arrival, change func(*liaison.Act)) {
	act := a.Travels.Act
	change(&act)
	keys := NewKeys(act.Office)
	sig := keys.SignAct(liaison.BatchText(act.Office, act.Collection, 1, act.Hash()))
	a.Travels.Act, a.Travels.Batch = act, liaison.BatchProof{Size: 1, Path: []liaison.Hash{}, Sig: sig}
	leaf := liaison.Leaf{V: liaison.LeafVersion, Kind: liaison.KindObject, Act: act.Hash(), Added: act.Accepted}
	if !act.Erases.IsZero() {
		leaf.Kind = liaison.KindErasure
	}
	cp := ledger.Checkpoint{Origin: liaison.Origin{Office: act.Office, Collection: act.Collection, Generation: 1}, Size: 1, Root: liaison.LeafHash(liaison.JCS(leaf))}
	a.Hop = liaison.Hop{Leaf: leaf, Path: []liaison.Hash{}, Checkpoint: keys.SignCheckpoint(cp.Origin, cp.Text())}
	a.Via = liaison.Via{Origin: cp.Origin}
}

// withBytes changes the object and commits to it.
func withBytes(a *desk.Arrival, b []byte) {
	a.Travels.Bytes = b
	resign(a, func(act *liaison.Act) { act.Commit = liaison.Commit(a.Travels.Salt, b) })
}

func TestArrivalsAreDecidedAgainFromTheSameBytes(t *testing.T) {
	own := `"created_by_ref":"` + string(PartyID("Korea")) + `"`
	cases := map[string]struct {
		change func(a *desk.Arrival)
		status desk.Status
		rule   string
	}{
		"as it came":         {func(*desk.Arrival) {}, desk.Accepted, ""},
		"without its object": {func(a *desk.Arrival) { a.Travels.Bytes = nil }, desk.Refused, "act.bytes"},
		"another object":     {func(a *desk.Arrival) { a.Travels.Bytes = note("other", 1, stix.Green) }, desk.Refused, "act.commit"},
		"another salt":       {func(a *desk.Arrival) { a.Travels.Salt[0]++ }, desk.Refused, "act.commit"},
		"another instant":    {func(a *desk.Arrival) { a.Travels.Act.Accepted-- }, desk.Refused, "act.signature"},
		"another batch":      {func(a *desk.Arrival) { a.Travels.Batch.Sig[9]++ }, desk.Refused, "act.signature"},
		"an unknown office": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.Office = "unknown.example.org" })
		}, desk.Waiting, "act.key"},
		"another collection": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.Collection = Collection("itpp", "cyber") })
		}, desk.Refused, "act.collection"},
		"an unknown version": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.Under = liaison.H(nil) })
		}, desk.Waiting, "act.under"},
		"a version of another programme": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.Under = CharterOf("community").Genesis() })
		}, desk.Refused, "act.under"},
		"an unknown party": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.By = PartyID("Atlantis") })
		}, desk.Waiting, "act.by"},
		"for an unknown party": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.For = PartyID("Atlantis") })
		}, desk.Waiting, "act.by"},
		"a stranger": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.By = PartyID("Denmark") })
		}, desk.Refused, "party.served"},
		"a party of another office": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.By = PartyID("Japan") })
		}, desk.Refused, "party.served"},
		"without a mandate": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.For = PartyID("Japan") })
		}, desk.Refused, "mandate"},
		"another label": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.Label = stix.Clear })
		}, desk.Refused, "act.label"},
		"a label above the ceiling": {func(a *desk.Arrival) { withBytes(a, note("n", 1, stix.AmberStrict, own)) }, desk.Refused, "label.ceiling"},
		"another's AMBER": {func(a *desk.Arrival) {
			withBytes(a, note("n", 1, stix.Amber, `"created_by_ref":"`+string(PartyID("Japan"))+`"`))
		}, desk.Refused, "originator"},
		"an unknown marking": {func(a *desk.Arrival) {
			withBytes(a, markedBy("n", stix.Green.Marking(), ID("marking-definition", "late")))
		}, desk.Waiting, "label.unknown"},
		"no STIX":          {func(a *desk.Arrival) { withBytes(a, []byte(`{"type":"note"}`)) }, desk.Refused, "object"},
		"white space":      {func(a *desk.Arrival) { withBytes(a, append([]byte(" "), a.Travels.Bytes...)) }, desk.Refused, "object.bytes"},
		"a control object": {func(a *desk.Arrival) { withBytes(a, Route(Seoul, HQ)) }, desk.Refused, "control.area"},
		"before the term": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.Accepted = At(-400 * 24 * time.Hour) })
		}, desk.Held, "programme.term"},
		"an act that names a consent": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.Consent = liaison.H(nil) })
		}, desk.Refused, "act.consent"},
		"a consent travels": {func(a *desk.Arrival) { a.Travels.Consent = []byte("{}") }, desk.Refused, "act.consent"},
		"an erasing act": {func(a *desk.Arrival) {
			resign(a, func(act *liaison.Act) { act.Erases, act.Commit, act.Label = act.Commit, liaison.Hash{}, stix.Unmarked })
		}, desk.Refused, "act.bytes"},
	}
	for name, k := range cases {
		t.Run(name, func(t *testing.T) {
			seoul, tokyo := pair(t)
			c := Collection("trial", "cyber")
			seoul.Post(t, "Korea", c, note("n", 1, stix.Green), note("good", 1, stix.Green))
			b := page(t, tokyo, seoul, c)
			k.change(b.Items[0].Arrival)
			out := take(t, tokyo, seoul, b)
			if out[0].Status != k.status || (k.status != desk.Accepted) == (out[0].Reason == "") {
				t.Fatalf("%+v, want %s", out[0], k.status)
			}
			if out[1].Status != desk.Accepted {
				t.Errorf("it spoiled the next: %+v", out[1])
			}
			var want []string
			if k.status != desk.Accepted {
				want = []string{fmt.Sprintf("%s %s %s", k.status, k.rule, Tokyo)}
			}
			if got := undelivered(t, tokyo); !slices.Equal(got, want) {
				t.Errorf("kept %q, want %q", got, want)
			}
			tokyo.Reopen(t)
			if got := undelivered(t, tokyo); !slices.Equal(got, want) {
				t.Errorf("after a restart %q, want %q", got, want)
			}
			if err := check(tokyo); err != nil {
				t.Error(err)
			}
			checkEvidence(t, tokyo, b.Items[0].Arrival, k.status, k.rule)
		})
	}
}

// checkEvidence: what is held or refused goes back as signed evidence; what
// waits does not, yet.
func checkEvidence(t *testing.T, o *Office, a *desk.Arrival, status desk.Status, rule string) {
	t.Helper()
	out, err := o.Desk.Read(context.Background(), registry.Neighbour(Seoul), desk.Query{What: desk.Outbox})
	if err != nil {
		t.Fatal(err)
	}
	if status != desk.Held && status != desk.Refused {
		if len(out.Outbox) != 0 {
			t.Errorf("%s, and evidence goes back: %+v", status, out.Outbox)
		}
		return
	}
	if len(out.Outbox) != 1 || out.Outbox[0].Signed == nil {
		t.Fatalf("outbox %+v", out.Outbox)
	}
	e := out.Outbox[0].Signed.Evidence
	if e.Act != a.Travels.Act.Hash() || e.Office != Tokyo || string(e.Verdict) != string(status) || e.Rule != rule {
		t.Errorf("evidence %+v", e)
	}
	if err := ledger.VerifyEvidence(*out.Outbox[0].Signed, [][]byte{o.Keys.ActKey()}); err != nil {
		t.Error(err)
	}
}

func TestAPageIsTakenOnceAndInOrder(t *testing.T) {
	seoul, tokyo := pair(t)
	c := Collection("trial", "cyber")
	seoul.Post(t, "Korea", c, note("a", 1, stix.Green), note("b", 1, stix.Green))
	b := page(t, tokyo, seoul, c)
	take(t, tokyo, seoul, b)
	if _, err := tokyo.Take(context.Background(), seoul, b); !errors.Is(err, desk.ErrPosition) {
		t.Errorf("twice: %v", err)
	}
	ahead := b
	f := *b.Follow
	f.From, f.Size = 7, 9
	ahead.Follow = &f
	if _, err := tokyo.Take(context.Background(), seoul, ahead); !errors.Is(err, desk.ErrPosition) {
		t.Errorf("a gap: %v", err)
	}
	if n := tokyo.Size(t, c); n != 2 {
		t.Errorf("%d leaves", n)
	}
	again := desk.Batch{Collection: c, Items: b.Items}
	out, err := accept(tokyo, registry.Neighbour(Seoul), again)
	if err != nil || out[0].Status != desk.Duplicate || out[1].Status != desk.Duplicate || tokyo.Size(t, c) != 2 {
		t.Errorf("the same acts by another way: %+v %v", out, err)
	}
	if _, err := seoul.Desk.Read(context.Background(), registry.Neighbour(Tokyo), desk.Query{What: desk.Log, Collection: c, From: 3}); !errors.Is(err, desk.ErrPosition) {
		t.Errorf("beyond the end: %v", err)
	}
	for name, f := range map[string]desk.Follow{
		"of another office":     {Origin: liaison.Origin{Office: HQ, Collection: c, Generation: 1}},
		"of another collection": {Origin: liaison.Origin{Office: Seoul, Collection: Collection("itpp", "cyber"), Generation: 1}},
	} {
		if _, err := accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: c, Follow: &f}); err == nil {
			t.Errorf("a position %s was taken", name)
		}
	}
	if _, err := accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: c, Items: Items(note("x", 1, stix.Green))}); err == nil {
		t.Error("a neighbour brought a bare object")
	}
	tokyo.Reopen(t)
	if b, ok, err := tokyo.Page(context.Background(), seoul, c, 0); ok || err != nil {
		t.Errorf("the position was lost: %+v %v", b, err)
	}
}

func TestNeighboursGetWhatIsOfferedAndNotWhatTheySent(t *testing.T) {
	seoul, tokyo := pair(t)
	c := Collection("trial", "cyber")
	seoul.Post(t, "Korea", c, note("a", 1, stix.Green))
	tokyo.Follow(t, seoul, c)
	tokyo.Post(t, "Japan", c, note("b", 1, stix.Green))
	p, err := tokyo.Desk.Read(context.Background(), registry.Neighbour(Seoul), desk.Query{What: desk.Log, Collection: c})
	if err != nil || len(p.Leaves) != 2 {
		t.Fatal(p, err)
	}
	if sent := p.Leaves[0].Travels; sent.Bytes != nil || !sent.Salt.IsZero() {
		t.Error("what seoul sent goes back to it")
	}
	if own := p.Leaves[1].Travels; string(own.Bytes) != string(note("b", 1, stix.Green)) {
		t.Errorf("%s", own.Bytes)
	}
	if _, err := seoul.Desk.Read(context.Background(), registry.Neighbour(HQ), desk.Query{What: desk.Log, Collection: c}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("hq is no neighbour of seoul: %v", err)
	}
	if _, err := tokyo.Desk.Read(context.Background(), registry.Neighbour(Seoul), desk.Query{What: desk.Log, Collection: liaison.CollectionOf(liaison.H(nil), "x", 1)}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("an unknown collection: %v", err)
	}
}

func TestAWaitingActIsTriedAgainWhenItsMarkingComes(t *testing.T) {
	seoul, tokyo := pair(t)
	c := Collection("trial", "cyber")
	terms := ID("marking-definition", "terms")
	seoul.Post(t, "Korea", c, statement("terms", stix.Green.Marking()), markedBy("n", stix.Green.Marking(), terms))
	b := page(t, tokyo, seoul, c)
	out, err := accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: c, Items: b.Items[1:]})
	if err != nil || out[0].Status != desk.Waiting {
		t.Fatalf("%+v %v", out, err)
	}
	tokyo.Reopen(t)
	if got := undelivered(t, tokyo); len(got) != 1 {
		t.Fatalf("%q", got)
	}
	out, err = accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: c, Items: b.Items[:1]})
	if err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("%+v %v", out, err)
	}
	tokyo.Await(t, func() bool { return len(undelivered(t, tokyo)) == 0 }, c)
	if shown := tokyo.Shown(t, c); len(shown) != 2 {
		t.Errorf("%v", shown)
	}
}

func TestWhatCameBeforeItsCharterIsAppendedWhenTheCharterComes(t *testing.T) {
	clock := NewClock()
	seoul, tokyo := alone(t, Seoul, Options{Clock: clock}), New(t, Tokyo, Options{Clock: clock})
	tokyo.Found(t, "register")
	c, charter := Collection("trial", "cyber"), Collection("trial", liaison.Charter)
	person := []byte(`{"type":"identity","spec_version":"2.1","id":"` + string(ID("identity", "person")) + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"A person","object_marking_refs":["` + string(stix.Green.Marking()) + `"]}`)
	seoul.Post(t, "Korea", c, note("n", 1, stix.Green), person)
	out := take(t, tokyo, seoul, page(t, tokyo, seoul, c))
	for i, o := range out {
		if o.Status != desk.Waiting {
			t.Errorf("%d: %+v", i, o)
		}
	}
	tokyo.Reopen(t)
	for i, o := range tokyo.Follow(t, seoul, charter) {
		if o.Status != desk.Accepted {
			t.Errorf("charter entry %d: %+v", i, o)
		}
	}
	tokyo.Await(t, func() bool { return len(undelivered(t, tokyo)) == 0 }, c)
	if fmt.Sprint(tokyo.Shown(t, c)) != fmt.Sprint(seoul.Shown(t, c)) {
		t.Errorf("tokyo shows %v", tokyo.Shown(t, c))
	}
	r := receipt(t, tokyo, "Japan", c, 0)
	if len(r.Hops) != 2 {
		t.Errorf("%d hops", len(r.Hops))
	}
}

// TestACharterComesInAnyOrder: the first charter introduces its signers, in
// whatever order and in pages of any length.
func TestACharterComesInAnyOrder(t *testing.T) {
	for _, limit := range []int{0, 1, 3} {
		clock := NewClock()
		hq, tokyo := alone(t, HQ, Options{Clock: clock}), New(t, Tokyo, Options{Clock: clock})
		for _, alias := range []string{"directed", "itpp", "register", "trial", "members", "community", "bulletin"} {
			c := Collection(alias, liaison.Charter)
			for {
				b, ok, err := tokyo.Page(context.Background(), hq, c, limit)
				if err != nil {
					t.Fatalf("%s: %v", alias, err)
				}
				if !ok {
					break
				}
				slices.Reverse(b.Items)
				take(t, tokyo, hq, b)
			}
		}
		var charters []liaison.CollectionID
		for _, c := range Charters() {
			charters = append(charters, c.Collection(liaison.Charter))
		}
		tokyo.Await(t, func() bool { return len(undelivered(t, tokyo)) == 0 }, charters...)
		if picture(tokyo) != picture(hq) {
			t.Errorf("pages of %d: tokyo sees\n%s\nhq\n%s", limit, picture(tokyo), picture(hq))
		}
	}
}

func TestALateArrivalNearABoundaryIsHeldForAPerson(t *testing.T) {
	const end = 24 * time.Hour // of trial
	for _, k := range []struct {
		name           string
		accepted, then time.Duration // after Begin; and until it comes to tokyo
		rule           string
	}{
		{"in time", end - time.Hour, time.Minute, ""},
		{"nine minutes, across the end", end - 5*time.Minute, 9 * time.Minute, ""},
		{"eleven minutes, across the end", end - 5*time.Minute, 11 * time.Minute, "act.boundary"},
		{"an hour, before the end", end - 2*time.Hour, time.Hour, ""},
		{"eight days after the end", end - time.Minute, 8 * 24 * time.Hour, "act.late"},
	} {
		seoul, tokyo := pair(t)
		c := Collection("trial", "cyber")
		seoul.Clock.Move(k.accepted)
		if out := seoul.Post(t, "Korea", c, note("n", 1, stix.Green)); out[0].Status != desk.Accepted {
			t.Fatalf("%s: %+v", k.name, out)
		}
		seoul.Clock.Move(k.then)
		take(t, tokyo, seoul, page(t, tokyo, seoul, c))
		var want []string
		if k.rule != "" {
			want = []string{fmt.Sprintf("held %s %s", k.rule, Tokyo)}
		}
		if got := undelivered(t, tokyo); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", k.name, got, want)
		}
	}
}

// TestTheFirstRelayHopCountsNotTheArrivalHere: what tokyo took in time, hq
// takes hours later, and tokyo's word is verified.
func TestTheFirstRelayHopCountsNotTheArrivalHere(t *testing.T) {
	for name, want := range map[string]desk.Status{"as it is": desk.Accepted, "backdated": desk.Refused} {
		clock := NewClock()
		seoul, tokyo, hq := alone(t, Seoul, Options{Clock: clock}), alone(t, Tokyo, Options{Clock: clock}), alone(t, HQ, Options{Clock: clock})
		c := Collection("trial", "cyber")
		clock.Move(24*time.Hour - time.Minute)
		seoul.Post(t, "Korea", c, note("n", 1, stix.Green))
		tokyo.Follow(t, seoul, c)
		clock.Move(5 * time.Hour)
		b := page(t, hq, tokyo, c)
		if name == "backdated" {
			b.Items[0].Arrival.Hop.Leaf.Added--
		}
		if out := take(t, hq, tokyo, b); out[0].Status != want {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

func TestNobodyElsesControlObjectsEnterByRelay(t *testing.T) {
	seoul, tokyo := pair(t)
	charter := Collection("trial", liaison.Charter)
	b := page(t, tokyo, seoul, charter)
	size := tokyo.Size(t, charter)
	a := b.Items[0].Arrival
	withBytes(a, SignBy(liaison.NewPartyObject(PartyID("Korea"), "Korea", "organization", liaison.PartyExtension{Kind: liaison.PartyAlliance, ServedBy: Seoul}, At(time.Hour)), 1))
	out, err := accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: charter, Items: b.Items[:1]})
	if err != nil || out[0].Status != desk.Refused || !strings.Contains(out[0].Reason, "2 of 3") || tokyo.Size(t, charter) != size {
		t.Errorf("%+v %v", out, err)
	}
	withBytes(a, note("n", 1, stix.Green))
	out, err = accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: charter, Items: b.Items[:1]})
	if err != nil || out[0].Status != desk.Refused {
		t.Errorf("a note: %+v %v", out, err)
	}
}
