package pattern

import (
	"strings"
	"time"
)

const (
	timestampShape = "0000-00-00T00:00:00" // 0 stands for any digit
	timestampWords = "a timestamp in UTC like 2026-01-02T03:04:05.678Z, with capital T and Z (§2.16)"
)

// timestamp reads t'...' (§9.2, §2.16).
func (l *lexer) timestamp() {
	start := l.pos + 2
	for i := range len(timestampShape) {
		if !l.hasShape(start+i, timestampShape[i]) {
			l.failAt(start+i, timestampWords)
			return
		}
	}
	i := start + len(timestampShape)
	if l.at(i, '.') && l.is(i+1, digit) {
		i = l.digits(i + 1)
	}
	switch {
	case !l.at(i, 'Z'):
		l.failAt(i, timestampWords)
	case !l.at(i+1, '\''):
		l.failAt(i+1, "the apostrophe that closes the timestamp")
	case l.rangesHold(start):
		l.token(timestampLiteral, i+2)
	}
}

func (l *lexer) hasShape(offset int, shape byte) bool {
	if shape == '0' {
		return l.is(offset, digit)
	}
	return l.at(offset, shape)
}

// rangesHold fails for the first part that no date or time of day has. A second 60 is a leap
// second; whether a month has the day is left to [Pattern.Findings].
func (l *lexer) rangesHold(start int) bool {
	for _, part := range [...]struct {
		at, low, high int
		words         string
	}{
		{5, 1, 12, "a month from 01 to 12"},
		{8, 1, 31, "a day from 01 to 31"},
		{11, 0, 23, "an hour from 00 to 23"},
		{14, 0, 59, "a minute from 00 to 59"},
		{17, 0, 60, "a second from 00 to 60"},
	} {
		if n := twoDigits(l.src[start+part.at:]); n < part.low || n > part.high {
			l.fail(start+part.at, quoteShort(l.src[start+part.at:start+part.at+2]), part.words)
			return false
		}
	}
	return true
}

func twoDigits(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

// realInstant tells whether the calendar has the instant of a timestamp that was read: RFC 3339
// §5.7 has no 30th of February, and a leap second only at the end of a month in UTC.
func realInstant(text string) bool {
	date, clock := text[:len("0000-00-00")], text[len("0000-00-00T"):]
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return false
	}
	return clock[6] < '6' || clock[:5] == "23:59" && day.AddDate(0, 0, 1).Day() == 1
}

// before tells whether timestamp a is earlier than b. The text of both has the same shape, so
// that text orders them once trailing zeros are gone.
func before(a, b string) bool { return instantKey(a) < instantKey(b) }

func instantKey(text string) string {
	text = text[:len(text)-1]
	if len(text) == len(timestampShape) {
		return text
	}
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
