package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// Batch is appended in one transaction: all of it or, on an error, nothing.
// Items of one batch that are refused leave the others as they are.
type Batch struct {
	Collection liaison.CollectionID
	Items      []Item
	// Check, if set, is asked under the lock before anything is judged, and after
	// what JudgeBy set. An error leaves the batch out: it is what Append returns, and
	// nothing of the batch is written. Other batches go on.
	Check func() error
	// Then, if set, runs in the same transaction after the items, to commit
	// keyed state with them. What it reads of that before it writes must be guarded:
	// whoever writes those keys, in any process, locks the same collection, or is
	// Alone.
	Then func(tx store.Tx, outcomes []Outcome) error
	// Guard are further collections that are locked, for the keys that Then reads
	// and writes.
	Guard []liaison.CollectionID
	// Alone: no other batch of any process is written meanwhile.
	Alone bool
	// Control: what judges ask is made of the entries of this batch (Register). It
	// is alone, and later batches are judged by what it changes.
	Control bool
	// After, if set, runs after the commit and before any later batch of this
	// process.
	After func()
}

func (b *Batch) alone() bool { return b.Alone || b.Control }

func (b *Batch) firstDoor() bool { return len(b.Items) > 0 && b.Items[0].Arrival == nil }

// locks are the collections that a batch needs.
func (b *Batch) locks() []liaison.CollectionID {
	return append([]liaison.CollectionID{b.Collection}, b.Guard...)
}

// Item is an object to append: at the first door with a Judge, by relay with
// its Arrival.
type Item struct {
	Object *stix.Object
	Owner  liaison.Party // the party whose right is used; finds its earlier acts
	Judge  Judge         // first door
	// Apart: the owner may not see what others released, so what becomes of the
	// item depends on its own acts alone (first door).
	Apart   bool
	Arrival *Arrival // relay; decided before, because accepted is fixed

	// Erases is the act whose object is to be erased; then there is no Object.
	// With a Judge the owner's own act does it, which goes to all. Without one the
	// operator erases it here alone: nothing is appended, and Reason is kept.
	Erases liaison.Hash
	Reason string

	// Erased is the act that erases what the arrival brought, which comes in the
	// same batch or was here: the arrival is entered without its object (relay).
	Erased liaison.Hash
}

// erases reports whether an item brings no object but takes one away.
func (it *Item) erases() bool {
	return !it.Erases.IsZero() || it.Arrival != nil && !it.Arrival.Travels.Act.Erases.IsZero()
}

// Judge decides at the instant the act would be accepted. It runs under the
// collection's lock and must be quick and pure. earlier is what the
// owner of a revoked object released of it before; nil for any other object. ok
// false refuses.
type Judge func(at liaison.Instant, earlier *Earlier) (Ruling, bool)

// Ruling is what a judge puts into the act.
type Ruling struct {
	By, For  liaison.Party
	Under    liaison.Hash
	Label    stix.TLP
	Approved *liaison.Approval
	Consent  liaison.Hash
}

// Arrival is an act that came by relay, verified and decided by the desk.
type Arrival struct {
	Travels liaison.Travels
	Via     liaison.Via
	// Hops are those of Travels and the sender's own.
	Hops []liaison.Hop
}

// State is what became of an item.
type State uint8

// The states.
const (
	Appended   State = iota // a new leaf
	Duplicate               // it is here already: Index and Act are those of the first
	Refused                 // the judge said no
	Differs                 // first door: same id and version with other contents
	Absent                  // there is no act to erase
	ErasedHere              // without an act: Index and Act are those of what was erased
)

// Outcome says what became of an item.
type Outcome struct {
	State   State
	Kind    liaison.Kind
	Index   uint64
	Act     liaison.Hash
	Version string
	Added   liaison.Instant
	Gone    *Gone // what the item erased
}

type request struct {
	batch    *Batch
	ahead    []ahead // of each item
	ctx      context.Context
	outcomes []Outcome
	err      error
	left     bool // out of the transaction, because of err
	done     chan struct{}
}

// ahead is what is worked out before the transaction, while others are committed.
type ahead struct {
	same   uint64
	salt   liaison.Hash // with commit: of an act that will be made here; zero if Config.Salt says it
	commit liaison.Hash
}

func (j *Journal) lookAhead(it *Item) ahead {
	if it.Object == nil {
		return ahead{}
	}
	a := ahead{same: sameOf(it.Object)}
	if j.Salt == nil && it.Arrival == nil {
		a.salt = randomSalt()
		a.commit = liaison.Commit(a.salt, it.Object.Bytes())
	}
	return a
}

