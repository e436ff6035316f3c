package stix

import (
	"fmt"
	"slices"
)

// container checks the deprecated dictionary of observables in observed-data (§2.13).
// Inside, references are names of the same dictionary. The objects may be those of STIX 2.0,
// so that properties which 2.1 does not have are no wonder.
func (v *validator) container(i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "an object of cyber-observable objects")
	}
	if v.raw[i+1] == '}' {
		v.here(FindEmptyDict, "§2.13", "the dictionary has at least one object")
		return i + 2
	}
	v.here(FindDeprecated, "§4.14", "objects is deprecated: expected object_refs")
	v.inside = &container{types: map[string]string{}}
	for key, o := range objectMembers(v.raw[i:valueEnd(v.raw, i)]) {
		v.inside.types[key] = stringAt(o, "type")
	}
	i = v.each(i, v.contained)
	v.inside = nil
	return i
}

// A container is what is known of the one being checked.
type container struct {
	types map[string]string // of its objects, by key
	typ   string            // of the object in hand
}

// contained checks one object of a container: a cyber-observable object whose key is its id.
func (v *validator) contained(_ []byte, i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "a cyber-observable object")
	}
	typ := stringAt(v.raw[i:valueEnd(v.raw, i)], "type")
	t := typesByName[typ]
	switch {
	case typ == "":
		v.find(FindMissing, "type", "§2.13", "type is required, and missing")
	case t == nil:
	case t.Category != SCO:
		v.find(FindRefType, "type", "§2.13", "expected the type of a cyber-observable object, found "+quoteShort(typ))
	default:
		v.inside.typ = typ
		return v.observable(t, i)
	}
	return valueEnd(v.raw, i)
}

func (v *validator) observable(t *Type, i int) int {
	outer := v.section
	v.section = t.Section
	s := scope{t: t, start: i}
	i = v.members(&s, i)
	v.section = outer
	s.seen |= 1 << atID
	v.missing(&s)
	v.rules(&s)
	return i
}

// localReference wants the key of an object of the same container, of a type that the
// property allows.
func (v *validator) localReference(to *Targets, key []byte) {
	typ, ok := v.inside.types[string(key)]
	switch {
	case !ok:
		v.here(FindRef, "§2.13", fmt.Sprintf("no object of this container is called %s", quoteShort(string(key))))
	case typ != "" && !to.allow([]byte(typ)):
		v.refersTo(to, []byte(typ))
	}
}

// areObservables reports targets that a container holds itself. Identities and markings of
// its objects are outside.
func (t *Targets) areObservables() bool {
	if t == nil || len(t.Types) == 0 {
		return t != nil && slices.Contains(t.Categories, SCO)
	}
	return isObservable(t.Types[0])
}
