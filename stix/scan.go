package stix

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
)

// A scanner reads one JSON value in one pass. It checks the grammar and what strict JSON
// adds, drops insignificant white space, and notes what a STIX object is routed by: its
// top-level members and the references at any depth.
//
// Nothing is copied until there is white space to drop: out has the value up to it, and
// src from there on follows.
type scanner struct {
	src  []byte
	pos  int
	out  []byte
	from int // src from here to pos belongs behind out
	lim  Limits

	path     []step // from the root to the value being read
	names    []name // names of the objects being read, innermost last
	members  []member
	refs     []ref
	findings found
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
	if cap(s.out)+16*cap(s.names)+24*cap(s.members)+12*cap(s.refs) > maxKept {
		return
	}
	s.src, s.findings = nil, found{}
	scanners.Put(s)
}

// A span is a range of the bytes of an object.
type span struct{ start, end uint32 }

func (s span) of(b []byte) []byte { return b[s.start:s.end] }

// A step of a path is the latest name in an object (index -1) or an index in an array.
type step struct {
	name  span
	index int
}

// A name is one member name, for finding duplicates.
type name struct {
	span    span   // while scanning: in src
	hash    uint32 // of the text
	escaped bool   // the text is not the bytes
}

// in returns the text of a name in the bytes that it is part of, or a copy if it is escaped.
func (n name) in(b []byte) []byte {
	if n.escaped {
		return []byte(unquote(b[n.span.start-1 : n.span.end+1]))
	}
	return n.span.of(b)
}

// A member is one top-level member.
type member struct {
	name
	value span
}

// A ref is an identifier under a name that ends in _ref or _refs, without its quotes.
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
	s.src, s.pos, s.from = src, pos, pos
	s.out, s.path, s.names = s.out[:0], s.path[:0], s.names[:0]
	s.members, s.refs, s.findings = s.members[:0], s.refs[:0], found{}
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
		return s.object(m)
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

// object reads an object. Inside a value that should hold markings, every string may be one.
func (s *scanner) object(m meaning) *Error {
	if err := s.enter(-1); err != nil {
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
		at := s.size()
		n, err := s.name()
		if err != nil {
			return err
		}
		end := s.size()
		if seen, err = s.addName(base, n, seen); err != nil {
			return err
		}
		s.space()
		if !s.take(':') {
			return s.unexpected("a colon")
		}
		s.space()
		start := s.size()
		inside := s.meaningOf(n)
		if m == markingReference {
			inside = m
		}
		if err := s.value(inside); err != nil {
			return err
		}
		if len(s.path) == 1 {
			n.span = spanOf(at+1, end-1)
			s.members = append(s.members, member{n, spanOf(start, s.size())})
		}
		s.space()
	}
	s.names = s.names[:base]
	return s.leave()
}

func (s *scanner) array(m meaning) *Error {
	if err := s.enter(0); err != nil {
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
		if err := s.value(m); err != nil {
			return err
		}
		s.space()
	}
	return s.leave()
}

// enter reads an opening bracket.
func (s *scanner) enter(index int) *Error {
	if len(s.path) >= s.lim.Depth {
		return s.refuse(CodeTooDeep, "nested deeper than %d levels", s.lim.Depth)
	}
	s.pos++
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
	if s.size() > s.lim.ObjectBytes {
		return s.lim.objectTooLarge()
	}
	return nil
}

func (l Limits) objectTooLarge() *Error {
	return &Error{Code: CodeTooLarge, Reason: fmt.Sprintf("object is larger than %d bytes", l.ObjectBytes)}
}

// take consumes c, if it comes next.
func (s *scanner) take(c byte) bool {
	if s.pos >= len(s.src) || s.src[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

// space drops white space.
func (s *scanner) space() {
	i := skipSpace(s.src, s.pos)
	if i == s.pos {
		return
	}
	s.out = append(s.out, s.src[s.from:s.pos]...)
	s.pos, s.from = i, i
}

// size returns how many bytes were read that belong to the value: the place of pos in it.
func (s *scanner) size() int { return len(s.out) + s.pos - s.from }

// compacted returns the value without white space, in an allocation of its own size.
func (s *scanner) compacted() []byte {
	if len(s.out) == 0 {
		return slices.Clip(bytes.Clone(s.src[s.from:s.pos]))
	}
	b := make([]byte, s.size())
	copy(b[copy(b, s.out):], s.src[s.from:s.pos])
	return b
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

func spanOf(start, end int) span { return span{uint32(start), uint32(end)} }

// name reads a member name and makes it the current step of the path.
func (s *scanner) name() (name, *Error) {
	start := s.pos
	s.path[len(s.path)-1].name = span{}
	escaped, err := s.string()
	if err != nil {
		return name{}, err
	}
	n := name{span: spanOf(start+1, s.pos-1), escaped: escaped}
	n.hash = hashName(n.in(s.src))
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

// addName notes n among the names since base, and refuses it if it is there already.
func (s *scanner) addName(base int, n name, seen map[string]struct{}) (map[string]struct{}, *Error) {
	const many = 32
	duplicate := false
	switch siblings := s.names[base:]; {
	case seen != nil:
		_, duplicate = seen[string(n.in(s.src))]
		seen[string(n.in(s.src))] = struct{}{}
	case len(siblings) == many:
		seen = make(map[string]struct{}, 4*many)
		for _, other := range siblings {
			seen[string(other.in(s.src))] = struct{}{}
		}
		return s.addName(base, n, seen)
	default:
		for _, other := range siblings {
			if other.hash == n.hash && string(other.in(s.src)) == string(n.in(s.src)) {
				duplicate = true
			}
		}
		s.names = append(s.names, n)
	}
	if duplicate {
		return nil, s.refuse(CodeDuplicateName, "member %s appears twice in one object", quoteShort(string(n.in(s.src))))
	}
	return seen, nil
}

// meaningOf tells references by their names (STIX 2.1 §2.9, §3.1).
func (s *scanner) meaningOf(n name) meaning {
	text := n.in(s.src)
	switch {
	case !isReferenceName(text):
		return plain
	case string(text) == "object_marking_refs" || string(text) == "marking_ref":
		return markingReference
	}
	return reference
}

func isReferenceName(name []byte) bool {
	return bytes.HasSuffix(name, []byte("_ref")) || bytes.HasSuffix(name, []byte("_refs"))
}

func (s *scanner) stringValue(m meaning) *Error {
	start, at := s.pos, s.size()
	escaped, err := s.string()
	if err != nil || m == plain {
		return err
	}
	here := ref{span: spanOf(start+1, s.pos-1), escaped: escaped}
	if here.isID(s.src) { // whether others belong there, the validator says
		s.refs = append(s.refs, ref{spanOf(at+1, s.size()-1), escaped, m == markingReference})
	}
	return nil
}

func (r ref) isID(b []byte) bool {
	if r.escaped {
		return idFault(r.text(b)) == ""
	}
	return idFault(r.span.of(b)) == ""
}

// id is the text, part of b where it has no escapes.
func (r ref) id(b []byte) ID {
	if r.escaped {
		return ID(r.text(b))
	}
	return ID(view(r.span.of(b)))
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
	return nil
}
