package liaison

import (
	"fmt"
	"time"
)

// Instant is a point in time in UTC with microsecond resolution: microseconds
// since 1970-01-01T00:00:00Z. Its text form has exactly six decimals and Z, as
// TAXII 2.1 §2 asks of its timestamps, so instants compare as text too.
type Instant int64

const instantLayout = "2006-01-02T15:04:05.000000Z"

// InstantOf truncates t to microseconds.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Time returns the instant in UTC.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).UTC() }

// Add returns i shifted by d, truncated to microseconds.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d.Microseconds()) }

// IsZero reports whether i was never set. 1970-01-01T00:00:00Z counts as unset.
func (i Instant) IsZero() bool { return i == 0 }

// String returns the six-decimal form, or "" for the zero instant.
func (i Instant) String() string {
	if i == 0 {
		return ""
	}
	return i.Time().Format(instantLayout)
}

// Append appends the six-decimal form to b: 27 bytes for years 0 to 9999.
func (i Instant) Append(b []byte) []byte {
	t := i.Time()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = appendDigits(b, year, 4)
	b = appendDigits(append(b, '-'), int(month), 2)
	b = appendDigits(append(b, '-'), day, 2)
	b = appendDigits(append(b, 'T'), hour, 2)
	b = appendDigits(append(b, ':'), minute, 2)
	b = appendDigits(append(b, ':'), second, 2)
	b = appendDigits(append(b, '.'), t.Nanosecond()/1000, 6)
	return append(b, 'Z')
}

func appendDigits(b []byte, n, width int) []byte {
	for range width {
		b = append(b, '0')
	}
	for i := len(b) - 1; n > 0 && i >= len(b)-width; i-- {
		b[i] = '0' + byte(n%10)
		n /= 10
	}
	return b
}

// MarshalText implements encoding.TextMarshaler.
func (i Instant) MarshalText() ([]byte, error) {
	t := i.Time()
	if y := t.Year(); y < 1 || y > 9999 {
		return nil, fmt.Errorf("instant in year %d has no RFC 3339 form", y)
	}
	return []byte(t.Format(instantLayout)), nil
}

// UnmarshalText accepts the six-decimal form and nothing else. It refuses
// 1970-01-01T00:00:00.000000Z: an end that is written must not read as no end.
func (i *Instant) UnmarshalText(text []byte) error {
	parsed, err := ParseInstant(string(text))
	if err != nil {
		return err
	}
	if parsed.IsZero() {
		return fmt.Errorf("%s counts as no instant: leave it out", text)
	}
	*i = parsed
	return nil
}

// ParseInstant reads what Instant.String wrote.
func ParseInstant(s string) (Instant, error) {
	t, err := time.Parse(instantLayout, s)
	if err != nil || s != t.Format(instantLayout) {
		return 0, fmt.Errorf("%.40q is not an instant like 2026-01-02T03:04:05.000000Z", s)
	}
	return InstantOf(t), nil
}
