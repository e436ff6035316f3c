package stix_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// disagreementLine is a case in docs/disagreements.md under the heading of its code.
var (
	disagreementHead = regexp.MustCompile("^## (?:`([a-z0-9-]+)`|valid)")
	disagreementCase = regexp.MustCompile("^- `([^`]+)`")
)

// writtenDown reads docs/disagreements.md: the code that decides each case, "" where it is valid.
func writtenDown(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "docs", "disagreements.md"))
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{}
	code := ""
	for line := range strings.Lines(string(b)) {
		if m := disagreementHead.FindStringSubmatch(line); m != nil {
			code = m[1]
		}
		if m := disagreementCase.FindStringSubmatch(line); m != nil {
			codes[m[1]] = code
		}
	}
	return codes
}

func TestWhereTheReferencesDisagreeOurVerdictIsWrittenDown(t *testing.T) {
	codes := writtenDown(t)
	dir := filepath.Join(shared(t), "corpora", "stix")
	count := 0
	for _, file := range []string{"validator-cases.jsonl", "spec-examples.jsonl"} {
		for _, row := range rows[caseRow](t, filepath.Join(dir, file)) {
			if row.Agreed != nil && *row.Agreed {
				continue
			}
			count++
			name := strings.TrimPrefix(row.Case, "stix-validator/")
			code, there := codes[name]
			verdict, why := strictVerdict(row.Object)
			switch {
			case !there:
				t.Errorf("%s is not in docs/disagreements.md; we say %s %q", name, verdict, why)
			case (code == "") != (verdict == "valid"):
				t.Errorf("%s: docs/disagreements.md says %q, we say %s %q", name, code, verdict, why)
			case code != "" && !strings.Contains(strings.Join(why, " "), code):
				t.Errorf("%s: docs/disagreements.md says %s, we say %q", name, code, why)
			}
		}
	}
	if count != len(codes) {
		t.Errorf("docs/disagreements.md has %d cases, the corpus %d", len(codes), count)
	}
	t.Logf("%d rows", count)
}
