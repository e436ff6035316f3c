package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	lookLease   = time.Second / 2 // between two looks whether a lease is free
	checkLease  = 2 * time.Second // between two looks whether a lease is still ours
	answerLease = 5 * time.Second // that such a look may take
)

// Lease implements store.Leaser. Who waits looks again and again instead of
// waiting at the server: a statement that waits for hours keeps every table from
// being vacuumed.
func (s *Store) Lease(ctx context.Context, name string, fn func(context.Context) error) error {
	ctx, cancel := s.untilClosed(ctx)
	defer cancel(nil)
	for ctx.Err() == nil {
		ended, err := s.lease(ctx, name, fn)
		if ended {
			return err
		}
		if ctx.Err() == nil {
			s.Log.Debug("a lease is waited for again", "store", s.name, "lease", name, "err", err)
		}
		rest(ctx, lookLease)
	}
	return context.Cause(ctx)
}

// lease waits for a lease on one connection and runs fn while it holds it. ended
// says that fn returned by itself.
func (s *Store) lease(ctx context.Context, name string, fn func(context.Context) error) (ended bool, err error) {
	c, err := s.ownConn(ctx)
	if err != nil {
		return false, err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if err := awaitLease(ctx, c, name); err != nil {
		return false, err
	}
	held, lose := context.WithCancelCause(ctx)
	returned := make(chan error, 1)
	go func() { returned <- fn(held) }()
	lost := make(chan error, 1)
	watch, stop := context.WithCancel(ctx)
	go func() { lost <- keepLease(watch, c) }()
	select {
	case err = <-returned:
		stop()
		<-lost
		lose(nil)
		return ctx.Err() == nil, err
	case err = <-lost:
		stop()
		lose(err)
		<-returned
		return false, err
	}
}

// awaitLease takes the advisory lock of a name. Each schema has its own.
func awaitLease(ctx context.Context, c *pgx.Conn, name string) error {
	for {
		var taken bool
		err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '/lease/' || $1, 0))", name).Scan(&taken)
		if err != nil || taken {
			return err
		}
		if err := rest(ctx, lookLease); err != nil {
			return err
		}
	}
}

// keepLease returns when the session that holds a lease is gone, or ctx ends.
func keepLease(ctx context.Context, c *pgx.Conn) error {
	for {
		err := heard(ctx, c)
		if err == nil {
			err = answers(ctx, c)
		}
		if err != nil {
			return err
		}
	}
}

// heard waits a while: a connection that breaks off says so at once.
func heard(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, checkLease)
	defer cancel()
	_, err := c.WaitForNotification(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && !c.IsClosed() {
		return nil
	}
	return err
}

func answers(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, answerLease)
	defer cancel()
	_, err := c.Exec(ctx, "SELECT 1")
	return err
}
