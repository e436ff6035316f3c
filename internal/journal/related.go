package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// An object may have thousands of versions. What becomes of a new act depends
// on two of them only: its own, and the one in sight, which holds the act that
// beats all others.

// known is an entry of the object's id with what identity depends on.
type known struct {
	store.Entry
	act       *liaison.Act
	versioned bool // the object says its version
	same      bool // same version as the object in hand
	eq        bool // and equal contents
}

// sameOf returns the number by which a version of an object is found: of the
// instant, or of the contents of an object that does not say its version. Two
// versions may share a number; compare tells them apart.
func sameOf(o *stix.Object) uint64 {
	h := groupOf(o)
	return binary.BigEndian.Uint64(h[:])
}

// SameOf returns Entry.Same of an entry that is restored from a backup: it
// follows from the object. Of one that is damaged it is 0, and Check names it.
func SameOf(e *store.Entry) uint64 {
	o, err := stix.Parse(e.Bytes, stix.DefaultLimits())
	if err != nil {
		return 0
	}
	return sameOf(o)
}

// contents returns what equal objects have in common: JCS, or the bytes where
// numbers have none.
func contents(b []byte) []byte {
	if c, err := stix.Canonical(b); err == nil {
		return c
	}
	return b
}

// Equal compares the contents of objects, whatever their spelling.
func Equal(a, b []byte) bool { return equal(a, b) }

// equal compares contents.
func equal(a, b []byte) bool { return bytes.Equal(a, b) || bytes.Equal(contents(a), contents(b)) }

// pending finds entries that are kept until flush.
type pending struct {
	places  map[versionKey][]int // in writer.entries
	inSight map[string]int       // by object id: the place of the one in sight, if it is pending
	own     map[owned]*ownActs
}

// versionKey names a version of an object.
type versionKey struct {
	id   string
	same uint64
}

// owned names an object and a party that released it.
type owned struct {
	id    string
	owner liaison.Party
}

// ownActs are what a party released of an object.
type ownActs struct {
	earlier *Earlier   // nil until asked
	pending []released // not yet among them
}

func newPending() pending {
	return pending{map[versionKey][]int{}, map[string]int{}, map[owned]*ownActs{}}
}

// note adds the entry that is kept next.
func (w *writer) note(e *store.Entry, n arrived, inSight bool) {
	v, place := versionKey{e.ID, e.Same}, len(w.entries)
	w.places[v] = append(w.places[v], place)
	if inSight {
		w.inSight[e.ID] = place
	}
	r := owned{e.ID, n.act.Owner()}
	if w.own[r] == nil {
		w.own[r] = new(ownActs)
	}
	w.own[r].pending = append(w.own[r].pending, released{n.act, n.object.Bytes(), n.object.Revoked()})
}

// related loads the entries, stored and pending, of the object's version and of
// the version in sight.
func (w *writer) related(o *stix.Object, same uint64) ([]known, error) {
	shown, ok, err := w.versionInSight(string(o.ID()), same)
	if err != nil || !ok { // of what is here, one is in sight
		return nil, err
	}
	list, err := w.version(nil, o, same)
	if err != nil || shown == same {
		return list, err
	}
	return w.version(list, o, shown)
}

// version adds the entries of one version to a list.
func (w *writer) version(list []known, o *stix.Object, same uint64) ([]known, error) {
	take := func(e *store.Entry) error {
		if len(e.Bytes) == 0 || w.gone[e.ActHash] != nil {
			return nil
		}
		k, err := compare(e, o)
		if err == nil {
			list = append(list, k)
		}
		return err
	}
	id := string(o.ID())
	if err := w.tx.FindSame(w.c, id, same, store.Bytes|store.Proof, take); err != nil {
		return nil, err
	}
	for _, i := range w.places[versionKey{id, same}] {
		if err := take(&w.entries[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// versionInSight returns the number of the version in sight, if there is one;
// none where its bytes are gone.
func (w *writer) versionInSight(id string, none uint64) (same uint64, ok bool, err error) {
	if i, pending := w.inSight[id]; pending {
		return w.entries[i].Same, true, nil
	}
	err = w.tx.FindShown(w.c, id, store.Bytes, func(e *store.Entry) error {
		if same, ok = none, true; len(e.Bytes) == 0 {
			return nil
		}
		o, err := stix.Parse(bytes.Clone(e.Bytes), stix.DefaultLimits())
		if err != nil {
			return fmt.Errorf("stored object at index %d: %w", e.Index, err)
		}
		same = sameOf(o)
		return store.Stop
	})
	return same, ok, err
}

func compare(e *store.Entry, o *stix.Object) (known, error) {
	k := known{Entry: *e}
	k.Bytes = bytes.Clone(e.Bytes)
	k.act = new(liaison.Act)
	if err := json.Unmarshal(e.Act, k.act); err != nil {
		return k, fmt.Errorf("stored act at index %d: %w", e.Index, err)
	}
	stored, err := stix.Parse(k.Bytes, stix.DefaultLimits())
	if err != nil {
		return k, fmt.Errorf("stored object at index %d: %w", e.Index, err)
	}
	k.versioned = stored.Version() != ""
	switch v := o.Version(); {
	case k.versioned != (v != ""):
	case v == "": // other contents are a later version, never a conflict
		k.eq = equal(k.Bytes, o.Bytes())
		k.same = k.eq
	default:
		c, err := stix.CompareInstants(e.Version, v)
		k.same = err == nil && c == 0
		k.eq = k.same && equal(k.Bytes, o.Bytes())
	}
	return k, nil
}

// earlier returns what the item's owner released of the object before, stored
// and pending; nil if the item withdraws nothing. The store is asked once in a
// transaction.
func (w *writer) earlier(it *Item) (*Earlier, error) {
	if !it.Object.Revoked() {
		return nil, nil
	}
	r := owned{string(it.Object.ID()), it.Owner}
	own, known := w.own[r]
	if !known {
		own = new(ownActs)
		w.own[r] = own
	}
	if own.earlier == nil {
		var err error
		if own.earlier, err = EarlierOf(w.tx, w.c, it.Object.ID(), it.Owner); err != nil {
			return nil, err
		}
	}
	for _, n := range own.pending {
		own.earlier.add(n)
	}
	own.pending = nil
	return own.earlier, nil
}
