package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/tools/vectors/sample"
)

func TestAReceiptProvesEveryHop(t *testing.T) {
	a := sample.New()
	d := a.Deliver()
	rep, err := ledger.VerifyReceipt(a.Receipt(d, 3), a.Pin)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Area != "disinformation" || rep.Epoch != 1 || rep.Genesis != a.Genesis || !rep.Object || rep.ProgrammeBy != "" {
		t.Errorf("report %+v", rep)
	}
	want := []struct {
		office liaison.Office
		by     []liaison.Office
	}{
		{"seoul.example.org", []liaison.Office{"tokyo.example.org"}},
		{"tokyo.example.org", []liaison.Office{"seoul.example.org", "hq.example.org"}},
		{"hq.example.org", []liaison.Office{"tokyo.example.org"}},
	}
	for i, w := range want {
		h := rep.Hops[i]
		if h.Office != w.office || len(h.Cosigned) != len(w.by) || h.Index != d.Index[i] || h.Size != uint64(len(d.Logs[i].Leaves)) {
			t.Errorf("hop %d: %+v", i, h)
		}
	}
}

func TestALoneHopNeedsNoCosignatureAndSaysSo(t *testing.T) {
	a := sample.New()
	rep, err := ledger.VerifyReceipt(a.Receipt(a.Deliver(), 1), a.Pin)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Hops) != 1 || len(rep.Hops[0].Cosigned) != 0 {
		t.Errorf("report %+v", rep.Hops)
	}
}

func TestADirectedProgrammeIsSignedByItsOffice(t *testing.T) {
	a := sample.New()
	rep, err := ledger.VerifyReceipt(a.DirectedReceipt(), a.Pin)
	if err != nil {
		t.Fatal(err)
	}
	if rep.ProgrammeBy != "seoul.example.org" || rep.Object || rep.Area != "cyber" {
		t.Errorf("report %+v", rep)
	}
}

// A version has all epochs up to its newest: what is withdrawn later in a closed
// one, and the entries of an amendment on both sides of its boundary, verify.
func TestAVersionProvesActsOfTheEpochsItClosed(t *testing.T) {
	a := sample.New()
	closed, opened := a.AmendmentReceipts()
	for _, c := range []struct {
		receipt *liaison.Receipt
		area    liaison.Area
		epoch   uint32
		version int
	}{
		{a.NewEpochReceipt(), "cyber", 2, 2}, {a.WithdrawalReceipt(), "disinformation", 1, 2},
		{closed, liaison.Charter, 1, 1}, {opened, liaison.Charter, 2, 2},
	} {
		rep, err := ledger.VerifyReceipt(reread(t, c.receipt), a.Pin)
		if err != nil {
			t.Errorf("%s, epoch %d: %v", c.area, c.epoch, err)
		} else if rep.Area != c.area || rep.Epoch != c.epoch || rep.Programme.Version != c.version {
			t.Errorf("report %s, epoch %d, version %d", rep.Area, rep.Epoch, rep.Programme.Version)
		}
	}
}

func TestAReceiptMayComeWithoutTheAuthority(t *testing.T) {
	a := sample.New()
	r := a.Receipt(a.Deliver(), 2)
	r.Keys.Authority = nil
	if _, err := ledger.VerifyReceipt(reread(t, r), a.Pin); err != nil {
		t.Error(err)
	}
}

