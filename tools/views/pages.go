package main

import (
	"strings"

	"github.com/liaison-office/liaison/stix"
)

const generatedPage = "<!-- Written by tools/views from the tables of package stix: go generate ./stix -->\n\n"

// findingsPage lists the codes of findings by level.
func findingsPage() []byte {
	s := &source{}
	s.printf(generatedPage + "# Findings\n\n")
	s.printf("What package `stix` can say of an object that it admits. A code never changes its meaning or its level.\n")
	s.printf("`admit` reports findings and refuses nothing; `strict` refuses an object with a finding of level *must*.\n")
	for _, level := range []struct {
		of      stix.Level
		meaning string
	}{
		{stix.Must, "The object breaks a MUST of STIX 2.1."},
		{stix.Should, "The object goes against a SHOULD of STIX 2.1, or leaves an open vocabulary."},
		{stix.KnownDefect, "Often seen in the field. It is safe, and likely to mislead a reader or a program."},
	} {
		s.printf("\n## %s\n\n%s\n\n| code | meaning |\n|---|---|\n", level.of, level.meaning)
		for e := range stix.Catalogue() {
			if e.Level == level.of {
				s.printf("| `%s` | %s |\n", e.Code, cell(e.Meaning))
			}
		}
	}
	return s.Bytes()
}

// cell writes text so that it stays in one cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

var headings = [...]string{
	stix.SDO: "Domain objects", stix.SRO: "Relationship objects", stix.SCO: "Cyber-observable objects", stix.Meta: "Meta objects",
	stix.Part: "Sub-types and predefined extensions",
}

// typesPage lists the types with their properties and the methods of their views.
func typesPage(n names) []byte {
	s := &source{}
	s.printf(generatedPage + "# STIX types\n\n")
	s.printf("What package `stix` knows of STIX 2.1: each type, its properties, and the method of its view that reads each.\n")
	s.printf("The views of objects have the methods of `*stix.Object`, so the common properties are listed once.\n\n")
	s.printf("## Common properties (§3.2)\n\n| property | method | kind | required of | values |\n|---|---|---|---|---|\n")
	for _, p := range commons() {
		name, _ := n.common(&p)
		s.printf("| `%s` | `%s` | %s | %s | %s |\n", p.Name, name, kindOf(&p), requiredOf(p.Name), values(&p))
	}
	last := stix.Category(0)
	for t := range stix.Types() {
		if t.Category != last {
			s.printf("\n## %s\n", headings[t.Category])
			last = t.Category
		}
		writeType(s, n, t)
	}
	return s.Bytes()
}

func writeType(s *source, n names, t *stix.Type) {
	s.printf("\n### %s\n\n`stix.%s`, %s\n\n| property | method | kind | required | values |\n|---|---|---|---|---|\n", t.Name, typeName(t), t.Section)
	for _, p := range own(t) {
		method, required := "`"+n.method(t, &p)+"`", ""
		if p.Kind == stix.Reserved {
			method = ""
		}
		if n.types[typeName(t)] {
			method = "`." + goName(p.Name) + "`" // a struct
		}
		if p.Required {
			required = "yes"
		}
		s.printf("| `%s` | %s | %s | %s | %s |\n", p.Name, method, kindOf(&p), required, values(&p))
	}
}

func kindOf(p *stix.Property) string {
	name := p.Kind.String()
	if p.Kind == stix.Structure {
		name = p.Of.Name
	}
	if p.List {
		return "list of " + name
	}
	return name
}

// requiredOf says which types require a common property: categories whose types all do, and
// single types beside.
func requiredOf(property string) string {
	all := map[stix.Category]bool{}
	for t := range stix.Types() {
		if t.Category != stix.Part {
			before, seen := all[t.Category]
			all[t.Category] = (before || !seen) && t.Property(property).Required
		}
	}
	var words []string
	for c := stix.SDO; c <= stix.Meta; c++ {
		if all[c] {
			words = append(words, categories[c]+"s")
		}
	}
	for t := range stix.Types() {
		if t.Category != stix.Part && !all[t.Category] && t.Property(property).Required {
			words = append(words, t.Name)
		}
	}
	return strings.Join(words, ", ")
}
