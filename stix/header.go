package stix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// read takes what an object is stored, routed and labelled by out of the members, and
// refuses what does not allow it safely. What is merely wrong, Validate says.
func (o *Object) read() *Error {
	if err := o.readIdentity(); err != nil {
		return err
	}
	for _, m := range o.members {
		if err := o.readProperty(m.in(o.raw), jsontext.Value(m.value.of(o.raw))); err != nil {
			return err
		}
	}
	o.sco = o.sco || isObservable(o.typ)
	return o.checkSelfMarking()
}

// readIdentity reads type and id, without which there is nothing to store.
func (o *Object) readIdentity() *Error {
	v, _ := o.Property("type")
	typ, ok := bytesOf(v)
	switch {
	case v == nil:
		return &Error{"/type", CodeNoType, "object has no type"}
	case !ok:
		return &Error{"/type", CodeNoType, "type is not a string"}
	case len(typ) == 0:
		return &Error{"/type", CodeNoType, "type is empty"}
	case string(typ) == "bundle":
		return &Error{"/type", CodeBundle, "a bundle is not an object: send its objects"}
	}
	v, _ = o.Property("id")
	id, ok := textOf(v)
	switch {
	case v == nil:
		return &Error{"/id", CodeNoID, "object has no id"}
	case !ok:
		return &Error{"/id", CodeNoID, "id is not a string"}
	}
	if fault := idFault(id); fault != "" {
		return &Error{"/id", CodeBadID, "id " + quoteShort(id) + " " + fault}
	}
	o.id = ID(id)
	o.typ = id[:len(id)-uuidLen-2]
	if o.typ != string(typ) {
		return &Error{"/id", CodeTypeMismatch, fmt.Sprintf("id is of type %s, but type is %s", quoteShort(o.typ), quoteShort(string(typ)))}
	}
	return nil
}

// readProperty reads one top-level member.
func (o *Object) readProperty(name []byte, v jsontext.Value) (err *Error) {
	switch string(name) {
	case "spec_version":
		o.specVersion = readString(v)
	case "created":
		o.created, err = readVersion("created", v)
	case "modified":
		o.modified, err = readVersion("modified", v)
	case "created_by_ref":
		if text := readString(v); idFault(text) == "" {
			o.createdBy = ID(text)
		}
	case "revoked":
		o.revoked = v.Kind() == 't'
	case "lang":
		o.lang = readString(v)
	case "object_marking_refs":
		err = o.readMarkings(v)
	case "granular_markings":
		err = o.readGranular(v)
	case "extensions":
		for _, extension := range objectMembers(v) {
			o.sco = o.sco || extension.Kind() == '{' && stringAt(extension, "extension_type") == "new-sco"
		}
	}
	return err
}

// kindName says what a jsontext.Kind is called.
func kindName(k jsontext.Kind) string {
	switch k {
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "true or false"
	case '[':
		return "a list"
	case '{':
		return "an object"
	}
	return "null"
}

func readString(v jsontext.Value) string {
	text, _ := textOf(v)
	return text
}

// readVersion reads created or modified, by which versions are ordered.
func readVersion(name string, v jsontext.Value) (string, *Error) {
	refuse := func(reason string) (string, *Error) {
		return "", &Error{"/" + name, CodeBadInstant, name + " cannot be ordered: " + reason}
	}
	text, ok := textOf(v)
	switch {
	case !ok:
		return refuse("it is " + kindName(v.Kind()))
	case len(text) > MaxInstantBytes:
		return refuse(fmt.Sprintf("it is longer than %d bytes", MaxInstantBytes))
	}
	if !isPlainInstant(text) {
		if _, _, err := readInstant(text); err != nil {
			return refuse(err.Error())
		}
	}
	return text, nil
}

// markingFault says why text cannot be a marking, or "".
func markingFault(v jsontext.Value) (ID, string) {
	const prefix = "marking-definition--"
	text, ok := textOf(v)
	switch {
	case !ok:
		return "", "is " + kindName(v.Kind()) + ", not an id"
	case !strings.HasPrefix(text, prefix) || idFault(text) != "" || len(text) != len(prefix)+uuidLen:
		return "", quoteShort(text) + " is not the id of a marking-definition"
	}
	return ID(text), ""
}

// readMarkings reads object_marking_refs. What cannot be read cannot be labelled.
func (o *Object) readMarkings(v jsontext.Value) *Error {
	if v.Kind() != '[' {
		return &Error{"/object_marking_refs", CodeBadMarking, "object_marking_refs is " + kindName(v.Kind()) + ", not a list of ids"}
	}
	for i, e := range arrayElements(v) {
		id, fault := markingFault(e)
		if fault != "" {
			return &Error{fmt.Sprintf("/object_marking_refs/%d", i), CodeBadMarking, "marking " + fault}
		}
		if o.markings = append(o.markings, id); len(o.markings) > MaxMarkings {
			return &Error{"/object_marking_refs", CodeBadMarking, fmt.Sprintf("more than %d markings on one object", MaxMarkings)}
		}
	}
	o.markings = slices.Clip(o.markings)
	return nil
}

// readGranular reads granular_markings (STIX 2.1 §7.2.3).
func (o *Object) readGranular(v jsontext.Value) *Error {
	if v.Kind() != '[' {
		return &Error{"/granular_markings", CodeBadMarking, "granular_markings is " + kindName(v.Kind()) + ", not a list"}
	}
	selectors := 0
	for i, e := range arrayElements(v) {
		at := fmt.Sprintf("/granular_markings/%d", i)
		switch {
		case e.Kind() != '{':
			return &Error{at, CodeBadMarking, "granular marking is " + kindName(e.Kind()) + ", not an object"}
		case i == MaxMarkings:
			return &Error{"/granular_markings", CodeBadMarking, fmt.Sprintf("more than %d granular markings on one object", MaxMarkings)}
		}
		g := GranularMarking{Lang: stringAt(e, "lang")}
		if ref := memberOf(e, "marking_ref"); ref != nil {
			id, fault := markingFault(ref)
			if fault != "" {
				return &Error{at + "/marking_ref", CodeBadMarking, "marking " + fault}
			}
			g.MarkingRef = id
		}
		for _, selector := range arrayElements(memberOf(e, "selectors")) {
			if selectors++; selectors > MaxSelectors {
				return &Error{"/granular_markings", CodeBadMarking, fmt.Sprintf("more than %d selectors on one object", MaxSelectors)}
			}
			if text, ok := stringOf(selector); ok {
				g.Selectors = append(g.Selectors, text)
			}
		}
		g.Selectors = slices.Clip(g.Selectors)
		o.granular = append(o.granular, g)
	}
	o.granular = slices.Clip(o.granular)
	return nil
}

// checkSelfMarking refuses a marking that would have to be known before itself.
func (o *Object) checkSelfMarking() *Error {
	if i := slices.Index(o.markings, o.id); i >= 0 {
		return &Error{fmt.Sprintf("/object_marking_refs/%d", i), CodeSelfMarking, "a marking-definition cannot mark itself"}
	}
	for i, g := range o.granular {
		if g.MarkingRef == o.id {
			return &Error{fmt.Sprintf("/granular_markings/%d/marking_ref", i), CodeSelfMarking, "a marking-definition cannot mark itself"}
		}
	}
	return nil
}

// isObservable knows the types of STIX 2.1 §6.
func isObservable(typ string) bool {
	t := typesByName[typ]
	return t != nil && t.Category == SCO
}
