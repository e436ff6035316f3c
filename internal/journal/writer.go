package journal

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// writer appends to one collection within one transaction. Entries are kept
// until flush, because their batch is signed once, when all acts are known.
type writer struct {
	j    *Journal
	tx   changing
	c    liaison.CollectionID
	pos  store.Position
	now  liaison.Instant
	edge *edge

	entries []store.Entry
	acts    []liaison.Hash    // hashes of the acts accepted here, in log order
	actOf   []int             // their places in entries
	hides   map[uint64]uint64 // index -> by
	pending
	erasures
}

func (j *Journal) newWriter(tx store.Tx, c liaison.CollectionID, f fence) (*writer, error) {
	pos, err := tx.Position(c)
	if err != nil {
		return nil, err
	}
	if err := j.saw(pos.Added); err != nil { // another process may have written it
		return nil, err
	}
	return &writer{
		j: j, tx: counting(tx), c: c, pos: pos, now: liaison.InstantOf(j.Now()),
		edge: j.edgeAt(c, pos), hides: map[uint64]uint64{}, pending: newPending(),
		erasures: erasures{some: f.erased[c], gone: map[liaison.Hash]*Erased{}},
	}, nil
}

// next returns the instant of the next leaf: now, but later than the last.
func (w *writer) next() liaison.Instant {
	last := w.pos.Added
	if n := len(w.entries); n > 0 {
		last = w.entries[n-1].Added
	}
	return max(last+1, w.now)
}

func (w *writer) index() uint64 { return w.pos.Size + uint64(len(w.entries)) }

// add decides what an item becomes and keeps its entry for flush.
func (w *writer) add(it *Item, a *ahead) (Outcome, error) {
	if it.erases() {
		return w.addErasure(it)
	}
	if it.Arrival != nil {
		if o, here, err := w.erasedHere(it.Arrival.Travels.Act.Hash()); err != nil || here {
			return o, err
		}
		if it.Object == nil {
			return w.addEmpty(it.Arrival, it.Erased)
		}
	}
	related, err := w.related(it.Object, a.same)
	if err != nil {
		return Outcome{}, err
	}
	if it.Arrival != nil {
		return w.addArrival(it, a.same, related)
	}
	return w.addHere(it, a, related)
}

// prepare makes room for items and tells the store what will be looked for.
func (w *writer) prepare(items []Item) error {
	w.entries = slices.Grow(w.entries, len(items))
	p, able := w.tx.Tx.(store.Preparer)
	if !able || len(items) < 2 {
		return nil
	}
	ids := make([]string, 0, len(items))
	for i := range items {
		if o := items[i].Object; o != nil {
			ids = append(ids, string(o.ID()))
		}
	}
	return p.Prepare(w.c, ids)
}

func (w *writer) addHere(it *Item, a *ahead, related []known) (Outcome, error) {
	again, differs := false, (*known)(nil)
	for i, k := range related {
		own := k.act.Owner() == it.Owner
		switch {
		case !k.same:
		case !k.eq && (own || !it.Apart):
			differs = &related[i]
		case !k.eq: // somebody else's: the order of the acts decides, as by relay
		case own:
			return Outcome{State: Duplicate, Kind: k.Kind, Index: k.Index, Act: k.ActHash, Version: k.Version, Added: k.Added}, nil
		default:
			again = true
		}
	}
	if differs != nil {
		return Outcome{State: Differs, Index: differs.Index, Act: differs.ActHash, Version: differs.Version}, nil
	}
	earlier, err := w.earlier(it)
	if err != nil {
		return Outcome{}, err
	}
	at := w.next()
	ruling, ok := it.Judge(at, earlier)
	if !ok {
		return Outcome{State: Refused}, nil
	}
	salt, commit := a.salt, a.commit
	if w.j.Salt != nil {
		salt = w.j.Salt(w.c, w.index())
		commit = liaison.Commit(salt, it.Object.Bytes())
	}
	act := &liaison.Act{
		V: liaison.ActVersion, Office: w.j.Office, Collection: w.c, Commit: commit,
		By: ruling.By, For: ruling.For, Under: ruling.Under, Label: ruling.Label,
		Accepted: at, Approved: ruling.Approved, Consent: ruling.Consent,
	}
	e := w.entry(it.Object, a.same, at, act)
	e.Salt = salt
	w.acts = append(w.acts, e.ActHash)
	w.actOf = append(w.actOf, len(w.entries))
	return w.keep(e, arrived{object: it.Object, act: act, related: related, again: again}), nil
}

func (w *writer) addArrival(it *Item, same uint64, related []known) (Outcome, error) {
	a := it.Arrival
	hash := a.Travels.Act.Hash()
	again, differs := false, false
	for _, k := range related {
		switch {
		case k.ActHash == hash:
			return Outcome{State: Duplicate, Kind: k.Kind, Index: k.Index, Act: hash, Version: k.Version, Added: k.Added}, nil
		case k.same && !k.eq:
			differs = true
		case k.same:
			again = true
		}
	}
	e := w.entry(it.Object, same, w.next(), &a.Travels.Act)
	e.Salt = a.Travels.Salt
	e.Batch = liaison.JCS(a.Travels.Batch)
	e.Hops = liaison.JCS(a.Hops)
	e.Consent = a.Travels.Consent
	return w.keep(e, arrived{object: it.Object, act: &a.Travels.Act, via: &a.Via, related: related, again: again, differs: differs}), nil
}

