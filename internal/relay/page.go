package relay

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/ledger"
)

// Reason says in which way a neighbour's log broke its promise.
type Reason string

// The reasons. Each means that the log is not followed any further.
const (
	ForeignOrigin Reason = "foreign origin" // the checkpoint is of another log
	Shortened     Reason = "shortened"      // the log has fewer leaves than were verified
	Gap           Reason = "gap"            // the page does not begin where the one before ended
	Omitted       Reason = "omitted"        // the checkpoint covers other leaves than the page brings
	Malformed     Reason = "malformed"      // a leaf that is none
	Backdated     Reason = "backdated"      // added does not increase from leaf to leaf: reordered or backdated
	Mismatched    Reason = "mismatched"     // what travels is not the act the leaf names
	Unreadable    Reason = "unreadable"     // there was a fork, and the evidence kept of it cannot be read
	Forgotten     Reason = "forgotten"      // a new generation of the log names an older checkpoint than was verified here
	Rewritten     Reason = "rewritten"      // the signed root does not follow from what was verified and the page
)

// Fork is the evidence that a neighbour's log cannot be what it was: the last
// checkpoint that was verified and the one that came after it.
type Fork struct {
	Origin  liaison.Origin  `json:"origin"`
	Reason  Reason          `json:"reason"`
	Detail  string          `json:"detail"`
	Known   string          `json:"known,omitzero"` // the last verified note, cosigned here; empty before the first page
	Claimed string          `json:"claimed"`        // the note that came
	At      liaison.Instant `json:"at,omitzero"`
}

func (f *Fork) Error() string {
	return fmt.Sprintf("log %s: %s: %s", f.Origin, f.Reason, f.Detail)
}

// unsignedError says that none of the keys known here signed a checkpoint. It
// is no fork: the key may come with a charter.
type unsignedError struct{ err error }

func (e *unsignedError) Error() string { return "the neighbour's " + e.err.Error() }
func (e *unsignedError) Unwrap() error { return e.err }

// position is how far a neighbour's log was verified.
type position struct {
	origin liaison.Origin
	leaves ledger.Range
	added  liaison.Instant // of the last leaf; zero if there is none
	note   string          // checkpoint of that size, cosigned by this office

	before     ledger.Checkpoint // the last that was verified of the generations before; of size 0: none was
	beforeNote string
	whole      bool // pages are asked for with the objects that came from here
}

// readPosition decodes what the desk keeps: the Range and, behind it, the
// added of the last leaf in eight bytes, big endian. Without that, the first
// leaf of a page after a restart could be backdated.
func readPosition(f desk.Follow) (position, error) {
	p := position{origin: f.Origin, note: f.Note}
	b := []byte(f.Range)
	if len(b) == 0 && f.Size == 0 {
		return p, nil
	}
	end := 8 + len(liaison.Hash{})*bits.OnesCount64(f.Size)
	if len(b) == end+8 {
		p.added = liaison.Instant(binary.BigEndian.Uint64(b[end:]))
		b = b[:end]
	}
	if err := p.leaves.UnmarshalBinary(b); err != nil {
		return p, fmt.Errorf("position in %s: %w", f.Origin, err)
	}
	if p.leaves.Size() != f.Size {
		return p, fmt.Errorf("position in %s: a range of %d leaves at size %d", f.Origin, p.leaves.Size(), f.Size)
	}
	return p, nil
}

// follow returns what the desk shall keep after a page from an index.
func (p *position) follow(from uint64) (*desk.Follow, error) {
	b, err := p.leaves.MarshalBinary()
	if err != nil {
		return nil, err
	}
	b = binary.BigEndian.AppendUint64(b, uint64(p.added))
	return &desk.Follow{Origin: p.origin, From: from, Size: p.leaves.Size(), Range: b, Note: p.note}, nil
}

// verified is a page that continues a position.
type verified struct {
	next  position // its note is not cosigned yet
	from  uint64
	text  string // of the checkpoint
	items []desk.Item
	bare  []liaison.Hop // leaves that name no act
}

// verifier checks a page against a position. It has no side effects.
type verifier struct {
	at   *position
	page *page
	keys func(liaison.Office, liaison.Instant) [][]byte
	now  time.Time
	// pardoned: an operator has let a new generation begin that forgets what was
	// verified.
	pardoned bool

	head   ledger.Checkpoint
	leaves []liaison.Leaf
	hashes []liaison.Hash
}

// verify returns the page with the proof of every leaf. The error is a *Fork,
// or an *unsignedError where no key that is known signed the checkpoint.
func (v *verifier) verify() (*verified, error) {
	for _, step := range []func() error{v.origin, v.parse, v.signature, v.extent, v.order, v.acts, v.opened} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	root, paths := v.at.leaves.Paths(v.hashes)
	if root != v.head.Root {
		return nil, v.fork(Rewritten, "the root at size %d is signed as %s, what was verified here and this page lead to %s", v.head.Size, v.head.Root, root)
	}
	grown := v.at.leaves.Clone()
	grown.Append(v.hashes...)
	out := &verified{from: v.at.leaves.Size(), text: v.head.Text()}
	out.next = *v.at
	out.next.leaves, out.next.added, out.next.note = *grown, v.leaves[len(v.leaves)-1].Added, v.page.Note
	for i := range v.leaves {
		if it := v.item(i, paths[i]); it.Arrival != nil {
			out.items = append(out.items, it)
		} else {
			out.bare = append(out.bare, v.hop(i, paths[i]))
		}
	}
	return out, nil
}

func (v *verifier) hop(i int, path []liaison.Hash) liaison.Hop {
	return liaison.Hop{Leaf: v.leaves[i], Index: v.at.leaves.Size() + uint64(i), Path: path, Checkpoint: v.page.Note}
}

