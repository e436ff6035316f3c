package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/liaison-office/liaison/internal/store"
)

// # Damaged pages
//
// A server with data_checksums finds a page that is not as it was written, and
// answers with an error instead of what is in it. It names the page by a file of
// its own; named says which table or index that is.

// damagedPage finds the number of the page and the file in what a server says.
var damagedPage = regexp.MustCompile(`block (\d+) of relation (base/\S+)`)

// isDamage reports whether a server says that its data are damaged (PostgreSQL 15
// documentation, appendix A: data_corrupted, index_corrupted).
func isDamage(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code == "XX001" || server.Code == "XX002")
}

// named says in an error about damage which table or index is damaged. It ends
// the transaction of the connection.
func named(ctx context.Context, c *pgx.Conn, err error) error {
	if !isDamage(err) {
		return err
	}
	return fmt.Errorf("the database server found that %s is damaged: restore the database, or promote a standby that is whole; liaison fsck says what else is damaged (%w)", damaged(ctx, c, err), err)
}

// damaged names what an error says is damaged.
func damaged(ctx context.Context, c *pgx.Conn, err error) (name string) {
	name = "data"
	m := damagedPage.FindStringSubmatch(err.Error())
	if m == nil {
		return name
	}
	run(ctx, c, "ROLLBACK")
	// A table keeps long values in a table of their own.
	err = c.QueryRow(ctx, `SELECT CASE c.relkind WHEN 'i' THEN 'index ' ELSE 'table ' END || coalesce(o.relname, c.relname)
		FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
		LEFT JOIN pg_class o ON o.reltoastrelid IN (c.oid, i.indrelid)
		WHERE pg_relation_filepath(c.oid) = $1`, m[2]).Scan(&name)
	if err != nil {
		return "block " + m[1] + " of file " + m[2]
	}
	return "block " + m[1] + " of " + name
}

// readPages are statements that read every page of every table, and of every
// index those with its rows.
func (s *Store) readPages(ctx context.Context) (list [][]string, err error) {
	found, err := s.look(ctx, pages)
	for _, sql := range found {
		list = append(list, []string{"SET LOCAL enable_bitmapscan = off", "SET LOCAL enable_sort = off", sql})
	}
	return list, err
}

// look returns the first column of all rows that statements find in one
// transaction.
func (s *Store) look(ctx context.Context, statements ...string) (found []string, err error) {
	err = s.View(ctx, func(v store.View) error {
		for _, sql := range statements {
			err := v.(*view).each(func(r row) error {
				found = append(found, string(r[0]))
				return nil
			}, sql)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// pages yields a statement for each table, which reads every value, and for each
// index, which walks it from its first row to its last. They find no row.
const pages = `SELECT format('SELECT '''' FROM %s t WHERE md5(t::text) = ''''', c.oid::regclass)::bytea
		FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(quote_ident(current_schema()))
	UNION ALL
	SELECT format('SELECT '''' FROM (SELECT 1 FROM %s%s ORDER BY %s OFFSET 0) t HAVING count(*) < 0', i.indrelid::regclass, coalesce(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), ''),
		(SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY n.place) FROM unnest(i.indkey) WITH ORDINALITY n (attnum, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = n.attnum))::bytea
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema()))`
