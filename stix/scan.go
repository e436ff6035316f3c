package stix

import (
	"bytes"
	"fmt"
	"sync"
)

// A scanner reads one JSON value in one pass. It checks the grammar and what strict JSON
// adds, writes the value without insignificant white space to out, and notes what a STIX
// object is routed by: its top-level members and the references at any depth.
type scanner struct {
	src []byte
	pos int
	out []byte
	lim Limits

	path     []step // from the root to the value being read
	names    []name // names of the objects being read, innermost last
	members  []member
	refs     []ref
	findings []Finding
}

// scanners are kept for reuse: they grow to what an ordinary object needs, and nothing of
// an Object refers to one.
var scanners = sync.Pool{New: func() any { return new(scanner) }}

// maxKept bounds the room of a scanner that is kept.
const maxKept = 1 << 20

// newScanner returns a scanner; release gives it back.
func newScanner(lim Limits) *scanner {
	s := scanners.Get().(*scanner)
	s.lim = lim
	return s
}

func (s *scanner) release() {
	if cap(s.out)+16*cap(s.names)+32*(cap(s.members)+cap(s.refs)) > maxKept {
		return
	}
	s.src, s.findings = nil, nil
	clear(s.names[:cap(s.names)]) // their texts
	clear(s.members[:cap(s.members)])
	scanners.Put(s)
}

// A span is a range of scanner.out, later of the bytes of an object.
type span struct{ start, end uint32 }

func (s span) of(b []byte) []byte { return b[s.start:s.end] }

// A step of a path is the latest name in an object (index -1) or an index in an array.
type step struct {
	name  span
	index int
}

// A name is one member name, for finding duplicates. text is set when it has escapes.
type name struct {
	hash uint32
	span span
	text string
}

// A member is one top-level member. text is its name when it has escapes.
type member struct {
	name, value span
	hash        uint32
	text        string
}

// A ref is a string under a name that ends in _ref or _refs, without its quotes.
type ref struct {
	span    span
	escaped bool
	marking bool // under object_marking_refs or marking_ref
}

// What a value means to the object around it.
type meaning uint8

const (
	plain meaning = iota
	reference
	markingReference
)

// reset prepares for the value at pos of src.
func (s *scanner) reset(src []byte, pos int) {
	s.src, s.pos = src, pos
	s.out, s.path, s.names = s.out[:0], s.path[:0], s.names[:0]
	s.members, s.refs, s.findings = s.members[:0], s.refs[:0], nil
}