// reread writes a receipt and reads it again, as it comes out of a mail.
func reread(t *testing.T, r *liaison.Receipt) *liaison.Receipt {
	t.Helper()
	out, err := liaison.ParseReceipt(liaison.JCS(r))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// forgery is a receipt in which everything is signed and one thing is wrong.
type forgery struct {
	name, place, reason string
	forge               func(a *sample.Alliance, d *sample.Delivery) *liaison.Receipt
}

// rebuilt signs the delivery's first leaf again after the act was changed.
func rebuilt(change func(*sample.Alliance, *liaison.Act)) func(*sample.Alliance, *sample.Delivery) *liaison.Receipt {
	return func(a *sample.Alliance, d *sample.Delivery) *liaison.Receipt {
		change(a, d.Act)
		l := a.Seoul.Open(d.Act.Collection)
		l.Append(liaison.Leaf{Kind: liaison.KindObject, Act: d.Act.Hash(), Added: sample.At("2026-03-02T08:15:30.250000Z")})
		d.Batch, d.Logs, d.Index = a.Seoul.Batch(d.Act)[0], []*sample.Log{l}, []uint64{0}
		return a.Receipt(d, 1)
	}
}

// leafChanged changes a leaf of the way before the logs are signed.
func leafChanged(hop int, change func(*liaison.Leaf)) func(*sample.Alliance, *sample.Delivery) *liaison.Receipt {
	return func(a *sample.Alliance, d *sample.Delivery) *liaison.Receipt {
		change(&d.Logs[hop].Leaves[d.Index[hop]])
		return a.Receipt(d, 3)
	}
}

// changed changes a receipt that was right.
func changed(change func(*sample.Alliance, *sample.Delivery, *liaison.Receipt)) func(*sample.Alliance, *sample.Delivery) *liaison.Receipt {
	return func(a *sample.Alliance, d *sample.Delivery) *liaison.Receipt {
		r := a.Receipt(d, 3)
		change(a, d, r)
		return r
	}
}

func forgeries() []forgery {
	return []forgery{
		{"no hop", "hops", "there is none", changed(func(_ *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) { r.Hops = nil })},
		{"another authority", "keys/authority", "not the pinned one", changed(func(a *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			auth, _ := liaison.ParseAuthority(a.AuthorityObject)
			auth.Threshold = 1
			r.Keys.Authority = a.Sign(liaison.JCS(auth))
		})},
		{"an office nobody vouches for", "keys/offices/1", "2 of 3 signatures needed, found 0", changed(func(a *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			b, _ := liaison.Unsigned(a.Tokyo.Object)
			r.Keys.Offices[1] = b
		})},
		{"an office twice", "keys/offices/3", "there twice", changed(func(a *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			r.Keys.Offices = append(r.Keys.Offices, a.Tokyo.Object)
		})},
		{"an office is missing", "hops/2/checkpoint", "lacks hq.example.org", changed(func(_ *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			r.Keys.Offices = r.Keys.Offices[:2]
		})},
		{"a checkpoint signed by another office", "hops/1/checkpoint", "no signature of tokyo.example.org/", changed(func(a *sample.Alliance, d *sample.Delivery, r *liaison.Receipt) {
			text := d.Logs[1].Checkpoint().Text()
			n := ledger.Note{Text: text, Signatures: []ledger.Signature{a.HQ.Log.As(d.Logs[1].Origin.String()).Sign(text)}}
			r.Hops[1].Checkpoint = n.String()
		})},
		{"a checkpoint signed with the witness key", "hops/1/checkpoint", "no signature of tokyo.example.org/", changed(func(a *sample.Alliance, d *sample.Delivery, r *liaison.Receipt) {
			text := d.Logs[1].Checkpoint().Text()
			n := ledger.Note{Text: text, Signatures: []ledger.Signature{a.Tokyo.Witness.As(d.Logs[1].Origin.String()).Sign(text)}}
			r.Hops[1].Checkpoint = n.String()
		})},
		{"a log of another collection", "hops/1/checkpoint", "a log of collection", changed(func(a *sample.Alliance, d *sample.Delivery, r *liaison.Receipt) {
			l := a.Tokyo.Open(liaison.CollectionOf(a.Genesis, "cyber", 1))
			l.Leaves = d.Logs[1].Leaves
			r.Hops[1] = l.Hop(d.Index[1], a.Seoul, a.HQ)
		})},
		{"a middle hop not cosigned by the next", "hops/1/checkpoint", "hq.example.org did not cosign", changed(func(a *sample.Alliance, d *sample.Delivery, r *liaison.Receipt) {
			r.Hops[1] = d.Logs[1].Hop(d.Index[1], a.Seoul)
		})},
		{"the last hop not cosigned by the one before", "hops/2/checkpoint", "tokyo.example.org did not cosign", changed(func(a *sample.Alliance, d *sample.Delivery, r *liaison.Receipt) {
			r.Hops[2] = d.Logs[2].Hop(d.Index[2], a.Seoul)
		})},
		{"cosigned with the log key", "hops/2/checkpoint", "tokyo.example.org did not cosign", changed(func(a *sample.Alliance, d *sample.Delivery, r *liaison.Receipt) {
			n := d.Logs[2].Note()
			n.Signatures = append(n.Signatures, a.Tokyo.Log.As(a.Tokyo.Name.WitnessKey()).Cosign(n.Text, 1772439332))
			r.Hops[2].Checkpoint = n.String()
		})},
		{"a shorter path", "hops/0/path", "want", changed(func(_ *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			r.Hops[0].Path = r.Hops[0].Path[1:]
		})},
		{"another index", "hops/2/path", "leads to root", changed(func(_ *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			r.Hops[2].Index ^= 1
		})},
		{"via another log", "hops/2/leaf/via", "names tokyo.example.org", leafChanged(2, func(l *liaison.Leaf) { l.Via.Origin.Generation = 2 })},
		{"via another index", "hops/1/leaf/via", "names seoul.example.org", leafChanged(1, func(l *liaison.Leaf) { l.Via = &liaison.Via{Origin: l.Via.Origin, Index: 0} })},
		{"via is missing", "hops/1/leaf/via", "missing", leafChanged(1, func(l *liaison.Leaf) { l.Via = nil })},
		{"the first hop came by relay", "hops/0/leaf/via", "came by relay", changed(func(a *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			r.Hops = r.Hops[1:]
		})},
		{"a conflict at the first door", "hops/0/leaf/kind", "first door", leafChanged(0, func(l *liaison.Leaf) { l.Kind = liaison.KindConflict })},
		{"a deadline is no acceptance", "hops/1/leaf/kind", "does not record an act", leafChanged(1, func(l *liaison.Leaf) { l.Kind, l.Counts = liaison.KindClosed, []liaison.Count{} })},
		{"an erasure of what is not erased", "hops/1/leaf/kind", "does not fit", leafChanged(1, func(l *liaison.Leaf) { l.Kind = liaison.KindErasure })},
		{"another act", "act", "its hash is", changed(func(_ *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) { r.Act.By = sample.Eastland })},
		{"another act at a later hop", "act", "hops/2 records", leafChanged(2, func(l *liaison.Leaf) { l.Act = sample.Random("another") })},
		{"an act of another office", "act/office", "the first hop is seoul", rebuilt(func(a *sample.Alliance, act *liaison.Act) { act.Office = a.Tokyo.Name })},
		{"accepted at another instant", "act/accepted", "its first leaf was added", rebuilt(func(_ *sample.Alliance, act *liaison.Act) { act.Accepted = act.Accepted.Add(-time.Hour) })},
		{"a batch of another act", "batch", "signature of seoul.example.org/act", changed(func(a *sample.Alliance, d *sample.Delivery, r *liaison.Receipt) {
			r.Batch = a.Seoul.Batch(a.Act("x", "disinformation", 1))[0]
		})},
		{"a batch signed by another office", "batch", "no signature of seoul.example.org/act", changed(func(a *sample.Alliance, d *sample.Delivery, r *liaison.Receipt) {
			r.Batch = a.Tokyo.Batch(d.Act)[0]
		})},
		{"another version of the programme", "programme", "the act is under", changed(func(a *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) { r.Programme = a.Second })},
		{"a programme nobody signed", "programme", "found 0", changed(func(a *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			b, _ := liaison.Unsigned(a.First)
			r.Programme = b
		})},
		{"a partnership signed by an office", "programme", "found 0", changed(func(a *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			b, _ := liaison.Unsigned(a.First)
			r.Programme = sample.SignObject(b, a.Seoul.Act)
		})},
		{"a collection that is no area", "act/collection", "no area", rebuilt(func(a *sample.Alliance, act *liaison.Act) {
			act.Collection = liaison.CollectionOf(a.Genesis, "space", 1)
		})},
		{"an epoch that is not yet", "act/collection", "no area", rebuilt(func(a *sample.Alliance, act *liaison.Act) {
			act.Collection = liaison.CollectionOf(a.Genesis, "cyber", 2)
		})},
		{"other bytes", "object", "not what the act committed to", changed(func(_ *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) {
			r.Object.Bytes = append(r.Object.Bytes, ' ')
		})},
		{"another salt", "object", "not what the act committed to", changed(func(_ *sample.Alliance, _ *sample.Delivery, r *liaison.Receipt) { r.Object.Salt[0] ^= 1 })},
	}
}

func TestAForgedReceiptFailsAtItsPlace(t *testing.T) {
	for _, f := range forgeries() {
		t.Run(f.name, func(t *testing.T) {
			a := sample.New()
			_, err := ledger.VerifyReceipt(f.forge(a, a.Deliver()), a.Pin)
			var failure *ledger.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("error %v, want a Failure", err)
			}
			if failure.Place != f.place || !strings.Contains(failure.Reason, f.reason) {
				t.Errorf("%s: %s; want %s: …%s…", failure.Place, failure.Reason, f.place, f.reason)
			}
		})
	}
}

