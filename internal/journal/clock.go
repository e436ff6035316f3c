package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// An act says when it was accepted, and whether it might be is judged by that. So
// nothing is accepted by a clock that is wrong. Order does not depend on clocks:
// the instants of a log increase whatever they say.

// ErrClock says that this machine's clock cannot be right. Nothing is accepted;
// it ends by itself when the clock is.
var ErrClock = errors.New("the clock is wrong, and nothing is accepted until it is right")

const (
	maxDrift  = 5 * time.Minute     // between two clocks that are both right
	longAway  = 30 * 24 * time.Hour // an office that was away for longer is remarked
	askClock  = time.Minute         // between two questions for the database's clock
	unsettled = time.Second         // the same, while it is another
	clockWait = 5 * time.Second     // for its answer
)

// clock is what the journal knows about the clock of its machine.
type clock struct {
	mu     sync.Mutex      // guards all: Run asks, and who mends a stopped log
	newest liaison.Instant // of all entries of all logs, as far as known
	wall   time.Time       // what Now said when it was last found right
	steady time.Duration   // what Elapsed said then
	asked  time.Duration   // what Elapsed said when the database was last asked
	other  error           // what came of that
}

// startClock learns how new the logs are, before anything is accepted.
func (j *Journal) startClock(v store.View, logs []liaison.CollectionID) error {
	j.clock.mu.Lock()
	defer j.clock.mu.Unlock()
	for _, c := range logs {
		p, err := v.Position(c)
		if err != nil {
			return err
		}
		j.clock.newest = max(j.clock.newest, p.Added)
	}
	now := j.Now().Round(0)
	j.clock.wall = now
	if j.Elapsed != nil {
		j.clock.steady = j.Elapsed()
		j.clock.asked = j.clock.steady - askClock
	}
	if err := j.behindNewest(now); err != nil {
		j.Log.Error("nothing is accepted until the clock is right; the office goes on reading", "err", err)
	}
	if away := now.Sub(j.clock.newest.Time()); j.clock.newest != 0 && away > longAway {
		j.Log.Warn("the newest entry is old: if this office was not away for so long, its clock is wrong; set it right before anything is accepted",
			"newest", j.clock.newest.String(), "clock", liaison.InstantOf(now).String(), "days", int(away.Hours()/24))
	}
	return nil
}

// checkClock is ErrClock if the clock cannot be right: it is before what was
// accepted already, it was set while nobody looked, or the database's is another.
func (j *Journal) checkClock(ctx context.Context) error {
	j.clock.mu.Lock()
	defer j.clock.mu.Unlock()
	now := j.Now().Round(0) // the wall alone
	if err := j.behindNewest(now); err != nil {
		return err
	}
	if j.Elapsed == nil {
		return nil
	}
	steady := j.Elapsed()
	if err := j.clock.jumped(now, steady); err != nil {
		return err
	}
	if err := j.compareClocks(ctx, now, steady); err != nil {
		return err
	}
	j.clock.wall, j.clock.steady = now, steady
	return nil
}

// saw takes in that an entry was added, by whichever process. It is ErrClock if
// the clock is before that.
func (j *Journal) saw(added liaison.Instant) error {
	j.clock.mu.Lock()
	defer j.clock.mu.Unlock()
	j.clock.newest = max(j.clock.newest, added)
	return j.behindNewest(j.Now())
}

// behindNewest is asked with clock.mu held.
func (j *Journal) behindNewest(now time.Time) error {
	if newest := j.clock.newest.Time(); newest.Sub(now) > maxDrift {
		return fmt.Errorf("%w: it says %s, and the newest entry was accepted at %s; set the clock, no restart is needed",
			ErrClock, liaison.InstantOf(now), j.clock.newest)
	}
	return nil
}

// jumped compares what has passed by the clock with what has passed.
func (c *clock) jumped(now time.Time, steady time.Duration) error {
	should := c.wall.Add(steady - c.steady)
	if now.Sub(should).Abs() <= maxDrift {
		return nil
	}
	return fmt.Errorf("%w: it says %s, and by the time that has passed since it said %s it should say %s; set the clock, or restart the office if it is right now",
		ErrClock, liaison.InstantOf(now), liaison.InstantOf(c.wall), liaison.InstantOf(should))
}

// compareClocks asks the database what time it is, now and then. One that does
// not answer will be met by the commit.
func (j *Journal) compareClocks(ctx context.Context, now time.Time, steady time.Duration) error {
	database, ok := j.Store.(store.Clock)
	if since := steady - j.clock.asked; !ok || since < unsettled || since < askClock && j.clock.other == nil {
		return j.clock.other
	}
	ctx, cancel := context.WithTimeout(ctx, clockWait)
	defer cancel()
	their, err := database.Clock(ctx)
	if err != nil {
		return j.clock.other
	}
	j.clock.asked, j.clock.other = steady, nil
	if now.Sub(their).Abs() > maxDrift {
		j.clock.other = fmt.Errorf("%w: it says %s, and the database's says %s; set the one that is wrong, no restart is needed",
			ErrClock, liaison.InstantOf(now), liaison.InstantOf(their))
	}
	return j.clock.other
}
