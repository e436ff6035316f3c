package stix_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

func TestAViewSaysWhatEveryPropertyHolds(t *testing.T) {
	for typ := range stix.Types() {
		if typ.Category == stix.Part {
			continue
		}
		o := parseMap(t, sampleOf(typ))
		want := decode(t, o.Bytes())
		for _, c := range viewsOf(t, o, want) {
			c.check(t, c.typ.Name)
		}
	}
}

// What a view has beside the object or part are its properties, and nothing else.
func TestAViewHasAMethodForPropertiesOnly(t *testing.T) {
	object := reflect.TypeFor[*stix.Object]()
	part := reflect.TypeFor[stix.PartView]()
	for name, as := range viewOf {
		typ := stix.TypeNamed(name)
		view := reflect.TypeOf(as).Out(0)
		c := checkedView{typ: typ, view: reflect.Zero(view)}
		known := map[string]bool{}
		for _, p := range typ.Properties {
			if _, ok := c.method(p.Name); ok != (p.Kind != stix.Reserved) {
				t.Errorf("%s.%s: a method is there: %t", name, p.Name, ok)
			}
			known[strings.ReplaceAll(p.Name, "_", "")] = true
		}
		for i := range view.NumMethod() {
			method := view.Method(i).Name
			_, ofObject := object.MethodByName(method)
			_, ofPart := part.MethodByName(method)
			letters := strings.ToLower(method)
			if !ofObject && !ofPart && !known[letters] && !known[strings.TrimSuffix(letters, "property")] {
				t.Errorf("%v.%s is no property of %s", view, method, name)
			}
		}
	}
}

// strays has a value of each kind of JSON.
var strays = []any{nil, 7, -1.5, "text", true, []any{}, []any{nil, 3, "x", []any{"y"}, map[string]any{"k": nil}}, map[string]any{}, map[string]any{"k": 3, "l": "m"}}

func TestAViewOfWhatIsWrongOrAbsentSaysNothing(t *testing.T) {
	for typ := range stix.Types() {
		if typ.Category == stix.Part {
			continue
		}
		bare := map[string]any{"type": typ.Name, "id": typ.Name + "--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b"}
		o := parseMap(t, bare)
		for _, c := range viewsOf(t, o, bare) {
			c.check(t, "bare "+typ.Name)
		}
		for i, stray := range strays {
			wrong := sampleOf(typ)
			extensions := wrong["extensions"].(map[string]any)
			for _, p := range typ.Properties {
				if !slices.Contains([]string{"type", "id", "created", "modified", "object_marking_refs", "granular_markings", "extensions"}, p.Name) {
					wrong[p.Name] = stray
				}
			}
			for name := range extensions {
				extensions[name] = stray
				if part, ok := stray.(map[string]any); ok {
					extensions[name] = strayPart(stix.TypeNamed(name), part)
				}
			}
			o := parseMap(t, wrong)
			for _, c := range viewsOf(t, o, decode(t, o.Bytes())) {
				c.check(t, fmt.Sprintf("%s with stray %d", typ.Name, i))
			}
		}
	}
}

// strayPart is a part whose properties all are the same value.
func strayPart(typ *stix.Type, v any) any {
	part := map[string]any{}
	if typ != nil {
		for _, p := range typ.Properties {
			part[p.Name] = v
		}
	}
	return part
}

func TestViewsOfRealObjectsSayWhatEncodingJSONSays(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora")
	seen := map[string]int{}
	for _, part := range []string{"fimi", "attack", "reports", "misp/misp-stix-tests"} {
		for _, path := range bundles(t, filepath.Join(dir, filepath.FromSlash(part))) {
			e, err := stix.ParseEnvelope(readFile(t, path), roomy)
			if err != nil {
				continue // said by another test
			}
			for _, item := range e.Objects {
				if item.Object == nil {
					continue
				}
				for _, c := range viewsOf(t, item.Object, decode(t, item.Raw)) {
					c.check(t, string(item.Object.ID()))
					seen[c.typ.Name]++
				}
				if t.Failed() {
					t.Fatalf("in %s", path)
				}
			}
		}
	}
	t.Logf("objects and extensions by type: %v", seen)
	if len(seen) < 25 {
		t.Errorf("only %d types were there", len(seen))
	}
}

func TestThereIsNoViewOfARefusedItem(t *testing.T) {
	for name, as := range viewOf {
		out := reflect.ValueOf(as).Call([]reflect.Value{reflect.Zero(reflect.TypeFor[*stix.Object]())})
		if out[1].Bool() {
			t.Errorf("nil has a view as %s", name)
		}
	}
}

