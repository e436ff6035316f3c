package ledger

import (
	"fmt"
	"math/bits"

	"github.com/liaison-office/liaison"
)

// MaxSize bounds the size of a log: the largest integer that every JSON reader
// keeps exactly (RFC 7493 §2.2).
const MaxSize = 1<<53 - 1

// nodeHash is the hash of an inner node (RFC 6962 §2.1).
func nodeHash(left, right liaison.Hash) liaison.Hash {
	return liaison.H([]byte{1}, left[:], right[:])
}

// Root returns the root of the tree over the leaf hashes (RFC 6962 §2.1). The
// empty tree has the hash of nothing.
func Root(leafHashes []liaison.Hash) liaison.Hash {
	var r Range
	r.Append(leafHashes...)
	return r.Root()
}

// split is the largest power of two smaller than n, for n ≥ 2.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

// Path returns the audit path of the leaf at index in the tree over exactly
// these leaves, leaf to root (RFC 6962 §2.1.1). It is nil where index is not
// one of them.
func Path(leafHashes []liaison.Hash, index uint64) []liaison.Hash {
	n := len(leafHashes)
	if n < 2 || index >= uint64(n) {
		return nil
	}
	if k := split(n); index < uint64(k) {
		return append(Path(leafHashes[:k], index), Root(leafHashes[k:]))
	} else {
		return append(Path(leafHashes[k:], index-uint64(k)), Root(leafHashes[:k]))
	}
}

// Consistency returns the proof that the tree over these leaves continues the
// tree over the first size of them (RFC 6962 §2.1.2). It is nil where size is
// 0, or the number of leaves, or more.
func Consistency(leafHashes []liaison.Hash, size uint64) []liaison.Hash {
	if size == 0 || size >= uint64(len(leafHashes)) {
		return nil
	}
	return subproof(leafHashes, int(size), true)
}

func subproof(leaves []liaison.Hash, m int, whole bool) []liaison.Hash {
	n := len(leaves)
	if m == n {
		if whole {
			return nil
		}
		return []liaison.Hash{Root(leaves)}
	}
	if k := split(n); m <= k {
		return append(subproof(leaves[:k], m, whole), Root(leaves[k:]))
	} else {
		return append(subproof(leaves[k:], m-k, false), Root(leaves[:k]))
	}
}

// VerifyInclusion checks that the leaf hash stands at index in the tree of size
// leaves with that root (RFC 9162 §2.1.3.2). The path has exactly the length
// that index and size ask for.
func VerifyInclusion(leaf liaison.Hash, index, size uint64, path []liaison.Hash, root liaison.Hash) error {
	got, err := rootOf(leaf, index, size, path)
	if err != nil {
		return err
	}
	if got != root {
		return fmt.Errorf("leaf %d of %d: the path leads to root %s, not to %s", index, size, got, root)
	}
	return nil
}

// rootOf computes the root that a path leads to.
func rootOf(leaf liaison.Hash, index, size uint64, path []liaison.Hash) (liaison.Hash, error) {
	if index >= size {
		return liaison.Hash{}, fmt.Errorf("index %d is not in a tree of size %d", index, size)
	}
	inner, border := decompose(index, size)
	if len(path) != inner+border {
		return liaison.Hash{}, fmt.Errorf("leaf %d of %d: the path has %d hashes, want %d", index, size, len(path), inner+border)
	}
	h := climb(leaf, path[:inner], index)
	return climbRight(h, path[inner:]), nil
}

// decompose counts the hashes of an audit path: inner ones, where the node has
// a sibling on either side within its perfect subtree, and those of the right
// border, which all stand on the left.
func decompose(index, size uint64) (inner, border int) {
	inner = bits.Len64(index ^ (size - 1))
	return inner, bits.OnesCount64(index >> inner)
}

func climb(h liaison.Hash, path []liaison.Hash, index uint64) liaison.Hash {
	for i, p := range path {
		if index>>i&1 == 0 {
			h = nodeHash(h, p)
		} else {
			h = nodeHash(p, h)
		}
	}
	return h
}

func climbRight(h liaison.Hash, path []liaison.Hash) liaison.Hash {
	for _, p := range path {
		h = nodeHash(p, h)
	}
	return h
}

// VerifyConsistency checks that the tree of size2 with root2 continues the tree
// of size1 with root1: the first size1 leaves are the same (RFC 9162
// §2.1.4.2). Equal sizes need equal roots and no proof. Size1 is at least 1:
// that a log continues the empty one says nothing, so it is not asked.
func VerifyConsistency(size1, size2 uint64, root1, root2 liaison.Hash, proof []liaison.Hash) error {
	switch {
	case size2 < size1:
		return fmt.Errorf("size %d is less than %d: the log became shorter", size2, size1)
	case size1 == 0:
		return fmt.Errorf("consistency with the empty log proves nothing")
	case size1 < size2 && len(proof) == 0:
		return fmt.Errorf("the consistency proof from %d to %d is empty", size1, size2)
	case size1 < size2:
		return verifyGrown(size1, size2, root1, root2, proof)
	case len(proof) != 0:
		return fmt.Errorf("the consistency proof from %d to %d has %d hashes, want none", size1, size2, len(proof))
	case root1 != root2:
		return fmt.Errorf("two roots at size %d, %s and %s: the log was rewritten", size1, root1, root2)
	}
	return nil
}

func verifyGrown(size1, size2 uint64, root1, root2 liaison.Hash, proof []liaison.Hash) error {
	inner, border := decompose(size1-1, size2)
	shift := bits.TrailingZeros64(size1)
	inner -= shift // the perfect subtree that ends at size1 is a hash of the proof, or root1 itself
	seed, rest := root1, proof
	if size1 != 1<<shift {
		seed, rest = proof[0], proof[1:]
	}
	if len(rest) != inner+border {
		return fmt.Errorf("the consistency proof from %d to %d has %d hashes, want %d",
			size1, size2, len(proof), inner+border+len(proof)-len(rest))
	}
	index := (size1 - 1) >> shift
	if old := climbRight(climbSet(seed, rest[:inner], index), rest[inner:]); old != root1 {
		return fmt.Errorf("the consistency proof from %d to %d starts at root %s, not at %s", size1, size2, old, root1)
	}
	if now := climbRight(climb(seed, rest[:inner], index), rest[inner:]); now != root2 {
		return fmt.Errorf("the consistency proof from %d to %d leads to root %s, not to %s: the log was rewritten", size1, size2, now, root2)
	}
	return nil
}

// climbSet is climb through the left siblings only: the right ones came later.
func climbSet(h liaison.Hash, path []liaison.Hash, index uint64) liaison.Hash {
	for i, p := range path {
		if index>>i&1 == 1 {
			h = nodeHash(p, h)
		}
	}
	return h
}
