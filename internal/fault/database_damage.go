package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/pgserver"
)

// pageRequests are written before pages are damaged.
const pageRequests = 60

// pageDamage changes a byte of each table and index in turn. fsck has to name
// what is damaged, and what is served has to be what it was, or an error.
func pageDamage(ctx context.Context, c *Campaign, r *Result) error {
	return c.withServer(ctx, r, pgserver.Config{}, func(s *Site, server *pgserver.Server) error {
		if err := s.write(ctx, pageRequests); err != nil {
			return err
		}
		relations, err := server.Relations(ctx, database)
		if err != nil {
			return err
		}
		random := rand.New(rand.NewPCG(c.Seed, 6))
		for i := range c.count(r.Fault, len(relations), 20*len(relations)) {
			rel := relations[i%len(relations)]
			at := random.Int64N(rel.Size)
			if err := s.damage(ctx, server, rel, at); err != nil {
				return fmt.Errorf("%s, byte %d: %w", rel.Name, at, err)
			}
			r.Count++
		}
		return nil
	})
}

// write serves the office until so many requests are acknowledged.
func (s *Site) write(ctx context.Context, requests int64) error {
	p, err := s.Start(ctx)
	if err != nil {
		return err
	}
	s.whileWriting(ctx, p, func(over <-chan struct{}) {
		until(over, func() bool { return s.Load.Requests.Load() >= requests })
	})
	return p.Stop()
}

// damage flips a byte, looks what comes of it, and flips it back.
func (s *Site) damage(ctx context.Context, server *pgserver.Server, rel pgserver.Relation, at int64) error {
	server.Stop()
	if err := pgserver.Flip(rel.File, at); err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return err
	}
	found := s.found(ctx)
	name := rel.Name
	if strings.HasPrefix(name, "pg_toast") {
		name = "" // long values lie apart: they are called after their table
	}
	if !strings.Contains(found, name+" is damaged") {
		s.r.Fail(&s.r.Wrong, "byte %d of %s is changed and fsck says: %s", at, rel.Name, found)
	}
	if err := s.serveDamaged(ctx); err != nil {
		return err
	}
	server.Stop()
	if err := pgserver.Flip(rel.File, at); err != nil {
		return err
	}
	return server.Start(ctx)
}

// found returns all that fsck says.
func (s *Site) found(ctx context.Context) string {
	o, err := office.Open(ctx, s.Dir, office.Options{ReadOnly: true})
	if err != nil {
		return err.Error()
	}
	defer o.Close()
	fsck, err := o.Operator().Fsck(ctx, struct{}{})
	if err != nil {
		fsck.Problems = append(fsck.Problems, err.Error())
	}
	return strings.Join(fsck.Problems, "\n")
}

// serveDamaged serves the office on a damaged database. It may refuse to start,
// and it may answer with errors.
func (s *Site) serveDamaged(ctx context.Context) error {
	known, err := s.Oracle.Known()
	if err != nil {
		return err
	}
	p, err := s.Start(ctx)
	if err != nil {
		if !strings.Contains(err.Error(), "is damaged") {
			s.r.Fail(&s.r.Wrong, "the office does not start and does not say why: %v", err)
		}
		return nil
	}
	defer p.Kill()
	if there, err := readObjects(ctx, s.client(p.Address, reader)); err == nil {
		s.compare(known, there)
	}
	return nil
}

// databaseDisk is how large the disk is that fills up: an empty server, its log of
// changes, and some objects.
const databaseDisk = "224m"

// databaseFull fills the disk of the server while clients write, until nothing is
// acknowledged any more, and frees it. If the server ended it is started again,
// as whatever runs it would.
func databaseFull(ctx context.Context, c *Campaign, r *Result) error {
	disk, err := os.MkdirTemp(pgserver.TempDir(), "liaison-disk-")
	if err != nil {
		return err
	}
	defer os.Remove(disk)
	if out, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size="+databaseDisk+",mode=755", "none", disk).CombinedOutput(); err != nil {
		return NotRun("a small disk cannot be mounted: %v: %s", err, out)
	}
	defer exec.Command("umount", "-l", disk).Run()
	return c.withServer(ctx, r, pgserver.Config{Folder: disk, Settings: []string{"max_wal_size=64MB", "min_wal_size=32MB"}}, func(s *Site, server *pgserver.Server) error {
		ended := 0
		err := s.strikes(ctx, c.count(r.Fault, 2, 40), func() error {
			ballast := filepath.Join(disk, "ballast")
			if err := fill(ballast); err != nil {
				return err
			}
			s.untilRefused(server)
			if err := os.Remove(ballast); err != nil {
				return err
			}
			if server.Running() {
				return nil
			}
			ended++
			return server.Start(ctx)
		})
		r.Note("%d answers were 503, %d times the server ended; it was freed and nothing was restarted but the server", s.Load.Refused.Load(), ended)
		return err
	})
}

// stillness is how long nothing is acknowledged by an office that waits for its
// database.
const stillness = 2 * time.Second

// untilRefused returns when the office refused something, its database ended, or
// nothing was acknowledged for a while.
func (s *Site) untilRefused(server *pgserver.Server) {
	refused, last, since := s.Load.Refused.Load(), s.Load.Requests.Load(), time.Now()
	until(nil, func() bool {
		if n := s.Load.Requests.Load(); n != last {
			last, since = n, time.Now()
		}
		return s.Load.Refused.Load() > refused || !server.Running() || time.Since(since) > stillness
	})
}

// connectionStorms leave the office without a connection for a while.
func connectionStorms(ctx context.Context, c *Campaign, r *Result) error {
	hold := 2 * time.Second
	if c.Long {
		hold = 40 * time.Second // longer than an office waits
	}
	return c.withServer(ctx, r, pgserver.Config{Settings: []string{"max_connections=30"}}, func(s *Site, server *pgserver.Server) error {
		err := s.strikes(ctx, c.count(r.Fault, 1, 5), func() error { return storm(ctx, server, hold) })
		r.Note("%d answers were 503", s.Load.Refused.Load())
		return err
	})
}

// storm takes every connection that an ordinary user can have, and ends the
// office's until it has none; then it holds them.
func storm(ctx context.Context, server *pgserver.Server, hold time.Duration) error {
	var taken []*pgx.Conn
	defer func() {
		for _, c := range taken {
			c.Close(ctx)
		}
	}()
	for none := false; !none; {
		for {
			c, err := server.Connect(ctx, pgserver.DatabaseOf(database)...)
			if err != nil {
				break // there is no other
			}
			taken = append(taken, c)
		}
		const offices = "FROM pg_stat_activity WHERE usename = '" + database + "' AND application_name = 'liaison'"
		if err := server.Exec(ctx, "SELECT pg_terminate_backend(pid) "+offices); err != nil {
			return err
		}
		if err := server.Query(ctx, "SELECT count(*) = 0 "+offices, &none); err != nil {
			return err
		}
	}
	select {
	case <-time.After(hold): // the fault's length
	case <-ctx.Done():
	}
	return ctx.Err()
}
