package desk_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// trio opens the three offices with one clock; all know the whole alliance.
func trio(t *testing.T) (seoul, tokyo, hq *Office) {
	t.Helper()
	clock := NewClock()
	return alone(t, Seoul, Options{Clock: clock}), alone(t, Tokyo, Options{Clock: clock}), alone(t, HQ, Options{Clock: clock})
}

// TestEvidencePassesBackOfficeByOffice moves every page and every piece of
// evidence by hand.
func TestEvidencePassesBackOfficeByOffice(t *testing.T) {
	seoul, tokyo, hq := trio(t)
	c := Collection("trial", "cyber")
	seoul.Post(t, "Korea", c, note("n", 1, stix.Green))
	verify(t, receipt(t, seoul, "Korea", c, 0), 1)

	tokyo.Follow(t, seoul, c)
	verify(t, receipt(t, seoul, "Korea", c, 0), 1) // tokyo cosigned; its own leaf is not here yet
	seoul.Follow(t, tokyo, c)                      // tokyo's leaf of delivery
	r := verify(t, receipt(t, seoul, "Korea", c, 0), 2)
	cosigned(t, r, 0, Tokyo)
	cosigned(t, r, 1, Seoul)

	hq.Follow(t, tokyo, c)
	tokyo.Follow(t, hq, c)
	verify(t, receipt(t, seoul, "Korea", c, 0), 2)
	if n := tokyo.PassBack(t, seoul); n != 1 {
		t.Fatalf("%d pieces of evidence for seoul, want 1", n)
	}
	if n := tokyo.PassBack(t, seoul); n != 0 {
		t.Errorf("%d are still there after they were delivered", n)
	}
	for _, at := range []struct {
		o     *Office
		party string
	}{{seoul, "Korea"}, {tokyo, "Japan"}, {hq, "NATO"}} {
		r := verify(t, receipt(t, at.o, at.party, c, 0), 3)
		cosigned(t, r, 0, Tokyo)
		cosigned(t, r, 1, HQ)
		cosigned(t, r, 2, Tokyo)
	}
	seoul.Reopen(t)
	verify(t, receipt(t, seoul, "Korea", c, 0), 3)
}

func cosigned(t *testing.T, r *ledger.Report, hop int, by liaison.Office) {
	t.Helper()
	if !slices.ContainsFunc(r.Hops[hop].Cosigned, func(k ledger.Cosigned) bool { return k.Office == by }) {
		t.Errorf("hop %d of %s is not cosigned by %s: %+v", hop, r.Hops[hop].Office, by, r.Hops[hop].Cosigned)
	}
}

func TestWhatHQHoldsIsKnownAtSeoul(t *testing.T) {
	seoul, tokyo, hq := trio(t)
	c := Collection("trial", "cyber")
	seoul.Clock.Move(23 * time.Hour)
	seoul.Post(t, "Korea", c, note("n", 1, stix.Green))
	tokyo.Follow(t, seoul, c)
	seoul.Clock.Move(9 * 24 * time.Hour)
	hq.Follow(t, tokyo, c)
	held := []string{fmt.Sprintf("held act.late %s", HQ)}
	if got := undelivered(t, hq); !slices.Equal(got, held) {
		t.Errorf("hq: %q", got)
	}
	hq.PassBack(t, tokyo)
	tokyo.PassBack(t, seoul)
	for _, o := range []*Office{tokyo, seoul} {
		if got := undelivered(t, o); !slices.Equal(got, held) {
			t.Errorf("%s: %q, want %q", o.Name, got, held)
		}
		o.Reopen(t)
		if got := undelivered(t, o); !slices.Equal(got, held) {
			t.Errorf("%s after a restart: %q", o.Name, got)
		}
	}
	if n := hq.Size(t, c); n != 0 {
		t.Errorf("%d leaves at hq", n)
	}
}

