package pattern

import (
	"math"
	"strconv"
)

// quoted reads a string. A backslash stands before an apostrophe or a backslash, and before
// nothing else (§9.2).
func (l *lexer) quoted() {
	for i := l.pos + 1; i < len(l.src); i++ {
		switch l.src[i] {
		case '\'':
			l.token(stringLiteral, i+1)
			return
		case '\\':
			if i++; !l.at(i, '\'') && !l.at(i, '\\') {
				l.failAt(i, `an apostrophe or a backslash after the backslash (a backslash itself is written \\)`)
				return
			}
		}
	}
	l.unclosed("string")
}

// unclosed fails for a constant that has no second apostrophe.
func (l *lexer) unclosed(what string) {
	line, column := place(l.src, l.pos)
	l.failAt(len(l.src), "the apostrophe that closes the "+what+
		" begun in line "+strconv.Itoa(line)+", column "+strconv.Itoa(column))
}

// hex reads h'...' (§9.2).
func (l *lexer) hex() {
	i := l.pos + 2
	for l.is(i, hexDigit) {
		i++
	}
	switch count := i - l.pos - 2; {
	case i == len(l.src):
		l.unclosed("hex constant")
	case l.src[i] != '\'':
		l.failAt(i, "hexadecimal digits 0 to 9 and small a to f, then an apostrophe")
	case count%2 != 0:
		l.fail(i, strconv.Itoa(count)+" hexadecimal digits", "an even number of them: two for each byte")
	default:
		l.token(hexLiteral, i+1)
	}
}

// binary reads b'...': base64 with its padding, in which line feeds count as nothing (§9.2).
func (l *lexer) binary() {
	i, count, padding := l.pos+2, 0, 0
	for ; i < len(l.src) && l.src[i] != '\''; i++ {
		switch {
		case l.src[i] == '\n':
		case l.src[i] == '=':
			padding++
		case l.is(i, base64Digit) && padding == 0:
			count++
		default:
			l.failAt(i, "base64: A to Z, a to z, 0 to 9, + and /, then = as padding (RFC 4648 §4)")
			return
		}
	}
	switch {
	case i == len(l.src):
		l.unclosed("binary constant")
	case padding > 2 || (count+padding)%4 != 0:
		l.fail(i, strconv.Itoa(count)+" characters of base64 and "+strconv.Itoa(padding)+" of padding",
			"groups of four, the last one filled up with one or two =")
	default:
		l.token(binaryLiteral, i+1)
	}
}

// number reads an integer or a float, the sign of a negative one included.
func (l *lexer) number() {
	first := l.pos
	if l.src[first] == '-' {
		first++
	}
	whole := l.digits(first)
	if whole > first+1 && l.src[first] == '0' {
		l.fail(l.pos, quoteShort(l.src[l.pos:whole]), "a number without leading zeros")
		return
	}
	switch {
	case l.at(whole, '.') && l.is(whole+1, digit):
		l.float(whole, l.digits(whole+1))
	case whole == first:
		l.failAt(l.pos, "digits after the minus sign")
	case !fitsInteger(l.src[first:whole]):
		l.fail(l.pos, quoteShort(l.src[l.pos:whole]), "an integer from -(2^53)+1 to (2^53)-1 (§2.10)")
	default:
		l.token(integerLiteral, whole)
	}
}

func (l *lexer) digits(i int) int {
	for l.is(i, digit) {
		i++
	}
	return i
}

func fitsInteger(digits string) bool {
	const longest = 16 // digits of maxInteger
	if len(digits) != longest {
		return len(digits) < longest
	}
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n <= maxInteger
}

// float takes a number whose point is at whole, unless it is larger than a double (§2.6).
func (l *lexer) float(whole, stop int) {
	const harmless = 300 // digits before the point that cannot overflow
	if whole-l.pos > harmless {
		if f, _ := strconv.ParseFloat(l.src[l.pos:stop], 64); math.IsInf(f, 0) {
			l.fail(l.pos, quoteShort(l.src[l.pos:stop]), "a number that a double holds (§2.6)")
			return
		}
	}
	l.token(floatLiteral, stop)
}
