package stix

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Select returns the part of o that a selector names (STIX 2.1 §7.2.3): names of
// properties, keys of dictionaries and indexes like [0], joined by dots, as in
// external_references.[0].source_name. ok is false if the selector is malformed or names
// nothing that is there. The bytes belong to o. Select allocates nothing and reads no
// further than it has to; for many selectors see [MissingSelectors].
func Select(o *Object, selector string) (v jsontext.Value, ok bool) {
	name, rest, more := strings.Cut(selector, ".")
	if v, ok = o.Property(name); !ok || name == "" {
		return nil, false
	}
	for more && ok {
		name, rest, more = strings.Cut(rest, ".")
		v, ok = descend(v, name)
	}
	return v, ok
}

// descend takes one component of a selector.
func descend(v jsontext.Value, component string) (jsontext.Value, bool) {
	if component == "" {
		return nil, false
	}
	if component[0] != '[' {
		return fieldOf(v, component)
	}
	n, ok := selectorIndex(component)
	if !ok {
		return nil, false
	}
	return elementOf(v, n)
}

// selectorIndex reads [n]: decimal digits without leading zeros, so that each element has
// one name.
func selectorIndex(s string) (n int, ok bool) {
	const maxDigits = 9
	if len(s) < 3 || len(s) > maxDigits+2 || s[len(s)-1] != ']' {
		return 0, false
	}
	s = s[1 : len(s)-1]
	if s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	return digits(s), true
}

// fieldOf returns one member of a JSON object.
func fieldOf(v jsontext.Value, name string) (jsontext.Value, bool) {
	if v[0] != '{' {
		return nil, false
	}
	for i := 1; v[i] != '}'; {
		var n, value []byte
		if n, value, i = memberAt(v, i); isQuoted(n, name) {
			return value, true
		}
	}
	return nil, false
}

// elementOf returns the n-th element of a JSON array.
func elementOf(v jsontext.Value, n int) (jsontext.Value, bool) {
	if v[0] != '[' {
		return nil, false
	}
	for i := 1; v[i] != ']'; n-- {
		end := valueEnd(v, i)
		if n == 0 {
			return v[i:end:end], true
		}
		i = afterComma(v, end)
	}
	return nil, false
}

// MissingSelectors returns the selectors that name nothing on o, sorted by component and
// each once: STIX 2.1 §7.2.3 wants none. It walks o once, however many there are.
func MissingSelectors(o *Object, selectors []string) []string {
	w := selectorWalk{sorted: slices.Clone(selectors)}
	slices.SortFunc(w.sorted, compareSelectors)
	w.sorted = slices.Compact(w.sorted)
	w.found = make([]bool, len(w.sorted))
	for _, m := range o.members {
		w.enter(string(m.in(o.raw)), jsontext.Value(m.value.of(o.raw)), 0, len(w.sorted), 0)
	}
	return w.missing()
}

// A selectorWalk resolves selectors all at once.
type selectorWalk struct {
	sorted []string
	found  []bool // beside sorted
}

func (w *selectorWalk) missing() (missing []string) {
	for i, found := range w.found {
		if !found {
			missing = append(missing, w.sorted[i])
		}
	}
	return missing
}

// compareSelectors orders by component: a.b stands before a-b.
func compareSelectors(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '.':
			return -1
		case b[i] == '.':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// enter resolves, of the selectors from low to high, those whose component at an offset is
// name: v is what it names.
func (w *selectorWalk) enter(name string, v jsontext.Value, low, high, at int) {
	component := func(i int) string {
		c, _, _ := strings.Cut(w.sorted[i][at:], ".")
		return c
	}
	low += sort.Search(high-low, func(i int) bool { return component(low+i) >= name })
	for high = low + sort.Search(high-low, func(i int) bool { return component(low+i) > name }); low < high; low++ {
		if len(w.sorted[low]) > at+len(name) {
			w.children(v, low, high, at+len(name)+1)
			return
		}
		w.found[low] = name != ""
	}
}

// children goes on with the parts of v.
func (w *selectorWalk) children(v jsontext.Value, low, high, at int) {
	for name, value := range objectMembers(v) {
		if name != "" && name[0] != '[' {
			w.enter(name, value, low, high, at)
		}
	}
	for n, value := range arrayElements(v) {
		w.enter("["+strconv.Itoa(n)+"]", value, low, high, at)
	}
}

// memberAt returns the quoted name and the value of the member that starts at i, and
// where the next one starts.
func memberAt(v []byte, i int) (name, value []byte, next int) {
	colon := stringEnd(v, i)
	end := valueEnd(v, colon+1)
	return v[i:colon:colon], v[colon+1 : end : end], afterComma(v, end)
}

// isQuoted reports that a JSON string has this text.
func isQuoted(quoted []byte, text string) bool {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		return unquote(quoted) == text
	}
	return string(quoted[1:len(quoted)-1]) == text
}