func TestKeysCountOnlyInTheirTime(t *testing.T) {
	for use, place := range map[liaison.KeyUse]string{
		liaison.UseLog: "hops/0/checkpoint", liaison.UseAct: "batch", liaison.UseWitness: "hops/1/checkpoint",
	} {
		a := sample.New()
		r := a.Receipt(a.Deliver(), 2)
		o, _ := liaison.ParseOfficeObject(a.Seoul.Object)
		for i := range o.Keys {
			if o.Keys[i].Use == use {
				o.Keys[i].Until = sample.At("2026-03-01T00:00:00.000000Z")
			}
		}
		b, _ := liaison.Unsigned(liaison.JCS(o))
		r.Keys.Offices[0] = a.Sign(b)
		_, err := ledger.VerifyReceipt(r, a.Pin)
		var f *ledger.Failure
		if !errors.As(err, &f) || f.Place != place {
			t.Errorf("%s key ended before: %v, want a failure at %s", use, err, place)
		}
	}
}

// Every byte of a receipt is changed, in one of its six lower bits in turn. A
// changed receipt is refused when it is read, or fails when it is verified, at
// the member in which the byte stands. White space between tokens does not
// occur in JCS, and no byte here has a second spelling.
func TestEveryChangedByteOfAReceiptIsDetectedAndNamed(t *testing.T) {
	a := sample.New()
	t.Run("directed, every byte", func(t *testing.T) {
		t.Parallel()
		flipAll(t, liaison.JCS(a.DirectedReceipt()), a.Pin, "")
	})
	t.Run("two hops, every byte of the hops", func(t *testing.T) {
		t.Parallel()
		flipAll(t, liaison.JCS(a.Receipt(a.Deliver(), 2)), a.Pin, "hops")
	})
	t.Run("with object, every byte of the object", func(t *testing.T) {
		t.Parallel()
		flipAll(t, liaison.JCS(a.Receipt(a.Deliver(), 1)), a.Pin, "object")
	})
}