func TestAViewReadsNamesAndTextsWithEscapes(t *testing.T) {
	o, err := stix.Parse([]byte(`{"type":"file","id":"file--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b","n\u0061me":"a\tb","name_":"c",
		"exten\u0073ions":{"pdf-\u0065xt":{"versio\u006e":"1.\u0037"}},"hashes":{"MD\u0035":"x\u0079"}}`), stix.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	file, _ := stix.AsFile(o)
	pdf, ok := stix.AsPDFExt(o)
	if file.Name() != "a\tb" || !file.Has("name") || !ok || pdf.Version() != "1.7" || !pdf.Has("version") || pdf.Has("versio\\u006e") {
		t.Errorf("name %q, extension %t of version %q", file.Name(), ok, pdf.Version())
	}
	for algorithm, hash := range file.Hashes() {
		if algorithm != "MD5" || hash != "xy" {
			t.Errorf("hash %q: %q", algorithm, hash)
		}
	}
}

func TestRangingOverAViewStopsWhereItIsTold(t *testing.T) {
	o := parseMap(t, sampleOf(stix.TypeNamed("file")))
	file, _ := stix.AsFile(o)
	pe, _ := stix.AsWindowsPEBinaryExt(o)
	n := 0
	for range file.ContainsRefs() {
		n++
		break
	}
	for range file.Labels() {
		n++
		break
	}
	for range file.Hashes() {
		n++
		break
	}
	for range file.Extensions() {
		n++
		break
	}
	for range pe.Sections() {
		n++
		break
	}
	if n != 5 {
		t.Errorf("%d steps, want one in each of 5", n)
	}
}

// An object with escapes in its texts is another matter: they are decoded, into a copy.
func TestReadingThroughAViewAllocatesNothing(t *testing.T) {
	o := parseMap(t, map[string]any{
		"type": "file", "spec_version": "2.1", "id": "file--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b", "name": "a.pdf", "size": 12345, "labels": []any{"mirror", "press"},
		"hashes": map[string]any{"MD5": "0cc175b9c0f1b6a831c399e269772661", "SHA-1": "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"},
		"extensions": map[string]any{
			"pdf-ext":              map[string]any{"version": "1.7", "is_optimized": true, "document_info_dict": map[string]any{"Title": "T"}},
			"windows-pebinary-ext": map[string]any{"pe_type": "exe", "number_of_symbols": 7, "sections": []any{map[string]any{"name": "CODE", "entropy": 0.06}, map[string]any{"name": "DATA", "entropy": 7.5}}},
		},
		"contains_refs":       []any{"file--6f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b", "file--7f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b"},
		"external_references": []any{map[string]any{"source_name": "acme", "url": "https://example.org/"}},
	})
	var n, allocated int
	var entropy float64
	read := func() {
		n = 0
		f, _ := stix.AsFile(o)
		n += len(f.Name()) + int(f.Size()) + len(f.ContentRef()) + len(f.Created())
		for algorithm, hash := range f.Hashes() {
			n += len(algorithm) + len(hash)
		}
		for id := range f.ContainsRefs() {
			n += len(id)
		}
		for label := range f.Labels() {
			n += len(label)
		}
		for reference := range f.ExternalReferences() {
			n += len(reference.SourceName()) + len(reference.URL())
		}
		for name, body := range f.Extensions() {
			n += len(name) + len(body)
		}
		pdf, _ := stix.AsPDFExt(o)
		for key, value := range pdf.DocumentInfoDict() {
			n += len(key) + len(value) + len(pdf.Version())
		}
		pe, _ := stix.AsWindowsPEBinaryExt(o)
		for section := range pe.Sections() {
			n += len(section.Name())
			entropy += section.Entropy()
		}
	}
	allocated = int(testing.AllocsPerRun(100, read))
	if n < 12345 || entropy == 0 {
		t.Errorf("only %d and %f were read", n, entropy)
	}
	if allocated != 0 {
		t.Errorf("%d allocations", allocated)
	}
}

func TestReadingRealObjectsThroughViewsAllocatesNothing(t *testing.T) {
	e, err := stix.ParseEnvelope(readFile(t, filepath.Join(shared(t), "corpora", "attack", "capec-2.1.objects.jsonl.gz")), roomy)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	read := func() {
		for _, item := range e.Objects {
			if pattern, ok := stix.AsAttackPattern(item.Object); ok {
				for phase := range pattern.KillChainPhases() {
					n += len(phase.PhaseName())
				}
				for reference := range pattern.ExternalReferences() {
					n += len(reference.ExternalID())
				}
			}
			if r, ok := stix.AsRelationship(item.Object); ok {
				n += len(r.RelationshipType()) + len(r.SourceRef()) + len(r.TargetRef()) + len(r.StartTime())
			}
		}
	}
	if allocated := testing.AllocsPerRun(3, read); allocated != 0 {
		t.Errorf("%v allocations for %d objects", allocated, len(e.Objects))
	}
	if n == 0 {
		t.Error("nothing was read")
	}
}

func FuzzViews(f *testing.F) {
	for typ := range stix.Types() {
		if typ.Category != stix.Part {
			b, err := json.Marshal(sampleOf(typ))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := stix.Parse(b, stix.DefaultLimits())
		if err != nil {
			return
		}
		for _, c := range viewsOf(t, o, decode(t, o.Bytes())) {
			c.check(t, c.typ.Name)
		}
	})
}
