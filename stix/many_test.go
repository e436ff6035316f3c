package stix_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison/stix"
)

// TestThousandsAreChangedAtOnce has as many members, markings and selectors as an object has
// room for.
func TestThousandsAreChangedAtOnce(t *testing.T) {
	const n = 5000
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	o := parse(t, identity(`"x_last":0`))
	changes := []stix.Change{{Name: "", Value: []byte("1")}}
	var names []string
	var refs []stix.ID
	var marks []stix.Mark
	for i := range n {
		names = append(names, fmt.Sprintf("x_%d.in", i))
		changes = append(changes, stix.Change{Name: fmt.Sprintf("x_%d", i), Value: []byte(`{"in":1}`)})
		if i >= stix.MaxMarkings {
			continue
		}
		refs = append(refs, stix.ID(fmt.Sprintf("marking-definition--00000000-0000-4000-8000-%012d", i)))
		marks = append(marks, stix.Mark{Ref: refs[i]})
	}
	o, err := stix.Edit(o, changes...)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := o.Property(""); !ok || strings.Count(string(o.Bytes()), `{"in":1}`) != n {
		t.Errorf("of %d changes some are not made", len(changes))
	}
	if o, err = stix.AddMarkings(o, now, refs...); err != nil {
		t.Fatal(err)
	}
	whole, err := stix.GranularMarks(o, names, stix.Reach{Inherited: true})
	if err != nil || !slices.Equal(whole, marks) {
		t.Errorf("%d marks of the whole, %v", len(whole), err)
	}
	if o, err = stix.RemoveMarkings(o, now, refs[1:]...); err != nil || !slices.Equal(o.MarkingRefs(), refs[:1]) {
		t.Errorf("%v, %v", o.MarkingRefs(), err)
	}
	if o, err = stix.AddGranular(o, now, names, marks[0]); err != nil {
		t.Fatal(err)
	}
	if got, err := stix.GranularMarks(o, []string{"x_7"}, stix.Reach{Descendants: true}); err != nil || !slices.Equal(got, marks[:1]) {
		t.Errorf("marks of parts: %v, %v", got, err)
	}
	if o, err = stix.ClearGranular(o, now, names[1:], stix.AnyMark); err != nil || len(o.Granular()) != 1 || !slices.Equal(o.Granular()[0].Selectors, names[:1]) {
		t.Errorf("one selector is left: %v", err)
	}
}

// TestReachIsThatOfItsDefinition compares with the definition, selector by selector.
func TestReachIsThatOfItsDefinition(t *testing.T) {
	const mark = "marking-definition--00000000-0000-4000-8000-000000000000"
	selectors := []string{"x_a", "x_a.b", "x_a.b.c", "x_a.b.c.d", "x_a.bc", "x_a.bc.d", "x_ab"}
	part := func(inner, outer string) bool { return strings.HasPrefix(inner, outer+".") }
	for _, marked := range append(selectors, "x_a.b.c.d.e.f") { // the last names nothing
		o := parse(t, identity(`"x_a":{"b":{"c":{"d":1}},"bc":{"d":1}},"x_ab":1,"granular_markings":[{"marking_ref":"`+mark+`","selectors":["`+marked+`"]}]`))
		for _, at := range selectors {
			for _, r := range []stix.Reach{{}, {Inherited: true}, {Descendants: true}, {Inherited: true, Descendants: true}} {
				want := at == marked || r.Inherited && part(at, marked) || r.Descendants && part(marked, at)
				if got, err := stix.IsMarked(o, []string{at}, r); err != nil || got != want {
					t.Errorf("mark at %s, asked at %s, %+v: %v %v", marked, at, r, got, err)
				}
			}
		}
	}
}
