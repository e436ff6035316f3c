package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
)

// A password is whatever a person typed, also where it makes the rest unreadable.
func TestNoMessageHoldsThePassword(t *testing.T) {
	for _, database := range []string{
		"postgres://liaison:s3cr3t@db.example.org/liaison",
		"postgres://liaison:s3cr3t@db1.example.org:6432,db2.example.org/liaison",
		"host=db.example.org dbname=liaison user=liaison password=s3cr3t",
		"postgres://liaison:s3c/s3cr3t@db.example.org/liaison",
		"postgres://liaison:s3cr3t:#s3cr3t@db.example.org:x/liaison",
		"postgres://liaison:s3cr3t%zz@db.example.org/liaison",
		"postgres://liaison:s3cr3t@db.example.org/liaison?sslmode=s3cr3t",
		"host=db.example.org password='s3cr3t",
		"password=s3cr3t host",
		"liaison:s3cr3t@db.example.org",
	} {
		name, err := Name(database)
		if err != nil {
			name = err.Error()
			if _, e := Open(t.Context(), database, Config{}); e == nil || !strings.Contains(e.Error(), name) || strings.Contains(e.Error(), "s3c") {
				t.Errorf("opened: %v", e)
			}
		}
		if strings.Contains(name, "s3c") {
			t.Errorf("it says %s", name)
		}
		t.Log(name)
	}
}

func TestADatabaseIsNamedByItselfAndItsHosts(t *testing.T) {
	for database, want := range map[string]string{
		"postgres://liaison@db.example.org/office":           "office on db.example.org",
		"postgresql://u:p@a.example.org:6432,b/office":       "office on a.example.org:6432 and b",
		"host=/run/postgresql user=liaison":                  "liaison on /run/postgresql",
		"dbname=office host=::1 user=u port=5433 password=p": "office on [::1]:5433",
	} {
		if name, err := Name(database); err != nil || name != want {
			t.Errorf("%q, %v, want %q", name, err, want)
		}
	}
	for text, want := range map[string]bool{"/var/lib/anchors": false, "anchors": false, "/a=b": false, "host=a": true, "dbname = a": true, "postgres://": true} {
		if IsDatabase(text) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

// TestOpenSaysWhatToDo: the sentence comes first, what the server said behind it.
func TestOpenSaysWhatToDo(t *testing.T) {
	s := pgtest.Durable(t)
	pgtest.Run(t, s, "DROP DATABASE IF EXISTS theirs WITH (FORCE)", "DROP ROLE IF EXISTS stranger", "CREATE ROLE stranger LOGIN", "CREATE DATABASE theirs")
	old := oldServer(t, "140012")
	for name, c := range map[string]struct{ database, want string }{
		"no server":         {"host=/nowhere user=liaison", "no server answers there"},
		"no host":           {"host=nowhere.invalid user=liaison", "the host is not known"},
		"no database":       {strings.Replace(s.URL(), "/postgres?", "/nothing?", 1), "no database of that name"},
		"no user":           {strings.Replace(s.URL(), "user=liaison", "user=nobody", 1), "does not let this user in"},
		"no right":          {strings.NewReplacer("user=liaison", "user=stranger", "/postgres?", "/theirs?").Replace(s.URL()), "may not do what an office must"},
		"an old server":     {"postgres://liaison@" + old + "/liaison?sslmode=disable", "this is PostgreSQL 14, and 15 is the oldest"},
		"a read-only one":   {s.URL() + "&default_transaction_read_only=on", "it is a standby, or set to read only"},
		"nothing to read":   {s.URL(), "there is no store in this database"},
		"not a database":    {"/var/lib/liaison", "cannot be read as postgres://"},
		"no such key file":  {"host=db.example.org sslmode=verify-full sslrootcert=/nowhere.pem", "/nowhere.pem"},
		"no such parameter": {s.URL() + "&pasword=s3cr3t", "pasword"},
	} {
		_, err := Open(context.Background(), c.database, Config{ReadOnly: name == "nothing to read"})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", name, err)
		}
		t.Log(err)
	}
}

func TestAStoreThatIsOnlyReadChangesNothing(t *testing.T) {
	server := pgtest.Fast(t)
	database := pgtest.Schema(t, server)
	s := openTest(t, database, Config{unsynced: true})
	if found := s.Check(t.Context()); len(found) > 0 {
		t.Errorf("empty: %q", found)
	}
	l := storeWith(t, s)
	r := openTest(t, database, Config{unsynced: true, ReadOnly: true})
	if n := sizeOf(t, r, l.Collection); n != 10 {
		t.Errorf("%d entries are read", n)
	}
	if err := appendTo(r, l.Collection, l.Next(1)); err == nil || !strings.Contains(err.Error(), "for reading only") {
		t.Errorf("it is written to: %v", err)
	}
	if found := r.Check(t.Context()); len(found) > 0 {
		t.Errorf("healthy: %q", found)
	}
}

// TestCheckNamesWhatIsWrong: each statement is damage of its own.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	server := pgtest.Fast(t)
	for damage, want := range map[string]string{
		"DELETE FROM proofs WHERE key & 255 = 3":                 "entry 3: in objects and not in proofs",
		"DELETE FROM objects WHERE key & 255 = 9":                "entry 9: in proofs and not in objects",
		"DELETE FROM objects WHERE key & 255 = 4":                "entry 5 follows a gap",
		"UPDATE collections SET size = 11":                       "holds 10 entries and its end says 11",
		"UPDATE ids SET hidden = true WHERE key & 255 = 2":       "entry 2: ids and gaps do not agree",
		"INSERT INTO gaps SELECT max(key) + 7, 1 FROM objects":   "entry 16: in gaps and not in objects",
		"INSERT INTO ids SELECT 1, false, 1, 5 + 16777216::int8": "collection ? entry 16777221: in ids and not in objects",
	} {
		database := pgtest.Schema(t, server)
		s := openTest(t, database, Config{unsynced: true})
		storeWith(t, s)
		if _, err := s.writing.Exec(t.Context(), damage); err != nil {
			t.Fatal(err)
		}
		if found := strings.Join(s.Check(t.Context()), "\n"); !strings.Contains(found, want) {
			t.Errorf("%s: %q", damage, found)
		}
	}
}
