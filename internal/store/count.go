package store

import (
	"context"

	"github.com/liaison-office/liaison"
)

// Counts are how much a store holds.
type Counts struct {
	Collections []CollectionCount `json:"collections"`
	All         CollectionCount   `json:"all"` // their sum
	States      uint64            `json:"states"`
	StateBytes  uint64            `json:"state_bytes"`
}

// CollectionCount is how much a collection holds.
type CollectionCount struct {
	ID         string `json:"id,omitzero"`
	Generation uint32 `json:"generation,omitzero"`
	Entries    uint64 `json:"entries"`
	Objects    uint64 `json:"objects"` // entries with an object
	Hidden     uint64 `json:"hidden"`
	Erased     uint64 `json:"erased"`
	// ObjectBytes are those of objects, as they are served; Bytes is everything
	// that is kept of entries, as it was given.
	ObjectBytes uint64 `json:"object_bytes"`
	Bytes       uint64 `json:"bytes"`
}

// LongView is a View that may last, as far as the engine has that power.
func LongView(ctx context.Context, s Store, fn func(View) error) error {
	if l, ok := s.(LongViewer); ok {
		return l.LongView(ctx, fn)
	}
	return s.View(ctx, fn)
}

// Count reads everything once.
func Count(ctx context.Context, s Store) (*Counts, error) {
	n := new(Counts)
	err := LongView(ctx, s, func(v View) error {
		err := v.Buckets(func(bucket string) error {
			return v.States(bucket, "", func(key string, value []byte) error {
				n.States++
				n.StateBytes += uint64(len(bucket) + len(key) + len(value))
				return nil
			})
		})
		if err != nil {
			return err
		}
		return v.Collections(func(c liaison.CollectionID) error {
			n.Collections = append(n.Collections, CollectionCount{ID: c.String()})
			one := &n.Collections[len(n.Collections)-1]
			p, err := v.Position(c)
			if err != nil {
				return err
			}
			one.Generation = p.Generation
			err = v.Range(c, 0, MaxEntries, Full, func(e *Entry) error {
				one.count(e)
				return ctx.Err()
			})
			n.All.add(one)
			return err
		})
	})
	return n, err
}

func (n *CollectionCount) count(e *Entry) {
	n.Entries++
	if len(e.Bytes) > 0 {
		n.Objects++
	}
	if e.Hidden {
		n.Hidden++
	}
	if e.Erased {
		n.Erased++
	}
	n.ObjectBytes += uint64(len(e.Bytes))
	hash := len(e.Salt)
	n.Bytes += uint64(len(e.Kind) + len(e.ID) + len(e.Version) + len(e.Type) +
		len(e.Bytes) + len(e.Leaf) + len(e.Act) + len(e.Batch) + len(e.Consent) + len(e.Hops) + len(e.Hashes)*hash)
	for _, h := range []liaison.Hash{e.ActHash, e.Salt} {
		if !h.IsZero() {
			n.Bytes += uint64(hash)
		}
	}
}

func (n *CollectionCount) add(one *CollectionCount) {
	n.Entries += one.Entries
	n.Objects += one.Objects
	n.Hidden += one.Hidden
	n.Erased += one.Erased
	n.ObjectBytes += one.ObjectBytes
	n.Bytes += one.Bytes
}
