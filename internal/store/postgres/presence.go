package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/liaison-office/liaison/internal/store"
)

const (
	blip     = time.Second // a server that answers again before is not said to be away
	lookAway = time.Second // between two looks for a server that nobody waits for any more
)

// presence knows since when a database is away, and tells the operator once when
// it goes and once when it is back.
type presence struct {
	log *slog.Logger
	is  string // what is away: "the database"

	mu    sync.Mutex
	since time.Time // of the first try that failed; zero: it is there; guarded by mu
	tried time.Time // the last try; guarded by mu
	said  bool      // that it is away; guarded by mu
	why   error     // guarded by mu
}

// note takes what became of a try. Whatever a server answers, it is there.
func (p *presence) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch p.tried = now; {
	case errors.Is(err, store.ErrClosed):
	case !isAway(err):
		p.back(now)
	case p.since.IsZero():
		p.since, p.why = now, err
	case !p.said && now.Sub(p.since) >= blip:
		p.said, p.why = true, err
		p.log.Warn(p.is+" is away: what comes waits for it a while and is then answered 503; nothing that was acknowledged is lost, and no restart is needed", "err", err)
	}
}

// back is note for a server that answers; p.mu is held.
func (p *presence) back(now time.Time) {
	if p.said {
		p.log.Info(p.is+" is back", "away", now.Sub(p.since).Round(time.Millisecond).String())
	}
	p.since, p.said, p.why = time.Time{}, false, nil
}

// hopeless reports why a server that has been away for longer than patience need
// not be tried: somebody did so just now. Otherwise it is the caller's turn.
func (p *presence) hopeless(patience time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.longAway(now, patience) {
		return nil
	}
	if now.Sub(p.tried) < lookAway {
		return p.why
	}
	p.tried = now
	return nil
}

func (p *presence) longAway(now time.Time, patience time.Duration) bool {
	return !p.since.IsZero() && now.Sub(p.since) > patience
}

// gone reports whether a server has been away for longer than patience: nobody
// waits for it any more.
func (p *presence) gone(patience time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.longAway(time.Now(), patience)
}

// insist repeats what a server that is away does not answer, for patience at
// most. What finds one that was away for as long already does not wait.
func (p *presence) insist(ctx context.Context, patience time.Duration, try func() error) error {
	if why := p.hopeless(patience); why != nil {
		return away(why)
	}
	start := time.Now()
	return p.repeat(ctx, try, func() bool { return time.Since(start) > patience || p.gone(patience) })
}

// repeat tries until the server answers, it is enough, or ctx ends.
func (p *presence) repeat(ctx context.Context, try func() error, enough func() bool) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := cause(ctx, try())
		if err == nil || ctx.Err() == nil {
			p.note(err)
		}
		if !isAway(err) { // what a try that succeeded has taken is the caller's, ctx ended or not
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if enough() {
			return away(err)
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
	}
}

// rest waits, or says that ctx ended.
func rest(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// away says of an error that the database is away, if it is that.
func away(err error) error {
	if err == nil || !isAway(err) || errors.Is(err, store.ErrAway) || errors.Is(err, store.ErrBroken) {
		return err
	}
	return fmt.Errorf("%w (%w)", store.ErrAway, err)
}
