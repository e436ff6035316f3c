// Package postgres is the engine of package store for an office that outgrows
// one machine: a PostgreSQL database that any number of processes share.
//
// # Invariants
//
//   - The row of a collection is its lock. An Update locks the rows of the
//     collections it names, in the order of their ids, before its function runs
//     and until its commit; where a log ends is decided under that lock, so a slow
//     transaction never commits behind a reader's cursor.
//   - A View is a REPEATABLE READ transaction on the primary. A standby is
//     never read.
//   - Update returns nil only for a commit that the server acknowledged without
//     a warning, as synchronous_commit says. A server that does not sync is
//     refused.
//   - A connection that is lost during COMMIT leaves a question, and the
//     database answers it (commit.go). Where it cannot within Patience, the
//     outcome is unknown: store.ErrBroken, and nothing is written any more.
//   - Reconnecting is safe before the function of a transaction runs, and is
//     done then only.
//   - A primary of an earlier timeline than one that this store met is not used
//     (primary.go).
//   - A lease is an advisory lock of a session of its own (lease.go): it ends with
//     that session.
//   - Every transaction holds the schema against migrations, and refuses one it
//     does not know.
//
// migrations/ is the schema: in the schema of the database that comes first in
// the connection's search_path.
//
// # What it does not do
//
// It does not fence: that one primary at a time accepts commits is for whoever
// promotes standbys. It keeps no copies and checksums no rows. It needs a
// session of its own for each connection: no pooler that shares them between
// transactions.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/liaison-office/liaison/internal/store"
)

// Config tunes a store. The zero value is right for an office.
type Config struct {
	Readers int          // Views at a time; more wait. 4 if zero
	Writers int          // Updates at a time; more wait. 4 if zero
	Log     *slog.Logger // what the operator should see; none if nil

	// ReadOnly opens a store that is there for Views alone, and changes nothing
	// in the database.
	ReadOnly bool

	// Patience is how long a transaction looks for a server that is away before
	// it fails, and how long the database is asked what became of a commit. 30 s
	// if zero.
	Patience time.Duration

	unsynced bool                         // tests of what needs no disk
	wrap     func(conn net.Conn) net.Conn // tests of failing connections
}

const (
	defaultReaders  = 4
	defaultWriters  = 4
	defaultPatience = 30 * time.Second
)

func (c *Config) fill() {
	if c.Readers <= 0 {
		c.Readers = defaultReaders
	}
	switch {
	case c.ReadOnly:
		c.Writers = 0
	case c.Writers <= 0:
		c.Writers = defaultWriters
	}
	if c.Patience <= 0 {
		c.Patience = defaultPatience
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Store implements store.Store, store.Listener, store.Leaser and store.Checker.
type Store struct {
	Config
	name    string // of the database, without a password
	reading *pgxpool.Pool
	writing *pgxpool.Pool
	writers chan *writer // holds those that are free

	presence presence

	closing   sync.Once
	closed    chan struct{}
	listeners sync.WaitGroup

	past past // which primaries it met

	mu     sync.Mutex
	broken error // why nothing more is written; guarded by mu
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Listener = (*Store)(nil)
	_ store.Checker  = (*Store)(nil)
	_ store.Leaser   = (*Store)(nil)
)

// writer is the name under which one transaction at a time is written, and the
// number of the last one. Who took it from Store.writers owns it.
type writer struct {
	id     [16]byte
	number int64
}

// Open opens the store in the database that a URL or a string of settings
// names (PostgreSQL 15 documentation §34.1.1), and makes its tables if there are
// none.
//
// It refuses, with a sentence that says what to do: a server that is too old,
// a standby or does not sync, a schema with the tables of another program, and a
// store that a newer version has written.
func Open(ctx context.Context, database string, config Config) (*Store, error) {
	config.fill()
	s := &Store{Config: config, closed: make(chan struct{}), writers: make(chan *writer, config.Writers)}
	for range config.Writers {
		w := &writer{}
		rand.Read(w.id[:])
		s.writers <- w
	}
	c, err := s.address(database)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := s.connect(ctx, c); err != nil {
		return nil, fmt.Errorf("open store %s: %w", s.name, explain(err))
	}
	return s, nil
}

// address reads where the database is, and how it is talked to.
func (s *Store) address(database string) (*pgxpool.Config, error) {
	c, err := parse(database)
	if err != nil {
		return nil, err
	}
	s.name = nameOf(c)
	s.presence = presence{log: s.Log.With("store", s.name), is: "the database"}
	s.settings(c)
	return c, nil
}

func (s *Store) connect(ctx context.Context, config *pgxpool.Config) (err error) {
	s.survey(ctx, config)
	if s.reading, err = newPool(ctx, config, s.Readers, nil); err != nil {
		return err
	}
	if s.ReadOnly {
		err = s.onReader(ctx, storeSchema.recognise)
	} else if s.writing, err = newPool(ctx, config, s.Writers, writerSettings); err == nil {
		err = s.adopt(ctx)
	}
	if err != nil {
		s.closePools()
	}
	return err
}

// onReader runs fn on a connection that reads.
func (s *Store) onReader(ctx context.Context, fn func(context.Context, *pgx.Conn) error) error {
	c, err := s.acquire(ctx, s.reading)
	if err != nil {
		return err
	}
	defer c.Release()
	return fn(ctx, c.Conn())
}

func (s *Store) closePools() {
	for _, p := range []*pgxpool.Pool{s.reading, s.writing} {
		if p != nil {
			p.Close()
		}
	}
}

// Close waits for what is running and ends the connections. Later calls do
// nothing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		held := make([]*writer, 0, s.Writers)
		for range s.Writers {
			held = append(held, <-s.writers)
		}
		s.forget(held)
		for _, w := range held {
			s.writers <- w // nobody takes it any more
		}
		s.closePools()
		s.listeners.Wait()
	})
	return nil
}

