package stix

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

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
		b.WriteString(pointerToken(unquote(s.src[p.name.start-1 : p.name.end+1])))
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
func (s *scanner) find(code, section, message string) {
	if s.findings.wants(code) {
		s.findings.add(Finding{levels[code], code, s.pointer(), message, section})
	}
}

// found is the findings of one object: maxFindings at most, the last of which says that there
// are more. Where there are too many, the first that breaks a MUST takes the place of
// another: it refuses the object in strict mode.
type found struct {
	list []Finding
	must bool // one of them breaks a MUST
}

// usualFindings is how many findings there is room for when the first is made.
const usualFindings = 3

// wants reports whether a finding would be kept.
func (f *found) wants(code string) bool {
	return len(f.list) < maxFindings || !f.must && levels[code] == Must
}

func (f *found) add(next Finding) {
	switch {
	case f.list == nil:
		f.list = append(make([]Finding, 0, usualFindings), next)
	case len(f.list) < maxFindings-1:
		f.list = append(f.list, next)
	case len(f.list) < maxFindings:
		f.list = append(f.list, Finding{Level: KnownDefect, Code: FindMore, Message: "there are more findings than are listed"})
		fallthrough
	default:
		if f.must || next.Level != Must {
			return
		}
		f.list[maxFindings-2] = next
	}
	f.must = f.must || next.Level == Must
}

func (s *scanner) refuse(code, format string, args ...any) *Error {
	return &Error{Pointer: s.pointer(), Code: code, Reason: fmt.Sprintf(format, args...)}
}

// How a fault of grammar is worded, with the byte it is at.
const (
	wordsNotJSON = "not JSON at byte %d: %s"
	wordsBadUTF8 = "byte %d is not UTF-8"

	reasonTruncated = "it ends too early"
	reasonEscape    = "no such escape sequence in a string"
	reasonControl   = "a control character in a string must be escaped"
)

func (s *scanner) syntax(reason string) *Error {
	return s.refuse(CodeNotJSON, wordsNotJSON, s.pos, reason)
}

func (s *scanner) truncated() *Error { return s.syntax(reasonTruncated) }

func (s *scanner) badUTF8() *Error { return s.refuse(CodeBadUTF8, wordsBadUTF8, s.pos) }

func (s *scanner) unexpected(want string) *Error {
	if s.pos >= len(s.src) {
		return s.truncated()
	}
	r, n := utf8.DecodeRune(s.src[s.pos:])
	if r == utf8.RuneError && n == 1 {
		return s.badUTF8()
	}
	return s.syntax(misplaced(r, want))
}

func misplaced(r rune, want string) string { return fmt.Sprintf("%+q where %s belongs", r, want) }
