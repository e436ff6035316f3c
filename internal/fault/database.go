package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/pgserver"
)

// databaseFaults break the database of an office on PostgreSQL, which goes on by
// itself: it is not started again. Their longest start is the longest time from
// the fault to the next acknowledgement.
func databaseFaults() []Fault {
	return []Fault{
		{"postgres-kill", "kill -9 of the database server while a POST is unanswered, and its restart", serverKills},
		{"postgres-backend", "kill -9 of the process of the database server that writes for the office", backendKills},
		{"postgres-office", "kill -9 of one of three processes that serve an office on one database", officeKills},
		{"postgres-failover", "kill -9 of the primary and promotion of its synchronous standby, every second time when that was cut off from it before", failovers},
		{"postgres-page", "a byte changed in a page of each table and index: found and named, never served", pageDamage},
		{"postgres-full", "the disk of the database server fills up and is freed", databaseFull},
		{"postgres-connections", "others take all connections of the database server, and give them back", connectionStorms},
	}
}

// database is the name of an office's database and of its owner.
const database = "office"

// newServer starts a server with an empty database for an office.
func newServer(ctx context.Context, config pgserver.Config) (*pgserver.Server, error) {
	config.Durable, config.Checksums = true, true
	s, err := pgserver.New(ctx, config)
	if errors.Is(err, pgserver.ErrAbsent) {
		return nil, NotRun("%v", err)
	}
	if err != nil {
		return nil, err
	}
	if err := s.NewDatabase(ctx, database); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// databaseSite makes a Site whose store is on one of several servers.
func (c *Campaign) databaseSite(ctx context.Context, r *Result, cfg office.Config, servers ...*pgserver.Server) (*Site, error) {
	dir := filepath.Join(c.Dir, r.Fault)
	cfg.Store = office.Place(pgserver.URL(servers, pgserver.DatabaseOf(database)...))
	cfg.Exchange, cfg.Relay = "127.0.0.1:0", "127.0.0.1:0"
	if err := demo.Prepare(ctx, dir, cfg); err != nil {
		return nil, fmt.Errorf("prepare an office: %w", err)
	}
	tokens, err := addAccounts(ctx, dir, map[string]liaison.Party{reader: "Korea", outsider: "India"})
	if err != nil {
		return nil, err
	}
	s, err := c.siteIn(r, dir)
	if err != nil {
		return nil, err
	}
	s.Tokens, s.Load.Patient = tokens, true
	return s, nil
}

// withServer runs a fault against one server and an office on it.
func (c *Campaign) withServer(ctx context.Context, r *Result, config pgserver.Config, do func(*Site, *pgserver.Server) error) error {
	server, err := newServer(ctx, config)
	if err != nil {
		return err
	}
	defer server.Close()
	s, err := c.databaseSite(ctx, r, office.Config{}, server)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := do(s, server); err != nil {
		return err
	}
	return s.Check(ctx)
}

// strikes serves the office, lets clients write and one ask who is in no
// programme, and lets a fault strike so often, each time at a random moment while a
// POST is unanswered; between two it is mended. The office is not started again:
// it has to go on by itself.
func (s *Site) strikes(ctx context.Context, count int, fault func() error, mend ...func() error) error {
	p, err := s.Start(ctx)
	if err != nil {
		return err
	}
	s.r.Restart = 0 // of the office alone; what counts is when it goes on
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	var answered error
	go func() { // ends with ctx, or when no client goes on
		answered = s.Load.Write(ctx, p.Address)
		close(ended)
	}()
	var watching sync.WaitGroup
	watching.Go(func() { s.watchOutsider(ctx, p.Address) })
	random := rand.New(rand.NewPCG(s.Load.seed, 4))
	for i := 0; i < count && err == nil && !closed(ended); i++ {
		for _, m := range mend {
			if i > 0 {
				err = errors.Join(err, m())
			}
		}
		if err == nil {
			err = s.strike(ended, time.Duration(random.Int64N(int64(maxMoment))), fault)
		}
	}
	cancel()
	<-ended
	watching.Wait()
	if answered != nil {
		s.r.Fail(&s.r.Wrong, "a client was answered: %v", answered)
	}
	return errors.Join(err, p.Stop())
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// strike waits for an acknowledgement, a moment, and a POST that is unanswered;
// then it makes a fault, and notes how long after its beginning something was
// acknowledged again. It ends when no client goes on.
func (s *Site) strike(ended chan struct{}, moment time.Duration, fault func() error) error {
	if !s.acknowledges(ended) {
		return nil
	}
	time.Sleep(moment) // the fault's moment, not a wait for anything
	until(ended, func() bool { return s.Load.Waiting.Load() > 0 })
	begin := time.Now()
	if err := fault(); err != nil {
		return err
	}
	s.r.Count++
	if s.acknowledges(ended) {
		s.r.started(time.Since(begin))
	}
	return nil
}

// databasePatience bounds how long an office may take to go on when its database
// is there again.
const databasePatience = 60 * time.Second

// acknowledges waits for an acknowledgement.
func (s *Site) acknowledges(ended chan struct{}) bool {
	before, late := s.Load.Requests.Load(), time.Now().Add(databasePatience)
	until(ended, func() bool { return s.Load.Requests.Load() > before || time.Now().After(late) })
	if s.Load.Requests.Load() > before {
		return true
	}
	s.r.Fail(&s.r.Wrong, "the office does not go on, although its database is there")
	return false
}

func serverKills(ctx context.Context, c *Campaign, r *Result) error {
	return c.withServer(ctx, r, pgserver.Config{}, func(s *Site, server *pgserver.Server) error {
		return s.strikes(ctx, c.count(r.Fault, 5, 200), func() error {
			server.Kill()
			return server.Start(ctx)
		})
	})
}

// writes is true of a process of the server that writes for the office.
const writes = "usename = '" + database + "' AND backend_xid IS NOT NULL"

func backendKills(ctx context.Context, c *Campaign, r *Result) error {
	return c.withServer(ctx, r, pgserver.Config{}, func(s *Site, server *pgserver.Server) error {
		return s.strikes(ctx, c.count(r.Fault, 5, 200), func() error { return server.KillBackend(ctx, writes) })
	})
}

// cutOff is how long every second standby gets nothing any more before its primary
// is killed: what is written meanwhile is not there, and not acknowledged.
const cutOff = 150 * time.Millisecond

// failovers let a standby take over, again and again: the one that was killed
// becomes the next standby.
func failovers(ctx context.Context, c *Campaign, r *Result) error {
	primary, err := newServer(ctx, pgserver.Config{})
	if err != nil {
		return err
	}
	defer primary.Close()
	standby, err := primary.Standby(ctx, pgserver.Config{Durable: true, Checksums: true})
	if err != nil {
		return err
	}
	defer standby.Close()
	if err := primary.Synchronous(ctx); err != nil {
		return err
	}
	s, err := c.databaseSite(ctx, r, office.Config{}, primary, standby)
	if err != nil {
		return err
	}
	defer s.Close()
	whole := func() error { return errors.Join(standby.Follow(ctx, primary), primary.Synchronous(ctx)) }
	err = s.strikes(ctx, c.count(r.Fault, 2, 50), func() error {
		if r.Count%2 == 1 {
			if err := standby.CutOff(ctx, primary); err != nil {
				return err
			}
			time.Sleep(cutOff) // the fault's length, not a wait for anything
		}
		primary.Kill()
		primary, standby = standby, primary
		return primary.Promote(ctx)
	}, whole)
	if err != nil {
		return err
	}
	return s.Check(ctx)
}
