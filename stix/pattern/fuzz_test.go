package pattern_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/liaison-office/liaison/stix/pattern"
	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse: whatever the text, nothing panics, Parse and Check say the same, the error stands in
// the text, work is bounded by length, and what is printed has the same tree.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"errors.txtar", "print.txtar", "findings.txtar"} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		for _, each := range archive.Files {
			text, _, _ := strings.Cut(string(each.Data), "\n----\n")
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := pattern.Parse(text)
		checked := pattern.Check(text)
		if diff := cmp.Diff(err, checked); diff != "" {
			t.Fatalf("Parse and Check differ: %s", diff)
		}
		reviewAgrees(t, text, p, err)
		if parse, check := pattern.Work(text); parse > 6*len(text)+100 || check > parse {
			t.Errorf("%d bytes take %d steps to parse and %d to check", len(text), parse, check)
		}
		if err != nil {
			standsInText(t, text, err.(*pattern.Error))
			return
		}
		printsAndParsesBack(t, p)
		findingsSurvivePrinting(t, p)
	})
}

// reviewAgrees: a review uses a tree again that others used before, and says the same.
func reviewAgrees(t *testing.T, text string, p *pattern.Pattern, err error) {
	t.Helper()
	for range 2 {
		found, refused := pattern.Review(text)
		if diff := cmp.Diff(err, refused); diff != "" {
			t.Fatalf("Parse and Review differ: %s", diff)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(p.Findings(), found); diff != "" {
			t.Fatalf("the findings of Parse and Review differ: %s", diff)
		}
	}
}

func standsInText(t *testing.T, text string, e *pattern.Error) {
	t.Helper()
	if e.Offset < 0 || e.Offset > len(text) || e.Line < 1 || e.Column < 1 || e.Found == "" || e.Expected == "" {
		t.Errorf("%q: %#v", text, e)
	}
}

// findingsSurvivePrinting: what is wrong with a pattern is in its tree, not in its spelling.
func findingsSurvivePrinting(t *testing.T, p *pattern.Pattern) {
	t.Helper()
	again, err := pattern.Parse(p.String())
	if err != nil {
		return
	}
	a, b := p.Findings(), again.Findings()
	if len(a) != len(b) {
		t.Fatalf("%q has %d findings and %q has %d", p.Source, len(a), again.Source, len(b))
	}
	for i := range a {
		if a[i].Code != b[i].Code || a[i].Message != b[i].Message {
			t.Errorf("%q has %+v, printed %+v", p.Source, a[i], b[i])
		}
	}
}
