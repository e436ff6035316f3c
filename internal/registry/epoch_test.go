package registry_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/stix"
)

// TestNobodyReadsThePastByJoining: a new party needs new logs, and the office
// that serves it is not offered the old ones.
func TestNobodyReadsThePastByJoining(t *testing.T) {
	itpp := desktest.CharterOf("itpp")
	join := func(p *liaison.Programme) {
		p.Parties = append(p.Parties, liaison.Participant{Ref: desktest.PartyID("Korea"), Role: liaison.RoleParticipant, Since: p.InForce})
	}
	open := func(p *liaison.Programme) {
		for _, a := range append([]liaison.Area{liaison.Charter}, p.Areas...) {
			p.Epochs = append(p.Epochs, liaison.Epoch{Area: a, Number: 2})
		}
	}
	r := whole(t)
	charter := func(epoch uint32) liaison.CollectionID {
		return liaison.CollectionOf(itpp.Genesis(), liaison.Charter, epoch)
	}
	if _, err := r.Apply(charter(1), itpp.Amend(join)); err == nil || !strings.Contains(err.Error(), "nobody reads the past by joining") {
		t.Errorf("a party joins without new logs: %v", err)
	}
	n, err := r.Apply(charter(2), itpp.Amend(func(p *liaison.Programme) { join(p); open(p) }))
	if err != nil {
		t.Fatal(err)
	}
	now := desktest.At(0)
	p, _ := n.ProgrammeByID(itpp.Version1().ID)
	if begins := p.Versions[len(p.Versions)-1].Programme.InForce; now < begins {
		now = begins
	}
	for _, c := range n.Collections() {
		if c.Programme != p || c.Area == liaison.Charter {
			continue
		}
		last, _, closed := c.Closing(now)
		if closed != (c.Epoch == 1) || closed && last.Version != 1 {
			t.Errorf("%s epoch %d: closed %v", c.Area, c.Epoch, closed)
		}
		if _, _, was := last.Participant(desktest.PartyID("Korea")); was != (c.Epoch == 2) {
			t.Errorf("%s epoch %d closes with Korea a party: %v", c.Area, c.Epoch, was)
		}
	}
	if !slices.Contains(n.OfficesOf(p, now), desktest.Seoul) {
		t.Error("seoul does not read the new logs of a party it serves")
	}
}

// TestAnEpochIsRaisedStepByStep: between any two versions an epoch is raised by
// no more than their numbers differ, and never falls.
func TestAnEpochIsRaisedStepByStep(t *testing.T) {
	itpp, r := desktest.CharterOf("itpp"), whole(t)
	version := func(number int, cyber uint32) []byte {
		return itpp.Amend(func(p *liaison.Programme) {
			p.Version, p.InForce = number, desktest.At(time.Duration(number)*time.Hour)
			if cyber > 1 {
				p.Epochs = []liaison.Epoch{{Area: "cyber", Number: cyber}}
			}
		})
	}
	c := itpp.Collection(liaison.Charter)
	four, err := r.Apply(c, version(4, 3))
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string][]byte{
		"falls": version(5, 2), "is back at the first": version(6, 1), "leaps": version(5, 5), "was higher before": version(3, 4),
	} {
		if _, err := four.Apply(c, bad); err == nil {
			t.Errorf("an epoch %s", what)
		}
	}
	for what, good := range map[string][]byte{"stays": version(5, 3), "is raised": version(5, 4), "was raised before": version(3, 2)} {
		if _, err := four.Apply(c, good); err != nil {
			t.Errorf("an epoch %s: %v", what, err)
		}
	}
}

// TestAnOfficeIsOfferedTheEpochsOfItsParties: seoul, whose party leaves when
// new logs open, keeps the old charter with the version that removed it and is
// never offered the new one; nobody is offered an area before it opens but who
// will read it.
func TestAnOfficeIsOfferedTheEpochsOfItsParties(t *testing.T) {
	circle := desktest.Charter{Alias: "circle", Names: []string{"Denmark", "Japan", "Korea"}, Terms: liaison.Programme{
		Name: "Circle", Kind: liaison.KindPartnership, Ceiling: stix.Green, Areas: []liaison.Area{"cyber"},
	}}
	second := circle.Amend(func(p *liaison.Programme) {
		p.Parties = p.Parties[:2]
		p.Epochs = []liaison.Epoch{{Area: liaison.Charter, Number: 2}, {Area: "cyber", Number: 2}}
	})
	r := whole(t)
	for _, b := range append(circle.Objects(), second) {
		var err error
		if r, err = r.Apply(circle.Collection(liaison.Charter), b); err != nil {
			t.Fatal(err)
		}
	}
	in := func(a liaison.Area, epoch uint32) liaison.CollectionID {
		return liaison.CollectionOf(circle.Genesis(), a, epoch)
	}
	for _, c := range []struct {
		to    liaison.Office
		at    time.Duration
		wants []bool // the charter's epochs 1 and 2, then those of cyber
	}{
		{desktest.Seoul, 59 * time.Minute, []bool{true, false, true, false}},
		{desktest.Seoul, 61 * time.Minute, []bool{true, false, false, false}},
		{desktest.HQ, 59 * time.Minute, []bool{true, true, true, true}},
		{desktest.HQ, 61 * time.Minute, []bool{true, true, true, true}},
	} {
		for i, id := range []liaison.CollectionID{in(liaison.Charter, 1), in(liaison.Charter, 2), in("cyber", 1), in("cyber", 2)} {
			if got := r.Offered(desktest.Tokyo, c.to, id, desktest.At(c.at)); got != c.wants[i] {
				t.Errorf("%s after %s, collection %d: offered %v", c.to, c.at, i, got)
			}
		}
	}
}
