package stix_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/stix"
)

// shared returns the folder with real data: LIAISON_CORPORA, else ../shared beside the
// repository. Without it the test is skipped.
func shared(t testing.TB) string {
	t.Helper()
	return filepath.Dir(corpora.Path(t, "corpora"))
}

// readFile reads a file, unpacked if its name ends in .gz.
func readFile(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rows decodes the lines of a JSON Lines file.
func rows[T any](t testing.TB, path string) []T {
	t.Helper()
	var all []T
	for line := range bytes.Lines(readFile(t, path)) {
		var row T
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, row)
	}
	return all
}

// bundles returns the paths of the STIX bundles below dir.
func bundles(t testing.TB, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".json.gz") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// roomy are limits for files that no client would post at once.
var roomy = stix.Limits{BodyBytes: 1 << 30, Objects: 1 << 20}

func TestRealObjectsKeepTheirBytesAndAreAdmitted(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora")
	for _, part := range []string{"fimi", "attack", "reports", "misp/misp-stix-tests"} {
		objects, legacy := 0, 0
		refused, found := map[string]int{}, map[string]int{}
		for _, path := range bundles(t, filepath.Join(dir, filepath.FromSlash(part))) {
			e, err := stix.ParseEnvelope(readFile(t, path), roomy)
			if name := filepath.Base(path); err != nil || e.Kind != stix.Bundle {
				if !isNoBundle(name) {
					t.Errorf("%s is no bundle but a %v: %v", name, e.Kind, err)
				}
				continue
			}
			keptWhole(t, path, e.Objects)
			for _, item := range e.Objects {
				objects++
				if item.Err != nil {
					refused[item.Err.Code]++
					continue
				}
				if item.Object.SpecVersion() == "2.0" {
					legacy++
				}
				for _, f := range item.Object.Findings() {
					found[f.Code]++
				}
			}
		}
		t.Logf("%s: %d objects, refused %v, findings %v", part, objects, refused, found)
		if objects == 0 {
			t.Errorf("%s: no objects", part)
		}
	}
}

// isNoBundle knows the files beside the bundles: an index, single objects, events of MISP.
func isNoBundle(name string) bool {
	return name == "index.json" || strings.HasPrefix(name, "x-isa-acs") || strings.HasPrefix(name, "interop-") ||
		strings.HasPrefix(name, "test_") && !strings.Contains(name, "stix")
}

// keptWhole checks that objects keep their bytes and that what must be admitted is.
func keptWhole(t *testing.T, path string, items []stix.Item) {
	t.Helper()
	for i, item := range items {
		if item.Err != nil {
			if mustAdmit(item.Raw) {
				t.Errorf("%s object %d: %v", filepath.Base(path), i, item.Err)
			}
			continue
		}
		want := jsontext.Value(item.Raw).Clone()
		if err := want.Compact(); err != nil || !bytes.Equal(want, item.Object.Bytes()) {
			t.Fatalf("%s object %d: bytes changed (%v)", filepath.Base(path), i, err)
		}
	}
}

// mustAdmit tells objects of STIX 2.1 that have a type and an id.
func mustAdmit(raw []byte) bool {
	var o struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Spec string `json:"spec_version"`
	}
	return json.Unmarshal(raw, &o) == nil && o.Type != "" && o.ID != "" && o.Spec == "2.1"
}

func TestRealLinesKeepTheirBytes(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora")
	e, err := stix.ParseEnvelope(readFile(t, filepath.Join(dir, "attack", "capec-2.1.objects.jsonl.gz")), roomy)
	if err != nil {
		t.Fatal(err)
	}
	keptWhole(t, "capec-2.1.objects.jsonl.gz", e.Objects)
	if e.Kind != stix.Lines || len(e.Objects) < 2000 {
		t.Errorf("%v with %d objects", e.Kind, len(e.Objects))
	}
}

func TestValidatorCasesAreAdmittedUnlessTheyCannotBeStored(t *testing.T) {
	type row struct {
		Case   string         `json:"case"`
		Expect string         `json:"expect"`
		Object jsontext.Value `json:"object"`
		Input  jsontext.Value `json:"input"`
	}
	refused := map[string]int{}
	n := 0
	for _, r := range rows[row](t, filepath.Join(shared(t), "corpora", "stix", "validator-cases.jsonl")) {
		body := r.Object
		if body == nil {
			body = r.Input
		}
		if body.Kind() != '{' {
			continue
		}
		n++
		_, err := stix.Parse(body, stix.DefaultLimits())
		var bad *stix.Error
		if errors.As(err, &bad) {
			refused[bad.Code]++
			if r.Expect == "valid" && bad.Code != stix.CodeBundle {
				t.Errorf("%s is valid, but: %v", r.Case, err)
			}
		}
	}
	t.Logf("%d cases, refused %v", n, refused)
}
