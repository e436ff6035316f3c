package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// A log that was stopped goes on by itself when the neighbours have returned
// every leaf up to the checkpoint that this office is known to have signed, or,
// where only that checkpoint is missing, when all that follow the log have said
// that they know no more than the store holds. Otherwise an operator opens the
// next generation.

// Doubt is a log of this office of which leaves are missing, From up to To.
type Doubt struct {
	Collection liaison.CollectionID
	From, To   uint64
}

// recovery is what is known of the way back in this process.
type recovery struct {
	mu    sync.Mutex
	told  map[liaison.Office]*told        // guarded by mu
	state map[liaison.CollectionID]string // what a stopped log waits for; guarded by mu
	tried map[liaison.CollectionID]bool   // a rebuild, with all that there is; guarded by mu
	again chan struct{}                   // capacity 1: look again
}

// told is what a neighbour has told since the office was opened.
type told struct {
	all      bool // of which logs it knows what
	doubtful bool
	heads    map[liaison.CollectionID]ledger.Checkpoint
	notes    map[liaison.CollectionID]string
	done     map[liaison.CollectionID]bool // it has returned what it has
}

func newRecovery() *recovery {
	return &recovery{told: map[liaison.Office]*told{}, state: map[liaison.CollectionID]string{}, tried: map[liaison.CollectionID]bool{}, again: make(chan struct{}, 1)}
}

// mendEvery is how often Run looks whether a stopped log can go on, without being
// told: another process may have mended it.
const mendEvery = 10 * time.Second

func (d *Desk) mend(ctx context.Context) {
	if err := d.settle(ctx); err != nil && ctx.Err() == nil {
		d.Log.Error("stopped logs could not be mended", "err", err)
	}
}

func (r *recovery) look() {
	select {
	case r.again <- struct{}{}:
	default:
	}
}

// of returns what a neighbour has told; r.mu is held.
func (r *recovery) of(n liaison.Office) *told {
	t, ok := r.told[n]
	if !ok {
		t = &told{heads: map[liaison.CollectionID]ledger.Checkpoint{}, notes: map[liaison.CollectionID]string{}, done: map[liaison.CollectionID]bool{}}
		r.told[n] = t
	}
	return t
}

func (r *recovery) say(c liaison.CollectionID, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state[c] = fmt.Sprintf(format, args...)
}

// hasTried reports whether a rebuild was tried with all that there is, and notes
// that it is tried now.
func (r *recovery) hasTried(c liaison.CollectionID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	tried := r.tried[c]
	r.tried[c] = true
	return tried
}

// tryAgain lets a log be tried again with what there is.
func (r *recovery) tryAgain(c liaison.CollectionID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tried, c)
}

func (r *recovery) tryAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.tried)
}

// best returns the newest checkpoint of a log that any neighbour has told of, in
// a generation.
func (r *recovery) best(c liaison.CollectionID, generation uint32) (note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := uint64(0)
	for _, t := range r.told {
		if h := t.heads[c]; h.Origin.Generation == generation && h.Size >= size {
			size, note = h.Size, t.notes[c]
		}
	}
	return note
}

// silent lists those of a list that have not said all they know.
func (r *recovery) silent(list []liaison.Office) []liaison.Office {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(list), func(n liaison.Office) bool {
		t := r.told[n]
		return t != nil && t.all && !t.doubtful
	})
}

// unfinished lists those of a list that may still return leaves of a log.
func (r *recovery) unfinished(c liaison.CollectionID, list []liaison.Office) []liaison.Office {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(list), func(n liaison.Office) bool {
		t := r.told[n]
		return t != nil && t.done[c]
	})
}

// asks lists the logs of which a neighbour is asked for leaves.
func (d *Desk) asks(v store.View) (list []Doubt, err error) {
	doubts, err := d.Journal.Doubts(v)
	for _, q := range doubts {
		if q.Case == journal.Behind {
			list = append(list, Doubt{q.Collection, q.Held.Size, q.Known.Size})
		}
	}
	return list, err
}

// neighbours lists those whose cards are here.
func (d *Desk) neighbours() []liaison.Office {
	if d.Neighbours == nil {
		return nil
	}
	return d.Neighbours()
}

