package journal

import (
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// edge remembers the stored hashes along the right edge of a tree, so that
// appending reads nothing from storage.
type edge struct {
	size   uint64
	of     store.Position // where the log ended when the edge was remembered
	hashes map[int64]liaison.Hash
}

// edgeAt returns the remembered edge if the log still ends where it did, else
// an empty one that reads from storage. Another process may have appended; and a
// database that lost commits may end at the same size with other leaves, added at
// another instant. The edge is taken away: the transaction may fail.
func (j *Journal) edgeAt(c liaison.CollectionID, pos store.Position) *edge {
	if e, ok := j.edges[c]; ok && e.of == pos {
		delete(j.edges, c)
		return e
	}
	return &edge{size: pos.Size, hashes: map[int64]liaison.Hash{}}
}

// add returns the stored hashes that the leaf at index completes.
func (e *edge) add(index uint64, leaf liaison.Hash, v store.View, c liaison.CollectionID) ([]liaison.Hash, error) {
	if index != e.size {
		return nil, fmt.Errorf("leaf %d does not follow a tree of %d", index, e.size)
	}
	done, err := tlog.StoredHashesForRecordHash(int64(index), tlog.Hash(leaf), edgeReader{e, v, c})
	if err != nil {
		return nil, err
	}
	hashes := make([]liaison.Hash, len(done))
	first := tlog.StoredHashIndex(0, int64(index))
	for i, h := range done {
		hashes[i] = liaison.Hash(h)
		e.hashes[first+int64(i)] = hashes[i]
	}
	e.size++
	e.trim()
	return hashes, nil
}

// trim drops what later leaves do not need, now and then.
func (e *edge) trim() {
	const keep = 4096
	if len(e.hashes) < keep {
		return
	}
	need := map[int64]liaison.Hash{}
	for level, n := 0, e.size; n > 0; level, n = level+1, n>>1 {
		if n&1 == 1 {
			i := tlog.StoredHashIndex(level, int64(n-1))
			if h, ok := e.hashes[i]; ok {
				need[i] = h
			}
		}
	}
	e.hashes = need
}

// edgeReader reads the edge first and storage for what it does not hold.
type edgeReader struct {
	e *edge
	v store.View
	c liaison.CollectionID
}

func (r edgeReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	var missing []int64
	var places []int
	for i, n := range indexes {
		if h, ok := r.e.hashes[n]; ok {
			out[i] = tlog.Hash(h)
		} else {
			missing, places = append(missing, n), append(places, i)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	hs, err := r.v.Hashes(r.c, missing)
	if err != nil {
		return nil, err
	}
	for i, h := range hs {
		out[places[i]] = tlog.Hash(h)
	}
	return out, nil
}

// hashReader reads stored hashes from a snapshot.
func hashReader(v store.View, c liaison.CollectionID) tlog.HashReader {
	return edgeReader{e: &edge{}, v: v, c: c}
}

// Path returns the RFC 6962 audit path of the leaf at index in the tree of a
// size, leaf to root.
func Path(v store.View, c liaison.CollectionID, index, size uint64) ([]liaison.Hash, error) {
	if index >= size {
		return nil, fmt.Errorf("leaf %d is not in a tree of %d", index, size)
	}
	proof, err := tlog.ProveRecord(int64(size), int64(index), hashReader(v, c))
	if err != nil {
		return nil, err
	}
	return fromTLog(proof), nil
}

// Root returns the root of the tree of a size, from stored hashes.
func Root(v store.View, c liaison.CollectionID, size uint64) (liaison.Hash, error) {
	h, err := tlog.TreeHash(int64(size), hashReader(v, c))
	return liaison.Hash(h), err
}

func fromTLog(hs []tlog.Hash) []liaison.Hash {
	out := make([]liaison.Hash, len(hs))
	for i, h := range hs {
		out[i] = liaison.Hash(h)
	}
	return out
}
