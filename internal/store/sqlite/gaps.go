package sqlite

import (
	"math"

	"github.com/ncruces/go-sqlite3"
)

// gap looks up one entry.
func (v *view) gap(key int64) (by uint64, hidden bool, err error) {
	err = v.each(func(s *sqlite3.Stmt) error {
		by, hidden = uint64(s.ColumnInt64(0)), true
		return nil
	}, `SELECT "by" FROM gaps WHERE key = ?`, key)
	return by, hidden, err
}

// gaps walks the gaps of a range beside its entries: most ranges have few, and
// asking for each entry would cost as much as reading it.
type gaps struct {
	conn *conn
	stmt *sqlite3.Stmt
	next int64 // the key of the row the statement is at; MaxInt64 after the last
}

const gapsSQL = `SELECT key, "by" FROM gaps WHERE key >= ? AND key < ? ORDER BY key`

func (v *view) gaps(first, end int64) (*gaps, error) {
	s, err := v.prepare(gapsSQL)
	if err != nil {
		return nil, err
	}
	g := &gaps{conn: v.conn, stmt: s}
	if err = s.BindInt64(1, first); err == nil {
		err = s.BindInt64(2, end)
	}
	if err == nil {
		err = g.step()
	}
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (g *gaps) step() error {
	g.next = math.MaxInt64
	if g.stmt.Step() {
		g.next = g.stmt.ColumnInt64(0)
	}
	return damaged(g.stmt.Err())
}

// at is a gapAt for keys that increase.
func (g *gaps) at(key int64) (by uint64, hidden bool, err error) {
	for g.next < key {
		if err := g.step(); err != nil {
			return 0, false, err
		}
	}
	if g.next != key {
		return 0, false, nil
	}
	return uint64(g.stmt.ColumnInt64(1)), true, nil
}

func (g *gaps) close() { g.conn.done(gapsSQL, g.stmt) }
