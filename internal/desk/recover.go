package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// A log that was stopped goes on by itself when the neighbours have returned
// every leaf up to the checkpoint that this office is known to have signed, or,
// where only that checkpoint is missing, when all that follow the log have said
// that they know no more than the store holds. Otherwise an operator opens the
// next generation.

// bucketReturned holds leaves of this office's own logs that neighbours gave back
// and the log has not yet. Each was verified against this office's own signature.
const bucketReturned = "returned" // <collection>/<index, 16 hexadecimal digits>: Returned

func returnedKey(c liaison.CollectionID, index uint64) string {
	return fmt.Sprintf("%s/%016x", c, index)
}

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
	objects [][]byte // of what may be a charter
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
				p.objects = append(p.objects, r.Travels.Bytes)
			}
		}
		if r.Hop.Index != g.Size() {
			return nil
		}
		return g.Add(liaison.JCS(r.Hop.Leaf))
	})
	return g, have, err
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
