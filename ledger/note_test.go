package ledger_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/tools/vectors/sample"
	"golang.org/x/mod/sumdb/note"
)

func ed25519Verify(key []byte, text string, sig []byte) bool {
	return ed25519.Verify(key, []byte(text), sig)
}

// sampleLog is seoul's log of a delivery.
func sampleLog() (*sample.Alliance, *sample.Log) {
	a := sample.New()
	return a, a.Deliver().Logs[0]
}

func TestGoNotesAndOursAreTheSame(t *testing.T) {
	_, l := sampleLog()
	text := l.Note().String()
	key := l.Office.Log.As(l.Origin.String())
	v, err := note.NewVerifier(ledger.VKey(key.Name, key.Public()))
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(text), note.VerifierList(v))
	if err != nil || n.Text != l.Checkpoint().Text() {
		t.Fatalf("x/mod refuses our note: %v", err)
	}
}

func TestACheckpointOpensWithItsLogsKeyOnly(t *testing.T) {
	a, l := sampleLog()
	text := l.Note(a.Tokyo).String()
	for name, c := range map[string]struct {
		note, want string
		keys       [][]byte
	}{
		"its key":               {text, "", [][]byte{a.Seoul.Log.Public()}},
		"the new key of two":    {text, "", [][]byte{a.HQ.Log.Public(), a.Seoul.Log.Public()}},
		"no key":                {text, "no signature of", nil},
		"another office's":      {text, "no signature of", [][]byte{a.Tokyo.Log.Public()}},
		"a key of 31 bytes":     {text, "no signature of", [][]byte{a.Seoul.Log.Public()[1:]}},
		"a changed root":        {strings.Replace(text, "=\n\n", "A=\n\n", 1), "line 3", [][]byte{a.Seoul.Log.Public()}},
		"a changed size":        {strings.Replace(text, "\n4\n", "\n5\n", 1), "is wrong", [][]byte{a.Seoul.Log.Public()}},
		"a size with a zero":    {strings.Replace(text, "\n4\n", "\n04\n", 1), "line 2", [][]byte{a.Seoul.Log.Public()}},
		"a size beyond numbers": {strings.Replace(text, "\n4\n", "\n9007199254740992\n", 1), "line 2", [][]byte{a.Seoul.Log.Public()}},
		"an extension line":     {strings.Replace(text, "=\n\n", "=\nmore\n\n", 1), "three lines", [][]byte{a.Seoul.Log.Public()}},
		"another origin":        {"x" + text, "no signature of", [][]byte{a.Seoul.Log.Public()}},
		"no origin":             {"y" + text[1+strings.Index(text, "/"):], "line 1", [][]byte{a.Seoul.Log.Public()}},
	} {
		_, _, err := ledger.OpenCheckpoint(c.note, c.keys)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want …%s…", name, err, c.want)
		}
	}
}

func TestABadNoteNamesTheLine(t *testing.T) {
	sig := sample.NewKey("k").Sign("t\n").String()
	for in, want := range map[string]string{
		"":                                      "no blank line",
		"t\n":                                   "no blank line",
		"t\n\n":                                 "line 3: no signature line",
		"t\n\n" + sig:                           "line 3: no signature line",
		"t\n\n" + sig + "\nx\n":                 "line 4: ",
		"t\n\nx " + sig + "\n":                  "line 3: ",
		"t\n\n— k AAAA\n":                       "line 3: signature of \"k\"",
		"t\n\n— k+ " + sig[6:] + "\n":           "line 3: ",
		"t\n\n—  " + sig[6:] + "\n":             "line 3: ",
		"t\rx\n\n" + sig + "\n":                 "line 1: control character U+000D",
		"t\nu\xff\n\n" + sig + "\n":             "line 2: not UTF-8",
		"t\n\n" + strings.Repeat(sig+"\n", 101): "line 103: more than 100",
		strings.Repeat("t", 256<<10) + "\n":     "the limit is 262144",
	} {
		if _, err := ledger.ParseNote(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want …%s…", in, err, want)
		}
	}
}

