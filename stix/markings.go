package stix

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrMarkingNotFound: a marking to be removed, or the markings to be cleared, are not there.
var ErrMarkingNotFound = errors.New("marking not found")

// AddMarkings puts further markings on the whole object. They are a set (STIX 2.1 §7.2.2),
// written sorted and each once, and read with [Object.MarkingRefs].
//
// Whatever changes markings makes a new version at the instant now, under the rules of
// [NewVersion]: for the creator only. A cyber-observable without versions is changed as it
// is: markings do not contribute to its id. What changes nothing returns o itself.
func AddMarkings(o *Object, now time.Time, refs ...ID) (*Object, error) {
	return o.withMarkings(now, slices.Concat(o.markings, refs))
}

// RemoveMarkings takes markings off the whole object, as a new version like [AddMarkings]. If one of them is not among its
// markings nothing happens, and the error is an [ErrMarkingNotFound]; an object without
// markings is returned as it is.
func RemoveMarkings(o *Object, now time.Time, refs ...ID) (*Object, error) {
	if len(o.markings) == 0 {
		return o, nil
	}
	there, gone := setOf(o.markings), setOf(refs)
	for _, ref := range refs {
		if !there[ref] {
			return nil, fmt.Errorf("remove from %s: %w: %s", o.id, ErrMarkingNotFound, quoteShort(string(ref)))
		}
	}
	left := slices.DeleteFunc(slices.Clone(o.markings), func(ref ID) bool { return gone[ref] })
	return o.withMarkings(now, left)
}

// SetMarkings replaces the markings of the whole object, as a new version like [AddMarkings].
func SetMarkings(o *Object, now time.Time, refs ...ID) (*Object, error) {
	return o.withMarkings(now, refs)
}

// ClearMarkings takes all markings off the whole object, as a new version like [AddMarkings].
func ClearMarkings(o *Object, now time.Time) (*Object, error) {
	return o.withMarkings(now, nil)
}

// withMarkings returns o with the markings given, as a set.
func (o *Object) withMarkings(now time.Time, refs []ID) (*Object, error) {
	wanted := sortedSet(refs)
	if slices.Equal(wanted, sortedSet(o.markings)) {
		return o, nil
	}
	return o.revised(now, Change{"object_marking_refs", quotedList(wanted)})
}

// revised makes a new version, or edits an observable that has none.
func (o *Object) revised(now time.Time, c Change) (*Object, error) {
	if o.sco && !o.versionable() {
		return Edit(o, c)
	}
	return NewVersion(o, now, c)
}

func setOf[T comparable](all []T) map[T]bool {
	set := make(map[T]bool, len(all))
	for _, one := range all {
		set[one] = true
	}
	return set
}

func sortedSet[T ~string](all []T) []T {
	set := slices.Clone(all)
	slices.Sort(set)
	return slices.Compact(set)
}

// quotedList returns a JSON array of strings, nil if there are none.
func quotedList[T ~string](all []T) jsontext.Value {
	if len(all) == 0 {
		return nil
	}
	b := []byte{'['}
	for i, s := range all {
		b = append(comma(b, i > 0), quoted(string(s))...)
	}
	return append(b, ']')
}
