// Package pgtest gives tests a PostgreSQL: servers that the tests of one process
// share, each test in a schema or database of its own, and servers of one test
// for what kills them.
//
// # Invariants
//
//   - Where there is no PostgreSQL a test is skipped, and fails if CI=true.
//   - Shared servers end with the process of the tests, however it ends: no
//     TestMain is needed.
//
// # What it does not do
//
// Nothing but tests imports it; what it starts is package pgserver's.
package pgtest

import (
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/liaison-office/liaison/internal/pgserver"
)

// shared are the servers that tests share.
var shared struct {
	sync.Mutex
	fast, durable *pgserver.Server
}

// Fast is the shared server for what cuts no power. Nothing ends it.
func Fast(t testing.TB) *pgserver.Server {
	t.Helper()
	return share(t, &shared.fast, pgserver.Config{Settings: []string{"max_connections=300"}})
}

// Durable is the shared server that keeps what it acknowledges. A test that
// kills it starts it again, and no test that uses it is parallel.
func Durable(t testing.TB) *pgserver.Server {
	t.Helper()
	return share(t, &shared.durable, pgserver.Config{Durable: true})
}

func share(t testing.TB, place **pgserver.Server, config pgserver.Config) *pgserver.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if *place == nil {
		s, err := pgserver.New(t.Context(), config)
		must(t, err)
		*place = s
	}
	return *place
}

// New is a server of one test, which ends with it.
func New(t testing.TB, config pgserver.Config) *pgserver.Server {
	t.Helper()
	s, err := pgserver.New(t.Context(), config)
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

// Standby is a server of one test that follows another.
func Standby(t testing.TB, of *pgserver.Server, config pgserver.Config) *pgserver.Server {
	t.Helper()
	s, err := of.Standby(t.Context(), config)
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

// must ends a test that got no server.
func must(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, pgserver.ErrAbsent) && os.Getenv("CI") != "true":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// Schema makes a schema of a server and returns a URL that names it.
func Schema(t testing.TB, s *pgserver.Server) string {
	t.Helper()
	url, err := s.Schema(t.Context())
	must(t, err)
	return url
}

// Database makes a database of a server and returns a URL that names it: for
// tests whose NOTIFY and advisory locks nobody else should meet.
func Database(t testing.TB, s *pgserver.Server) string {
	t.Helper()
	url, err := s.Database(t.Context())
	must(t, err)
	return url
}

// Run runs statements, one after the other.
func Run(t testing.TB, s *pgserver.Server, statements ...string) {
	t.Helper()
	must(t, s.Exec(t.Context(), statements...))
}

// Start starts a server that was ended.
func Start(t testing.TB, s *pgserver.Server) {
	t.Helper()
	must(t, s.Start(t.Context()))
}

// Until asks a server until the answer is true.
func Until(t testing.TB, s *pgserver.Server, sql string) {
	t.Helper()
	must(t, s.Until(t.Context(), sql))
}
