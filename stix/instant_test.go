package stix_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

func TestInstantsCompareWithAllTheirDigits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z", 0},
		{"2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.10Z", 0},
		{"2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.49Z", 1},
		{"2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456788Z", 1},
		{"2026-01-01T00:00:00." + strings.Repeat("1", 60) + "1Z", "2026-01-01T00:00:00." + strings.Repeat("1", 60) + "2Z", -1},
		{"2026-01-01T09:00:00+09:00", "2026-01-01T00:00:00Z", 0},
		{"2025-12-31T19:30:00-04:30", "2026-01-01T00:00:00Z", 0},
		{"0000-01-01T00:00:00+01:00", "0000-01-01T00:00:00Z", -1},
		{"2026-01-01t00:00:00z", "2026-01-01T00:00:00Z", 0},
		{"2025-12-31T24:00:00Z", "2026-01-01T00:00:00Z", 0},
		{"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z", 1},
		{"2016-12-31T23:59:60.9Z", "2017-01-01T00:00:00Z", -1},
		{"2017-01-01T08:59:60+09:00", "2016-12-31T23:59:60Z", 0},
		{"1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", -1},
	} {
		got, err := stix.CompareInstants(c.a, c.b)
		back, errBack := stix.CompareInstants(c.b, c.a)
		if got != c.want || back != -c.want || err != nil || errBack != nil {
			t.Errorf("%s, %s: %d and %d, want %d (%v, %v)", c.a, c.b, got, back, c.want, err, errBack)
		}
		a, err := stix.InstantKey(c.a)
		b, errBack := stix.InstantKey(c.b)
		if (a == b) != (c.want == 0) || err != nil || errBack != nil {
			t.Errorf("the keys of %s, %s are %s and %s (%v, %v)", c.a, c.b, a, b, err, errBack)
		}
	}
}

func TestAnInstantOfSTIXEndsInZAndIsReal(t *testing.T) {
	for in, fault := range map[string]string{
		"2026-01-02T03:04:05Z":           "",
		"2026-01-02T03:04:05.6Z":         "",
		"2024-02-29T00:00:00.000Z":       "",
		"2026-02-29T00:00:00Z":           "no such day",
		"1900-02-29T00:00:00Z":           "no such day",
		"2026-00-01T00:00:00Z":           "no such month",
		"2026-13-01T00:00:00Z":           "no such month",
		"2026-01-00T00:00:00Z":           "no such day",
		"2026-01-01T25:00:00Z":           "no such time",
		"2026-01-01T00:60:00Z":           "no such time",
		"2026-01-01T00:00:61Z":           "no such time",
		"2026-01-01T24:00:01Z":           "later than 24:00:00",
		"2026-01-01T24:00:00.01Z":        "later than 24:00:00",
		"2026-01-01T24:00:00Z":           "hour 24",
		"2016-12-31T23:59:60Z":           "",
		"2015-06-30T23:59:60.25Z":        "",
		"2016-12-31T23:58:60Z":           "no leap second",
		"2016-12-31T12:59:60Z":           "no leap second",
		"2016-12-30T23:59:60Z":           "no leap second",
		"2017-01-01T08:59:60+09:00":      "does not end in Z",
		"2026-01-01T00:00:00.Z":          "without digits",
		"2026-01-01T00:00:00,5Z":         "zone",
		"2026-01-01T00:00:00+09:00":      "does not end in Z",
		"2026-01-01T00:00:00+24:00":      "zone",
		"2026-01-01T00:00:00z":           "does not end in Z",
		"2026-01-01t00:00:00Z":           "T between",
		"2026-01-01T00:00:00":            "RFC 3339",
		"2026-01-01T00:00:00.5":          "no zone",
		"2026-01-01 00:00:00Z":           "RFC 3339",
		"2026-01-01":                     "RFC 3339",
		"":                               "RFC 3339",
		"\u0662026-01-01T00:00:00Z":      "RFC 3339",
		"2026-01-01T00:00:00Z ":          "zone",
		"2026-1-01T00:00:00.000Z":        "RFC 3339",
		"20260-01-01T00:00:00Z":          "RFC 3339",
		strings.Repeat("9", 1_000_000):   "RFC 3339",
		"2026-01-01T00:00:00.000Z\u0000": "zone",
	} {
		err := stix.ValidInstant(in)
		if fault == "" && err != nil || fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
			t.Errorf("%.40q: %v, want %q", in, err, fault)
		}
	}
}

// instants draws timestamps that can be ordered.
func instants() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		in := func(label string, low, high int) int { return rapid.IntRange(low, high).Draw(t, label) }
		frac := rapid.StringMatching(`(\.[0-9]{1,12})?`).Draw(t, "fraction")
		zone := rapid.SampledFrom([]string{"Z", "z", "+00:00", "-00:00", "+09:00", "-11:30", "+23:59"}).Draw(t, "zone")
		return fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d%s%s", in("year", 2025, 2026), in("month", 12, 12)%12+1, in("day", 1, 2),
			in("hour", 0, 23), in("minute", 0, 2), in("second", 58, 60), frac, zone)
	})
}

func TestInstantsAreInTotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := instants().Draw(t, "a"), instants().Draw(t, "b"), instants().Draw(t, "c")
		compare := func(x, y string) int {
			n, err := stix.CompareInstants(x, y)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if compare(a, a) != 0 || compare(a, b) != -compare(b, a) {
			t.Fatal("neither reflexive nor antisymmetric")
		}
		if compare(a, b) <= 0 && compare(b, c) <= 0 && compare(a, c) > 0 {
			t.Fatal("not transitive")
		}
		if compare(a, b) == 0 && compare(a, c) != compare(b, c) {
			t.Fatal("equal instants compare differently")
		}
	})
}

func FuzzInstant(f *testing.F) {
	f.Add("2026-01-02T03:04:05.678Z", "2016-12-31T23:59:60+09:00")
	f.Add("2026-01-01T24:00:00Z", "0000-01-01T00:00:00z")
	f.Fuzz(func(t *testing.T, a, b string) {
		ab, err1 := stix.CompareInstants(a, b)
		ba, err2 := stix.CompareInstants(b, a)
		if (err1 == nil) != (err2 == nil) || ab != -ba {
			t.Fatalf("%d, %d, %v, %v", ab, ba, err1, err2)
		}
		if _, err := stix.CompareInstants(a, a); stix.ValidInstant(a) == nil && err != nil {
			t.Fatalf("valid, but cannot be ordered: %v", err)
		}
	})
}
