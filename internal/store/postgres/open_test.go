package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

func TestOpenRefusesWithASentence(t *testing.T) {
	s := pgtest.Fast(t)
	for _, c := range []struct {
		name    string
		prepare string // %s: the schema
		config  Config
		want    string
	}{
		{"a newer schema", "", Config{unsynced: true}, fmt.Sprintf("a newer version of liaison has written this store (schema %d; this one knows %d): use that version", schemaVersion+1, schemaVersion)},
		{"another program's", "CREATE TABLE %s.accounts (n int)", Config{unsynced: true}, "holds the tables of another program"},
		{"no schema", "DROP SCHEMA %s", Config{unsynced: true}, "names no schema"},
		{"no sync", "", Config{}, "a power cut may lose"},
	} {
		database := pgtest.Schema(t, s)
		name := database[strings.LastIndex(database, "search_path=")+len("search_path="):]
		name, _, _ = strings.Cut(name, "&")
		if c.name == "a newer schema" {
			openTest(t, database, Config{unsynced: true}).Close()
			c.prepare = fmt.Sprintf("UPDATE %%s.liaison SET version = %d", schemaVersion+1)
		}
		if c.prepare != "" {
			pgtest.Run(t, s, strings.ReplaceAll(c.prepare, "%s", name))
		}
		_, err := Open(context.Background(), database, c.config)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		} else {
			t.Log(err)
		}
	}
	_, err := Open(context.Background(), s.URL("synchronous_commit=off", "password=secret"), Config{})
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "synchronous_commit is off") {
		t.Error(err)
	}
}

// A process that runs while a newer one migrates must not go on as if nothing
// had happened.
func TestARunningProcessRefusesASchemaThatBecameNewer(t *testing.T) {
	database := pgtest.Schema(t, pgtest.Fast(t))
	s, newer := openTest(t, database, Config{unsynced: true}), openTest(t, database, Config{unsynced: true})
	l := storetest.NewLog(1)
	fill(t, s, l, 3)
	err := newer.Update(context.Background(), store.Lock{}, func(w store.Tx) error {
		_, err := w.(*tx).exec("UPDATE liaison SET version = version + 1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	view := s.View(context.Background(), func(store.View) error { return nil })
	for _, err := range []error{view, appendTo(s, l.Collection, l.Next(1))} {
		if err == nil || !strings.Contains(err.Error(), "a newer version") {
			t.Error(err)
		}
	}
}

func TestProcessesThatOpenAtOnceMakeOneStore(t *testing.T) {
	database := pgtest.Schema(t, pgtest.Fast(t))
	done := make(chan error)
	for range 6 {
		go func() {
			s, err := Open(context.Background(), database, Config{unsynced: true, Readers: 1, Writers: 1})
			if err == nil {
				err = s.Close()
			}
			done <- err
		}()
	}
	for range 6 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestListenersHearOfWhatOthersCommit(t *testing.T) {
	server := pgtest.Fast(t)
	database := pgtest.Schema(t, server)
	a, b := openTest(t, database, Config{unsynced: true}), openTest(t, database, Config{unsynced: true})
	heard, ended := make(chan liaison.CollectionID, 100), make(chan error)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- a.Listen(ctx, func(c liaison.CollectionID) { heard <- c }) }()
	wait := func(want liaison.CollectionID) {
		for c := range heard { // other tests use the same database
			if c == want {
				return
			}
		}
	}
	wait(liaison.CollectionID{})
	l := storetest.NewLog(77)
	fill(t, b, l, 3)
	wait(l.Collection)
	if n := sizeOf(t, a, l.Collection); n != 3 {
		t.Errorf("%d entries are there when it is heard", n)
	}
	pgtest.Run(t, server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
	wait(liaison.CollectionID{}) // anything may have changed
	fill(t, b, l, 3)
	wait(l.Collection)
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
	go func() { ended <- b.Listen(context.Background(), func(liaison.CollectionID) {}) }()
	b.Close()
	if err := <-ended; err != store.ErrClosed {
		t.Error(err)
	}
}

func TestIdleConnectionsThatTheServerEndedAreReplaced(t *testing.T) {
	server := pgtest.Fast(t)
	s := openTest(t, pgtest.Schema(t, server), Config{unsynced: true})
	l := storetest.NewLog(1)
	for range 3 {
		fill(t, s, l, 3)
		sizeOf(t, s, l.Collection)
		pgtest.Run(t, server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'liaison'")
	}
	if n := sizeOf(t, s, l.Collection); n != 9 {
		t.Errorf("%d entries, want 9", n)
	}
}
