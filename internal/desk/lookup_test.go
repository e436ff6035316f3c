package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// watched is a store that writes down what is asked of it and what it yields.
type watched struct {
	store.Store
	mu    sync.Mutex
	asked []string // guarded by mu
}

func (w *watched) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, fmt.Sprintf(format, args...))
}

// take returns what was asked since the last time.
func (w *watched) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked := w.asked
	w.asked = nil
	return asked
}

func (w *watched) View(ctx context.Context, fn func(store.View) error) error {
	return w.Store.View(ctx, func(v store.View) error {
		w.note("view")
		return fn(watchedView{v, w})
	})
}

func (w *watched) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	w.note("update")
	return w.Store.Update(ctx, lock, fn)
}

type watchedView struct {
	store.View
	w *watched
}

func (v watchedView) Find(c liaison.CollectionID, id string, part store.Part, yield func(*store.Entry) error) error {
	v.w.note("find %d", part)
	return v.View.Find(c, id, part, func(e *store.Entry) error {
		v.w.note("entry")
		return yield(e)
	})
}

func (v watchedView) Range(c liaison.CollectionID, from, to uint64, part store.Part, yield func(*store.Entry) error) error {
	v.w.note("range")
	return v.View.Range(c, from, to, part, yield)
}

func (v watchedView) State(bucket, key string) ([]byte, bool, error) {
	v.w.note("state of %s", bucket)
	return v.View.State(bucket, key)
}

// TestTheSameIsLookedUpForACollectionThatDoesNotExist: how long an answer takes
// does not say which collections there are, nor what is in them.
func TestTheSameIsLookedUpForACollectionThatDoesNotExist(t *testing.T) {
	var w *watched
	o := alone(t, HQ, Options{Wrap: func(s store.Store) store.Store { w = &watched{Store: s}; return w }})
	hidden, none := Collection("itpp", "cyber"), liaison.CollectionOf(liaison.H(nil), "none", 1)
	o.Post(t, "NATO", hidden, note("n", 1, stix.Green), note("n", 2, stix.Green), note("n", 3, stix.Green))
	v := o.As(t, "Denmark")
	asked := func(c liaison.CollectionID, objects ...[]byte) []string {
		w.take()
		if _, err := accept(o, v, desk.Batch{Collection: c, Items: Items(objects...)}); !errors.Is(err, desk.ErrNotFound) {
			t.Fatal(err)
		}
		return w.take()
	}
	for what, objects := range map[string][][]byte{
		"a note":                    {note("n", 4, stix.Green)},
		"a withdrawal":              {revoked("n", 4, stix.Green)},
		"of what nobody released":   {revoked("absent", 4, stix.Green)},
		"many":                      {revoked("absent", 4, stix.Green), revoked("n", 4, stix.Green), revoked("n", 5, stix.Green)},
		"a withdrawal and a change": {revoked("n", 4, stix.Green), note("n", 5, stix.Green)},
	} {
		exists, not := asked(hidden, objects...), asked(none, objects...)
		if !slices.Equal(exists, not) {
			t.Errorf("%s: of a collection %q is asked, without it %q", what, exists, not)
		}
		if what == "a withdrawal" && !slices.Contains(not, fmt.Sprintf("find %d", store.Proof)) {
			t.Errorf("nothing is looked up: %q", not)
		}
	}
}
