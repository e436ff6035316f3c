package stix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// sample makes a value for a property: one that no other property of the object has, where
// its kind has so many.
func sample(p *stix.Property, n int) any {
	one := func(i int) any {
		switch p.Kind {
		case stix.Boolean:
			return true
		case stix.Integer:
			return n<<45 + i - 2
		case stix.Float:
			return float64(n) + 0.25
		case stix.Timestamp:
			return fmt.Sprintf("2026-03-01T09:%02d:00.%dZ", n, i)
		case stix.Identifier:
			return fmt.Sprintf("identity--%08x-7c1d-4b52-9f0a-1a2b3c4d5e6f", 100*n+i)
		case stix.Hashes:
			return map[string]any{"MD5": fmt.Sprint(n), "SHA-256": "ab"}
		case stix.Dictionary, stix.Container:
			return map[string]any{"a": n, "b c": "x", "é": []any{p.Name}}
		case stix.Structure:
			return sampleOf(p.Of)
		}
		return fmt.Sprintf("%s %d \"é\"\\", p.Name, i)
	}
	if p.List {
		return []any{one(0), one(1), one(2)}
	}
	return one(0)
}

// sampleOf makes a JSON object with every property of a type.
func sampleOf(typ *stix.Type) map[string]any {
	o := map[string]any{}
	for i, p := range typ.Properties {
		if p.Kind != stix.Reserved && p.Kind != stix.Extensions {
			o[p.Name] = sample(&p, i)
		}
	}
	if typ.Category != stix.Part {
		marking := "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
		o["type"], o["id"] = typ.Name, typ.Name+"--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b"
		o["object_marking_refs"] = []any{marking}
		o["granular_markings"] = []any{map[string]any{"lang": "uk", "marking_ref": marking, "selectors": []any{"name", "labels.[0]"}}}
		o["extensions"] = sampleExtensions()
	}
	return o
}

// sampleExtensions has every predefined extension, and one that is not.
func sampleExtensions() map[string]any {
	all := map[string]any{"extension-definition--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b": map[string]any{"extension_type": "property-extension"}}
	for typ := range stix.Types() {
		if typ.Category == stix.Part && viewOf[typ.Name] != nil {
			all[typ.Name] = sampleOf(typ)
		}
	}
	return all
}

func parseMap(t *testing.T, o map[string]any) *stix.Object {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	object, err := stix.Parse(b, stix.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", o["type"], err)
	}
	return object
}

// decode is what encoding/json makes of an object.
func decode(t *testing.T, b []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	return o
}

// promised is what a view promises to say of a value that encoding/json has decoded.
func promised(p *stix.Property, v any) any {
	if !p.List {
		one, _ := promisedOne(p, v)
		return one
	}
	all := []any{}
	list, _ := v.([]any)
	for _, e := range list {
		if one, ok := promisedOne(p, e); ok {
			all = append(all, one)
		}
	}
	return all
}

// promisedOne does so for one value; ok is false if it is of another kind.
func promisedOne(p *stix.Property, v any) (one any, ok bool) {
	switch p.Kind {
	case stix.Boolean:
		b, ok := v.(bool)
		return b, ok
	case stix.Integer:
		n, _ := v.(json.Number)
		i, err := n.Int64()
		if err != nil {
			return int64(0), false
		}
		return i, true
	case stix.Float:
		n, _ := v.(json.Number)
		f, err := n.Float64()
		if err != nil {
			return 0.0, false
		}
		return f, true
	case stix.Identifier:
		text, _ := v.(string)
		id, err := stix.ParseID(text)
		return string(id), err == nil
	case stix.Structure, stix.Dictionary, stix.Container, stix.Extensions:
		m, ok := v.(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		return m, ok
	case stix.Hashes:
		texts := map[string]any{}
		m, ok := v.(map[string]any)
		for name, hash := range m {
			if text, isText := hash.(string); isText {
				texts[name] = text
			}
		}
		return texts, ok
	}
	text, ok := v.(string)
	return text, ok
}

// A view as reflection sees it, with the type that it views and what it should say.
type checkedView struct {
	typ  *stix.Type
	view reflect.Value
	want map[string]any
}

// method finds the method for a property by its letters alone. A longer name in -Property
// comes first: without it, the name is a method of the object.
func (c checkedView) method(property string) (reflect.Value, bool) {
	key := methodKey{c.view.Type(), property}
	i, known := methodAt[key]
	if !known {
		i = methodOf(c.view.Type(), property)
		methodAt[key] = i
	}
	if i < 0 {
		return reflect.Value{}, false
	}
	return c.view.Method(i), true
}

type methodKey struct {
	view     reflect.Type
	property string
}

// methodAt remembers what methodOf has found: there are thousands of objects.
var methodAt = map[methodKey]int{}

func methodOf(view reflect.Type, property string) int {
	letters := strings.ReplaceAll(property, "_", "")
	switch property {
	case "object_marking_refs":
		letters = "MarkingRefs"
	case "granular_markings":
		letters = "Granular"
	}
	for _, want := range []string{letters + "property", letters} {
		for i := range view.NumMethod() {
			if strings.EqualFold(view.Method(i).Name, want) {
				return i
			}
		}
	}
	return -1
}

func (c checkedView) has(name string) bool {
	return c.view.MethodByName("Has").Call([]reflect.Value{reflect.ValueOf(name)})[0].Bool()
}

// check compares every method with what it should return, parts included.
func (c checkedView) check(t *testing.T, path string) {
	t.Helper()
	for _, p := range c.typ.Properties {
		if p.Kind == stix.Reserved {
			continue
		}
		v, there := c.want[p.Name]
		at := path + "/" + p.Name
		if c.has(p.Name) != there {
			t.Errorf("%s: Has says %t", at, !there)
		}
		m, ok := c.method(p.Name)
		if !ok {
			t.Errorf("%s: no method of %v reads it", at, c.view.Type())
			continue
		}
		got := m.Call(nil)[0]
		if p.Kind == stix.Structure && p.Name != "granular_markings" {
			checkParts(t, at, &p, got, v)
		} else if got, want := plain(t, got), promised(&p, v); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", at, got, want)
		}
	}
}

