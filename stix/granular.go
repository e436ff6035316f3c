package stix

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Why granular markings cannot be read or changed.
var (
	// ErrInvalidSelector: a selector is malformed, names nothing on the object, or there is none.
	ErrInvalidSelector = errors.New("selector names nothing on the object")
	// ErrMalformedGranular: granular_markings holds what rewriting it would lose or guess at.
	ErrMalformedGranular = errors.New("granular_markings is malformed")
)

// A Mark is what a granular marking says of its selectors: a marking-definition or, if Ref
// is empty, a language (STIX 2.1 §7.2.3).
type Mark struct {
	Ref  ID
	Lang string
}

// A MarkKind is a choice of marks.
type MarkKind uint8

// The kinds of marks. The zero value is all of them.
const (
	AnyMark  MarkKind = iota
	RefMark           // marking-definitions
	LangMark          // languages
)

func (k MarkKind) includes(m Mark) bool {
	return k == AnyMark || (k == RefMark) == (m.Ref != "")
}

// A Reach says which marks count at a selector. The zero value: those put on exactly that.
type Reach struct {
	Inherited   bool // also marks of what it is part of, up to the markings of the whole object
	Descendants bool // also marks of its parts
	Kind        MarkKind
}

// A coverage tells whether a mark at some selector counts at any of those it is made of.
type coverage struct {
	at, around  map[string]bool // the selectors, and what they are parts of
	descendants bool
	depth       int // the most dots in a selector
}

// coverageOf is for selectors that name something: they are no deeper than the object.
func coverageOf(selectors []string, r Reach) coverage {
	c := coverage{at: setOf(selectors), around: map[string]bool{}, descendants: r.Descendants}
	for _, s := range selectors {
		c.depth = max(c.depth, strings.Count(s, "."))
		if !r.Inherited {
			continue
		}
		for outer := range outerSelectors(s) {
			c.around[outer] = true
		}
	}
	return c
}

func (c coverage) covers(marked string) bool {
	if c.at[marked] || c.around[marked] {
		return true
	}
	if !c.descendants {
		return false
	}
	depth := 0
	for outer := range outerSelectors(marked) {
		if c.at[outer] {
			return true
		}
		if depth++; depth > c.depth {
			return false // what is deeper is none of the selectors
		}
	}
	return false
}

// outerSelectors yields what a selector names a part of, the outermost first. It goes by
// components: a.bc is no part of a.b.
func outerSelectors(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(s) {
			if s[i] == '.' && !yield(s[:i]) {
				return
			}
		}
	}
}

// GranularMarks returns the marks that count at any of the selectors, each once: those of
// granular_markings in its order, then those of the whole object if they are inherited.
func GranularMarks(o *Object, selectors []string, r Reach) ([]Mark, error) {
	if err := checkSelectors(o, selectors); err != nil {
		return nil, err
	}
	var marks []Mark
	seen := map[Mark]bool{}
	add := func(m Mark) {
		if r.Kind.includes(m) && !seen[m] {
			seen[m] = true
			marks = append(marks, m)
		}
	}
	c := coverageOf(selectors, r)
	for _, g := range o.granular {
		if slices.ContainsFunc(g.Selectors, c.covers) {
			for _, m := range g.marks() {
				add(m)
			}
		}
	}
	if r.Inherited {
		for _, ref := range o.markings {
			add(Mark{Ref: ref})
		}
	}
	return marks, nil
}

// marks returns the mark of g. A malformed one may have two, or none.
func (g GranularMarking) marks() (marks []Mark) {
	if g.MarkingRef != "" {
		marks = append(marks, Mark{Ref: g.MarkingRef})
	}
	if g.Lang != "" {
		marks = append(marks, Mark{Lang: g.Lang})
	}
	return marks
}

// IsMarked reports that all these marks are among those [GranularMarks] returns;
// without marks, that there is any.
func IsMarked(o *Object, selectors []string, r Reach, marks ...Mark) (bool, error) {
	found, err := GranularMarks(o, selectors, r)
	if err != nil {
		return false, err
	}
	there := setOf(found)
	for _, m := range marks {
		if !there[m] {
			return false, nil
		}
	}
	return len(found) > 0, nil
}