// followers lists the neighbours that follow a log, as far as is known here, and
// all of them while that cannot be known.
func (d *Desk) followers(v store.View, c liaison.CollectionID) (list []liaison.Office, err error) {
	reg := d.reg.Load()
	_, known := reg.Collection(c)
	for _, n := range d.neighbours() {
		follows := !known || d.Journal.Restored() != nil || reg.Offered(d.Office, n, c, d.now())
		err := v.States(bucketCosigned, c.String()+"/"+string(n), func(string, []byte) error {
			follows = true
			return store.Stop
		})
		if err != nil {
			return nil, err
		}
		if follows {
			list = append(list, n)
		}
	}
	return list, err
}

// settle looks at every stopped log and lets those go on that can, charters
// first. It is called by Run.
func (d *Desk) settle(ctx context.Context) error {
	for {
		doubts, err := d.doubts(ctx)
		if err != nil {
			return err
		}
		progress := false
		for _, q := range doubts {
			went, err := d.settleLog(ctx, q)
			if err != nil {
				return fmt.Errorf("log of %s: %w", q.Collection, err)
			}
			if went && d.charterFirst(q.Collection) < 2 {
				progress = true // what follows may rest on it
				d.recovery.tryAll()
				break
			}
		}
		if !progress {
			return d.settleRestore(ctx)
		}
	}
}

// doubts lists the stopped logs, charters first.
func (d *Desk) doubts(ctx context.Context) (list []journal.Doubt, err error) {
	err = d.view(ctx, func(v store.View, _ *register) error {
		if err := d.Journal.LookAgain(v); err != nil {
			return err
		}
		list, err = d.Journal.Doubts(v)
		return err
	})
	slices.SortStableFunc(list, func(a, b journal.Doubt) int {
		return cmp.Compare(d.charterFirst(a.Collection), d.charterFirst(b.Collection))
	})
	return list, err
}

// charterFirst orders collections: charters, what is not known, areas.
func (d *Desk) charterFirst(c liaison.CollectionID) int {
	coll, known := d.reg.Load().Collection(c)
	switch {
	case !known:
		return 1
	case coll.Area == liaison.Charter:
		return 0
	}
	return 2
}

// settleRestore ends the wait after a restore when every neighbour has said what
// it knows: the logs that lack something of it are stopped by themselves.
func (d *Desk) settleRestore(ctx context.Context) error {
	if d.Journal.Restored() == nil || len(d.recovery.silent(d.neighbours())) > 0 {
		return nil
	}
	return d.Journal.Found(ctx)
}

// settleLog lets a log go on if it can; went says that it does.
func (d *Desk) settleLog(ctx context.Context, q journal.Doubt) (went bool, err error) {
	r := d.recovery
	switch q.Case {
	case journal.Behind:
		return d.rebuild(ctx, q)
	case journal.Agreeing:
		return true, d.Journal.Resume(ctx, q.Collection)
	case journal.Diverged:
		r.say(q.Collection, "the store holds other entries than the %d that were signed", q.Known.Size)
	case journal.Broken:
		r.say(q.Collection, "the store contradicts itself: restore a backup (liaison fsck)")
	case journal.Unanchored:
		return d.settleAnchor(ctx, q)
	}
	return false, nil
}

// settleAnchor: all that follow the log know no more than the store holds.
func (d *Desk) settleAnchor(ctx context.Context, q journal.Doubt) (bool, error) {
	c := q.Collection
	var list []liaison.Office
	err := d.Journal.View(ctx, func(v store.View) (err error) {
		list, err = d.followers(v, c)
		return err
	})
	if err != nil {
		return false, err
	}
	if len(list) == 0 {
		d.recovery.say(c, "no neighbour follows it: nobody can say what was signed")
		return false, nil
	}
	if silent := d.recovery.silent(list); len(silent) > 0 {
		d.recovery.say(c, "waits for %s to say what was signed", names(silent))
		return false, nil
	}
	if err := d.Journal.Adopt(ctx, c, d.recovery.best(c, max(q.Held.Generation, 1))); err != nil {
		return false, err
	}
	return true, d.Journal.Resume(ctx, c)
}

func names(list []liaison.Office) string {
	text := ""
	for i, n := range list {
		if i > 0 {
			text += ", "
		}
		text += string(n)
	}
	return text
}
