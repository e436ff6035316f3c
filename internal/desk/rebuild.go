package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// rebuild appends what neighbours returned, if it is all there and leads to the
// root that this office signed. What failed is tried again.
func (d *Desk) rebuild(ctx context.Context, q journal.Doubt) (went bool, err error) {
	if d.recovery.hasTried(q.Collection) {
		return false, nil
	}
	defer func() {
		if err != nil {
			d.recovery.tryAgain(q.Collection)
		}
	}()
	p := &plan{d: d, q: q, reg: d.reg.Load().Registry}
	ready, err := p.check(ctx)
	if err != nil || !ready {
		return false, err
	}
	from := q.Held.Size
	for from < q.Known.Size {
		if from, err = p.some(ctx, from); errors.Is(err, journal.ErrMended) {
			return false, nil // by another process
		} else if err != nil {
			return false, err
		}
	}
	if err := d.Journal.Resume(ctx, q.Collection); err != nil {
		return false, err
	}
	d.Log.Info("a log is whole again: neighbours returned what the store had lost", "collection", q.Collection.String(), "entries", q.Known.Size-q.Held.Size)
	if len(p.objects) > 0 {
		_, err := d.present(ctx) // fold the charters
		return true, err
	}
	d.somethingCame()
	return true, nil
}

// plan is how a log is rebuilt.
type plan struct {
	d       *Desk
	q       journal.Doubt
	reg     *registry.Registry
	objects [][]byte // control objects, of what may be a charter
	gone    int      // acts of which nobody has the object
	erased  map[liaison.Hash]bool
	notes   *notes
}

// check reads what was returned from where the store ends: every leaf must be
// there, with its act, and lead to the known root. Signatures on batches and ways
// are verified by the keys that the charters name.
func (p *plan) check(ctx context.Context) (ready bool, err error) {
	d, c := p.d, p.q.Collection
	err = d.Journal.View(ctx, func(v store.View) error {
		grown, have, err := p.grow(v)
		if err != nil || grown == nil {
			return err
		}
		root, err := grown.Root()
		switch {
		case err != nil:
			return err
		case grown.Size() < p.q.Known.Size:
			return p.sayMissing(v, grown.Size(), have)
		case root != p.q.Known.Root:
			d.recovery.say(c, "what the neighbours returned does not lead to the root that was signed at %d", p.q.Known.Size)
			return nil
		}
		if ready, err = p.ways(v); err != nil || !ready || p.gone == 0 {
			return err
		}
		ready, err = p.withoutObjects(v)
		return err
	})
	return ready, err
}

// grow adds what was returned to what is held, as far as it is contiguous.
func (p *plan) grow(v store.View) (g *journal.Growth, have uint64, err error) {
	c := p.q.Collection
	if g, err = journal.Grow(v, c); err != nil {
		return nil, 0, err
	}
	maybeCharter := p.d.charterFirst(c) < 2
	p.erased = map[liaison.Hash]bool{}
	err = p.each(v, g.Size(), func(r *Returned) error {
		if r.Hop.Index >= p.q.Known.Size {
			return store.Stop
		}
		if have++; r.Travels != nil {
			if !r.Travels.Act.Erases.IsZero() {
				p.erased[r.Travels.Act.Erases] = true
			}
			if maybeCharter && len(r.Travels.Bytes) > 0 {
				if maybeCharter = isControlObject(r.Travels.Bytes); maybeCharter {
					p.objects = append(p.objects, r.Travels.Bytes)
				}
			}
		}
		if r.Hop.Index != g.Size() {
			return nil
		}
		return g.Add(liaison.JCS(r.Hop.Leaf))
	})
	return g, have, err
}

// isControlObject: charters hold such objects only, so that a log is none from the
// first other one on.
func isControlObject(raw []byte) bool {
	var head struct {
		Type string `json:"type"`
	}
	return json.Unmarshal(raw, &head) == nil && isControl(head.Type)
}

// each yields what was returned from an index on.
func (p *plan) each(v store.View, from uint64, yield func(*Returned) error) error {
	first := returnedKey(p.q.Collection, from)
	return v.States(bucketReturned, p.q.Collection.String()+"/", func(key string, raw []byte) error {
		if key < first {
			return nil
		}
		var r Returned
		if err := json.Unmarshal(slices.Clone(raw), &r); err != nil {
			return fmt.Errorf("returned leaf %s: %w", key, err)
		}
		return yield(&r)
	})
}

// sayMissing notes for whom a log waits.
func (p *plan) sayMissing(v store.View, next, have uint64) error {
	list, err := p.d.followers(v, p.q.Collection)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d of the %d entries that are missing were returned, entry %d is the first that was not", have, p.q.Known.Size-p.q.Held.Size, next)
	if waits := p.d.recovery.unfinished(p.q.Collection, list); len(waits) > 0 {
		p.d.recovery.say(p.q.Collection, "%s; waits for %s", what, names(waits))
	} else {
		p.d.recovery.say(p.q.Collection, "%s; every neighbour has answered", what)
	}
	return nil
}

