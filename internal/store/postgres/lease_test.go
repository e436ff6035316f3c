package postgres

import (
	"context"
	"testing"

	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
)

// TestALostLeaseEndsWhatRanUnderIt: the session that held it is ended at the
// server, and somebody gets it again.
func TestALostLeaseEndsWhatRanUnderIt(t *testing.T) {
	server := pgtest.Fast(t)
	s := openTest(t, pgtest.Database(t, server), Config{unsynced: true})
	runs, lost := make(chan bool), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- s.Lease(ctx, "relay", func(ctx context.Context) error {
			runs <- true
			<-ctx.Done()
			lost <- context.Cause(ctx)
			return ctx.Err()
		})
	}()
	<-runs
	pgtest.Run(t, server, `SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database
		WHERE locktype = 'advisory' AND datname = '`+s.reading.Config().ConnConfig.Database+`'`)
	if err := <-lost; err == nil || err == context.Canceled {
		t.Errorf("it ended because of %v", err)
	}
	<-runs // again
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
}
