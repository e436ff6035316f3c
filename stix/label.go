package stix

import (
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Label is what the markings of an object say, taken together.
type Label struct {
	TLP     TLP  // the strictest level; Unmarked if Marked is false
	Marked  bool // a level was found
	Unknown []ID // markings not understood: fail closed on them
	Other   []ID // markings without a level, statements and ACS among them: kept and shown
}

// LabelOf reads the markings of o. resolve finds marking-definitions by id; it may be nil.
// Each marking is read by id and by definition, and the strictest reading counts, so a
// definition posted under a known id can tighten and never loosen. Granular markings count
// like markings of the whole object. Markings deeper inside, and the names of markings,
// can only tighten: they never make an object Clear or Green by themselves.
func LabelOf(o *Object, resolve func(ID) (*Object, bool)) Label {
	var l Label
	var hint TLP
	var seen idSet
	for id := range o.directMarkings() {
		if !seen.add(id) {
			continue
		}
		r := readMarking(id, resolve)
		l.note(id, r)
		l.raise(r.level)
		hint = max(hint, r.hint)
	}
	for id := range o.nestedMarkings() {
		if !seen.add(id) {
			continue
		}
		r := readMarking(id, resolve)
		l.note(id, r)
		hint = max(hint, r.level, r.hint)
	}
	l.tighten(hint)
	return l
}

// directMarkings yields the markings of the object and of parts of it.
func (o *Object) directMarkings() iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for _, id := range o.markings {
			if !yield(id) {
				return
			}
		}
		for _, g := range o.granular {
			if g.MarkingRef != "" && !yield(g.MarkingRef) {
				return
			}
		}
	}
}

// idSet is a set of ids: usually of one or two.
type idSet struct {
	few  [8]ID
	n    int
	many map[ID]struct{}
}

// add reports that id was not in the set before.
func (s *idSet) add(id ID) bool {
	if slices.Contains(s.few[:s.n], id) {
		return false
	}
	if s.n < len(s.few) {
		s.few[s.n] = id
		s.n++
		return true
	}
	if s.many == nil {
		s.many = map[ID]struct{}{}
	}
	before := len(s.many)
	s.many[id] = struct{}{}
	return len(s.many) > before
}

// raise takes a level that somebody chose.
func (l *Label) raise(t TLP) {
	if t != Unmarked {
		l.TLP, l.Marked = max(l.TLP, t), true
	}
}

// tighten takes a level that is hinted at. Alone it counts from Amber on.
func (l *Label) tighten(t TLP) {
	if l.Marked || t >= Amber {
		l.raise(t)
	}
}

func (l *Label) note(id ID, r reading) {
	switch {
	case r.unknown:
		l.Unknown = append(l.Unknown, id)
	case r.level == Unmarked:
		l.Other = append(l.Other, id)
	}
}

// nestedMarkings yields every marking id that stands anywhere in the object: in the
// objects inside a STIX 2.0 observation, in lists that are otherwise malformed, in granular
// markings where none belongs. Those of the object itself are among them.
func (o *Object) nestedMarkings() iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for _, r := range o.refs {
			if r.marking && !yield(r.id(o.raw)) {
				return
			}
		}
	}
}

// A reading is what one marking says.
type reading struct {
	level   TLP  // by id and by definition, the strictest
	hint    TLP  // by name
	unknown bool // neither a known id nor a definition that is understood
}

func readMarking(id ID, resolve func(ID) (*Object, bool)) reading {
	r := reading{level: tlpByID(id)}
	var definition *Object
	if resolve != nil {
		definition, _ = resolve(id)
	}
	if definition == nil || definition.Type() != "marking-definition" {
		r.unknown = r.level == Unmarked
		return r
	}
	level, understood := definedLevel(definition)
	r.unknown = r.level == Unmarked && !understood
	r.level = max(r.level, level)
	r.hint = namedLevel(definition)
	return r
}

// definedLevel returns the level a marking-definition defines. understood is false if it
// defines one that is not a level of TLP.
func definedLevel(o *Object) (level TLP, understood bool) {
	understood = true
	read := func(colour string) {
		t, err := ParseTLP(colour)
		understood = understood && err == nil
		level = max(level, t)
	}
	if v, ok := o.Property("definition_type"); ok && unquotedIs(v, "tlp") {
		definition, _ := o.Property("definition")
		read(stringAt(definition, "tlp"))
	}
	if extension, ok := o.Extension(tlpExtension); ok {
		read(stringAt(extension, "tlp_2_0"))
	}
	if v, ok := o.Property("x_opencti_definition_type"); ok && unquotedIs(v, "tlp") {
		definition, _ := o.Property("x_opencti_definition")
		text, _ := stringOf(definition)
		read(text)
	}
	return level, understood
}

// namedLevel reads a name such as "TLP:RED".
func namedLevel(o *Object) TLP {
	v, _ := o.Property("name")
	name, _ := stringOf(v)
	prefix, colour, ok := strings.Cut(name, ":")
	if !ok || !strings.EqualFold(strings.TrimSpace(prefix), "TLP") {
		return Unmarked
	}
	level, err := ParseTLP(colour)
	if err != nil {
		return Unmarked
	}
	return level
}

func unquotedIs(v jsontext.Value, want string) bool {
	text, ok := stringOf(v)
	return ok && strings.EqualFold(text, want)
}

// IsTLPDefinition reports that o is a definition of TLP 1 or 2 and says nothing else: a
// known id, the level that belongs to it, and no room for anybody's text. Such objects are
// public knowledge, whoever sends them. OpenCTI's CLEAR under the id of WHITE is one.
func IsTLPDefinition(o *Object) bool {
	level := tlpByID(o.id)
	defined, understood := definedLevel(o)
	if o.typ != "marking-definition" || level == Unmarked || defined != level || !understood {
		return false
	}
	for _, name := range o.names() {
		v, _ := o.Property(name)
		switch name {
		case "type", "id":
		case "spec_version", "definition_type":
			if text, _ := stringOf(v); text != "2.1" && text != "2.0" && text != "tlp" {
				return false
			}
		case "created":
			if len(o.created) > len("2006-01-02T15:04:05.000000Z") {
				return false
			}
		case "name":
			if namedLevel(o) != level {
				return false
			}
		case "definition":
			if !onlyMembers(v, "tlp") {
				return false
			}
		case "extensions":
			extension, _ := o.Extension(tlpExtension)
			if !onlyMembers(v, string(tlpExtension)) || !onlyMembers(extension, "extension_type", "tlp_2_0") ||
				stringAt(extension, "extension_type") != "property-extension" {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// onlyMembers reports that v is an object with no other members than these.
func onlyMembers(v jsontext.Value, names ...string) bool {
	for name := range objectMembers(v) {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return v.Kind() == '{'
}
