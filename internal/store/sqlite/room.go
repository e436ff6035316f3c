package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"github.com/liaison-office/liaison/internal/store"
)

// Room implements store.Measurer.
func (s *Store) Room(ctx context.Context) (*store.Room, error) {
	r := new(store.Room)
	err := s.View(ctx, func(v store.View) error {
		c := v.(*view).conn
		err := c.each(func(s *sqlite3.Stmt) error { r.Engine = "SQLite " + s.ColumnText(0); return nil }, "SELECT sqlite_version()")
		if err != nil {
			return err
		}
		version, err1 := c.pragma("user_version")
		free, err2 := c.pragma("freelist_count")
		size, err3 := c.pragma("page_size")
		r.Schema, r.Free = int(version), free*size
		return errors.Join(err1, err2, err3)
	})
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, e := os.Stat(databaseFile(s.dir) + suffix)
		if errors.Is(e, fs.ErrNotExist) {
			continue
		}
		if err = errors.Join(err, e); e == nil {
			r.Files = append(r.Files, store.File{Name: filepath.Base(databaseFile(s.dir)) + suffix, Bytes: info.Size()})
		}
	}
	return r, err
}

// Compact implements store.Compacter: it always writes the database anew. Updates
// wait until it is done, Views do not. It takes room for two more of it: one
// in the folder for temporary files, one in the write-ahead log.
func (s *Store) Compact(ctx context.Context, _ bool) error {
	if s.readOnly {
		return fmt.Errorf("compact store %s: %w", s.dir, errReadOnly)
	}
	w, err := take(ctx, s.writer, s.closed)
	if err != nil {
		return fmt.Errorf("compact store %s: %w", s.dir, err)
	}
	defer func() { s.writer <- w }()
	if w.broken != nil {
		return fmt.Errorf("compact store %s: %w (%w)", s.dir, store.ErrBroken, w.broken)
	}
	if err := w.vacuum(ctx); err != nil {
		return fmt.Errorf("compact store %s: %w", s.dir, cause(ctx, err))
	}
	s.checkpoint(w)
	return nil
}

// vacuum is one transaction of SQLite's: what interrupts it undoes it. A disk
// that fails leaves doubt, and nothing is written any more; one without room, or
// without a folder for temporary files, leaves none.
func (w *writer) vacuum(ctx context.Context) error {
	w.db.SetInterrupt(ctx)
	defer w.db.SetInterrupt(context.Background())
	err := w.guard.apart(func() error { return w.db.Exec("VACUUM") })
	switch {
	case isFull(err):
		return fmt.Errorf("%w (%w)", store.ErrFull, err)
	case errors.Is(err, sqlite3.IOERR) && !errors.Is(err, sqlite3.IOERR_GETTEMPPATH):
		w.stop(err)
	}
	return damaged(err)
}
