package stix

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Findings checks the object against STIX 2.1 and returns what is wrong with it, at most
// 100 findings. It computes them anew at each call. [Mode] says which of them refuse the
// object.
func (o *Object) Findings() []Finding {
	v := validator{raw: o.raw, o: o}
	v.findings.list = slices.Clip(o.scanned)
	_, v.findings.must = Strict.Refuses(o.scanned)
	v.path = v.room[:0]
	v.whole()
	if o.isLegacy() {
		return v.legacy()
	}
	return v.findings.list
}

// legacy makes one finding of all: what else is said of an object of STIX 2.0 would be about
// another specification.
func (v *validator) legacy() []Finding {
	if _, broken := Strict.Refuses(v.findings.list); broken {
		return []Finding{{levels[FindLegacy], FindLegacy, "", "this is an object of STIX 2.0 and none of 2.1: convert it with liaison upgrade", "§3.2"}}
	}
	return []Finding{{levels[FindSpecVersion], FindSpecVersion, "/spec_version", "this is an object of STIX 2.0, and right as 2.1 but for spec_version: convert it with liaison upgrade", "§3.2"}}
}

// A validator walks the compact bytes of one object, guided by its Type.
type validator struct {
	raw      []byte
	o        *Object
	findings found

	section string     // of the properties in hand
	inside  *container // in which the value in hand is, nil if in none

	path []place // from the root to the value in hand
	room [8]place

	names    [200]byte // room for custom
	custom   []byte    // names of properties that no type and no extension has, joined
	customs  int
	category Category // of what an extension defines, 0 if none does
	topLevel bool     // an extension brings top-level properties
	unhashed int      // references with a url and without hashes
}

// A place is a step of a path: the name of a member, or an index if name is empty.
type place struct {
	name  span
	index int
}

// A scope is one JSON object being checked: where its properties are.
type scope struct {
	t     *Type
	start int // of its opening bracket
	seen  uint64
	at    [maxProperties]span // by place in t.Properties
	names int                 // members, known or not
}

func (s *scope) has(name string) bool { return s.seen>>s.t.place(name)&1 == 1 }

// value returns the bytes of a property, nil if it is absent.
func (v *validator) value(s *scope, name string) []byte {
	if i := s.t.place(name); i >= 0 && s.seen>>i&1 == 1 {
		return s.at[i].of(v.raw)
	}
	return nil
}

// text returns the text of a property; ok is false if it is absent or no string.
func (v *validator) text(s *scope, name string) (text []byte, ok bool) {
	b := v.value(s, name)
	if len(b) == 0 {
		return nil, false
	}
	return bytesOf(b)
}

// is reports that a property is there and has exactly these bytes.
func (v *validator) is(s *scope, name, bytes string) bool { return string(v.value(s, name)) == bytes }

// whole checks the object itself.
func (v *validator) whole() {
	v.category, v.topLevel = v.o.extensionTypes()
	t := v.typeOf()
	var s scope
	s.t = t
	v.path = append(v.path, place{})
	for _, m := range v.o.members {
		name := m.in(v.raw)
		s.names++
		v.path[0].name = m.span
		i := t.find(m.hash, name)
		if i < 0 {
			v.unknown(name)
			v.nothingEmpty(int(m.value.start))
			v.unknownRefs(name, m.value.of(v.raw))
			continue
		}
		s.seen |= 1 << i
		s.at[i] = m.value
		if v.section = t.Section; i < commonCount {
			v.section = "§3.2"
		}
		v.property(&t.Properties[i], int(m.value.start))
	}
	v.path = v.path[:0]
	v.checkCommon(&s)
	v.reportCustom()
	v.reportUnhashed()
	v.rules(&s)
	v.ownProperty(&s)
	v.checkSelectors()
}

// typeOf returns the type of the object; one that STIX 2.1 does not know is checked for
// the common properties of its category.
func (v *validator) typeOf() *Type {
	if t := typesByName[v.o.typ]; t != nil && t.Category != Part {
		v.category = 0 // there is nothing left to define
		return t
	}
	switch v.category {
	case SCO:
		return unknownSCO
	case SRO:
		return unknownSRO
	case SDO:
		return unknownSDO
	}
	v.find(FindCustomType, "type", "§11.2", quoteShort(v.o.typ)+" is no type of STIX 2.1, and no extension of the object defines it")
	return unknownSDO
}