func TestACosignatureSaysWhoSawWhatWhen(t *testing.T) {
	a, l := sampleLog()
	n := l.Note(a.Tokyo)
	keys := [][]byte{a.Tokyo.Witness.Public()}
	if at, err := ledger.VerifyCosignature(n, a.Tokyo.Name.WitnessKey(), keys); err != nil || at != 1772439332 {
		t.Errorf("%d, %v", at, err)
	}
	if _, err := ledger.VerifyCosignature(n, a.HQ.Name.WitnessKey(), [][]byte{a.HQ.Witness.Public()}); !errors.Is(err, ledger.ErrNotCosigned) {
		t.Errorf("hq: %v", err)
	}
	n.Signatures = append(n.Signatures, a.Tokyo.Witness.Cosign(n.Text, 1772439999), a.Tokyo.Witness.Cosign(n.Text, 1772439500))
	if at, err := ledger.VerifyCosignature(n, a.Tokyo.Name.WitnessKey(), keys); err != nil || at != 1772439999 {
		t.Errorf("cosigned again: %d, %v", at, err)
	}
	for name, change := range map[string]func(b []byte) []byte{
		"another time":     func(b []byte) []byte { b[7] ^= 1; return b },
		"another byte":     func(b []byte) []byte { b[40] ^= 1; return b },
		"a time over 2^63": func(b []byte) []byte { b[0] |= 0x80; return b },
		"too short":        func(b []byte) []byte { return b[:71] },
	} {
		n := l.Note(a.Tokyo)
		n.Signatures[1].Sig = change(n.Signatures[1].Sig)
		if _, err := ledger.VerifyCosignature(n, a.Tokyo.Name.WitnessKey(), keys); err == nil || !strings.Contains(err.Error(), "is wrong") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABatchProvesEachOfItsActs(t *testing.T) {
	a := sample.New()
	for size := 1; size <= 9; size++ {
		acts := make([]*liaison.Act, size)
		for i := range acts {
			acts[i] = a.Act(fmt.Sprint(i), "cyber", liaison.Instant(1767225600000000+i))
		}
		for i, p := range a.Seoul.Batch(acts...) {
			keys := [][]byte{a.Seoul.Act.Public()}
			if err := ledger.VerifyBatch(acts[i], p, keys); err != nil {
				t.Errorf("%d of %d: %v", i, size, err)
			}
			if err := ledger.VerifyBatch(acts[(i+1)%size], p, keys); size > 1 && err == nil {
				t.Errorf("%d of %d proves the next act", i, size)
			}
			p.Sig = p.Sig[:3]
			if err := ledger.VerifyBatch(acts[i], p, keys); err == nil {
				t.Errorf("%d of %d verifies without a signature", i, size)
			}
		}
	}
}

func TestEvidenceIsSignedByTheOfficeItNames(t *testing.T) {
	a := sample.New()
	e := liaison.Evidence{
		V: liaison.EvidenceVersion, Act: sample.Random("act"), Office: a.Tokyo.Name,
		Verdict: liaison.VerdictHeld, Rule: "programme.area", At: sample.At("2026-03-02T08:15:31.000000Z"),
	}
	good := liaison.SignedEvidence{Evidence: e, Sig: a.Tokyo.Act.Sign(liaison.EvidenceText(&e)).Bytes()}
	keys := [][]byte{a.Tokyo.Act.Public()}
	if err := ledger.VerifyEvidence(good, keys); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*liaison.SignedEvidence){
		"another rule":    func(s *liaison.SignedEvidence) { s.Evidence.Rule = "write/role" },
		"another verdict": func(s *liaison.SignedEvidence) { s.Evidence.Verdict = liaison.VerdictRefused },
		"another office":  func(s *liaison.SignedEvidence) { s.Evidence.Office = a.HQ.Name },
		"no office":       func(s *liaison.SignedEvidence) { s.Evidence.Office = "" },
		"no signature":    func(s *liaison.SignedEvidence) { s.Sig = nil },
		"no version":      func(s *liaison.SignedEvidence) { s.Evidence.V = "" },
	} {
		s := good
		change(&s)
		if err := ledger.VerifyEvidence(s, keys); err == nil {
			t.Errorf("%s verifies", name)
		}
	}
}
