package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/store"
)

// Limits of the write-ahead log.
const (
	walPages  = 16 << 20 / pageSize // after so many it is moved into the database
	walFactor = 4                   // after so many times that, it begins anew
)

// How long readers are made to wait at a time, for views that began earlier. Where
// these are slower, the log grows; past walSlack times its bound readers wait longer,
// once every walPages. For a view that has run for longView they do not wait at all:
// it will not end soon.
const (
	drainWait = 40 * time.Millisecond
	slowWait  = 200 * time.Millisecond
	longView  = time.Second
	walSlack  = 1.5
)

// checkpoint keeps the write-ahead log bounded. Every walPages the mover moves
// it into the database, beside the writer; as the writer goes on meanwhile, it
// grows all the same. At walFactor times that the writer moves the rest itself and
// lets it begin anew.
//
// A failure does not touch what was committed, but nothing more is written: see
// the package comment. On a full disk it is tried again later.
func (s *Store) checkpoint(w *writer) {
	if w.pages < w.next {
		return
	}
	w.next = w.pages + w.step
	if s.kept(w.pages) || w.pages < walFactor*w.step {
		s.mover.begin()
		return
	}
	_, err := s.beginAnew(w)
	s.failedToMove(w, err)
}

// failedToMove says what a failed checkpoint means.
func (s *Store) failedToMove(w *writer, err error) {
	switch {
	case err == nil:
	case isFull(err):
		s.log.Error("the disk is full and the write-ahead log cannot shrink: make room", "err", err)
	default:
		w.stop(fmt.Errorf("checkpoint: %w", err))
	}
}

// committed is told the length of the write-ahead log after each commit.
func (w *writer) committed(_ *sqlite3.Conn, _ string, pages int) error {
	if pages < w.pages { // it began anew
		w.next = w.step
	}
	w.pages = pages
	return nil
}

// beginAnew moves all of the write-ahead log into the database and sees to it
// that no view needs it, so that the next commit writes at its beginning. A view
// that began before the last commit keeps later pages from being moved; one that
// began before all were moved reads from the log. So views are waited for twice
// at most; the pages are moved while readers go on. Views that begin afterwards
// read from the database.
func (s *Store) beginAnew(w *writer) (done bool, err error) {
	s.mover.mu.Lock()
	defer s.mover.mu.Unlock()
	for moved := false; !moved; {
		log, done, err := w.db.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
		if err != nil {
			return false, err
		}
		moved = done == log
		if !s.drain(w) {
			return false, nil
		}
	}
	return true, nil
}

// scrubPause is how long Scrub leaves the views alone that kept it from emptying
// the write-ahead log.
const scrubPause = 100 * time.Millisecond

// Scrub implements store.Store: it empties the write-ahead log.
func (s *Store) Scrub(ctx context.Context) error {
	for {
		clean, err := s.scrub(ctx)
		if err != nil {
			return fmt.Errorf("scrub store %s: %w", s.dir, err)
		}
		if clean {
			return nil
		}
		select {
		case <-time.After(scrubPause):
		case <-s.closed:
		case <-ctx.Done(): // the next try says so
		}
	}
}

// scrub tries once.
func (s *Store) scrub(ctx context.Context) (clean bool, err error) {
	if s.readOnly {
		return false, errReadOnly
	}
	w, err := take(ctx, s.writer, s.closed)
	if err != nil {
		return false, err
	}
	defer func() { s.writer <- w }()
	switch {
	case !w.unclean:
		return true, nil
	case w.broken != nil:
		return false, fmt.Errorf("%w (%w)", store.ErrBroken, w.broken)
	}
	err = s.empty(w)
	s.failedToMove(w, err)
	if isFull(err) {
		err = fmt.Errorf("%w (%w)", store.ErrFull, err)
	}
	return !w.unclean, err
}

// empty cuts the write-ahead log to nothing, if no view needs it.
func (s *Store) empty(w *writer) error {
	done, err := s.beginAnew(w)
	if !done {
		return err
	}
	s.mover.mu.Lock()
	defer s.mover.mu.Unlock()
	if _, _, err = w.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE); err == nil {
		w.unclean = false
	}
	return err
}

// drain waits for the views that run, keeping new ones from beginning, and
// reports whether all ended in time.
func (s *Store) drain(w *writer) bool {
	wait := drainWait
	if float64(w.pages) > walSlack*float64(walFactor*w.step) {
		wait = slowWait
	}
	if s.oldestView() > longView {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	for held := range s.size {
		c, err := take(ctx, s.readers, s.closed)
		if err != nil {
			if ctx.Err() != nil {
				s.log.Warn("long views keep the write-ahead log from shrinking", "pages", w.pages, "views", s.size-held)
			}
			return false
		}
		defer func() { s.readers <- c }()
	}
	return true
}

// oldestView is how long the view has been running that began first.
func (s *Store) oldestView() (age time.Duration) {
	now := time.Now().UnixNano()
	for _, c := range s.all {
		if begun := c.begun.Load(); begun != 0 {
			age = max(age, time.Duration(now-begun))
		}
	}
	return age
}

// moverPragmas: it reads and writes whole pages and caches none.
const moverPragmas = `
	PRAGMA synchronous = FULL;
	PRAGMA wal_autocheckpoint = 0;
	PRAGMA cache_size = 10;
	PRAGMA trusted_schema = OFF`

// run moves the write-ahead log whenever it is due, until the store is closed.
func (m *mover) run(s *Store) {
	defer close(m.ended)
	for {
		select {
		case <-m.due:
			if err := m.move(); err != nil {
				s.moveFailed(err)
			}
		case <-s.closed:
			return
		}
	}
}

// move does not wait for views: it moves what none of them needs.
func (m *mover) move() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.guard.stopped() {
		return nil
	}
	point.At("sqlite.before-checkpoint")
	_, _, err := m.db.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	point.At("sqlite.checkpointed")
	if errors.Is(err, sqlite3.BUSY) { // another program is doing it
		return nil
	}
	return err
}

// moveFailed tells the writer, between two commits.
func (s *Store) moveFailed(err error) {
	w := <-s.writer
	s.failedToMove(w, err)
	s.writer <- w
}
