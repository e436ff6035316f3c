package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/pgserver"
)

// processes serve one office.
const processes = 3

// officeKills end one of several processes that serve one office, each from a
// folder of its own with anchors that all share, while clients write through all
// of them.
func officeKills(ctx context.Context, c *Campaign, r *Result) error {
	server, err := newServer(ctx, pgserver.Config{})
	if err != nil {
		return err
	}
	defer server.Close()
	anchors := filepath.Join(c.Dir, r.Fault+"-anchors")
	if err := os.Mkdir(anchors, 0o700); err != nil {
		return err
	}
	s, err := c.databaseSite(ctx, r, office.Config{Anchor: office.Place(anchors)}, server)
	if err != nil {
		return err
	}
	defer s.Close()
	one := &desks{s: s}
	for i := 1; i < processes; i++ {
		if err := os.CopyFS(one.dir(i), os.DirFS(s.Dir)); err != nil {
			return err
		}
		defer os.RemoveAll(one.dir(i))
	}
	for i := range processes {
		if err := one.open(ctx, i); err != nil {
			return errors.Join(err, one.close())
		}
	}
	random := rand.New(rand.NewPCG(c.Seed, 5))
	for range c.count(r.Fault, 5, 200) {
		i := random.IntN(processes)
		p := one.serving[i].process
		before := s.Load.Requests.Load()
		until(p.done, func() bool { return s.Load.Requests.Load() > before })
		time.Sleep(time.Duration(random.Int64N(int64(maxMoment)))) // the fault's moment, not a wait for anything
		until(p.done, func() bool { return s.Load.Waiting.Load() > 0 })
		p.Kill()
		r.Count++
		one.end(i)
		if err := one.open(ctx, i); err != nil {
			return errors.Join(err, one.close())
		}
	}
	if err := one.close(); err != nil {
		return err
	}
	return s.Check(ctx)
}

// desks are the processes of one office.
type desks struct {
	s       *Site
	serving [processes]struct {
		process *Process
		cancel  context.CancelFunc
		written chan error // what clients were answered that was no success
	}
}

// dir is the folder of a process: copies of the first.
func (d *desks) dir(i int) string {
	if i == 0 {
		return d.s.Dir
	}
	return fmt.Sprintf("%s-%d", d.s.Dir, i)
}

// open serves a folder and lets clients write there.
func (d *desks) open(ctx context.Context, i int) error {
	begin := time.Now()
	p, err := start(ctx, d.s.command, d.dir(i))
	if err != nil {
		return err
	}
	d.s.r.started(time.Since(begin))
	ctx, cancel := context.WithCancel(ctx)
	at := &d.serving[i]
	at.process, at.cancel, at.written = p, cancel, make(chan error, 1)
	go func() { at.written <- d.s.Load.Write(ctx, p.Address) }() // end waits for it
	return nil
}

// end waits for the clients of a process.
func (d *desks) end(i int) {
	at := &d.serving[i]
	at.cancel()
	if err := <-at.written; err != nil {
		d.s.r.Fail(&d.s.r.Wrong, "a client was answered: %v", err)
	}
	at.process = nil
}

// close ends all.
func (d *desks) close() (err error) {
	for i := range d.serving {
		if p := d.serving[i].process; p != nil {
			d.end(i)
			err = errors.Join(err, p.Stop())
		}
	}
	return err
}
