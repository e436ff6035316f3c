package stix

import "strings"

// inOrder wants one instant not before another: later, if strictly is set.
func (v *validator) inOrder(s *scope, from, to string, strictly bool) {
	a, ok1 := v.text(s, from)
	b, ok2 := v.text(s, to)
	if !ok1 || !ok2 {
		return
	}
	order, err := CompareInstants(view(b), view(a))
	switch {
	case err != nil: // said before
	case order < 0:
		v.find(FindTimes, to, s.t.Section, to+" must not be earlier than "+from+", and is")
	case order == 0 && strictly:
		v.find(FindSameTimes, to, s.t.Section, to+" must be later than "+from+", and is the same instant")
	}
}

// atLeastOne wants one of several properties.
func (v *validator) atLeastOne(s *scope, names ...string) {
	for _, name := range names {
		if s.has(name) {
			return
		}
	}
	v.find(FindAtLeast, "", s.t.Section, "expected at least one of "+strings.Join(names, ", "))
}

// notBoth refuses two properties side by side.
func (v *validator) notBoth(s *scope, a, b string) {
	if s.has(a) && s.has(b) {
		v.find(FindExclusive, b, s.t.Section, "expected either "+a+" or "+b+", not both")
	}
}

// needs wants one property wherever another stands.
func (v *validator) needs(s *scope, name, other string) {
	if s.has(name) && !s.has(other) {
		v.find(FindTogether, name, s.t.Section, name+" needs "+other+" beside it")
	}
}

// recommends reports a property that should be there.
func (v *validator) recommends(s *scope, name string) {
	if !s.has(name) {
		v.find(FindRecommended, name, s.t.Section, name+" should be there")
	}
}

// anythingOrExtensions wants a property of the type's own or an extension.
func (v *validator) anythingOrExtensions(s *scope) {
	if !s.has("extensions") {
		v.anything(s)
	}
}

// anything wants at least one property of the type's own, beside those named.
func (v *validator) anything(s *scope, beside ...string) {
	first := 0
	if s.t.Category != Part {
		first = commonCount
	}
	own := s.seen >> first << first
	for _, name := range beside {
		own &^= 1 << s.t.place(name)
	}
	if own == 0 {
		v.find(FindAtLeast, "", s.t.Section, "expected at least one property of "+s.t.Name)
	}
}
