package desk_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// row opens the three offices. The register is brought at hq and every other
// charter too; the relay carries them.
func row(t *testing.T) (seoul, tokyo, hq *Office) {
	t.Helper()
	clock := NewClock()
	seoul, tokyo, hq = New(t, Seoul, Options{Clock: clock}), New(t, Tokyo, Options{Clock: clock}), New(t, HQ, Options{Clock: clock})
	hq.Found(t)
	for _, o := range []*Office{seoul, tokyo} {
		o.Found(t, "register")
	}
	clock.Move(time.Minute)
	Settle(t, seoul, tokyo, hq)
	return seoul, tokyo, hq
}

// note returns a STIX note; further members are written as they are.
func note(name string, version int, tlp stix.TLP, further ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"type":"note","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:%02d.000Z"`, ID("note", name), version)
	if tlp != stix.Unmarked {
		fmt.Fprintf(&b, `,"object_marking_refs":["%s"]`, tlp.Marking())
	}
	fmt.Fprintf(&b, `,"content":"%s %d","object_refs":["%s"]`, name, version, ID("note", name))
	for _, m := range further {
		b.WriteString("," + m)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func receipt(t *testing.T, o *Office, party string, c liaison.CollectionID, index uint64) *liaison.Receipt {
	t.Helper()
	page, err := o.Read(t, party, desk.Query{What: desk.Receipts, Collection: c, From: index, WithObject: true})
	if err != nil {
		t.Fatalf("receipt at %s of %d: %v", o.Name, index, err)
	}
	return page.Receipt
}

func verify(t *testing.T, r *liaison.Receipt, hops int) *ledger.Report {
	t.Helper()
	report, err := ledger.VerifyReceipt(r, Pin())
	if err != nil {
		t.Fatalf("receipt: %v", err)
	}
	if len(report.Hops) != hops {
		t.Fatalf("the receipt proves %d hops, want %d", len(report.Hops), hops)
	}
	return report
}

func TestANoteTravelsThreeOfficesAndIsProvedAtEach(t *testing.T) {
	seoul, tokyo, hq := row(t)
	c := Collection("itpp", "cyber")
	posted := note("first", 1, stix.Green)
	out := seoul.Post(t, "Denmark for NATO", c, posted)
	if out[0].Status != desk.Accepted {
		t.Fatalf("not accepted: %+v", out[0])
	}
	verify(t, receipt(t, seoul, "Denmark for NATO", c, out[0].Index), 1)
	seoul.Clock.Move(time.Second)
	Settle(t, seoul, tokyo, hq)
	for _, at := range []struct {
		office *Office
		party  string
	}{{seoul, "Denmark for NATO"}, {tokyo, "Japan"}, {hq, "NATO"}} {
		page, err := at.office.Read(t, at.party, desk.Query{Collection: c})
		if err != nil || len(page.Entries) != 1 || string(page.Entries[0].Bytes) != string(posted) {
			t.Fatalf("%s: %+v %v", at.office.Name, page, err)
		}
		r := verify(t, receipt(t, at.office, at.party, c, page.Entries[0].Index), 3)
		for i, h := range r.Hops[:2] {
			if h.Office != []liaison.Office{Seoul, Tokyo}[i] || len(h.Cosigned) == 0 {
				t.Errorf("%s: hop %d is %s, cosigned %v", at.office.Name, i, h.Office, h.Cosigned)
			}
		}
	}
	if err := check(tokyo); err != nil {
		t.Error(err)
	}
}

func check(o *Office) error {
	r, err := o.Journal.Check(context.Background())
	if err == nil && len(r.Problems) > 0 {
		err = fmt.Errorf("%s: %v", o.Name, r.Problems)
	}
	return err
}