// AddGranular puts marks on what the selectors name. New versions are made as
// [AddMarkings] makes them; granular_markings is written compressed ([CompressGranular]),
// new marks first. An error is [ErrInvalidSelector], [ErrMalformedGranular], or one of
// [NewVersion].
func AddGranular(o *Object, now time.Time, selectors []string, marks ...Mark) (*Object, error) {
	entries, err := o.granularEntries(selectors)
	if err != nil {
		return nil, err
	}
	return o.withGranular(now, slices.Concat(marking(selectors, marks), entries))
}

// RemoveGranular takes marks off what the selectors name, and off nothing above or below
// it. If none of them is there the error is an [ErrMarkingNotFound]; an object without
// granular markings is returned as it is. Otherwise it is like [AddGranular].
func RemoveGranular(o *Object, now time.Time, selectors []string, marks ...Mark) (*Object, error) {
	gone := setOf(marks)
	return o.without(now, selectors, func(m Mark) bool { return gone[m] })
}

// SetGranular replaces the marks of a kind on what the selectors name, like [AddGranular].
func SetGranular(o *Object, now time.Time, selectors []string, kind MarkKind, marks ...Mark) (*Object, error) {
	entries, err := o.granularEntries(selectors)
	if err != nil {
		return nil, err
	}
	left, _ := dropMarks(entries, selectors, kind.includes)
	return o.withGranular(now, slices.Concat(marking(selectors, marks), left))
}

// ClearGranular takes all marks of a kind off what the selectors name, as [RemoveGranular]
// takes off some.
func ClearGranular(o *Object, now time.Time, selectors []string, kind MarkKind) (*Object, error) {
	return o.without(now, selectors, kind.includes)
}

// without drops the marks that drop says, at the selectors.
func (o *Object) without(now time.Time, selectors []string, drop func(Mark) bool) (*Object, error) {
	entries, err := o.granularEntries(selectors)
	if err != nil || len(entries) == 0 {
		return o, err
	}
	left, found := dropMarks(entries, selectors, drop)
	if !found {
		return nil, fmt.Errorf("%s at %s: %w", o.id, quoteShort(strings.Join(selectors, ", ")), ErrMarkingNotFound)
	}
	return o.withGranular(now, left)
}

// dropMarks returns the entries that are left, one selector each.
func dropMarks(entries []GranularMarking, selectors []string, drop func(Mark) bool) (left []GranularMarking, found bool) {
	at := setOf(selectors)
	for _, g := range ExpandGranular(entries) {
		if at[g.Selectors[0]] && drop(g.mark()) {
			found = true
			continue
		}
		left = append(left, g)
	}
	return left, found
}

// mark returns the mark of a well-formed granular marking.
func (g GranularMarking) mark() Mark {
	return Mark{Ref: g.MarkingRef, Lang: g.Lang}
}

// marking returns an entry for each mark.
func marking(selectors []string, marks []Mark) []GranularMarking {
	var entries []GranularMarking
	for _, m := range marks {
		entries = append(entries, GranularMarking{m.Ref, m.Lang, selectors})
	}
	return entries
}

// ExpandGranular returns an entry for each selector of each entry.
func ExpandGranular(entries []GranularMarking) []GranularMarking {
	var expanded []GranularMarking
	for _, g := range entries {
		for i := range g.Selectors {
			expanded = append(expanded, GranularMarking{g.MarkingRef, g.Lang, g.Selectors[i : i+1 : i+1]})
		}
	}
	return expanded
}

