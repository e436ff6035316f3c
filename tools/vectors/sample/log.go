package sample

import (
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
)

// Log is an office's log of one collection, with all its leaves.
type Log struct {
	Office *Office
	Origin liaison.Origin
	Leaves []liaison.Leaf
}

// Append adds a leaf and returns its index.
func (l *Log) Append(leaf liaison.Leaf) uint64 {
	leaf.V = liaison.LeafVersion
	l.Leaves = append(l.Leaves, leaf)
	return uint64(len(l.Leaves) - 1)
}

// Relay adds a leaf for what stands at an index of another log.
func (l *Log) Relay(from *Log, index uint64, added liaison.Instant) uint64 {
	leaf := from.Leaves[index]
	leaf.Added, leaf.Via = added, &liaison.Via{Origin: from.Origin, Index: index}
	return l.Append(leaf)
}

// Hashes returns the leaf hashes.
func (l *Log) Hashes() []liaison.Hash {
	out := make([]liaison.Hash, len(l.Leaves))
	for i := range l.Leaves {
		out[i] = liaison.LeafHash(liaison.JCS(&l.Leaves[i]))
	}
	return out
}

// Checkpoint returns the log's head.
func (l *Log) Checkpoint() ledger.Checkpoint {
	return ledger.Checkpoint{Origin: l.Origin, Size: uint64(len(l.Leaves)), Root: ledger.Root(l.Hashes())}
}

// Note returns the signed head, cosigned by offices two seconds after the last
// leaf.
func (l *Log) Note(cosigners ...*Office) *ledger.Note {
	text := l.Checkpoint().Text()
	n := &ledger.Note{Text: text, Signatures: []ledger.Signature{l.Office.Log.As(l.Origin.String()).Sign(text)}}
	for _, o := range cosigners {
		seconds := l.Leaves[len(l.Leaves)-1].Added.Add(2 * time.Second).Time().Unix()
		n.Signatures = append(n.Signatures, o.Witness.Cosign(text, seconds))
	}
	return n
}

// Hop returns the proof of the leaf at an index under the cosigned head.
func (l *Log) Hop(index uint64, cosigners ...*Office) liaison.Hop {
	return liaison.Hop{
		Leaf: l.Leaves[index], Index: index,
		Path: path(l.Hashes(), int(index)), Checkpoint: l.Note(cosigners...).String(),
	}
}

func path(hashes []liaison.Hash, index int) []liaison.Hash {
	return ledger.Path(hashes, uint64(index))
}

func (o *Office) batchText(c liaison.CollectionID, hashes []liaison.Hash) string {
	return liaison.BatchText(o.Name, c, uint64(len(hashes)), ledger.Root(hashes))
}
