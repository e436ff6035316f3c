package journal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// Erasure. The entry of an erased act keeps leaf, act and proofs, and loses what
// it was. An act that erases has a leaf of its own; what the operator erases here
// alone has none, and only Erased says so. Other acts for the object stand, and
// what is in sight follows from them as if the erased one had never been.

// bucketErased keeps why an entry is erased: <collection>/<act>.
const bucketErased = "erased"

// prefixErased marks, in bucketFence, the collections in which something is
// erased: in all others nobody asks.
const prefixErased = "erased/" // <collection>

// Erased says why the entry of an act is erased.
type Erased struct {
	Index  uint64          `json:"index"`           // of the entry
	By     liaison.Hash    `json:"by,omitzero"`     // the act that erases it; zero: the operator, here alone
	Reason string          `json:"reason,omitzero"` // the operator's
	At     liaison.Instant `json:"at"`
}

// Gone names what an item erased: where else it was known, it is to be forgotten.
type Gone struct {
	Act         liaison.Hash
	ID, Version string // empty if the entry was erased before
}

// ErasedBy returns why the entry of an act is erased, and whether it is.
func ErasedBy(v store.View, c liaison.CollectionID, act liaison.Hash) (e Erased, ok bool, err error) {
	raw, ok, err := v.State(bucketErased, erasedKey(c, act))
	if err != nil || !ok {
		return e, false, err
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, false, fmt.Errorf("state %s/%s: %w", bucketErased, erasedKey(c, act), err)
	}
	return e, true, nil
}

func erasedKey(c liaison.CollectionID, act liaison.Hash) string {
	return c.String() + "/" + act.String()
}

// ActIn returns the entry by which a collection took in an act with an object,
// and the act; nil if it did not.
func ActIn(v store.View, c liaison.CollectionID, act liaison.Hash) (e *store.Entry, a *liaison.Act, err error) {
	err = v.FindAct(c, act, store.Proof, func(found *store.Entry) (err error) {
		if !takesIn(found) {
			return nil
		}
		if a, err = liaison.ParseAct(slices.Clone(found.Act)); err != nil {
			return fmt.Errorf("stored act at index %d: %w", found.Index, err)
		}
		e = &store.Entry{Index: found.Index, Added: found.Added, Kind: found.Kind, ID: found.ID, Version: found.Version, Erased: found.Erased, ActHash: found.ActHash}
		return store.Stop
	})
	return e, a, err
}

func takesIn(e *store.Entry) bool {
	return e.Kind == liaison.KindObject || e.Kind == liaison.KindAgain || e.Kind == liaison.KindConflict
}

// erasures are what a transaction erases when everything is appended.
type erasures struct {
	some bool                     // something is erased in the collection already
	gone map[liaison.Hash]*Erased // by the act that is erased
	list []liaison.Hash           // in the order of the items
	ids  []string                 // of the objects
}

// target is the entry, stored or kept until flush, of an act that is to be
// erased.
func (w *writer) target(act liaison.Hash) (*store.Entry, *Erased, error) {
	e, _, err := ActIn(w.tx, w.c, act)
	if err != nil {
		return nil, nil, err
	}
	for i := range w.entries {
		if w.entries[i].ActHash == act && takesIn(&w.entries[i]) {
			e = &w.entries[i]
		}
	}
	if e == nil {
		return nil, nil, nil
	}
	if why := w.gone[act]; why != nil {
		return e, why, nil
	}
	why, ok, err := ErasedBy(w.tx, w.c, act)
	if err != nil || !ok {
		return e, nil, err
	}
	return e, &why, nil
}

// erase notes what is erased at flush.
func (w *writer) erase(e *store.Entry, why Erased) *Gone {
	g := &Gone{Act: e.ActHash, ID: e.ID, Version: e.Version}
	if w.gone[e.ActHash] == nil {
		w.list = append(w.list, e.ActHash)
	}
	w.gone[e.ActHash] = &why
	if e.ID != "" && !slices.Contains(w.ids, e.ID) {
		w.ids = append(w.ids, e.ID)
	}
	return g
}

