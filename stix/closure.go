package stix

// A Closure is what some objects refer to, directly or through others.
type Closure struct {
	Objects []*Object // the objects asked for, then what they refer to: nearer ones first
	Missing []Missing // in the order in which they were met
}

// A Missing object is referred to and not there.
type Missing struct {
	ID   ID
	From []ID // who refers to it, in the order met; none if it was asked for itself
}

// ClosureOf follows the references of the objects with the ids, in the order of [Object.Refs],
// as far as set goes. Of several versions of an object the newest counts, and of the same
// version the first. Cycles are followed once. The order depends on nothing but ids and the
// references as written.
//
// The definitions of TLP are never missing: they mean the same everywhere. The definition of
// an extension that an object uses belongs to the closure if it is in set, and is not
// missing if it is not: the object can be read without it.
func ClosureOf(set []*Object, ids ...ID) Closure {
	w := closureWalk{byID: newest(set), seen: map[ID]bool{}, missing: map[ID]int{}}
	for _, id := range ids {
		w.visit("", id)
	}
	for i := 0; i < len(w.found.Objects); i++ {
		o := w.found.Objects[i]
		for _, id := range o.Refs() {
			w.visit(o.id, id)
		}
		for _, id := range o.extensionIDs() {
			if w.byID[id] != nil {
				w.visit(o.id, id)
			}
		}
	}
	return w.found
}

// newest finds objects by id.
func newest(set []*Object) map[ID]*Object {
	byID := make(map[ID]*Object, len(set))
	for _, o := range set {
		if other := byID[o.id]; other == nil || o.isNewerThan(other) {
			byID[o.id] = o
		}
	}
	return byID
}

// isNewerThan compares versions; an object without one is the oldest.
func (o *Object) isNewerThan(other *Object) bool {
	if o.Version() == "" || other.Version() == "" {
		return other.Version() == "" && o.Version() != ""
	}
	order, err := CompareInstants(o.Version(), other.Version())
	return err == nil && order > 0
}

type closureWalk struct {
	byID    map[ID]*Object
	seen    map[ID]bool
	missing map[ID]int // index+1 in found.Missing
	found   Closure
}

// visit notes that from refers to id; from is empty for what was asked for.
func (w *closureWalk) visit(from, id ID) {
	if w.byID[id] == nil {
		w.miss(from, id)
		return
	}
	if !w.seen[id] {
		w.seen[id] = true
		w.found.Objects = append(w.found.Objects, w.byID[id])
	}
}

func (w *closureWalk) miss(from, id ID) {
	if IsTLP(id) {
		return
	}
	at := w.missing[id] - 1
	if at < 0 {
		at = len(w.found.Missing)
		w.missing[id] = at + 1
		w.found.Missing = append(w.found.Missing, Missing{ID: id})
	}
	m := &w.found.Missing[at]
	if n := len(m.From); from != "" && (n == 0 || m.From[n-1] != from) { // one object after the other
		m.From = append(m.From, from)
	}
}

// extensionIDs returns the ids of the definitions of the extensions that an object uses.
func (o *Object) extensionIDs() (ids []ID) {
	all, _ := o.Property("extensions")
	for key := range objectMembers(all) {
		if ID(key).Type() == "extension-definition" {
			ids = append(ids, ID(key))
		}
	}
	return ids
}
