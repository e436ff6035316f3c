package stix

import (
	"bytes"
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// An Object is one version of one STIX object: its bytes and what they say. It never
// changes, and may be used by any number of goroutines. What it returns by reference
// belongs to it and must not be written to.
type Object struct {
	raw     []byte // compact
	members []member
	refs    []ref
	scanned []Finding // what the scanner found
	legacy  bool      // it came in a bundle of STIX 2.0

	id          ID
	typ         string
	specVersion string
	created     string
	modified    string
	createdBy   ID
	lang        string
	revoked     bool
	sco         bool
	markings    []ID
	granular    []GranularMarking
}

// A GranularMarking marks parts of an object (STIX 2.1 §7.2.3): with a marking or,
// if MarkingRef is empty, with a language.
type GranularMarking struct {
	MarkingRef ID
	Lang       string
	Selectors  []string
}

// Parse reads one object. It does not keep b. What the object must not be, the error
// says, and it is an [*Error]; what is merely wrong, [Object.Findings] says.
func Parse(b []byte, lim Limits) (*Object, error) {
	lim = lim.withDefaults()
	s := newScanner(lim)
	defer s.release()
	o, err := s.parse(b)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// parse reads b as one object with nothing after it.
func (s *scanner) parse(b []byte) (*Object, *Error) {
	if len(b) > math.MaxUint32 {
		return nil, s.lim.objectTooLarge()
	}
	if len(bytes.TrimLeft(b, " \t\r\n")) == 0 {
		return nil, &Error{Code: CodeNotJSON, Reason: "not JSON: it is empty"}
	}
	s.reset(b, skipSpace(b, 0))
	o, err := s.element()
	if err != nil {
		return nil, err
	}
	if s.space(); s.pos < len(b) {
		return nil, s.syntax("there is more after the object")
	}
	return o, nil
}

// element reads the object at pos and makes it an Object of its own.
func (s *scanner) element() (*Object, *Error) {
	isObject := s.pos < len(s.src) && s.src[s.pos] == '{'
	if err := s.value(plain); err != nil {
		return nil, err
	}
	if !isObject {
		return nil, &Error{Code: CodeNotObject, Reason: "this is JSON, but not an object"}
	}
	o := &Object{
		raw:     s.compacted(),
		members: slices.Clone(s.members),
		refs:    slices.Clone(s.refs),
		scanned: s.findings.list,
	}
	if err := o.read(); err != nil {
		return nil, err
	}
	return o, nil
}

// Bytes returns the object as it was written, without insignificant white space.
func (o *Object) Bytes() []byte { return o.raw }

// ID returns the object's id as written.
func (o *Object) ID() ID { return o.id }

// Type returns the object's type.
func (o *Object) Type() string { return o.typ }

// SpecVersion returns spec_version as written, "" if it is absent.
func (o *Object) SpecVersion() string { return o.specVersion }

// Created returns created as written, "" if it is absent. It can be ordered.
func (o *Object) Created() string { return o.created }

// Modified returns modified as written, "" if it is absent. It can be ordered.
func (o *Object) Modified() string { return o.modified }

// Version returns modified, else created, else "": such an object is its own version.
func (o *Object) Version() string {
	if o.modified != "" {
		return o.modified
	}
	return o.created
}

// CreatedByRef returns the identity named as creator, "" if none is or if it is malformed.
func (o *Object) CreatedByRef() ID { return o.createdBy }

// Revoked reports revoked: true.
func (o *Object) Revoked() bool { return o.revoked }

// Lang returns lang as written, "" if it is absent: STIX then assumes English.
func (o *Object) Lang() string { return o.lang }

// MarkingRefs returns object_marking_refs in order.
func (o *Object) MarkingRefs() []ID { return o.markings }

// Granular returns granular_markings in order.
func (o *Object) Granular() []GranularMarking { return o.granular }

// IsSCO reports a cyber-observable: one of the 18 types of STIX 2.1 §6, or a type with an
// extension of extension_type new-sco. It needs neither created nor modified.
func (o *Object) IsSCO() bool { return o.sco }

// Property returns the value of a top-level member as written, without insignificant
// white space.
func (o *Object) Property(name string) (v jsontext.Value, ok bool) {
	v = o.at(name)
	return v, v != nil
}

// names returns the names of the top-level members.
func (o *Object) names() []string {
	names := make([]string, len(o.members))
	for i, m := range o.members {
		names[i] = string(m.in(o.raw))
	}
	return names
}

// Extension returns the extension that id defines.
func (o *Object) Extension(id ID) (jsontext.Value, bool) {
	all, ok := o.Property("extensions")
	if !ok {
		return nil, false
	}
	for name, v := range objectMembers(all) {
		if name == string(id) {
			return v, true
		}
	}
	return nil, false
}

// Refs returns every id the object refers to, at any depth, in the order written and each
// once: the identifiers under names that end in _ref or _refs, markings and object_refs
// included.
func (o *Object) Refs() []ID {
	var ids []ID
	seen := map[ID]bool{}
	for _, r := range o.refs {
		if id := ID(r.text(o.raw)); !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}
