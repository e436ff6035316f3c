package stix

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// A skimmer reads JSON from a reader for its grammar alone, as skipValue does from bytes,
// through a window of fixed size. What it reads goes to the keepers, without insignificant
// white space.
type skimmer struct {
	r        io.Reader
	limit    int64 // bytes of the body; 0 is any number
	buf      []byte
	pos, end int   // buf[pos:end] was read from r and not yet looked at
	base     int64 // where in the body buf[0] is
	last     byte  // the byte before buf[0]
	err      error // of r or of the limit; io.EOF is the end of the body
	tooLarge *Error

	whole, part *keeper // either may be nil
	open        []byte  // closing brackets of what is open
	around      int     // brackets open around the value
	deepest     int     // nesting seen so far, with what is around
}

const windowBytes = 64 << 10

// A keeper holds the beginning of what was read.
type keeper struct {
	b     []byte
	limit int
	cut   bool // there was more
}

// emptied returns k with nothing in it.
func (k *keeper) emptied() *keeper {
	k.b, k.cut = k.b[:0], false
	return k
}

func (k *keeper) add(b []byte) {
	if k == nil || k.cut {
		return
	}
	if room := k.limit - len(k.b); len(b) > room {
		k.cut, b = true, b[:room]
	}
	k.b = append(k.b, b...)
}

// offset returns where in the body the next byte is.
func (s *skimmer) offset() int64 { return s.base + int64(s.pos) }

// ahead reports that n bytes can be looked at.
func (s *skimmer) ahead(n int) bool {
	for s.end-s.pos < n && s.err == nil {
		s.fill()
	}
	return s.end-s.pos >= n
}

