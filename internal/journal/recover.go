package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// What follows is the way back of a log that was stopped. Either neighbours
// return the entries that the store lost, up to the checkpoint that this office
// is known to have signed: then the log is as if nothing had happened (Rebuild,
// Resume). Or a person opens its next generation (Reopen).

// Doubt is a log in which nothing is accepted or signed.
type Doubt struct {
	Collection liaison.CollectionID
	Why        error
	Held       store.Position
	Known      ledger.Checkpoint // the last that this office is known to have signed; of size 0: none is
	Case       Case
}

// Case is what is wrong with a log.
type Case uint8

// The cases.
const (
	Broken     Case = iota // the store contradicts itself: nobody but a backup can help
	Behind                 // the store holds fewer entries than were signed, or an earlier generation
	Diverged               // it holds others than were signed
	Unanchored             // nothing is kept outside the store that could say
	Agreeing               // store and anchor agree
)

// Restored returns the mark of a restore while nobody has said what the store
// lacks; nil otherwise.
func (j *Journal) Restored() *store.Restore {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.restored
}

func (j *Journal) setRestored(mark *store.Restore) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.restored = mark; mark != nil {
		j.Log.Warn("the store was restored from a backup: nothing is accepted or signed until the neighbours have said what they know", "backup", mark.Backup.String())
	}
}

// Doubtful reports whether this process accepts or signs nothing in some log.
func (j *Journal) Doubtful() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.restored != nil || len(j.stopped) > 0
}

// LookAgain takes in that another process has found out what a restored store
// lacks.
func (j *Journal) LookAgain(v store.View) error {
	if j.Restored() == nil {
		return nil
	}
	mark, err := store.RestoreMark(v)
	if err == nil && mark == nil {
		j.setRestored(nil)
	}
	return err
}

// Found removes the mark of a restore: what the store lacks is known, and the
// logs that lack something are stopped.
func (j *Journal) Found(ctx context.Context) error {
	err := j.Store.Update(ctx, store.Lock{Alone: true}, store.ForgetRestore)
	if err == nil {
		j.setRestored(nil)
	}
	return err
}

// Doubts lists the logs that are stopped, by collection.
func (j *Journal) Doubts(v store.View) (list []Doubt, err error) {
	stopped, err := j.foundAtFault(v)
	if err != nil || len(stopped) == 0 {
		return nil, err
	}
	kept, err := j.anchored()
	if err != nil {
		return nil, err
	}
	for c, why := range stopped {
		d := Doubt{Collection: c, Why: why}
		if d.Held, err = v.Position(c); err != nil {
			return nil, err
		}
		if errors.Is(why, ErrBehind) {
			if err = j.doubt(v, &d, kept[c]); err != nil {
				return nil, err
			}
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Doubt) int { return compareIDs(a.Collection, b.Collection) })
	return list, nil
}

// doubt says what is wrong with a log that does not agree with its anchor.
func (j *Journal) doubt(v store.View, d *Doubt, kept []uint32) error {
	a, err := j.readAnchor(d.Collection, kept)
	if err == nil {
		d.Known = a.Checkpoint
		err = j.anchorHolds(v, d.Collection, &a, true)
	}
	switch ahead := d.Known.Size > d.Held.Size || d.Known.Size > 0 && d.Known.Origin.Generation > max(d.Held.Generation, 1); {
	case err == nil:
		d.Case = Agreeing
	case !errors.Is(err, ErrBehind):
		return err
	case ahead:
		d.Case = Behind
	case d.Known.Size > 0 && d.Known.Origin.Generation == max(d.Held.Generation, 1):
		d.Case = Diverged
	default:
		d.Case = Unanchored
	}
	return nil
}

// Lost is an entry of this office's log that the store has no more, as a
// neighbour returned it and the desk verified it.
type Lost struct {
	Leaf    []byte           // canonical JSON
	Travels *liaison.Travels // of the act, with its way here in Hops; nil where the leaf names none
	Object  *stix.Object     // nil if it is gone
	Gone    string           // why; empty: an act erases it, or it has none
}