// Append commits a batch and returns one outcome per item. When it returns
// without error everything is durable.
//
// ErrStopped, ErrNoAnchor, store.ErrBroken and store.ErrFull say that the office
// cannot write; only after store.ErrBroken is the outcome unknown.
func (j *Journal) Append(ctx context.Context, b *Batch) ([]Outcome, error) {
	if err := j.stoppedErr(b.Collection); err != nil {
		return nil, err
	}
	r := &request{batch: b, ahead: make([]ahead, len(b.Items)), ctx: ctx, done: make(chan struct{})}
	for i := range b.Items {
		r.ahead[i] = j.lookAhead(&b.Items[i])
	}
	if err := j.submit(ctx, r); err != nil {
		return nil, err
	}
	<-r.done // once taken it runs to its end: the caller must learn the outcome
	return r.outcomes, r.err
}

// submit waits until a request is taken.
func (j *Journal) submit(ctx context.Context, r *request) error {
	j.waits(r.batch, 1) // until it is taken
	select {
	case j.requests <- r:
		return nil
	case <-ctx.Done():
		j.waits(r.batch, -1)
		return ctx.Err()
	case <-j.done:
		return ErrStopped
	}
}

// Run commits batches until ctx ends. Batches that wait while one transaction
// is committed share the next one (group commit; see group). After a commit whose outcome
// is unknown it takes no more; what reads goes on.
func (j *Journal) Run(ctx context.Context) error {
	err := j.run(ctx)
	close(j.done)
	if err != nil {
		j.Log.Error("a commit failed and whether it was written is unknown: the office writes nothing more and goes on reading; see to the disk, then restart the office", "err", err)
		<-ctx.Done()
	}
	return nil
}

