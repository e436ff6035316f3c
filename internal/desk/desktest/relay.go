package desktest

import (
	"context"
	"errors"
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// Page reads the next page of a collection's log at a neighbour, verifies it
// against what was followed so far, cosigns it and returns it as a batch for
// this office's desk. ok is false where nothing is new.
func (o *Office) Page(ctx context.Context, from *Office, c liaison.CollectionID, limit int) (b desk.Batch, ok bool, err error) {
	at, err := o.Desk.Read(ctx, registry.Neighbour(from.Name), desk.Query{What: desk.Position, Origin: from.Origin(c)})
	if err != nil {
		return b, false, err
	}
	page, err := from.Desk.Read(ctx, registry.Neighbour(o.Name), desk.Query{What: desk.Log, Collection: c, From: at.Follow.Size, Limit: limit})
	if err != nil || len(page.Leaves) == 0 {
		return b, false, err
	}
	b, err = o.verify(from, c, &at.Follow, page)
	return b, err == nil, err
}

func (o *Office) verify(from *Office, c liaison.CollectionID, at *desk.Follow, page *desk.Page) (b desk.Batch, err error) {
	var grown ledger.Range
	if len(at.Range) > 0 {
		if err := grown.UnmarshalBinary(at.Range); err != nil {
			return b, err
		}
	}
	cp, _, err := ledger.OpenCheckpoint(page.Note, [][]byte{from.Keys.LogKey()})
	if err != nil {
		return b, err
	}
	var hashes []liaison.Hash
	for _, l := range page.Leaves {
		hashes = append(hashes, liaison.LeafHash(l.Leaf))
	}
	root, paths := grown.Paths(hashes)
	if cp.Origin != from.Origin(c) || root != cp.Root || cp.Size != at.Size+uint64(len(hashes)) {
		return b, fmt.Errorf("%s: the page does not lead to its checkpoint", cp.Origin)
	}
	note := page.Note + o.Keys.Cosign(cp.Text(), o.Clock.Now().Unix()) + "\n"
	b.Collection = c
	for i, l := range page.Leaves {
		leaf, err := liaison.ParseLeaf(l.Leaf)
		if err != nil {
			return b, err
		}
		via := liaison.Via{Origin: cp.Origin, Index: at.Size + uint64(i)}
		b.Items = append(b.Items, desk.Item{Arrival: &desk.Arrival{
			Travels: *l.Travels, Kind: leaf.Kind, Erased: l.Erased, Via: via,
			Hop: liaison.Hop{Leaf: *leaf, Index: via.Index, Path: paths[i], Checkpoint: note},
		}})
	}
	grown.Append(hashes...)
	kept, err := grown.MarshalBinary()
	b.Follow = &desk.Follow{Origin: cp.Origin, From: at.Size, Size: cp.Size, Range: kept, Note: note}
	return b, err
}

// Take accepts a page and acknowledges it with the cosigned checkpoint.
func (o *Office) Take(ctx context.Context, from *Office, b desk.Batch) ([]desk.Outcome, error) {
	outcomes, err := o.Desk.Accept(ctx, registry.Neighbour(from.Name), b)
	if err != nil {
		return nil, err
	}
	_, err = from.Desk.Accept(ctx, registry.Neighbour(o.Name), desk.Batch{Collection: b.Collection, Cosigned: b.Follow.Note})
	return outcomes, err
}

// Follow takes all that is new of a collection at a neighbour.
func (o *Office) Follow(t T, from *Office, c liaison.CollectionID) (outcomes []desk.Outcome) {
	t.Helper()
	for {
		b, ok, err := o.Page(context.Background(), from, c, 0)
		if errors.Is(err, desk.ErrNotFound) || (err == nil && !ok) {
			return outcomes
		}
		if err == nil {
			var some []desk.Outcome
			some, err = o.Take(context.Background(), from, b)
			outcomes = append(outcomes, some...)
		}
		if err != nil {
			t.Fatalf("%s follows %s in %s: %v", o.Name, from.Name, c, err)
		}
	}
}

// PassBack hands a neighbour the evidence that waits for it and returns how
// much there was.
func (o *Office) PassBack(t T, to *Office) int {
	t.Helper()
	ctx := context.Background()
	page, err := o.Desk.Read(ctx, registry.Neighbour(to.Name), desk.Query{What: desk.Outbox})
	if err != nil {
		t.Fatalf("%s: outbox for %s: %v", o.Name, to.Name, err)
	}
	if len(page.Outbox) == 0 {
		return 0
	}
	var keys []string
	for _, e := range page.Outbox {
		keys = append(keys, e.Key)
	}
	_, err = to.Desk.Accept(ctx, registry.Neighbour(o.Name), desk.Batch{Evidence: page.Outbox})
	if err == nil {
		_, err = o.Desk.Accept(ctx, registry.Neighbour(to.Name), desk.Batch{Delivered: keys})
	}
	if err != nil {
		t.Fatalf("%s passes back to %s: %v", o.Name, to.Name, err)
	}
	return len(keys)
}

// Settle moves pages and evidence between neighbours, in a row, until nothing
// is left to move.
func Settle(t T, row ...*Office) {
	t.Helper()
	for moved := 1; moved > 0; {
		moved = 0
		for i := range len(row) - 1 {
			moved += meet(t, row[i], row[i+1]) + meet(t, row[i+1], row[i])
		}
	}
}

// meet lets one office follow all that another offers, and takes evidence back.
func meet(t T, o, from *Office) (moved int) {
	t.Helper()
	page, err := from.Desk.Read(context.Background(), registry.Neighbour(o.Name), desk.Query{What: desk.Offers})
	if err != nil {
		t.Fatalf("%s: offers for %s: %v", from.Name, o.Name, err)
	}
	for _, c := range page.Offers {
		moved += len(o.Follow(t, from, c))
	}
	return moved + from.PassBack(t, o)
}

// Shown returns the bytes of every object in sight, by id.
func (o *Office) Shown(t T, c liaison.CollectionID) map[string]string {
	t.Helper()
	shown := map[string]string{}
	err := o.Store.View(context.Background(), func(v store.View) error {
		return v.Range(c, 0, store.MaxEntries, store.Bytes, func(e *store.Entry) error {
			if e.ID == "" { // erased, an act that erases, or what opens a generation
				return nil
			}
			if _, twice := shown[e.ID]; twice && !e.Hidden {
				return fmt.Errorf("%s is in sight twice", e.ID)
			}
			if !e.Hidden {
				shown[e.ID] = string(e.Bytes)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatalf("%s: %s: %v", o.Name, c, err)
	}
	return shown
}
