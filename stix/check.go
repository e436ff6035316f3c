package stix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// read takes the common properties (STIX 2.1 §3.2) out of the members, refuses what
// cannot be stored, routed or labelled safely, and notes the rest.
func (o *Object) read() *Error {
	if err := o.readIdentity(); err != nil {
		return err
	}
	for _, m := range o.members {
		if err := o.readProperty(o.nameOf(m), jsontext.Value(m.value.of(o.raw))); err != nil {
			return err
		}
	}
	o.sco = o.sco || isObservable(o.typ)
	if err := o.checkSelfMarking(); err != nil {
		return err
	}
	o.checkRequired()
	return nil
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
	id, ok := stringOf(v)
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

// commonProperties are the names of STIX 2.1 §3.2.
var commonProperties = [...]string{
	"type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked", "labels", "confidence", "lang",
	"external_references", "object_marking_refs", "granular_markings", "defanged", "extensions",
}

// readProperty reads one top-level member.
func (o *Object) readProperty(member []byte, v jsontext.Value) (err *Error) {
	switch name := string(member); name {
	case "type":
	case "id":
		if o.id.hasUpper() {
			o.find(Must, FindUUIDCase, "/id", "§2.9", "UUIDs are written in lower case (RFC 9562 §4)")
		}
	case "spec_version":
		o.specVersion = o.readString(name, v)
	case "created":
		o.created, err = o.readInstant(name, v)
	case "modified":
		o.modified, err = o.readInstant(name, v)
	case "created_by_ref":
		o.readCreator(v)
	case "revoked":
		if o.expect(name, v, 't', 'f') {
			o.revoked = v.Kind() == 't'
		}
	case "defanged":
		o.expect(name, v, 't', 'f')
	case "lang":
		o.lang = o.readString(name, v)
	case "confidence":
		o.expect(name, v, '0')
	case "labels", "external_references":
		if o.expect(name, v, '[') && string(v) == "[]" {
			o.find(Must, FindEmptyList, "/"+name, "§2.12", "a list has at least one element, or is left out")
		}
	case "object_marking_refs":
		err = o.readMarkings(v)
	case "granular_markings":
		err = o.readGranular(v)
	case "extensions":
		o.readExtensions(v)
	default:
		o.checkName(member)
	}
	return err
}

func (o *Object) find(level Level, code, pointer, section, message string) {
	o.findings = addFinding(o.findings, Finding{level, code, pointer, message, section})
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

// expect notes a common property of the wrong JSON type.
func (o *Object) expect(name string, v jsontext.Value, kinds ...jsontext.Kind) bool {
	if slices.Contains(kinds, v.Kind()) {
		return true
	}
	o.find(Must, FindKind, "/"+name, "§3.2", name+" is "+kindName(v.Kind())+"; it must be "+kindName(kinds[0]))
	return false
}

func (o *Object) readString(name string, v jsontext.Value) string {
	if !o.expect(name, v, '"') {
		return ""
	}
	if string(v) == `"2.1"` {
		return "2.1" // nearly every object: no allocation
	}
	text, _ := stringOf(v)
	return text
}

// readInstant reads created or modified, by which versions are ordered.
func (o *Object) readInstant(name string, v jsontext.Value) (string, *Error) {
	refuse := func(reason string) (string, *Error) {
		return "", &Error{"/" + name, CodeBadInstant, name + " cannot be ordered: " + reason}
	}
	text, ok := stringOf(v)
	switch {
	case !ok:
		return refuse("it is " + kindName(v.Kind()))
	case len(text) > MaxInstantBytes:
		return refuse(fmt.Sprintf("it is longer than %d bytes", MaxInstantBytes))
	}
	_, fault, err := readInstant(text)
	if err != nil {
		return refuse(err.Error())
	}
	if fault != "" {
		o.find(Must, FindInstant, "/"+name, "§2.16", name+" "+fault)
	}
	if !hasMilliseconds(text) {
		o.find(Must, FindPrecision, "/"+name, "§3.2", name+" has fewer than three decimals")
	}
	return text, nil
}

// hasMilliseconds looks for three decimals in an instant that was read before.
func hasMilliseconds(s string) bool {
	const upToPoint = len("2006-01-02T15:04:05.")
	return len(s) > upToPoint+3 && s[upToPoint-1] == '.' && fits(s[upToPoint:], "000")
}

func (o *Object) readCreator(v jsontext.Value) {
	text := o.readString("created_by_ref", v)
	if idFault(text) != "" {
		return // noted as a malformed reference, or as of the wrong kind
	}
	o.createdBy = ID(text)
	if !strings.HasPrefix(text, "identity--") {
		o.find(Must, FindRefType, "/created_by_ref", "§3.2", "created_by_ref names "+quoteShort(text)+"; it must name an identity")
	}
}

// markingFault says why text cannot be a marking, or "".
func markingFault(v jsontext.Value) (ID, string) {
	const prefix = "marking-definition--"
	text, ok := stringOf(v)
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
		o.markings = append(o.markings, id)
	}
	if len(o.markings) == 0 {
		o.find(Must, FindEmptyList, "/object_marking_refs", "§2.12", "a list has at least one element, or is left out")
	}
	return nil
}

// readGranular reads granular_markings (STIX 2.1 §7.2.3).
func (o *Object) readGranular(v jsontext.Value) *Error {
	if v.Kind() != '[' {
		return &Error{"/granular_markings", CodeBadMarking, "granular_markings is " + kindName(v.Kind()) + ", not a list"}
	}
	for i, e := range arrayElements(v) {
		at := fmt.Sprintf("/granular_markings/%d", i)
		if e.Kind() != '{' {
			return &Error{at, CodeBadMarking, "granular marking is " + kindName(e.Kind()) + ", not an object"}
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
			if text, ok := stringOf(selector); ok {
				g.Selectors = append(g.Selectors, text)
			}
		}
		if len(g.Selectors) == 0 || (g.MarkingRef == "") == (g.Lang == "") {
			o.find(Must, FindGranular, at, "§7.2.3", "a granular marking has selectors and either marking_ref or lang")
		}
		o.granular = append(o.granular, g)
	}
	if len(o.granular) == 0 {
		o.find(Must, FindEmptyList, "/granular_markings", "§2.12", "a list has at least one element, or is left out")
	}
	return nil
}

// readExtensions looks for observables defined by extension, and for extensions that
// declare what the object itself must say (STIX 2.1 §7.3).
func (o *Object) readExtensions(v jsontext.Value) {
	if !o.expect("extensions", v, '{') {
		return
	}
	for id, extension := range objectMembers(v) {
		at := "/extensions/" + pointerToken(id)
		if extension.Kind() != '{' {
			o.find(Must, FindKind, at, "§3.2", "an extension is an object")
			continue
		}
		switch stringAt(extension, "extension_type") {
		case "new-sco":
			o.sco = true
		case "toplevel-property-extension":
			o.checkRedefinition(at, extension)
		}
	}
}

func (o *Object) checkRedefinition(at string, extension jsontext.Value) {
	for name := range objectMembers(extension) {
		if slices.Contains(commonProperties[:], name) {
			o.find(Must, FindExtension, at+"/"+pointerToken(name), "§7.3.1", "an extension of top-level properties does not declare "+name)
		}
	}
}

// checkName looks at the name of a property that is not a common one.
func (o *Object) checkName(member []byte) {
	if isPropertyName(member) {
		return
	}
	name := string(member)
	at := "/" + pointerToken(name)
	if i := slices.IndexFunc(commonProperties[:], func(c string) bool { return strings.EqualFold(c, name) }); i >= 0 {
		o.find(Must, FindNameCase, at, "§3.1", "this is not "+commonProperties[i]+": names match exactly, and this one is a property of its own")
		return
	}
	o.find(Must, FindName, at, "§3.1", "property names are 3 to 250 of a-z, 0-9 and _, beginning with a letter")
}

func isPropertyName(s []byte) bool {
	for i, c := range s {
		if (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '_') {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= 250
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

// checkRequired looks for the common properties that this kind of object needs.
func (o *Object) checkRequired() {
	switch {
	case o.specVersion == "2.1":
	case o.specVersion != "":
		o.find(Must, FindSpecVersion, "/spec_version", "§3.2", "spec_version is "+quoteShort(o.specVersion)+"; it must be \"2.1\"")
	case !o.sco && !o.has("spec_version"):
		o.find(Must, FindSpecVersion, "/spec_version", "§3.2", "spec_version is missing; it must be \"2.1\"")
	}
	if o.typ == "marking-definition" {
		o.checkUnversioned()
	} else if !o.sco {
		o.require("modified", o.modified)
	}
	if !o.sco {
		o.require("created", o.created)
	}
	if o.created == "" || o.modified == "" {
		return
	}
	if order, err := CompareInstants(o.modified, o.created); err == nil && order < 0 {
		o.find(Must, FindOrder, "/modified", "§3.2", "modified is earlier than created")
	}
}

func (o *Object) require(name, value string) {
	if value == "" {
		o.find(Must, FindMissing, "/"+name, "§3.2", name+" is missing")
	}
}

func (o *Object) has(name string) bool {
	_, ok := o.Property(name)
	return ok
}

// checkUnversioned: marking-definitions have no versions (STIX 2.1 §7.2.1).
func (o *Object) checkUnversioned() {
	for _, name := range []string{"modified", "revoked"} {
		if o.has(name) {
			o.find(Must, FindUnversioned, "/"+name, "§7.2.1", "a marking-definition has no versions")
		}
	}
}

// isObservable knows the types of STIX 2.1 §6.
func isObservable(typ string) bool {
	switch typ {
	case "artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file",
		"ipv4-addr", "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process", "software", "url",
		"user-account", "windows-registry-key", "x509-certificate":
		return true
	}
	return false
}
