package desktest

import (
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store/postgres"
)

// Processes opens an office as several processes do: on one PostgreSQL
// database, with one folder of anchors. They end with the test.
func Processes(t *testing.T, name liaison.Office, n int, opt Options) []*Office {
	t.Helper()
	database, dir := pgtest.Database(t, pgtest.Durable(t)), t.TempDir()
	if opt.Clock == nil {
		opt.Clock = NewClock()
	}
	list := make([]*Office, n)
	for i := range list {
		list[i] = OpenOn(t, name, database, dir, opt)
		t.Cleanup(func() { list[i].Close() })
	}
	return list
}

// OpenOn opens a process of an office whose store is in a PostgreSQL database,
// and whose anchors are in dir.
func OpenOn(t testing.TB, name liaison.Office, database, dir string, opt Options) *Office {
	t.Helper()
	s, err := postgres.Open(t.Context(), database, postgres.Config{Log: opt.Log})
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	opt.Store = s
	return Open(t, name, dir, opt)
}
