package stix

import (
	"iter"
	"slices"
)

// Kind is a data type of STIX 2.1 §2.
type Kind uint8

// The data types.
const (
	String     Kind = iota + 1
	Integer         // §2.10
	Float           // §2.6
	Boolean         // §2.2
	Timestamp       // §2.16
	Identifier      // §2.9; Property.Refs says of what
	Hex             // §2.8
	Binary          // §2.1
	Hashes          // §2.7
	Dictionary      // §2.3
	OpenVocab       // §2.14; Property.Vocabulary has the suggested terms
	Enum            // §2.4; Property.Vocabulary has the only terms
	Container       // §2.13, the deprecated observable container
	Structure       // a JSON object of the type Property.Of
	Extensions      // the common property extensions (§3.2)
	Reserved        // a name that must not be used (§3.8)
)

var kindNames = [...]string{
	String: "string", Integer: "integer", Float: "float", Boolean: "boolean", Timestamp: "timestamp",
	Identifier: "identifier", Hex: "hex", Binary: "binary", Hashes: "hashes", Dictionary: "dictionary",
	OpenVocab: "open-vocab", Enum: "enum", Container: "observable-container", Structure: "object",
	Extensions: "extensions", Reserved: "reserved",
}

// String returns the name that the specification uses.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Category says where in the specification a type belongs.
type Category uint8

// The categories.
const (
	SDO  Category = iota + 1 // domain objects, §4
	SRO                      // relationship objects, §5
	SCO                      // cyber-observable objects, §6
	Meta                     // language content, markings, extension definitions, §7
	Part                     // JSON objects inside others: sub-types and predefined extensions
)

// A Type is one object type of STIX 2.1 with all its properties, or a part: a sub-type or
// a predefined extension. Types are data; nobody changes them.
type Type struct {
	Name       string
	Section    string // of STIX 2.1, such as "§4.7"
	Category   Category
	Properties []Property // the common ones first, in the order of the specification

	extension bool    // a predefined extension
	table     []uint8 // finds Properties by hashName: open addressing, index+1, 0 is free
	required  uint64  // bits by index in Properties
	unused    uint64  // common properties that this type does not use
}

// A Property is one line of a properties table of the specification.
type Property struct {
	Name       string
	Kind       Kind
	List       bool // a list of Kind
	Required   bool
	Vocabulary *Vocabulary // of OpenVocab and Enum
	Refs       *Targets    // of Identifier; nil is any object
	Of         *Type       // of Structure
	Bounded    bool        // of Integer and Float: Min <= value <= Max
	Min, Max   float64

	form form // what the text must look like beyond Kind
}

// Targets says what an identifier may refer to.
type Targets struct {
	Types      []string   // by name
	Categories []Category // or any of a category, and types that nobody knows
}

func named(types ...string) *Targets { return &Targets{Types: types} }

var (
	observables        = &Targets{Categories: []Category{SCO}}
	observations       = &Targets{Categories: []Category{SCO, SRO}}
	domainOnly         = &Targets{Categories: []Category{SDO}}
	domainOrObservable = &Targets{Categories: []Category{SDO, SCO}}
)

const (
	maxProperties = 64        // of one type: they are bits of a word
	maxInteger    = 1<<53 - 1 // §2.10
)

// The common properties (§3.2) come first in every type but parts, at these places.
const (
	atType = iota
	atSpecVersion
	atID
	atCreatedBy
	atCreated
	atModified
	atRevoked
	atLabels
	atConfidence
	atLang
	atExternalReferences
	atObjectMarkings
	atGranularMarkings
	atDefanged
	atExtensions
	commonCount
)