// fill moves what is left to the front and reads once.
func (s *skimmer) fill() {
	if s.pos > 0 {
		s.last = s.buf[s.pos-1]
		copy(s.buf, s.buf[s.pos:s.end])
		s.base += int64(s.pos)
		s.end -= s.pos
		s.pos = 0
	}
	const patience = 100
	for range patience {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		s.err = err
		if s.limit > 0 && s.base+int64(s.end) > s.limit {
			s.err = s.tooLarge
		}
		if n > 0 || s.err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// previous returns the byte before the next one.
func (s *skimmer) previous() byte {
	if s.pos > 0 {
		return s.buf[s.pos-1]
	}
	return s.last
}

// peek returns the next byte; ok is false at the end.
func (s *skimmer) peek() (c byte, ok bool) {
	if s.pos == s.end && !s.ahead(1) {
		return 0, false
	}
	return s.buf[s.pos], true
}

// next reports that c is the next byte.
func (s *skimmer) next(c byte) bool {
	found, ok := s.peek()
	return ok && found == c
}

// consume steps over n bytes of the window and keeps them.
func (s *skimmer) consume(n int) {
	b := s.buf[s.pos : s.pos+n]
	s.whole.add(b)
	s.part.add(b)
	s.pos += n
}

// take consumes c if it comes next.
func (s *skimmer) take(c byte) bool {
	if !s.next(c) {
		return false
	}
	s.consume(1)
	return true
}

func (s *skimmer) space() {
	for {
		if s.pos = skipSpace(s.buf[:s.end], s.pos); s.pos < s.end || !s.ahead(1) {
			return
		}
	}
}

// value reads one value, without recursion.
func (s *skimmer) value() *Error {
	s.open = s.open[:0]
	for {
		c, ok := s.peek()
		if !ok {
			return s.truncated()
		}
		if c == '{' || c == '[' {
			inside, err := s.enter(c)
			if err != nil {
				return err
			}
			if inside {
				continue
			}
		} else if err := s.scalar(c); err != nil {
			return err
		}
		if done, err := s.closing(); done || err != nil {
			return err
		}
	}
}

// enter reads an opening bracket, and a name after a brace; inside means that a value
// comes next.
func (s *skimmer) enter(bracket byte) (inside bool, err *Error) {
	if len(s.open) == maxSkipDepth {
		return false, errSkipTooDeep()
	}
	closing := bracket + 2 // in ASCII
	s.open = append(s.open, closing)
	s.deepest = max(s.deepest, s.around+len(s.open))
	s.consume(1)
	s.space()
	if s.next(closing) {
		return false, nil
	}
	if bracket == '{' {
		return true, s.name()
	}
	return true, nil
}

// closing reads what follows a value, up to the next one.
func (s *skimmer) closing() (done bool, err *Error) {
	for len(s.open) > 0 {
		s.space()
		bracket := s.open[len(s.open)-1]
		switch {
		case s.take(bracket):
			s.open = s.open[:len(s.open)-1]
		case s.take(','):
			s.space()
			if bracket == '}' {
				return false, s.name()
			}
			return false, nil
		default:
			return false, s.unexpected(fmt.Sprintf("a comma or %c", bracket))
		}
	}
	return true, nil
}

// name reads the name of a member and its colon.
func (s *skimmer) name() *Error {
	if !s.next('"') {
		return s.unexpected("a member name")
	}
	if err := s.string(); err != nil {
		return err
	}
	return s.colon()
}

func (s *skimmer) colon() *Error {
	s.space()
	if !s.take(':') {
		return s.unexpected("a colon")
	}
	s.space()
	return nil
}

func (s *skimmer) scalar(c byte) *Error {
	switch {
	case c == '"':
		return s.string()
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

// string reads a string. Lone surrogates are grammatical.
func (s *skimmer) string() *Error {
	s.consume(1)
	for {
		s.consume(skipPlain(s.buf[:s.end], s.pos) - s.pos)
		c, ok := s.peek()
		switch {
		case !ok:
			return s.truncated()
		case c == '"':
			s.consume(1)
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
			return s.syntax(reasonControl)
		case c >= utf8.RuneSelf:
			if err := s.rune(); err != nil {
				return err
			}
		}
	}
}

func (s *skimmer) escape() *Error {
	s.ahead(len(`\ud83d\ude00`))
	n, _, ok := readEscape(s.buf[s.pos:s.end])
	switch {
	case n == 0:
		s.pos = s.end
		return s.truncated()
	case !ok:
		return s.syntax(reasonEscape)
	}
	s.consume(n)
	return nil
}

// rune reads a character that is not ASCII.
func (s *skimmer) rune() *Error {
	s.ahead(utf8.UTFMax)
	r, n := utf8.DecodeRune(s.buf[s.pos:s.end])
	if r == utf8.RuneError && n == 1 {
		return s.badUTF8()
	}
	s.consume(n)
	return nil
}

// number reads a number of any length.
func (s *skimmer) number() *Error {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return s.unexpected("a digit")
	}
	if s.take('.') && !s.digits() {
		return s.unexpected("a digit")
	}
	if s.take('e') || s.take('E') {
		_ = s.take('+') || s.take('-')
		if !s.digits() {
			return s.unexpected("a digit")
		}
	}
	return nil
}

// digits reads digits and reports that there was one.
func (s *skimmer) digits() (any bool) {
	for {
		n := 0
		for s.pos+n < s.end && s.buf[s.pos+n] >= '0' && s.buf[s.pos+n] <= '9' {
			n++
		}
		s.consume(n)
		any = any || n > 0
		if s.pos < s.end || !s.ahead(1) {
			return any
		}
	}
}

func (s *skimmer) literal(word string) *Error {
	for i := range len(word) {
		if !s.take(word[i]) {
			return s.unexpected(word)
		}
	}
	return nil
}

func (s *skimmer) syntax(reason string) *Error {
	return &Error{Code: CodeNotJSON, Reason: fmt.Sprintf(wordsNotJSON, s.offset(), reason)}
}

func (s *skimmer) truncated() *Error { return s.syntax(reasonTruncated) }

func (s *skimmer) badUTF8() *Error {
	return &Error{Code: CodeBadUTF8, Reason: fmt.Sprintf(wordsBadUTF8, s.offset())}
}

func (s *skimmer) unexpected(want string) *Error {
	if s.ahead(utf8.UTFMax); s.pos == s.end {
		return s.truncated()
	}
	r, n := utf8.DecodeRune(s.buf[s.pos:s.end])
	if r == utf8.RuneError && n == 1 {
		return s.badUTF8()
	}
	return s.syntax(misplaced(r, want))
}
