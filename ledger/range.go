package ledger

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/liaison-office/liaison"
)

// Range is what a follower remembers of a log it verified: the compact range
// of the leaves [0, size), which is the hashes of the perfect subtrees that
// make up the tree, at most 53 of them. The zero Range is the empty log. A
// Range is a plain value for one goroutine at a time; copy it with Clone.
type Range struct {
	size  uint64
	nodes []liaison.Hash // one for each bit of size, the largest subtree first
}

// Size returns the number of leaves.
func (r *Range) Size() uint64 { return r.size }

// Clone returns a copy that shares nothing with r.
func (r *Range) Clone() *Range { return &Range{size: r.size, nodes: slices.Clone(r.nodes)} }

// Append adds leaf hashes at the end.
func (r *Range) Append(leafHashes ...liaison.Hash) {
	for _, h := range leafHashes {
		for s := r.size; s&1 == 1; s >>= 1 {
			last := len(r.nodes) - 1
			h = nodeHash(r.nodes[last], h)
			r.nodes = r.nodes[:last]
		}
		r.nodes = append(r.nodes, h)
		r.size++
	}
}

// Root returns the root of the tree over all leaves (RFC 6962 §2.1).
func (r *Range) Root() liaison.Hash {
	if r.size == 0 {
		return liaison.H()
	}
	h := r.nodes[len(r.nodes)-1]
	for i := len(r.nodes) - 2; i >= 0; i-- {
		h = nodeHash(r.nodes[i], h)
	}
	return h
}

// Paths returns the root of the tree after these leaves would be appended, and
// for each of them its audit path in that tree, leaf to root. r stays as it
// is. The work is shared: n leaves cost 2n hashes and the copies of the paths.
func (r *Range) Paths(newLeafHashes []liaison.Hash) (root liaison.Hash, paths [][]liaison.Hash) {
	if len(newLeafHashes) == 0 {
		return r.Root(), nil
	}
	t := r.grow(newLeafHashes)
	paths = make([][]liaison.Hash, len(newLeafHashes))
	for i := range paths {
		paths[i] = t.path(r.size + uint64(i))
	}
	return t.partial[len(t.partial)-1], paths
}

// grown is the part of a tree of size leaves that is to the right of, or
// directly left of, the leaves that were new.
type grown struct {
	size    uint64
	levels  []level
	partial []liaison.Hash // per level: the hash of the leaves right of the last perfect subtree, where hasPartial
}

// level holds neighbouring nodes of perfect subtrees of one height.
type level struct {
	first uint64 // index of nodes[0] among all nodes of this height
	nodes []liaison.Hash
}

// hasPartial reports whether leaves stand right of the last perfect subtree of
// a height.
func (t *grown) hasPartial(height int) bool { return t.size&(1<<height-1) != 0 }

func (l level) at(index uint64) liaison.Hash { return l.nodes[index-l.first] }

func (r *Range) grow(leaves []liaison.Hash) *grown {
	t := &grown{size: r.size + uint64(len(leaves))}
	old := r.nodes
	cur := level{first: r.size, nodes: leaves}
	edge := liaison.Hash{}
	for h := 0; t.size>>h > 0; h++ {
		if r.size>>h&1 == 1 { // the old tree has a subtree of this height, left of what is new
			cur = level{first: cur.first - 1, nodes: slices.Concat(old[len(old)-1:], cur.nodes)}
			old = old[:len(old)-1]
		}
		t.levels, t.partial = append(t.levels, cur), append(t.partial, edge)
		if t.size>>h&1 == 1 {
			last := cur.nodes[len(cur.nodes)-1]
			if t.hasPartial(h) {
				last = nodeHash(last, edge)
			}
			edge = last // without a right neighbour a node moves up as it is
		}
		cur = cur.parents()
	}
	t.partial = append(t.partial, edge)
	return t
}

// parents hashes pairs. The first node is a left child; a last one without a
// right sibling has no parent yet.
func (l level) parents() level {
	up := level{first: l.first / 2, nodes: make([]liaison.Hash, len(l.nodes)/2)}
	for i := range up.nodes {
		up.nodes[i] = nodeHash(l.nodes[2*i], l.nodes[2*i+1])
	}
	return up
}

func (t *grown) path(index uint64) []liaison.Hash {
	path := make([]liaison.Hash, 0, bits.Len64(t.size-1))
	for h := 0; (t.size-1)>>h > 0; h++ {
		switch sibling := index>>h ^ 1; {
		case sibling < t.size>>h:
			path = append(path, t.levels[h].at(sibling))
		case sibling == t.size>>h && t.hasPartial(h):
			path = append(path, t.partial[h])
		}
	}
	return path
}

// MarshalBinary implements encoding.BinaryMarshaler: the size as eight bytes,
// big endian, then the hashes, the largest subtree first.
func (r *Range) MarshalBinary() ([]byte, error) {
	b := binary.BigEndian.AppendUint64(nil, r.size)
	for _, n := range r.nodes {
		b = append(b, n[:]...)
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (r *Range) UnmarshalBinary(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("range: %d bytes, want at least 8", len(b))
	}
	size, b := binary.BigEndian.Uint64(b), b[8:]
	if size > MaxSize {
		return fmt.Errorf("range: size %d is over %d", size, uint64(MaxSize))
	}
	if want := bits.OnesCount64(size) * len(liaison.Hash{}); len(b) != want {
		return fmt.Errorf("range: %d bytes of hashes, want %d for size %d", len(b), want, size)
	}
	r.size, r.nodes = size, nil
	for h := range slices.Chunk(b, len(liaison.Hash{})) {
		r.nodes = append(r.nodes, liaison.Hash(h))
	}
	return nil
}
