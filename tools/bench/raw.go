package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// rawStore is the limit of writing: the same rows into one SQLite table with a
// unique index on (id, version), groups of 100 a commit, WAL, synchronous=FULL,
// and nothing else. Then the limit of cold reading: a bare SELECT of 1000 rows.
// It prints rows per second and selects per second.
func rawStore(o *options) error {
	db, err := sqlite3.Open(filepath.Join(o.Dir, "raw.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.Exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
		CREATE TABLE rows(n INTEGER PRIMARY KEY, id TEXT, version TEXT, bytes BLOB);
		CREATE UNIQUE INDEX identity ON rows(id, version);`)
	if err != nil {
		return err
	}
	inserts, err := rawInserts(db, o)
	if err != nil {
		return err
	}
	selects, err := rawSelects(db, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%f %f\n", inserts, selects)
	return err
}

func rawInserts(db *sqlite3.Conn, o *options) (float64, error) {
	stmt, _, err := db.Prepare(`INSERT INTO rows(n, id, version, bytes) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	type rowOf struct {
		id, version string
		b           []byte
	}
	rows := make([]rowOf, o.Objects)
	for i := range rows {
		rows[i].id, rows[i].version, rows[i].b = object(i, o.Size)
	}
	begin := time.Now()
	for i := 0; i < len(rows); i += 100 {
		if err := db.Exec(`BEGIN IMMEDIATE`); err != nil {
			return 0, err
		}
		for j := i; j < min(i+100, len(rows)); j++ {
			stmt.BindInt64(1, int64(j))
			stmt.BindText(2, rows[j].id)
			stmt.BindText(3, rows[j].version)
			stmt.BindBlob(4, rows[j].b)
			if err := stmt.Exec(); err != nil {
				return 0, err
			}
		}
		if err := db.Exec(`COMMIT`); err != nil {
			return 0, err
		}
	}
	return float64(o.Objects) / time.Since(begin).Seconds(), nil
}

func rawSelects(db *sqlite3.Conn, o *options) (float64, error) {
	stmt, _, err := db.Prepare(`SELECT n, bytes FROM rows WHERE n >= ? AND n < ? ORDER BY n`)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	var buf []byte
	count := 0
	begin := time.Now()
	for time.Since(begin) < time.Duration(o.Seconds)*time.Second {
		from := offset(count, o.Objects)
		stmt.BindInt64(1, int64(from))
		stmt.BindInt64(2, int64(from+1000))
		buf = buf[:0]
		for stmt.Step() {
			buf = append(buf, stmt.ColumnRawBlob(1)...)
		}
		if err := stmt.Reset(); err != nil {
			return 0, err
		}
		count++
	}
	return float64(count) / time.Since(begin).Seconds(), nil
}

// offset spreads reads over the collection, the same way on every side.
func offset(n, objects int) int {
	const stride = 7919
	if objects <= 1000 {
		return 0
	}
	return n * stride % (objects - 1000)
}
