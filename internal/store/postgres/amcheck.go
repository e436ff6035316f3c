package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Unchecked implements store.Unchecker: page checksums that are off, and indexes
// of which the order is not checked for want of amcheck.
func (s *Store) Unchecked(ctx context.Context) (notes []string, err error) {
	var checksums string
	var amcheck bool
	err = s.reading.QueryRow(ctx, "SELECT current_setting('data_checksums'), EXISTS ("+btIndexCheck+")").Scan(&checksums, &amcheck)
	if err != nil {
		return nil, s.said("check", cause(ctx, err))
	}
	if checksums != "on" {
		notes = append(notes, "the server keeps no checksums of its pages, so that a flipped bit is found only where a hash covers it: switch them on (pg_checksums --enable, with the server stopped)")
	}
	if !amcheck {
		notes = append(notes, "the order of indexes was not checked: as a superuser, CREATE EXTENSION amcheck in this database and GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) to the user of the office let it be")
	}
	return notes, nil
}

// btIndexCheck finds the function of amcheck, if this user may call it.
const btIndexCheck = `SELECT format('%I.%I', n.nspname, e.proname) AS name
	FROM pg_extension x JOIN pg_depend d ON d.refobjid = x.oid AND d.deptype = 'e' JOIN pg_proc e ON e.oid = d.objid JOIN pg_namespace n ON n.oid = e.pronamespace
	WHERE x.extname = 'amcheck' AND e.proname = 'bt_index_check' AND e.pronargs = 2 AND has_function_privilege(e.oid, 'execute')`

// amcheck lets the server check the order of every index, and that each has all
// rows of its table, if the extension is there (amcheck). It wants no lock that
// keeps a writer waiting.
func (s *Store) amcheck(ctx context.Context) (found []string, err error) {
	const indexes = `SELECT f.name, i.indexrelid::regclass::text
		FROM (` + btIndexCheck + `) f, pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'
		WHERE i.indrelid = ANY($1::text[]::regclass[]) ORDER BY 2`
	rows, err := s.reading.Query(ctx, indexes, allTables)
	if err != nil {
		return nil, err
	}
	type index struct{ Check, Name string }
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[index])
	if err != nil {
		return nil, err
	}
	for _, i := range list {
		_, err := s.reading.Exec(ctx, "SELECT "+i.Check+"($1::text::regclass, true)", i.Name)
		if err := cause(ctx, err); isAway(err) || ctx.Err() != nil {
			return found, err
		} else if err != nil {
			found = append(found, fmt.Sprintf("index %s: %v", i.Name, err))
		}
	}
	return found, nil
}
