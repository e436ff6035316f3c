package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/liaison-office/liaison"
)

// channel is where NOTIFY says which collection has new entries.
const channel = "liaison"

// # What became of a commit
//
// Every Update first writes its number into the row of its writer in commits,
// and so holds that row until it ends. If the connection is lost, or the server
// gives up waiting for its standbys, ask writes to the same row. That waits for
// a transaction that still lives somewhere on the server, then reads the number
// of the last one that was committed, and is itself a later commit: when the
// server acknowledges it, what came before it is as durable.

// inDoubt is why the outcome of a commit is not known.
type inDoubt struct{ error }

func (e inDoubt) Unwrap() error { return e.error }

// errLost is what becomes of a transaction whose COMMIT did not arrive.
var errLost = errors.New("the connection was lost and nothing was written")

// begins is the first message of an Update.
func (w *writer) begins(alone bool) string {
	w.number++
	hold := holdBeside
	if alone {
		hold = holdAlone
	}
	return fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"+hold+
		`INSERT INTO commits (writer, number) VALUES ('\x%x', %d) ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = now(); SELECT version FROM liaison`, w.id, w.number)
}

// commit makes the transaction durable. From here on it is not interrupted.
func (s *Store) commit(ctx context.Context, w *writer, t *tx) error {
	ctx = context.WithoutCancel(ctx)
	pc := t.conn.PgConn()
	err := commits(ctx, pc, t.changed)
	var doubt inDoubt
	if !errors.As(err, &doubt) {
		return err
	}
	s.Log.Warn("a commit was not acknowledged; the database is asked what became of it", "store", s.name, "err", err)
	t.drop()
	return s.ask(ctx, w, doubt)
}

// commits sends COMMIT, and NOTIFY behind it: in the same transaction it would
// make commits of all collections wait for each other's. What becomes of NOTIFY
// changes nothing.
func commits(ctx context.Context, pc *pgconn.PgConn, changed []liaison.CollectionID) error {
	warning(pc)
	results := pc.Exec(ctx, "COMMIT"+notify(changed))
	tag := ""
	if results.NextResult() {
		t, err := results.ResultReader().Close()
		if err == nil {
			tag = t.String()
		}
	}
	said := warning(pc) // before NOTIFY has its say
	err := results.Close()
	switch {
	case tag == "COMMIT" && said == "":
		return nil
	case tag == "COMMIT":
		return inDoubt{fmt.Errorf("commit: %s", said)}
	case tag != "":
		return fmt.Errorf("commit: the server answered %s", tag)
	case isUndone(err):
		return fmt.Errorf("commit: %w", err)
	}
	return inDoubt{fmt.Errorf("commit: %w", err)}
}

func notify(changed []liaison.CollectionID) string {
	var b strings.Builder
	for _, c := range changed {
		fmt.Fprintf(&b, "; NOTIFY %s, '%s'", channel, c)
	}
	return b.String()
}

// isUndone reports whether the server says that a transaction failed and the
// session goes on. A session that ends may have committed.
func isUndone(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.SeverityUnlocalized == "ERROR"
}

// ask finds out what became of the last transaction of a writer.
func (s *Store) ask(ctx context.Context, w *writer, doubt inDoubt) error {
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	committed := false
	err := s.presence.repeat(ctx, func() (err error) {
		committed, err = s.askOnce(ctx, w)
		return err
	}, func() bool { return false })
	switch {
	case err != nil:
		return s.stop(errors.Join(doubt, err))
	case !committed:
		return fmt.Errorf("%w (%w)", errLost, doubt)
	}
	return nil
}

func (s *Store) askOnce(ctx context.Context, w *writer) (committed bool, err error) {
	c, err := s.acquire(ctx, s.writing)
	if err != nil {
		return false, err
	}
	defer c.Release()
	pc := c.Conn().PgConn()
	warning(pc)
	rs, err := run(ctx, c.Conn(), fmt.Sprintf(`INSERT INTO commits (writer, number) VALUES ('\x%x', 0) ON CONFLICT (writer) DO UPDATE SET at = now() RETURNING number`, w.id))
	if err != nil {
		return false, err
	}
	if said := warning(pc); said != "" {
		return false, errors.New(said)
	}
	return texts(rs)[0] == fmt.Sprint(w.number), nil
}

// forget removes the rows of writers that write no more. One that stays is
// removed by a later Open.
func (s *Store) forget(writers []*writer) {
	if len(writers) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	ids := make([][]byte, len(writers))
	for i, w := range writers {
		ids[i] = w.id[:]
	}
	if _, err := s.writing.Exec(ctx, "DELETE FROM commits WHERE writer = ANY($1)", ids); err != nil {
		s.Log.Warn("store leaves the rows of its writers behind", "store", s.name, "err", err)
	}
}
