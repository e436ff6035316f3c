package sqlite

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/liaison-office/liaison/internal/durable"
	"github.com/liaison-office/liaison/internal/fault/point"
)

// applicationID marks a database as a liaison store: "LIAI".
const applicationID = 0x4c494149

// schemaVersion is the number of the last migration. It is kept in the
// database's user_version. Migrations are forward only, and a released one is
// never edited.
const schemaVersion = 2

// firstSchema is the number of the first migration. What was written before is
// of no released version.
const firstSchema = 2

//go:embed migrations/*.sql
var migrations embed.FS

// Schema returns the number of the last migration of the store in dir, which is 0
// if there is none, and of the newest that this version knows. It changes no file.
func Schema(dir string) (version, newest int, err error) {
	s, err := Open(dir, Config{ReadOnly: true, Readers: 1})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, schemaVersion, nil
	}
	if err != nil {
		return 0, 0, err
	}
	r, err := s.Room(context.Background())
	if err == nil {
		version = r.Schema
	}
	return version, schemaVersion, errors.Join(err, s.Close())
}

func databaseFile(dir string) string { return filepath.Join(dir, "liaison.db") }

// openDatabase returns the writing connection to the database in dir, made if
// there is none, checked, and of this version's schema. clean: its write-ahead
// log is empty.
func openDatabase(dir, vfs string, log *slog.Logger) (c *conn, clean bool, err error) {
	file := databaseFile(dir)
	_, err = os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		err = create(dir, vfs)
	}
	if err == nil {
		err = recognise(dir)
	}
	if err == nil {
		err = keepPrivate(file)
	}
	if err != nil {
		return nil, false, explain(err)
	}
	if c, err = connect(file, vfs, writerPragmas); err != nil {
		return nil, false, explain(err)
	}
	if clean, err = c.adopt(file, log); err != nil {
		return nil, false, errors.Join(explain(err), c.close())
	}
	return c, clean, nil
}

// recognise refuses what is not a whole store of ours while no file has been
// touched yet. Whether a write-ahead log and its database make a whole is known
// for certain only when it has been moved.
func recognise(dir string) error {
	c, err := openArchive(dir)
	if err != nil {
		return err
	}
	return c.close()
}

