package main

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/stix"
)

// TestWhatTheFieldPublishesIsAdmitted: of real data an office that admits refuses nothing but
// a second content of a version, which it would have to choose between. With -v, what is
// found in each source.
func TestWhatTheFieldPublishesIsAdmitted(t *testing.T) {
	dir := filepath.Dir(corpora.Path(t, "corpora"))
	for _, part := range []string{"fimi/viginum", "fimi/disarm", "attack", "reports", "misp/*stix*"} {
		paths, err := filepath.Glob(filepath.Join(dir, "corpora", filepath.FromSlash(part)))
		if err != nil || len(paths) == 0 {
			t.Errorf("%s: nothing there (%v)", part, err)
			continue
		}
		paths = slices.DeleteFunc(paths, isFile) // folders, in which what is no STIX is skipped
		objects, contradict, skipped := 0, 0, 0
		found := map[string]int{}
		for _, v := range validateAll(t, paths) {
			switch {
			case v.Skipped:
				skipped++
				continue
			case v.Code == stix.CodeSameVersion:
				contradict++
			case v.Refused:
				t.Errorf("%s %s%s of %q is refused: %s", filepath.Base(v.File), v.Place, v.Pointer, v.ID, v.Reason)
			}
			objects++
			for _, f := range v.Findings {
				found[f.Level.String()+" "+f.Code]++
			}
		}
		if objects == 0 {
			t.Errorf("%s: no objects", part)
		}
		t.Logf("%s: %d objects, %d with other contents than their version had before, %d files skipped", part, objects, contradict, skipped)
		for _, code := range slices.Sorted(maps.Keys(found)) {
			t.Logf("  %6d %s", found[code], code)
		}
	}
}

// validateAll returns what validate says of files in JSON.
func validateAll(t *testing.T, paths []string) (rows []validated) {
	t.Helper()
	var out, errs bytes.Buffer
	run(append([]string{"--json", "validate"}, paths...), strings.NewReader(""), &out, &errs)
	if errs.Len() > 0 {
		t.Errorf("validate %v: %s", paths, errs.String())
	}
	if err := json.Unmarshal(out.Bytes(), &rows, json.WithUnmarshalers(json.UnmarshalFunc(readLevel))); err != nil {
		t.Fatal(err)
	}
	return rows
}

// readLevel reads a level as it is written.
func readLevel(b []byte, l *stix.Level) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	for level := stix.Must; level <= stix.KnownDefect; level++ {
		if level.String() == text {
			*l = level
		}
	}
	return nil
}
