package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/liaison-office/liaison/internal/pgserver"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

func idMark(id string) []byte { return binary.BigEndian.AppendUint64(nil, uint64(idDigest(id))) }

// filesOf lists the files of a server's data, apart from those of its log.
func filesOf(t testing.TB, s *pgserver.Server) (files []string) {
	t.Helper()
	err := filepath.WalkDir(s.Folder(), func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // it came and went
			return nil
		case err != nil:
			return err
		case e.IsDir() && e.Name() == "pg_wal":
			return fs.SkipDir
		case e.Type().IsRegular():
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestNoFileHoldsWhatWasErased(t *testing.T) {
	server := pgtest.New(t, pgserver.Config{})
	s := openTest(t, server.URL(), Config{unsynced: true})
	secrets := storetest.Fill(t, s, 1, 3000, 200, idMark)
	pgtest.Run(t, server, "ANALYZE", "CHECKPOINT")
	found := storetest.Left(t, filesOf(t, server), secrets)
	if len(found) < len(secrets)*4 {
		t.Fatalf("the search finds %d marks of what is not erased", len(found))
	}
	if err := storetest.EraseAll(context.Background(), s, secrets); err != nil {
		t.Fatal(err)
	}
	pgtest.Run(t, server, "VACUUM", "CHECKPOINT")
	t.Logf("after VACUUM there are %d marks", len(storetest.Left(t, filesOf(t, server), secrets)))
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	pgtest.Run(t, server, "ANALYZE")
	for _, f := range storetest.Left(t, filesOf(t, server), secrets) {
		t.Error(f)
	}
}

// What is left to do is written down in the database: the next process does it.
func TestAfterAKillTheNextStartEndsTheErasure(t *testing.T) {
	server := pgtest.New(t, pgserver.Config{})
	s := openTest(t, server.URL(), Config{unsynced: true})
	secrets := storetest.Fill(t, s, 2, 300, 40, idMark)
	if err := storetest.EraseAll(context.Background(), s, secrets); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	pgtest.Start(t, server)
	next := openTest(t, server.URL(), Config{unsynced: true})
	if len(storetest.Left(t, filesOf(t, server), secrets)) == 0 {
		t.Fatal("before the next start nothing is left already: the test shows nothing")
	}
	if err := next.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, f := range storetest.Left(t, filesOf(t, server), secrets) {
		t.Error(f)
	}
}

// A view of another process may still read what was erased, so its rows stay
// while it runs.
func TestScrubWaitsForViewsAndNobodyWaitsForIt(t *testing.T) {
	server := pgtest.New(t, pgserver.Config{})
	s, other := openTest(t, server.URL(), Config{unsynced: true}), openTest(t, server.URL(), Config{unsynced: true})
	secrets := storetest.Fill(t, s, 3, 300, 20, idMark)
	err := other.View(context.Background(), func(v store.View) error {
		if err := storetest.EraseAll(context.Background(), s, secrets); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*scrubPause)
		defer cancel()
		if err := s.Scrub(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("during a view: %v", err)
		}
		return s.Update(context.Background(), store.Lock{}, func(tx store.Tx) error { return tx.Put("b", "k", nil) })
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, f := range storetest.Left(t, filesOf(t, server), secrets) {
		t.Error(f)
	}
}

// A transaction of somebody else in the database keeps old rows too.
func TestScrubIsNotDoneWhileSomebodyElseKeepsTheRows(t *testing.T) {
	server := pgtest.New(t, pgserver.Config{})
	s := openTest(t, server.URL(), Config{unsynced: true})
	secrets := storetest.Fill(t, s, 4, 300, 20, idMark)
	stop := make(chan struct{})
	reading(t, server, stop)
	if err := storetest.EraseAll(context.Background(), s, secrets); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*scrubPause)
	defer cancel()
	if err := s.Scrub(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while somebody else reads: %v", err)
	}
	close(stop)
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, f := range storetest.Left(t, filesOf(t, server), secrets) {
		t.Error(f)
	}
}

// reading is a transaction that reads nothing of ours until stop.
func reading(t testing.TB, s *pgserver.Server, stop chan struct{}) {
	t.Helper()
	c, err := s.Connect(context.Background())
	if err == nil {
		_, err = c.Exec(context.Background(), "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-stop
		c.Close(context.Background())
	}()
	t.Cleanup(func() {
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Error("the transaction did not end")
		}
	})
}
