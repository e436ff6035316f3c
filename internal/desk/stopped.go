package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
)

// StoppedLog says what an operator should know of a log in which nothing is
// accepted or signed.
type StoppedLog struct {
	Collection liaison.CollectionID `json:"collection"`
	Name       string               `json:"name,omitzero"` // programme.area
	Why        string               `json:"why"`
	Held       uint64               `json:"held"`             // entries in the store
	Signed     uint64               `json:"signed,omitzero"`  // of the last checkpoint that is known to be signed
	Waits      string               `json:"waits,omitzero"`   // for what
	Silent     []liaison.Office     `json:"silent,omitzero"`  // followers that have not said what they know
	Reopens    bool                 `json:"reopens,omitzero"` // an operator would open the next generation
	Lost       uint64               `json:"lost,omitzero"`    // entries that would not be in it
	Returned   uint64               `json:"returned,omitzero"`
}

// stopped lists the logs that an operator is asked about.
func (d *Desk) stopped(v store.View) ([]StoppedLog, error) {
	doubts, err := d.Journal.Doubts(v)
	if err != nil {
		return nil, err
	}
	list := []StoppedLog{}
	for _, q := range doubts {
		l := StoppedLog{Collection: q.Collection, Why: q.Why.Error(), Held: q.Held.Size, Signed: q.Known.Size, Name: d.aliasOf(q.Collection)}
		l.Reopens = q.Case == journal.Behind || q.Case == journal.Diverged || q.Case == journal.Unanchored
		if q.Known.Size > q.Held.Size {
			l.Lost = q.Known.Size - q.Held.Size
		}
		followers, err := d.followers(v, q.Collection)
		if err != nil {
			return nil, err
		}
		l.Silent = d.recovery.silent(followers)
		d.recovery.mu.Lock()
		l.Waits = d.recovery.state[q.Collection]
		d.recovery.mu.Unlock()
		err = v.States(bucketReturned, q.Collection.String()+"/", func(string, []byte) error { l.Returned++; return nil })
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

func (d *Desk) aliasOf(c liaison.CollectionID) string {
	coll, ok := d.reg.Load().Collection(c)
	if !ok {
		return ""
	}
	version, _ := coll.InForce(d.now())
	return version.Alias + "." + string(coll.Area)
}

// reopen lets a stopped log go on as its operator says: where entries are lost,
// or nobody can say whether any are, in the next generation.
func (d *Desk) reopen(ctx context.Context, c liaison.CollectionID) (Outcome, error) {
	if c.IsZero() {
		if d.Journal.Restored() == nil {
			return Outcome{}, errors.New("the store was not restored, or the neighbours have said what they know")
		}
		return Outcome{Status: Accepted, Reason: "nobody is waited for any further"}, d.Journal.Found(ctx)
	}
	doubts, err := d.doubts(ctx)
	if err != nil {
		return Outcome{}, err
	}
	i := slices.IndexFunc(doubts, func(q journal.Doubt) bool { return q.Collection == c })
	if i < 0 {
		return Outcome{}, fmt.Errorf("collection %s is not stopped", c)
	}
	switch q := doubts[i]; q.Case {
	case journal.Broken:
		return Outcome{}, fmt.Errorf("collection %s: %w", c, q.Why)
	case journal.Agreeing:
		return Outcome{Status: Accepted, Reason: "it goes on"}, d.Journal.Resume(ctx, c)
	}
	last, err := d.lastReturned(ctx, c)
	if err != nil {
		return Outcome{}, err
	}
	r, err := d.Journal.Reopen(ctx, c, last)
	if err != nil {
		return Outcome{}, err
	}
	d.Log.Warn("the next generation of a log is open", "origin", r.Origin.String(), "index", r.Index, "prev", r.Prev.Origin.String(), "prev_size", r.Prev.Size)
	d.recovery.look()
	return Outcome{Status: Accepted, Index: r.Index, Reason: fmt.Sprintf("%s goes on from %d", r.Origin, r.Index)}, d.forgetReturned(ctx, c)
}

// lastReturned returns the latest instant that a lost leaf of a log is known to
// have.
func (d *Desk) lastReturned(ctx context.Context, c liaison.CollectionID) (last liaison.Instant, err error) {
	err = d.Journal.View(ctx, func(v store.View) error {
		p := plan{d: d, q: journal.Doubt{Collection: c}}
		return p.each(v, 0, func(r *Returned) error {
			last = max(last, r.Hop.Leaf.Added)
			return nil
		})
	})
	return last, err
}

func (d *Desk) forgetReturned(ctx context.Context, c liaison.CollectionID) error {
	return d.Journal.Store.Update(ctx, store.Lock{Alone: true}, func(tx store.Tx) error {
		var keys []string
		err := tx.States(bucketReturned, c.String()+"/", func(key string, _ []byte) error {
			keys = append(keys, key)
			return nil
		})
		for _, key := range keys {
			err = errors.Join(err, tx.Delete(bucketReturned, key))
		}
		return err
	})
}
