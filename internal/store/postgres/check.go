package postgres

import (
	"context"
	"fmt"
	"slices"
)

// Check implements store.Checker: damaged pages, where the server has
// data_checksums; entries of which a part is missing, logs that do not end where
// their row says, gaps that two tables tell differently, and indexes that amcheck
// finds out of order. It reads everything, and finds nothing wrong with bytes that
// were exchanged: the journal's hashes do.
func (s *Store) Check(ctx context.Context) (found []string) {
	say := func(text string) {
		if !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	list, err := s.readPages(ctx)
	if err != nil {
		return []string{fmt.Sprintf("the check did not begin: %v", err)}
	}
	for _, sql := range checks {
		list = append(list, []string{sql})
	}
	for _, statements := range list {
		rows, err := s.look(ctx, statements...)
		for _, text := range rows {
			say(text)
		}
		switch {
		case isDamage(err):
			say(err.Error())
		case err != nil:
			return append(found, fmt.Sprintf("the check did not finish: %v", err))
		}
	}
	wrong, err := s.amcheck(ctx)
	for _, text := range wrong {
		say(text)
	}
	if err != nil {
		say(fmt.Sprintf("the check did not finish: %v", err))
	}
	return found
}

// entryAt names an entry by its key; the row of its collection is c.
const entryAt = "'collection ' || coalesce(encode(c.id, 'hex'), '?') || ' entry ' || (h.key & 1099511627775)"

// checks yield a sentence for each thing that is wrong.
var checks = [...]string{
	missing("proofs", "objects"),
	missing("objects", "proofs"),
	missing("objects", "gaps"),
	missing("objects", "ids"),
	`SELECT ` + entryAt + ` || ': ids and gaps do not agree whether it is hidden'
		FROM ids h LEFT JOIN collections c ON c.num = h.key >> 40
		WHERE h.hidden <> EXISTS (SELECT FROM gaps g WHERE g.key = h.key) LIMIT 100`,
	`SELECT 'collection ' || encode(c.id, 'hex') || ' holds ' || n || ' entries and its end says ' || c.size
		FROM collections c, LATERAL (SELECT count(*) n FROM objects o WHERE o.key >= c.num << 40 AND o.key < (c.num + 1) << 40) held
		WHERE n <> c.size LIMIT 100`,
	`SELECT ` + entryAt + ` || ' follows a gap'
		FROM objects h LEFT JOIN collections c ON c.num = h.key >> 40
		WHERE h.key & 1099511627775 <> 0 AND NOT EXISTS (SELECT FROM objects p WHERE p.key = h.key - 1) LIMIT 100`,
}

// missing asks for the rows of table has for which table lacks has none.
func missing(lacks, has string) string {
	return fmt.Sprintf(`SELECT `+entryAt+` || ': in %[2]s and not in %[1]s'
		FROM %[2]s h LEFT JOIN collections c ON c.num = h.key >> 40
		WHERE NOT EXISTS (SELECT FROM %[1]s l WHERE l.key = h.key) LIMIT 100`, lacks, has)
}
