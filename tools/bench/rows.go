package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/ncruces/go-sqlite3"
)

// rawSettings are those of the store (internal/store/sqlite): as durable, pages
// as large, as much cache, and a write-ahead log as long.
const rawSettings = `PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
	PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 2048`

// rowTables are the tables of the store that have rows for each entry, and how to
// read them in the order of entries.
var rowTables = []string{
	"objects ORDER BY key", "leaves ORDER BY key", "trees ORDER BY key", "ids ORDER BY key", "acts ORDER BY key",
}

// inserted is what the role rows prints: objects a second, whichever rows they made.
type inserted struct{ Plain, Whole float64 }

// insertRows is the limit of writing through the desk. It reads what the desk has
// made of the objects, and inserts the same rows into a new database by nothing but
// prepared statements, in commits of the same size: all of them (Whole), and then
// the objects alone, in one table with an index on id and version (Plain).
func insertRows(o *options) error {
	source, err := sqlite3.OpenFlags("file:"+filepath.Join(o.Dir, "store", "liaison.db"), sqlite3.OPEN_READONLY|sqlite3.OPEN_URI)
	if err != nil {
		return err
	}
	defer source.Close()
	var in inserted
	if in.Whole, err = insertWhole(o, source); err != nil {
		return err
	}
	if in.Plain, err = insertPlain(o); err != nil {
		return err
	}
	return json.MarshalWrite(os.Stdout, in)
}

// insertWhole inserts every row that an entry made, and every status.
func insertWhole(o *options, source *sqlite3.Conn) (float64, error) {
	db, err := newRaw(o, "whole.db")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	schema, err := readRows(source, "sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		return 0, err
	}
	for _, s := range schema {
		if err := db.Exec(string(s[0].([]byte))); err != nil {
			return 0, err
		}
	}
	var tables []rawTable
	for _, from := range rowTables {
		t, err := readTable(db, source, from, o.Group)
		if err != nil {
			return 0, err
		}
		tables = append(tables, t)
	}
	status, err := readTable(db, source, "state WHERE bucket = CAST('status' AS BLOB)", max(1, o.Group/envelopeObjects))
	if err != nil {
		return 0, err
	}
	return insertAll(db, append(tables, status), o.Objects)
}

// insertPlain inserts the objects alone.
func insertPlain(o *options) (float64, error) {
	db, err := newRaw(o, "plain.db")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.Exec(`CREATE TABLE rows(n INTEGER PRIMARY KEY, id TEXT, version TEXT, bytes BLOB); CREATE UNIQUE INDEX identity ON rows(id, version)`)
	if err != nil {
		return 0, err
	}
	t := rawTable{name: "rows", step: o.Group}
	for i := range o.Objects {
		id, version, b := object(i, o.Size)
		t.rows = append(t.rows, []any{int64(i), id, version, b})
	}
	return insertAll(db, []rawTable{t}, o.Objects)
}

func newRaw(o *options, name string) (*sqlite3.Conn, error) {
	db, err := sqlite3.Open(filepath.Join(o.Dir, name))
	if err != nil {
		return nil, err
	}
	if err := db.Exec(rawSettings); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// rawTable is rows to be inserted, step of them in a commit.
type rawTable struct {
	name string
	rows [][]any
	step int
}

func readTable(db, source *sqlite3.Conn, from string, step int) (t rawTable, err error) {
	if _, err = fmt.Sscan(from, &t.name); err != nil {
		return t, err
	}
	t.step = step
	t.rows, err = readRows(source, "* FROM "+from)
	return t, err
}

func readRows(source *sqlite3.Conn, what string) (rows [][]any, err error) {
	s, _, err := source.Prepare("SELECT " + what)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for s.Step() {
		row := make([]any, s.ColumnCount())
		for i := range row {
			switch s.ColumnType(i) {
			case sqlite3.INTEGER:
				row[i] = s.ColumnInt64(i)
			case sqlite3.NULL:
			default:
				row[i] = s.ColumnBlob(i, nil)
			}
		}
		rows = append(rows, row)
	}
	return rows, s.Err()
}

// insertAll returns objects a second.
func insertAll(db *sqlite3.Conn, tables []rawTable, objects int) (float64, error) {
	stmts := make([]*sqlite3.Stmt, len(tables))
	for i, t := range tables {
		marks := "?"
		for range len(t.rows[0]) - 1 {
			marks += ", ?"
		}
		s, _, err := db.Prepare("INSERT INTO " + t.name + " VALUES (" + marks + ")")
		if err != nil {
			return 0, err
		}
		defer s.Close()
		stmts[i] = s
	}
	begin := time.Now()
	for n, more := 0, true; more; n++ {
		if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
			return 0, err
		}
		more = false
		for i, t := range tables {
			from, to := min(n*t.step, len(t.rows)), min((n+1)*t.step, len(t.rows))
			more = more || to < len(t.rows)
			for _, row := range t.rows[from:to] {
				if err := insertRow(stmts[i], row); err != nil {
					return 0, err
				}
			}
		}
		if err := db.Exec("COMMIT"); err != nil {
			return 0, err
		}
	}
	return float64(objects) / time.Since(begin).Seconds(), nil
}

func insertRow(s *sqlite3.Stmt, row []any) error {
	for i, v := range row {
		switch v := v.(type) {
		case int64:
			s.BindInt64(i+1, v)
		case string:
			s.BindText(i+1, v)
		case []byte:
			s.BindBlob(i+1, v)
		default:
			s.BindNull(i + 1)
		}
	}
	return s.Exec()
}
