package stix

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A scanner reads one JSON value in one pass. It checks the grammar and what strict JSON
// adds, writes the value without insignificant white space to out, and notes what a STIX
// object is routed by: its top-level members and the references at any depth.
type scanner struct {
	src []byte
	pos int
	out []byte
	lim Limits

	single bool // it reads one value only, so out may be given away

	path     []step // from the root to the value being read
	names    []name // names of the objects being read, innermost last
	members  []member
	refs     []ref
	findings []Finding
}

// newScanner returns a scanner with room for what an ordinary object holds.
func newScanner(lim Limits, size int) *scanner {
	var room struct {
		scanner
		path    [8]step
		names   [48]name
		members [32]member
		refs    [16]ref
	}
	s := &room.scanner
	s.lim, s.out = lim, make([]byte, 0, size)
	s.path, s.names, s.members, s.refs = room.path[:0], room.names[:0], room.members[:0], room.refs[:0]
	return s
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
			s.members = append(s.members, member{n.span, s.spanFrom(start), n.text})
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
	return nil
}

// leave ends an object or array whose closing bracket was taken.
func (s *scanner) leave() *Error {
	s.path = s.path[:len(s.path)-1]
	return s.checkSize()
}

func (s *scanner) checkSize() *Error {
	if len(s.out) > s.lim.ObjectBytes {
		return &Error{Code: CodeTooLarge, Reason: fmt.Sprintf("object is larger than %d bytes", s.lim.ObjectBytes)}
	}
	return nil
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
		s.find(Must, FindRef, "§2.9", "a name that ends in _ref or _refs holds identifiers; this is none")
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

// string reads a string and writes it as it is, quotes included.
func (s *scanner) string() (escaped bool, err *Error) {
	start := s.pos
	invisible := false
	i := s.pos + 1
	for {
		i = skipPlain(s.src, i)
		if i >= len(s.src) {
			s.pos = len(s.src)
			return false, s.truncated()
		}
		switch c := s.src[i]; {
		case c == '"':
			s.pos = i + 1
			s.out = append(s.out, s.src[start:s.pos]...)
			if invisible {
				s.find(Defect, FindInvisible, "", "text has direction overrides, zero-width or tag characters")
			}
			return escaped, s.checkSize()
		case c == '\\':
			escaped = true
			n, r, err := s.escape(i)
			if err != nil {
				return false, err
			}
			invisible = invisible || isInvisible(r)
			i += n
		case c < ' ':
			s.pos = i
			return false, s.syntax("a control character in a string must be escaped")
		default:
			r, n := utf8.DecodeRune(s.src[i:])
			if r == utf8.RuneError && n == 1 {
				s.pos = i
				return false, s.badUTF8()
			}
			invisible = invisible || isInvisible(r)
			i += n
		}
	}
}

// escape measures the escape sequence at i and returns the character it stands for.
func (s *scanner) escape(i int) (n int, r rune, err *Error) {
	s.pos = i
	n, r, ok := readEscape(s.src[i:])
	switch {
	case !ok && n == 0:
		s.pos = len(s.src)
		return 0, 0, s.truncated()
	case !ok:
		return 0, 0, s.syntax("no such escape sequence in a string")
	case r == utf8.RuneError && n == 6 && isSurrogate(s.src[i+2:i+6]):
		return 0, 0, s.refuse(CodeLoneSurrogate, "string has half a character: a surrogate escape without its pair")
	}
	return n, r, nil
}

// readEscape reads the escape sequence that b begins with. n is 0 if b is too short for
// it; a lone surrogate is RuneError.
func readEscape(b []byte) (n int, r rune, ok bool) {
	if len(b) < 2 {
		return 0, 0, false
	}
	switch b[1] {
	case '"', '\\', '/':
		return 2, rune(b[1]), true
	case 'b', 'f', 'n', 'r', 't':
		return 2, ' ', true
	case 'u':
	default:
		return 2, 0, false
	}
	if len(b) < 6 {
		return 0, 0, false
	}
	high, ok := hex4(b[2:6])
	if !ok {
		return 6, 0, false
	}
	if high < 0xd800 || high > 0xdfff {
		return 6, high, true
	}
	if high < 0xdc00 && len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if low, ok := hex4(b[8:12]); ok && low >= 0xdc00 && low <= 0xdfff {
			return 12, (high-0xd800)<<10 + (low - 0xdc00) + 0x10000, true
		}
	}
	return 6, utf8.RuneError, true
}

