package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/liaison-office/liaison/internal/store"
)

// allTables are those of the schema.
var allTables = []string{"liaison", "collections", "objects", "proofs", "gaps", "ids", "state", "commits", "erasures"}

// Room implements store.Measurer.
func (s *Store) Room(ctx context.Context) (*store.Room, error) {
	r := &store.Room{Free: -1}
	err := s.reading.QueryRow(ctx, "SELECT current_setting('server_version'), version FROM liaison").Scan(&r.Engine, &r.Schema)
	if err != nil {
		return r, s.said("measure", cause(ctx, err))
	}
	number, _, _ := strings.Cut(r.Engine, " ")
	r.Engine = "PostgreSQL " + number
	rows, err := s.reading.Query(ctx, "SELECT t, pg_total_relation_size(t::regclass) FROM unnest($1::text[]) WITH ORDINALITY u (t, n) ORDER BY n", allTables)
	if err == nil {
		r.Files, err = pgx.CollectRows(rows, pgx.RowToStructByPos[store.File])
	}
	if err != nil {
		return r, s.said("measure", cause(ctx, err))
	}
	return r, nil
}

// Compact implements store.Compacter. Without rewrite nobody waits, and the room
// becomes free for new rows; with it tables are written anew one after the other
// and become smaller, and who uses the one in hand waits.
func (s *Store) Compact(ctx context.Context, rewrite bool) error {
	c, err := s.another(ctx)
	if err != nil {
		return s.said("compact", err)
	}
	defer s.listeners.Done()
	defer c.Close(context.WithoutCancel(ctx))
	options := "(ANALYZE)"
	if rewrite {
		options = "(FULL, ANALYZE)"
	}
	for _, table := range allTables {
		if _, err := c.Exec(ctx, "VACUUM "+options+" "+table); err != nil {
			return s.said("compact", told(cause(ctx, err)))
		}
	}
	return nil
}

// Clear implements store.Clearer.
func (s *Store) Clear(ctx context.Context, fn func(store.Tx) error) error {
	return s.Update(ctx, store.Lock{Alone: true}, func(w store.Tx) error {
		if _, err := w.(*tx).exec("TRUNCATE collections, objects, proofs, gaps, ids, state, erasures"); err != nil {
			return err
		}
		return fn(w)
	})
}
