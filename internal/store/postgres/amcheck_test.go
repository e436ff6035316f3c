package postgres

import (
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// TestTheServerChecksItsIndexesIfItCan: with the extension amcheck an index that
// lacks rows of its table is named; without it that is said.
func TestTheServerChecksItsIndexesIfItCan(t *testing.T) {
	server := pgtest.Fast(t)
	database := pgtest.Database(t, server)
	s := openTest(t, database, Config{unsynced: true})
	l := storetest.NewLog(1)
	fill(t, s, l, 100)
	notes := func() string {
		notes, err := s.Unchecked(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(notes, "\n")
	}
	if said := notes(); !strings.Contains(said, "no checksums") || !strings.Contains(said, "CREATE EXTENSION amcheck") {
		t.Errorf("it says %q", said)
	}
	owner := s.reading.Config().ConnConfig.User
	admin, err := server.Connect(t.Context(), "dbname="+owner)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	run := func(sql string) {
		t.Helper()
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE EXTENSION amcheck")
	if said := notes(); !strings.Contains(said, "GRANT EXECUTE") || len(s.Check(t.Context())) > 0 {
		t.Errorf("who may not call it reads %q, %q", said, s.Check(t.Context()))
	}
	run("GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO " + owner)
	if said := notes(); strings.Contains(said, "amcheck") {
		t.Errorf("it says %q", said)
	}
	if found := s.Check(t.Context()); len(found) > 0 {
		t.Errorf("a whole store: %q", found)
	}
	// The index is made to believe that it is of a part of the table.
	run("UPDATE pg_index SET indisvalid = true, indisready = false WHERE indexrelid = 'ids_pkey'::regclass")
	fill(t, s, l, 100)
	run("UPDATE pg_index SET indisready = true WHERE indexrelid = 'ids_pkey'::regclass")
	if all := strings.Join(s.Check(t.Context()), "\n"); !strings.Contains(all, "index ids_pkey: ") {
		t.Errorf("an index without rows of its table: %q", all)
	}
}
