package stix

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// string reads a string.
func (s *scanner) string() (escaped bool, err *Error) {
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
			if invisible {
				s.find(FindInvisible, "", "text has direction overrides, zero-width or tag characters")
			}
			return escaped, s.checkSize()
		case c == '\\':
			if len(s.out)+i-s.from > s.lim.ObjectBytes {
				return false, s.lim.objectTooLarge()
			}
			escaped = true
			n, r, err := s.escape(i)
			if err != nil {
				return false, err
			}
			invisible = invisible || isInvisible(r)
			i += n
		case c < ' ':
			s.pos = i
			return false, s.syntax(reasonControl)
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
		return 0, 0, s.syntax(reasonEscape)
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

// unquote returns the text of a JSON string that was read before.
func unquote(quoted []byte) string { return string(unquoteBytes(quoted)) }

// unquoteBytes is unquote without a copy where there are no escapes: the text is then part
// of what is given.
func unquoteBytes(quoted []byte) []byte {
	inside := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	text, err := jsontext.AppendUnquote(make([]byte, 0, len(inside)), quoted)
	if err != nil {
		return bytes.ToValidUTF8(inside, nil)
	}
	return text
}
