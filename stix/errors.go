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
	CodeSameVersion   = "same-version"     // other contents under an id and version that were there before
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
