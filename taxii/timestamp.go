package taxii

import (
	"fmt"
	"strings"
	"time"
)

// TimestampLayout is how TAXII writes an instant: RFC 3339 in UTC with exactly
// six decimals and Z (TAXII 2.1 §2). Such texts sort as the instants do.
const TimestampLayout = "2006-01-02T15:04:05.000000Z"

// FormatTimestamp writes t, truncated to microseconds.
func FormatTimestamp(t time.Time) string { return t.UTC().Format(TimestampLayout) }

// maxTimestampLen admits 20 decimals; more than that is no clock's reading.
const maxTimestampLen = 40

// ParseTimestamp reads a TAXII timestamp and, because clients send them, also
// one with another number of decimals, with +00:00 for Z, and with the space
// that an unescaped "+" becomes in a URL. Digits after the sixth are dropped,
// which changes no comparison with instants of microseconds. Other offsets are
// refused.
func ParseTimestamp(s string) (time.Time, error) {
	bare, ok := cutUTC(s)
	if !ok || len(s) > maxTimestampLen {
		return time.Time{}, fmt.Errorf("want a UTC timestamp such as 2026-01-02T03:04:05.000000Z")
	}
	seconds, decimals, _ := strings.Cut(bare, ".")
	t, err := time.Parse("2006-01-02T15:04:05", seconds)
	if err != nil || len(seconds) != len("2006-01-02T15:04:05") {
		return time.Time{}, fmt.Errorf("not a date and time: want one such as 2026-01-02T03:04:05.000000Z")
	}
	if len(seconds) == len(bare) {
		return t, nil
	}
	micros, ok := microseconds(decimals)
	if !ok {
		return time.Time{}, fmt.Errorf("the decimals of the second are not digits")
	}
	return t.Add(micros), nil
}

func cutUTC(s string) (string, bool) {
	for _, zone := range []string{"Z", "+00:00", " 00:00"} {
		if bare, ok := strings.CutSuffix(s, zone); ok {
			return bare, true
		}
	}
	return "", false
}

// microseconds reads decimals of a second, at least one digit, and drops those
// after the sixth.
func microseconds(decimals string) (time.Duration, bool) {
	n := 0
	for i := range max(6, len(decimals)) {
		digit := byte('0')
		if i < len(decimals) {
			digit = decimals[i]
		}
		if digit < '0' || digit > '9' {
			return 0, false
		}
		if i < 6 {
			n = n*10 + int(digit-'0')
		}
	}
	return time.Duration(n) * time.Microsecond, decimals != ""
}
