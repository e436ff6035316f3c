package desk_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// fleeting is a store whose database is away for one View, and back for the next.
// What the office does by itself is left alone: it has a context that ends.
type fleeting struct {
	store.Store
	views atomic.Int64 // until it is away; negative: it was
}

func (f *fleeting) View(ctx context.Context, fn func(store.View) error) error {
	if ctx.Done() == nil && f.views.Add(-1) == 0 {
		return store.ErrAway
	}
	return f.Store.View(ctx, fn)
}

// awayAtEach lets the database be away at the first View of a batch, then at the
// second, and so on: it is an error, or is accepted, and nothing else comes of it.
func awayAtEach(t *testing.T, f *fleeting, try func(n int) ([]desk.Outcome, error)) {
	t.Helper()
	for n := 1; ; n++ {
		f.views.Store(int64(n))
		out, err := try(n)
		met := f.views.Swap(0) <= 0
		if err != nil && (!met || !errors.Is(err, desk.ErrAway)) {
			t.Fatalf("away at view %d: %v", n, err)
		}
		for i := range out {
			if out[i].Status != desk.Accepted {
				t.Errorf("away at view %d, item %d: %+v", n, i, out[i])
			}
		}
		if err == nil && met {
			t.Errorf("away at view %d, and it is accepted", n)
		}
		if !met {
			if err != nil || len(out) == 0 {
				t.Errorf("never away: %v", err)
			}
			return
		}
	}
}

func TestNothingIsDecidedOnWhatCouldNotBeRead(t *testing.T) {
	f := &fleeting{}
	o := alone(t, Tokyo, Options{Wrap: func(s store.Store) store.Store { f.Store = s; return f }})
	japan, terms := o.As(t, "Japan"), ID("marking-definition", "terms")
	c, trial := Collection("itpp", "cyber"), Collection("trial", "cyber")
	o.Post(t, "Japan", c, statement("terms", stix.Green.Marking()))
	awayAtEach(t, f, func(n int) ([]desk.Outcome, error) {
		more := fmt.Sprint("more", n)
		items := Items(statement(more, stix.Green.Marking()), markedBy(fmt.Sprint("n", n), stix.Green.Marking(), terms, ID("marking-definition", more)))
		return accept(o, japan, desk.Batch{Collection: c, Items: items})
	})
	awayAtEach(t, f, func(n int) ([]desk.Outcome, error) {
		return accept(o, japan, desk.Batch{Collection: c, DryRun: true, Items: Items(markedBy("dry", stix.Green.Marking(), terms))})
	})
	o.Post(t, "Japan", trial, note("mine", 1, stix.Green))
	o.Clock.Move(30 * 24 * time.Hour) // Japan reads it no more
	awayAtEach(t, f, func(n int) ([]desk.Outcome, error) {
		return accept(o, japan, desk.Batch{Collection: trial, Items: Items(revoked("mine", 2, stix.Green))})
	})
}

func TestNoPageIsDecidedOnWhatCouldNotBeRead(t *testing.T) {
	f, clock := &fleeting{}, NewClock()
	seoul := alone(t, Seoul, Options{Clock: clock})
	tokyo := alone(t, Tokyo, Options{Clock: clock, Wrap: func(s store.Store) store.Store { f.Store = s; return f }})
	c, terms := Collection("trial", "cyber"), ID("marking-definition", "terms")
	seoul.Post(t, "Korea", c, statement("terms", stix.Green.Marking()))
	take(t, tokyo, seoul, page(t, tokyo, seoul, c))
	seoul.Post(t, "Korea", c, markedBy("a", stix.Green.Marking(), terms), note("b", 1, stix.Green))
	seoul.Post(t, "Korea", c, revoked("b", 2, stix.Green))
	b := page(t, tokyo, seoul, c)
	awayAtEach(t, f, func(n int) ([]desk.Outcome, error) { return accept(tokyo, registry.Neighbour(Seoul), b) })
	if held := undelivered(t, tokyo); len(held) > 0 {
		t.Errorf("%q", held)
	}
	if fmt.Sprint(tokyo.Shown(t, c)) != fmt.Sprint(seoul.Shown(t, c)) {
		t.Errorf("tokyo shows %v", tokyo.Shown(t, c))
	}
}
