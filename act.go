package liaison

import (
	"fmt"

	"github.com/liaison-office/liaison/stix"
)

// ActVersion is the value of an act's member v.
const ActVersion = "act/1"

// Act is what a party did at the first door: this object (or erasure), into
// this collection, under this programme version, at this instant. It is fixed
// and signed once by the office that accepted it, and the same everywhere.
//
// Exactly one of Commit and Erases is set.
type Act struct {
	V          string       `json:"v"`                 // ActVersion
	Office     Office       `json:"office"`            // the office that accepted it
	Collection CollectionID `json:"collection"`        //
	Commit     Hash         `json:"commit,omitzero"`   // Commit(salt, bytes) of the object
	Erases     Hash         `json:"erases,omitzero"`   // hash of the act whose object is erased
	By         Party        `json:"by"`                // the party that acted
	For        Party        `json:"for,omitzero"`      // the party it acted for
	Under      Hash         `json:"under"`             // programme version: Under
	Label      stix.TLP     `json:"label,omitzero"`    // the label it was judged with; absent with Erases
	Accepted   Instant      `json:"accepted"`          // the added of its first leaf
	Approved   *Approval    `json:"approved,omitzero"` // who approved, where two persons must agree
	Consent    Hash         `json:"consent,omitzero"`  // H(JCS(consent object)) of another party's object
}

// Approval names the party of the second person and when that person agreed.
type Approval struct {
	By Party   `json:"by"`
	At Instant `json:"at"`
}

// Commit binds bytes without revealing them:
//
//	H("liaison/commit/1\0" ‖ salt[32] ‖ bytes)
func Commit(salt Hash, bytes []byte) Hash {
	return H([]byte("liaison/commit/1\x00"), salt[:], bytes)
}

// Hash returns H(0x00 ‖ JCS(act)): the act's RFC 6962 leaf hash in its batch.
func (a *Act) Hash() Hash { return LeafHash(JCS(a)) }

// LeafHash is the RFC 6962 §2.1 hash of a leaf: H(0x00 ‖ data).
func LeafHash(data []byte) Hash { return H([]byte{0}, data) }

// ParseAct decodes canonical bytes and checks the rules of the format.
func ParseAct(b []byte) (*Act, error) {
	a := new(Act)
	if err := ParseJCS(b, a); err != nil {
		return nil, fmt.Errorf("act: %w", err)
	}
	return a, a.check()
}

func (a *Act) check() error {
	switch {
	case a.V != ActVersion:
		return fmt.Errorf("act: v is %.20q, want %q", a.V, ActVersion)
	case a.Commit.IsZero() == a.Erases.IsZero():
		return fmt.Errorf("act: want exactly one of commit and erases")
	case a.Commit.IsZero() != (a.Label == stix.Unmarked):
		return fmt.Errorf("act: label belongs to commit and not to erases")
	case a.Accepted.IsZero():
		return fmt.Errorf("act: accepted is missing")
	case a.Collection.IsZero():
		return fmt.Errorf("act: collection is missing")
	case a.By.Type() != "identity":
		return fmt.Errorf("act: by %.80q is not an identity", a.By)
	case a.For != "" && a.For.Type() != "identity":
		return fmt.Errorf("act: for %.80q is not an identity", a.For)
	case a.Under.IsZero():
		return fmt.Errorf("act: under is missing")
	case a.Approved != nil && (a.Approved.By.Type() != "identity" || a.Approved.At.IsZero()):
		return fmt.Errorf("act: approved wants by (an identity) and at")
	}
	if _, err := ParseOffice(string(a.Office)); err != nil {
		return fmt.Errorf("act: %w", err)
	}
	return nil
}

// Owner returns the party whose right was used: For where somebody acted for
// it, else By.
func (a *Act) Owner() Party {
	if a.For != "" {
		return a.For
	}
	return a.By
}