// View implements store.Store.
func (s *Store) View(ctx context.Context, fn func(store.View) error) error {
	c, err := s.begin(ctx, s.reading, func() string { return beginView })
	if err != nil {
		return s.said("read", err)
	}
	defer c.Release()
	defer rollback(c)
	if err := fn(newView(ctx, c)); err != nil {
		return away(cause(ctx, named(ctx, c.Conn(), err)))
	}
	return nil
}

var errReadOnly = errors.New("the store is open for reading only")

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	if s.ReadOnly {
		return s.said("update", errReadOnly)
	}
	w, err := take(ctx, s.writers, s.closed)
	if err != nil {
		return s.said("update", err)
	}
	defer func() { s.writers <- w }()
	if err := s.whyBroken(); err != nil {
		return s.said("update", err)
	}
	t, err := s.beginUpdate(ctx, w, lock)
	if err != nil {
		return s.said("update", told(err))
	}
	defer t.release()
	err = fn(t)
	switch {
	case t.failed != nil:
		return s.said("update", told(cause(ctx, named(ctx, t.conn, errors.Join(err, t.failed)))))
	case err != nil:
		return away(cause(ctx, named(ctx, t.conn, err)))
	case ctx.Err() != nil:
		return s.said("update", ctx.Err())
	}
	if err := s.commit(ctx, w, t); err != nil {
		return s.said("update", told(err))
	}
	return nil
}

// said names the store in errors that are its own.
func (s *Store) said(doing string, err error) error {
	return fmt.Errorf("%s store %s: %w", doing, s.name, err)
}

func (s *Store) whyBroken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// stop makes err the reason why nothing more is written.
func (s *Store) stop(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = fmt.Errorf("%w (%w)", store.ErrBroken, err)
		s.Log.Error("a commit was lost and the database does not say what became of it: the store stops writing; reading goes on: see to the database, then restart", "store", s.name, "err", err)
	}
	return s.broken
}

// take waits for a writer.
func take[T any](ctx context.Context, from chan T, closed chan struct{}) (c T, err error) {
	select {
	case <-closed:
		return c, store.ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return c, err
	}
	select {
	case c = <-from:
		return c, nil
	case <-closed:
		return c, store.ErrClosed
	case <-ctx.Done():
		return c, ctx.Err()
	}
}

// cause says that ctx ended where the driver says that a connection failed.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) && brokenOff(err) {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return err
}
