package exchange

import (
	"testing"
	"time"

	"github.com/liaison-office/liaison"
)

func FuzzParseReceipt(f *testing.F) {
	c := liaison.CollectionOf(liaison.H(nil), "cyber", 1)
	for _, s := range []string{ReceiptPath(c, 0), ReceiptPath(c, 1<<39), "/receipts/", "/receipts//", "", ReceiptPath(c, 7) + "/", "/receipts/" + c.String() + "/07/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		c, index, err := parseReceipt(path)
		if (err == nil) != (path == ReceiptPath(c, index) && !c.IsZero()) {
			t.Errorf("%q: %s %d %v", path, c, index, err)
		}
	})
}

func FuzzCursorOpens(f *testing.F) {
	now := func() time.Time { return time.Unix(1_800_000_000, 0) }
	s := newSealer([32]byte{1}, now)
	bound := cursorBinding("account:a", "c", "f")
	valid := s.seal(place{index: 42, generation: 1}, bound)
	f.Add(valid)
	f.Add("")
	f.Add(s.seal(place{index: 42, generation: 1}, cursorBinding("account:b", "c", "f")))
	f.Add(newSealer([32]byte{2}, now).seal(place{index: 42, generation: 1}, bound))
	f.Fuzz(func(t *testing.T, token string) {
		at, err := s.open(token, bound)
		if (err == nil) != (token == valid) || err == nil && at.index != 42 {
			t.Errorf("%q opens as %+v, %v", token, at, err)
		}
	})
}