// addErasure adds an act that erases, or what the operator erases.
func (w *writer) addErasure(it *Item) (Outcome, error) {
	if it.Arrival != nil {
		return w.addErasureArrived(it.Arrival)
	}
	e, why, err := w.target(it.Erases)
	switch {
	case err != nil:
		return Outcome{}, err
	case e == nil:
		return Outcome{State: Absent}, nil
	case it.Judge == nil && why != nil:
		return Outcome{State: Duplicate, Kind: e.Kind, Index: e.Index, Act: it.Erases}, nil
	case it.Judge == nil:
		gone := w.erase(e, Erased{Index: e.Index, Reason: it.Reason, At: w.now})
		return Outcome{State: ErasedHere, Kind: e.Kind, Index: e.Index, Act: it.Erases, Gone: gone}, nil
	case why != nil && !why.By.IsZero():
		return w.erasedBefore(why.By)
	}
	at := w.next()
	ruling, ok := it.Judge(at, nil)
	if !ok {
		return Outcome{State: Refused}, nil
	}
	act := &liaison.Act{
		V: liaison.ActVersion, Office: w.j.Office, Collection: w.c, Erases: it.Erases,
		By: ruling.By, For: ruling.For, Under: ruling.Under, Accepted: at,
	}
	w.acts = append(w.acts, act.Hash())
	w.actOf = append(w.actOf, len(w.entries))
	return w.keepErasure(e, why, act, &store.Entry{Added: at}, nil), nil
}

// erasedBefore is the outcome of an erasure that an act has done already.
func (w *writer) erasedBefore(by liaison.Hash) (o Outcome, err error) {
	o = Outcome{State: Duplicate, Kind: liaison.KindErasure, Act: by}
	found := func(e *store.Entry) error {
		o.Index, o.Added = e.Index, e.Added
		return nil
	}
	for i := range w.entries {
		if w.entries[i].ActHash == by {
			return o, found(&w.entries[i])
		}
	}
	return o, w.tx.FindAct(w.c, by, store.Meta, found)
}

func (w *writer) addErasureArrived(a *Arrival) (Outcome, error) {
	act := &a.Travels.Act
	hash, here := act.Hash(), false
	o := Outcome{State: Duplicate, Kind: liaison.KindErasure, Act: hash}
	known := func(e *store.Entry) error {
		o.Index, o.Added, here = e.Index, e.Added, true
		return nil
	}
	for i := range w.entries {
		if w.entries[i].ActHash == hash {
			return o, known(&w.entries[i])
		}
	}
	if err := w.tx.FindAct(w.c, hash, store.Meta, known); err != nil || here {
		return o, err
	}
	e, why, err := w.target(act.Erases)
	if err != nil || e == nil {
		return Outcome{State: Absent}, err
	}
	return w.keepErasure(e, why, act, &store.Entry{
		Added: w.next(), Batch: liaison.JCS(a.Travels.Batch), Hops: liaison.JCS(a.Hops),
	}, &a.Via), nil
}

// keepErasure adds the leaf of an act that erases an entry. Of several the first
// is the one that did; the operator's reason stays.
func (w *writer) keepErasure(target *store.Entry, why *Erased, act *liaison.Act, e *store.Entry, via *liaison.Via) Outcome {
	e.Index, e.Kind, e.Act = w.index(), liaison.KindErasure, liaison.JCS(act)
	e.ActHash = liaison.LeafHash(e.Act)
	e.Leaf = liaison.JCS(liaison.Leaf{V: liaison.LeafVersion, Kind: e.Kind, Act: e.ActHash, Added: e.Added, Via: via})
	now := Erased{Index: target.Index, By: e.ActHash, At: e.Added}
	if why != nil {
		now.Reason = why.Reason
		if !why.By.IsZero() {
			now = *why
		}
	}
	gone := w.erase(target, now)
	w.entries = append(w.entries, *e)
	return Outcome{State: Appended, Kind: e.Kind, Index: e.Index, Act: e.ActHash, Added: e.Added, Gone: gone}
}

// addEmpty adds an act that came by relay, without its object: it was erased, by
// an act that is here too.
func (w *writer) addEmpty(a *Arrival, by liaison.Hash) (Outcome, error) {
	act := &a.Travels.Act
	hash := act.Hash()
	e, _, err := w.target(hash)
	switch {
	case err != nil:
		return Outcome{}, err
	case e != nil:
		return Outcome{State: Duplicate, Kind: e.Kind, Index: e.Index, Act: hash, Added: e.Added}, nil
	case by.IsZero():
		return Outcome{}, fmt.Errorf("act %s came without an object, and nothing erases it", hash)
	}
	e = &store.Entry{
		Index: w.index(), Added: w.next(), Kind: liaison.KindObject, Act: liaison.JCS(act), ActHash: hash,
		Batch: liaison.JCS(a.Travels.Batch), Hops: liaison.JCS(a.Hops), Consent: a.Travels.Consent,
	}
	e.Leaf = liaison.JCS(liaison.Leaf{V: liaison.LeafVersion, Kind: e.Kind, Act: hash, Added: e.Added, Via: &a.Via})
	w.erase(e, Erased{Index: e.Index, By: by, At: e.Added})
	w.entries = append(w.entries, *e)
	return Outcome{State: Appended, Kind: e.Kind, Index: e.Index, Act: hash, Added: e.Added}, nil
}

