package pattern

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// A lexer cuts a pattern into tokens without copying it. The first failure is kept; after it
// the pattern is at its end, so that whoever reads on stops by himself.
type lexer struct {
	src   string
	pos   int // of the first byte after tok
	tok   token
	err   *Error
	steps int // bytes looked at and nodes handled: the work done
}

// fail keeps the first failure.
func (l *lexer) fail(offset int, found, expected string) {
	if l.err == nil {
		line, column := place(l.src, offset)
		l.err = &Error{offset, line, column, found, expected}
	}
	l.pos = len(l.src)
	l.tok = token{end, l.pos, l.pos}
}

// failAt is fail for one character of the pattern.
func (l *lexer) failAt(offset int, expected string) {
	if offset >= len(l.src) {
		l.fail(offset, "the end of the pattern", expected)
		return
	}
	_, size := utf8.DecodeRuneInString(l.src[offset:])
	l.fail(offset, strconv.Quote(l.src[offset:offset+size]), expected)
}

// Classes of the bytes a token may start with or go on with.
const (
	letter = 1 << iota // _ too
	digit
	hexDigit // with small letters (§9.2)
	base64Digit
)

var classes = func() (table [256]uint8) {
	for c := range len(table) {
		switch {
		case c >= 'a' && c <= 'f':
			table[c] = letter | hexDigit | base64Digit
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			table[c] = letter | base64Digit
		case c >= '0' && c <= '9':
			table[c] = digit | hexDigit | base64Digit
		case c == '+' || c == '/':
			table[c] = base64Digit
		case c == '_':
			table[c] = letter
		}
	}
	return table
}()

// is tells whether the byte at offset has one of the classes.
func (l *lexer) is(offset int, class uint8) bool {
	return offset < len(l.src) && classes[l.src[offset]]&class != 0
}

// at tells whether the byte at offset is c.
func (l *lexer) at(offset int, c byte) bool { return offset < len(l.src) && l.src[offset] == c }

// next reads the next token.
func (l *lexer) next() {
	from := l.pos
	l.skipSpace()
	start := l.pos
	switch {
	case start == len(l.src):
		l.tok = token{end, start, start}
	case l.is(start, letter):
		l.word()
	case l.src[start] == '\'':
		l.quoted()
	case l.is(start, digit), l.at(start, '-'), l.at(start, '.') && l.is(start+1, digit):
		l.number()
	default:
		l.symbol()
	}
	l.steps += 1 + l.pos - from
}

// token takes the bytes before stop as a token.
func (l *lexer) token(k kind, stop int) {
	l.tok = token{k, l.pos, stop}
	l.pos = stop
}

// skipSpace skips white space as Unicode defines it (§9.1, §9.4).
func (l *lexer) skipSpace() {
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		if c < utf8.RuneSelf {
			if c != ' ' && (c < '\t' || c > '\r') {
				return
			}
			l.pos++
			continue
		}
		r, size := utf8.DecodeRuneInString(l.src[l.pos:])
		if !unicode.IsSpace(r) {
			return
		}
		l.pos += size
	}
}

// symbols are the tokens of one byte that begin no other.
var symbols = [128]kind{
	'[': leftBracket, ']': rightBracket, '(': leftParen, ')': rightParen,
	':': colon, '.': dot, ',': comma, '*': asterisk, '=': equal, '<': less, '>': greater,
}

// symbol reads punctuation and the comparison operators that are made of it.
func (l *lexer) symbol() {
	c, k := l.src[l.pos], end
	if c < 128 {
		k = symbols[c]
	}
	switch second := l.pos + 1; {
	case c == '=' && l.at(second, '='):
		l.token(equal, l.pos+2)
	case c == '!' && l.at(second, '='), c == '<' && l.at(second, '>'):
		l.token(notEqual, l.pos+2)
	case c == '<' && l.at(second, '='):
		l.token(lessOrEqual, l.pos+2)
	case c == '>' && l.at(second, '='):
		l.token(greaterOrEqual, l.pos+2)
	case k != end:
		l.token(k, l.pos+1)
	case c == '+' && (l.is(second, digit) || l.at(second, '.')):
		l.failAt(l.pos, "a number without a plus sign (§9.2)")
	case c == '"':
		l.failAt(l.pos, "apostrophes around a string or a name (§9.2)")
	case c == '/' && (l.at(second, '*') || l.at(second, '/')):
		l.failAt(l.pos, "no comment: the language has none")
	default:
		_, size := utf8.DecodeRuneInString(l.src[l.pos:])
		l.token(other, l.pos+size)
	}
}

// word reads a name, a keyword, or a constant with a letter before its apostrophe.
func (l *lexer) word() {
	stop, hyphen := l.pos+1, false
	for {
		if l.at(stop, '-') {
			hyphen = true
		} else if !l.is(stop, letter|digit) {
			break
		}
		stop++
	}
	if stop == l.pos+1 && l.at(stop, '\'') {
		switch l.src[l.pos] {
		case 't':
			l.timestamp()
			return
		case 'h':
			l.hex()
			return
		case 'b':
			l.binary()
			return
		}
	}
	l.token(wordKind(l.src[l.pos:stop], hyphen), stop)
}

// text returns the token as it is written, without apostrophes and what stands before them.
func (l *lexer) text() string {
	switch t := l.tok; t.kind {
	case stringLiteral:
		return l.src[t.start+1 : t.end-1]
	case hexLiteral, binaryLiteral, timestampLiteral:
		return l.src[t.start+2 : t.end-1]
	default:
		return l.src[t.start:t.end]
	}
}
