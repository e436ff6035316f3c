package desk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// epoch returns the id of a collection of ITPP in an epoch.
func epoch(a liaison.Area, n uint32) liaison.CollectionID {
	return liaison.CollectionOf(CharterOf("itpp").Genesis(), a, n)
}

// joined is version 2 of ITPP, in which Korea joins and every log opens anew.
func joined(further ...func(*liaison.Programme)) []byte {
	return CharterOf("itpp").Amend(func(p *liaison.Programme) {
		p.Parties = append(p.Parties, liaison.Participant{Ref: PartyID("Korea"), Role: liaison.RoleParticipant, Since: p.InForce})
		for _, a := range append([]liaison.Area{liaison.Charter}, p.Areas...) {
			p.Epochs = append(p.Epochs, liaison.Epoch{Area: a, Number: 2})
		}
		for _, f := range further {
			f(p)
		}
	})
}

// everyReceipt verifies the receipts of all entries of an office and returns
// how many there are, by collection.
func everyReceipt(t *testing.T, o *Office) map[liaison.CollectionID]uint64 {
	t.Helper()
	sizes := map[liaison.CollectionID]uint64{}
	for _, c := range o.Desk.Registry().Collections() {
		sizes[c.ID] = o.Size(t, c.ID)
		for i := range sizes[c.ID] {
			p, err := o.Desk.Read(context.Background(), registry.Operator(o.Name), desk.Query{What: desk.Receipts, Collection: c.ID, From: i})
			if err != nil {
				t.Fatal(err)
			}
			rep, err := ledger.VerifyReceipt(p.Receipt, Pin())
			if err != nil {
				t.Errorf("%s: %s %s epoch %d at %d: %v", o.Name, c.Programme.Versions[0].Alias, c.Area, c.Epoch, i, err)
			} else if rep.Area != c.Area || rep.Epoch != c.Epoch {
				t.Errorf("%s epoch %d at %d: the receipt is of %s, epoch %d", c.Area, c.Epoch, i, rep.Area, rep.Epoch)
			}
		}
	}
	return sizes
}

// TestEveryReceiptVerifiesAcrossEpochs: an amendment that lets Korea join comes
// an hour before it is in force. Until then the old logs take what is new, and
// from then on the new ones; withdrawals go where the object is. The amendment
// stands in both charters, at every office.
func TestEveryReceiptVerifiesAcrossEpochs(t *testing.T) {
	seoul, tokyo, hq := row(t)
	old, next := epoch("cyber", 1), epoch("cyber", 2)
	hq.Post(t, "NATO", old, note("first", 1, stix.Green))
	hq.Enact(t, "itpp", joined())
	both := []liaison.CollectionID{epoch(liaison.Charter, 1), epoch(liaison.Charter, 2)}
	before := hq.Size(t, both[1])
	if before != 1 {
		t.Fatalf("the new charter has %d entries before it opens, want the amendment", before)
	}
	Settle(t, seoul, tokyo, hq)
	refusedAsNew(t, hq, next, old)
	hq.Post(t, "NATO", old, note("second", 1, stix.Green))
	Settle(t, seoul, tokyo, hq)
	hq.Clock.Move(2 * time.Hour)
	refusedAsNew(t, hq, old, next)
	for _, out := range append(hq.Post(t, "NATO", next, note("third", 1, stix.Green)), hq.Post(t, "NATO", old, revoked("first", 2, stix.Green))...) {
		if out.Status != desk.Accepted {
			t.Errorf("%s: %s", out.ID, out.Reason)
		}
	}
	out, err := accept(hq, registry.Operator(HQ), desk.Batch{Collection: both[1], Items: Items(Party("Korea"))})
	if err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("Korea's object into the new charter: %+v %v", out, err)
	}
	Settle(t, seoul, tokyo, hq)
	if p, err := seoul.Read(t, "Korea", desk.Query{Collection: next}); err != nil || len(p.Entries) != 1 {
		t.Errorf("Korea reads the new log: %+v %v", p, err)
	}
	if p, err := seoul.Read(t, "Korea", desk.Query{Collection: old}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("Korea reads the past: %+v %v", p, err)
	}
	at := everyReceipt(t, hq)
	for _, o := range []*Office{tokyo, seoul} {
		have := everyReceipt(t, o)
		for _, c := range []liaison.CollectionID{old, next, both[0], both[1]} {
			if have[c] != at[c] {
				t.Errorf("%s has %d of %d entries of %s: %v", o.Name, have[c], at[c], c, undelivered(t, o))
			}
		}
	}
}

// TestAnAmendmentIsCompletedByBringingItAgain: an office that has it in the old
// charter alone, as after a crash between the two, brings it into the new one.
func TestAnAmendmentIsCompletedByBringingItAgain(t *testing.T) {
	_, tokyo, hq := row(t)
	hq.Enact(t, "itpp", joined())
	tokyo.Follow(t, hq, epoch(liaison.Charter, 1))
	size := tokyo.Size(t, epoch(liaison.Charter, 1))
	tokyo.Enact(t, "itpp", joined())
	tokyo.Enact(t, "itpp", joined())
	if old, new := tokyo.Size(t, epoch(liaison.Charter, 1)), tokyo.Size(t, epoch(liaison.Charter, 2)); old != size || new != 1 {
		t.Errorf("%d entries in the old charter, want %d; %d in the new", old, size, new)
	}
	Settle(t, tokyo, hq)
	everyReceipt(t, tokyo)
	everyReceipt(t, hq)
}

