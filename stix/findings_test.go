package stix_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

// levelOf finds the level of a code in the catalogue.
var levelOf = func() map[string]stix.Level {
	m := map[string]stix.Level{}
	for e := range stix.Catalogue() {
		m[e.Code] = e.Level
	}
	return m
}()

// standsIn checks that a pointer leads to a value of the object, or to a member that its
// parent could have.
func standsIn(o *stix.Object, pointer string) bool {
	if strings.Contains(pointer, "...") {
		return true // a long name is shortened
	}
	var value any
	if json.Unmarshal(o.Bytes(), &value, jsontext.AllowInvalidUTF8(true)) != nil {
		return true
	}
	tokens := strings.Split(pointer, "/")[min(1, len(pointer)):]
	for i, token := range tokens {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[token]
			if !ok {
				return i == len(tokens)-1
			}
			value = next
		case []any:
			n := 0
			for _, c := range token {
				n = n*10 + int(c-'0')
			}
			if n >= len(v) {
				return false
			}
			value = v[n]
		default:
			return pointer == ""
		}
	}
	return true
}

func checkFindings(t *testing.T, o *stix.Object) {
	t.Helper()
	findings := o.Findings()
	for _, f := range findings {
		if level, known := levelOf[f.Code]; !known || level != f.Level || f.Message == "" {
			t.Errorf("%+v is no finding of the catalogue", f)
		}
		if !standsIn(o, f.Pointer) {
			t.Errorf("%+v stands nowhere in %s", f, o.Bytes())
		}
	}
	if len(findings) > 100 {
		t.Errorf("%d findings", len(findings))
	}
	if _, refused := stix.Admit.Refuses(findings); refused {
		t.Error("admit refuses")
	}
}

// FuzzFindings: whatever is admitted can be checked, and what is found stands in the
// catalogue and in the object.
func FuzzFindings(f *testing.F) {
	for typ := range stix.Types() {
		if typ.Category != stix.Part {
			f.Add([]byte(`{"type":"` + typ.Name + `","id":"` + typ.Name + `--` + uuid + `","spec_version":"2.1"}`))
		}
	}
	f.Add([]byte(`{"type":"observed-data","id":"observed-data--` + uuid + `","objects":{"0":{"type":"file","name":"a","extensions":{"ntfs-ext":{}}},"1":{"type":"directory","contains_refs":["0","7"]}}}`))
	f.Add([]byte(`{"type":"language-content","id":"language-content--` + uuid + `","contents":{"uk":{"name":"x","a":1},"foo":7}}`))
	f.Add([]byte(`{"type":"indicator","id":"indicator--` + uuid + `","pattern_type":"stix","pattern":"[a:b = 'c'] WITHIN 0 SECONDS","granular_markings":[{"selectors":["pattern","x.[3]","[0]"],"lang":"uk"}]}`))
	dir := os.Getenv("LIAISON_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "corpora")); err == nil {
		for _, row := range rows[caseRow](f, filepath.Join(dir, "corpora", "stix", "spec-examples.jsonl")) {
			f.Add([]byte(row.Object))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := stix.Parse(b, stix.Limits{ObjectBytes: 1 << 16})
		if err != nil {
			return
		}
		checkFindings(t, o)
		o.Unknown()
		stix.LabelOf(o, nil)
		stix.CheckSCOID(o)
	})
}

func TestWhatIsFoundInRealObjectsStandsInThem(t *testing.T) {
	count := 0
	for _, path := range bundles(t, filepath.Join(shared(t), "corpora")) {
		e, err := stix.ParseEnvelope(readFile(t, path), roomy)
		if err != nil {
			continue
		}
		for _, item := range e.Objects {
			if item.Object != nil {
				count++
				checkFindings(t, item.Object)
			}
		}
	}
	t.Logf("%d objects", count)
}
