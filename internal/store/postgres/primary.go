package postgres

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// # Which primary
//
// Each promotion of a standby begins a timeline of the cluster, with the next
// number. An old primary that comes back as one, instead of as a standby, is on
// an earlier one: what was written since the promotion is not there. A store
// remembers the latest timeline that it met and takes no connection to an
// earlier one; to begin with, Open asks every host.
//
// This is no fence: a process that meets the old primary alone believes it. What
// it would write there is not acknowledged if commits wait for standbys.

// lineage says which history of which cluster a server writes.
type lineage struct {
	system   string // number of the cluster; empty if the server does not say
	timeline uint32
}

// past remembers the latest lineage.
type past struct {
	mu     sync.Mutex
	latest lineage // guarded by mu
}

// see refuses a lineage from before the latest one, and reports whether it is
// the next one. A refusal is not final: the right primary may come back.
func (p *past) see(l lineage) (next bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case l.system == "":
		return false, nil
	case p.latest.system == "":
		p.latest = l
	case l.system != p.latest.system:
		return false, fmt.Errorf("this is PostgreSQL cluster %s, and cluster %s was here before: name the right one, or restart liaison if the database was moved", l.system, p.latest.system)
	case l.timeline < p.latest.timeline:
		return false, fmt.Errorf("this primary is on timeline %d, and timeline %d was seen: a standby was promoted in its place; stop it, and let it come back only as a standby", l.timeline, p.latest.timeline)
	case l.timeline > p.latest.timeline:
		p.latest, next = l, true
	}
	return next, nil
}

// validate lets only the primary through.
func (s *Store) validate(ctx context.Context, c *pgconn.PgConn) error {
	if err := primary(ctx, c); err != nil {
		return err
	}
	l, err := readLineage(ctx, c)
	if err != nil {
		return err
	}
	next, err := s.past.see(l)
	if next {
		s.Log.Warn("another server is the primary now", "store", s.name, "timeline", l.timeline)
		s.leave()
	}
	return err
}

// leave gives up the connections to the server that was the primary.
func (s *Store) leave() {
	for _, p := range []*pgxpool.Pool{s.reading, s.writing} {
		if p != nil {
			p.Reset()
		}
	}
}

// readLineage asks a primary. One that does not say has none: services that
// speak PostgreSQL's protocol may lack what is asked for.
func readLineage(ctx context.Context, c *pgconn.PgConn) (lineage, error) {
	rs, err := c.Exec(ctx, "SELECT system_identifier, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()").ReadAll()
	switch {
	case isUndone(err):
		return lineage{}, nil
	case err != nil:
		return lineage{}, err
	}
	row := texts(rs)
	if len(row) != 2 {
		return lineage{}, nil
	}
	timeline, err := strconv.ParseUint(row[1], 16, 32)
	if err != nil {
		return lineage{}, nil
	}
	return lineage{row[0], uint32(timeline)}, nil
}

// survey asks every host that the database names, so that the latest timeline
// is known before one is chosen. Those that do not answer say nothing.
func (s *Store) survey(ctx context.Context, config *pgxpool.Config) {
	cc := &config.ConnConfig.Config
	if len(cc.Fallbacks) == 0 {
		return
	}
	hosts := append([]*pgconn.FallbackConfig{{Host: cc.Host, Port: cc.Port, TLSConfig: cc.TLSConfig}}, cc.Fallbacks...)
	found := make([]lineage, len(hosts))
	var asking sync.WaitGroup
	for i, h := range hosts {
		one := cc.Copy()
		one.Host, one.Port, one.TLSConfig, one.Fallbacks = h.Host, h.Port, h.TLSConfig, nil
		one.ValidateConnect = func(ctx context.Context, c *pgconn.PgConn) (err error) {
			if err = primary(ctx, c); err == nil {
				found[i], err = readLineage(ctx, c)
			}
			return err
		}
		asking.Go(func() {
			if c, err := pgconn.ConnectConfig(ctx, one); err == nil {
				c.Close(ctx)
			}
		})
	}
	asking.Wait()
	for _, l := range found {
		s.past.see(l)
	}
	for _, l := range found {
		if _, err := s.past.see(l); err != nil {
			s.Log.Warn("one of the hosts is not used", "store", s.name, "err", err)
		}
	}
}