func (w *writer) entry(o *stix.Object, same uint64, at liaison.Instant, act *liaison.Act) *store.Entry {
	raw := liaison.JCS(act)
	e := &store.Entry{Index: w.index(), Added: at, Act: raw, ActHash: liaison.LeafHash(raw)}
	describe(e, o, same, act)
	return e
}

// describe writes into an entry its object and what that is found by.
func describe(e *store.Entry, o *stix.Object, same uint64, act *liaison.Act) {
	e.ID, e.Type, e.Version, e.Same, e.Bytes = string(o.ID()), o.Type(), o.Version(), same, o.Bytes()
	if e.Version == "" {
		e.Version = act.Accepted.String()
	}
}

// arrived is what decides the kind of a new leaf.
type arrived struct {
	object  *stix.Object
	act     *liaison.Act
	via     *liaison.Via
	related []known // what writer.related returned
	again   bool    // equal contents of this version are here
	differs bool    // other contents of this version are here
}

// keep adds the leaf and notes which entries are superseded. An act for
// contents that are here is an again leaf, and out of sight; it is an object
// leaf if its own bytes are to be seen from now on.
func (w *writer) keep(e *store.Entry, n arrived) Outcome {
	inSight := w.newcomer(n.claim(e), n.related)
	switch {
	case n.differs:
		e.Kind = liaison.KindConflict
	case n.again && !inSight:
		e.Kind = liaison.KindAgain
	default:
		e.Kind = liaison.KindObject
	}
	e.Leaf = liaison.JCS(liaison.Leaf{V: liaison.LeafVersion, Kind: e.Kind, Act: e.ActHash, Added: e.Added, Via: n.via})
	w.put(e, n, inSight)
	return Outcome{State: Appended, Kind: e.Kind, Index: e.Index, Act: e.ActHash, Version: e.Version, Added: e.Added}
}

func (n *arrived) claim(e *store.Entry) *claim {
	return &claim{
		version: e.Version, versioned: n.object.Version() != "", accepted: n.act.Accepted,
		hash: e.ActHash, act: n.act, object: e.Bytes,
	}
}

// put notes which entries are superseded and keeps the new one for flush.
func (w *writer) put(e *store.Entry, n arrived, inSight bool) {
	w.supersede(e, n.claim(e), n.related, inSight)
	w.note(e, n, inSight)
	w.entries = append(w.entries, *e)
}

// flush signs the batch of the acts accepted here, computes the hashes each
// leaf completes and appends.
func (w *writer) flush() (*edge, error) {
	if len(w.entries) == 0 {
		w.edge.of = w.pos
		return w.edge, w.flushErasures()
	}
	if err := w.begin(); err != nil {
		return nil, err
	}
	var signed sync.WaitGroup
	signed.Go(w.signBatch) // it sets Batch of the entries, and hashLeaves Hashes
	err := w.hashLeaves()
	signed.Wait()
	if err != nil {
		return nil, err
	}
	if err := w.j.saw(w.entries[len(w.entries)-1].Added); err != nil {
		return nil, err
	}
	return w.edge, w.append()
}

// append writes the entries, and what they supersede.
func (w *writer) append() error {
	if err := w.tx.Append(w.c, w.entries); err != nil {
		return err
	}
	for _, index := range slices.Sorted(maps.Keys(w.hides)) {
		if err := w.tx.Hide(w.c, index, w.hides[index]); err != nil {
			return err
		}
	}
	if err := w.flushErasures(); err != nil {
		return err
	}
	return w.remember()
}

// remember notes where the log ends now.
func (w *writer) remember() (err error) {
	w.edge.of, err = w.tx.Position(w.c)
	return err
}

func (w *writer) hashLeaves() error {
	for i := range w.entries {
		e := &w.entries[i]
		hashes, err := w.edge.add(e.Index, liaison.LeafHash(e.Leaf), w.tx, w.c)
		if err != nil {
			return fmt.Errorf("index %d: %w", e.Index, err)
		}
		e.Hashes = hashes
	}
	return nil
}

// begin anchors a log before its first entry: with a checkpoint of size 0
// outside the store and a mark inside, a lost anchor can never go unnoticed.
func (w *writer) begin() error {
	if w.pos.Size > 0 {
		return nil
	}
	origin, err := w.j.Origin(w.tx, w.c)
	if err != nil {
		return err
	}
	if err := w.j.emptyAnchor(w.c); err != nil {
		return err
	}
	if err := w.j.keepEmpty(origin); err != nil {
		return err
	}
	point.At("journal.anchored-empty")
	return w.tx.Put(bucketSigned, w.c.String(), []byte("1"))
}

func (w *writer) signBatch() {
	if len(w.acts) == 0 {
		return
	}
	size := uint64(len(w.acts))
	root, paths := new(ledger.Range).Paths(w.acts)
	sig := w.j.Signer.SignAct(liaison.BatchText(w.j.Office, w.c, size, root))
	for i, at := range w.actOf {
		p := liaison.BatchProof{Index: uint64(i), Size: size, Path: paths[i], Sig: sig}
		w.entries[at].Batch = liaison.JCS(p)
	}
}
