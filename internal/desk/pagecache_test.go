package desk_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// beside opens another desk on the store of an office: another process, for what
// it keeps in memory.
func beside(t *testing.T, o *Office, pageCache int) *desk.Desk {
	d := desk.New(desk.Config{Office: o.Name, Journal: o.Journal, Pinned: registry.New(Pin()), Log: slog.New(slog.DiscardHandler), Now: o.Clock.Now, PageCache: pageCache})
	if err := d.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestKeptPagesAreAsTheLogIsNow compares desks that keep pages with one that keeps
// none, while versions come that hide others: of the reader's own process and of
// another one.
func TestKeptPagesAreAsTheLogIsNow(t *testing.T) {
	o := New(t, Tokyo, Options{})
	o.Found(t)
	v, c := o.As(t, "Japan"), Collection("itpp", "cyber")
	plain, roomy, narrow := beside(t, o, -1), beside(t, o, 0), beside(t, o, 4000)
	ctx, next, hits := context.Background(), 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(t, "objects") {
			name, version := fmt.Sprint("new ", next), 1
			if next++; next > 3 && rapid.Bool().Draw(t, "later version") {
				name, version = fmt.Sprint("new ", rapid.IntRange(0, next-2).Draw(t, "of")), next
			}
			writer := rapid.SampledFrom([]*desk.Desk{o.Desk, plain, roomy, narrow}).Draw(t, "writer")
			if _, err := writer.Accept(ctx, v, desk.Batch{Collection: c, Items: Items(note(name, version%60, stix.Green))}); err != nil {
				t.Fatal(err)
			}
		}
		q := desk.Query{Collection: c, From: uint64(rapid.IntRange(0, 8).Draw(t, "from")), Limit: rapid.IntRange(1, 5).Draw(t, "limit")}
		want := readPage(t, plain, v, q)
		for range 3 { // the second keeps it, the third finds it
			for _, d := range []*desk.Desk{roomy, narrow} {
				if got := readPage(t, d, v, q); got != want {
					t.Fatalf("a kept page is %s\nthe log says     %s", got, want)
				}
			}
		}
		hits += roomy.PagesKept()
		if most := narrow.PageBytes(); most > 4000 {
			t.Fatalf("%d bytes are kept, want 4000 at most", most)
		}
	})
	if hits == 0 {
		t.Error("no page was ever kept: the test shows nothing")
	}
}

func readPage(t *rapid.T, d *desk.Desk, v desk.Viewer, q desk.Query) string {
	page, err := d.Read(context.Background(), v, q)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Release()
	text := fmt.Sprintln(page.More, page.Generation, page.Next, string(page.Joined))
	for _, e := range page.Entries {
		text += fmt.Sprintln(e.Index, e.Added, e.ID, e.Version, e.Type, string(e.Bytes))
	}
	return text
}

// TestAKeptPageIsGoneWithWhatIsHidden: by another process, which tells nobody. It
// is let go even if nobody asks for it.
func TestAKeptPageIsGoneWithWhatIsHidden(t *testing.T) {
	o := New(t, Tokyo, Options{})
	o.Found(t)
	v, c := o.As(t, "Japan"), Collection("itpp", "cyber")
	for n := range 5 {
		o.Post(t, "Japan", c, note(fmt.Sprint(n), 1, stix.Green))
	}
	q := desk.Query{Collection: c, Limit: 2}
	for range 3 {
		page, err := o.Desk.Read(context.Background(), v, q)
		if err != nil || len(page.Entries) != 2 {
			t.Fatal(page, err)
		}
	}
	if o.Desk.PagesKept() != 1 {
		t.Fatal("the page is not kept")
	}
	if _, err := beside(t, o, 0).Accept(context.Background(), v, desk.Batch{Collection: c, Items: Items(note("0", 2, stix.Green))}); err != nil {
		t.Fatal(err)
	}
	if err := o.Desk.SweepPages(context.Background()); err != nil || o.Desk.PagesKept() != 0 {
		t.Errorf("%v: the page is kept on", err)
	}
	for range 2 {
		if _, err := o.Desk.Read(context.Background(), v, q); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Desk.SweepPages(context.Background()); err != nil || o.Desk.PagesKept() != 1 {
		t.Errorf("%v: a page that is true is let go", err)
	}
	if _, err := beside(t, o, 0).Accept(context.Background(), v, desk.Batch{Collection: c, Items: Items(note("1", 2, stix.Green))}); err != nil {
		t.Fatal(err)
	}
	page, err := o.Desk.Read(context.Background(), v, q)
	if err != nil || page.Entries[0].Index != 2 {
		t.Fatalf("%v: the page begins with entry %d, which another process has hidden", err, page.Entries[0].Index)
	}
}

// TestWhoMayNotReadGetsNoKeptPage: the right to read is asked first.
func TestWhoMayNotReadGetsNoKeptPage(t *testing.T) {
	o := New(t, Tokyo, Options{})
	o.Found(t)
	c := Collection("itpp", "cyber")
	for n := range 5 {
		o.Post(t, "Japan", c, note(fmt.Sprint(n), 1, stix.Green))
	}
	q := desk.Query{Collection: c, Limit: 2}
	v := o.As(t, "Japan")
	for range 3 {
		if _, err := o.Desk.Read(context.Background(), v, q); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.Read(t, "India", q); err == nil {
		t.Error("India reads a page that was kept for Japan")
	}
	err := o.Store.Update(context.Background(), store.Lock{}, func(tx store.Tx) error { return tx.Delete(desk.BucketAccounts, Account("Japan").Name) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Desk.Read(context.Background(), v, q); err == nil {
		t.Error("an account that is gone reads a page that was kept")
	}
}
