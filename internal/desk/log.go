package desk

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
)

// LogEntry is a leaf of this office's log, as a neighbour follows it, with the
// act it names. Travels is nil where the leaf names none.
type LogEntry struct {
	Leaf    []byte // canonical JSON
	Travels *liaison.Travels
	Erased  liaison.Hash // the act that erased its object; zero: none
}

// readLog reads leaves for a follower, under a checkpoint of exactly the
// page's end: recomputing the root from the leaves is then the consistency
// proof, and every inclusion path follows from the page.
func (d *Desk) readLog(ctx context.Context, s store.View, reg *registry.Registry, v Viewer, q Query, page *Page) error {
	n, _ := v.Neighbour()
	limit := q.Limit
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	pos, err := s.Position(q.Collection)
	if err != nil {
		return err
	}
	if err := q.sameGeneration(pos); err != nil {
		return err
	}
	if q.From > pos.Size {
		return fmt.Errorf("the log of %s holds %d entries, asked from %d: %w", q.Collection, pos.Size, q.From, ErrPosition)
	}
	end, err := d.endFor(s, reg, n, q.Collection)
	if err != nil {
		return err
	}
	if q.From >= end {
		return ErrNotFound
	}
	size := 0
	page.Next = q.From
	err = s.Range(q.Collection, q.From, min(q.From+uint64(limit), end), store.Bytes|store.Proof, func(e *store.Entry) error {
		l := LogEntry{Leaf: slices.Clone(e.Leaf)}
		var err error
		if len(e.Act) > 0 {
			to := n
			if q.Whole {
				to = ""
			}
			if l.Travels, err = travels(e, to); err != nil {
				return fmt.Errorf("index %d: %w", e.Index, err)
			}
		}
		if e.Erased {
			why, _, err := journal.ErasedBy(s, q.Collection, e.ActHash)
			if err != nil {
				return err
			}
			l.Erased = why.By
		}
		page.Leaves, page.Next = append(page.Leaves, l), e.Index+1
		if size += len(e.Bytes) + len(e.Leaf) + len(e.Act) + len(e.Hops); q.MaxBytes > 0 && size >= q.MaxBytes {
			return store.Stop
		}
		return nil
	})
	if err != nil || page.Next == 0 {
		return err
	}
	page.Note, err = d.Journal.Checkpoint(ctx, s, q.Collection, page.Next)
	return err
}

// endFor returns the index where a log ends for a neighbour: behind its removal
// from the programme, if there was one.
func (d *Desk) endFor(s store.View, reg *registry.Registry, n liaison.Office, c liaison.CollectionID) (uint64, error) {
	coll, ok := reg.Collection(c)
	if !ok {
		return 0, nil
	}
	removed, ok := reg.Removal(d.Office, n, coll, d.now())
	if !ok || coll.Area != liaison.Charter {
		return store.MaxEntries, nil
	}
	end := uint64(0)
	err := s.Find(c, string(removed.ID), store.Bytes, func(e *store.Entry) error {
		if under, err := liaison.Under(e.Bytes); err == nil && under == removed.Under && end == 0 {
			end = e.Index + 1
		}
		return nil
	})
	return end, err
}

// travels decodes what is carried of an entry. What the neighbour itself sent
// is left out.
func travels(e *store.Entry, to liaison.Office) (*liaison.Travels, error) {
	t := &liaison.Travels{Hops: []liaison.Hop{}}
	if err := json.Unmarshal(e.Act, &t.Act); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(e.Batch, &t.Batch); err != nil {
		return nil, err
	}
	if len(e.Hops) > 0 {
		if err := json.Unmarshal(e.Hops, &t.Hops); err != nil {
			return nil, err
		}
	}
	leaf, err := liaison.ParseLeaf(e.Leaf)
	if err != nil {
		return nil, err
	}
	t.Consent = slices.Clone(e.Consent)
	if leaf.Via == nil || leaf.Via.Origin.Office != to {
		t.Salt, t.Bytes = e.Salt, slices.Clone(e.Bytes)
	}
	return t, nil
}
