package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// # What an erasure leaves in the files
//
// An UPDATE leaves the old row where it was. VACUUM takes it off the page's list
// and may move others, but zeroes nothing: the bytes stay until something happens
// to be written over them (measured: docs/design/012-erasure.md). Only writing the
// tables anew removes them, which is what VACUUM FULL does: tables, TOAST tables
// and indexes get new files, and the old ones are cut to nothing at its commit.
// Each table is locked meanwhile, against reading too.
//
// Beyond that lies what a program cannot reach: WAL that was archived, segments
// of pg_wal until they are used again, standbys until they have replayed it, and
// copies of the data directory.

// mayHold are the tables that held what was erased, with what waited to be
// appended and what people were told of it.
var mayHold = [...]string{"objects", "proofs", "ids", "state"}

const (
	// scrubLock is the advisory lock under which one process at a time scrubs.
	scrubLock = migrationLock + 1

	// patienceForLock is how long one try to lock a table keeps others waiting
	// behind it.
	patienceForLock = "1s"

	scrubPause = 500 * time.Millisecond // between two tries
)

// Scrub implements store.Store: it writes the tables anew.
func (s *Store) Scrub(ctx context.Context) error {
	if s.ReadOnly {
		return s.said("scrub", errReadOnly)
	}
	ctx, cancel := s.untilClosed(ctx)
	defer cancel(nil)
	for {
		clean, err := s.scrubOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return s.said("scrub", context.Cause(ctx))
		case err != nil && !isAway(err) && !errors.Is(err, errInUse):
			return s.said("scrub", told(err))
		case clean:
			return nil
		}
		select {
		case <-time.After(scrubPause):
		case <-ctx.Done():
		}
	}
}

// errInUse says that somebody's transaction still keeps what was erased.
var errInUse = errors.New("a transaction still reads what was erased")

// scrubOnce does it on a connection of its own: VACUUM takes its time, and is no
// part of a transaction.
func (s *Store) scrubOnce(ctx context.Context) (clean bool, err error) {
	v := &vacuum{}
	config := s.writing.Config().ConnConfig.Copy()
	config.OnNotice = v.notice
	if v.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return false, err
	}
	defer v.conn.Close(context.WithoutCancel(ctx))
	var last *int64
	if err := v.conn.QueryRow(ctx, "SELECT max(n) FROM erasures").Scan(&last); err != nil || last == nil {
		return err == nil, err
	}
	var mine bool
	if err := v.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(scrubLock)).Scan(&mine); err != nil || !mine {
		return false, err // another process does it
	}
	for _, step := range []func(context.Context) error{v.waitForOlder, v.run} {
		if err := step(ctx); err != nil {
			return false, err
		}
	}
	_, err = v.conn.Exec(ctx, "DELETE FROM erasures WHERE n <= $1", *last)
	return false, err // unless more was erased meanwhile
}

type vacuum struct {
	conn *pgx.Conn
	kept bool // the table that was last written anew keeps old rows for somebody's transaction
}

// notice hears from VACUUM how many old rows it had to keep: the first number of
// its details, whatever the language.
func (v *vacuum) notice(_ *pgconn.PgConn, n *pgconn.Notice) {
	detail := strings.TrimSpace(n.Detail)
	if n.SeverityUnlocalized == "INFO" && detail != "" && !strings.HasPrefix(detail, "0 ") {
		v.kept = true
	}
}

// waitForOlder waits for the transactions of liaison that may have begun before
// the erasure. Each holds the table liaison; nobody waits behind this.
func (v *vacuum) waitForOlder(ctx context.Context) error {
	const others = `SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') FROM pg_locks
		WHERE locktype = 'relation' AND relation = 'liaison'::regclass AND granted AND pid <> pg_backend_pid()
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
	var older []string
	if err := v.conn.QueryRow(ctx, others).Scan(&older); err != nil {
		return err
	}
	for len(older) > 0 {
		select {
		case <-time.After(scrubPause / 10):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := v.conn.QueryRow(ctx, others+" AND virtualtransaction = ANY($1)", older).Scan(&older); err != nil {
			return err
		}
	}
	return nil
}

func (v *vacuum) run(ctx context.Context) error {
	if _, err := v.conn.Exec(ctx, "SET lock_timeout = '"+patienceForLock+"'"); err != nil {
		return err
	}
	for _, table := range mayHold {
		v.kept = false
		_, err := v.conn.Exec(ctx, "VACUUM (FULL, VERBOSE) "+table)
		var server *pgconn.PgError
		switch {
		case errors.As(err, &server) && server.Code == "55P03": // lock_not_available
			return errInUse
		case err != nil:
			return fmt.Errorf("write %s anew: %w", table, err)
		case v.kept:
			return errInUse
		}
	}
	return nil
}
