package desk

import (
	"context"
	"fmt"
	"sync"

	"github.com/liaison-office/liaison/internal/store"
)

// looks reads the store for the decisions about one batch. A decision that rests
// on what could not be read is none: who decided asks failed before anything of
// it is told or kept. A database that other machines hold may go away between
// any two looks, and be back for the next.
type looks struct {
	d *Desk

	mu  sync.Mutex
	err error // the first; guarded by mu
}

func (d *Desk) newLooks() *looks { return &looks{d: d} }

// view reads, and reports whether it could.
func (l *looks) view(ctx context.Context, what string, fn func(store.View) error) bool {
	err := l.d.Journal.View(ctx, fn)
	if err == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = fmt.Errorf("%s could not be read: %w", what, err)
	}
	return false
}

// failed is the first look that failed.
func (l *looks) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
