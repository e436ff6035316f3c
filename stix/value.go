package stix

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonKind returns the kind of a JSON value by its first byte.
func jsonKind(c byte) jsontext.Kind {
	if c == '-' || c >= '0' && c <= '9' {
		return '0'
	}
	return jsontext.Kind(c)
}

// single checks one value against the kind of p and returns the index after it.
func (v *validator) single(p *Property, i int) int {
	switch p.Kind {
	case String, OpenVocab, Enum, Timestamp, Identifier, Hex, Binary:
		return v.stringValue(p, i)
	case Integer, Float:
		return v.number(p, i)
	case Boolean:
		return v.boolean(i)
	case Structure:
		return v.structure(p.Of, i)
	case Hashes:
		return v.hashes(i)
	case Dictionary:
		return v.dictionary(i)
	case Container:
		return v.container(i)
	case Extensions:
		return v.extensions(i)
	}
	v.here(FindReserved, "§3.8", "this name is reserved and must not be used")
	return valueEnd(v.raw, i)
}

func (v *validator) boolean(i int) int {
	switch v.raw[i] {
	case 't':
		return i + len("true")
	case 'f':
		return i + len("false")
	}
	return v.wrongKind(i, "true or false")
}

// number checks an integer or a float. Whether a double can hold it, the scanner has said.
func (v *validator) number(p *Property, i int) int {
	if jsonKind(v.raw[i]) != '0' {
		return v.wrongKind(i, "a number")
	}
	n, whole := numberLen(v.raw[i:])
	text := v.raw[i : i+n]
	if p.Kind == Integer && !whole && !isWhole(text) {
		v.here(FindKind, "§2.10", "expected an integer, found a number that is not whole")
	}
	if p.Bounded && !within(text, whole, p.Min, p.Max) {
		v.here(FindRange, v.section, fmt.Sprintf("expected a number from %s to %s", shortFloat(p.Min), shortFloat(p.Max)))
	}
	return i + n
}

