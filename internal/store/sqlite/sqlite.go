// Package sqlite is the embedded engine of package store: one SQLite database
// in a folder of its own, for one process.
//
// # Invariants
//
//   - Write-ahead log, synchronous=FULL: a commit has been fsynced before
//     Update returns.
//   - One connection writes; a few read, each from a snapshot of its own, and
//     none of them waits for the writer. One more moves the write-ahead log into
//     the database, beside all of them (checkpoint.go).
//   - After a commit or checkpoint that failed in doubt nothing is written any
//     more (store.ErrBroken): an fsync that failed once may report success when
//     it is tried again, although the data is gone. Reading goes on. A full
//     disk leaves no doubt (store.ErrFull).
//   - Rows of a log are inserted once, at its end, and change only when an entry
//     is erased. The small tables gaps, ids and state change in place.
//   - What is deleted or moved within the database is zeroed where it was when
//     the write-ahead log is moved into it (wipe.go); so emptying that log is all
//     that an erasure needs to be gone, and every start does it.
//   - A store that is opened for reading only changes no file (readonly.go).
//
// # Files
//
//	liaison.db       the database; liaison.db-wal and -shm beside it while open
//	liaison.lock     locked while a process has the store open; holds its number
//	liaison.db.new   a database being made; renamed when it is complete
//
// migrations/ is the schema.
//
// # What it does not do
//
// It does not keep copies, and it does not checksum rows: the Merkle tree in
// them says whether they are what was committed, and names the one that is not.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/store"
)

// Config tunes a store. The zero value is right for an office.
type Config struct {
	Readers int          // Views at a time; more wait. 4 if zero
	Log     *slog.Logger // what the operator should see; none if nil

	// ReadOnly opens a store that is there for Views alone and changes no file:
	// the folder may be one that cannot be written. One process has it open for
	// writing, or any number for reading.
	ReadOnly bool

	vfs string // tests of failing disks
	wal int    // tests of checkpoints: pages, instead of walPages
}

const defaultReaders = 4

// Store implements store.Store and store.Checker.
type Store struct {
	dir     string
	log     *slog.Logger
	lock    *lock
	writer  chan *writer // holds the writer while nobody writes
	readers chan *conn   // holds the readers that are free
	size    int          // number of readers
	all     []*conn      // the readers
	mover   *mover       // nil if the store is read only

	readOnly bool // there is no writer

	reader   func() (*conn, error) // opens a further reading connection
	long     atomic.Int32          // long views that read now
	saidKept atomic.Int64          // bytes of the write-ahead log that they keep, as the operator was told last
	running  sync.WaitGroup        // those that Close waits for

	mu      sync.Mutex // guards running against closed
	closing sync.Once
	closed  chan struct{}
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Checker = (*Store)(nil)
)

// writer is the connection that writes. Who took it from Store.writer owns it.
type writer struct {
	*conn
	guard   *guard
	log     *slog.Logger
	step    int   // how many pages of the write-ahead log are moved into the database at a time
	pages   int   // its length as of the last commit
	next    int   // the length at which that is due
	unclean bool  // the write-ahead log may hold what was erased
	broken  error // why nothing more is written
}

// stop makes err the reason why nothing more is written. What the write-ahead
// log holds stays there, for the next Open to recover from.
func (w *writer) stop(err error) {
	if w.broken != nil {
		return
	}
	w.broken = err
	w.guard.stop(err)
	w.log.Error("the disk failed and the store stops writing; reading goes on: see to the disk, then restart", "err", err)
	if _, err := w.db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true); err != nil {
		w.log.Error("store keeps its write-ahead log", "err", err)
	}
}

// ErrInUse is what Open's error is where somebody else has the store open: it
// may be closed soon.
var ErrInUse = errors.New("the store is in use")

// inUse is an ErrInUse that says who uses it.
type inUse string

func (e inUse) Error() string      { return string(e) }
func (inUse) Is(target error) bool { return target == ErrInUse }

// Open opens the store in dir, and makes it if dir is missing or has none.
//
// It refuses, with a sentence that says what to do: a store another process
// has open, a file that is not a liaison store or has been cut short, and a
// store that a newer version has written.
func Open(dir string, config Config) (*Store, error) {
	s, err := open(dir, config)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	return s, nil
}

func open(dir string, config Config) (*Store, error) {
	take := takeLock
	if config.ReadOnly {
		take = shareLock
	}
	lock, err := take(dir)
	if err != nil {
		return nil, explain(err)
	}
	s := &Store{dir: dir, log: config.Log, lock: lock, readOnly: config.ReadOnly, size: config.Readers, closed: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("dir", dir)
	if s.size <= 0 {
		s.size = defaultReaders
	}
	s.writer = make(chan *writer, 1)
	s.readers = make(chan *conn, s.size)
	if err := s.connect(config); err != nil {
		close(s.closed)
		return nil, errors.Join(err, s.free())
	}
	return s, nil
}

func (s *Store) connect(config Config) error {
	if config.ReadOnly {
		s.reader = func() (*conn, error) { return openArchive(s.dir) }
		return s.addReaders()
	}
	c, clean, err := openDatabase(s.dir, config.vfs, s.log)
	if err != nil {
		return err
	}
	w := &writer{conn: c, log: s.log, step: config.wal, unclean: !clean}
	if w.step == 0 {
		w.step = walPages
	}
	w.next = w.step
	s.writer <- w
	c.db.WALHook(w.committed)
	if s.mover, err = openMover(databaseFile(s.dir), config.vfs); err != nil {
		return err
	}
	w.guard = s.mover.guard
	go s.mover.run(s)
	s.reader = func() (*conn, error) { return connect(databaseFile(s.dir), config.vfs, readerPragmas) }
	return s.addReaders()
}

func (s *Store) addReaders() error {
	for range s.size {
		r, err := s.reader()
		if err != nil {
			return err
		}
		s.readers <- r
		s.all = append(s.all, r)
	}
	return nil
}

// Close waits for what is running, moves the write-ahead log into the database
// and gives up the lock. Later calls do nothing.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		s.mu.Lock()
		close(s.closed)
		s.mu.Unlock()
		s.running.Wait()
		held := make([]*conn, s.size)
		for i := range held {
			held[i] = <-s.readers
		}
		if !s.readOnly {
			w := <-s.writer
			s.writer <- w // nobody takes it any more, but the mover
		}
		for _, c := range held {
			s.readers <- c
		}
		err = s.free()
	})
	if err != nil {
		return fmt.Errorf("close store %s: %w", s.dir, err)
	}
	return nil
}

