package ledger_test

import (
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/tools/vectors/sample"
)

func TestTwoOfThreeSignTogether(t *testing.T) {
	a := sample.New()
	k := a.AuthorityKeys
	route := liaison.JCS(liaison.NewRoute(sample.ID("route", "x"), a.Seoul.Name, []liaison.Office{a.Tokyo.Name}, 1))
	twice := ledger.Pin{Threshold: 2, Keys: []string{ledger.VKey("one", k[0].Public()), ledger.VKey("two", k[0].Public())}}
	for name, c := range map[string]struct {
		pin  ledger.Pin
		keys []sample.Key
		want string // part of the error, or ""
	}{
		"two":                         {a.Pin, []sample.Key{k[2], k[0]}, ""},
		"three":                       {a.Pin, []sample.Key{k[0], k[1], k[2]}, ""},
		"two and a stranger":          {a.Pin, []sample.Key{k[0], a.HQ.Act, k[1]}, ""},
		"one":                         {a.Pin, []sample.Key{k[0]}, "2 of 3 signatures needed, found 1: signed by [alliance.example.org/authority/1]"},
		"none":                        {a.Pin, nil, "found 0"},
		"one and a stranger":          {a.Pin, []sample.Key{k[0], a.HQ.Act}, "found 1"},
		"one, under two names":        {a.Pin, []sample.Key{k[0], k[0].As(k[1].Name)}, "found 1"},
		"a stranger's key, our names": {a.Pin, []sample.Key{a.HQ.Act.As(k[0].Name), a.HQ.Act.As(k[1].Name)}, "found 0"},
		"one key pinned twice":        {twice, []sample.Key{k[0].As("one"), k[0].As("two")}, "listed twice"},
		"no threshold":                {ledger.Pin{Keys: a.Pin.Keys}, []sample.Key{k[0], k[1]}, "threshold 0"},
	} {
		err := c.pin.Verify(sample.SignObject(route, c.keys...))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want …%s…", name, err, c.want)
		}
	}
}

// WithSignatures keeps one copy of a line, so the second copy is put in by hand.
func TestTheSameSignatureTwiceCountsOnce(t *testing.T) {
	a := sample.New()
	one := sample.SignObject(a.Seoul.Object, a.AuthorityKeys[0])
	unsigned, err := liaison.Unsigned(one)
	if err != nil {
		t.Fatal(err)
	}
	signed := sample.SignObject(unsigned, a.AuthorityKeys[0])
	_, lines, err := liaison.SignedText(signed)
	if err != nil {
		t.Fatal(err)
	}
	doubled := strings.Replace(string(signed), `["`+lines[0]+`"]`, `["`+lines[0]+`","`+lines[0]+`"]`, 1)
	if _, lines, err = liaison.SignedText([]byte(doubled)); err != nil || len(lines) != 2 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if err := a.Pin.Verify([]byte(doubled)); err == nil || !strings.Contains(err.Error(), "found 1") {
		t.Errorf("one key twice: %v", err)
	}
}

func TestAWrongSignatureSpoilsTheObject(t *testing.T) {
	a := sample.New()
	third := sample.SignObject(a.Seoul.Object, a.AuthorityKeys[2].As(a.AuthorityKeys[2].Name))
	_, lines, _ := liaison.SignedText(third)
	s, err := ledger.ParseSignature(lines[2])
	if err != nil {
		t.Fatal(err)
	}
	s.Sig[9] ^= 1
	changed := strings.Replace(string(third), lines[2], s.String(), 1)
	if err := a.Pin.Verify([]byte(changed)); err == nil || !strings.Contains(err.Error(), "is wrong") {
		t.Errorf("two right ones and a wrong one: %v", err)
	}
}

func TestOneOfficeSignsADirectedProgramme(t *testing.T) {
	a := sample.New()
	name, key := a.Seoul.Name.ActKey(), a.Seoul.Act.Public()
	if err := ledger.VerifySignedBy(a.Directed, name, [][]byte{a.HQ.Act.Public(), key}); err != nil {
		t.Error(err)
	}
	if err := ledger.VerifySignedBy(a.Directed, a.HQ.Name.ActKey(), [][]byte{key}); err == nil {
		t.Error("the key counts under another name")
	}
	if err := ledger.VerifySignedBy(a.First, name, [][]byte{key}); err == nil {
		t.Error("a programme of the authority counts as the office's")
	}
}

func TestAPinIsReadAsWritten(t *testing.T) {
	a := sample.New()
	text := a.Pin.String()
	p, err := ledger.ParsePin("# pinned by Kim and Sato\n\n" + strings.ReplaceAll(text, "\n", "\r\n"))
	if err != nil || p.String() != text {
		t.Fatalf("%v\n%s", err, p)
	}
	key := a.Pin.Keys[0]
	wrong := strings.Replace(key, "+5e4d63e6+", "+5e4d63e7+", 1)
	for in, want := range map[string]string{
		"":                                 "no key",
		"threshold 1\n":                    `line 1: "threshold 1", want "liaison/pin/1" first`,
		"liaison/pin/1\nthreshold 1\n":     "no key",
		"liaison/pin/1\nkey " + key + "\n": "threshold 0 with 1 keys",
		"liaison/pin/1\nthreshold 02\n":    "line 2: threshold",
		"liaison/pin/1\nthreshold 1\nthreshold 1\n":                              "line 3: threshold",
		"liaison/pin/1\nthreshold 2\nkey " + key + "\n":                          "threshold 2 with 1 keys",
		"liaison/pin/1\nkey " + key + "\n#\nkey " + key + "\n":                   "line 4: key 2",
		"liaison/pin/1\nkey " + wrong + "\n":                                     "line 2: key 1: verifier key",
		"liaison/pin/1\nkey " + ledger.WitnessVKey("w", make([]byte, 32)) + "\n": "Ed25519",
		"liaison/pin/1\nkeys x\n":                                                "line 2: \"keys x\"",
	} {
		if _, err := ledger.ParsePin(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want …%s…", in, err, want)
		}
	}
}
