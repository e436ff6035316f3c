package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/liaison-office/liaison/internal/store"
)

// oldest is the first version of PostgreSQL that is accepted, and the one the
// tests run.
const oldest = 15

const (
	connectTimeout = 5 * time.Second
	firstPause     = 20 * time.Millisecond // between two looks for a server that is away
	longestPause   = time.Second
)

// everySession: each query is a walk of an index, and no table is read whole.
var everySession = map[string]string{
	"application_name":                "liaison",
	"client_encoding":                 "UTF8",
	"enable_seqscan":                  "off",
	"enable_hashjoin":                 "off",
	"jit":                             "off",
	"max_parallel_workers_per_gather": "0",
	"tcp_keepalives_idle":             "15",
	"tcp_keepalives_interval":         "5",
	"tcp_keepalives_count":            "3",
}

// writerSettings let go of the locks of a process that went away in mid
// transaction without a word.
var writerSettings = map[string]string{"idle_in_transaction_session_timeout": "60s"}

// settings makes connections of a pool ours: to the primary, and checked.
func (s *Store) settings(c *pgxpool.Config) {
	cc := c.ConnConfig
	for name, value := range everySession {
		cc.RuntimeParams[name] = value
	}
	if cc.ConnectTimeout == 0 {
		cc.ConnectTimeout = connectTimeout
	}
	cc.ValidateConnect = s.validate
	cc.OnNotice = noteWarning
	if s.wrap != nil {
		dial := cc.DialFunc
		cc.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return s.wrap(conn), nil
		}
	}
	c.AfterConnect = s.check
}

func newPool(ctx context.Context, config *pgxpool.Config, size int, settings map[string]string) (*pgxpool.Pool, error) {
	c := config.Copy()
	c.MinConns, c.MaxConns = 0, int32(size)
	for name, value := range settings {
		c.ConnConfig.RuntimeParams[name] = value
	}
	return pgxpool.NewWithConfig(ctx, c)
}

// refusal is a sentence about a server that is not to be used as it is. Trying
// again does not help.
type refusal string

func (e refusal) Error() string { return string(e) }

// check refuses a server that is too old or that does not keep what it
// acknowledges.
func (s *Store) check(ctx context.Context, c *pgx.Conn) error {
	rs, err := run(ctx, c, "SELECT current_setting('server_version_num'), current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes')")
	if err != nil {
		return err
	}
	row := texts(rs)
	number, err := strconv.Atoi(row[0])
	switch {
	case err != nil:
		return err
	case number/10000 < oldest:
		return refusal(fmt.Sprintf("this is PostgreSQL %d, and %d is the oldest that will do: upgrade the server", number/10000, oldest))
	case s.unsynced:
		return nil
	case row[1] == "off":
		return refusal("synchronous_commit is off, so the server acknowledges what a crash may lose: set it to on, or to remote_apply with standbys")
	case row[2] == "off", row[3] == "off":
		return refusal("fsync or full_page_writes is off, so the server acknowledges what a power cut may lose: switch them on")
	}
	return nil
}

// run runs statements in one message and returns what each answered.
func run(ctx context.Context, c *pgx.Conn, sql string) ([]*pgconn.Result, error) {
	return c.PgConn().Exec(ctx, sql).ReadAll()
}

// texts returns the last row of what run returned.
func texts(rs []*pgconn.Result) (row []string) {
	rows := rs[len(rs)-1].Rows
	for _, b := range rows[len(rows)-1] {
		row = append(row, string(b))
	}
	return row
}

// warningKey is where a connection keeps the last warning of its server.
const warningKey = "warning"

func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warningKey] = n.Message
	}
}

// warning takes the last warning; empty if there was none.
func warning(c *pgconn.PgConn) string {
	w, _ := c.CustomData()[warningKey].(string)
	delete(c.CustomData(), warningKey)
	return w
}

// The locks of transactions on the table liaison. Each keeps a migration away
// until the transaction ends, and one that is alone keeps other Updates away too;
// the server grants them in the order in which they were asked for. LOCK comes
// before the first snapshot, so that what is read then is of the schema it says
// and of the time after the lock.
const (
	holdView   = "; LOCK TABLE liaison IN ACCESS SHARE MODE; "
	holdBeside = "; LOCK TABLE liaison IN ROW SHARE MODE; "
	holdAlone  = "; LOCK TABLE liaison IN EXCLUSIVE MODE; "
)

const beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" + holdView + "SELECT version FROM liaison"

// begin starts a transaction, and looks for the server while it is away.
// Nothing has been done by then, so that trying again is safe.
func (s *Store) begin(ctx context.Context, pool *pgxpool.Pool, sql func() string) (c *pgxpool.Conn, err error) {
	err = s.insist(ctx, func() (err error) {
		c, err = s.beginOnce(ctx, pool, sql())
		return err
	})
	return c, err
}

// insist repeats what a server that is away does not answer.
func (s *Store) insist(ctx context.Context, try func() error) error {
	return s.presence.insist(ctx, s.Patience, try)
}

func (s *Store) beginOnce(ctx context.Context, pool *pgxpool.Pool, sql string) (*pgxpool.Conn, error) {
	c, err := s.acquire(ctx, pool)
	if err != nil {
		return nil, err
	}
	rs, err := run(ctx, c.Conn(), sql)
	if err == nil {
		err = knownSchema(texts(rs)[0])
	}
	if err != nil {
		err = named(ctx, c.Conn(), err)
		rollback(c)
		c.Release()
		return nil, fmt.Errorf("begin: %w", err)
	}
	return c, nil
}

func (s *Store) acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := pool.Acquire(ctx)
	if err == nil {
		return c, nil
	}
	select {
	case <-s.closed:
		return nil, store.ErrClosed
	default:
		return nil, err
	}
}

// rollback ends a transaction. If it cannot, the pool drops the connection, and
// the server ends the transaction.
func rollback(c *pgxpool.Conn) {
	if pc := c.Conn().PgConn(); !pc.IsClosed() && pc.TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		run(ctx, c.Conn(), "ROLLBACK")
	}
}

// isAway reports whether an error says that the server cannot be reached, is
// starting, ending or no primary (any more): another try may find it, or the next.
func isAway(err error) bool {
	var (
		refused    refusal
		server     *pgconn.PgError
		connecting *pgconn.ConnectError
	)
	switch {
	case err == nil, errors.As(err, &refused):
		return false
	case errors.Is(err, errStandby):
		return true
	case errors.As(err, &server):
		return server.Code == "25006" || server.Code == "53300" || strings.HasPrefix(server.Code, "57P") || strings.HasPrefix(server.Code, "08")
	case errors.As(err, &connecting):
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return brokenOff(err) || pgconn.SafeToRetry(err)
}

// brokenOff reports whether an error says that a connection failed or was given
// up.
func brokenOff(err error) bool {
	var network net.Error
	return errors.As(err, &network) || pgconn.Timeout(err) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// told says so of a server without room, or that is away. What it then refused is
// undone.
func told(err error) error {
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code == "53100" && !errors.Is(err, store.ErrBroken) {
		return fmt.Errorf("%w (%w)", store.ErrFull, err)
	}
	return away(err)
}