// What is known of objects whose type is not of STIX 2.1.
var (
	unknownSDO = newType(SDO, "", "§11.2", nil)
	unknownSRO = newType(SRO, "", "§7.3", nil)
	unknownSCO = newType(SCO, "", "§7.3", nil)
)

// property checks one value and returns the index after it.
func (v *validator) property(p *Property, i int) int {
	if p.List {
		return v.list(p, i)
	}
	return v.single(p, i)
}

func (v *validator) list(p *Property, i int) int {
	if v.raw[i] != '[' {
		return v.wrongKind(i, "a list")
	}
	if v.raw[i+1] == ']' {
		v.here(FindEmptyList, "§2.12", emptyList)
		return i + 2
	}
	return v.elements(i, func(i int) int { return v.single(p, i) })
}

const (
	emptyList       = "a list has at least one element, or is left out"
	emptyDictionary = "a dictionary has at least one member, or is left out"
)

// elements calls check for each element of the list at i, which has some, with the path at
// it, and returns the index after the list. check returns the index after the element.
func (v *validator) elements(i int, check func(i int) int) int {
	v.path = append(v.path, place{})
	here := len(v.path) - 1
	for i++; ; i++ {
		i = check(i)
		if v.raw[i] == ']' {
			break
		}
		v.path[here].index++
	}
	v.path = v.path[:here]
	return i + 1
}

// structure checks a JSON object of type t.
func (v *validator) structure(t *Type, i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "an object")
	}
	outer := v.section
	v.section = t.Section
	s := scope{t: t, start: i}
	i = v.members(&s, i)
	v.section = outer
	v.missing(&s)
	v.rules(&s)
	return i
}

// members checks the members of the object at i and returns the index after it.
func (v *validator) members(s *scope, i int) int {
	if i++; v.raw[i] == '}' {
		return i + 1
	}
	v.path = append(v.path, place{})
	here := len(v.path) - 1
	for ; ; i++ {
		colon := stringEnd(v.raw, i)
		v.path[here].name = span{uint32(i + 1), uint32(colon - 1)}
		name := v.raw[i+1 : colon-1]
		s.names++
		if at := s.t.find(hashName(name), name); at >= 0 {
			i = v.property(&s.t.Properties[at], colon+1)
			s.seen |= 1 << at
			s.at[at] = span{uint32(colon + 1), uint32(i)}
		} else {
			v.unknownInside(s, name)
			i = v.nothingEmpty(colon + 1)
		}
		if v.raw[i] == '}' {
			break
		}
	}
	v.path = v.path[:here]
	return i + 1
}

// missing reports required properties that are absent.
func (v *validator) missing(s *scope) {
	for set := s.t.required &^ s.seen; set != 0; set &= set - 1 {
		at := bits.TrailingZeros64(set)
		p := &s.t.Properties[at]
		if at == atSpecVersion && s.t.Category != Part {
			continue // see checkSpecVersion
		}
		v.find(FindMissing, p.Name, s.t.Section, p.Name+" is required, and missing")
	}
}

// wrongKind reports a value of another JSON type, and steps over it.
func (v *validator) wrongKind(i int, want string) int {
	end := valueEnd(v.raw, i)
	v.here(FindKind, v.section, "expected "+want+", found "+kindName(jsonKind(v.raw[i])))
	return end
}

// here reports a finding about the value in hand.
func (v *validator) here(code, section, message string) { v.find(code, "", section, message) }

// find reports a finding about a member of the object in hand; of the object itself if
// the name is empty.
func (v *validator) find(code, name, section, message string) {
	if v.findings.wants(code) {
		v.report(code, v.pointer(name), section, message)
	}
}

func (v *validator) report(code, pointer, section, message string) {
	v.findings.add(Finding{levels[code], code, pointer, message, section})
}

