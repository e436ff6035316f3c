package desk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

// picture writes down who takes part, as an office sees it.
func picture(o *Office) string {
	var b strings.Builder
	r := o.Desk.Registry()
	for _, c := range r.Collections() {
		fmt.Fprintf(&b, "%s %s", c.ID, c.Area)
		for _, v := range c.Programme.Versions {
			fmt.Fprintf(&b, " %s v%d %s", v.Name, v.Version, v.Under)
		}
		b.WriteByte('\n')
	}
	for _, p := range r.Parties() {
		fmt.Fprintf(&b, "%+v\n", *p)
	}
	for _, name := range []liaison.Office{Seoul, Tokyo, HQ} {
		fmt.Fprintf(&b, "%s %v %x\n", name, r.Neighbours(name), r.OfficeKeys(name, liaison.UseAct, At(0)))
	}
	return b.String() + string(r.Authority())
}

func TestChartersAreFoldedAgainToTheSamePicture(t *testing.T) {
	o := alone(t, HQ, Options{})
	itpp := CharterOf("itpp")
	o.Enact(t, "itpp", itpp.Amend(func(p *liaison.Programme) { p.Areas = append(p.Areas, "space") }))
	before := picture(o)
	o.Reopen(t)
	if after := picture(o); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	o.Post(t, "NATO", itpp.Collection("cyber"), note("n", 1, stix.Green))
}

func TestACharterTakesItsOwnSignedControlObjectsAndNothingElse(t *testing.T) {
	o := alone(t, HQ, Options{})
	charter := Collection("itpp", liaison.Charter)
	size, before := o.Size(t, charter), picture(o)
	unsigned := liaison.JCS(CharterOf("community").Version1())
	for want, b := range map[string][]byte{
		"belongs into its own charter": SignProgramme(CharterOf("community").Version1()),
		"own charter":                  unsigned,
		"takes control objects":        note("n", 1, stix.Clear),
		"signatures needed":            SignBy(liaison.NewPartyObject(PartyID("India"), "India", "organization", liaison.PartyExtension{Kind: liaison.PartyContact, ServedBy: Tokyo}, At(9)), 1),
		"is no party of":               Party("India"),
		"needs the extension":          []byte(`{"type":"identity","spec_version":"2.1","id":"` + string(ID("identity", "x")) + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"x"}`),
	} {
		out := o.Control(t, "itpp", b)
		if out[0].Status != desk.Refused || !strings.Contains(out[0].Reason, want) {
			t.Errorf("want %q: %+v", want, out[0])
		}
	}
	if o.Size(t, charter) != size || picture(o) != before {
		t.Error("something was stored")
	}
	out, err := accept(o, registry.Operator(HQ), desk.Batch{Collection: Collection("itpp", "cyber"), Items: Items(Party("NATO"))})
	if err != nil || out[0].Status != desk.Refused {
		t.Errorf("a control object into an area: %+v %v", out, err)
	}
	if out := o.Control(t, "itpp", Party("NATO")); out[0].Status != desk.Duplicate {
		t.Errorf("the same again: %+v", out[0])
	}
}

func TestAnAmendmentCountsFromItsInstant(t *testing.T) {
	o := alone(t, HQ, Options{})
	itpp := CharterOf("itpp")
	amended := itpp.Amend(func(p *liaison.Programme) { p.Ceiling = stix.Green })
	o.Enact(t, "itpp", amended)
	amber := func(name string) []byte {
		return note(name, 1, stix.Amber, `"created_by_ref":"`+string(PartyID("NATO"))+`"`)
	}
	c := itpp.Collection("cyber")
	if out := o.Post(t, "NATO", c, amber("a")); out[0].Status != desk.Accepted {
		t.Errorf("before: %+v", out[0])
	}
	o.Clock.Move(61 * 60e9)
	if out := o.Post(t, "NATO", c, amber("b"), note("c", 1, stix.Green)); out[0].Status != desk.Refused || out[1].Status != desk.Accepted {
		t.Errorf("afterwards: %+v", out)
	}
	under, err := liaison.Under(amended)
	if err != nil {
		t.Fatal(err)
	}
	if got := receipt(t, o, "NATO", c, 1).Act.Under; got != under {
		t.Errorf("the act names %s, want version 2, %s", got, under)
	}
}

func TestADryRunOfAControlObjectStoresNothing(t *testing.T) {
	o := New(t, HQ, Options{})
	c := CharterOf("register")
	out, err := accept(o, registry.Operator(HQ), desk.Batch{Collection: c.Collection(liaison.Charter), DryRun: true, Items: Items(c.Objects()[0])})
	if err != nil || out[0].Status != desk.Accepted || o.Size(t, c.Collection(liaison.Charter)) != 0 || len(o.Desk.Registry().Collections()) != 0 {
		t.Errorf("%+v %v", out, err)
	}
}

// TestOfTwoVersionsWithOneNumberTheSameCountsEverywhere: the authority signs two
// second versions, and each office hears of another one first.
func TestOfTwoVersionsWithOneNumberTheSameCountsEverywhere(t *testing.T) {
	seoul, tokyo, hq := row(t)
	itpp := CharterOf("itpp")
	two := func(ceiling stix.TLP) []byte { return itpp.Amend(func(p *liaison.Programme) { p.Ceiling = ceiling }) }
	hq.Enact(t, "itpp", two(stix.Green))
	if out := hq.Control(t, "itpp", two(stix.Clear)); out[0].Status != desk.Refused || !strings.Contains(out[0].Reason, "/version 2 is here") {
		t.Errorf("a second one at one door: %+v", out[0])
	}
	tokyo.Enact(t, "itpp", two(stix.Clear))
	hq.Clock.Move(2 * time.Hour)
	c := itpp.Collection("cyber")
	hq.Post(t, "NATO", c, note("under the one", 1, stix.Clear))
	tokyo.Post(t, "Japan", c, note("under the other", 1, stix.Clear))
	Settle(t, seoul, tokyo, hq)
	want := picture(hq)
	for _, o := range []*Office{seoul, tokyo, hq} {
		if got := picture(o); got != want {
			t.Errorf("%s sees\n%s\nhq\n%s", o.Name, got, want)
		}
		o.Reopen(t)
		if got := picture(o); got != want {
			t.Errorf("%s, opened again, sees\n%s\nhq\n%s", o.Name, got, want)
		}
		everyReceipt(t, o)
		if n := o.Size(t, itpp.Collection(liaison.Charter)); n != hq.Size(t, itpp.Collection(liaison.Charter)) {
			t.Errorf("%s has %d entries in the charter", o.Name, n)
		}
	}
	if held := append(undelivered(t, tokyo), undelivered(t, hq)...); len(held) == 0 || !strings.HasPrefix(held[0], "held act.under") {
		t.Errorf("the act under the version that does not count: %v", held)
	}
}
