package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// PageSize is how many bytes a page of a table or index has.
const PageSize = 8192

// Relation is a table or an index, and the file that it lies in.
type Relation struct {
	Name string
	File string
	Size int64 // bytes
}

// Relations are the tables of a database that hold something, those for long
// values among them, and their indexes. All of it is in the files.
func (s *Server) Relations(ctx context.Context, database string) (list []Relation, err error) {
	c, err := s.Connect(ctx, "dbname="+database)
	if err != nil {
		return nil, err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, "CHECKPOINT"); err != nil {
		return nil, err
	}
	rows, err := c.Query(ctx, `SELECT relname, pg_relation_filepath(c.oid), pg_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		LEFT JOIN pg_index i ON i.indexrelid = c.oid
		WHERE relkind IN ('r', 'i', 't') AND c.oid >= 16384 AND pg_relation_size(coalesce(i.indrelid, c.oid)) > 0 ORDER BY relname`)
	if err != nil {
		return nil, err
	}
	list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Relation])
	for i := range list {
		list[i].File = filepath.Join(s.data(), list[i].File)
	}
	return list, err
}

// Flip changes one byte of a file: every bit of it, so that doing it again undoes
// it. No server that runs may have the file.
func Flip(file string, at int64) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	var b [1]byte
	if _, err = f.ReadAt(b[:], at); err == nil {
		b[0] ^= 0xff
		_, err = f.WriteAt(b[:], at)
	}
	return errors.Join(err, f.Close())
}

// KillBackend is kill -9 of one of the server's processes: the first for which a
// condition about pg_stat_activity holds. The server then ends all of them, and
// recovers by itself; KillBackend returns when it has.
func (s *Server) KillBackend(ctx context.Context, where string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pid, err := s.backend(ctx, where)
	if err != nil {
		return err
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	for gone := false; err == nil && !gone; {
		if s.Query(ctx, fmt.Sprintf("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = %d", pid), &gone) != nil || !gone {
			err = sleep(ctx)
		}
	}
	return err
}

// backend waits for a process for which a condition holds.
func (s *Server) backend(ctx context.Context, where string) (pid int, err error) {
	c, err := s.Connect(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Close(context.WithoutCancel(ctx))
	for {
		err := c.QueryRow(ctx, "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND ("+where+") LIMIT 1").Scan(&pid)
		switch {
		case err == nil:
			return pid, nil
		case !errors.Is(err, pgx.ErrNoRows):
			return 0, fmt.Errorf("find a process of the server: %w", err)
		}
		select {
		case <-time.After(time.Millisecond): // there is nothing to wait on
		case <-ctx.Done():
			return 0, fmt.Errorf("no process of the server is so: %s: %w", where, ctx.Err())
		}
	}
}