func within(text []byte, whole bool, least, most float64) bool {
	if whole && len(text) <= 15 {
		n := 0
		for _, c := range bytes.TrimPrefix(text, []byte("-")) {
			n = n*10 + int(c-'0')
		}
		if text[0] == '-' {
			n = -n
		}
		return float64(n) >= least && float64(n) <= most
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return err == nil && f >= least && f <= most
}

func shortFloat(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// stringValue checks a string and what its kind wants of the text.
func (v *validator) stringValue(p *Property, i int) int {
	if v.raw[i] != '"' {
		return v.wrongKind(i, "a string")
	}
	end := stringEnd(v.raw, i)
	text := unquoteBytes(v.raw[i:end])
	switch p.Kind {
	case Timestamp:
		v.timestamp(text)
	case Identifier:
		v.reference(p.Refs, text)
	case OpenVocab:
		v.openTerm(p.Vocabulary, text)
	case Enum:
		v.closedTerm(p.Vocabulary, text)
	case Hex:
		v.hex(text)
	case Binary:
		v.binary(text)
	}
	if p.form != 0 {
		v.form(p.form, text)
	}
	return end
}

func (v *validator) timestamp(text []byte) {
	if !isPlainInstant(text) {
		if err := ValidInstant(string(text)); err != nil {
			v.here(FindInstant, "§2.16", err.Error())
		}
	}
}

func (v *validator) openTerm(vocabulary *Vocabulary, term []byte) {
	if vocabulary == nil {
		return
	}
	if _, ok := vocabulary.has[string(term)]; !ok {
		v.here(FindVocabulary, vocabulary.Section, quoteShort(string(term))+" is not in "+vocabulary.Name+"; terms of one's own are lower case with hyphens")
	}
}

func (v *validator) closedTerm(vocabulary *Vocabulary, term []byte) {
	if _, ok := vocabulary.has[string(term)]; !ok {
		v.here(FindEnum, vocabulary.Section, quoteShort(string(term))+" is not in "+vocabulary.Name+", which allows no other terms")
	}
}

const noReference = "a name that ends in _ref or _refs holds identifiers; this is none"

// reference checks the form of an identifier and what it refers to.
func (v *validator) reference(to *Targets, id []byte) {
	if v.inside != nil && to.areObservables() {
		v.localReference(to, id)
		return
	}
	if idFault(id) != "" {
		v.here(FindRef, "§2.9", noReference)
		return
	}
	if !isRFC4122(id) {
		v.here(FindUUIDForm, "§2.9", "expected a UUID of RFC 4122: a version from 1 to 8, and the variant 8, 9, a or b")
	}
	typ := id[:len(id)-uuidLen-2]
	if !to.allow(typ) {
		v.refersTo(to, typ)
	}
}

func (v *validator) refersTo(to *Targets, typ []byte) {
	v.here(FindRefType, v.section, "expected a reference to "+to.words()+", found one to "+string(typ))
}

// allow reports that objects of a type may be referred to. A bundle is no object (§8).
func (t *Targets) allow(typ []byte) bool {
	if t == nil {
		return string(typ) != "bundle"
	}
	for _, name := range t.Types {
		if name == string(typ) {
			return true
		}
	}
	if len(t.Categories) == 0 {
		return false
	}
	known := typesByName[string(typ)]
	return known == nil && string(typ) != "bundle" || known != nil && slices.Contains(t.Categories, known.Category)
}

// words names the targets for people.
func (t *Targets) words() string {
	if t == nil {
		return "an object"
	}
	var names []string
	names = append(names, t.Types...)
	for _, c := range t.Categories {
		names = append(names, [...]string{SDO: "a domain object", SRO: "a relationship object", SCO: "a cyber-observable object", Meta: "a meta object"}[c])
	}
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("one of %s", names)
}

func (v *validator) hex(text []byte) {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			v.here(FindHex, "§2.8", "expected digits 0-9 and a-f only")
			return
		}
	}
	if len(text)%2 == 1 {
		v.here(FindHex, "§2.8", "expected an even number of digits")
	}
}

func (v *validator) binary(text []byte) {
	if !isBase64(text) {
		v.here(FindBinary, "§2.1", "expected base64 with padding (RFC 4648 §4)")
	}
}

// isBase64 reports text in the standard alphabet with its padding.
func isBase64(text []byte) bool {
	if len(text)%4 != 0 {
		return false
	}
	body := bytes.TrimSuffix(text, []byte("="))
	body = bytes.TrimSuffix(body, []byte("="))
	for _, c := range body {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// dictionary checks keys; its values are checked where a property says what they are.
func (v *validator) dictionary(i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "an object")
	}
	if v.raw[i+1] == '}' {
		v.here(FindEmptyDict, "§2.3", emptyDictionary)
		return i + 2
	}
	return v.each(i, func(key []byte, i int) int {
		if !isDictionaryKey(key) {
			v.here(FindKey, "§2.3", "dictionary keys are 1 to 250 of a-z, A-Z, 0-9, _ and -")
		}
		return v.nothingEmpty(i)
	})
}

// each calls check for each member of the object at i, with the path at its value, and
// returns the index after the object. check returns the index after the value.
func (v *validator) each(i int, check func(key []byte, i int) int) int {
	if i++; v.raw[i] == '}' {
		return i + 1
	}
	v.path = append(v.path, place{})
	here := len(v.path) - 1
	for ; ; i++ {
		colon := stringEnd(v.raw, i)
		v.path[here].name = span{uint32(i + 1), uint32(colon - 1)}
		key := v.raw[i+1 : colon-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = []byte(unquote(v.raw[i:colon]))
		}
		i = check(key, colon+1)
		if v.raw[i] == '}' {
			break
		}
	}
	v.path = v.path[:here]
	return i + 1
}

func isDictionaryKey(key []byte) bool {
	for _, c := range key {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 250
}
