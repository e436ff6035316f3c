package stix_test

import (
	"encoding/hex"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

func TestCanonicalFormsOfRFC8785(t *testing.T) {
	type row struct {
		Case  string `json:"case"`
		Input string `json:"input"`
		Hex   string `json:"canonical_hex"`
	}
	all := rows[row](t, filepath.Join(shared(t), "corpora", "log", "jcs-cases.jsonl"))
	for _, r := range all {
		want, err := hex.DecodeString(r.Hex)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := stix.Canonical([]byte(r.Input)); err != nil || string(got) != string(want) {
			t.Errorf("%s: %s, want %s (%v)", r.Case, got, want, err)
		}
	}
	t.Logf("%d cases", len(all))
}

func TestCanonicalNumbersAreNeverRoundedSilently(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "-0.0": "0", "1.0": "1", "1E2": "100", "-15": "-15", "1e30": "1e+30", "1E30": "1e+30",
		"333333333.33333329": "333333333.3333333", "0.1": "0.1", "1e-27": "1e-27", "123456789012345": "123456789012345",
		"9007199254740991":                "9007199254740991",
		"9007199254740993":                "9007199254740993",
		"-9007199254740993":               "-9007199254740993",
		"9007199254740993.0":              "9007199254740993.0",
		"9007199254740993e0":              "9007199254740993e0",
		"100000000000000000000000":        "100000000000000000000000",
		"1e400":                           "1e400",
		"-1e400":                          "-1e400",
		"1e-400":                          "1e-400",
		"0e-400":                          "0",
		"1152921504606846976.5":           "1152921504606846976.5",
		"[1E2,9007199254740993,\"1E2,\"]": "[100,9007199254740993,\"1E2,\"]",
	} {
		got, err := stix.Canonical([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, want %s (%v)", in, got, want, err)
		}
	}
}

func TestContentsAreEqualWhateverTheirOrderAndSpace(t *testing.T) {
	a, err1 := stix.Canonical([]byte(`{ "b" : [1.0, "\u00e9"], "a" : null }`))
	b, err2 := stix.Canonical([]byte("{\"a\":null,\"b\":[1,\"\u00e9\"]}"))
	if err1 != nil || err2 != nil || string(a) != string(b) {
		t.Errorf("%s and %s (%v, %v)", a, b, err1, err2)
	}
}

func TestOnlyStrictJSONHasACanonicalForm(t *testing.T) {
	for _, in := range []string{"", "{", `{"a":1,"a":2}`, `"\ud800"`, "\"\xff\"", "{} {}", "nul"} {
		if got, err := stix.Canonical([]byte(in)); err == nil {
			t.Errorf("%q has the canonical form %s", in, got)
		}
	}
}

// jsonValues draws compact JSON of some depth.
func jsonValues(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kind := rapid.IntRange(0, 5).Draw(t, "kind")
		if depth == 0 {
			kind %= 4
		}
		switch kind {
		case 0:
			return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "literal")
		case 1:
			return rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
		case 2, 3:
			return quote(rapid.String().Draw(t, "string"))
		case 4:
			parts := rapid.SliceOfN(jsonValues(depth-1), 0, 4).Draw(t, "elements")
			return "[" + join(parts) + "]"
		}
		names := rapid.SliceOfNDistinct(rapid.String(), 0, 4, rapid.ID[string]).Draw(t, "names")
		for i, name := range names {
			names[i] = quote(name) + ":" + jsonValues(depth-1).Draw(t, "member")
		}
		return "{" + join(names) + "}"
	})
}

func quote(s string) string {
	b, _ := jsontext.AppendQuote(nil, s)
	return string(b)
}

func join(parts []string) (s string) {
	for i, part := range parts {
		if i > 0 {
			s += ","
		}
		s += part
	}
	return s
}

func TestACanonicalFormIsItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once, err := stix.Canonical([]byte(jsonValues(3).Draw(t, "value")))
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := stix.Canonical(once); err != nil || string(once) != string(twice) {
			t.Fatalf("%s became %s (%v)", once, twice, err)
		}
	})
}
