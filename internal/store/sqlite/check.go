package sqlite

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/liaison-office/liaison/internal/store"
)

// Check implements store.Checker. It looks for damage that SQLite itself can see: pages, order of b-trees,
// types of columns; and for entries of which a part is missing. It reads
// everything, and finds nothing wrong with bytes that were exchanged: the
// journal's hashes do.
func (s *Store) Check(ctx context.Context) []string {
	var found []string
	note := func(row *sqlite3.Stmt) error {
		if text := row.ColumnText(0); text != "ok" {
			found = append(found, text)
		}
		return nil
	}
	err := s.View(ctx, func(v store.View) error {
		c := v.(*view).conn
		for _, sql := range checks {
			if err := c.each(note, sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		found = append(found, fmt.Sprintf("the check did not finish: %v", err))
	}
	return found
}

// checks yield "ok" or a sentence per row.
var checks = [...]string{
	"PRAGMA integrity_check(100)",
	missing("trees", "objects"),
	missing("leaves", "objects"),
	missing("objects", "leaves"),
	missing("objects", "gaps"),
	missing("objects", "ids"),
	missing("objects", "acts"),
	`SELECT 'collection ' || coalesce(lower(hex(id)), '?') || ' entry ' || (key & 0xffffffffff) || ': ids and gaps do not agree whether it is hidden'
		FROM ids i LEFT JOIN collections ON num = key >> 40
		WHERE hidden <> EXISTS (SELECT 1 FROM gaps g WHERE g.key = i.key) LIMIT 100`,
	`SELECT 'collection ' || c.num || ' entry ' || (key & 0xffffffffff) || ' follows a gap'
		FROM objects o JOIN collections c ON c.num = key >> 40
		WHERE key & 0xffffffffff <> 0 AND NOT EXISTS (SELECT 1 FROM objects p WHERE p.key = o.key - 1) LIMIT 100`,
}

// missing asks for the rows of table has for which table lacks has none.
func missing(lacks, has string) string {
	return fmt.Sprintf(`SELECT 'collection ' || coalesce(lower(hex(id)), '?') || ' entry ' || (key & 0xffffffffff) || ': in %[2]s and not in %[1]s'
		FROM %[2]s h LEFT JOIN collections ON num = key >> 40
		WHERE NOT EXISTS (SELECT 1 FROM %[1]s l WHERE l.key = h.key) LIMIT 100`, lacks, has)
}
