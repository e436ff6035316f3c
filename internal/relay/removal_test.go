package relay

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

// circle is a programme with one party at each office and nobody acting for
// another, so that an office is out with its party.
var (
	circle = desktest.Charter{Alias: "circle", Names: []string{"Denmark", "Japan", "Korea"}, Others: []string{"NATO"}, Terms: liaison.Programme{
		Name: "Circle", Kind: liaison.KindPartnership, Ceiling: stix.Green, Areas: []liaison.Area{"cyber"},
	}}
	circleCyber, circleCharter = circle.Collection("cyber"), circle.Collection(liaison.Charter)
)

// enact brings control objects into the circle's charter.
func enact(t *testing.T, n *node, objects ...[]byte) {
	t.Helper()
	out, err := n.Desk.Accept(t.Context(), registry.Operator(n.Name), desk.Batch{Collection: circleCharter, Items: desktest.Items(objects...)})
	for _, o := range out {
		if err == nil && o.Status != desk.Accepted {
			err = errors.New(o.Reason)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// inCircle starts the three offices and waits until each knows the circle.
func inCircle(t *testing.T) (s, k, h *node) {
	t.Helper()
	s, k, h = row(t, newWires())
	start(s, k, h)
	h.Found(t, "register")
	enact(t, h, circle.Objects()...)
	for n, party := range map[*node]string{s: "Korea", k: "Japan", h: "Denmark"} {
		eventually(t, string(n.Name)+" knows the circle", func() bool {
			list, err := n.Desk.Collections(t.Context(), n.As(t, party))
			return err == nil && len(n.Desk.Registry().Neighbours(tokyo)) == 2 && n.Size(t, circleCharter) == uint64(len(circle.Objects())) &&
				slices.ContainsFunc(list, func(c desk.Collection) bool { return c.ID == circleCyber && c.CanWrite })
		})
	}
	return s, k, h
}

// without is a version of the circle that takes parties out, from an instant
// on.
func without(version int, at time.Duration, names ...string) []byte {
	return circle.Amend(func(p *liaison.Programme) {
		p.Version, p.Modified, p.InForce = version, desktest.At(time.Duration(version)*time.Second).String(), desktest.At(at)
		p.Parties = slices.DeleteFunc(p.Parties, func(q liaison.Participant) bool {
			return slices.ContainsFunc(names, func(n string) bool { return q.Ref == desktest.PartyID(n) })
		})
	})
}

// versions returns how many versions of a collection's programme an office
// knows.
func (n *node) versions(c liaison.CollectionID) int {
	coll, ok := n.Desk.Registry().Collection(c)
	if !ok {
		return 0
	}
	return len(coll.Programme.Versions)
}

// move moves the clocks of all.
func move(d time.Duration, nodes ...*node) {
	for _, n := range nodes {
		n.Clock.Move(d)
	}
}

// read reads a page of the circle in Korea's name.
func korea(t *testing.T, n *node, from uint64) (*desk.Page, error) {
	t.Helper()
	return n.Read(t, "Korea", desk.Query{Collection: circleCyber, From: from, Limit: 1})
}

// TestARemovedPartysOfficeGetsTheCharterUpToTheRemovalAndNothingMore: hq takes
// Korea, and with it seoul, out of the circle. The removal is the last that
// seoul gets, while tokyo gets all that follows; the page that seoul's long poll
// waits for is not sent; Korea's reading ends between two pages.
func TestARemovedPartysOfficeGetsTheCharterUpToTheRemovalAndNothingMore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := inCircle(t)
		h.post(t, "Denmark", circleCyber, notes("before", 0, 3)...)
		holdsAll(t, s, h, circleCyber, 3)
		enact(t, h, without(2, 10*time.Minute, "Korea"))
		eventually(t, "seoul knows of the removal", func() bool { return s.versions(circleCyber) == 2 })
		h.post(t, "Denmark", circleCyber, note("still a party"))
		holdsAll(t, s, h, circleCyber, 4)
		charterSize := s.Size(t, circleCharter)
		page, err := korea(t, s, 0)
		if err != nil || !page.More {
			t.Fatalf("before the removal is in force: %+v %v", page, err)
		}

		move(11*time.Minute, s, k, h)
		if _, err := korea(t, s, page.Next); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("Korea reads the next page: %v", err)
		}
		h.post(t, "Denmark", circleCyber, notes("after", 0, 3)...) // seoul's long poll at tokyo waits for it
		enact(t, h, without(3, 20*time.Minute, "Korea", "Japan"))
		holdsAll(t, k, h, circleCyber, 7)
		eventually(t, "tokyo knows its own removal", func() bool { return k.versions(circleCyber) == 3 })
		time.Sleep(5 * time.Minute) // of the bubble: seoul asks again and again
		s.restart()
		time.Sleep(5 * time.Minute)
		if got := s.Size(t, circleCyber); got != 4 {
			t.Errorf("seoul has %d entries of the circle, 4 came before the removal", got)
		}
		if got := s.Size(t, circleCharter); got != charterSize || s.versions(circleCyber) != 2 {
			t.Errorf("seoul has %d entries of the charter and %d versions, %d and 2 with the removal", got, s.versions(circleCyber), charterSize)
		}
		for _, c := range []liaison.CollectionID{circleCyber, circleCharter} {
			_, err := k.Desk.Read(t.Context(), registry.Neighbour(seoul), desk.Query{What: desk.Log, Collection: c, From: s.Size(t, c)})
			if !errors.Is(err, desk.ErrNotFound) {
				t.Errorf("tokyo reads out %s to seoul: %v", c, err)
			}
		}
	})
}

