package stix

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// number reads a number.
func (s *scanner) number() *Error {
	n, whole := numberLen(s.src[s.pos:])
	if n <= 0 {
		s.pos -= n
		return s.unexpected("a digit")
	}
	text := s.src[s.pos : s.pos+n]
	s.pos += n
	if !(whole && n <= 15) && beyondIJSON(text) {
		s.find(FindNumber, "§2.10", "a number that a double cannot hold; it compares as written")
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

// isWhole reports a number whose value is an integer, however it is written: 1.0 and 1.5e1
// are 1 and 15 to a reader of JSON.
func isWhole(text []byte) bool {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(string(text)), "e")
	whole, decimals, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	digits := strings.TrimRight(whole+decimals, "0")
	if digits == "" {
		return true
	}
	shift, err := strconv.Atoi(exponent)
	return (err == nil || exponent == "") && len(digits) <= len(whole)+shift
}
