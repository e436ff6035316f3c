package demo

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// on returns a clock that is at a day now and goes on from there.
func on(year int, month time.Month, day int) func() time.Time {
	ahead := time.Until(time.Date(year, month, day, 12, 0, 0, 0, time.UTC))
	return func() time.Time { return time.Now().Add(ahead) }
}

// TestEveryStepHoldsAndTheReadmeShowsThem compares what is printed with
// README.md, word by word, save for times, places and durations.
func TestEveryStepHoldsAndTheReadmeShowsThem(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Once: true, Out: &out, Now: on(2026, 11, 24)}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if d := cmp.Diff(words(out.String()), words(readme(t))); d != "" {
		t.Errorf("README.md shows something else (-printed +README):\n%s\n%s", d, out.String())
	}
}

// readme returns what README.md says the demonstration prints.
func readme(t *testing.T) string {
	b, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	from, to := strings.Index(text, "    A sample alliance"), strings.Index(text, "## What it does")
	if from < 0 || to < from {
		t.Fatal("README.md has no printed demonstration")
	}
	return text[from:to]
}

var varying = regexp.MustCompile(`/\S*liaison-demo[^\s,]*|\([0-9.]+m?s\)|[0-9T:.-]*[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+Z?|[0-9]+ bytes`)

func words(text string) []string { return strings.Fields(varying.ReplaceAllString(text, "…")) }

// TestItHoldsAfterTheTermToo: from 2027 on the successor is in force.
func TestItHoldsAfterTheTermToo(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Once: true, Out: &out, Now: on(2028, 2, 29)}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "into itpp-2027.disinformation") {
		t.Error(out.String())
	}
}

// TestAStepThatDoesNotHoldEndsItWithAnError: before 2023 there is no programme
// under which the note may be released.
func TestAStepThatDoesNotHoldEndsItWithAnError(t *testing.T) {
	var out bytes.Buffer
	err := Run(t.Context(), Options{Once: true, Out: &out, Now: on(2022, 6, 1)})
	if err == nil || !strings.HasPrefix(err.Error(), "demo: b release: ") {
		t.Errorf("error %v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "b release     FAILED: ") || strings.Contains(out.String(), "c relay") {
		t.Error(out.String())
	}
}

func TestAFolderThatHoldsSomethingIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), Options{Dir: dir, Once: true, Out: new(bytes.Buffer)}); err == nil {
		t.Error("a folder with somebody's file was taken")
	}
}
