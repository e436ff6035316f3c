package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/liaison-office/liaison/internal/store"
)

// leases are for engines that several processes open at once: two of them do
// here.
var leases = []promise{
	{"a lease is held by one, and by the next when that one is done", leaseGoesOn},
	{"leases of different names are held at once", leasesApart},
	{"a lease that is waited for, or held, ends with its context", leaseContext},
	{"a lease ends with its store, and is free then", leaseClosed},
}

type lease func(ctx context.Context, name string, fn func(context.Context) error) error

// leasers opens one database twice. ok is false of an engine for one process.
func leasers(t testing.TB, engine Engine) (stores [2]store.Store, leases [2]lease, ok bool) {
	open := engine(t)
	for i := range stores {
		stores[i] = open()
		l, ok := stores[i].(store.Leaser)
		if !ok {
			return stores, leases, false
		}
		leases[i] = l.Lease
	}
	return stores, leases, true
}

// errTwo is what must not happen.
var errTwo = errors.New("two hold it")

func leaseGoesOn(t *testing.T, engine Engine) {
	stores, lease, ok := leasers(t, engine)
	if !ok {
		return
	}
	const callers, rounds = 4, 2
	var holders, done atomic.Int32
	ended := make(chan error)
	for i := range callers {
		go func() {
			for range rounds {
				err := lease[i%2](t.Context(), "relay", func(ctx context.Context) error {
					if holders.Add(1) != 1 {
						return errTwo
					}
					defer holders.Add(-1)
					done.Add(1)
					for range 50 { // work, that others would come into
						if err := stores[i%2].View(ctx, func(store.View) error { return nil }); err != nil {
							return err
						}
					}
					return ctx.Err()
				})
				if err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range callers {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if n := done.Load(); n != callers*rounds {
		t.Errorf("%d times, want %d", n, callers*rounds)
	}
	own := errors.New("its own")
	if err := lease[0](t.Context(), "relay", func(context.Context) error { return own }); err != own {
		t.Errorf("the function returned another error than Lease: %v", err)
	}
}

func leasesApart(t *testing.T, engine Engine) {
	_, lease, ok := leasers(t, engine)
	if !ok {
		return
	}
	err := lease[0](t.Context(), "one", func(ctx context.Context) error {
		return lease[1](ctx, "another", func(ctx context.Context) error {
			return lease[0](ctx, "a third", func(ctx context.Context) error { return ctx.Err() })
		})
	})
	if err != nil {
		t.Error(err)
	}
}

func leaseContext(t *testing.T, engine Engine) {
	_, lease, ok := leasers(t, engine)
	if !ok {
		return
	}
	held, holder := context.WithCancel(t.Context())
	waits, waiter := context.WithCancel(t.Context())
	ended := make(chan error)
	has := make(chan bool)
	go func() {
		ended <- lease[0](held, "relay", func(ctx context.Context) error {
			has <- true
			<-ctx.Done()
			return nil
		})
	}()
	<-has
	go func() {
		ended <- lease[1](waits, "relay", func(context.Context) error { return errTwo })
	}()
	waiter()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("who waited: %v", err)
	}
	holder()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("who held it: %v", err)
	}
}

func leaseClosed(t *testing.T, engine Engine) {
	stores, lease, ok := leasers(t, engine)
	if !ok {
		return
	}
	ended, has := make(chan error), make(chan bool)
	go func() {
		ended <- lease[0](t.Context(), "relay", func(ctx context.Context) error {
			has <- true
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-has
	if err := stores[0].Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, store.ErrClosed) {
		t.Errorf("the store was closed: %v", err)
	}
	if err := lease[1](t.Context(), "relay", func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
}