// free closes the connections nobody holds, the writer last: the last one to
// close moves the write-ahead log into the database.
func (s *Store) free() error {
	var errs []error
	if s.mover != nil {
		<-s.mover.ended
		errs = append(errs, s.mover.close())
	}
	for len(s.readers) > 0 {
		errs = append(errs, (<-s.readers).close())
	}
	if len(s.writer) > 0 {
		point.At("sqlite.before-close")
		errs = append(errs, (<-s.writer).close())
		point.At("sqlite.closed")
	}
	errs = append(errs, s.lock.release())
	return errors.Join(errs...)
}

// View implements store.Store.
func (s *Store) View(ctx context.Context, fn func(store.View) error) error {
	c, err := take(ctx, s.readers, s.closed)
	if err != nil {
		return fmt.Errorf("read store %s: %w", s.dir, err)
	}
	c.begun.Store(time.Now().UnixNano())
	defer func() {
		c.begun.Store(0)
		s.readers <- c
	}()
	if err := c.snapshot(ctx, fn); err != nil {
		return s.said("read", cause(ctx, err))
	}
	return nil
}

// ofCaller is an error of the function that a transaction ran.
type ofCaller struct{ error }

func (e ofCaller) Unwrap() error { return e.error }

// said names the store in errors that are its own; those of the caller's function
// are the caller's to tell.
func (s *Store) said(doing string, err error) error {
	var own ofCaller
	if errors.As(err, &own) {
		return own.error
	}
	return fmt.Errorf("%s store %s: %w", doing, s.dir, err)
}

// snapshot runs fn in a read transaction. SQLite fixes its snapshot at the
// first read, so one is made before fn.
func (c *conn) snapshot(ctx context.Context, fn func(store.View) error) (err error) {
	if err := c.begin(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.rollback()) }()
	if err := c.each(nothing, "SELECT num FROM collections LIMIT 1"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(&view{conn: c}); err != nil {
		return ofCaller{err}
	}
	return nil
}

var errReadOnly = errors.New("the store is open for reading only")

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	if s.readOnly {
		return fmt.Errorf("update store %s: %w", s.dir, errReadOnly)
	}
	w, err := take(ctx, s.writer, s.closed)
	if err != nil {
		return fmt.Errorf("update store %s: %w", s.dir, err)
	}
	defer func() { s.writer <- w }()
	if w.broken != nil {
		return fmt.Errorf("update store %s: %w (%w)", s.dir, store.ErrBroken, w.broken)
	}
	if err := w.update(ctx, lock, fn); err != nil {
		if isFull(err) && w.broken == nil {
			err = fmt.Errorf("%w (%w)", store.ErrFull, err)
		}
		return s.said("update", cause(ctx, err))
	}
	s.checkpoint(w)
	return nil
}

func (w *writer) update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	if err := w.begin(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // fn failed, or panics
			w.undo()
		}
	}()
	t := &tx{view: view{conn: w.conn}, locked: lock.Collections}
	err := fn(t)
	switch {
	case t.failed != nil:
		return errors.Join(err, t.failed)
	case err != nil:
		return ofCaller{err}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	done = true
	w.unclean = w.unclean || t.erased
	return w.commit()
}

// commit makes the transaction durable. From here on it is not interrupted.
func (w *writer) commit() error {
	w.db.SetInterrupt(context.Background())
	point.At("sqlite.before-commit")
	err := w.guard.apart(func() error { return w.exec("COMMIT") })
	if err == nil {
		point.At("sqlite.committed")
		return nil
	}
	err = fmt.Errorf("commit: %w", err)
	if !isFull(err) {
		w.stop(err)
	}
	w.undo()
	if w.broken != nil {
		return fmt.Errorf("%w (%w)", store.ErrBroken, w.broken)
	}
	return err
}

// isFull reports whether a write found no room. A commit that failed so is
// undone without doubt: the frame that commits is the last that is written (no
// padding follows, as the disk is taken to leave the bytes beside a write
// alone), and it is not whole. A sync that finds no room leaves doubt.
func isFull(err error) bool { return errors.Is(err, sqlite3.FULL) }

func (w *writer) undo() {
	if err := w.rollback(); err != nil {
		w.stop(err)
	}
}

// take waits for a connection.
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

// cause says that ctx ended where SQLite says that it was interrupted.
func cause(ctx context.Context, err error) error {
	if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
