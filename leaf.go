package liaison

import "fmt"

// LeafVersion is the value of a leaf's member v.
const LeafVersion = "leaf/1"

// MaxLeafBytes bounds a leaf: a tlog-tiles entry bundle stores its length in
// two bytes.
const MaxLeafBytes = 65535

// Kind says what a leaf records.
type Kind string

// The kinds of leaves.
const (
	KindObject   Kind = "object"   // an act with an object
	KindAgain    Kind = "again"    // another act for an object that is here; invisible in TAXII
	KindConflict Kind = "conflict" // an act by relay with the identity of another object here
	KindErasure  Kind = "erasure"  // an act that erases an act
	KindClosed   Kind = "closed"   // a consult deadline: the acts that count, per party
	KindOpened   Kind = "opened"   // a new generation of this log; names no act
)

// Leaf is one line of an office's log of a collection: it names an act (or a
// reaction to one) and when this office added it.
type Leaf struct {
	V      string  `json:"v"`               // LeafVersion
	Kind   Kind    `json:"kind"`            //
	Act    Hash    `json:"act,omitzero"`    // Act.Hash; absent for opened
	Added  Instant `json:"added"`           // strictly increasing per collection
	Via    *Via    `json:"via,omitzero"`    // where it came from, if by relay
	Counts []Count `json:"counts,omitzero"` // closed only
	Prev   *Head   `json:"prev,omitzero"`   // opened only
}

// Via names the leaf of the neighbour's log by which an act arrived.
type Via struct {
	Origin Origin `json:"origin"`
	Index  uint64 `json:"index"`
}

// Count lists a party's acts that count at a consult deadline.
type Count struct {
	Party Party  `json:"party"`
	Acts  []Hash `json:"acts"`
}

// Head is the last known state of the generation before.
type Head struct {
	Origin Origin `json:"origin"`
	Size   uint64 `json:"size"`
	Root   Hash   `json:"root"`
}

// ParseLeaf decodes canonical bytes and checks the rules of the format.
func ParseLeaf(b []byte) (*Leaf, error) {
	if len(b) > MaxLeafBytes {
		return nil, fmt.Errorf("leaf: %d bytes, the limit is %d", len(b), MaxLeafBytes)
	}
	l := new(Leaf)
	if err := ParseJCS(b, l); err != nil {
		return nil, fmt.Errorf("leaf: %w", err)
	}
	return l, l.check()
}

func (l *Leaf) check() error {
	opened := l.Kind == KindOpened
	switch l.Kind {
	case KindObject, KindAgain, KindConflict, KindErasure, KindClosed, KindOpened:
	default:
		return fmt.Errorf("leaf: unknown kind %.20q", l.Kind)
	}
	switch {
	case l.V != LeafVersion:
		return fmt.Errorf("leaf: v is %.20q, want %q", l.V, LeafVersion)
	case l.Added.IsZero():
		return fmt.Errorf("leaf: added is missing")
	case opened != l.Act.IsZero():
		return fmt.Errorf("leaf: every kind but opened names an act")
	case opened != (l.Prev != nil):
		return fmt.Errorf("leaf: prev belongs to opened and to nothing else")
	case (l.Kind == KindClosed) != (l.Counts != nil):
		return fmt.Errorf("leaf: counts belongs to closed and to nothing else")
	case opened && l.Via != nil:
		return fmt.Errorf("leaf: opened does not come by relay")
	}
	return nil
}
