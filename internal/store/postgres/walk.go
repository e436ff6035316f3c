package postgres

import (
	"cmp"
	"encoding/binary"

	"github.com/jackc/pgx/v5"

	"github.com/liaison-office/liaison"
)

// row is one row of a query: its columns as PostgreSQL's binary format has
// them. nil is NULL.
type row [][]byte

// number reads a column of eight bytes.
func (r row) number(i int) int64 { return int64(binary.BigEndian.Uint64(r[i])) }

// log reads a row by logColumns.
func (r row) log() log {
	return log{
		num: r.number(1), generation: binary.BigEndian.Uint32(r[2]),
		size: uint64(r.number(3)), added: liaison.Instant(r.number(4)),
	}
}

// walk is the rows of one query. A connection sends one query's rows at a time:
// a walk inside a walk makes it keep what the outer one has still to show.
type walk struct {
	rows  pgx.Rows
	row   row    // the one shown; it stays as it is until next
	space []byte // what row lies in
	kept  []row
}

// next shows the next row.
func (w *walk) next() bool {
	if len(w.kept) > 0 {
		w.row, w.kept = w.kept[0], w.kept[1:]
		return true
	}
	if !w.rows.Next() {
		return false
	}
	w.row, w.space = copyRow(w.row[:0], w.space[:0], w.rows.RawValues())
	return true
}

// keep reads what the connection has still to send.
func (w *walk) keep() {
	for w.rows.Next() {
		r, _ := copyRow(nil, nil, w.rows.RawValues())
		w.kept = append(w.kept, r)
	}
}

// copyRow copies a row into space, after which it is its own. Empty is nil:
// absent and empty byte strings are the same.
func copyRow(r row, space []byte, values [][]byte) (row, []byte) {
	n := 0
	for _, b := range values {
		n += len(b)
	}
	if cap(space) < n {
		space = make([]byte, 0, n)
	}
	for _, b := range values {
		if len(b) == 0 {
			r = append(r, nil)
			continue
		}
		at := len(space)
		space = append(space, b...)
		r = append(r, space[at:len(space):len(space)])
	}
	return r, space
}

// each calls show for every row of a query.
func (v *view) each(show func(row) error, sql string, args ...any) error {
	v.settle()
	if err := cmp.Or(v.ctx.Err(), v.ended); err != nil {
		return err
	}
	rows, err := v.conn.Query(v.ctx, sql, args...)
	if err != nil {
		return v.ends(err)
	}
	w := &walk{rows: rows}
	v.open = w
	defer func() {
		if v.open == w {
			v.open = nil
		}
		rows.Close()
	}()
	for w.next() {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		if err := show(w.row); err != nil {
			return err
		}
	}
	return v.ends(cause(v.ctx, rows.Err()))
}

// ends remembers an error after which a transaction cannot go on: later reads
// give the same one, and not what the server says about those.
func (v *view) ends(err error) error {
	if err != nil && v.ended == nil && v.conn.PgConn().TxStatus() != 'T' {
		v.ended = err
	}
	return err
}

// settle makes the connection free for another query.
func (v *view) settle() {
	if v.open != nil {
		v.open.keep()
		v.open = nil
	}
}
