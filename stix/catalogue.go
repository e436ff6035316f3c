package stix

import "iter"

// An Explanation describes a code of findings.
type Explanation struct {
	Code    string
	Level   Level
	Meaning string
}

// catalogue has every code once. docs/findings.md is generated from it.
var catalogue = []Explanation{
	{FindLegacy, Must, "the object is of STIX 2.0 and would be wrong as 2.1; nothing else is reported of it, and liaison upgrade converts it"},
	{FindSpecVersion, KnownDefect, "spec_version is absent where it is required, or is not \"2.1\"; an object that is right in all else is read as 2.1"},
	{FindMissing, Must, "a required property is absent"},
	{FindKind, Must, "a value is of another JSON type than its property wants"},
	{FindReserved, Must, "a property name that the specification keeps for the future"},
	{FindNotUsed, Should, "a common property that the specification does not use with this type"},
	{FindDefanged, Must, "defanged stands on an object that is no cyber-observable"},
	{FindNameCase, Must, "a member differs from a common property by case alone, and so is a property of its own"},
	{FindName, Must, "a property name that is not 3 to 250 of a-z, 0-9 and _, beginning with a letter"},
	{FindTypeName, Must, "a type name that is not 3 to 250 of a-z, 0-9 and single hyphens, beginning with a letter"},
	{FindCustom, Should, "properties that STIX 2.1 does not have and no extension in the object defines: other tools may not understand them"},
	{FindCustomType, Should, "an object type that STIX 2.1 does not have and no extension in the object defines: other tools may not understand it"},
	{FindEmptyList, Must, "a list without elements"},
	{FindEmptyDict, Must, "a dictionary or structure without members"},
	{FindKey, Must, "a dictionary key that is not 1 to 250 of a-z, A-Z, 0-9, _ and -"},
	{FindDictValue, Must, "a dictionary value of a type that this property does not allow"},
	{FindNumber, Must, "a number that a double cannot hold (RFC 7493 §2.2); it is kept and compared as written"},
	{FindRange, Must, "a number outside the range of its property"},
	{FindInstant, Must, "a timestamp that is not YYYY-MM-DDTHH:mm:ss[.s+]Z"},
	{FindPrecision, Must, "a timestamp of another precision than its property wants"},
	{FindOrder, Must, "modified is earlier than created"},
	{FindTimes, Must, "an end that is earlier than its beginning"},
	{FindSameTimes, Must, "an end that must be later than its beginning and is equal to it; common in exports of OpenCTI"},
	{FindUUIDCase, KnownDefect, "an id with upper-case hexadecimal digits: other tools may not find it again"},
	{FindUUIDForm, Must, "a UUID without the variant or a version of RFC 4122"},
	{FindUUIDVersion, Should, "a UUID of another version than the specification recommends for this type"},
	{FindSCOID, Should, "the id of a cyber-observable is not the one that its properties give"},
	{FindRef, Must, "a property whose name ends in _ref or _refs holds something that is no identifier"},
	{FindRefType, Must, "a reference to an object of a type that this property does not allow"},
	{FindEnum, Must, "a value that is not in its closed vocabulary"},
	{FindVocabulary, Should, "a value that is not in its open vocabulary"},
	{FindHex, Must, "a value that is not an even number of the digits 0-9 and a-f"},
	{FindBinary, Must, "a value that is not base64 (RFC 4648 §4)"},
	{FindHashName, Should, "a hash under a name that the vocabulary does not have, or hashes without a SHA-256"},
	{FindHashKey, Must, "a hash under a key that is not 3 to 250 of a-z, A-Z, 0-9, _ and -"},
	{FindHash, Must, "a hash value that does not look like one of its algorithm"},
	{FindForm, Must, "a text that does not look as the specification demands: an address, URL, CPE, language, …"},
	{FindFormShould, Should, "a text that does not look as the specification recommends"},
	{FindPattern, Must, "a pattern that is not of the STIX patterning language though it says so, or that compares with a constant that cannot be equal: a hash of too few digits, a network that is none"},
	{FindForbidden, KnownDefect, "a pattern that the specification forbids and the field writes: both reference implementations take it"},
	{FindDoubtful, Should, "a pattern that is lawful and hardly meant"},
	{FindTogether, Must, "a property that needs another one beside it"},
	{FindExclusive, Must, "properties that exclude each other"},
	{FindAtLeast, Must, "none of several properties of which one is required"},
	{FindDepends, Must, "a property that the value of another one does not allow or demands"},
	{FindRecommended, Should, "a property that should be there is absent"},
	{FindDeprecated, Should, "a property or form that will go from the specification"},
	{FindRelationship, Should, "a relationship type that the specification does not list between these types: allowed, and others may not know it"},
	{FindGranular, Must, "a granular marking without selectors, or with not exactly one of marking_ref and lang"},
	{FindSelector, Must, "a selector that is malformed or names nothing in the object"},
	{FindUnversioned, Must, "a marking-definition with modified or revoked: its meaning must not change"},
	{FindTLP, Must, "a definition of a TLP level that is not one of those of the specification"},
	{FindTLPName, KnownDefect, "TLP:CLEAR defined under the id of TLP:WHITE, as OpenCTI does; it is understood as CLEAR"},
	{FindMarkingForm, Must, "a marking-definition without a definition, or with one of another type than it says"},
	{FindLanguage, Must, "language content that does not mirror properties of its object"},
	{FindExtension, Must, "a top-level extension declares what the specification defines"},
	{FindExtensionForm, Must, "an extension without extension_type, or of a type that does not exist"},
	{FindExtensionKey, Should, "an extension that is neither predefined nor named by the id of its definition"},
	{FindBundleID, Must, "a bundle without an id, or with one that is not bundle--UUID; no object in it is refused for that"},
	{FindInvisible, KnownDefect, "text with direction overrides, zero-width or tag characters: it reads differently from what it is"},
	{FindMore, KnownDefect, "the limit of findings was reached"},
}

// Catalogue yields every code of findings with its level and meaning.
func Catalogue() iter.Seq[Explanation] {
	return func(yield func(Explanation) bool) {
		for _, e := range catalogue {
			if !yield(e) {
				return
			}
		}
	}
}

var levels = func() map[string]Level {
	m := make(map[string]Level, len(catalogue))
	for _, e := range catalogue {
		m[e.Code] = e.Level
	}
	return m
}()