func hex4(b []byte) (r rune, ok bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func isSurrogate(b []byte) bool {
	r, ok := hex4(b)
	return ok && r >= 0xd800 && r <= 0xdfff
}

// isInvisible knows characters that make text read differently from what it is.
func isInvisible(r rune) bool {
	switch {
	case r < 0x200b:
		return false
	case r == 0x200b || r == 0x2060 || r == 0xfeff:
		return true
	}
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r >= 0xe0000 && r <= 0xe007f
}

// skipPlain returns the index of the first byte of b, from i on, that is not printable
// ASCII or is a quote or a backslash. It looks at eight bytes at a time.
func skipPlain(b []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		special := (w | (w - ones*' ') | (quote - ones) | (slash - ones)) & tops
		if special == 0 {
			continue
		}
		// Borrows can mark bytes above a special one, never below: the lowest mark is true.
		return i + bits.TrailingZeros64(special)/8
	}
	for i < len(b) && b[i] >= ' ' && b[i] < utf8.RuneSelf && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

func (s *scanner) number() *Error {
	n, whole := numberLen(s.src[s.pos:])
	if n <= 0 {
		s.pos -= n
		return s.unexpected("a digit")
	}
	text := s.src[s.pos : s.pos+n]
	s.pos += n
	s.out = append(s.out, text...)
	if !(whole && n <= 15) && beyondIJSON(text) {
		s.find(Must, FindNumber, "§2.10", "a number that a double cannot hold; it compares as written")
	}
	return s.checkSize()
}

// numberLen measures the JSON number at the start of b; whole means that it has neither
// decimals nor exponent. If it is no number, n is minus the offset of the fault.
func numberLen(b []byte) (n int, whole bool) {
	i := 0
	run := func() bool {
		start := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !run() {
		return -i, false
	}
	whole = true
	if i < len(b) && b[i] == '.' {
		i++
		if whole = false; !run() {
			return -i, false
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if whole = false; !run() {
			return -i, false
		}
	}
	return i, whole
}

// beyondIJSON reports that a double would not keep what a JSON number says: an integer
// beyond 2^53-1, a magnitude too large, or one so small that nothing is left
// (RFC 7493 §2.2). Decimals may be rounded: RFC 8785 does so.
func beyondIJSON(text []byte) bool {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return true
	}
	const limit = 1<<53 - 1
	if !bytes.ContainsAny(text, ".eE") {
		return math.Abs(f) > limit
	}
	if f == 0 {
		mantissa, _, _ := bytes.Cut(bytes.ToLower(text), []byte("e"))
		return bytes.ContainsAny(mantissa, "123456789")
	}
	return math.Abs(f) > limit && losesDigits(string(text), f)
}

// losesDigits reports that a large number written with decimals or an exponent has digits
// that its shortest form as a double has not.
func losesDigits(text string, f float64) bool {
	return significant(text) != significant(strconv.FormatFloat(f, 'e', -1, 64))
}

// significant returns the digits of a number from its first to its last that is not zero.
func significant(text string) string {
	mantissa, _, _ := strings.Cut(strings.ToLower(strings.TrimLeft(text, "-")), "e")
	return strings.Trim(strings.Replace(mantissa, ".", "", 1), "0")
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

// pointer returns the RFC 6901 pointer of the value being read.
func (s *scanner) pointer() string {
	var b strings.Builder
	for _, p := range s.path {
		b.WriteByte('/')
		if p.index >= 0 {
			b.WriteString(strconv.Itoa(p.index))
			continue
		}
		if p.name.end == 0 {
			return strings.TrimSuffix(b.String(), "/") // before the first name
		}
		b.WriteString(pointerToken(unquote(s.out[p.name.start-1 : p.name.end+1])))
	}
	return b.String()
}

// pointerToken escapes a name for a pointer, and shortens what no reader would want whole.
func pointerToken(name string) string {
	const limit = 100
	if len(name) > limit {
		name = strings.ToValidUTF8(name[:limit], "") + "..."
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// find notes something wrong at the value being read.
func (s *scanner) find(level Level, code, section, message string) {
	if len(s.findings) == maxFindings {
		return
	}
	s.findings = addFinding(s.findings, Finding{level, code, s.pointer(), message, section})
}

func addFinding(all []Finding, f Finding) []Finding {
	switch {
	case len(all) < maxFindings-1:
		return append(all, f)
	case len(all) == maxFindings-1:
		return append(all, Finding{Level: Defect, Code: FindMore, Message: "there are more findings than are listed"})
	}
	return all
}

func (s *scanner) refuse(code, format string, args ...any) *Error {
	return &Error{Pointer: s.pointer(), Code: code, Reason: fmt.Sprintf(format, args...)}
}

func (s *scanner) syntax(reason string) *Error {
	return s.refuse(CodeNotJSON, "not JSON at byte %d: %s", s.pos, reason)
}

func (s *scanner) truncated() *Error {
	return s.refuse(CodeNotJSON, "not JSON at byte %d: it ends too early", s.pos)
}

func (s *scanner) badUTF8() *Error {
	return s.refuse(CodeBadUTF8, "byte %d is not UTF-8", s.pos)
}

func (s *scanner) unexpected(want string) *Error {
	if s.pos >= len(s.src) {
		return s.truncated()
	}
	r, n := utf8.DecodeRune(s.src[s.pos:])
	if r == utf8.RuneError && n == 1 {
		return s.badUTF8()
	}
	return s.syntax(fmt.Sprintf("%+q where %s belongs", r, want))
}

// unquote returns the text of a JSON string that was read before.
func unquote(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return strings.ToValidUTF8(string(quoted[1:len(quoted)-1]), "")
	}
	return string(text)
}