// item is empty for a leaf that names no act.
func (v *verifier) item(i int, path []liaison.Hash) desk.Item {
	if v.leaves[i].Act.IsZero() {
		return desk.Item{}
	}
	hop := v.hop(i, path)
	return desk.Item{Arrival: &desk.Arrival{
		Travels: *v.page.Leaves[i].Travels,
		Kind:    v.leaves[i].Kind,
		Erased:  v.page.Leaves[i].Erased,
		Via:     liaison.Via{Origin: v.at.origin, Index: hop.Index},
		Hop:     hop,
	}}
}

// cosigned adds our signature line to the checkpoint, everywhere it stands.
func (p *verified) cosigned(line string) {
	p.next.note += line + "\n"
	for _, it := range p.items {
		it.Arrival.Hop.Checkpoint = p.next.note
	}
	for i := range p.bare {
		p.bare[i].Checkpoint = p.next.note
	}
}

func (v *verifier) fork(r Reason, format string, args ...any) *Fork {
	return &Fork{
		Origin: v.at.origin, Reason: r, Detail: fmt.Sprintf(format, args...),
		Known: v.at.note, Claimed: v.page.Note, At: liaison.InstantOf(v.now),
	}
}

func (v *verifier) origin() error {
	head, err := ledger.ReadCheckpoint(v.page.Note)
	if err != nil {
		return &unsignedError{err}
	}
	if v.head = head; head.Origin != v.at.origin || v.page.Collection != v.at.origin.Collection {
		return v.fork(ForeignOrigin, "the page is of %s, its checkpoint of %s", v.page.Collection, head.Origin)
	}
	return nil
}

func (v *verifier) parse() error {
	from := v.at.leaves.Size()
	for i := range v.page.Leaves {
		raw := v.page.Leaves[i].Leaf
		leaf, err := liaison.ParseLeaf(raw)
		if err != nil {
			return v.fork(Malformed, "index %d: %s", from+uint64(i), err)
		}
		v.leaves = append(v.leaves, *leaf)
		v.hashes = append(v.hashes, liaison.LeafHash(raw))
	}
	return nil
}

// signature opens the checkpoint with the keys that count now, or counted when
// the last leaf was added: a checkpoint may have waited since then.
func (v *verifier) signature() error {
	keys := v.keys(v.at.origin.Office, liaison.InstantOf(v.now))
	if n := len(v.leaves); n > 0 {
		keys = append(keys[:len(keys):len(keys)], v.keys(v.at.origin.Office, v.leaves[n-1].Added)...)
	}
	if _, _, err := ledger.OpenCheckpoint(v.page.Note, keys); err != nil {
		return &unsignedError{err}
	}
	return nil
}

// extent: the page continues the position and ends with its checkpoint.
func (v *verifier) extent() error {
	have := v.at.leaves.Size()
	switch end := v.page.From + uint64(len(v.leaves)); {
	case v.head.Size < have:
		return v.fork(Shortened, "the checkpoint has %d leaves, %d were verified here", v.head.Size, have)
	case v.page.From != have:
		return v.fork(Gap, "the page begins at %d, it should at %d", v.page.From, have)
	case len(v.leaves) == 0 || v.head.Size != end:
		return v.fork(Omitted, "the checkpoint has %d leaves, with the page there are %d", v.head.Size, end)
	}
	return nil
}

func (v *verifier) order() error {
	last := v.at.added
	for i := range v.leaves {
		if v.leaves[i].Added <= last {
			return v.fork(Backdated, "the leaf at %d was added at %s, the one before at %s",
				v.page.From+uint64(i), v.leaves[i].Added, last)
		}
		last = v.leaves[i].Added
	}
	return nil
}

func (v *verifier) acts() error {
	for i := range v.leaves {
		index, t := v.page.From+uint64(i), v.page.Leaves[i].Travels
		switch act := v.leaves[i].Act; {
		case act.IsZero() && t == nil:
		case act.IsZero():
			return v.fork(Mismatched, "the leaf at %d names no act, and one came with it", index)
		case t == nil:
			return v.fork(Mismatched, "the leaf at %d names act %s, and none came with it", index, act)
		case t.Act.Hash() != act:
			return v.fork(Mismatched, "the leaf at %d names act %s, %s came with it", index, act, t.Act.Hash())
		}
	}
	return nil
}

// opened holds the leaves that open a generation to what was verified of the one
// before: that must not be forgotten.
func (v *verifier) opened() error {
	for i := range v.leaves {
		prev, index := v.leaves[i].Prev, v.page.From+uint64(i)
		if prev == nil {
			continue
		}
		o, known := prev.Origin, v.at.before
		switch here := v.at.origin; {
		case o.Office != here.Office || o.Collection != here.Collection || o.Generation >= here.Generation:
			return v.fork(Malformed, "the leaf at %d opens a generation after %s", index, o)
		case o.Generation+1 != here.Generation || known.Size == 0 || v.pardoned:
		case o.Generation < known.Origin.Generation || o == known.Origin && prev.Size < known.Size:
			return v.forgotten("the leaf at %d says that %s ended with %d entries, %d of %s were verified here", index, o, prev.Size, known.Size, known.Origin)
		case o == known.Origin && prev.Size == known.Size && prev.Root != known.Root:
			return v.forgotten("the leaf at %d says that %s ended at %d with the root %s, what was verified here has %s", index, o, prev.Size, prev.Root, known.Root)
		}
	}
	return nil
}

func (v *verifier) forgotten(format string, args ...any) *Fork {
	f := v.fork(Forgotten, format, args...)
	f.Known = v.at.beforeNote
	return f
}
