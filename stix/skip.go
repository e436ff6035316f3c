package stix

import (
	"fmt"
	"unicode/utf8"
)

// skipValue steps over one value. open holds the brackets to be closed.
func (s *scanner) skipValue() *Error {
	var open []byte
	for {
		if s.pos >= len(s.src) {
			return s.truncated()
		}
		switch c := s.src[s.pos]; c {
		case '{', '[':
			if len(open) == maxSkipDepth {
				return errSkipTooDeep()
			}
			open = append(open, c+2) // the closing bracket, in ASCII
			s.pos++
			s.space()
			if s.pos < len(s.src) && s.src[s.pos] == c+2 {
				break // empty
			}
			if c == '{' {
				if err := s.skipName(); err != nil {
					return err
				}
			}
			continue
		default:
			if err := s.skipScalar(); err != nil {
				return err
			}
		}
		done, err := s.skipClosing(&open)
		if done || err != nil {
			return err
		}
	}
}

// skipClosing steps over what follows a value, up to the next one.
func (s *scanner) skipClosing(open *[]byte) (done bool, err *Error) {
	for {
		if len(*open) == 0 {
			return true, nil
		}
		s.space()
		closing := (*open)[len(*open)-1]
		switch {
		case s.pos < len(s.src) && s.src[s.pos] == closing:
			s.pos++
			*open = (*open)[:len(*open)-1]
		case s.pos < len(s.src) && s.src[s.pos] == ',':
			s.pos++
			s.space()
			if closing == '}' {
				return false, s.skipName()
			}
			return false, nil
		default:
			return false, s.unexpected(fmt.Sprintf("a comma or %c", closing))
		}
	}
}

func errSkipTooDeep() *Error {
	return &Error{Code: CodeTooDeep, Reason: fmt.Sprintf("nested deeper than %d levels", maxSkipDepth)}
}

func (s *scanner) skipName() *Error {
	if s.pos >= len(s.src) || s.src[s.pos] != '"' {
		return s.unexpected("a member name")
	}
	if err := s.skipString(); err != nil {
		return err
	}
	s.space()
	if s.pos >= len(s.src) || s.src[s.pos] != ':' {
		return s.unexpected("a colon")
	}
	s.pos++
	s.space()
	return nil
}

func (s *scanner) skipScalar() *Error {
	switch c := s.src[s.pos]; {
	case c == '"':
		return s.skipString()
	case c == '-' || c >= '0' && c <= '9':
		n, _ := numberLen(s.src[s.pos:])
		if n <= 0 {
			s.pos -= n
			return s.unexpected("a digit")
		}
		s.pos += n
		return nil
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.unexpected("a value")
}

// skipString steps over a string. Lone surrogates are grammatical.
func (s *scanner) skipString() *Error {
	for s.pos++; ; {
		s.pos = skipPlain(s.src, s.pos)
		if s.pos >= len(s.src) {
			return s.truncated()
		}
		switch c := s.src[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			n, _, ok := readEscape(s.src[s.pos:])
			switch {
			case n == 0:
				s.pos = len(s.src)
				return s.truncated()
			case !ok:
				return s.syntax(reasonEscape)
			}
			s.pos += n
		case c < ' ':
			return s.syntax(reasonControl)
		default:
			r, n := utf8.DecodeRune(s.src[s.pos:])
			if r == utf8.RuneError && n == 1 {
				return s.badUTF8()
			}
			s.pos += n
		}
	}
}
