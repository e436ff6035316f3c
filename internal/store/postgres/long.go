package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// longSettings let a transaction last.
var longSettings = map[string]string{
	"statement_timeout":                   "0",
	"idle_in_transaction_session_timeout": "0",
}

// LongView implements store.LongViewer: on a connection of its own. As long as it
// lasts the server cannot reclaim rows that are replaced meanwhile.
func (s *Store) LongView(ctx context.Context, fn func(store.View) error) error {
	c, err := s.another(ctx)
	if err != nil {
		return s.said("read", err)
	}
	defer s.listeners.Done()
	defer c.Close(context.WithoutCancel(ctx))
	rs, err := run(ctx, c, beginView)
	if err == nil {
		err = knownSchema(texts(rs)[0])
	}
	if err != nil {
		return s.said("read", cause(ctx, err))
	}
	return cause(ctx, fn(&view{ctx: ctx, conn: c, logs: map[liaison.CollectionID]*log{}}))
}

// another opens a connection beside those of the pools. Close waits until
// listeners is done.
func (s *Store) another(ctx context.Context) (*pgx.Conn, error) {
	select {
	case <-s.closed:
		return nil, store.ErrClosed
	default:
		s.listeners.Add(1)
	}
	config := s.reading.Config()
	for name, value := range longSettings {
		config.ConnConfig.RuntimeParams[name] = value
	}
	c, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err == nil {
		if err = s.check(ctx, c); err != nil {
			c.Close(context.WithoutCancel(ctx))
		}
	}
	if err != nil {
		s.listeners.Done()
		return nil, err
	}
	return c, nil
}

// Clock implements store.Clock.
func (s *Store) Clock(ctx context.Context) (now time.Time, err error) {
	err = s.reading.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now)
	if err != nil {
		return now, s.said("ask", cause(ctx, err))
	}
	return now, nil
}