// TestAnOfficeThatWasAwayLearnsOfItsRemovalAndNoMore: the removal and what
// followed it came while seoul was not connected.
func TestAnOfficeThatWasAwayLearnsOfItsRemovalAndNoMore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := inCircle(t)
		charterSize := s.Size(t, circleCharter)
		s.stop()
		enact(t, h, without(2, 10*time.Minute, "Korea"))
		enact(t, h, without(3, 20*time.Minute, "Korea"))
		eventually(t, "tokyo knows both", func() bool { return k.versions(circleCyber) == 3 })
		move(30*time.Minute, s, k, h)
		h.post(t, "Denmark", circleCyber, note("after"))
		holdsAll(t, k, h, circleCyber, 1)
		s.start()
		eventually(t, "seoul knows of the removal", func() bool { return s.versions(circleCyber) == 2 })
		time.Sleep(5 * time.Minute)
		if s.Size(t, circleCharter) != charterSize+1 || s.versions(circleCyber) != 2 || s.Size(t, circleCyber) != 0 {
			t.Errorf("seoul has %d entries of the charter, of %d with the removal, and %d of the circle", s.Size(t, circleCharter), charterSize+1, s.Size(t, circleCyber))
		}
		if _, err := korea(t, s, 0); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("Korea reads: %v", err)
		}
	})
}

// withdrawal is the revoked version of a note.
func withdrawal(name string) []byte {
	return liaison.JCS(map[string]any{
		"type": "note", "spec_version": "2.1", "id": desktest.ID("note", name), "created_by_ref": desktest.PartyID("Korea"),
		"created": "2026-03-01T08:00:00.000Z", "modified": "2026-03-01T10:00:00.000Z", "revoked": true,
		"object_marking_refs": []stix.ID{stix.Green.Marking()}, "content": name, "object_refs": []stix.ID{desktest.PartyID("Korea")},
	})
}

// TestAWithdrawalReachesEveryOfficeWhateverHasBecomeOfPartyAndTerm: what Korea
// released is withdrawn at seoul, and tokyo's and hq's readers see that.
func TestAWithdrawalReachesEveryOfficeWhateverHasBecomeOfPartyAndTerm(t *testing.T) {
	trial := desktest.Collection("trial", "cyber")
	for name, k := range map[string]struct {
		c    liaison.CollectionID
		ends func(t *testing.T, s, k, h *node)
		read bool // by Japan and NATO, afterwards
	}{
		"as a party":            {circleCyber, func(*testing.T, *node, *node, *node) {}, true},
		"after it left":         {circleCyber, func(t *testing.T, s, k, h *node) { leave(t, s, k, h) }, true},
		"after the closed term": {trial, func(_ *testing.T, s, k, h *node) { move(25*time.Hour, s, k, h) }, false},
		"long after the term":   {trial, func(_ *testing.T, s, k, h *node) { move(40*24*time.Hour, s, k, h) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s, tk, h := inCircle(t)
				h.Found(t, "trial")
				eventually(t, "seoul knows the trial", func() bool { return s.versions(trial) == 1 && tk.versions(trial) == 1 })
				s.post(t, "Korea", k.c, note("kept"), note("mine"))
				holdsAll(t, h, s, k.c, 2)
				k.ends(t, s, tk, h)
				s.post(t, "Korea", k.c, withdrawal("mine"))
				for _, n := range []*node{tk, h} {
					holdsAll(t, n, s, k.c, 3)
					if got := n.Shown(t, k.c)[string(desktest.ID("note", "mine"))]; got != string(withdrawal("mine")) {
						t.Errorf("%s shows %s", n.Name, got)
					}
				}
				for n, party := range map[*node]string{tk: "Japan", h: "Denmark"} {
					p, err := n.Read(t, party, desk.Query{Collection: k.c, Filter: desk.Filter{IDs: []string{string(desktest.ID("note", "mine"))}}})
					if k.read && (err != nil || len(p.Entries) != 1 || string(p.Entries[0].Bytes) != string(withdrawal("mine"))) {
						t.Errorf("%s reads %+v, %v", party, p, err)
					}
					if !k.read && !errors.Is(err, desk.ErrNotFound) {
						t.Errorf("%s reads a closed collection: %v", party, err)
					}
				}
				for _, n := range []*node{s, tk, h} {
					p, err := n.Desk.Read(t.Context(), registry.Operator(n.Name), desk.Query{What: desk.Undelivered})
					if err != nil || len(p.Acts) != 0 {
						t.Errorf("%s: not delivered: %s %v", n.Name, fmt.Sprint(p.Acts), err)
					}
				}
			})
		})
	}
}

// leave takes Korea out of the circle and waits until that is in force.
func leave(t *testing.T, s, k, h *node) {
	enact(t, h, without(2, 10*time.Minute, "Korea"))
	eventually(t, "seoul and tokyo know of it", func() bool { return s.versions(circleCyber) == 2 && k.versions(circleCyber) == 2 })
	move(11*time.Minute, s, k, h)
}