// Growth computes what the root of a log becomes with further leaves. It writes
// nothing.
type Growth struct {
	e *edge
	v store.View
	c liaison.CollectionID
}

// Grow begins with what a snapshot holds of a log.
func Grow(v store.View, c liaison.CollectionID) (*Growth, error) {
	pos, err := v.Position(c)
	return &Growth{&edge{size: pos.Size, hashes: map[int64]liaison.Hash{}}, v, c}, err
}

// Size returns how many leaves there are.
func (g *Growth) Size() uint64 { return g.e.size }

// Add adds the next leaf.
func (g *Growth) Add(leaf []byte) error {
	_, err := g.e.add(g.e.size, liaison.LeafHash(leaf), g.v, g.c)
	return err
}

// Root returns the root of the tree so far.
func (g *Growth) Root() (liaison.Hash, error) {
	h, err := tlog.TreeHash(int64(g.e.size), edgeReader{g.e, g.v, g.c})
	return liaison.Hash(h), err
}

// Signed returns the checkpoint of a note if this office signed it for a log of
// its own.
func (j *Journal) Signed(note string) (ledger.Checkpoint, bool) {
	cp, _, err := ledger.OpenCheckpoint(note, j.logKeys())
	return cp, err == nil && cp.Origin.Office == j.Office
}

// Rebuild appends entries that a stopped log has lost, as they were, from the
// index where the store ends. Control says that judges ask what is in them
// (Batch.Control). Then runs in the same transaction. The caller has made sure that
// with them the log has a root that this office signed; it stays stopped until
// Resume. ErrMended: somebody else was quicker.
func (j *Journal) Rebuild(ctx context.Context, c liaison.CollectionID, from uint64, lost []Lost, control bool, then func(store.Tx, []Outcome) error) error {
	if err := j.mayMend(ctx); err != nil {
		return err
	}
	erased := false
	err := j.Store.Update(ctx, store.Lock{Collections: []liaison.CollectionID{c}, Alone: true}, func(tx store.Tx) error {
		w, err := j.newRebuilder(tx, c)
		if err != nil {
			return err
		}
		if w.pos.Size != from {
			return fmt.Errorf("%w: it holds %d entries, not %d", ErrMended, w.pos.Size, from)
		}
		outcomes := make([]Outcome, len(lost))
		for i := range lost {
			outcomes[i].Index = w.index()
			if outcomes[i].Gone, err = w.restore(&lost[i]); err != nil {
				return fmt.Errorf("collection %s index %d: %w", c, w.index(), err)
			}
		}
		if err := w.hashLeaves(); err != nil {
			return err
		}
		if err := w.append(); err != nil {
			return err
		}
		if control {
			if err := raise(tx, c, outcomes); err != nil {
				return err
			}
		}
		erased = len(w.list) > 0
		return then(tx, outcomes)
	})
	if erased {
		j.toScrub()
	}
	return err
}

// ErrMended says that somebody else mends a log at the same time, or has done so.
var ErrMended = errors.New("the log is not stopped any more, or another process mends it")

// mayMend is what comes before a stopped log is written to.
func (j *Journal) mayMend(ctx context.Context) error {
	if err := j.ready(); err != nil {
		return err
	}
	var owner liaison.Office
	err := j.Store.View(ctx, func(v store.View) (err error) {
		owner, err = j.ownerOf(v)
		return err
	})
	if err != nil || owner != "" {
		return err
	}
	return j.Store.Update(ctx, store.Lock{Alone: true}, j.claimIn)
}

