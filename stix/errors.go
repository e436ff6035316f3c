package stix

import "fmt"

// Codes of refusals. A code never changes its meaning.
const (
	CodeNotJSON       = "not-json"         // grammar, truncation, trailing data, byte order mark
	CodeBadUTF8       = "bad-utf8"         // bytes that are not UTF-8 (RFC 8259 §8.1)
	CodeLoneSurrogate = "lone-surrogate"   // an escape that is half a character (RFC 7493 §2.1)
	CodeDuplicateName = "duplicate-name"   // one member name twice in one object (RFC 7493 §2.3)
	CodeTooDeep       = "too-deep"         // over Limits.Depth
	CodeTooLarge      = "too-large"        // over Limits.ObjectBytes or Limits.BodyBytes
	CodeTooMany       = "too-many-objects" // over Limits.Objects
	CodeNotObject     = "not-an-object"    // a JSON value that is not an object
	CodeBadEnvelope   = "bad-envelope"     // JSON, but no envelope, bundle or object
	CodeBundle        = "bundle-as-object" // a bundle where an object belongs
	CodeNoType        = "no-type"          // type is absent or not a string
	CodeNoID          = "no-id"            // id is absent or not a string
	CodeBadID         = "malformed-id"     // id is not type--UUID
	CodeTypeMismatch  = "id-type-mismatch" // id starts with another type
	CodeBadInstant    = "bad-instant"      // created or modified cannot be ordered
	CodeBadMarking    = "bad-marking"      // markings that cannot be read as marking-definition ids
	CodeSelfMarking   = "self-marking"     // a marking-definition that marks itself
)

// An Error is why something is refused: where, a stable code, and a sentence.
type Error struct {
	Pointer string // RFC 6901, into the object (of an envelope error: into the body); "" is the whole
	Code    string // one of the Code constants
	Reason  string // for people; quotes no more than a few words of the input
}

// Error implements error.
func (e *Error) Error() string {
	if e.Pointer == "" {
		return fmt.Sprintf("%s (%s)", e.Reason, e.Code)
	}
	return fmt.Sprintf("%s: %s (%s)", e.Pointer, e.Reason, e.Code)
}

// Level says how much a finding matters.
type Level uint8

// The levels of findings.
const (
	Must   Level = iota + 1 // breaks a MUST of STIX 2.1
	Should                  // against a SHOULD of STIX 2.1
	Defect                  // allowed by STIX 2.1, and still likely to mislead a reader or a program
)

// String returns "must", "should" or "defect".
func (l Level) String() string {
	switch l {
	case Must:
		return "must"
	case Should:
		return "should"
	case Defect:
		return "defect"
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Codes of findings. A code never changes its meaning.
const (
	FindSpecVersion = "spec-version"        // absent, or not 2.1
	FindMissing     = "missing-property"    // a required common property is absent
	FindKind        = "wrong-kind"          // a common property of another JSON type
	FindInstant     = "instant-form"        // an instant that STIX does not allow, though it can be ordered
	FindPrecision   = "instant-precision"   // created or modified without exactly three decimals
	FindOrder       = "modified-before"     // modified is earlier than created
	FindUUIDCase    = "uuid-upper-case"     // an id with upper-case hexadecimal digits
	FindNameCase    = "name-case"           // a member that differs from a common property by case alone
	FindName        = "property-name"       // a top-level name outside a-z, 0-9 and _
	FindNumber      = "number-range"        // a number outside I-JSON (RFC 7493 §2.2)
	FindRef         = "malformed-ref"       // a _ref or _refs value that is no identifier
	FindRefType     = "ref-type"            // created_by_ref that is not an identity
	FindEmptyList   = "empty-list"          // a list property without elements
	FindGranular    = "granular-marking"    // a granular marking without selectors, or with not exactly one of marking_ref and lang
	FindExtension   = "extension-redefines" // a top-level extension that declares a common property
	FindUnversioned = "versioned-marking"   // a marking-definition with modified or revoked
	FindInvisible   = "invisible-character" // direction overrides, zero-width and tag characters
	FindMore        = "more-findings"       // the limit of findings was reached
)

// A Finding is something wrong with an object that was admitted all the same.
type Finding struct {
	Level   Level
	Code    string // one of the Find constants
	Pointer string // RFC 6901, into the object
	Message string // for people
	Section string // of STIX 2.1 unless it names another document, e.g. "§3.2"
}