// erasedHere finds an act that came by relay and is erased here. The acts of
// objects are found by their object; it has none any more.
func (w *writer) erasedHere(act liaison.Hash) (o Outcome, here bool, err error) {
	if !w.some {
		return o, false, nil
	}
	why, here, err := ErasedBy(w.tx, w.c, act)
	return Outcome{State: Duplicate, Index: why.Index, Act: act}, here, err
}

// flushErasures erases when everything is appended.
func (w *writer) flushErasures() error {
	for _, act := range w.list {
		why := w.gone[act]
		if err := errors.Join(w.tx.Erase(w.c, why.Index), w.tx.Put(bucketErased, erasedKey(w.c, act), marshal(why))); err != nil {
			return err
		}
	}
	if len(w.list) > 0 && !w.some {
		if err := w.tx.Put(bucketFence, prefixErased+w.c.String(), []byte("1")); err != nil {
			return err
		}
	}
	if len(w.list) > 0 {
		point.At("journal.erased-not-committed")
	}
	for _, id := range w.ids {
		if err := w.rearrange(id); err != nil {
			return fmt.Errorf("arrange %.80q: %w", id, err)
		}
	}
	return nil
}

// marshal encodes one of the journal's own records.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("journal: encode %T: %v", v, err))
	}
	return b
}

// standing is a living entry of an object, with what its place depends on.
type standing struct {
	claim
	index  uint64
	by     uint64
	hidden bool
	group  liaison.Hash // what entries of one version have in common
	bytes  liaison.Hash
}

// rearrange puts the living entries of an object into the order they would have
// if the erased ones had never been: in sight are the bytes of the act that beats
// all others, and of each version the act that beats the others of that version
// stands for it. What stands already stays: an entry moves only if what it stood
// behind is gone.
func (w *writer) rearrange(id string) error {
	living, err := w.living(id)
	if err != nil || len(living) == 0 {
		return err
	}
	shown := choose(living, func(s *standing) bool { return !s.hidden })
	groups := map[liaison.Hash][]*standing{}
	for _, s := range living {
		groups[s.group] = append(groups[s.group], s)
	}
	at := map[uint64]*standing{}
	for _, s := range living {
		at[s.index] = s
	}
	for _, group := range groups {
		stands := shown
		if shown.group != group[0].group {
			stands = choose(group, func(s *standing) bool {
				by := at[s.by]
				return s.hidden && (by == nil || by.group != s.group)
			})
		}
		for _, s := range group {
			if err := w.place(s, stands, shown, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// choose returns the one that beats all others, or one that stands already with
// the same bytes.
func choose(list []*standing, stands func(*standing) bool) *standing {
	best := list[0]
	for _, s := range list[1:] {
		if s.beats(&best.claim) {
			best = s
		}
	}
	for _, s := range list {
		if stands(s) && s.bytes == best.bytes {
			return s
		}
	}
	return best
}

// place hides an entry behind the one that stands for its version, this one
// behind the one in sight, and nothing hides that.
func (w *writer) place(s, stands, shown *standing, at map[uint64]*standing) error {
	by := at[s.by]
	switch {
	case s == shown && !s.hidden, s != shown && s.hidden && by != nil && by != s && (s == stands) == (by.group != s.group):
		return nil
	case s == shown:
		return w.tx.Show(w.c, s.index)
	case s == stands:
		return w.tx.Hide(w.c, s.index, shown.index)
	}
	return w.tx.Hide(w.c, s.index, stands.index)
}

func (w *writer) living(id string) (list []*standing, err error) {
	err = w.tx.Find(w.c, id, store.Bytes|store.Proof, func(e *store.Entry) error {
		if !takesIn(e) || len(e.Bytes) == 0 {
			return nil
		}
		o, err := stix.Parse(slices.Clone(e.Bytes), stix.DefaultLimits())
		if err != nil {
			return fmt.Errorf("stored object at index %d: %w", e.Index, err)
		}
		act, err := liaison.ParseAct(slices.Clone(e.Act))
		if err != nil {
			return fmt.Errorf("stored act at index %d: %w", e.Index, err)
		}
		s := &standing{index: e.Index, by: e.By, hidden: e.Hidden, bytes: liaison.H(e.Bytes)}
		s.claim = claim{version: e.Version, versioned: o.Version() != "", accepted: act.Accepted, hash: e.ActHash, act: act, object: o.Bytes()}
		s.mine()
		s.object, s.group = nil, groupOf(o)
		list = append(list, s)
		return nil
	})
	return list, err
}

// groupOf: of objects that do not say their version, equal contents are one.
func groupOf(o *stix.Object) liaison.Hash {
	if key, err := stix.InstantKey(o.Version()); err == nil {
		return liaison.H([]byte("version "), []byte(key))
	}
	return liaison.H([]byte("contents "), contents(o.Bytes()))
}
