package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// Listen implements store.Listener.
func (s *Store) Listen(ctx context.Context, hint func(liaison.CollectionID)) error {
	ctx, cancel := s.untilClosed(ctx)
	defer cancel(nil)
	for {
		err := s.listen(ctx, hint)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.Log.Debug("what other processes write is not heard of until there is a connection again", "store", s.name, "err", err)
		rest(ctx, longestPause)
	}
}

// untilClosed returns a context that ends when the store is closed too. Close
// waits for who has not called cancel.
func (s *Store) untilClosed(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	s.listeners.Go(func() {
		select {
		case <-s.closed:
			cancel(store.ErrClosed)
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}

// listen hears what is said on one connection. What was said before it is not
// heard any more, so that anything may have changed.
func (s *Store) listen(ctx context.Context, hint func(liaison.CollectionID)) error {
	c, err := s.ownConn(ctx)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	hint(liaison.CollectionID{})
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if id, err := liaison.ParseCollectionID(n.Payload); err == nil {
			hint(id)
		}
	}
}

// ownConn opens a connection that is no pool's.
func (s *Store) ownConn(ctx context.Context) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, s.reading.Config().ConnConfig)
	if ctx.Err() == nil {
		s.presence.note(err)
	}
	return c, err
}
