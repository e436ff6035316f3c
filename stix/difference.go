package stix

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// DifferenceKind says what became of a value.
type DifferenceKind uint8

// The kinds of differences.
const (
	Added     DifferenceKind = iota + 1 // it is new
	Removed                             // it is gone
	Changed                             // it has other contents
	Reordered                           // a list has the same elements in another order
	Unlisted                            // there are more differences than are listed
)

// String returns "added", "removed", "changed", "reordered" or "unlisted".
func (k DifferenceKind) String() string {
	switch k {
	case Added:
		return "added"
	case Removed:
		return "removed"
	case Changed:
		return "changed"
	case Reordered:
		return "reordered"
	case Unlisted:
		return "unlisted"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// A Difference is one place where two versions of an object differ.
type Difference struct {
	Pointer string // RFC 6901, long names shortened: into the new version if it was added, else into the old one
	Kind    DifferenceKind
	Before  jsontext.Value // in canonical form; nil if it was added
	After   jsontext.Value // in canonical form; nil if it was removed
}

// Differences are all of them, by the names of properties. Of more than 1,000 the last one is
// [Unlisted] in place of the rest.
type Differences []Difference

// DifferencesOf compares two versions of an object by their contents: how numbers and
// strings are spelled and the order of members make no difference. Dictionaries are compared
// key by key. Of a list it says which elements are new and which are gone, wherever they
// stand; structures at the same place of both are compared inside.
func DifferencesOf(before, after *Object) (Differences, error) {
	a, err := Canonical(before.raw)
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", before.id, err)
	}
	b, err := Canonical(after.raw)
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", after.id, err)
	}
	var c comparison
	c.values("", a, b)
	return c.found, nil
}

// A comparison collects the differences of canonical values.
type comparison struct{ found Differences }

// maxDifferences bounds what is listed.
const maxDifferences = 1000

func (c *comparison) note(pointer string, kind DifferenceKind, before, after jsontext.Value) {
	switch {
	case len(c.found) < maxDifferences:
		c.found = append(c.found, Difference{pointer, kind, before, after})
	default:
		c.found[maxDifferences-1] = Difference{Kind: Unlisted}
	}
}

// full reports that nothing more is listed.
func (c *comparison) full() bool {
	return len(c.found) == maxDifferences && c.found[maxDifferences-1].Kind == Unlisted
}

func (c *comparison) values(at string, before, after jsontext.Value) {
	switch {
	case bytes.Equal(before, after) || c.full():
	case before.Kind() == '{' && after.Kind() == '{':
		c.structures(at, before, after)
	case before.Kind() == '[' && after.Kind() == '[':
		c.lists(at, before, after)
	default:
		c.note(at, Changed, before, after)
	}
}

func (c *comparison) structures(at string, before, after jsontext.Value) {
	a, b := maps.Collect(objectMembers(before)), maps.Collect(objectMembers(after))
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if bytes.Equal(a[name], b[name]) {
			continue
		}
		if c.full() {
			return
		}
		here := at + "/" + pointerToken(name)
		switch {
		case a[name] == nil:
			c.note(here, Added, nil, b[name])
		case b[name] == nil:
			c.note(here, Removed, a[name], nil)
		default:
			c.values(here, a[name], b[name])
		}
	}
}

// lists compares which elements there are.
func (c *comparison) lists(at string, before, after jsontext.Value) {
	gone, fresh := unmatched(before, after), unmatched(after, before)
	if len(gone)+len(fresh) == 0 {
		c.note(at, Reordered, before, after)
		return
	}
	for _, i := range slices.Sorted(maps.Keys(gone)) {
		if c.full() {
			return
		}
		here := at + "/" + strconv.Itoa(i)
		if f := fresh[i]; f != nil && f.Kind() == gone[i].Kind() && (f.Kind() == '{' || f.Kind() == '[') {
			c.values(here, gone[i], f)
			delete(fresh, i)
			continue
		}
		c.note(here, Removed, gone[i], nil)
	}
	for _, i := range slices.Sorted(maps.Keys(fresh)) {
		if c.full() {
			return
		}
		c.note(at+"/"+strconv.Itoa(i), Added, nil, fresh[i])
	}
}

// unmatched returns the elements of a list that have no equal in another, by index.
func unmatched(list, other jsontext.Value) map[int]jsontext.Value {
	there := map[string]int{}
	for _, e := range arrayElements(other) {
		there[string(e)]++
	}
	rest := map[int]jsontext.Value{}
	for i, e := range arrayElements(list) {
		if there[string(e)]--; there[string(e)] < 0 {
			rest[i] = e
		}
	}
	return rest
}

// String returns one line for each difference.
func (d Differences) String() string {
	var b strings.Builder
	for _, one := range d {
		b.WriteString(one.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns a line for people: where, what became of it, and the values shortened.
func (d Difference) String() string {
	at := shown(d.Pointer)
	switch d.Kind {
	case Added:
		return at + " added: " + brief(d.After)
	case Removed:
		return at + " removed: " + brief(d.Before)
	case Reordered:
		return at + " has the same elements in another order"
	case Unlisted:
		return "there are more differences than are listed"
	}
	before, after := briefPair(d.Before, d.After)
	return at + " changed: " + before + " -> " + after
}

// shown returns a pointer as it may stand in a line.
func shown(pointer string) string {
	if pointer == "" {
		return "the object"
	}
	return printable(pointer)
}

// How much of a value a line shows, in characters.
const (
	briefLen    = 80
	briefBefore = 20 // of what is the same before a change
)

// brief returns a value for people, on one line and no longer than they want to read.
func brief(v jsontext.Value) string {
	text, ok := stringOf(v)
	if ok {
		return strconv.Quote(shortened(text))
	}
	return printable(shortened(string(v)))
}

// printable escapes what does not belong into a line, outside quotes.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// shortened cuts a text after briefLen characters, and says how long it is.
func shortened(s string) string {
	n := utf8.RuneCountInString(s)
	if n <= briefLen {
		return s
	}
	return fmt.Sprintf("%s... (%d characters)", firstRunes(s, briefLen), n)
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// briefPair returns two values for people. Long texts begin shortly before they differ.
func briefPair(before, after jsontext.Value) (string, string) {
	a, ok1 := stringOf(before)
	b, ok2 := stringOf(after)
	if !ok1 || !ok2 || len(a) <= briefLen && len(b) <= briefLen {
		return brief(before), brief(after)
	}
	from := sameStart(a, b)
	return strconv.Quote(fromThere(a, from)), strconv.Quote(fromThere(b, from))
}

// sameStart returns where to begin so that a few characters before the first difference are
// seen.
func sameStart(a, b string) int {
	var starts []int // of the characters that are the same
	for i, r := range a {
		other, n := utf8.DecodeRuneInString(b[min(i, len(b)):])
		if n == 0 || other != r {
			break
		}
		starts = append(starts, i)
	}
	if len(starts) <= briefBefore {
		return 0
	}
	return starts[len(starts)-briefBefore]
}

func fromThere(s string, from int) string {
	if from == 0 {
		return shortened(s)
	}
	return "..." + shortened(s[from:])
}