func TestEvidenceThatDoesNotVerifyIsDropped(t *testing.T) {
	seoul, tokyo, hq := trio(t)
	c := Collection("trial", "cyber")
	seoul.Post(t, "Korea", c, note("n", 1, stix.Green), note("m", 1, stix.Green))
	tokyo.Follow(t, seoul, c)
	hq.Follow(t, tokyo, c)
	tokyo.Follow(t, hq, c)
	p, err := tokyo.Desk.Read(context.Background(), registry.Neighbour(Seoul), desk.Query{What: desk.Outbox})
	if err != nil || len(p.Outbox) != 2 {
		t.Fatal(p, err)
	}
	e := p.Outbox[0]
	forged := func(change func(*desk.Evidence)) desk.Evidence {
		f := e
		f.Hops = slices.Clone(e.Hops)
		change(&f)
		return f
	}
	said := liaison.Evidence{V: liaison.EvidenceVersion, Act: e.Act, Office: HQ, Verdict: liaison.VerdictRefused, Rule: "x", At: At(time.Minute)}
	by := func(signer liaison.Office) *liaison.SignedEvidence {
		return &liaison.SignedEvidence{Evidence: said, Sig: NewKeys(signer).SignAct(liaison.EvidenceText(&said))}
	}
	for name, bad := range map[string]desk.Evidence{
		"an unknown act":              forged(func(f *desk.Evidence) { f.Act = liaison.H(nil) }),
		"another act":                 forged(func(f *desk.Evidence) { f.Act = p.Outbox[1].Act }),
		"another leaf":                forged(func(f *desk.Evidence) { f.Hops[1].Leaf.Added++ }),
		"another place":               forged(func(f *desk.Evidence) { f.Hops[1].Index++ }),
		"no checkpoint":               forged(func(f *desk.Evidence) { f.Hops[0].Checkpoint = "" }),
		"nothing":                     forged(func(f *desk.Evidence) { f.Hops = nil }),
		"tokyo's word for hq's":       forged(func(f *desk.Evidence) { f.Hops, f.Signed = nil, by(Tokyo) }),
		"hq's word about another act": forged(func(f *desk.Evidence) { f.Act, f.Hops, f.Signed = p.Outbox[1].Act, nil, by(HQ) }),
	} {
		if _, err := accept(seoul, registry.Neighbour(Tokyo), desk.Batch{Evidence: []desk.Evidence{bad}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r := receipt(t, seoul, "Korea", c, 0); len(r.Hops) != 1 {
			t.Errorf("%s was believed: %d hops", name, len(r.Hops))
		}
		if got := undelivered(t, seoul); len(got) != 0 {
			t.Errorf("%s was believed: %q", name, got)
		}
	}
	if _, err := accept(seoul, registry.Neighbour(Tokyo), desk.Batch{Evidence: []desk.Evidence{forged(func(f *desk.Evidence) { f.Hops, f.Signed = nil, by(HQ) })}}); err != nil {
		t.Fatal(err)
	}
	if got := undelivered(t, seoul); !slices.Equal(got, []string{fmt.Sprintf("refused x %s", HQ)}) {
		t.Errorf("hq's own word: %q", got)
	}
}

func TestACosignatureIsTheNeighboursOwnAndOfOurLog(t *testing.T) {
	seoul, tokyo, hq := trio(t)
	c := Collection("trial", "cyber")
	seoul.Post(t, "Korea", c, note("n", 1, stix.Green))
	b := page(t, tokyo, seoul, c)
	take(t, tokyo, seoul, b)
	cp, err := ledger.ReadCheckpoint(b.Follow.Note)
	if err != nil {
		t.Fatal(err)
	}
	own := seoul.Keys.SignCheckpoint(cp.Origin, cp.Text())
	foreign := ledger.Checkpoint{Origin: tokyo.Origin(c), Size: 1, Root: cp.Root}
	for name, note := range map[string]string{
		"not cosigned": own, "cosigned by another": own + hq.Keys.Cosign(cp.Text(), 1772355600) + "\n", "not ours": tokyo.Keys.SignCheckpoint(foreign.Origin, foreign.Text()), "junk": "junk",
	} {
		if _, err := accept(seoul, registry.Neighbour(Tokyo), desk.Batch{Collection: c, Cosigned: note}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestAnotherPartysActForTheSameObjectKeepsItsOwnProof: an again leaf is out
// of sight, travels, and has a receipt of its own at every office.
func TestAnotherPartysActForTheSameObjectKeepsItsOwnProof(t *testing.T) {
	seoul, tokyo, hq := trio(t)
	c := Collection("trial", "cyber")
	seoul.Post(t, "Korea", c, note("n", 1, stix.Green))
	tokyo.Follow(t, seoul, c)
	tokyo.Clock.Move(time.Second)
	if out := tokyo.Post(t, "Japan", c, note("n", 1, stix.Green)); out[0].Status != desk.Accepted || out[0].Index != 1 {
		t.Fatalf("%+v", out)
	}
	Settle(t, seoul, tokyo, hq)
	for party, o := range map[string]*Office{"Korea": seoul, "Japan": tokyo, "NATO": hq} {
		p, err := o.Read(t, party, desk.Query{Collection: c, Filter: desk.Filter{Versions: []string{"all"}}})
		if err != nil || len(p.Entries) != 1 || o.Size(t, c) != 2 {
			t.Errorf("%s: %+v %v", o.Name, p, err)
		}
		by := map[liaison.Party]bool{}
		for i := range uint64(2) {
			r := receipt(t, o, party, c, i)
			verify(t, r, len(r.Hops))
			by[r.Act.By] = true
			if string(r.Object.Bytes) != string(note("n", 1, stix.Green)) {
				t.Errorf("%s at %d: %s", o.Name, i, r.Object.Bytes)
			}
		}
		if len(by) != 2 {
			t.Errorf("%s proves %v", o.Name, by)
		}
		if err := check(o); err != nil {
			t.Error(err)
		}
	}
}