// checkParts goes on into the parts that a property has.
func checkParts(t *testing.T, at string, p *stix.Property, got reflect.Value, v any) {
	t.Helper()
	if !p.List {
		m, _ := promised(p, v).(map[string]any)
		checkedView{p.Of, got, m}.check(t, at)
		return
	}
	want := promised(p, v).([]any)
	n := 0
	for part := range got.Seq() {
		if n < len(want) {
			checkedView{p.Of, part, want[n].(map[string]any)}.check(t, fmt.Sprintf("%s/%d", at, n))
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%s: %d parts, want %d", at, n, len(want))
	}
}

// plain turns what a method returns into what encoding/json would have decoded.
func plain(t *testing.T, v reflect.Value) any {
	t.Helper()
	switch all := v.Interface().(type) {
	case []stix.GranularMarking:
		return plainMarkings(all)
	case []stix.ID:
		return plainList(reflect.ValueOf(slices.Values(all)))
	}
	switch {
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() != reflect.Func:
		return v.Interface()
	case v.Type().CanSeq2():
		return plainMembers(t, v)
	}
	return plainList(v)
}

func plainList(seq reflect.Value) any {
	all := []any{}
	for e := range seq.Seq() {
		all = append(all, e.String())
	}
	return all
}

func plainMembers(t *testing.T, seq reflect.Value) any {
	t.Helper()
	all := map[string]any{}
	for name, e := range seq.Seq2() {
		if e.Kind() == reflect.String {
			all[name.String()] = e.String()
		} else {
			all[name.String()] = decodeValue(t, e.Bytes())
		}
	}
	return all
}

func decodeValue(t *testing.T, b []byte) any {
	t.Helper()
	return decode(t, fmt.Appendf(nil, `{"v":%s}`, b))["v"]
}

func plainMarkings(all []stix.GranularMarking) any {
	list := []any{}
	for _, g := range all {
		m := map[string]any{}
		if g.Lang != "" {
			m["lang"] = g.Lang
		}
		if g.MarkingRef != "" {
			m["marking_ref"] = string(g.MarkingRef)
		}
		if g.Selectors != nil {
			selectors := []any{}
			for _, s := range g.Selectors {
				selectors = append(selectors, s)
			}
			m["selectors"] = selectors
		}
		list = append(list, m)
	}
	return list
}

// viewsOf returns the view of an object and of each of its predefined extensions.
func viewsOf(t *testing.T, o *stix.Object, want map[string]any) []checkedView {
	t.Helper()
	var all []checkedView
	extensions, _ := want["extensions"].(map[string]any)
	for name, as := range viewOf {
		typ := stix.TypeNamed(name)
		wanted, there := want, o.Type() == name
		if typ.Category == stix.Part {
			wanted, there = extensions[name].(map[string]any)
		}
		out := reflect.ValueOf(as).Call([]reflect.Value{reflect.ValueOf(o)})
		if out[1].Bool() != there {
			t.Errorf("%s: a view of it as %s: %t", o.ID(), name, !there)
		}
		if there {
			all = append(all, checkedView{typ, out[0], wanted})
		}
	}
	return all
}

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
