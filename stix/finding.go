package stix

import "fmt"

// Level says how much a finding matters.
type Level uint8

// The levels of findings.
const (
	Must        Level = iota + 1 // breaks a MUST of STIX 2.1
	Should                       // against a SHOULD of STIX 2.1, or an open vocabulary
	KnownDefect                  // seen often in the field; safe, and likely to mislead a reader or a program
)

// String returns "must", "should" or "known-defect".
func (l Level) String() string {
	switch l {
	case Must:
		return "must"
	case Should:
		return "should"
	case KnownDefect:
		return "known-defect"
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// A Finding is something wrong with an object.
type Finding struct {
	Level   Level  `json:"level"`
	Code    string `json:"code"`              // one of the Find constants; a code never changes its meaning or level
	Pointer string `json:"pointer"`           // RFC 6901, into the object
	Message string `json:"message"`           // for people: what was expected
	Section string `json:"section,omitempty"` // of STIX 2.1 unless it names another document, e.g. "§3.2"
}

// Mode says which findings refuse an object. The zero value is Admit.
type Mode string

// The modes. What cannot be stored, routed or labelled safely is no Object in either: Parse
// returns an [*Error].
const (
	Admit  Mode = "admit"  // findings are reported and refuse nothing
	Strict Mode = "strict" // a finding of level Must refuses
)

// Refuses returns the first finding for which the mode refuses an object.
func (m Mode) Refuses(findings []Finding) (Finding, bool) {
	if m == Strict {
		for _, f := range findings {
			if f.Level == Must {
				return f, true
			}
		}
	}
	return Finding{}, false
}

// Codes of findings. A code never changes its meaning; [Catalogue] describes each.
const (
	// The object as a whole, and which properties it has.
	FindLegacy      = "stix-2.0"
	FindSpecVersion = "spec-version"
	FindMissing     = "missing-property"
	FindKind        = "wrong-kind"
	FindReserved    = "reserved-name"
	FindNotUsed     = "property-not-used"
	FindDefanged    = "defanged-outside-sco"

	// Names, and what nothing defines.
	FindNameCase   = "name-case"
	FindName       = "property-name"
	FindTypeName   = "type-name"
	FindCustom     = "custom-property"
	FindCustomType = "custom-type"

	// Lists, dictionaries and numbers.
	FindEmptyList = "empty-list"
	FindEmptyDict = "empty-dictionary"
	FindKey       = "dictionary-key"
	FindDictValue = "dictionary-value"
	FindNumber    = "number-range"
	FindRange     = "value-range"

	// Timestamps.
	FindInstant   = "instant-form"
	FindPrecision = "instant-precision"
	FindOrder     = "modified-before"
	FindTimes     = "time-order"
	FindSameTimes = "time-equal"

	// Identifiers and references.
	FindUUIDCase    = "uuid-upper-case"
	FindUUIDForm    = "uuid-form"
	FindUUIDVersion = "uuid-version"
	FindSCOID       = "sco-id"
	FindRef         = "malformed-ref"
	FindRefType     = "ref-type"

	// Vocabularies and the forms of texts.
	FindEnum       = "closed-vocabulary"
	FindVocabulary = "open-vocabulary"
	FindHex        = "hex-form"
	FindBinary     = "binary-form"
	FindHashName   = "hash-name"
	FindHashKey    = "hash-key"
	FindHash       = "hash-form"
	FindForm       = "value-form"
	FindFormShould = "value-convention"
	FindPattern    = "pattern-syntax"
	FindForbidden  = "pattern-forbidden"
	FindDoubtful   = "pattern-doubtful"

	// Properties together, and relationships.
	FindTogether     = "required-together"
	FindExclusive    = "mutually-exclusive"
	FindAtLeast      = "at-least-one"
	FindDepends      = "depends-on-value"
	FindRecommended  = "recommended-property"
	FindDeprecated   = "deprecated-property"
	FindRelationship = "relationship-unlisted"

	// Markings, languages and extensions.
	FindGranular      = "granular-marking"
	FindSelector      = "selector"
	FindUnversioned   = "versioned-marking"
	FindTLP           = "tlp-definition"
	FindTLPName       = "tlp-name"
	FindMarkingForm   = "marking-form"
	FindLanguage      = "language-content"
	FindExtension     = "extension-redefines"
	FindExtensionForm = "extension-form"
	FindExtensionKey  = "extension-key"

	// The bundle around the objects.
	FindBundleID = "bundle-id"

	// Beyond the specification.
	FindInvisible = "invisible-character"
	FindMore      = "more-findings"
)
