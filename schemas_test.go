package liaison_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
)

// schema is a JSON Schema of docs/schemas, whose keywords are few enough to be
// checked here.
type schema struct {
	root map[string]any
}

func readSchema(t *testing.T, name string) schema {
	t.Helper()
	b, err := os.ReadFile("docs/schemas/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(b, &s.root); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// check returns what breaks the schema rule, each with its JSON pointer.
func (s schema) check(rule map[string]any, v any, at string) (broken []string) {
	for word, want := range rule {
		switch word {
		case "$ref":
			def := strings.TrimPrefix(want.(string), "#/$defs/")
			broken = append(broken, s.check(s.root["$defs"].(map[string]any)[def].(map[string]any), v, at)...)
		case "properties":
			broken = append(broken, s.checkProperties(want.(map[string]any), v, at)...)
		case "items":
			list, _ := v.([]any)
			for i, item := range list {
				broken = append(broken, s.check(want.(map[string]any), item, fmt.Sprintf("%s/%d", at, i))...)
			}
		case "$schema", "$defs", "title", "description":
		default:
			if !keyword(word, rule, want, v) {
				broken = append(broken, fmt.Sprintf("%s: %s %v", at, word, want))
			}
		}
	}
	return broken
}

func (s schema) checkProperties(rules map[string]any, v any, at string) (broken []string) {
	members, _ := v.(map[string]any)
	for name, member := range members {
		if rule, ok := rules[name].(map[string]any); ok {
			broken = append(broken, s.check(rule, member, at+"/"+name)...)
		}
	}
	return broken
}

func keyword(word string, rule map[string]any, want, v any) bool {
	text, _ := v.(string)
	number, _ := v.(float64)
	list, isList := v.([]any)
	members, _ := v.(map[string]any)
	switch word {
	case "type":
		return want == typeOf(v) || want == "number" && typeOf(v) == "integer"
	case "const":
		return v == want
	case "enum":
		return slices.Contains(want.([]any), v)
	case "pattern":
		return regexp.MustCompile(want.(string)).MatchString(text)
	case "minLength":
		return len(text) >= int(want.(float64))
	case "maxLength":
		return len(text) <= int(want.(float64))
	case "minimum":
		return number >= want.(float64)
	case "maximum":
		return number <= want.(float64)
	case "minItems":
		return !isList || len(list) >= int(want.(float64))
	case "maxItems":
		return len(list) <= int(want.(float64))
	case "uniqueItems":
		for i, a := range list {
			if slices.ContainsFunc(list[:i], func(b any) bool { return reflect.DeepEqual(a, b) }) {
				return false
			}
		}
		return true
	case "required":
		return !slices.ContainsFunc(want.([]any), func(name any) bool { _, has := members[name.(string)]; return !has })
	case "additionalProperties":
		known, _ := rule["properties"].(map[string]any)
		return want == true || !slices.ContainsFunc(slices.Collect(maps.Keys(members)), func(name string) bool { _, has := known[name]; return !has })
	}
	panic("docs/schemas uses a keyword this test does not know: " + word)
}

func typeOf(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	}
	return "null"
}

type signedSample struct{ What, Schema, Object string }

func TestSampleObjectsKeepTheirSchemas(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range vectors[[]signedSample](t, "signed") {
		seen[v.Schema] = true
		var object any
		if err := json.Unmarshal([]byte(v.Object), &object); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{v.Schema, "signed"} {
			s := readSchema(t, name)
			for _, broken := range s.check(s.root, object, "") {
				t.Errorf("%s: schema %s: %s", v.What, name, broken)
			}
		}
	}
	if len(seen) != 6 {
		t.Errorf("samples of %v only", seen)
	}
}

// What a schema refuses for its form the program refuses too.
func TestSchemasRefuseWhatTheProgramRefuses(t *testing.T) {
	samples := map[string]string{}
	for _, v := range vectors[[]signedSample](t, "signed") {
		samples[v.What] = v.Object
	}
	for what, c := range map[string]badText{
		"an authority": {`"threshold":2`, `"threshold":0`, "/threshold"},
		"an office":    {`"name":"tokyo.example.org"`, `"name":"Tokyo"`, "/name"},
		"a route":      {`"through":["tokyo.example.org"]`, `"through":["tokyo..org"]`, "/through/0"},
		"a programme":  {`"role":"participant"`, `"role":"owner"`, "/parties/0/role"},
		"a party":      {`"kind":"member"`, `"kind":"friend"`, "/kind"},
	} {
		name := what[strings.Index(what, " ")+1:]
		s := readSchema(t, name)
		checkBad(t, samples[what], badText{c.from, c.to, ""}, parsers[name])
		var object any
		if err := json.Unmarshal([]byte(strings.Replace(samples[what], c.from, c.to, 1)), &object); err != nil {
			t.Fatal(err)
		}
		if broken := strings.Join(s.check(s.root, object, ""), "\n"); !strings.Contains(broken, c.want) {
			t.Errorf("%s: schema says %q, want …%s…", what, broken, c.want)
		}
	}
}

// parsers read the objects of a schema.
var parsers = map[string]func([]byte) error{
	"authority": func(b []byte) error { _, err := liaison.ParseAuthority(b); return err },
	"office":    func(b []byte) error { _, err := liaison.ParseOfficeObject(b); return err },
	"route":     func(b []byte) error { _, err := liaison.ParseRoute(b); return err },
	"programme": func(b []byte) error { _, err := liaison.ParseProgramme(b); return err },
	"party":     func(b []byte) error { _, _, err := liaison.ParsePartyObject(b); return err },
	"signed":    func(b []byte) error { _, _, err := liaison.SignedText(b); return err },
}

// Go, schema and page name the same properties, and agree on which are always
// there.
func TestGoSchemaAndPageNameTheSameProperties(t *testing.T) {
	page, err := os.ReadFile("docs/extensions.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, typ := range map[string]reflect.Type{
		"authority": reflect.TypeFor[liaison.Authority](), "office": reflect.TypeFor[liaison.OfficeObject](),
		"route": reflect.TypeFor[liaison.Route](), "programme": reflect.TypeFor[liaison.Programme](),
	} {
		s := readSchema(t, name).root
		always, sometimes := properties(typ)
		var required, all []string
		for _, r := range s["required"].([]any) {
			required = append(required, r.(string))
		}
		all = slices.Sorted(maps.Keys(s["properties"].(map[string]any)))
		slices.Sort(required)
		if !slices.Equal(required, always) {
			t.Errorf("%s: schema requires %v, Go always writes %v", name, required, always)
		}
		if want := slices.Sorted(slices.Values(slices.Concat(always, sometimes))); !slices.Equal(all, want) {
			t.Errorf("%s: schema has %v, Go has %v", name, all, want)
		}
		section := section(string(page), "## `"+name+"`")
		for _, p := range ownProperties(typ) {
			if !strings.Contains(section, "\n| `"+p+"`") {
				t.Errorf("docs/extensions.md: the table of %s lacks %s", name, p)
			}
		}
	}
}

func section(page, heading string) string {
	_, rest, _ := strings.Cut(page, heading)
	section, _, _ := strings.Cut(rest, "\n## ")
	return section
}

// properties returns a struct's JSON names: those always written, and those
// with omitzero.
func properties(typ reflect.Type) (always, sometimes []string) {
	for _, f := range reflect.VisibleFields(typ) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
		case option == "omitzero":
			sometimes = append(sometimes, name)
		default:
			always = append(always, name)
		}
	}
	slices.Sort(always)
	return always, sometimes
}

// ownProperties are those not in Common.
func ownProperties(typ reflect.Type) (names []string) {
	for i := range typ.NumField() {
		if f := typ.Field(i); !f.Anonymous {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

// The page's example is the vectors' object.
func TestTheSignedExampleVerifiesAsShown(t *testing.T) {
	page, err := os.ReadFile("docs/extensions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	example, _, _ := strings.Cut(rest, "```")
	for _, v := range vectors[[]signedSample](t, "signed") {
		if v.What == "a route" && string(liaison.JCS(jsontext.Value(example))) != v.Object {
			t.Errorf("the example is %s\nthe vector %s", liaison.JCS(jsontext.Value(example)), v.Object)
		}
	}
}
