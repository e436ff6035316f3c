package desk

import (
	"context"
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// ownActsHere does not take a page with acts that this office once had and has
// no more: the store was lost. Neighbours leave out the objects of what they had
// from here, so to pass such an act over would lose it for good. Where a
// checkpoint of this office proves the loss, the log is stopped.
func (d *Desk) ownActsHere(ctx context.Context, b Batch) error {
	return d.Journal.View(ctx, func(v store.View) error {
		for i := range b.Items {
			a := b.Items[i].Arrival
			if !d.cameFromHere(a) {
				continue
			}
			here, err := hasAct(v, b.Collection, a.Travels.Act.Hash())
			if err != nil || here {
				if err != nil {
					return err
				}
				continue
			}
			if err := d.broughtBack(v, b.Collection, a, b.Follow != nil && b.Follow.Whole); err != nil {
				return err
			}
		}
		return nil
	})
}

// broughtBack takes an act that was here in a generation of the log that is over:
// with its object it comes back, as a leaf by relay. Any other is lost.
func (d *Desk) broughtBack(v store.View, c liaison.CollectionID, a *Arrival, whole bool) error {
	origin, err := d.Journal.Origin(v, c)
	if err != nil {
		return err
	}
	was := uint32(0)
	for _, h := range a.Travels.Hops {
		if cp, ok := d.Journal.Signed(h.Checkpoint); ok {
			was = max(was, cp.Origin.Generation)
		}
	}
	switch {
	case was == 0 || was >= origin.Generation:
		return d.lost(v, c, a)
	case len(a.Travels.Bytes) == 0 && !a.Travels.Act.Commit.IsZero() && !whole:
		return fmt.Errorf("act %s: %w", a.Travels.Act.Hash(), ErrWhole)
	}
	return nil
}

// cameFromHere: the neighbour had the act from this office, or this office
// accepted it first.
func (d *Desk) cameFromHere(a *Arrival) bool {
	t := &a.Travels
	if via := a.Hop.Leaf.Via; len(t.Bytes) == 0 && via != nil && via.Origin.Office == d.Office {
		return true
	}
	return t.Act.Office == d.Office && ledger.VerifyBatch(&t.Act, t.Batch, [][]byte{d.Journal.Signer.ActKey()}) == nil
}

func hasAct(v store.View, c liaison.CollectionID, act liaison.Hash) (here bool, err error) {
	err = v.FindAct(c, act, store.Meta, func(*store.Entry) error {
		here = true
		return store.Stop
	})
	return here, err
}

func (d *Desk) lost(v store.View, c liaison.CollectionID, a *Arrival) error {
	for _, h := range a.Travels.Hops {
		if err := d.Journal.Confront(v, c, h); err != nil {
			return err
		}
	}
	return fmt.Errorf("act %s was here, as a neighbour's log says, and is not here any more: restore the newest backup, or ask the neighbours", a.Travels.Act.Hash())
}