var common = [commonCount]Property{
	atType:               {Name: "type", Kind: String},
	atSpecVersion:        {Name: "spec_version", Kind: String},
	atID:                 {Name: "id", Kind: String},
	atCreatedBy:          {Name: "created_by_ref", Kind: Identifier, Refs: named("identity")},
	atCreated:            {Name: "created", Kind: Timestamp},
	atModified:           {Name: "modified", Kind: Timestamp},
	atRevoked:            {Name: "revoked", Kind: Boolean},
	atLabels:             {Name: "labels", Kind: String, List: true},
	atConfidence:         {Name: "confidence", Kind: Integer, Bounded: true, Max: 100},
	atLang:               {Name: "lang", Kind: String, form: formLanguage},
	atExternalReferences: {Name: "external_references", Kind: Structure, Of: externalReference, List: true},
	atObjectMarkings:     {Name: "object_marking_refs", Kind: Identifier, Refs: named("marking-definition"), List: true},
	atGranularMarkings:   {Name: "granular_markings", Kind: Structure, Of: granularMarking, List: true},
	atDefanged:           {Name: "defanged", Kind: Boolean},
	atExtensions:         {Name: "extensions", Kind: Extensions},
}

func bitsOf(places ...int) (set uint64) {
	for _, i := range places {
		set |= 1 << i
	}
	return set
}

// What each category requires of the common properties, and what it does not use (§3.2).
var (
	requiredBy = [...]uint64{
		SDO:  bitsOf(atType, atSpecVersion, atID, atCreated, atModified),
		SRO:  bitsOf(atType, atSpecVersion, atID, atCreated, atModified),
		SCO:  bitsOf(atType, atID),
		Meta: bitsOf(atType, atSpecVersion, atID, atCreated),
	}
	unusedBy = [...]uint64{
		SDO:  bitsOf(atDefanged),
		SRO:  bitsOf(atDefanged),
		SCO:  bitsOf(atCreatedBy, atRevoked, atLabels, atConfidence, atLang, atExternalReferences),
		Meta: bitsOf(atDefanged, atLang),
	}
)

// newType makes a type of objects of its own properties. The common ones are added.
func newType(c Category, name, section string, own []Property) *Type {
	t := &Type{Name: name, Section: section, Category: c, required: requiredBy[c], unused: unusedBy[c]}
	t.Properties = slices.Concat(common[:], own)
	return t.index()
}

// newPart makes a type of JSON objects inside others.
func newPart(name, section string, extension bool, own []Property) *Type {
	t := &Type{Name: name, Section: section, Category: Part, Properties: own, extension: extension}
	return t.index()
}

// with changes which common properties are required and which are not used.
func (t *Type) with(required, unused uint64) *Type {
	t.required |= required
	t.unused |= unused
	return t.index()
}

// index completes Required and the table.
func (t *Type) index() *Type {
	size := 8
	for size < 3*len(t.Properties) {
		size *= 2
	}
	t.table = make([]uint8, size)
	for i := range t.Properties {
		p := &t.Properties[i]
		p.Required = p.Required || t.required>>i&1 == 1
		if p.Required {
			t.required |= 1 << i
		}
		at := hashName(p.Name)
		for t.table[at&uint32(size-1)] != 0 {
			at++
		}
		t.table[at&uint32(size-1)] = uint8(i + 1)
	}
	return t
}

// find returns the place of a property, -1 if the type has none of that name.
func (t *Type) find(hash uint32, name []byte) int {
	for at := hash; ; at++ {
		i := int(t.table[at&uint32(len(t.table)-1)]) - 1
		if i < 0 || t.Properties[i].Name == string(name) {
			return i
		}
	}
}

// place is find for a name in the source of this package.
func (t *Type) place(name string) int { return t.find(hashName(name), []byte(name)) }

// Property returns the property of that name, nil if the type has none.
func (t *Type) Property(name string) *Property {
	if i := t.place(name); i >= 0 {
		return &t.Properties[i]
	}
	return nil
}

// TypeNamed returns an object type or a part by its name, nil if STIX 2.1 has none.
func TypeNamed(name string) *Type { return typesByName[name] }

// Types yields every type of STIX 2.1, objects first, in the order of the specification.
func Types() iter.Seq[*Type] {
	return func(yield func(*Type) bool) {
		for _, t := range allTypes {
			if !yield(t) {
				return
			}
		}
	}
}

var typesByName = func() map[string]*Type {
	m := make(map[string]*Type, len(allTypes))
	for _, t := range allTypes {
		m[t.Name] = t
	}
	return m
}()