func (j *Journal) run(ctx context.Context) error {
	var again <-chan time.Time // when marks that could not be written are tried again
	for {
		select {
		case <-j.marked:
			again = j.writeMarks(ctx)
		case <-again:
			again = j.writeMarks(ctx)
		case r := <-j.requests:
			j.waits(r.batch, -1)
			for r != nil {
				var err error
				if r, err = j.commitFrom(r); err != nil {
					if r != nil {
						err = j.commitOr(err, r)
					}
					return err
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// commitFrom commits a group that begins with a batch, and returns the one that
// was taken and comes after it, if there is one.
func (j *Journal) commitFrom(r *request) (next *request, err error) {
	g := j.gather(r)
	err = j.commit(g)
	j.expect(g)
	return g.next, err
}

// unbegun is an error of a transaction whose function did not run: it says
// nothing about the batches.
type unbegun struct{ error }

func (e unbegun) Unwrap() error { return e.error }

func isUnbegun(err error) bool { return errors.As(err, new(unbegun)) }

// commit runs a group in one transaction. If that fails without doubt about
// the outcome, each batch is tried on its own, so that one bad batch does not
// spoil the others. It returns an error only if the journal must stop.
func (j *Journal) commit(g *group) error {
	err := j.ready()
	if err == nil {
		err = j.transact(g)
	}
	if err != nil && len(g.requests) > 1 && !isUnbegun(err) && !errors.Is(err, store.ErrBroken) {
		return j.commitEach(g.requests)
	}
	for _, r := range g.requests {
		if !r.left {
			r.err = err
		}
		if r.err != nil {
			r.outcomes = nil
		}
	}
	j.sayTrouble(err)
	j.publish(g.requests)
	if errors.Is(err, store.ErrBroken) {
		return err
	}
	return nil
}

// commitEach tries batches one by one, as long as transactions begin.
func (j *Journal) commitEach(requests []*request) (stopped error) {
	var away error
	for _, r := range requests {
		if away != nil {
			r.outcomes, r.err = nil, away
			close(r.done)
			continue
		}
		stopped = j.commitOr(stopped, r)
		if isUnbegun(r.err) {
			away = r.err
		}
	}
	return stopped
}

// ready refuses to accept what could not be proved, or at an instant that is
// wrong.
func (j *Journal) ready() error {
	if err := j.checkClock(context.Background()); err != nil {
		return unbegun{err}
	}
	if err := j.Anchor.Ready(); err != nil {
		return unbegun{noAnchor(err)}
	}
	return nil
}

// troubles are what keeps an office from writing and ends by itself, as the
// operator is told.
var troubles = []struct {
	err         error
	begin, ends string
}{
	{store.ErrFull, "the disk is full: nothing is accepted until there is room; the office goes on reading and needs no restart", "there is room on the disk again"},
	{ErrNoAnchor, "the place of the checkpoints kept outside the store cannot be written: nothing is accepted until it can; the office goes on reading and needs no restart", "checkpoints can be kept outside the store again"},
	{ErrClock, "nothing is accepted until the clock is right; the office goes on reading", "the clock is right again"},
}

// sayTrouble tells the operator of a trouble when it begins and when it ends.
func (j *Journal) sayTrouble(err error) {
	for _, t := range troubles {
		switch is, was := errors.Is(err, t.err), j.trouble == t.err; {
		case is && !was:
			j.Log.Error(t.begin, "err", err)
			j.trouble = t.err
			return
		case is:
			return
		case was && err == nil:
			j.Log.Info(t.ends)
			j.trouble = nil
		}
	}
}

// commitOr commits a batch by itself, or tells it that the journal stopped
// before its turn.
func (j *Journal) commitOr(stopped error, r *request) error {
	if stopped == nil {
		return j.commit(&group{requests: []*request{r}})
	}
	r.outcomes, r.err = nil, ErrStopped
	close(r.done)
	return stopped
}

func (j *Journal) publish(group []*request) {
	for _, r := range group {
		if r.err == nil {
			if r.batch.After != nil {
				r.batch.After()
			}
			j.wake(r.batch.Collection)
			if slices.ContainsFunc(r.outcomes, func(o Outcome) bool { return o.Gone != nil }) {
				j.toScrub()
			}
			point.At("journal.published-not-answered")
		}
		close(r.done)
	}
}

func (j *Journal) transact(g *group) error {
	if err := j.claim(context.Background()); err != nil {
		return unbegun{err}
	}
	ids, began := g.collections(), false
	edges := map[liaison.CollectionID]*edge{}
	err := j.Store.Update(context.Background(), store.Lock{Collections: ids, Alone: g.alone()}, func(tx store.Tx) error {
		began = true
		return j.fill(tx, g, edges)
	})
	point.At("journal.committed-not-published")
	for _, c := range ids {
		delete(j.edges, c)
		if err == nil && edges[c] != nil {
			j.edges[c] = edges[c]
		}
	}
	if err != nil && !began {
		return unbegun{err}
	}
	return err
}

// fill writes a group in a transaction, and notes the new edges.
func (j *Journal) fill(tx store.Tx, g *group, edges map[liaison.CollectionID]*edge) error {
	f, err := readFence(tx)
	if err == nil && j.judges != nil {
		err = j.judges(tx, f.register)
	}
	if err != nil {
		return err
	}
	point.At("journal.begun")
	writers, err := j.write(tx, g, f)
	if err != nil {
		return err
	}
	for c, w := range writers {
		if edges[c], err = w.flush(); err != nil {
			return fmt.Errorf("collection %s: %w", c, err)
		}
	}
	point.At("journal.appended")
	if err := j.then(tx, g.requests); err != nil {
		return err
	}
	point.At("journal.before-commit")
	return nil
}

// write decides what the items of a group become; the group grows meanwhile.
func (j *Journal) write(tx store.Tx, g *group, f fence) (map[liaison.CollectionID]*writer, error) {
	writers := map[liaison.CollectionID]*writer{}
	for n := 0; n < len(g.requests) || g.grow(); n++ {
		r := g.requests[n]
		if r.err = j.admit(r.batch, f); r.err != nil {
			r.left = true
			continue
		}
		c := r.batch.Collection
		w, ok := writers[c]
		if !ok {
			var err error
			if w, err = j.newWriter(tx, c, f); err != nil {
				return nil, err
			}
			writers[c] = w
		}
		if err := w.prepare(r.batch.Items); err != nil {
			return nil, fmt.Errorf("collection %s: %w", c, err)
		}
		r.outcomes = make([]Outcome, len(r.batch.Items))
		for i := range r.batch.Items {
			o, err := w.add(&r.batch.Items[i], &r.ahead[i])
			if err != nil {
				return nil, fmt.Errorf("collection %s: item %d: %w", c, i, err)
			}
			r.outcomes[i] = o
		}
	}
	return writers, nil
}

// admit is why a batch is left out.
func (j *Journal) admit(b *Batch, f fence) error {
	if err := j.mayWrite(f, b.Collection); err != nil {
		return err
	}
	if b.Check != nil {
		return b.Check()
	}
	return nil
}

func (j *Journal) then(tx store.Tx, requests []*request) error {
	for _, r := range requests {
		if r.left {
			continue
		}
		if r.batch.Control {
			if err := raise(tx, r.batch.Collection, r.outcomes); err != nil {
				return err
			}
		}
		if r.batch.Then != nil {
			if err := r.batch.Then(tx, r.outcomes); err != nil {
				return err
			}
		}
	}
	return nil
}
