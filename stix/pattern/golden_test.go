package pattern_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/liaison-office/liaison/stix/pattern"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("u", false, "write the golden files anew")

// golden runs every file of an archive through run. Each file holds a pattern, a line "----" and
// what run says of it.
func golden(t *testing.T, file string, run func(text string) string) {
	path := filepath.Join("testdata", file)
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range archive.Files {
		text, want, _ := strings.Cut(string(f.Data), "\n----\n")
		got := run(strings.TrimSuffix(text, "\n")) + "\n"
		if diff := cmp.Diff(want, got); diff != "" && !*update {
			t.Errorf("%s: %s:\n%s", file, f.Name, diff)
		}
		archive.Files[i].Data = []byte(strings.TrimSuffix(text, "\n") + "\n----\n" + got)
	}
	if formatted := txtar.Format(archive); *update {
		if err := os.WriteFile(path, formatted, 0o666); err != nil {
			t.Fatal(err)
		}
	} else if raw, _ := os.ReadFile(path); !t.Failed() && !bytes.Equal(raw, formatted) {
		t.Errorf("%s is not as -u writes it", file)
	}
}

// TestErrorsSayWhereWhatAndWhatElse: a person who wrote a pattern can mend it from the error.
func TestErrorsSayWhereWhatAndWhatElse(t *testing.T) {
	golden(t, "errors.txtar", func(text string) string {
		if err := pattern.Check(text); err != nil {
			return err.Error()
		}
		return "valid"
	})
}

// TestOneTreeHasOnePrint: spellings that mean the same tree print the same.
func TestOneTreeHasOnePrint(t *testing.T) {
	golden(t, "print.txtar", func(text string) string {
		p, err := pattern.Parse(text)
		if err != nil {
			return err.Error()
		}
		printsAndParsesBack(t, p)
		return p.String()
	})
}

// TestFindingsNameTheMUST: what is admitted although STIX forbids it is said, with its section.
func TestFindingsNameTheMUST(t *testing.T) {
	golden(t, "findings.txtar", func(text string) string {
		p, err := pattern.Parse(text)
		if err != nil {
			return err.Error()
		}
		said := []string{}
		for _, f := range p.Findings() {
			must := "must"
			if !f.Must {
				must = "lawful"
			}
			said = append(said, fmt.Sprintf("%d:%d %s %s %s: %s", f.Line, f.Column, must, f.Code, f.Section, f.Message))
		}
		return strings.Join(append(said, fmt.Sprint(len(said), " findings")), "\n")
	})
}
