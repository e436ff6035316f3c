package liaison

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/liaison-office/liaison/stix"
)

// Office names a running node by a DNS name it owns, in lower case:
// tokyo.example.org.
type Office string

// ParseOffice checks that s is a lower-case DNS name of at least two labels.
func ParseOffice(s string) (Office, error) {
	if len(s) > 253 || !strings.Contains(s, ".") {
		return "", fmt.Errorf("office %.60q: want a DNS name of two or more labels, such as tokyo.example.org", s)
	}
	for label := range strings.SplitSeq(s, ".") {
		if !dnsLabel(label) {
			return "", fmt.Errorf("office %.60q: %q is not a DNS label (a-z, 0-9 and inner hyphens)", s, label)
		}
	}
	return Office(s), nil
}

func dnsLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// ActKey is the name of the key that signs batches of acts and evidence.
func (o Office) ActKey() string { return string(o) + "/act" }

// WitnessKey is the name of the key that cosigns neighbours' checkpoints.
func (o Office) WitnessKey() string { return string(o) + "/witness" }

// Party is the id of a STIX identity that takes part.
type Party = stix.ID

// Area is a topic of cooperation: cyber, disinformation, …; an open vocabulary.
type Area string

// Charter is the area every programme has: its document and its parties.
const Charter Area = "charter"

// MaxAreaBytes bounds an area's name.
const MaxAreaBytes = 63

// ParseArea checks that s is 1 to MaxAreaBytes of a-z, 0-9 and inner hyphens.
func ParseArea(s string) (Area, error) {
	if len(s) > MaxAreaBytes || !dnsLabel(s) {
		return "", fmt.Errorf("area %.80q: want 1 to 63 of a-z, 0-9 and inner hyphens", s)
	}
	return Area(s), nil
}

// Origin identifies one office's log of one collection in one generation. It
// is the first line of every checkpoint and the name of the key that signs it:
// "tokyo.example.org/<collection id>/1" (C2SP tlog-checkpoint).
type Origin struct {
	Office     Office
	Collection CollectionID
	Generation uint32 // from 1
}

// String returns the text form.
func (o Origin) String() string {
	return string(o.Office) + "/" + o.Collection.String() + "/" + strconv.FormatUint(uint64(o.Generation), 10)
}

// MarshalText implements encoding.TextMarshaler.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (o *Origin) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOrigin(string(text))
	return err
}

// ParseOrigin reads what Origin.String wrote, and nothing else.
func ParseOrigin(s string) (Origin, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return Origin{}, fmt.Errorf("origin %.120q: want office/collection/generation", s)
	}
	office, err := ParseOffice(parts[0])
	if err != nil {
		return Origin{}, fmt.Errorf("origin %.120q: %w", s, err)
	}
	c, err := ParseCollectionID(parts[1])
	if err != nil {
		return Origin{}, fmt.Errorf("origin %.120q: %w", s, err)
	}
	g, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil || g == 0 || strconv.FormatUint(g, 10) != parts[2] {
		return Origin{}, fmt.Errorf("origin %.120q: generation %q is not a number from 1", s, parts[2])
	}
	return Origin{Office: office, Collection: c, Generation: uint32(g)}, nil
}
