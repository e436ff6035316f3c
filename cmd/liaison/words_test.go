package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write testdata/help.txt anew")

// TestHelpReadsAsBefore keeps every word of the help under review.
func TestHelpReadsAsBefore(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	t.Setenv("LIAISON_DIR", "") // restored afterwards
	os.Unsetenv("LIAISON_DIR")
	var got bytes.Buffer
	for _, words := range []string{"", "init", "authority sign", "party new", "programme new", "account add", "validate", "upgrade", "submit", "pull", "receipt", "verify"} {
		args := append(strings.Fields(words), "--help")
		got.WriteString("$ liaison " + strings.Join(args, " ") + "\n")
		if status := run(args, strings.NewReader(""), &got, &got); status != 0 {
			t.Fatalf("liaison %v: status %d", args, status)
		}
		got.WriteString("\n")
	}
	path := filepath.Join("testdata", "help.txt")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the help changed; read it aloud, then go test ./cmd/liaison -update\n%s", got.String())
	}
}

// TestAnEnvelopeKeepsToWhatTheServerTakes: every object goes once and in order;
// no envelope of several is longer than the server takes or has too many.
func TestAnEnvelopeKeepsToWhatTheServerTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Int64Range(20, 500).Draw(t, "most")
		sizes := rapid.SliceOfN(rapid.IntRange(2, 300), 0, 400).Draw(t, "sizes")
		objects := make([]sendable, len(sizes))
		for i, n := range sizes {
			objects[i].bytes = []byte(`"` + strings.Repeat("x", n-2) + `"`)
		}
		sent := 0
		for rest := objects; len(rest) > 0; {
			n := fitting(rest, most)
			if n < 1 || n > envelopeObjects {
				t.Fatalf("%d objects in one envelope", n)
			}
			one := stix.AppendEnvelope(nil, contents(rest[:n]), false, "")
			if n > 1 && int64(len(one)) > most {
				t.Fatalf("%d objects make %d bytes, the server takes %d", n, len(one), most)
			}
			sent += n
			rest = rest[n:]
		}
		if sent != len(objects) {
			t.Fatalf("%d of %d objects were sent", sent, len(objects))
		}
	})
}

// TestWhatOthersWroteCannotSteerTheTerminal: no control character and no
// change of direction comes through, and everything else does.
func TestWhatOthersWroteCannotSteerTheTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"Офіс у Токіо\tта 東京\n": "Офіс у Токіо\tта 東京\n",
		"\x1b]0;owned\a":        "\ufffd]0;owned\ufffd",
		"report\u202etxt.exe":   "report\ufffdtxt.exe",
		"one\rtwo\u0085\u2066x": "one\ufffdtwo\ufffd\ufffdx",
	} {
		if got := clean("%s", in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestAnInstantWithoutAZoneIsUTC wherever the program runs.
func TestAnInstantWithoutAZoneIsUTC(t *testing.T) {
	t.Setenv("TZ", "Asia/Tokyo")
	for in, want := range map[string]string{
		"":                             "",
		"2026-01-31":                   "2026-01-31T00:00:00.000000Z",
		"2026-01-31T14:30":             "2026-01-31T14:30:00.000000Z",
		"2026-01-31T14:30:00+09:00":    "2026-01-31T05:30:00.000000Z",
		"2026-01-31T14:30:00.1234567Z": "2026-01-31T14:30:00.123456Z",
	} {
		got, err := parseInstant(in)
		if err != nil || got.String() != want {
			t.Errorf("parseInstant(%q) = %s, %v, want %s", in, got, err, want)
		}
	}
	if _, err := parseInstant("31.01.2026"); err == nil {
		t.Error("31.01.2026 was read")
	}
}

// TestAFileAppearsWholeOrNotAtAll: what fails half way leaves the old contents
// and nothing beside them.
func TestAFileAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "all.json")
	a := &app{ctx: context.Background()}
	if err := a.write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	err := a.writeTo(path, func(w io.Writer) error {
		if _, err := w.Write([]byte("half")); err != nil {
			return err
		}
		return errSaid
	})
	if err == nil {
		t.Fatal("no error")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("%q, %v: the old contents are gone", got, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v: something was left behind", entries, err)
	}
}

// TestProgrammesForProgramsKeepTheirMembers: what show prints for people adds
// nothing to the JSON.
func TestProgrammesForProgramsKeepTheirMembers(t *testing.T) {
	var p programmeInfo
	if err := json.Unmarshal([]byte(`{"alias":"itpp","entries":{"cyber":3}}`), &p); err != nil {
		t.Fatal(err)
	}
	if p.Alias != "itpp" || p.Entries["cyber"] != 3 {
		t.Errorf("%+v", p)
	}
}
