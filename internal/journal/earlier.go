package journal

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// Earlier is what one party released of one object before: what decides whether
// it may withdraw it, and how. It depends on that party's acts alone.
type Earlier struct {
	list  []released                // by accepted
	label stix.TLP                  // the strictest
	kept  map[liaison.Hash]stix.TLP // of list, by what the versions say; nil until asked
}

type released struct {
	act     *liaison.Act
	object  []byte
	revoked bool
}

// EarlierOf returns what a party released of an object into a collection.
func EarlierOf(v store.View, c liaison.CollectionID, id stix.ID, owner liaison.Party) (*Earlier, error) {
	e := new(Earlier)
	var acts []*liaison.Act
	var places []uint64
	err := v.Find(c, string(id), store.Proof, func(s *store.Entry) error {
		act := new(liaison.Act)
		if len(s.Act) == 0 || s.Kind == liaison.KindErasure {
			return nil
		}
		if err := json.Unmarshal(s.Act, act); err != nil {
			return fmt.Errorf("stored act at index %d: %w", s.Index, err)
		}
		if act.Owner() == owner {
			acts, places = append(acts, act), append(places, s.Index)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		err := v.Range(c, place, place+1, store.Bytes, func(s *store.Entry) error { return e.load(acts[i], s) })
		if err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *Earlier) load(act *liaison.Act, s *store.Entry) error {
	if len(s.Bytes) == 0 {
		e.add(released{act: act}) // erased: it was released all the same
		return nil
	}
	o, err := stix.Parse(slices.Clone(s.Bytes), stix.DefaultLimits())
	if err != nil {
		return fmt.Errorf("stored object at index %d: %w", s.Index, err)
	}
	e.Add(act, o)
	return nil
}

// Add adds a version that is released with an act.
func (e *Earlier) Add(act *liaison.Act, o *stix.Object) {
	e.add(released{act, o.Bytes(), o.Revoked()})
}

func (e *Earlier) add(r released) {
	i := e.search(r.act.Accepted)
	e.list = slices.Insert(e.list, i, r)
	if e.label = max(e.label, r.act.Label); e.kept != nil {
		e.keep(r)
	}
}

// Released returns the strictest level with which the party released the
// object; Unmarked: it has not.
func (e *Earlier) Released() stix.TLP { return e.label }

// search returns the place of the first act not accepted before an instant.
func (e *Earlier) search(at liaison.Instant) int {
	i, _ := slices.BinarySearchFunc(e.list, at, func(r released, at liaison.Instant) int { return cmp.Compare(r.act.Accepted, at) })
	return i
}

// Latest returns the last act accepted before an instant, and whether it
// withdrew the object; nil if there is none.
func (e *Earlier) Latest(before liaison.Instant) (act *liaison.Act, revoked bool) {
	i := e.search(before)
	if i == 0 {
		return nil, false
	}
	return e.list[i-1].act, e.list[i-1].revoked
}

// Kept returns the strictest level with which the party released what the
// object says; Unmarked: it has not. Two versions say the same if their
// contents are equal but for revoked, modified and TLP markings. The other
// markings are the same too, or gone.
func (e *Earlier) Kept(o *stix.Object) stix.TLP {
	if e.kept == nil {
		e.kept = map[liaison.Hash]stix.TLP{}
		for _, r := range e.list {
			e.keep(r)
		}
	}
	said, ok := says(o.Bytes(), true)
	if !ok {
		return stix.Unmarked
	}
	return e.kept[said]
}

func (e *Earlier) keep(r released) {
	for _, markings := range []bool{true, false} {
		if said, ok := says(r.object, markings); ok {
			e.kept[said] = max(e.kept[said], r.act.Label)
		}
	}
}

// says hashes what versions that say the same have in common, with or without
// the markings that are no TLP.
func says(object []byte, markings bool) (liaison.Hash, bool) {
	var members map[string]jsontext.Value
	if json.Unmarshal(object, &members) != nil {
		return liaison.Hash{}, false
	}
	delete(members, "revoked")
	delete(members, "modified")
	if !markings {
		delete(members, "object_marking_refs")
		delete(members, "granular_markings")
	} else if !cutTLP(members) {
		return liaison.Hash{}, false
	}
	b, err := json.Marshal(members, json.Deterministic(true))
	return liaison.H(contents(b)), err == nil
}

// cutTLP takes the TLP markings out of object_marking_refs.
func cutTLP(members map[string]jsontext.Value) bool {
	raw, ok := members["object_marking_refs"]
	if !ok {
		return true
	}
	var refs []stix.ID
	if json.Unmarshal(raw, &refs) != nil {
		return false
	}
	refs = slices.DeleteFunc(refs, stix.IsTLP)
	slices.Sort(refs)
	delete(members, "object_marking_refs")
	if len(refs) > 0 {
		members["object_marking_refs"] = liaison.JCS(refs)
	}
	return true
}