// TestWhatAnAmendmentDropsCanBeWithdrawn: the act names the last version that had
// the area, and its receipt verifies at each office.
func TestWhatAnAmendmentDropsCanBeWithdrawn(t *testing.T) {
	seoul, tokyo, hq := row(t)
	c := epoch("cyber", 1)
	hq.Post(t, "NATO", c, note("n", 1, stix.Green))
	hq.Enact(t, "itpp", CharterOf("itpp").Amend(func(p *liaison.Programme) { p.Areas = p.Areas[1:] }))
	Settle(t, seoul, tokyo, hq)
	hq.Clock.Move(2 * time.Hour)
	if out := hq.Post(t, "NATO", c, revoked("n", 2, stix.Green)); out[0].Status != desk.Accepted {
		t.Fatalf("%+v", out)
	}
	Settle(t, seoul, tokyo, hq)
	for _, o := range []*Office{seoul, tokyo, hq} {
		if sizes := everyReceipt(t, o); sizes[c] != 2 {
			t.Errorf("%s has %d of 2 entries: %v", o.Name, sizes[c], undelivered(t, o))
		}
	}
}

// refusedAsNew posts to an epoch that is not open, by every way there is, and
// looks whether the other one may be written.
func refusedAsNew(t *testing.T, o *Office, shut, open liaison.CollectionID) {
	t.Helper()
	size := o.Size(t, shut)
	out, err := accept(o, o.As(t, "NATO"), desk.Batch{Collection: shut, Items: Items(note("nowhere", 1, stix.Green))})
	if !errors.Is(err, desk.ErrReadOnly) && !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("%+v %v", out, err)
	}
	out, err = accept(o, o.As(t, "NATO"), desk.Batch{Collection: shut, Items: Items(revoked("nowhere", 1, stix.Green))})
	if err == nil && out[0].Status != desk.Refused {
		t.Errorf("what was never released is withdrawn: %+v", out)
	}
	if o.Size(t, shut) != size {
		t.Error("an epoch that is not open took an act")
	}
	list, err := o.Desk.Collections(context.Background(), o.As(t, "NATO"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.ID == shut && c.CanWrite || c.ID == open && (!c.CanWrite || c.Alias != "itpp.cyber") {
			t.Errorf("%+v", c)
		}
	}
}

// TestAnArrivalNamesAVersionThatHasItsEpoch: what an office that breaks the
// rules signs into an epoch does not enter other logs, nor what comes long after
// the epoch has closed.
func TestAnArrivalNamesAVersionThatHasItsEpoch(t *testing.T) {
	amended := joined()
	second, err := liaison.Under(amended)
	if err != nil {
		t.Fatal(err)
	}
	first, opens := CharterOf("itpp").Genesis(), At(time.Hour)
	for name, c := range map[string]struct {
		epoch  uint32
		under  liaison.Hash
		at     liaison.Instant
		passed time.Duration
		status desk.Status
		rule   string
	}{
		"the old one, as it closes":    {1, first, opens - 1, time.Minute, desk.Accepted, ""},
		"the new one, once open":       {2, second, opens, time.Minute, desk.Accepted, ""},
		"the new one under version 1":  {2, first, opens - 1, time.Minute, desk.Refused, "act.under"},
		"the new one before it opened": {2, second, opens - 1, time.Minute, desk.Held, "programme.term"},
		"the old one, once closed":     {1, second, opens, time.Minute, desk.Refused, "programme.term"},
		"the old one, eight days late": {1, first, opens - 1, 8 * 24 * time.Hour, desk.Held, "act.late"},
	} {
		t.Run(name, func(t *testing.T) {
			seoul, tokyo := pair(t)
			for _, o := range []*Office{seoul, tokyo} {
				o.Enact(t, "itpp", amended)
			}
			seoul.Post(t, "Denmark for NATO", epoch("cyber", 1), note("n", 1, stix.Green))
			b := page(t, tokyo, seoul, epoch("cyber", 1))
			resign(b.Items[0].Arrival, func(a *liaison.Act) {
				a.Collection, a.Under, a.Accepted = epoch("cyber", c.epoch), c.under, c.at
			})
			b.Collection, b.Follow = epoch("cyber", c.epoch), nil
			tokyo.Clock.Move(time.Hour + c.passed)
			out, err := accept(tokyo, registry.Neighbour(Seoul), b)
			if err != nil || out[0].Status != c.status {
				t.Fatalf("%+v %v", out, err)
			}
			if c.status != desk.Accepted {
				checkEvidence(t, tokyo, b.Items[0].Arrival, c.status, c.rule)
			}
		})
	}
}
