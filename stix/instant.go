package stix

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// instant is a point in time that keeps every digit: the minute in UTC, the second
// within it (60 is a leap second, later than 59 and earlier than the next minute) and
// the decimals without trailing zeros.
type instant struct {
	minute int64
	second uint8
	frac   string
}

func (a instant) compare(b instant) int {
	switch {
	case a.minute != b.minute:
		return sign(a.minute < b.minute)
	case a.second != b.second:
		return sign(a.second < b.second)
	}
	return strings.Compare(a.frac, b.frac)
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// CompareInstants returns -1, 0 or 1 as a is before, at or after b, with all their
// digits: 00Z equals 00.000Z, offsets compare by instant, a leap second stands between
// its neighbours. An error names the text that is no instant.
func CompareInstants(a, b string) (int, error) {
	x, _, err := readInstant(a)
	if err != nil {
		return 0, err
	}
	y, _, err := readInstant(b)
	if err != nil {
		return 0, err
	}
	return x.compare(y), nil
}

// InstantKey returns a text that instants have in common exactly if
// CompareInstants says 0 of them.
func InstantKey(s string) (string, error) {
	at, _, err := readInstant(s)
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(at.minute, 10) + ":" + strconv.Itoa(int(at.second)) + "." + at.frac, nil
}

// ValidInstant reports why s is not a timestamp as STIX 2.1 §2.16 wants it:
// YYYY-MM-DDTHH:mm:ss[.s+]Z. A leap second at the end of a month is one.
func ValidInstant(s string) error {
	_, fault, err := readInstant(s)
	if err == nil && fault != "" {
		err = fmt.Errorf("timestamp %s %s", quoteShort(s), fault)
	}
	return err
}

// readInstant reads RFC 3339 with any number of decimals and any offset, the hour 24:00:00
// and leap seconds. fault says what STIX does not allow in an instant that was read.
func readInstant(s string) (at instant, fault string, err error) {
	bad := func(why string) (instant, string, error) {
		return instant{}, "", fmt.Errorf("timestamp %s %s", quoteShort(s), why)
	}
	const shape = "0000-00-00T00:00:00"
	if len(s) <= len(shape) || !fits(s, shape) {
		return bad("is not like 2026-01-02T03:04:05.678Z (RFC 3339)")
	}
	year, month, day := digits(s[:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	frac, zone, ok := splitFraction(s[len(shape):])
	if !ok {
		return bad("has a decimal point without digits")
	}
	offset, zoneOK := readZone(zone)
	switch {
	case !zoneOK && zone == "":
		return bad("has no zone: it needs a Z")
	case !zoneOK:
		return bad("has a zone that is neither Z nor an offset like +09:00")
	case month < 1 || month > 12:
		return bad("has no such month")
	case day < 1 || day > daysIn(year, month):
		return bad("has no such day")
	case hour == 24 && (minute > 0 || second > 0 || strings.Trim(frac, "0") != ""):
		return bad("is later than 24:00:00")
	case hour > 24 || minute > 59 || second > 60:
		return bad("has no such time of day")
	}
	days := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86400
	at.minute = days*1440 + int64(hour*60+minute-offset)
	at.second, at.frac = uint8(second), strings.TrimRight(frac, "0")
	return at, instantFault(s, zone), nil
}

// instantFault looks at an instant that was read. A leap second ends a month (RFC 3339 §5.7).
func instantFault(s, zone string) string {
	clock, second := s[11:16], s[17:19]
	switch {
	case zone != "Z":
		return "does not end in Z"
	case s[10] != 'T':
		return "does not have a T between date and time"
	case clock == "24:00":
		return "has the hour 24"
	case second == "60" && (clock != "23:59" || digits(s[8:10]) != daysIn(digits(s[:4]), digits(s[5:7]))):
		return "is no leap second: those end the last minute of a month"
	}
	return ""
}

// fits compares the start of s with shape, in which 0 stands for any digit. The T may
// be written small, as RFC 3339 §5.6 permits.
func fits[T ~string | ~[]byte](s T, shape string) bool {
	for i := range len(shape) {
		switch c := s[i]; shape[i] {
		case '0':
			if c < '0' || c > '9' {
				return false
			}
		case 'T':
			if c != 'T' && c != 't' {
				return false
			}
		default:
			if c != shape[i] {
				return false
			}
		}
	}
	return true
}

// digits reads decimal digits that were checked before.
func digits(s string) (n int) {
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// splitFraction cuts the decimals from the zone; ok is false for a point without digits.
func splitFraction(s string) (frac, zone string, ok bool) {
	if s == "" || s[0] != '.' {
		return "", s, true
	}
	n := 1
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[1:n], s[n:], n > 1
}

// readZone returns the minutes that local time is ahead of UTC.
func readZone(s string) (minutes int, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || !fits(s[1:], "00:00") {
		return 0, false
	}
	h, m := digits(s[1:3]), digits(s[4:6])
	if h > 23 || m > 59 {
		return 0, false
	}
	if s[0] == '-' {
		return -h*60 - m, true
	}
	return h*60 + m, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
