package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// What neighbours tell of this office's own logs: what they have verified of them,
// and the leaves that the store has lost.

// bucketReturned holds leaves of this office's own logs that neighbours gave back
// and the log has not yet. Each was verified against this office's own signature.
const bucketReturned = "returned" // <collection>/<index, 16 hexadecimal digits>: Returned

func returnedKey(c liaison.CollectionID, index uint64) string {
	return fmt.Sprintf("%s/%016x", c, index)
}

// listen takes what a neighbour tells of this office's logs.
func (d *Desk) listen(ctx context.Context, n liaison.Office, c liaison.CollectionID, t *Told) error {
	if err := d.hearHeads(ctx, n, t.Heads); err != nil {
		return err
	}
	if err := d.stage(ctx, n, c, t.Returned); err != nil {
		return err
	}
	r := d.recovery
	r.mu.Lock()
	of := r.of(n)
	if of.doubtful = of.doubtful && !t.All || t.Doubtful; t.All {
		of.all = true
	}
	if t.Done {
		of.done[c] = true
		delete(r.tried, c)
	}
	r.mu.Unlock()
	if t.All || t.Done {
		r.look()
	}
	return nil
}

// hearHeads compares what a neighbour has verified of this office's logs with the
// store. What it knows better stops the log.
func (d *Desk) hearHeads(ctx context.Context, n liaison.Office, notes []string) error {
	return d.Journal.View(ctx, func(v store.View) error {
		for _, note := range notes {
			cp, ok := d.Journal.Signed(note)
			if !ok {
				d.Log.Warn("a neighbour knows a log of this office by a checkpoint that this office has not signed", "neighbour", string(n))
				continue
			}
			if err := d.Journal.Hear(v, note); err != nil && !errors.Is(err, journal.ErrBehind) && !errors.Is(err, journal.ErrRestored) {
				return err
			}
			d.recovery.mu.Lock()
			t := d.recovery.of(n)
			if h := t.heads[cp.Origin.Collection]; cp.Origin.Generation >= h.Origin.Generation {
				t.heads[cp.Origin.Collection], t.notes[cp.Origin.Collection] = cp, note
			}
			d.recovery.mu.Unlock()
		}
		return nil
	})
}

// stage keeps leaves that a neighbour returned. One that this office has not
// signed is a fault of the neighbour: nothing of it is kept.
func (d *Desk) stage(ctx context.Context, n liaison.Office, c liaison.CollectionID, list []Returned) error {
	if len(list) == 0 {
		return nil
	}
	heads := make([]ledger.Checkpoint, len(list))
	for i := range list {
		cp, err := d.verifyReturned(c, &list[i])
		if err != nil {
			return fmt.Errorf("%s returns for the log of %s what it cannot have from here: %w (%w)", n, c, err, ErrNotSigned)
		}
		heads[i] = cp
	}
	return d.Journal.Store.Update(ctx, store.Lock{Alone: true}, func(tx store.Tx) error {
		pos, err := tx.Position(c)
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].Hop.Index < pos.Size {
				continue
			}
			if err := keepReturned(tx, c, &list[i], heads[i].Origin.Generation); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepReturned keeps a leaf: of two at one index that of the later generation,
// and with its object rather than without.
func keepReturned(tx store.Tx, c liaison.CollectionID, r *Returned, generation uint32) error {
	key := returnedKey(c, r.Hop.Index)
	raw, ok, err := tx.State(bucketReturned, key)
	if err != nil {
		return err
	}
	if ok {
		var have Returned
		if err := json.Unmarshal(raw, &have); err != nil {
			return fmt.Errorf("returned leaf %s: %w", key, err)
		}
		cp, err := ledger.ReadCheckpoint(have.Hop.Checkpoint)
		if err != nil {
			return err
		}
		if g := cp.Origin.Generation; g > generation || g == generation && (r.Travels == nil || have.Travels != nil && len(have.Travels.Bytes) > 0) {
			return nil
		}
	}
	return tx.Put(bucketReturned, key, marshal(r))
}
