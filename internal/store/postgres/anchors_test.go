package postgres

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/pgserver"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

const tokyo = liaison.Office("tokyo.example.org")

func originOf(office liaison.Office) liaison.Origin {
	return liaison.Origin{Office: office, Collection: liaison.CollectionID{1, 6: 0x40, 8: 0x80}, Generation: 1}
}

// noteOf is a checkpoint as it is kept: whether the signature holds is asked by
// others.
func noteOf(o liaison.Origin, size uint64, root byte) string {
	return ledger.Checkpoint{Origin: o, Size: size, Root: liaison.Hash{root}}.Text() + "\n— tokyo AAAAAAAA\n"
}

func openAnchors(t testing.TB, database string, office liaison.Office, s *Store, config Config) *Anchors {
	t.Helper()
	a, err := OpenAnchors(t.Context(), database, office, s, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// TestCheckpointsInADatabaseNeverGoBack: whichever process saves last, the later
// size is kept, and the first note of a size that says something else.
func TestCheckpointsInADatabaseNeverGoBack(t *testing.T) {
	database := pgtest.Database(t, pgtest.Durable(t))
	a, b := openAnchors(t, database, tokyo, nil, Config{}), openAnchors(t, database, tokyo, nil, Config{})
	o := originOf(tokyo)
	if note, ok, err := a.Load(o); ok || err != nil {
		t.Errorf("nothing is kept, and there is %q, %v", note, err)
	}
	five, six := noteOf(o, 5, 1), noteOf(o, 6, 2)
	for i, s := range []struct{ save, kept string }{
		{five, five}, {noteOf(o, 4, 1), five}, {noteOf(o, 5, 2), five},
		{five + "— tokyo BBBBBBBB\n", five + "— tokyo BBBBBBBB\n"}, {six, six},
	} {
		kept, err := []*Anchors{a, b}[i%2].Save(o, s.save)
		there, ok, err2 := a.Load(o)
		if err := errors.Join(err, err2); err != nil || !ok || kept != s.kept || there != s.kept {
			t.Errorf("saved\n%s\nkept\n%s\nthere is\n%s\n%v", s.save, kept, there, err)
		}
	}
	if _, err := a.Save(o, "no checkpoint"); err == nil {
		t.Error("it keeps what is no checkpoint")
	}

	const each = 50
	var saving sync.WaitGroup
	for p, to := range []*Anchors{a, b, a, b} {
		saving.Go(func() {
			for i := range each {
				note := noteOf(o, uint64(10+4*i+p), 1)
				kept, err := to.Save(o, note)
				if cp, _ := ledger.ReadCheckpoint(kept); err != nil || cp.Size < uint64(10+4*i+p) {
					t.Errorf("kept %q: %v", kept, err)
				}
			}
		})
	}
	saving.Wait()
	if kept, _, err := b.Load(o); err != nil || kept != noteOf(o, 10+4*each-1, 1) {
		t.Errorf("kept %s, %v", kept, err)
	}
}

func TestOfficesThatShareADatabaseOfCheckpointsSeeTheirOwn(t *testing.T) {
	database := pgtest.Database(t, pgtest.Durable(t))
	hq := liaison.Office("hq.example.org")
	a, b := openAnchors(t, database, tokyo, nil, Config{}), openAnchors(t, database, hq, nil, Config{})
	for _, o := range []liaison.Origin{originOf(tokyo), {Office: tokyo, Collection: liaison.CollectionID{2, 6: 0x40, 8: 0x80}, Generation: 3}} {
		if _, err := a.Save(o, noteOf(o, 1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := a.Origins(); err != nil || len(list) != 2 || list[0].Office != tokyo {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := b.Origins(); err != nil || len(list) != 0 {
		t.Errorf("another office sees %v, %v", list, err)
	}
	if note, ok, err := b.Load(originOf(hq)); ok || err != nil {
		t.Errorf("another office reads %s, %v", note, err)
	}
}

// TestCheckpointsAreNotKeptWhereTheStoreIs: they would go back in time with it.
func TestCheckpointsAreNotKeptWhereTheStoreIs(t *testing.T) {
	server := pgtest.Durable(t)
	pgtest.Run(t, server, "DROP DATABASE IF EXISTS office WITH (FORCE)", "DROP DATABASE IF EXISTS checkpoints WITH (FORCE)", "DROP ROLE IF EXISTS officer",
		"CREATE ROLE officer LOGIN", "CREATE DATABASE office OWNER officer", "CREATE DATABASE checkpoints OWNER officer")
	as := func(database string) string {
		return strings.NewReplacer("user=liaison", "user=officer", "/postgres?", "/"+database+"?").Replace(server.URL())
	}
	var log said
	config := Config{Log: slog.New(slog.NewTextHandler(&log, nil))}
	s := openTest(t, as("office"), Config{})
	if _, err := OpenAnchors(t.Context(), as("office")+"&application_name=other", tokyo, s, config); err == nil || !strings.Contains(err.Error(), ErrSameDatabase.Error()) {
		t.Errorf("the database of the store: %v", err)
	}
	openAnchors(t, as("checkpoints"), tokyo, s, config)
	if log.count("level=WARN") != 1 || log.count("the server of the store") != 1 {
		t.Errorf("the same server: the operator reads %s", log.text.String())
	}
	openAnchors(t, pgtest.New(t, pgserver.Config{Durable: true}).URL(), tokyo, s, config)
	if log.count("level=WARN") != 1 {
		t.Errorf("another server: the operator reads %s", log.text.String())
	}
}

func TestCheckpointsThatAreOnlyReadMustBeThere(t *testing.T) {
	database := pgtest.Database(t, pgtest.Durable(t))
	if _, err := OpenAnchors(t.Context(), database, tokyo, nil, Config{ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "there is no place of checkpoints in this database") {
		t.Error(err)
	}
	o := originOf(tokyo)
	if _, err := openAnchors(t, database, tokyo, nil, Config{}).Save(o, noteOf(o, 1, 1)); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := openAnchors(t, database, tokyo, nil, Config{ReadOnly: true}).Load(o); !ok || err != nil {
		t.Error(ok, err)
	}
	pgtest.Run(t, pgtest.Durable(t), "SELECT 1") // the server is there
	if _, err := Open(t.Context(), database, Config{}); err == nil || !strings.Contains(err.Error(), "tables of another program") {
		t.Errorf("a store among checkpoints: %v", err)
	}
}

// TestNoCheckpointIsKeptWhileItsDatabaseIsAway, and Ready says so before anything
// is accepted.
func TestNoCheckpointIsKeptWhileItsDatabaseIsAway(t *testing.T) {
	server := pgtest.New(t, pgserver.Config{Durable: true})
	a := openAnchors(t, server.URL(), tokyo, nil, Config{})
	o := originOf(tokyo)
	if err := a.Ready(); err != nil {
		t.Error(err)
	}
	server.Stop()
	for range 3 {
		if _, err := a.Save(o, noteOf(o, 1, 1)); !errors.Is(err, store.ErrAway) {
			t.Errorf("save: %v", err)
		}
		if err := a.Ready(); !errors.Is(err, store.ErrAway) {
			t.Errorf("ready: %v", err)
		}
	}
	pgtest.Start(t, server)
	for range 100 {
		if _, err := a.Save(o, noteOf(o, 1, 1)); err == nil {
			break
		}
		rest(t.Context(), lookAway/10) // there is nothing to wait on: it looks by itself
	}
	if _, ok, err := a.Load(o); !ok || err != nil {
		t.Error(ok, err)
	}
	if err := a.Ready(); err != nil {
		t.Error(err)
	}
}
