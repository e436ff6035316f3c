package journal

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// writer appends to one collection within one transaction. Entries are kept
// until flush, because their batch is signed once, when all acts are known.
type writer struct {
	j    *Journal
	tx   store.Tx
	c    liaison.CollectionID
	pos  store.Position
	now  liaison.Instant
	edge *edge

	entries []store.Entry
	byID    map[string][]int // places in entries
	acts    []liaison.Hash   // hashes of the acts accepted here, in log order
	actOf   []int            // their places in entries
	hides   [][2]uint64      // index, by
}

func (j *Journal) newWriter(tx store.Tx, c liaison.CollectionID) (*writer, error) {
	pos, err := tx.Position(c)
	if err != nil {
		return nil, err
	}
	return &writer{
		j: j, tx: tx, c: c, pos: pos, now: liaison.InstantOf(j.Now()),
		edge: j.edgeAt(c, pos.Size), byID: map[string][]int{},
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
func (w *writer) add(it *Item) (Outcome, error) {
	same, err := w.sameObject(it.Object)
	if err != nil {
		return Outcome{}, err
	}
	if it.Arrival != nil {
		return w.addArrival(it, same)
	}
	return w.addHere(it, same)
}

// known is an entry of the object's id with what identity depends on.
type known struct {
	store.Entry
	act  *liaison.Act
	same bool // same version as the object in hand
	eq   bool // and equal contents
}

// sameObject loads the entries of the object's id, stored and pending.
func (w *writer) sameObject(o *stix.Object) ([]known, error) {
	var list []known
	take := func(e *store.Entry) error {
		if e.Kind == liaison.KindErasure || len(e.Bytes) == 0 {
			return nil
		}
		k, err := compare(e, o)
		if err == nil {
			list = append(list, k)
		}
		return err
	}
	if err := w.tx.Find(w.c, string(o.ID()), store.Bytes|store.Proof, take); err != nil {
		return nil, err
	}
	for _, i := range w.byID[string(o.ID())] {
		if err := take(&w.entries[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func compare(e *store.Entry, o *stix.Object) (known, error) {
	k := known{Entry: *e}
	k.Bytes = bytes.Clone(e.Bytes)
	k.act = new(liaison.Act)
	if err := json.Unmarshal(e.Act, k.act); err != nil {
		return k, fmt.Errorf("stored act at index %d: %w", e.Index, err)
	}
	k.eq = bytes.Equal(e.Bytes, o.Bytes()) || equalJCS(e.Bytes, o.Bytes())
	if v := o.Version(); v == "" {
		k.same = k.eq // other contents are a later version, never a conflict
	} else if c, err := stix.CompareInstants(e.Version, v); err == nil {
		k.same = c == 0
	}
	return k, nil
}

func equalJCS(a, b []byte) bool {
	ca, err1 := stix.Canonical(a)
	cb, err2 := stix.Canonical(b)
	return err1 == nil && err2 == nil && bytes.Equal(ca, cb)
}

func (w *writer) addHere(it *Item, same []known) (Outcome, error) {
	var first *liaison.Act
	kind := liaison.KindObject
	for _, k := range same {
		if first == nil {
			first = k.act
		}
		switch {
		case !k.same:
		case !k.eq:
			return Outcome{State: Differs, Index: k.Index, Act: k.ActHash, Version: k.Version}, nil
		case k.act.Owner() == it.Owner:
			return Outcome{State: Duplicate, Kind: k.Kind, Index: k.Index, Act: k.ActHash, Version: k.Version, Added: k.Added}, nil
		default:
			kind = liaison.KindAgain
		}
	}
	at := w.next()
	ruling, ok := it.Judge(at, first)
	if !ok {
		return Outcome{State: Refused}, nil
	}
	salt := w.j.Salt(w.c, w.index())
	act := &liaison.Act{
		V: liaison.ActVersion, Office: w.j.Office, Collection: w.c,
		Commit: liaison.Commit(salt, it.Object.Bytes()),
		By:     ruling.By, For: ruling.For, Under: ruling.Under, Label: ruling.Label,
		Accepted: at, Approved: ruling.Approved, Consent: ruling.Consent,
	}
	e := w.entry(it.Object, kind, at, act)
	e.Salt = salt
	w.acts = append(w.acts, e.ActHash)
	w.actOf = append(w.actOf, len(w.entries))
	return w.keep(e, act, same, nil), nil
}

func (w *writer) addArrival(it *Item, same []known) (Outcome, error) {
	a := it.Arrival
	hash := a.Travels.Act.Hash()
	kind := liaison.KindObject
	for _, k := range same {
		switch {
		case k.ActHash == hash:
			return Outcome{State: Duplicate, Kind: k.Kind, Index: k.Index, Act: hash, Version: k.Version, Added: k.Added}, nil
		case k.same && !k.eq:
			kind = liaison.KindConflict
		case k.same && kind == liaison.KindObject:
			kind = liaison.KindAgain
		}
	}
	e := w.entry(it.Object, kind, w.next(), &a.Travels.Act)
	e.Salt = a.Travels.Salt
	e.Batch = liaison.JCS(a.Travels.Batch)
	e.Hops = liaison.JCS(a.Hops)
	e.Consent = a.Travels.Consent
	return w.keep(e, &a.Travels.Act, same, &a.Via), nil
}

func (w *writer) entry(o *stix.Object, kind liaison.Kind, at liaison.Instant, act *liaison.Act) *store.Entry {
	raw := liaison.JCS(act)
	e := &store.Entry{
		Index: w.index(), Added: at, Kind: kind,
		ID: string(o.ID()), Type: o.Type(), Version: o.Version(),
		Bytes: o.Bytes(), Act: raw, ActHash: liaison.LeafHash(raw),
	}
	if e.Version == "" {
		e.Version = act.Accepted.String()
	}
	return e
}

// keep adds the leaf and notes which entries are superseded.
func (w *writer) keep(e *store.Entry, act *liaison.Act, same []known, via *liaison.Via) Outcome {
	e.Leaf = liaison.JCS(liaison.Leaf{V: liaison.LeafVersion, Kind: e.Kind, Act: e.ActHash, Added: e.Added, Via: via})
	w.supersede(e, act, same)
	w.byID[e.ID] = append(w.byID[e.ID], len(w.entries))
	w.entries = append(w.entries, *e)
	return Outcome{State: Appended, Kind: e.Kind, Index: e.Index, Act: e.ActHash, Version: e.Version, Added: e.Added}
}

// flush signs the batch of the acts accepted here, computes the hashes each
// leaf completes and appends.
func (w *writer) flush() (*edge, error) {
	if len(w.entries) == 0 {
		return w.edge, nil
	}
	if err := w.begin(); err != nil {
		return nil, err
	}
	w.signBatch()
	for i := range w.entries {
		e := &w.entries[i]
		hashes, err := w.edge.add(e.Index, liaison.LeafHash(e.Leaf), w.tx, w.c)
		if err != nil {
			return nil, fmt.Errorf("index %d: %w", e.Index, err)
		}
		e.Hashes = hashes
	}
	if err := w.tx.Append(w.c, w.entries); err != nil {
		return nil, err
	}
	for _, h := range w.hides {
		if err := w.tx.Hide(w.c, h[0], h[1]); err != nil {
			return nil, err
		}
	}
	return w.edge, nil
}

// begin anchors a log before its first entry: with a checkpoint of size 0
// outside the store and a mark inside, a lost anchor can never go unnoticed.
func (w *writer) begin() error {
	if w.pos.Size > 0 {
		return nil
	}
	root, err := Root(w.tx, w.c, 0)
	if err != nil {
		return err
	}
	origin := w.j.Origin(w.c)
	note := w.j.Signer.SignCheckpoint(origin, ledger.Checkpoint{Origin: origin, Root: root}.Text())
	if err := w.j.Anchor.Save(origin, note); err != nil {
		return fmt.Errorf("keep the first checkpoint: %w", err)
	}
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
