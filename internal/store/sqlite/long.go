package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/liaison-office/liaison/internal/store"
)

// LongView implements store.LongViewer: on a connection of its own. As long as it
// lasts the write-ahead log only grows, by what is written meanwhile; Views and
// Updates do not wait.
func (s *Store) LongView(ctx context.Context, fn func(store.View) error) (err error) {
	c, err := s.another()
	if err != nil {
		return fmt.Errorf("read store %s: %w", s.dir, err)
	}
	s.long.Add(1)
	defer func() {
		s.long.Add(-1)
		err = errors.Join(err, c.close())
		s.running.Done()
	}()
	if err := c.snapshot(ctx, fn); err != nil {
		return s.said("read", cause(ctx, err))
	}
	return nil
}

// another opens a further reading connection. Close waits until running is done.
func (s *Store) another() (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return nil, store.ErrClosed
	default:
	}
	c, err := s.reader()
	if err == nil {
		s.running.Add(1)
	}
	return c, err
}

// sayKept is at how many bytes of a write-ahead log that a long view keeps the
// operator is told, and at every doubling of them.
const sayKept = 256 << 20

// kept reports whether a long view keeps the write-ahead log from beginning
// anew, so that waiting for other views is in vain.
func (s *Store) kept(pages int) bool {
	if s.long.Load() == 0 {
		s.saidKept.Store(0)
		return false
	}
	size, said := int64(pages)*pageSize, s.saidKept.Load()
	if size >= max(2*said, sayKept) {
		s.saidKept.Store(size)
		s.log.Warn("a backup or a count keeps the write-ahead log from shrinking until it ends; see that the disk has room", "bytes", size)
	}
	return true
}
