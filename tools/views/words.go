package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/liaison-office/liaison/stix"
)

// values says in words what the values of a property are, "" if its Go type says it.
func values(p *stix.Property) string {
	switch p.Kind {
	case stix.Timestamp:
		return "a timestamp as written"
	case stix.Hex:
		return "hexadecimal digits"
	case stix.Binary:
		return "base64"
	case stix.Hashes:
		return "values by algorithm"
	case stix.Dictionary:
		return "values by key"
	case stix.Extensions:
		return "extensions by name or id"
	case stix.Container:
		return "observables by local name"
	case stix.Integer, stix.Float:
		if p.Bounded {
			return "from " + number(p.Min) + " to " + number(p.Max)
		}
	case stix.Identifier:
		return targets(p)
	case stix.OpenVocab, stix.Enum:
		return terms(p)
	}
	return ""
}

func terms(p *stix.Property) string {
	switch {
	case p.Vocabulary == nil:
		return ""
	case p.List:
		return "terms of " + p.Vocabulary.Name
	case p.Kind == stix.Enum:
		return "one of " + p.Vocabulary.Name
	}
	return "a term of " + p.Vocabulary.Name
}

// categories in words.
var categories = [...]string{
	stix.SDO: "domain object", stix.SRO: "relationship object", stix.SCO: "cyber-observable object", stix.Meta: "meta object",
}

// targets says what an identifier refers to.
func targets(p *stix.Property) string {
	some, before, after := "the id of ", "a ", ""
	if p.List {
		some, before, after = "ids of ", "", "s"
	}
	if p.Refs == nil {
		return some + "any object" + after
	}
	to := slices.Clone(p.Refs.Types)
	for _, c := range p.Refs.Categories {
		to = append(to, before+categories[c]+after)
	}
	return some + series(to, "or")
}

// series lists words: a, b and c.
func series(words []string, last string) string {
	n := len(words) - 1
	if n == 0 {
		return words[0]
	}
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
