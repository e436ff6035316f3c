package pattern_test

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/stix/pattern"
)

// A verdict is one line of patterns.jsonl: what another validator said of a pattern.
type verdict struct {
	Case    string   `json:"case"`
	Expect  string   `json:"expect"`
	Why     []string `json:"why"`
	Source  string   `json:"source"`
	Pattern string   `json:"pattern"`
}

func lines[T any](t testing.TB, path string) (all []T) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var row T
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, row)
	}
	return all
}

// TestVerdictsAreThoseOfTheReferenceValidator: what others accept is accepted and what they
// refuse is refused, without exception.
func TestVerdictsAreThoseOfTheReferenceValidator(t *testing.T) {
	rows := lines[verdict](t, corpora.Path(t, "corpora", "patterns", "patterns.jsonl"))
	type count struct{ valid, invalid, wrong int }
	bySource := map[string]*count{}
	for _, row := range rows {
		c := bySource[row.Source]
		if c == nil {
			c = new(count)
			bySource[row.Source] = c
		}
		p, err := pattern.Parse(row.Pattern)
		if row.Expect == "valid" {
			c.valid++
		} else {
			c.invalid++
		}
		if (err == nil) != (row.Expect == "valid") {
			c.wrong++
			t.Errorf("%s: %q is %s by %v, here: %v", row.Case, row.Pattern, row.Expect, row.Why, err)
		}
		if err == nil {
			printsAndParsesBack(t, p)
		}
	}
	t.Logf("%-32s %7s %7s %7s", "source", "valid", "invalid", "wrong")
	for _, source := range slices.Sorted(maps.Keys(bySource)) {
		c := bySource[source]
		t.Logf("%-32s %7d %7d %7d", source, c.valid, c.invalid, c.wrong)
	}
	t.Logf("%-32s %d rows", "all", len(rows))
}

// TestWhatCirculatesIsAFinding: a MUST that breaks in a pattern others accept is named, and
// each such finding has a pattern that is the reason not to refuse.
func TestWhatCirculatesIsAFinding(t *testing.T) {
	counts := map[string]int{}
	for _, row := range lines[verdict](t, corpora.Path(t, "corpora", "patterns", "patterns.jsonl")) {
		p, err := pattern.Parse(row.Pattern)
		if err != nil {
			continue
		}
		for _, f := range p.Findings() {
			counts[f.Code]++
		}
	}
	for _, code := range []string{
		pattern.FindObjectTypes, pattern.FindQualifier, pattern.FindWindow, pattern.FindInterval,
		pattern.FindInstant, pattern.FindSet, pattern.FindEmptySet, pattern.FindName, pattern.FindAddressOperand,
	} {
		t.Logf("%-20s %d", code, counts[code])
		if counts[code] == 0 {
			t.Errorf("no row has %s, though such rows are why it is a finding and not a refusal", code)
		}
	}
}

// TestIndicatorsInTheWildParse: every indicator of the shared data whose pattern is a STIX
// pattern is read, and prints to what reads back.
func TestIndicatorsInTheWildParse(t *testing.T) {
	read, findings := map[string]bool{}, map[string]int{}
	for _, text := range indicatorPatterns(t) {
		if read[text] {
			continue
		}
		read[text] = true
		p, err := pattern.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		printsAndParsesBack(t, p)
		for _, f := range p.Findings() {
			findings[f.Code]++
		}
	}
	if len(read) < 100 {
		t.Errorf("%d patterns found; the data has more", len(read))
	}
	t.Logf("%d different patterns, findings %v", len(read), findings)
}

// indicatorPatterns collects the STIX patterns of all indicators below the corpora.
func indicatorPatterns(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir(corpora.Path(t, "corpora"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, ".jsonl") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte(`"pattern_type"`)) {
			return err
		}
		for dec := jsontext.NewDecoder(bytes.NewReader(data)); ; {
			var v any
			if json.UnmarshalDecode(dec, &v) != nil {
				return nil
			}
			all = appendPatterns(all, v)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func appendPatterns(all []string, v any) []string {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			all = appendPatterns(all, e)
		}
	case map[string]any:
		text, ok := v["pattern"].(string)
		if ok && v["type"] == "indicator" && v["pattern_type"] == "stix" {
			all = append(all, text)
		}
		for _, e := range v {
			all = appendPatterns(all, e)
		}
	}
	return all
}
