package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// busyTimeout is how long a statement waits for another program's lock, such
// as a backup tool's.
const busyTimeout = 5 * time.Second

var writerPragmas = fmt.Sprintf(`
		PRAGMA synchronous = FULL;
		PRAGMA wal_autocheckpoint = 0;
		PRAGMA journal_size_limit = 67108864; -- bytes: what a long view made grow is given back
		PRAGMA secure_delete = ON;
		PRAGMA max_page_count = %d;
		PRAGMA cache_size = -16000; -- KiB
		PRAGMA trusted_schema = OFF`, maxPages)

const readerPragmas = `
		PRAGMA query_only = ON;
		PRAGMA cache_size = -4000; -- KiB
		PRAGMA trusted_schema = OFF`

// conn is a connection with its prepared statements. One goroutine at a time
// uses it: the one that took it from its channel.
type conn struct {
	db    *sqlite3.Conn
	stmts map[string]*prepared // by SQL
	begun atomic.Int64         // when the view that uses it began, in nanoseconds; 0 if none does
}

// prepared is a statement that is kept.
type prepared struct {
	*sqlite3.Stmt
	busy bool
}

func connect(file, vfs, pragmas string) (*conn, error) {
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath()}
	if vfs == "" {
		vfs = volumeName
	}
	flags := sqlite3.OPEN_READWRITE | sqlite3.OPEN_URI
	if vfs == archiveName {
		flags = sqlite3.OPEN_READONLY | sqlite3.OPEN_URI
	}
	q := url.Values{"vfs": {vfs}, "modeof": {file}} // the write-ahead log is as private as the database
	name.RawQuery = q.Encode()
	db, err := sqlite3.OpenFlags(name.String(), flags)
	if err != nil {
		return nil, err
	}
	c := &conn{db: db, stmts: make(map[string]*prepared)}
	err = db.BusyTimeout(busyTimeout)
	if err == nil {
		err = db.Exec(pragmas)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.Close() // repeats the error of its last step
	}
	return c.db.Close()
}

// begin starts a transaction that ctx interrupts.
func (c *conn) begin(ctx context.Context, sql string) error {
	c.db.SetInterrupt(ctx)
	if err := c.exec(sql); err != nil {
		c.db.SetInterrupt(context.Background())
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// rollback ends the transaction, if SQLite has not ended it already.
func (c *conn) rollback() error {
	c.db.SetInterrupt(context.Background())
	if c.db.GetAutocommit() {
		return nil
	}
	if err := c.exec("ROLLBACK"); err != nil {
		return fmt.Errorf("rollback: %w", err)
	}
	return nil
}

// prepare returns the statement for sql, for one user at a time: a walk inside
// a walk gets another. done gives it back.
func (c *conn) prepare(sql string) (*sqlite3.Stmt, error) {
	kept := c.stmts[sql]
	if kept != nil && !kept.busy {
		kept.busy = true
		return kept.Stmt, nil
	}
	s, _, err := c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err == nil && kept == nil {
		c.stmts[sql] = &prepared{s, true}
	}
	return s, damaged(err)
}

// done gives a statement back. What it was bound to stays until it is bound anew.
func (c *conn) done(sql string, s *sqlite3.Stmt) {
	kept := c.stmts[sql]
	if kept.Stmt != s {
		s.Close() // repeats the error of its last step
		return
	}
	s.Reset() // repeats the error of its last step
	kept.busy = false
}

// exec runs a statement without rows.
func (c *conn) exec(sql string, args ...any) error {
	return c.each(nothing, sql, args...)
}

// each calls row for every row of a query.
func (c *conn) each(row func(*sqlite3.Stmt) error, sql string, args ...any) error {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	defer c.done(sql, s)
	for i, a := range args {
		if err := bind(s, i+1, a); err != nil {
			return err
		}
	}
	for s.Step() {
		if err := row(s); err != nil {
			return err
		}
	}
	return damaged(s.Err())
}

func nothing(*sqlite3.Stmt) error { return nil }

func bind(s *sqlite3.Stmt, i int, v any) error {
	switch v := v.(type) {
	case int64:
		return s.BindInt64(i, v)
	case string:
		return s.BindText(i, v)
	case []byte:
		return s.BindBlob(i, v)
	}
	return fmt.Errorf("parameter %d is a %T", i, v)
}