// newRebuilder returns a writer whose edge is its own: the one that is remembered
// belongs to Run.
func (j *Journal) newRebuilder(tx store.Tx, c liaison.CollectionID) (*writer, error) {
	stopped, err := j.foundAtFault(tx)
	if err != nil {
		return nil, err
	}
	if stopped[c] == nil {
		return nil, ErrMended
	}
	pos, err := tx.Position(c)
	if err != nil {
		return nil, err
	}
	f, err := readFence(tx)
	if err != nil {
		return nil, err
	}
	w := &writer{
		j: j, tx: counting(tx), c: c, pos: pos, now: liaison.InstantOf(j.Now()),
		edge: &edge{size: pos.Size, hashes: map[int64]liaison.Hash{}}, hides: map[uint64]uint64{}, pending: newPending(),
		erasures: erasures{some: f.erased[c], gone: map[liaison.Hash]*Erased{}},
	}
	return w, tx.Put(bucketSigned, c.String(), []byte("1"))
}

// restore keeps an entry as it was for append. Which entries are out of sight, or
// erased, follows from the acts, as it did the first time.
func (w *writer) restore(l *Lost) (*Gone, error) {
	leaf, err := liaison.ParseLeaf(l.Leaf)
	if err != nil {
		return nil, err
	}
	e := &store.Entry{Index: w.index(), Added: leaf.Added, Kind: leaf.Kind, Leaf: l.Leaf, ActHash: leaf.Act}
	if l.Travels == nil {
		w.entries = append(w.entries, *e)
		return nil, nil
	}
	t := l.Travels
	e.Act, e.Batch, e.Consent = liaison.JCS(t.Act), liaison.JCS(t.Batch), t.Consent
	if leaf.Via != nil {
		e.Hops = liaison.JCS(t.Hops)
	}
	switch {
	case !t.Act.Erases.IsZero():
		return w.restoreErasure(e, &t.Act, leaf.Via)
	case l.Object == nil:
		gone := w.erase(e, Erased{Index: e.Index, Reason: l.Gone, At: leaf.Added})
		w.entries = append(w.entries, *e)
		return gone, nil
	}
	same := sameOf(l.Object)
	describe(e, l.Object, same, &t.Act)
	e.Salt = t.Salt
	related, err := w.related(l.Object, same)
	if err != nil {
		return nil, err
	}
	n := arrived{object: l.Object, act: &t.Act, related: related}
	w.put(e, n, w.newcomer(n.claim(e), related))
	return nil, nil
}

// restoreErasure keeps the leaf of an act that erases, and erases what it names.
func (w *writer) restoreErasure(e *store.Entry, act *liaison.Act, via *liaison.Via) (*Gone, error) {
	target, why, err := w.target(act.Erases)
	if err != nil {
		return nil, err
	}
	if target == nil {
		w.entries = append(w.entries, *e)
		return nil, nil
	}
	return w.keepErasure(target, why, act, e, via).Gone, nil
}

// Adopt makes a note of this office the anchor of a stopped log that has none;
// an empty note: that nothing is signed of it. Resume follows.
func (j *Journal) Adopt(ctx context.Context, c liaison.CollectionID, note string) error {
	return j.Store.View(ctx, func(v store.View) error {
		origin, err := j.Origin(v, c)
		if err != nil {
			return err
		}
		if cp, ok := j.Signed(note); ok && cp.Origin == origin {
			_, err = j.keep(origin, note)
			return err
		}
		return j.keepEmpty(origin)
	})
}

// keepEmpty anchors a log of which nothing is signed.
func (j *Journal) keepEmpty(origin liaison.Origin) error {
	root, err := tlog.TreeHash(0, nil)
	if err != nil {
		return err
	}
	_, err = j.keep(origin, j.Signer.SignCheckpoint(origin, ledger.Checkpoint{Origin: origin, Root: liaison.Hash(root)}.Text()))
	return err
}

