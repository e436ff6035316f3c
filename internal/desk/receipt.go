package desk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// receipt builds the receipt of the entry at q.From from this office's point
// of view: the offices before it, itself, and those after it that are proved.
func (d *Desk) receipt(ctx context.Context, s store.View, reg *registry.Registry, q Query) (*liaison.Receipt, error) {
	var entry *store.Entry
	err := s.Range(q.Collection, q.From, q.From+1, store.Bytes|store.Proof, func(e *store.Entry) error {
		c := *e
		c.Bytes, c.Hops, c.Act = slices.Clone(e.Bytes), slices.Clone(e.Hops), slices.Clone(e.Act)
		c.Batch, c.Leaf = slices.Clone(e.Batch), slices.Clone(e.Leaf)
		entry = &c
		return nil
	})
	if err != nil {
		return nil, err
	}
	if entry == nil || len(entry.Act) == 0 {
		return nil, ErrNotFound
	}
	if entry.Erased && q.WithObject {
		return nil, ErrErased
	}
	t, err := travels(entry, "")
	if err != nil {
		return nil, fmt.Errorf("receipt of %s at %d: %w", q.Collection, q.From, err)
	}
	r := &liaison.Receipt{V: liaison.ReceiptVersion, Act: t.Act, Batch: t.Batch}
	if r.Hops, err = d.hops(ctx, s, q, entry, t); err != nil {
		return nil, err
	}
	if q.WithObject && len(entry.Bytes) > 0 {
		r.Object = &liaison.Sealed{Salt: entry.Salt, Bytes: entry.Bytes}
	}
	return r, addKeys(reg, r)
}

// hops chains the leaves of the act: upstream ones came with it, downstream
// ones came back.
func (d *Desk) hops(ctx context.Context, s store.View, q Query, e *store.Entry, t *liaison.Travels) ([]liaison.Hop, error) {
	after, err := d.hopsAfter(s, q.Collection, e)
	if err != nil {
		return nil, err
	}
	var own *liaison.Hop
	if len(after) > 0 {
		if own, err = d.ownHop(s, q.Collection, e.ActHash, officeOf(after[0]), generationOf(after[0])); err != nil {
			return nil, err
		}
	}
	if own == nil { // what is further on proves nothing before its office cosigned ours
		after = nil
	}
	if n := len(t.Hops); own == nil && n > 0 {
		if own, err = d.newestHop(s, q.Collection, e.ActHash, officeOf(t.Hops[n-1])); err != nil {
			return nil, err
		}
	}
	if own == nil {
		if own, err = d.freshHop(ctx, s, q); err != nil {
			return nil, err
		}
	}
	return slices.Concat(t.Hops, []liaison.Hop{*own}, after), nil
}

// newestHop returns this office's leaf for an act in the newest generation that
// an office has cosigned.
func (d *Desk) newestHop(s store.View, c liaison.CollectionID, act liaison.Hash, by liaison.Office) (own *liaison.Hop, err error) {
	origin, err := d.Journal.Origin(s, c)
	for g := origin.Generation; err == nil && own == nil && g > 0; g-- {
		own, err = d.ownHop(s, c, act, by, g)
	}
	return own, err
}

func (d *Desk) freshHop(ctx context.Context, s store.View, q Query) (*liaison.Hop, error) {
	note, err := d.Journal.Checkpoint(ctx, s, q.Collection, 0)
	if errors.Is(err, journal.ErrNoAnchor) || errors.Is(err, journal.ErrBehind) || errors.Is(err, journal.ErrRestored) || errors.Is(err, store.ErrFull) {
		return nil, fmt.Errorf("%w (%w)", ErrNoWrite, err) // nor sign
	}
	if err != nil {
		return nil, err
	}
	return journal.Hop(s, q.Collection, q.From, note)
}

// hopsAfter follows via from this office's leaf to the offices beyond.
func (d *Desk) hopsAfter(s store.View, c liaison.CollectionID, e *store.Entry) ([]liaison.Hop, error) {
	byVia := map[liaison.Via]liaison.Hop{}
	err := s.States(bucketHops, actKey(c, e.ActHash)+"/", func(key string, raw []byte) error {
		var h liaison.Hop
		if err := json.Unmarshal(raw, &h); err != nil {
			return fmt.Errorf("hop %s: %w", key, err)
		}
		if h.Leaf.Via != nil {
			byVia[*h.Leaf.Via] = h
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list []liaison.Hop
	at := d.firstVia(byVia, c, e.Index)
	for {
		h, ok := byVia[at]
		if !ok || len(list) > len(byVia) {
			return list, nil
		}
		list = append(list, h)
		cp, err := ledger.ReadCheckpoint(h.Checkpoint)
		if err != nil {
			return nil, err
		}
		at = liaison.Via{Origin: cp.Origin, Index: h.Index}
	}
}

// firstVia returns how the next office names this office's leaf at an index: by
// the generation that the log had then.
func (d *Desk) firstVia(byVia map[liaison.Via]liaison.Hop, c liaison.CollectionID, index uint64) (at liaison.Via) {
	for via := range byVia {
		if o := via.Origin; o.Office == d.Office && o.Collection == c && via.Index == index && o.Generation > at.Origin.Generation {
			at = via
		}
	}
	return at
}

func officeOf(h liaison.Hop) liaison.Office {
	return headOfHop(h).Origin.Office
}

// addKeys adds the signed objects that chain every key of the receipt to the
// authority.
func addKeys(reg *registry.Registry, r *liaison.Receipt) error {
	version, ok := reg.Version(r.Act.Under)
	if !ok {
		return fmt.Errorf("receipt: programme version %s is not here", r.Act.Under)
	}
	r.Programme, r.Keys.Authority = version.Bytes, reg.Authority()
	offices := map[liaison.Office]bool{r.Act.Office: true}
	for _, h := range r.Hops {
		offices[officeOf(h)] = true
		for _, w := range ledger.Cosigners(h.Checkpoint) {
			offices[w] = true
		}
	}
	for _, o := range slices.Sorted(maps.Keys(offices)) {
		if _, b, ok := reg.Office(o); ok {
			r.Keys.Offices = append(r.Keys.Offices, b)
		}
	}
	return nil
}
