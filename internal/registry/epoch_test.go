package registry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
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
