package main

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/liaison-office/liaison/stix"
)

// A source is a Go file in the making.
type source struct{ bytes.Buffer }

func (s *source) printf(format string, args ...any) { fmt.Fprintf(s, format, args...) }

// viewFile puts the head of a file before its views: the package and what they import.
func viewFile(body *source) []byte {
	s := &source{}
	s.printf(generated + "package stix\n\nimport (\n")
	for _, path := range []string{"iter", "github.com/go-json-experiment/json/jsontext"} {
		if name := path[strings.LastIndex(path, "/")+1:]; strings.Contains(body.String(), name+".") {
			s.printf("%q\n\n", path)
		}
	}
	s.printf(")\n")
	s.Write(body.Bytes())
	return s.Bytes()
}

// fileOf says which file the views of a category are in.
var fileOf = map[stix.Category]string{
	stix.SDO: "domain", stix.SRO: "domain", stix.SCO: "observable", stix.Meta: "meta", stix.Part: "part",
}

// viewFiles returns the Go files by path, not formatted.
func viewFiles(n names) map[string][]byte {
	bodies := map[string]*source{"common": commonViews(n)}
	for t := range viewed(n) {
		file := fileOf[t.Category]
		if bodies[file] == nil {
			bodies[file] = &source{}
		}
		writeView(bodies[file], n, t)
	}
	files := map[string][]byte{"stix/views_list_test.go": viewList(n)}
	for file, body := range bodies {
		files["stix/views_"+file+".go"] = viewFile(body)
	}
	return files
}

// viewed yields the types that get a view: all but those that package stix declares itself.
func viewed(n names) iter.Seq[*stix.Type] {
	return func(yield func(*stix.Type) bool) {
		for t := range stix.Types() {
			if !n.types[typeName(t)] && !yield(t) {
				return
			}
		}
	}
}

// commons returns the properties that all object types have.
func commons() []stix.Property {
	var all []stix.Property
	for t := range stix.Types() {
		switch {
		case t.Category == stix.Part:
		case all == nil:
			all = slices.Clone(t.Properties)
		default:
			all = slices.DeleteFunc(all, func(p stix.Property) bool { return t.Property(p.Name) == nil })
		}
	}
	return all
}

// own returns the properties of a type that are not common to all.
func own(t *stix.Type) []stix.Property {
	if t.Category == stix.Part {
		return t.Properties
	}
	common := commons()
	return slices.DeleteFunc(slices.Clone(t.Properties), func(p stix.Property) bool {
		return slices.ContainsFunc(common, func(c stix.Property) bool { return c.Name == p.Name })
	})
}

// commonViews writes the common properties that Object has no method for. Which types require
// them, the tables of the types say.
func commonViews(n names) *source {
	s := &source{}
	for _, p := range commons() {
		if name, there := n.common(&p); !there {
			p.Required = false
			writeMethod(s, "o *Object", "o", name, "§3.2", &p)
		}
	}
	return s
}

func writeView(s *source, n names, t *stix.Type) {
	name := typeName(t)
	what := "an object of type "
	switch {
	case isExtension(t):
		what = "the predefined extension "
	case t.Category == stix.Part:
		what = "a JSON object of type "
	}
	s.printf("\n// %s views %s%s (STIX 2.1 %s)%s.\n", name, what, t.Name, t.Section, requirements(t))
	s.printf("type %s struct{ %s }\n", name, embedded(t))
	switch {
	case isExtension(t):
		s.printf("\n// As%s returns the extension %s of o; ok is false if o is nil or has none.\n", name, t.Name)
		s.printf("func As%s(o *Object) (v %s, ok bool) { return extensionAs[%s](o, %q) }\n", name, name, name, t.Name)
	case t.Category != stix.Part:
		s.printf("\n// As%s views o as %s; ok is false if o is nil or of another type.\n", name, t.Name)
		s.printf("func As%s(o *Object) (v %s, ok bool) { return viewAs[%s](o, %q) }\n", name, name, name, t.Name)
	}
	for _, p := range own(t) {
		if p.Kind != stix.Reserved {
			writeMethod(s, "v "+name, "v", n.method(t, &p), t.Section, &p)
		}
	}
}

// requirements says which properties of its own a type requires.
func requirements(t *stix.Type) string {
	var required []string
	for _, p := range own(t) {
		if p.Required {
			required = append(required, p.Name)
		}
	}
	if required == nil {
		return ""
	}
	return ", which requires " + series(required, "and")
}

func embedded(t *stix.Type) string {
	if t.Category == stix.Part {
		return base(t.Category)
	}
	return "*" + base(t.Category)
}

func writeMethod(s *source, receiver, variable, name, section string, p *stix.Property) {
	result, form := reading(p)
	verb, required, about := "returns", "", ""
	if strings.HasPrefix(result, "iter.") {
		verb = "yields"
	}
	if p.Required {
		required = ", required"
	}
	if a := values(p); a != "" {
		about = ": " + a
	}
	s.printf("\n// %s %s %s%s (%s)%s.\n", name, verb, p.Name, required, section, about)
	s.printf("func (%s) %s() %s { return %s }\n", receiver, name, result, fmt.Sprintf(form, fmt.Sprintf("%s.at(%q)", variable, p.Name)))
}

// reading returns the Go type of a property and how its value is read. A sequence is a
// function that does no more than call another, so that the compiler puts it where it is
// ranged over, and nothing is allocated.
func reading(p *stix.Property) (result, form string) {
	if p.List {
		switch p.Kind {
		case stix.Identifier:
			return sequence("ID", "eachID(%s, yield)")
		case stix.Structure:
			of := typeName(p.Of)
			return sequence(of, "eachPart(%s, func(p PartView) bool { return yield("+of+"{p}) })")
		case stix.String, stix.OpenVocab, stix.Enum:
			return sequence("string", "eachText(%s, yield)")
		}
		panic(fmt.Sprintf("no way to read a list of %v, as %s wants", p.Kind, p.Name))
	}
	switch p.Kind {
	case stix.Integer:
		return "int64", "asInteger(%s)"
	case stix.Float:
		return "float64", "asFloat(%s)"
	case stix.Boolean:
		return "bool", "%s.Kind() == 't'"
	case stix.Identifier:
		return "ID", "asID(%s)"
	case stix.Hashes:
		return sequence("string, string", "eachHash(%s, yield)")
	case stix.Dictionary, stix.Container, stix.Extensions:
		return sequence("string, jsontext.Value", "eachMember(%s, yield)")
	case stix.Structure:
		of := typeName(p.Of)
		return of, of + "{asPart(%s)}"
	}
	return "string", "readString(%s)"
}

// sequence is a reading of several values of these types by a call.
func sequence(types, call string) (result, form string) {
	result = "iter.Seq[" + types + "]"
	if strings.Contains(types, ",") {
		result = "iter.Seq2[" + types + "]"
	}
	return result, "func(yield func(" + types + ") bool) { " + call + " }"
}

// viewList writes the table of views that the test of package stix goes through.
func viewList(n names) []byte {
	s := &source{}
	s.printf(generated + "package stix_test\n\nimport \"github.com/liaison-office/liaison/stix\"\n\n")
	s.printf("// viewOf has the function that makes the view of a type or of a predefined extension.\n")
	s.printf("var viewOf = map[string]any{\n")
	for t := range viewed(n) {
		if t.Category != stix.Part || isExtension(t) {
			s.printf("%q: stix.As%s,\n", t.Name, typeName(t))
		}
	}
	s.printf("}\n")
	return s.Bytes()
}
