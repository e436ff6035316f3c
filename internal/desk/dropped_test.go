package desk_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

// dropping is a version of the trial without the area cyber.
func dropping(version int, change func(*liaison.Programme)) []byte {
	return CharterOf("trial").Amend(func(p *liaison.Programme) {
		p.Version, p.InForce = version, At(time.Duration(version-1)*time.Hour)
		p.Modified = At(time.Duration(version) * time.Second).String()
		p.Areas, p.ValidUntil = []liaison.Area{"space"}, At(240*time.Hour)
		change(p)
	})
}

// TestADroppedAreaStaysReadableAndProvable: it takes nothing new; who was and is
// a party reads it and its receipts, and nobody else does.
func TestADroppedAreaStaysReadableAndProvable(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c := Collection("trial", "cyber")
	o.Post(t, "Korea", c, note("n", 1, stix.Green))
	o.Enact(t, "trial", dropping(2, func(*liaison.Programme) {}))
	o.Clock.Move(2 * time.Hour)
	if p, err := o.Read(t, "Korea", desk.Query{Collection: c}); err != nil || len(p.Entries) != 1 {
		t.Fatalf("%+v %v", p, err)
	}
	if r := receipt(t, o, "Korea", c, 0); r.Object == nil || len(r.Programme) == 0 {
		t.Errorf("%+v", r)
	}
	list, err := o.Desk.Collections(context.Background(), o.As(t, "Korea"))
	i := slices.IndexFunc(list, func(l desk.Collection) bool { return l.ID == c })
	if err != nil || i < 0 || list[i].CanWrite {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := accept(o, o.As(t, "Korea"), desk.Batch{Collection: c, Items: Items(note("late", 1, stix.Green))}); !errors.Is(err, desk.ErrReadOnly) {
		t.Errorf("something new: %v", err)
	}
	if _, err := o.Read(t, "India", desk.Query{Collection: c}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	o.Enact(t, "trial", dropping(3, func(p *liaison.Programme) {
		p.Parties = slices.DeleteFunc(p.Parties, func(q liaison.Participant) bool { return q.Ref == PartyID("Korea") })
	}))
	o.Clock.Move(time.Hour)
	if _, err := o.Read(t, "Korea", desk.Query{Collection: c}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("after leaving: %v", err)
	}
	if _, err := o.Read(t, "Denmark for NATO", desk.Query{Collection: c}); err != nil {
		t.Errorf("who stays: %v", err)
	}
}

// TestNobodyReadsADroppedAreaByJoining: who joins after the drop was not there.
func TestNobodyReadsADroppedAreaByJoining(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c := Collection("trial", "cyber")
	o.Post(t, "Korea", c, note("n", 1, stix.Green))
	joined := dropping(2, func(p *liaison.Programme) {
		p.Epochs = []liaison.Epoch{{Area: liaison.Charter, Number: 2}}
		p.Parties = append(p.Parties, liaison.Participant{Ref: PartyID("Denmark"), Role: liaison.RoleParticipant, Since: At(-time.Hour)})
	})
	charter := liaison.CollectionOf(CharterOf("trial").Genesis(), liaison.Charter, 2)
	out, err := accept(o, registry.Operator(Seoul), desk.Batch{Collection: charter, Items: Items(joined)})
	if err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("%+v %v", out, err)
	}
	o.Clock.Move(2 * time.Hour)
	if _, err := o.Read(t, "Denmark", desk.Query{Collection: Collection("trial", "space")}); err != nil {
		t.Errorf("its own time: %v", err)
	}
	if _, err := o.Read(t, "Denmark", desk.Query{Collection: c}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("the past: %v", err)
	}
	if _, err := o.Read(t, "Korea", desk.Query{Collection: c}); err != nil {
		t.Errorf("who was there: %v", err)
	}
}
