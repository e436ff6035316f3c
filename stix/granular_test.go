package stix_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

const granularBase = `{"type":"note","spec_version":"2.1","id":"note--` + uuid + `","created":"2026-01-02T03:04:05.000Z",` +
	`"modified":"2026-01-02T03:04:05.000Z","content":"a","labels":["b","c"],"x_more":{"labels":1,"lab":{"els":[2]}},"x_more2":3}`

var granularSelectors = []string{"content", "labels", "labels.[0]", "labels.[1]", "x_more", "x_more.lab", "x_more.labels", "x_more.lab.els", "x_more.lab.els.[0]", "x_more2"}

func drawSelectors(t *rapid.T, label string) []string {
	return rapid.SliceOfN(rapid.SampledFrom(granularSelectors), 1, 4).Draw(t, label)
}

func drawMarks(t *rapid.T, label string) []stix.Mark {
	return rapid.SliceOfN(rapid.SampledFrom([]stix.Mark{
		{Ref: markingPool[0]}, {Ref: markingPool[1]}, {Ref: markingPool[2]}, {Lang: "uk"}, {Lang: "ja"},
	}), 0, 3).Draw(t, label)
}

// granularObject draws an object with granular markings in some places.
func granularObject(t *rapid.T) *stix.Object {
	o, err := stix.Parse([]byte(granularBase), stix.DefaultLimits())
	for range rapid.IntRange(0, 4).Draw(t, "calls") {
		if err == nil {
			o, err = stix.AddGranular(o, noon, drawSelectors(t, "put on"), drawMarks(t, "marks")...)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// pairs returns what is marked with what.
func pairs(o *stix.Object) (all []string) {
	for _, g := range stix.ExpandGranular(o.Granular()) {
		all = append(all, string(g.MarkingRef)+g.Lang+" "+g.Selectors[0])
	}
	slices.Sort(all)
	return all
}

func marksAt(t *rapid.T, o *stix.Object, selectors []string, r stix.Reach) []stix.Mark {
	marks, err := stix.GranularMarks(o, selectors, r)
	if err != nil {
		t.Fatal(err)
	}
	return marks
}

func TestWhatIsMarkedIsMarkedAndWhatIsClearedIsNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, selectors, marks := granularObject(t), drawSelectors(t, "selectors"), drawMarks(t, "more")
		set, err := stix.SetGranular(o, noon, selectors, stix.AnyMark, marks...)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range selectors {
			if got := marksAt(t, set, []string{s}, stix.Reach{}); !sameSet(got, marks) {
				t.Fatalf("%s set to %v, got %v", s, marks, got)
			}
			if is, err := stix.IsMarked(set, []string{s}, stix.Reach{}, marks...); err != nil || is != (len(marks) > 0) {
				t.Fatalf("%s is not marked with %v (%v)", s, marks, err)
			}
		}
		cleared, err := stix.ClearGranular(set, noon, selectors, stix.AnyMark)
		if len(marks) == 0 && errors.Is(err, stix.ErrMarkingNotFound) {
			return
		}
		if is, err2 := stix.IsMarked(cleared, selectors, stix.Reach{}); err != nil || err2 != nil || is {
			t.Fatalf("cleared, and still marked (%v, %v)", err, err2)
		}
	})
}

func TestMarkingAndUnmarkingLeavesTheMarkingsAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, selectors := granularObject(t), drawSelectors(t, "selectors")
		mark := stix.Mark{Ref: markingPool[3]}
		added, err := stix.AddGranular(o, noon, selectors, mark)
		if err != nil {
			t.Fatal(err)
		}
		removed, err := stix.RemoveGranular(added, noon, selectors, mark)
		if err != nil || !slices.Equal(pairs(removed), pairs(o)) {
			t.Fatalf("%v became %v (%v)", pairs(o), pairs(removed), err)
		}
		if again, err := stix.AddGranular(added, noon, selectors, mark); err != nil || again != added {
			t.Fatalf("put on twice, it is a new version (%v)", err)
		}
	})
}

func TestClearingOneKindLeavesTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, selectors := granularObject(t), drawSelectors(t, "selectors")
		cleared, err := stix.ClearGranular(o, noon, selectors, stix.LangMark)
		if errors.Is(err, stix.ErrMarkingNotFound) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := marksAt(t, cleared, selectors, stix.Reach{Kind: stix.LangMark}); len(got) > 0 {
			t.Fatalf("languages left: %v", got)
		}
		refs := stix.Reach{Kind: stix.RefMark}
		if got, want := marksAt(t, cleared, selectors, refs), marksAt(t, o, selectors, refs); !sameSet(got, want) {
			t.Fatalf("markings %v became %v", want, got)
		}
	})
}

func TestReachGoesByComponents(t *testing.T) {
	o := parse(t, granularBase)
	mark := stix.Mark{Ref: markingPool[0]}
	for _, c := range []struct {
		marked, at string
		r          stix.Reach
		want       bool
	}{
		{"x_more", "x_more", stix.Reach{}, true},
		{"x_more", "x_more.lab", stix.Reach{}, false},
		{"x_more", "x_more.lab", stix.Reach{Inherited: true}, true},
		{"x_more", "x_more.lab.els.[0]", stix.Reach{Inherited: true}, true},
		{"x_more", "x_more.lab", stix.Reach{Descendants: true}, false},
		{"x_more", "x_more2", stix.Reach{Inherited: true, Descendants: true}, false},
		{"x_more.lab", "x_more.labels", stix.Reach{Inherited: true, Descendants: true}, false},
		{"x_more.lab.els", "x_more", stix.Reach{Descendants: true}, true},
		{"x_more.lab.els", "x_more", stix.Reach{Inherited: true}, false},
	} {
		marked, err := stix.AddGranular(o, noon, []string{c.marked}, mark)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := stix.IsMarked(marked, []string{c.at}, c.r, mark); err != nil || got != c.want {
			t.Errorf("%s marked, %s with %+v: %t (%v)", c.marked, c.at, c.r, got, err)
		}
	}
}

func TestMarkingsOfTheObjectAreInherited(t *testing.T) {
	o, err := stix.AddMarkings(parse(t, granularBase), noon, markingPool[0])
	if err != nil {
		t.Fatal(err)
	}
	at := []string{"content"}
	for r, want := range map[stix.Reach]bool{
		{}: false, {Descendants: true}: false, {Inherited: true}: true, {Inherited: true, Kind: stix.LangMark}: false,
	} {
		if got, err := stix.IsMarked(o, at, r, stix.Mark{Ref: markingPool[0]}); err != nil || got != want {
			t.Errorf("%+v: %t (%v)", r, got, err)
		}
		if got, err := stix.IsMarked(o, at, r, stix.Mark{Ref: markingPool[1]}); err != nil || got {
			t.Errorf("%+v: marked with what is nowhere (%v)", r, err)
		}
	}
}

func TestACompressedListSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var entries []stix.GranularMarking
		for range rapid.IntRange(0, 6).Draw(t, "entries") {
			m := rapid.SampledFrom([]stix.Mark{{Ref: markingPool[0]}, {Ref: markingPool[1]}, {Lang: "uk"}}).Draw(t, "mark")
			entries = append(entries, stix.GranularMarking{MarkingRef: m.Ref, Lang: m.Lang, Selectors: drawSelectors(t, "selectors")})
		}
		compressed := stix.CompressGranular(entries)
		said := func(all []stix.GranularMarking) (pairs []string) {
			for _, g := range stix.ExpandGranular(all) {
				pairs = append(pairs, string(g.MarkingRef)+g.Lang+" "+g.Selectors[0])
			}
			return pairs
		}
		if !sameSet(said(entries), said(compressed)) {
			t.Fatalf("%v became %v", entries, compressed)
		}
		if len(compressed) > 3 || len(said(compressed)) > 3*len(granularSelectors) {
			t.Fatalf("not compressed: %v", compressed)
		}
	})
}
