package postgres

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liaison-office/liaison/internal/pgserver"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// said is a log that several goroutines write.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), what)
}

// TestADatabaseThatIsAwayIsSaidSoOnce: what comes waits, then fails as what it
// is; and when it is back everything goes on.
func TestADatabaseThatIsAwayIsSaidSoOnce(t *testing.T) {
	server := pgtest.New(t, pgserver.Config{Durable: true})
	var log said
	s := openTest(t, server.URL(), Config{Patience: 2 * blip, Log: slog.New(slog.NewTextHandler(&log, nil))})
	l := storetest.NewLog(1)
	fill(t, s, l, 3)
	server.Stop()
	next := l.Next(1)
	for range 20 {
		err := appendTo(s, l.Collection, next)
		seen := s.View(t.Context(), func(v store.View) error {
			_, err := v.Position(l.Collection)
			return err
		})
		if !errors.Is(err, store.ErrAway) || !errors.Is(seen, store.ErrAway) || errors.Is(err, store.ErrBroken) {
			t.Fatalf("away: %v; %v", err, seen)
		}
	}
	pgtest.Start(t, server)
	err := appendTo(s, l.Collection, next)
	for range 100 {
		if err == nil {
			break
		}
		time.Sleep(lookAway / 10) // there is nothing to wait on: the store looks by itself
		err = appendTo(s, l.Collection, next)
	}
	if n := sizeOf(t, s, l.Collection); err != nil || n != 4 {
		t.Errorf("back: %v, %d entries", err, n)
	}
	if log.count("is away") != 1 || log.count("is back") != 1 {
		t.Errorf("the operator reads %s", log.text.String())
	}
}

// TestATryThatSucceededIsTheCallers: it may hold a connection, which nobody would
// give back if the end of the context were returned instead.
func TestATryThatSucceededIsTheCallers(t *testing.T) {
	p := presence{log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	err := p.insist(ctx, time.Minute, func() error {
		cancel()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
