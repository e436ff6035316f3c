package ledger_test

import (
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/tools/vectors/sample"
	"golang.org/x/mod/sumdb/note"
)

// What is read as a note is written as the same bytes, and x/mod reads it too.
func FuzzNote(f *testing.F) {
	a, l := sampleLog()
	f.Add(l.Note(a.Tokyo, a.HQ).String())
	f.Add("t\n\n— k AAAAAAA=\n")
	f.Fuzz(func(t *testing.T, in string) {
		n, err := ledger.ParseNote(in)
		if err != nil {
			return
		}
		if n.String() != in {
			t.Errorf("%q is written as %q", in, n)
		}
		if _, err := note.Open([]byte(in), note.VerifierList()); err != nil {
			if _, unverified := err.(*note.UnverifiedNoteError); !unverified {
				t.Errorf("%q: x/mod says %v", in, err)
			}
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	_, l := sampleLog()
	f.Add(l.Checkpoint().Text())
	f.Fuzz(func(t *testing.T, in string) {
		if c, err := ledger.ParseCheckpointText(in); err == nil && c.Text() != in {
			t.Errorf("%q is written as %q", in, c.Text())
		}
	})
}

func FuzzPin(f *testing.F) {
	f.Add(sample.New().Pin.String())
	f.Add("# x\nliaison/pin/1\r\nthreshold 1\n")
	f.Fuzz(func(t *testing.T, in string) {
		p, err := ledger.ParsePin(in)
		if err != nil {
			return
		}
		again, err := ledger.ParsePin(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q is written as %q: %v", in, p, err)
		}
	})
}

func FuzzRange(f *testing.F) {
	f.Add(make([]byte, 8))
	f.Fuzz(func(t *testing.T, in []byte) {
		var r ledger.Range
		if err := r.UnmarshalBinary(in); err != nil {
			return
		}
		if out, _ := r.MarshalBinary(); string(out) != string(in) {
			t.Errorf("%x is written as %x", in, out)
		}
	})
}

// A changed receipt that still verifies says the same.
func FuzzReceipt(f *testing.F) {
	a := sample.New()
	f.Add(liaison.JCS(a.Receipt(a.Deliver(), 1)))
	f.Add(liaison.JCS(a.DirectedReceipt()))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := liaison.ParseReceipt(in)
		if err != nil {
			return
		}
		rep, err := ledger.VerifyReceipt(r, a.Pin)
		if _, named := err.(*ledger.Failure); err != nil && !named {
			t.Errorf("the error names no place: %v", err)
		}
		if err == nil && rep.Hops[0].Office != a.Seoul.Name {
			t.Errorf("report %+v", rep)
		}
	})
}
