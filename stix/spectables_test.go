package stix_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// A specProperty is a line of a properties table in the text of the specification.
type specProperty struct {
	required bool
	typ      string
	terms    string // name of its vocabulary
}

var (
	specHeading  = regexp.MustCompile(`^#+ (7\.1|7\.2\.1|7\.3|8)\.? `)
	specTypeName = regexp.MustCompile(`\*\*Type Name:?\*\*:? *<span class=["']stixtype["']>([a-z0-9-]+)</span>`)
	specName     = regexp.MustCompile(`<td><strong>([a-z0-9_]+)</strong> *\((required|optional)`)
	specTags     = regexp.MustCompile(`<[^>]+>`)
	specVocab    = regexp.MustCompile(`class="stixvocab">([a-z0-9-]+-(?:ov|enum))</span>`)
)

// specTables reads the HTML tables of the specification: type -> property -> line.
func specTables(t *testing.T) map[string]map[string]specProperty {
	text := string(readFile(t, filepath.Join(shared(t), "corpora", "spec", "stix-v2.1.md.gz")))
	all := map[string]map[string]specProperty{}
	typ := ""
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if m := specHeading.FindStringSubmatch(line); m != nil {
			typ = map[string]string{"7.1": "language-content", "7.2.1": "marking-definition", "7.3": "extension-definition", "8": ""}[m[1]]
		}
		if m := specTypeName.FindStringSubmatch(line); m != nil {
			typ = m[1]
		}
		if strings.Contains(line, "Statement Marking Object Type") || strings.Contains(line, "bundle") && strings.HasPrefix(line, "**Type") {
			typ = ""
		}
		if strings.Contains(line, "#### Granular Marking Type") {
			typ = "granular-marking"
		}
		m := specName.FindStringSubmatch(line)
		if m == nil || typ == "" || i+2 >= len(lines) {
			continue
		}
		p := specProperty{required: m[2] == "required", typ: strings.TrimSpace(specTags.ReplaceAllString(lines[i+1], ""))}
		if v := specVocab.FindStringSubmatch(lines[i+2]); v != nil && !strings.Contains(p.typ, "hashes") {
			p.terms = v[1]
		}
		if all[typ] == nil {
			all[typ] = map[string]specProperty{}
		}
		all[typ][m[1]] = p
	}
	return all
}

// kindOf says what a type of the specification is in our tables.
func kindOf(typ string) (k stix.Kind, list bool) {
	typ, list = strings.CutPrefix(typ, "list of type ")
	for k = stix.String; k <= stix.Extensions; k++ {
		if k.String() == typ {
			return k, list
		}
	}
	switch typ {
	case "RESERVED":
		return stix.Reserved, list
	case "&lt;marking object&gt;":
		return stix.Dictionary, list
	}
	return stix.Structure, list
}

func TestEveryPropertyOfTheSpecificationIsInItsType(t *testing.T) {
	tables := specTables(t)
	properties := 0
	for name, lines := range tables {
		typ := stix.TypeNamed(name)
		if typ == nil {
			t.Errorf("no type %s", name)
			continue
		}
		for property, want := range lines {
			if property == "type" || property == "extensions" || property == "external_references" {
				continue // common properties, said again for one type
			}
			properties++
			p := typ.Property(property)
			kind, list := kindOf(want.typ)
			switch {
			case p == nil:
				t.Errorf("%s has no %s", name, property)
			case p.Kind != kind || p.List != list || p.Required != want.required:
				t.Errorf("%s.%s is %v, list %t, required %t; the specification says %+v", name, property, p.Kind, p.List, p.Required, want)
			case want.terms != "" && (p.Vocabulary == nil || p.Vocabulary.Name != want.terms):
				t.Errorf("%s.%s does not use %s", name, property, want.terms)
			}
		}
	}
	if len(tables) < 55 || properties < 350 {
		t.Errorf("only %d tables with %d properties were read", len(tables), properties)
	}
	t.Logf("%d properties of %d types", properties, len(tables))
}

func TestNoTypeHasMoreThanTheSpecification(t *testing.T) {
	tables := specTables(t)
	commons := []string{"type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked", "labels", "confidence", "lang",
		"external_references", "object_marking_refs", "granular_markings", "defanged", "extensions"}
	for typ := range stix.Types() {
		if typ.Name == "external-reference" {
			continue // its table is no HTML
		}
		for _, p := range typ.Properties {
			_, there := tables[typ.Name][p.Name]
			if common := typ.Category != stix.Part && slices.Contains(commons, p.Name); !there && !common {
				t.Errorf("%s has %s, which the specification does not have", typ.Name, p.Name)
			}
		}
	}
}

var (
	specVocabName = regexp.MustCompile(`\*\*(?:Vocabulary|Enumeration) Name:\*\* <span class=["']stixtype["']>([a-z0-9-]+)</span>`)
	specTerm      = regexp.MustCompile(`^\s*<td(?: style="text-indent[^>]*)?>(?:<span style[^>]*>)?<span class="stixliteral">([^<]+)</span>(?:</span>)?</td>`)
	specSummary   = regexp.MustCompile(`(?:Vocabulary|Enumeration) Summary`)
	specWord      = regexp.MustCompile(`[\w#+-]+`)
)

// specTerms reads the terms of each vocabulary twice: line by line, and from its summary.
func specTerms(t *testing.T) (terms, summaries map[string][]string) {
	terms, summaries = map[string][]string{}, map[string][]string{}
	name, summary := "", false
	for line := range strings.Lines(string(readFile(t, filepath.Join(shared(t), "corpora", "spec", "stix-v2.1.md.gz")))) {
		if m := specVocabName.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if m := specTerm.FindStringSubmatch(line); m != nil && name != "" && !slices.Contains(terms[name], m[1]) {
			terms[name] = append(terms[name], m[1])
		}
		switch {
		case specSummary.MatchString(line):
			summary = true
		case summary && strings.Contains(line, "<td"):
			summaries[name] = specWord.FindAllString(specTags.ReplaceAllString(line, ""), -1)
			summary = false
		}
		if strings.HasPrefix(line, "# 11.") {
			break
		}
	}
	return terms, summaries
}

func TestEveryVocabularyHasTheTermsOfTheSpecification(t *testing.T) {
	terms, summaries := specTerms(t)
	sorted := func(words []string) []string { return slices.Sorted(slices.Values(words)) }
	seen := map[string]bool{}
	for typ := range stix.Types() {
		for _, p := range typ.Properties {
			if p.Vocabulary == nil || seen[p.Vocabulary.Name] {
				continue
			}
			name, got := p.Vocabulary.Name, p.Vocabulary.Terms
			seen[name] = true
			if !slices.Equal(got, terms[name]) {
				t.Errorf("%s has %q, want %q", name, got, terms[name])
			}
			summary := summaries[name]
			if i := slices.Index(summary, "AF_ISOCK_DGRAMNET"); i >= 0 {
				summary[i] = "SOCK_DGRAM" // a slip in the text: its table has it right
			}
			if !slices.Equal(sorted(got), sorted(summary)) {
				t.Errorf("%s has %q, its summary %q", name, got, summary)
			}
		}
	}
	t.Logf("%d vocabularies", len(seen))
}
