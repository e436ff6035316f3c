package stix

import (
	"cmp"
	"slices"
	"strings"
)

// References finds what the objects of one body refer to and the body does not hold. The
// zero value is ready. What is never missing is as [ClosureOf] has it. Memory is bounded:
// see [References.Missing].
type References struct {
	held     map[digest]struct{}
	wanted   map[digest]*Missing // not held so far
	overflow bool
}

// Bounds of [References].
const (
	maxWanted = 1 << 18
	maxFrom   = 3
)

// Add takes an object in.
func (r *References) Add(o *Object) {
	if r.held == nil {
		r.held, r.wanted = map[digest]struct{}{}, map[digest]*Missing{}
	}
	if len(r.held) >= maxGathered || len(r.wanted) >= maxWanted {
		r.overflow, r.wanted = true, nil
	}
	if r.overflow {
		return
	}
	d := digestOf(string(o.id))
	r.held[d] = struct{}{}
	delete(r.wanted, d)
	for _, id := range o.Refs() {
		r.want(o.id, id)
	}
}

func (r *References) want(from, id ID) {
	d := digestOf(string(id))
	if _, ok := r.held[d]; ok || IsTLP(id) {
		return
	}
	m := r.wanted[d]
	if m == nil {
		m = &Missing{ID: ID(strings.Clone(string(id)))} // not to keep the object
		r.wanted[d] = m
	}
	if len(m.From) < maxFrom {
		m.From = append(m.From, ID(strings.Clone(string(from))))
	}
}

// Missing returns, sorted by id, what is referred to and was not added, with the first three
// objects that refer to it. ok is false if there were too many objects (2,097,152) or open
// references (262,144) to tell.
func (r *References) Missing() (missing []Missing, ok bool) {
	for _, m := range r.wanted {
		missing = append(missing, *m)
	}
	slices.SortFunc(missing, func(a, b Missing) int { return cmp.Compare(a.ID, b.ID) })
	return missing, !r.overflow
}
