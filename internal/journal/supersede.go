package journal

import (
	"bytes"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// supersede keeps exactly one entry per object id in sight: the greatest
// version, and among several acts with different contents for one version the
// winner. An again leaf is never seen.
func (w *writer) supersede(e *store.Entry, act *liaison.Act, same []known) {
	shown := w.shown(same)
	switch {
	case shown == nil:
		return
	case e.Kind == liaison.KindAgain, !w.wins(e, act, shown):
		w.hide(e.Index, shown.Index)
	default:
		w.hide(shown.Index, e.Index)
	}
}

func (w *writer) hide(index, by uint64) { w.hides = append(w.hides, [2]uint64{index, by}) }

// shown returns the entry in sight before this one came.
func (w *writer) shown(same []known) *known {
	for i := range same {
		k := &same[i]
		hidden := k.Hidden
		for _, h := range w.hides {
			hidden = hidden || h[0] == k.Index
		}
		if !hidden {
			return k
		}
	}
	return nil
}

// wins compares the new entry with the one in sight: by version, then by
// whose act it is, then by (accepted, act hash), so that all offices agree.
func (w *writer) wins(e *store.Entry, act *liaison.Act, shown *known) bool {
	if c, err := stix.CompareInstants(e.Version, shown.Version); err == nil && c != 0 {
		return c > 0
	}
	mine, theirs := owns(act, e.Bytes), owns(shown.act, shown.Bytes)
	if mine != theirs {
		return mine
	}
	if act.Accepted != shown.act.Accepted {
		return act.Accepted < shown.act.Accepted
	}
	return bytes.Compare(e.ActHash[:], shown.ActHash[:]) < 0
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