// ways verifies batches and ways.
func (p *plan) ways(v store.View) (ready bool, err error) {
	d, c := p.d, p.q.Collection
	reg := p.reg
	if len(p.objects) > 0 {
		reg = foresee(reg, c, p.objects)
	}
	p.notes, ready = newNotes(reg), true
	err = p.each(v, p.q.Held.Size, func(r *Returned) error {
		if r.Hop.Index >= p.q.Known.Size {
			return store.Stop
		}
		if r.Travels == nil {
			return nil
		}
		t := &r.Travels.Act
		if len(r.Travels.Bytes) == 0 && !t.Commit.IsZero() && !p.erased[t.Hash()] {
			p.gone++
		}
		if err := p.way(r); err != nil {
			d.recovery.say(c, "entry %d as it was returned: %s", r.Hop.Index, err)
			ready = false
			return store.Stop
		}
		return nil
	})
	return ready, err
}

// way verifies what came with a leaf beside the act.
func (p *plan) way(r *Returned) error {
	t, leaf := r.Travels, &r.Hop.Leaf
	keys := p.notes.reg.OfficeKeys(t.Act.Office, liaison.UseAct, t.Act.Accepted)
	if t.Act.Office == p.d.Office {
		keys = append(slices.Clip(keys), p.d.Journal.Signer.ActKey())
	}
	if len(keys) == 0 {
		if o, err := stix.Parse(slices.Clone(t.Bytes), p.d.Limits); err == nil {
			keys, _, _ = p.d.actKeys(p.notes.reg, &t.Act, o)
		}
	}
	if err := ledger.VerifyBatch(&t.Act, t.Batch, keys); err != nil {
		return err
	}
	if leaf.Via == nil {
		if t.Act.Office != p.d.Office || t.Act.Accepted != leaf.Added || len(t.Hops) > 0 {
			return fmt.Errorf("act %s was not accepted here at %s", t.Act.Hash(), leaf.Added)
		}
		return nil
	}
	last := len(t.Hops) - 1
	if last < 0 {
		return fmt.Errorf("act %s came without its way", t.Act.Hash())
	}
	a := &Arrival{Travels: liaison.Travels{Act: t.Act, Hops: slices.Clone(t.Hops[:last])}, Via: *leaf.Via, Hop: t.Hops[last]}
	if v, ok := wayOf(p.notes, a); !ok {
		return errors.New(v.reason)
	}
	return nil
}

// withoutObjects: acts whose objects nobody has are rebuilt without them when
// every follower has answered.
func (p *plan) withoutObjects(v store.View) (bool, error) {
	d, c := p.d, p.q.Collection
	list, err := d.followers(v, c)
	if err != nil {
		return false, err
	}
	if waits := d.recovery.unfinished(c, list); len(waits) > 0 {
		d.recovery.say(c, "every entry was returned, of %d not the object; waits for %s", p.gone, names(waits))
		return false, nil
	}
	d.Log.Error("no neighbour has the objects of some acts: they are proved, and gone", "collection", c.String(), "acts", p.gone)
	return true, nil
}

// The entries appended in one transaction.
const (
	rebuildAtOnce = 500
	rebuildBytes  = 4 << 20
)

// some appends the next entries, and returns where the log ends then.
func (p *plan) some(ctx context.Context, from uint64) (uint64, error) {
	var lost []journal.Lost
	size := 0
	err := p.d.Journal.View(ctx, func(v store.View) error {
		return p.each(v, from, func(r *Returned) error {
			if r.Hop.Index >= p.q.Known.Size || len(lost) == rebuildAtOnce || size > rebuildBytes {
				return store.Stop
			}
			l := journal.Lost{Leaf: liaison.JCS(r.Hop.Leaf), Travels: r.Travels}
			if r.Travels != nil && len(r.Travels.Bytes) > 0 {
				o, err := stix.Parse(r.Travels.Bytes, p.d.Limits)
				if err != nil {
					return fmt.Errorf("object of leaf %d: %w", r.Hop.Index, err)
				}
				l.Object = o
				size += len(r.Travels.Bytes)
			} else if r.Travels != nil && !p.erased[r.Travels.Act.Hash()] {
				l.Gone = "no neighbour had it when the log was rebuilt"
			}
			lost = append(lost, l)
			return nil
		})
	})
	if err != nil {
		return from, err
	}
	to := from + uint64(len(lost))
	if to == from {
		return from, fmt.Errorf("leaf %d is not there any more", from)
	}
	return to, p.d.Journal.Rebuild(ctx, p.q.Collection, from, lost, len(p.objects) > 0, func(tx store.Tx, outcomes []journal.Outcome) error {
		for i := from; i < to; i++ {
			if err := tx.Delete(bucketReturned, returnedKey(p.q.Collection, i)); err != nil {
				return err
			}
		}
		return p.d.forget(tx, p.q.Collection, outcomes)
	})
}
