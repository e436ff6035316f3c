package desk_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

// TestALostStoreIsNotRefilledWithHoles: a neighbour returns what it had from
// here without the objects. Even when the anchors are lost too, no page of it is
// taken, and what this office signed before proves the loss.
func TestALostStoreIsNotRefilledWithHoles(t *testing.T) {
	seoul, tokyo := New(t, Seoul, Options{}), New(t, Tokyo, Options{})
	c := Collection("community", "cyber")
	for _, o := range []*Office{seoul, tokyo} {
		o.Found(t)
	}
	for _, name := range []string{"a", "b", "c"} {
		seoul.Post(t, "Korea", c, note(name, 1, stix.Green))
	}
	whole, _, err := tokyo.Page(t.Context(), seoul, c, 0)
	if err != nil {
		t.Fatal(err)
	}
	Settle(t, seoul, tokyo)
	if tokyo.Size(t, c) != 3 {
		t.Fatalf("tokyo holds %d, want 3", tokyo.Size(t, c))
	}
	for _, founded := range []bool{true, false} {
		var log strings.Builder
		empty := New(t, Seoul, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if founded {
			empty.Found(t)
		}
		b, ok, err := empty.Page(t.Context(), tokyo, c, 0)
		if err != nil || !ok || len(b.Items[0].Arrival.Travels.Bytes) != 0 {
			t.Fatalf("the page: %v %v", ok, err)
		}
		for range 2 {
			_, err = empty.Desk.Accept(t.Context(), registry.Neighbour(Tokyo), b)
			if !errors.Is(err, desk.ErrNoWrite) || !strings.Contains(err.Error(), "restore the newest backup, or ask the neighbours") {
				t.Errorf("the page is taken: %v", err)
			}
		}
		if at := position(t, empty, tokyo, c); at != 0 {
			t.Errorf("it follows from %d, want 0", at)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d errors, want 1:\n%s", n, log.String())
		}
		if founded {
			v := empty.As(t, "Korea")
			_, err := empty.Desk.Accept(t.Context(), v, desk.Batch{Collection: c, Items: Items(note("d", 1, stix.Green))})
			if !errors.Is(err, desk.ErrNoWrite) {
				t.Errorf("the log begins anew: %v", err)
			}
		}

		b.Items[0].Arrival.Travels.Hops = nil // no proof: the page waits all the same
		if _, err := New(t, Seoul, Options{}).Desk.Accept(t.Context(), registry.Neighbour(Tokyo), b); err == nil || !strings.Contains(err.Error(), "restore the newest backup") {
			t.Errorf("without proof the page is taken: %v", err)
		}
		sent := whole.Items[0].Arrival.Travels // as a further office could bring it: with its object
		b.Items[0].Arrival.Travels.Salt, b.Items[0].Arrival.Travels.Bytes = sent.Salt, sent.Bytes
		b.Items = b.Items[:1]
		if _, err := New(t, Seoul, Options{}).Desk.Accept(t.Context(), registry.Neighbour(Tokyo), b); err == nil || !strings.Contains(err.Error(), "restore the newest backup") {
			t.Errorf("this office's own act, with its object, is taken: %v", err)
		}
	}
}

// TestWhatALostStoreRelayedIsMissedToo: an act of seoul that hq had from tokyo
// comes back to tokyo without its object.
func TestWhatALostStoreRelayedIsMissedToo(t *testing.T) {
	seoul, tokyo, hq := New(t, Seoul, Options{}), New(t, Tokyo, Options{}), New(t, HQ, Options{})
	for _, o := range []*Office{seoul, tokyo, hq} {
		o.Found(t)
	}
	c := Collection("community", "cyber")
	seoul.Post(t, "Korea", c, note("a", 1, stix.Green))
	Settle(t, seoul, tokyo, hq)
	empty := New(t, Tokyo, Options{})
	empty.Found(t)
	b, ok, err := empty.Page(t.Context(), hq, c, 0)
	if err != nil || !ok {
		t.Fatalf("the page: %v %v", ok, err)
	}
	if _, err := empty.Desk.Accept(t.Context(), registry.Neighbour(HQ), b); !errors.Is(err, desk.ErrNoWrite) {
		t.Errorf("the page is taken: %v", err)
	}
}

func position(t *testing.T, o, from *Office, c liaison.CollectionID) uint64 {
	t.Helper()
	p, err := o.Desk.Read(context.Background(), registry.Neighbour(from.Name), desk.Query{What: desk.Position, Origin: from.Origin(c)})
	if err != nil {
		t.Fatal(err)
	}
	return p.Follow.Size
}

// TestAnOfficeThatCannotKeepAnchorsCannotWrite: the sender is told to come
// again, and nothing is accepted without a receipt.
func TestAnOfficeThatCannotKeepAnchorsCannotWrite(t *testing.T) {
	tokyo := New(t, Tokyo, Options{})
	tokyo.Found(t)
	c := Collection("community", "cyber")
	tokyo.Post(t, "Japan", c, note("a", 1, stix.Green))
	anchors := filepath.Join(tokyo.Dir, "anchors")
	if err := errors.Join(os.Rename(anchors, anchors+".away"), os.WriteFile(anchors, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err := tokyo.Desk.Accept(t.Context(), tokyo.As(t, "Japan"), desk.Batch{Collection: c, Items: Items(note("b", 1, stix.Green))})
	if !errors.Is(err, desk.ErrNoWrite) {
		t.Errorf("it is accepted: %v", err)
	}
	if _, err := tokyo.Read(t, "Japan", desk.Query{What: desk.Receipts, Collection: c}); !errors.Is(err, desk.ErrNoWrite) {
		t.Errorf("its receipt: %v", err)
	}
	if page, err := tokyo.Read(t, "Japan", desk.Query{Collection: c}); err != nil || len(page.Entries) != 1 {
		t.Errorf("it cannot be read: %v", err)
	}
}
