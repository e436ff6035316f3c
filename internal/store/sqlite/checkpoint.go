package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Limits of the write-ahead log.
const (
	walPages  = 16 << 20 / pageSize // after so many it is moved into the database
	walFactor = 4                   // after so many times that, readers are made to wait for it
)

// drainWait bounds how long readers are made to wait at a time.
const drainWait = 200 * time.Millisecond

// checkpoint keeps the write-ahead log bounded. A failure does not touch what
// was committed, but nothing more is written: see the package comment. On a full
// disk it is tried again later.
func (s *Store) checkpoint(w *writer) {
	if w.pages < w.next {
		return
	}
	w.next = w.pages + w.step
	var err error
	if w.pages < walFactor*w.step {
		_, _, err = w.db.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	} else {
		err = s.truncate(w)
	}
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

// truncate empties the write-ahead log. As long as some reader always uses it,
// SQLite cannot: so new ones wait until the old ones are done, or drainWait is
// over and the next commit tries again.
func (s *Store) truncate(w *writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainWait)
	defer cancel()
	mode := sqlite3.CHECKPOINT_TRUNCATE
	for held := range s.size {
		c, err := take(ctx, s.readers, s.closed)
		if err != nil {
			mode = sqlite3.CHECKPOINT_PASSIVE
			if ctx.Err() != nil {
				s.log.Warn("a long view keeps the write-ahead log from shrinking", "pages", w.pages, "views", s.size-held)
			}
			break
		}
		defer func() { s.readers <- c }()
	}
	_, _, err := w.db.WALCheckpoint("main", mode)
	return err
}
