package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/sqlite"
)

// clocks are those of a machine: one that is set, one that nobody sets, and that
// of the machine on which the database is.
type clocks struct {
	*desktest.Clock
	steady, database *desktest.Clock
}

// pass lets time pass for all of them.
func (c clocks) pass(d time.Duration) {
	for _, one := range []*desktest.Clock{c.Clock, c.steady, c.database} {
		one.Move(d)
	}
}

// far is a store whose database is on another machine.
type far struct {
	store.Store
	clock *desktest.Clock
}

func (f far) Clock(context.Context) (time.Time, error) { return f.clock.Now(), nil }

// clocked opens a journal that compares clocks, and returns what it logs.
func clocked(t *testing.T, dir string, c clocks) (*office, *said) {
	t.Helper()
	engine, err := sqlite.Open(dir, sqlite.Config{})
	must(t, err)
	o := &office{dir: dir, keys: desktest.NewKeys(desktest.Tokyo), clock: c.Clock}
	log, began := new(said), c.steady.Now()
	o.Journal = journal.New(journal.Config{
		Office: desktest.Tokyo, Store: far{engine, c.database}, Signer: o.keys, Anchor: journal.AnchorDir(dir), Salt: desktest.Salt,
		Log: slog.New(slog.NewTextHandler(log, nil)), Now: c.Now, Elapsed: func() time.Duration { return c.steady.Now().Sub(began) },
	})
	must(t, o.Open(t.Context()))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = o.Run(ctx) })
	o.stop = sync.OnceFunc(func() { cancel(); running.Wait(); engine.Close() })
	t.Cleanup(func() { o.stop() })
	return o, log
}

// said is a log that may be read while it is written.
type said struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func newClocks() clocks {
	return clocks{desktest.NewClock(), desktest.NewClock(), desktest.NewClock()}
}

// accepts appends a note to a collection.
func (o *office) accepts(t *testing.T, c liaison.CollectionID, name string) error {
	t.Helper()
	_, err := o.Append(t.Context(), &journal.Batch{Collection: c, Items: []journal.Item{item(note(t, name, alice, 1, ""), alice)}})
	return err
}

// refuses checks that nothing is accepted into any collection, with a sentence
// that names instants, and that reading goes on.
func (o *office) refuses(t *testing.T, instants ...liaison.Instant) {
	t.Helper()
	before := len(o.entries(t, coll))
	for _, c := range []liaison.CollectionID{coll, other} {
		err := o.accepts(t, c, "refused")
		if !errors.Is(err, journal.ErrClock) {
			t.Fatalf("collection %s: %v", c, err)
		}
		for _, i := range instants {
			if !strings.Contains(err.Error(), i.String()) {
				t.Errorf("%v does not name %s", err, i)
			}
		}
	}
	if n := len(o.entries(t, coll)); n != before {
		t.Errorf("%d entries, were %d", n, before)
	}
}

const year = 365 * 24 * time.Hour

func instant(c *desktest.Clock) liaison.Instant { return liaison.InstantOf(c.Now()) }

func TestAClockAYearBackAcceptsNothingUntilItIsRight(t *testing.T) {
	c, dir := newClocks(), t.TempDir()
	o, _ := clocked(t, dir, c)
	must(t, o.accepts(t, coll, "a"))
	newest := o.entries(t, coll)[0].Added
	o.stop()
	c.Move(-year)
	c.database.Move(-year)
	for range 2 { // a restart does not help
		o, log := clocked(t, dir, c)
		o.refuses(t, instant(c.Clock), newest)
		if !strings.Contains(log.String(), "nothing is accepted until the clock is right") {
			t.Errorf("the operator reads:\n%s", log)
		}
		o.stop()
	}
	o, log := clocked(t, dir, c)
	o.refuses(t)
	c.Move(year - 4*time.Minute)
	c.database.Move(year)
	c.steady.Move(year - 4*time.Minute)
	must(t, o.accepts(t, coll, "b"))
	must(t, o.accepts(t, other, "c"))
	if n := strings.Count(log.String(), "the clock is right again"); n != 1 {
		t.Errorf("the operator is told %d times:\n%s", n, log)
	}
	o.healthy(t)
}

func TestAClockThatIsSetWhileTheOfficeRunsStopsAcceptance(t *testing.T) {
	for _, jump := range []time.Duration{year, 6 * time.Minute, -6 * time.Minute, -year} {
		c, dir := newClocks(), t.TempDir()
		o, _ := clocked(t, dir, c)
		must(t, o.accepts(t, coll, "a"))
		c.pass(time.Hour)
		must(t, o.accepts(t, coll, "b")) // an hour asleep is no jump
		c.pass(time.Hour)
		c.Move(4 * time.Minute)
		must(t, o.accepts(t, coll, "c")) // a little is put right
		c.pass(time.Second)
		c.Move(-4 * time.Minute)
		must(t, o.accepts(t, coll, "and back"))
		right := instant(c.Clock)
		c.Move(jump)
		c.database.Move(jump) // the same machine
		o.refuses(t, instant(c.Clock))
		c.pass(time.Minute)
		o.refuses(t, instant(c.Clock))
		c.Move(-jump)
		c.database.Move(-jump)
		if got := instant(c.Clock); got != right.Add(time.Minute) {
			t.Fatalf("the clock says %s", got)
		}
		must(t, o.accepts(t, coll, "d"))
		c.Move(jump)
		c.database.Move(jump)
		o.refuses(t)
		o.stop()
		o, log := clocked(t, dir, c) // the operator says that it is right
		if jump < 0 {
			o.refuses(t)
			continue
		}
		must(t, o.accepts(t, coll, "e"))
		if warned := strings.Contains(log.String(), "the newest entry is old"); warned != (jump == year) {
			t.Errorf("after %s the operator reads:\n%s", jump, log)
		}
	}
}

func TestAClockThatIsNotTheDatabasesStopsAcceptance(t *testing.T) {
	c := newClocks()
	o, _ := clocked(t, t.TempDir(), c)
	must(t, o.accepts(t, coll, "a"))
	c.database.Move(6 * time.Minute)
	must(t, o.accepts(t, coll, "b")) // it is asked every minute
	c.pass(time.Minute)
	o.refuses(t, instant(c.Clock), instant(c.database))
	c.database.Move(-2 * time.Minute)
	c.pass(time.Second)
	must(t, o.accepts(t, coll, "c"))
	c.database.Move(-10 * time.Minute)
	c.pass(time.Minute)
	o.refuses(t)
	o.stop()
	again, _ := clocked(t, o.dir, c) // a restart does not help
	again.refuses(t, instant(c.Clock), instant(c.database))
}