// CompressGranular returns one entry for each mark, in the order of their first entries,
// with its selectors sorted and each once.
func CompressGranular(entries []GranularMarking) []GranularMarking {
	var compressed []GranularMarking
	index := make(map[Mark]int, len(entries)) // an object has room for thousands of entries
	for _, g := range entries {
		i, known := index[g.mark()]
		if !known {
			i = len(compressed)
			index[g.mark()] = i
			compressed = append(compressed, GranularMarking{g.MarkingRef, g.Lang, nil})
		}
		compressed[i].Selectors = append(compressed[i].Selectors, g.Selectors...)
	}
	for i := range compressed {
		compressed[i].Selectors = sortedSet(compressed[i].Selectors)
	}
	return compressed
}

// checkSelectors wants at least one selector, and all of them to name something.
func checkSelectors(o *Object, selectors []string) error {
	if len(selectors) == 0 {
		return fmt.Errorf("%s: no selectors: %w", o.id, ErrInvalidSelector)
	}
	if missing := MissingSelectors(o, selectors); len(missing) > 0 {
		return fmt.Errorf("%s: selector %s: %w", o.id, quoteShort(missing[0]), ErrInvalidSelector)
	}
	return nil
}

// granularEntries returns what granular_markings holds, for a change at the selectors.
func (o *Object) granularEntries(selectors []string) ([]GranularMarking, error) {
	if err := checkSelectors(o, selectors); err != nil {
		return nil, err
	}
	all, _ := o.Property("granular_markings")
	for i, e := range arrayElements(all) {
		if reason := granularFault(e, o.granular[i]); reason != "" {
			return nil, fmt.Errorf("%s: granular_markings/%d %s: %w", o.id, i, reason, ErrMalformedGranular)
		}
	}
	return o.granular, nil
}

// granularFault says why an entry cannot be written again without loss, or "".
func granularFault(e jsontext.Value, g GranularMarking) string {
	listed := 0
	for range arrayElements(memberOf(e, "selectors")) {
		listed++
	}
	switch {
	case !onlyMembers(e, "marking_ref", "lang", "selectors"):
		return "has other members than marking_ref, lang and selectors"
	case len(g.marks()) != 1 || memberOf(e, "marking_ref") != nil && memberOf(e, "lang") != nil:
		return "does not have exactly one of marking_ref and lang"
	case listed == 0 || listed != len(g.Selectors):
		return "has no selectors, or selectors that are not strings"
	}
	return ""
}

// withGranular returns o with these granular markings, compressed.
func (o *Object) withGranular(now time.Time, entries []GranularMarking) (*Object, error) {
	for _, g := range entries {
		if len(g.marks()) != 1 {
			return nil, fmt.Errorf("mark %s: a mark is either a marking-definition or a language", o.id)
		}
	}
	entries = CompressGranular(entries)
	if sameGranular(entries, o.granular) {
		return o, nil
	}
	return o.revised(now, Change{"granular_markings", granularList(entries)})
}

// sameGranular reports that compressed says what entries says, in whatever order.
func sameGranular(compressed, entries []GranularMarking) bool {
	byMark := func(a, b GranularMarking) int {
		return cmp.Or(cmp.Compare(a.MarkingRef, b.MarkingRef), cmp.Compare(a.Lang, b.Lang))
	}
	equal := func(a, b GranularMarking) bool { return a.mark() == b.mark() && slices.Equal(a.Selectors, b.Selectors) }
	x, y := slices.SortedFunc(slices.Values(compressed), byMark), slices.SortedFunc(slices.Values(CompressGranular(entries)), byMark)
	return slices.EqualFunc(x, y, equal)
}

// granularList returns the value of granular_markings, nil if there are no entries.
func granularList(entries []GranularMarking) jsontext.Value {
	if len(entries) == 0 {
		return nil
	}
	b := []byte{'['}
	for i, g := range entries {
		b = append(comma(b, i > 0), '{')
		if g.MarkingRef != "" {
			b = append(append(b, `"marking_ref":`...), quoted(string(g.MarkingRef))...)
		} else {
			b = append(append(b, `"lang":`...), quoted(g.Lang)...)
		}
		b = append(append(b, `,"selectors":`...), quotedList(g.Selectors)...)
		b = append(b, '}')
	}
	return append(b, ']')
}