// Resume reads a stopped log back, leaf by leaf, compares it with its anchor
// again, and lets it go on if they agree; otherwise the error is ErrBehind.
func (j *Journal) Resume(ctx context.Context, c liaison.CollectionID) error {
	err := j.Store.View(ctx, func(v store.View) error {
		pos, err := v.Position(c)
		if err == nil {
			err = verifyLeaves(v, c, 0, pos.Size)
		}
		if err != nil {
			return fmt.Errorf("collection %s: %w", c, err)
		}
		kept, err := j.anchored()
		if err != nil {
			return err
		}
		a, err := j.readAnchor(c, kept[c])
		if err == nil {
			err = j.anchorHolds(v, c, &a, true)
		}
		if err == nil {
			j.verifiedOf(c).reset(a.Checkpoint, a.note)
		}
		return err
	})
	if err != nil {
		return err
	}
	return j.resume(ctx, c)
}

// Reopened is a generation that was opened.
type Reopened struct {
	Origin liaison.Origin
	Index  uint64 // of the leaf that opens it
	Prev   liaison.Head
}

// Reopen opens the next generation of a stopped log: what the store holds stays,
// and the next leaf names the last checkpoint that this office is known to have
// signed. Its instant is later than after, so that who reads on from the lost
// part misses nothing of what comes.
func (j *Journal) Reopen(ctx context.Context, c liaison.CollectionID, after liaison.Instant) (r Reopened, err error) {
	if err := j.mayMend(ctx); err != nil {
		return r, err
	}
	err = j.Store.Update(ctx, store.Lock{Collections: []liaison.CollectionID{c}, Alone: true}, func(tx store.Tx) (err error) {
		r, err = j.open(tx, c, after)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("open the next generation of %s: %w", c, err)
	}
	j.verifiedOf(c).reset(ledger.Checkpoint{}, "")
	if err := j.resume(ctx, c); err != nil || j.Restored() != nil {
		return r, err
	}
	return r, j.View(ctx, func(v store.View) error { // every leaf is read back before it is signed
		_, err := j.Checkpoint(ctx, v, c, 0)
		return err
	})
}

func (j *Journal) open(tx store.Tx, c liaison.CollectionID, after liaison.Instant) (r Reopened, err error) {
	w, err := j.newRebuilder(tx, c)
	if err != nil {
		return r, err
	}
	if err := verifyLeaves(tx, c, 0, w.pos.Size); err != nil {
		return r, err
	}
	if r.Prev, err = j.lastKnown(tx, c, w.pos); err != nil {
		return r, err
	}
	r.Index, r.Origin = w.pos.Size, r.Prev.Origin
	r.Origin.Generation++
	w.pos.Added = max(w.pos.Added, after)
	at := w.next()
	leaf := liaison.JCS(liaison.Leaf{V: liaison.LeafVersion, Kind: liaison.KindOpened, Added: at, Prev: &r.Prev})
	w.entries = append(w.entries, store.Entry{Index: r.Index, Added: at, Kind: liaison.KindOpened, Leaf: leaf})
	if err := j.keepEmpty(r.Origin); err != nil {
		return r, err
	}
	if err := w.hashLeaves(); err != nil {
		return r, err
	}
	return r, w.append()
}

// lastKnown returns the last checkpoint that this office is known to have signed:
// its anchor, or else what the store holds.
func (j *Journal) lastKnown(v store.View, c liaison.CollectionID, pos store.Position) (h liaison.Head, err error) {
	kept, err := j.anchored()
	if err != nil {
		return h, err
	}
	a, err := j.readAnchor(c, kept[c])
	switch {
	case err != nil && !errors.Is(err, ErrBehind):
		return h, err
	case a.Size > 0 && a.Origin.Generation >= pos.Generation:
		return liaison.Head{Origin: a.Origin, Size: a.Size, Root: a.Root}, nil
	}
	if h.Origin, err = j.Origin(v, c); err != nil {
		return h, err
	}
	h.Size = pos.Size
	h.Root, err = Root(v, c, pos.Size)
	return h, err
}
