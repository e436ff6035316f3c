package stix

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// reservedNames are kept for the future (§3.8).
var reservedNames = [...]string{"severity", "username", "phone_number", "phone_numbers", "action"}

// unknown looks at a top-level property that the object's type does not have.
func (v *validator) unknown(name []byte) {
	if slices.Contains(reservedNames[:], string(name)) {
		v.here(FindReserved, "§3.8", "this name is reserved and must not be used")
		return
	}
	if !isPropertyName(name) {
		v.badName(name)
		return
	}
	if !v.topLevel && v.category == 0 {
		v.note(name)
	}
}

// nothingEmpty refuses empty lists (§2.12) and dictionaries (§2.3) in a value that no table
// describes, and returns the index after it.
func (v *validator) nothingEmpty(i int) int {
	end := valueEnd(v.raw, i)
	if value := v.raw[i:end]; bytes.Contains(value, []byte("[]")) || bytes.Contains(value, []byte("{}")) {
		v.emptyIn(i)
	}
	return end
}

func (v *validator) emptyIn(i int) int {
	switch {
	case v.raw[i] == '[' && v.raw[i+1] == ']':
		v.here(FindEmptyList, "§2.12", emptyList)
		return i + 2
	case v.raw[i] == '{' && v.raw[i+1] == '}':
		v.here(FindEmptyDict, "§2.3", emptyDictionary)
		return i + 2
	case v.raw[i] == '[':
		return v.elements(i, v.emptyIn)
	case v.raw[i] == '{':
		return v.each(i, func(_ []byte, i int) int { return v.emptyIn(i) })
	}
	return valueEnd(v.raw, i)
}

// unknownRefs wants identifiers in a property that ends in _ref or _refs (§3.1). Deeper
// inside, in dictionaries and extensions, such a name is a key like any other.
func (v *validator) unknownRefs(name []byte, value jsontext.Value) {
	if !isReferenceName(name) {
		return
	}
	v.unknownRef("", value)
	for i, e := range arrayElements(value) {
		v.unknownRef(strconv.Itoa(i), e)
	}
}

func (v *validator) unknownRef(at string, value jsontext.Value) {
	if text, ok := bytesOf(value); ok && idFault(text) != "" {
		v.find(FindRef, at, "§2.9", noReference)
	}
}

// note keeps the name of a property that nothing defines.
func (v *validator) note(name []byte) {
	if v.custom == nil {
		v.custom = v.names[:0]
	}
	if v.customs++; len(v.custom)+len(", ")+len(name) > len(v.names) {
		return
	}
	if len(v.custom) > 0 {
		v.custom = append(v.custom, ", "...)
	}
	v.custom = append(v.custom, name...)
}

// reportCustom makes one finding of all of them: there may be dozens in an object.
func (v *validator) reportCustom() {
	switch v.customs {
	case 0:
	case 1:
		v.find(FindCustom, string(v.custom), "§11.1", "STIX 2.1 has no such property, and no extension in the object defines it")
	default:
		v.find(FindCustom, "", "§11.1", "STIX 2.1 does not have these "+strconv.Itoa(v.customs)+" properties, and no extension in the object defines them: "+string(v.custom))
	}
}

// unknownInside looks at a member that a part does not have.
func (v *validator) unknownInside(s *scope, name []byte) {
	if !isPropertyName(name) && s.t != granularMarking {
		v.badName(name)
		return
	}
	if v.inside == nil {
		v.here(FindCustom, "§11.1", "STIX 2.1 has no such property of "+s.t.Name)
	}
}

func (v *validator) badName(member []byte) {
	name := string(member)
	if i := slices.IndexFunc(common[:], func(p Property) bool { return strings.EqualFold(p.Name, name) }); i >= 0 {
		v.here(FindNameCase, "§3.1", "this is not "+common[i].Name+": names match exactly, and this one is a property of its own")
		return
	}
	v.here(FindName, "§3.1", "property names are 3 to 250 of a-z, 0-9 and _, beginning with a letter")
}

func isPropertyName(s []byte) bool {
	for i, c := range s {
		if (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '_') {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= 250
}

// Unknown is what an object holds that STIX 2.1 does not define. It is kept like the rest.
type Unknown struct {
	Type       bool     // the object's type
	Properties []string // names of top-level properties, in order
	Extensions []string // keys of extensions, in order
}

// Unknown lists what STIX 2.1 does not define: the type, top-level properties, extensions.
func (o *Object) Unknown() Unknown {
	t := typesByName[o.typ]
	u := Unknown{Type: t == nil || t.Category == Part}
	if u.Type {
		t = unknownSDO
	}
	for _, m := range o.members {
		if name := m.in(o.raw); t.find(m.hash, name) < 0 {
			u.Properties = append(u.Properties, string(name))
		}
	}
	all, _ := o.Property("extensions")
	for key := range objectMembers(all) {
		if x := typesByName[key]; x == nil || !x.extension {
			u.Extensions = append(u.Extensions, key)
		}
	}
	return u
}

// extensionTypes says what kind of object an extension of the object defines, 0 if none
// does, and whether one brings top-level properties (§7.3).
func (o *Object) extensionTypes() (c Category, topLevel bool) {
	all, ok := o.Property("extensions")
	if !ok {
		return 0, false
	}
	for _, extension := range objectMembers(all) {
		switch stringAt(extension, "extension_type") {
		case "new-sdo":
			c = SDO
		case "new-sco":
			c = SCO
		case "new-sro":
			c = SRO
		case "toplevel-property-extension":
			topLevel = true
		}
	}
	return c, topLevel
}

// isLegacy reports an object of STIX 2.0: one that says so, that came in a bundle that says
// so, or that has no spec_version and a shape that only 2.0 allows.
func (o *Object) isLegacy() bool {
	switch {
	case o.specVersion != "":
		return o.specVersion == "2.0"
	case o.sco || o.has("spec_version"):
		return false
	case o.legacy:
		return true
	}
	switch o.typ {
	case "indicator":
		return !o.has("pattern_type") && o.has("labels")
	case "observed-data":
		return o.has("objects")
	}
	return false
}

func (o *Object) has(name string) bool {
	_, ok := o.Property(name)
	return ok
}