// pointer returns the RFC 6901 pointer of the value in hand, or of a member of it.
func (v *validator) pointer(member string) string {
	var room [100]byte
	b := room[:0]
	for _, p := range v.path {
		b = append(b, '/')
		if p.name.end == 0 {
			b = strconv.AppendInt(b, int64(p.index), 10)
			continue
		}
		name, _ := textOf(v.raw[p.name.start-1 : p.name.end+1])
		b = append(b, pointerToken(name)...)
	}
	if member != "" {
		b = append(b, '/')
		b = append(b, pointerToken(member)...)
	}
	if known, ok := pointers[string(b)]; ok {
		return known
	}
	return string(b)
}

// pointers are those of the properties of all types: most findings are about one of them,
// and need no copy.
var pointers = func() map[string]string {
	m := map[string]string{"": ""}
	for _, t := range allTypes {
		for _, p := range t.Properties {
			m["/"+p.Name] = "/" + p.Name
		}
	}
	return m
}()

// checkCommon checks what the common properties say of each other (§3.2).
func (v *validator) checkCommon(s *scope) {
	v.missing(s)
	v.checkSpecVersion(s)
	for set := s.t.unused & s.seen; set != 0; set &= set - 1 {
		at := bits.TrailingZeros64(set)
		name := s.t.Properties[at].Name
		switch {
		case at == atDefanged:
			v.find(FindDefanged, name, "§3.2", "defanged is for cyber-observables only")
		case s.t == markingDefinition && (at == atModified || at == atRevoked):
			v.find(FindUnversioned, name, "§7.2.1", "a marking-definition has no versions")
		default:
			v.find(FindNotUsed, name, s.t.Section, name+" is not used with "+v.o.typ)
		}
	}
	v.checkIdentity(s)
	v.checkVersionTimes()
}

// checkSpecVersion wants "2.1". An object that is right in all else is read as 2.1, as the
// reference implementations do.
func (v *validator) checkSpecVersion(s *scope) {
	switch {
	case v.o.specVersion == "2.1":
	case s.seen>>atSpecVersion&1 == 1:
		if v.raw[s.at[atSpecVersion].start] != '"' {
			return // said already
		}
		v.find(FindSpecVersion, "spec_version", "§3.2", "expected \"2.1\", found "+quoteShort(v.o.specVersion))
	case s.t.required>>atSpecVersion&1 == 1:
		v.find(FindSpecVersion, "spec_version", "§3.2", "expected \"2.1\", found nothing")
	}
}

// checkIdentity checks the form of type and id (§2.9, §3.1).
func (v *validator) checkIdentity(s *scope) {
	if s.t.Name == "" && !isWellNamed(v.o.typ) {
		v.find(FindTypeName, "type", "§3.1", "type names are 3 to 250 of a-z, 0-9 and single hyphens, beginning with a letter")
	}
	if v.o.id.hasUpper() {
		v.find(FindUUIDCase, "id", "§2.9", "UUIDs are written in lower case (RFC 9562 §4)")
	}
	v.checkUUID(s)
}

func isWellNamed(typ string) bool {
	return len(typ) >= 3 && typ[0] >= 'a' && typ[0] <= 'z' && !strings.Contains(typ, "--")
}

// checkVersionTimes checks created and modified.
func (v *validator) checkVersionTimes() {
	for _, t := range [...]struct{ name, text string }{{"created", v.o.created}, {"modified", v.o.modified}} {
		if t.text != "" && !hasMilliseconds(t.text) {
			v.find(FindPrecision, t.name, "§3.2", t.name+" has at least three decimals")
		}
	}
	if v.o.created == "" || v.o.modified == "" || v.o.created == v.o.modified {
		return
	}
	if order, err := CompareInstants(v.o.modified, v.o.created); err == nil && order < 0 {
		v.find(FindOrder, "modified", "§3.2", "modified is the same as created or later")
	}
}

// hasMilliseconds looks for three decimals in an instant that was read before.
func hasMilliseconds(s string) bool {
	const upToPoint = len("2006-01-02T15:04:05.")
	return len(s) > upToPoint+3 && s[upToPoint-1] == '.' && fits(s[upToPoint:], "000")
}
