package journal

import (
	"bytes"
	"slices"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// The acts for one object id have an order that is the same at every office
// (claim.beats). What is in sight has the bytes of the act that beats all
// others, whichever came first: so all offices converge. An entry comes into
// sight only when it is appended, at the newest leaf, and leaves it once.

// claim is what the order of acts depends on.
type claim struct {
	version   string // instant; of an object without one: accepted
	versioned bool
	accepted  liaison.Instant
	hash      liaison.Hash
	act       *liaison.Act
	object    []byte

	owned int8 // what mine found: 1 yes, -1 no
}

func (k *known) claim() *claim {
	return &claim{
		version: k.Version, versioned: k.versioned, accepted: k.act.Accepted,
		hash: k.ActHash, act: k.act, object: k.Bytes,
	}
}

// beats orders by version, as instants. Of one version the act wins whose
// party created the object, then the earliest; of objects without a version
// other contents are a later version, so the latest act wins.
func (a *claim) beats(b *claim) bool {
	if c, err := stix.CompareInstants(a.version, b.version); err == nil && c != 0 {
		return c > 0
	}
	if a.versioned != b.versioned {
		return a.versioned
	}
	if a.versioned {
		if mine, theirs := a.mine(), b.mine(); mine != theirs {
			return mine
		}
		if a.accepted != b.accepted {
			return a.accepted < b.accepted
		}
	}
	return bytes.Compare(a.hash[:], b.hash[:]) < 0
}

// mine reports whether the act's party is the creator of its object.
func (c *claim) mine() bool {
	if c.owned == 0 {
		if c.owned = -1; owns(c.act, c.object) {
			c.owned = 1
		}
	}
	return c.owned > 0
}

// owns reports whether an act's party is the creator of its object.
func owns(act *liaison.Act, object []byte) bool {
	o, err := stix.Parse(object, stix.DefaultLimits())
	if err != nil {
		return false
	}
	owner := o.CreatedByRef()
	return owner != "" && (owner == act.By || owner == act.For)
}

// newcomer decides whether a new act comes into sight: it beats all that are
// here, and is not the same bytes as what is in sight already.
func (w *writer) newcomer(c *claim, related []known) bool {
	shown := w.shown(related)
	if shown != nil && bytes.Equal(shown.Bytes, c.object) {
		return false
	}
	return !slices.ContainsFunc(related, func(k known) bool { return !c.beats(k.claim()) })
}

// supersede hides what is not to be seen. What lost to another act for its own
// version is hidden by that one, what is outdated by a later version: readers
// tell the two apart.
func (w *writer) supersede(e *store.Entry, c *claim, related []known, inSight bool) {
	shown := w.shown(related)
	rival := w.rival(c, related)
	switch {
	case shown == nil:
	case inSight:
		w.hide(shown.Index, e.Index)
		if rival != nil {
			w.hide(rival.Index, e.Index)
		}
	case rival != nil && !bytes.Equal(rival.Bytes, c.object) && w.beatsVersion(c, related):
		w.hide(rival.Index, e.Index)
		w.hide(e.Index, shown.Index)
	case rival != nil:
		w.hide(e.Index, rival.Index)
	default:
		w.hide(e.Index, equalTo(related, shown).Index)
	}
}

// equalTo returns an entry with the contents of the object in hand, of an object
// that does not say its version; without one, what is in sight.
func equalTo(related []known, shown *known) *known {
	for i := range related {
		if k := &related[i]; k.eq && !k.versioned {
			return k
		}
	}
	return shown
}

// rival returns the entry that stands for the version of c: the one that no
// other of that version hides.
func (w *writer) rival(c *claim, related []known) *known {
	for i := range related {
		k := &related[i]
		if k.Kind == liaison.KindAgain || !sameVersion(k.claim(), c) {
			continue
		}
		by, hidden := w.hidden(k)
		lost := hidden && slices.ContainsFunc(related, func(o known) bool {
			return o.Index == by && sameVersion(o.claim(), c)
		})
		if !lost {
			return k
		}
	}
	return nil
}

func sameVersion(a, b *claim) bool {
	c, err := stix.CompareInstants(a.version, b.version)
	return err == nil && c == 0 && a.versioned && b.versioned
}

// beatsVersion: among the acts for its own version c wins.
func (w *writer) beatsVersion(c *claim, related []known) bool {
	return !slices.ContainsFunc(related, func(k known) bool {
		return sameVersion(k.claim(), c) && !c.beats(k.claim())
	})
}

func (w *writer) hide(index, by uint64) { w.hides[index] = by }

// hidden returns what hides an entry, in the store or since.
func (w *writer) hidden(k *known) (by uint64, hidden bool) {
	if by, ok := w.hides[k.Index]; ok {
		return by, true
	}
	return k.By, k.Hidden
}

// shown returns the entry in sight before this one came.
func (w *writer) shown(related []known) *known {
	for i := range related {
		if _, hidden := w.hidden(&related[i]); !hidden {
			return &related[i]
		}
	}
	return nil
}