// keepPrivate lets nobody but the owner read the database and the files beside
// it. SQLite makes the log's index readable for all, so it is made before.
func keepPrivate(file string) error {
	index, err := os.OpenFile(file+"-shm", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := index.Close(); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(file+suffix, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// create makes an empty database beside its name and renames it, so that a
// crash leaves none or a whole one.
func create(dir, vfs string) error {
	file := databaseFile(dir) + ".new"
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := errors.Join(os.WriteFile(file, nil, 0o600), keepPrivate(file)); err != nil {
		return err
	}
	c, err := connect(file, vfs, fmt.Sprintf("PRAGMA page_size = %d", pageSize))
	if err != nil {
		return err
	}
	if err := errors.Join(c.found(), c.close()); err != nil {
		return err
	}
	point.At("sqlite.database-made")
	if err := durable.Rename(file, databaseFile(dir)); err != nil {
		return err
	}
	point.At("sqlite.database-renamed")
	return nil
}

// found makes an empty database ours. Its pages end with a checksum, which SQLite
// compares whenever it reads one from the file; that has to be said before there
// is any.
func (c *conn) found() error {
	if err := c.db.EnableChecksums("main"); err != nil {
		return err
	}
	err := c.db.Exec(fmt.Sprintf("PRAGMA journal_mode = WAL; PRAGMA application_id = %d;"+writerPragmas, applicationID))
	if err != nil {
		return err
	}
	return c.migrate(0)
}

// pageSize is in bytes. Measured: a page of the log reads faster from larger
// pages, and each random insert into ids and acts writes a whole one.
const pageSize = 8192

// checkHeader looks at the file without SQLite, which takes an empty file for
// a new database.
func checkHeader(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var head [100]byte
	n, err := io.ReadFull(f, head[:])
	magic := []byte("SQLite format 3\x00")
	switch {
	case err == io.EOF, err == io.ErrUnexpectedEOF && bytes.HasPrefix(magic, head[:min(n, len(magic))]):
		return fmt.Errorf("%s has been cut short (%d bytes are left): restore it from a backup", filepath.Base(file), n)
	case err != nil && err != io.ErrUnexpectedEOF:
		return err
	case !bytes.HasPrefix(head[:], magic):
		return fmt.Errorf("%s is not a database: move it away, or name another folder", filepath.Base(file))
	}
	return nil
}

// adopt checks that the database is ours and whole, and brings it up to date.
// The write-ahead log is moved into it first, so that its length can be told. On
// a full disk the log stays as it is and is read with the database, as after
// every crash; what the database still lacks is in it. clean: it was moved.
func (c *conn) adopt(file string, log *slog.Logger) (clean bool, err error) {
	version, err := c.identify(file)
	if err != nil {
		return false, err
	}
	point.At("sqlite.before-recovery")
	_, _, err = c.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
	point.At("sqlite.recovered")
	switch {
	case isFull(err):
		log.Error("the disk is full: the store can be read, and written once there is room; make room", "err", err)
	case err != nil:
		return false, err
	default:
		if err := c.checkLength(file); err != nil {
			return false, err
		}
		clean = true
	}
	return clean, c.migrate(version)
}

// identify checks that the database is ours, and returns its schema.
func (c *conn) identify(file string) (version int64, err error) {
	app, err := c.pragma("application_id")
	if err != nil {
		return 0, err
	}
	if version, err = c.pragma("user_version"); err != nil {
		return 0, err
	}
	switch {
	case app != applicationID:
		return 0, fmt.Errorf("%s is the database of another program: name another folder", filepath.Base(file))
	case version < firstSchema:
		return 0, fmt.Errorf("this store was written before the first release (schema %d): name another folder", version)
	case version > schemaVersion:
		return 0, fmt.Errorf("a newer version of liaison has written this store (schema %d; this one knows %d): use that version", version, schemaVersion)
	}
	return version, nil
}

// checkLength compares the file with the number of pages it says it has. SQLite
// does so too, but not while there is a write-ahead log: what the file lacks must
// then be in that.
func (c *conn) checkLength(file string) error {
	pages, err := c.pragma("page_count")
	if err != nil {
		return err
	}
	size, err := c.pragma("page_size")
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	logged := int64(0)
	if log, err := os.Stat(file + "-wal"); err == nil {
		logged = log.Size() / size
	}
	if info.Size() < (pages-logged)*size {
		return fmt.Errorf("%s has been cut short (%d bytes of %d are left): restore it from a backup", filepath.Base(file), info.Size(), pages*size)
	}
	return nil
}

// migrate applies the migrations after version, each in a transaction of its
// own.
func (c *conn) migrate(version int64) error {
	for v := max(version+1, firstSchema); v <= schemaVersion; v++ {
		sql, err := migrations.ReadFile(fmt.Sprintf("migrations/%04d.sql", v))
		if err != nil {
			return err
		}
		script := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA user_version = %d;\nCOMMIT", sql, v)
		if err := c.db.Exec(script); err != nil {
			return errors.Join(fmt.Errorf("migration %d: %w", v, err), c.rollback())
		}
		point.At("sqlite.migrated")
	}
	return nil
}

func (c *conn) pragma(name string) (n int64, err error) {
	err = c.each(func(s *sqlite3.Stmt) error {
		n = s.ColumnInt64(0)
		return nil
	}, "PRAGMA "+name)
	return n, err
}

// explain puts into a sentence what SQLite says about a damaged file, and about
// a disk without room for what every start writes.
func explain(err error) error {
	switch {
	case errors.Is(err, errDamaged):
		return err
	case errors.Is(err, sqlite3.NOTADB), errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.IOERR_DATA):
		return fmt.Errorf("%w (%w)", errDamaged, err)
	case isFull(err), errors.Is(err, sqlite3.IOERR_SHMSIZE), errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk is full and the store cannot be opened: make room on it, then start again (%w)", err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the folder cannot be written, or not be read: give it to the user who runs the office, or mount it for writing (%w)", err)
	}
	return err
}

// errDamaged is what is said of a page that is not what SQLite wrote.
var errDamaged = errors.New("the database is damaged or has been cut short: restore it from a backup")

// damaged says so of what a statement met.
func damaged(err error) error {
	if errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.IOERR_DATA) {
		return explain(err)
	}
	return err
}
