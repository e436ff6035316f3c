package sqlite

import (
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// FuzzHead keeps two promises: a damaged head is an error and no panic, and a
// head that is read is written again as the same bytes, save for lengths that
// were spelled longer than needed.
func FuzzHead(f *testing.F) {
	for _, e := range []store.Entry{
		{},
		{Added: 1, Kind: liaison.KindOpened},
		{Added: 1 << 50, Kind: liaison.KindObject, ID: "note--a", Version: "2026", Type: "note"},
		{Added: -1, Kind: "x", ID: strings.Repeat("x", 300), Version: strings.Repeat("y", 1<<15), Type: "note"},
	} {
		b, err := appendHead(nil, &e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e, again store.Entry
		if parseHead(b, &e) != nil {
			return
		}
		out, err := appendHead(nil, &e)
		if err != nil || len(out) > len(b) {
			t.Fatalf("%x is written as %x, %v", b, out, err)
		}
		if err := parseHead(out, &again); err != nil || again.Added != e.Added || again.Kind != e.Kind ||
			again.ID != e.ID || again.Version != e.Version || again.Type != e.Type {
			t.Fatalf("%+v is read again as %+v, %v", e, again, err)
		}
	})
}

func TestAKindThatDoesNotFitIsRefused(t *testing.T) {
	if _, err := appendHead(nil, &store.Entry{Kind: liaison.Kind(strings.Repeat("k", 256))}); err == nil {
		t.Error("a kind of 256 bytes fits one byte of length")
	}
}