// value reads one value.
func (s *scanner) value(m meaning) *Error {
	if s.pos >= len(s.src) {
		return s.truncated()
	}
	switch c := s.src[s.pos]; {
	case c == '"':
		return s.stringValue(m)
	case c == '{':
		return s.object()
	case c == '[':
		return s.array(m)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.unexpected("a value")
}

func (s *scanner) object() *Error {
	if err := s.enter('{', -1); err != nil {
		return err
	}
	base := len(s.names)
	var seen map[string]struct{} // only for objects with many members
	s.space()
	for first := true; ; first = false {
		if s.take('}') {
			break
		}
		if !first {
			if !s.take(',') {
				return s.unexpected("a comma or }")
			}
			s.space()
		}
		if s.pos >= len(s.src) || s.src[s.pos] != '"' {
			return s.unexpected("a member name")
		}
		n, err := s.name()
		if err != nil {
			return err
		}
		if seen, err = s.addName(base, n, seen); err != nil {
			return err
		}
		s.space()
		if !s.take(':') {
			return s.unexpected("a colon")
		}
		s.space()
		start := len(s.out)
		if err := s.value(s.meaningOf(n)); err != nil {
			return err
		}
		if len(s.path) == 1 {
			s.members = append(s.members, member{n.span, s.spanFrom(start), n.hash, n.text})
		}
		s.space()
	}
	s.names = s.names[:base]
	return s.leave()
}

func (s *scanner) array(m meaning) *Error {
	if err := s.enter('[', 0); err != nil {
		return err
	}
	here := len(s.path) - 1
	s.space()
	for i := 0; ; i++ {
		s.path[here].index = i
		if s.take(']') {
			break
		}
		if i > 0 {
			if !s.take(',') {
				return s.unexpected("a comma or ]")
			}
			s.space()
		}
		if s.pos < len(s.src) && s.src[s.pos] != '"' {
			m = plain // references are strings, or strings in one array
		}
		if err := s.value(m); err != nil {
			return err
		}
		s.space()
	}
	return s.leave()
}

// enter reads an opening bracket.
func (s *scanner) enter(bracket byte, index int) *Error {
	if len(s.path) >= s.lim.Depth {
		return s.refuse(CodeTooDeep, "nested deeper than %d levels", s.lim.Depth)
	}
	s.pos++
	s.out = append(s.out, bracket)
	s.path = append(s.path, step{index: index})
	return s.checkSize()
}

// leave ends an object or array whose closing bracket was taken.
func (s *scanner) leave() *Error {
	s.path = s.path[:len(s.path)-1]
	return s.checkSize()
}

// checkSize is asked after every token at which something else may be refused, so that the
// first reason counts: of an object that is too large, a [Stream] sees no more than that.
func (s *scanner) checkSize() *Error {
	if len(s.out) > s.lim.ObjectBytes {
		return s.lim.objectTooLarge()
	}
	return nil
}

func (l Limits) objectTooLarge() *Error {
	return &Error{Code: CodeTooLarge, Reason: fmt.Sprintf("object is larger than %d bytes", l.ObjectBytes)}
}

// take consumes c and writes it, if it comes next.
func (s *scanner) take(c byte) bool {
	if s.pos >= len(s.src) || s.src[s.pos] != c {
		return false
	}
	s.pos++
	s.out = append(s.out, c)
	return true
}

func (s *scanner) space() { s.pos = skipSpace(s.src, s.pos) }

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

func (s *scanner) spanFrom(start int) span { return span{uint32(start), uint32(len(s.out))} }

// name reads a member name and makes it the current step of the path.
func (s *scanner) name() (name, *Error) {
	start := len(s.out)
	s.path[len(s.path)-1].name = span{}
	escaped, err := s.string()
	if err != nil {
		return name{}, err
	}
	n := name{span: span{uint32(start + 1), uint32(len(s.out) - 1)}}
	if escaped {
		n.text = unquote(s.out[start:])
		n.hash = hashName(n.text)
	} else {
		n.hash = hashName(n.span.of(s.out))
	}
	s.path[len(s.path)-1].name = n.span
	return n, nil
}

// hashName is quick and need not be good: equal hashes are compared as text.
func hashName[T ~string | ~[]byte](s T) uint32 {
	h := uint32(len(s))
	for i := 0; i < len(s); i++ {
		h = h*31 + uint32(s[i])
	}
	return h
}

func (s *scanner) textOf(n name) string {
	if n.text != "" {
		return n.text
	}
	return string(n.span.of(s.out))
}

// addName notes n among the names since base, and refuses it if it is there already.
func (s *scanner) addName(base int, n name, seen map[string]struct{}) (map[string]struct{}, *Error) {
	const many = 32
	duplicate := false
	switch siblings := s.names[base:]; {
	case seen != nil:
		_, duplicate = seen[s.textOf(n)]
		seen[s.textOf(n)] = struct{}{}
	case len(siblings) == many:
		seen = make(map[string]struct{}, 4*many)
		for _, other := range siblings {
			seen[s.textOf(other)] = struct{}{}
		}
		return s.addName(base, n, seen)
	default:
		for _, other := range siblings {
			if other.hash == n.hash && s.textOf(other) == s.textOf(n) {
				duplicate = true
			}
		}
		s.names = append(s.names, n)
	}
	if duplicate {
		return nil, s.refuse(CodeDuplicateName, "member %s appears twice in one object", quoteShort(s.textOf(n)))
	}
	return seen, nil
}

// meaningOf tells references by their names (STIX 2.1 §2.9, §3.1).
func (s *scanner) meaningOf(n name) meaning {
	text := n.span.of(s.out)
	if n.text != "" {
		text = []byte(n.text)
	}
	switch {
	case !bytes.HasSuffix(text, []byte("_ref")) && !bytes.HasSuffix(text, []byte("_refs")):
		return plain
	case string(text) == "object_marking_refs" || string(text) == "marking_ref":
		return markingReference
	}
	return reference
}

func (s *scanner) stringValue(m meaning) *Error {
	start := len(s.out)
	escaped, err := s.string()
	if err != nil || m == plain {
		return err
	}
	r := ref{span{uint32(start + 1), uint32(len(s.out) - 1)}, escaped, m == markingReference}
	s.refs = append(s.refs, r)
	if !r.isID(s.out) && string(s.path[0].name.of(s.out)) != "objects" { // STIX 2.1 §2.13: local names
		s.find(FindRef, "§2.9", "a name that ends in _ref or _refs holds identifiers; this is none")
	}
	return nil
}

func (r ref) isID(b []byte) bool {
	if r.escaped {
		return idFault(r.text(b)) == ""
	}
	return idFault(r.span.of(b)) == ""
}

func (r ref) text(b []byte) string {
	if r.escaped {
		return unquote(b[r.span.start-1 : r.span.end+1])
	}
	return string(r.span.of(b))
}

func (s *scanner) literal(word string) *Error {
	for i := range len(word) {
		if s.pos >= len(s.src) {
			return s.truncated()
		}
		if s.src[s.pos] != word[i] {
			return s.unexpected(word)
		}
		s.pos++
	}
	s.out = append(s.out, word...)
	return nil
}
