package intake

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/stix"
)

// TestTheExtensionIsWhatItsSchemaSays on every page of ours, and everything the
// schema describes is on one of them.
func TestTheExtensionIsWhatItsSchemaSays(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "schemas", "evidence-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := schema{seen: map[string]bool{}}
	if err := json.Unmarshal(b, &s.root); err != nil {
		t.Fatal(err)
	}
	list := pages(t)
	list["bare.txt"] = []byte("A page with no date at all\n12\n\nThe council said on the evening of the meeting that the pier would open in the spring of next year.\n")
	for name, raw := range list {
		a, err := ReadText(raw)
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := a.Bundle(raw, Options{At: captured, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects(t, bundle) {
			ext, ok := o.Extension(ExtEvidence)
			if !ok {
				continue
			}
			var v any
			if err := json.Unmarshal(ext, &v); err != nil {
				t.Fatal(err)
			}
			for _, fault := range s.faults(s.root, v, "") {
				t.Errorf("%s: %s: %s", name, o.ID(), fault)
			}
		}
	}
	for _, name := range []string{"capture", "counters", "paragraphs", "left_out", "sources", "tags", "publisher_basis", "author", "caption", "zone_basis"} {
		if !s.seen[name] {
			t.Errorf("no page shows %q", name)
		}
	}
}

func objects(t *testing.T, bundle []byte) (list []*stix.Object) {
	t.Helper()
	env, err := stix.ParseEnvelope(bundle, stix.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range env.Objects {
		if it.Err != nil {
			t.Fatal(it.Err)
		}
		list = append(list, it.Object)
	}
	return list
}

// schema checks values against the part of JSON Schema that the file uses.
type schema struct {
	root map[string]any
	seen map[string]bool // members met
}

func (s schema) faults(rule map[string]any, v any, at string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	if ref, ok := rule["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/$defs/")
		return s.faults(s.root["$defs"].(map[string]any)[name].(map[string]any), v, at)
	}
	if c, ok := rule["const"]; ok && !reflect.DeepEqual(c, v) {
		fault("is %v, want %v", v, c)
	}
	if list, ok := rule["enum"].([]any); ok && !slices.Contains(list, v) {
		fault("%v is not one of %v", v, list)
	}
	if p, ok := rule["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(fmt.Sprint(v)) {
		fault("%v does not match %s", v, p)
	}
	if least, ok := rule["minimum"].(float64); ok && v.(float64) < least {
		fault("%v is less than %v", v, least)
	}
	switch rule["type"] {
	case "object":
		m, ok := v.(map[string]any)
		if !ok {
			fault("is no object")
		}
		return append(faults, s.members(rule, m, at)...)
	case "array":
		list, ok := v.([]any)
		if least, has := rule["minItems"].(float64); !ok || has && float64(len(list)) < least {
			fault("is no list, or empty")
		}
		for i, item := range list {
			faults = append(faults, s.faults(rule["items"].(map[string]any), item, fmt.Sprintf("%s/%d", at, i))...)
		}
	case "string", "integer", "boolean":
		if kind := map[any]string{"string": "string", "integer": "float64", "boolean": "bool"}[rule["type"]]; fmt.Sprintf("%T", v) != kind {
			fault("is a %T, want %v", v, rule["type"])
		}
	}
	return faults
}

func (s schema) members(rule, m map[string]any, at string) (faults []string) {
	properties := rule["properties"].(map[string]any)
	for _, name := range rule["required"].([]any) {
		if _, ok := m[name.(string)]; !ok {
			faults = append(faults, at+": lacks "+name.(string))
		}
	}
	for name, v := range m {
		s.seen[name] = true
		p, ok := properties[name].(map[string]any)
		if !ok {
			faults = append(faults, at+"/"+name+": is not in the schema")
			continue
		}
		faults = append(faults, s.faults(p, v, at+"/"+name)...)
	}
	return faults
}