// flipAll changes the bytes below a member of a receipt.
func flipAll(t *testing.T, b []byte, pin ledger.Pin, below string) {
	places, changed := map[string]int{}, 0
	owner := owners(t, b)
	for i := range b {
		if !strings.HasPrefix(owner[i], below) {
			continue
		}
		changed++
		bit := byte(1) << (i % 6)
		b[i] ^= bit
		r, err := liaison.ParseReceipt(b)
		if err != nil {
			places["refused when read"]++
		} else if _, err = ledger.VerifyReceipt(r, pin); err == nil {
			t.Errorf("byte %d ^ %#x verifies: …%s…", i, bit, b[max(0, i-40):min(len(b), i+40)])
		} else {
			place := err.(*ledger.Failure).Place
			places[place]++
			checkOwner(t, owner[i], place)
		}
		b[i] ^= bit
	}
	t.Logf("%d of %d bytes changed, where it was detected: %v", changed, len(b), places)
}

// owners maps each byte of a receipt to the places that may be named for it.
func owners(t *testing.T, b []byte) []string {
	t.Helper()
	out := make([]string, len(b))
	dec := jsontext.NewDecoder(strings.NewReader(string(b)))
	start := int64(0)
	for {
		if _, err := dec.ReadToken(); err != nil {
			return out
		}
		path := strings.TrimPrefix(string(dec.StackPointer()), "/")
		for i := start; i < dec.InputOffset(); i++ {
			out[i] = path
		}
		start = dec.InputOffset()
	}
}

// checkOwner compares the member a byte stands in with the place named for it.
// What an act says about itself is named by the member of the act or by the
// first thing that depends on it: the checkpoint's collection.
func checkOwner(t *testing.T, owner, place string) {
	t.Helper()
	top := func(s string, n int) string {
		parts := strings.SplitN(s, "/", n+1)
		return strings.Join(parts[:min(n, len(parts))], "/")
	}
	depth := 1
	switch {
	case top(owner, 2) == "keys/offices":
		depth = 3
	case top(owner, 1) == "keys" || top(owner, 1) == "hops":
		depth = 2
	}
	ok := top(owner, depth) == top(place, depth) ||
		owner == "act/collection" && place == "hops/0/checkpoint"
	if !ok {
		t.Errorf("a byte of %s: the failure names %s", owner, place)
	}
}
