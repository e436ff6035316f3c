package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/liaison-office/liaison/internal/fault/disk"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/office"
)

// pointPatience bounds how long an office may take to come to a point.
const pointPatience = 30 * time.Second

// pointKills ends an office at each named point.
func pointKills(ctx context.Context, c *Campaign, r *Result) error {
	if !disk.On {
		return NotRun("this program was built without points: make faults, or go run -tags faults ./tools/faults")
	}
	random := rand.New(rand.NewPCG(c.Seed, 4))
	for range c.count(r.Fault, 1, 10) {
		for _, name := range point.All {
			passes := random.IntN(3)
			if d := driverOf(name); d.once {
				passes = 0
			}
			if err := c.pointKill(ctx, r, name, passes); err != nil {
				return fmt.Errorf("point %s:%d: %w", name, passes, err)
			}
		}
	}
	r.Note("%d named points, each %d times: %s", len(point.All), r.Count/len(point.All), strings.Join(point.All, ", "))
	return nil
}

func (c *Campaign) pointKill(ctx context.Context, r *Result, name string, passes int) error {
	s, err := c.newSite(r, "point")
	if err != nil {
		return err
	}
	defer s.Close()
	r.Count++
	env := fmt.Sprintf("%s=%s:%d", point.Env, name, passes)
	died, err := driverOf(name).drive(ctx, c, s, env)
	if err != nil {
		return err
	}
	if !died {
		r.Fail(&r.Wrong, "point %s was not passed %d times in %s", name, passes+1, pointPatience)
	}
	return nil
}

// driver brings an office to a point, and holds what is left to its promises. It
// reports whether the office died there.
type driver struct {
	once  bool // the point is passed once only
	drive func(ctx context.Context, c *Campaign, s *Site, env string) (died bool, err error)
}

// drivers are those of the points that clients who write do not come to, by the
// beginning of their names.
var drivers = []struct {
	prefix string
	driver
}{
	{"sqlite.migrated", driver{true, driveNew}},
	{"sqlite.database-", driver{true, driveNew}},
	{"sqlite.before-recovery", driver{true, driveStart}},
	{"sqlite.recovered", driver{true, driveStart}},
	{"office.store-opened", driver{true, driveStart}},
	{"office.opened", driver{true, driveStart}},
	{"office.account-", driver{true, driveAccount}},
	{"journal.anchored-empty", driver{true, driveDoor}},
	{"sqlite.before-close", driver{true, driveStop}},
	{"sqlite.closed", driver{true, driveStop}},
	{"sqlite.before-checkpoint", driver{true, driveDoor}},
	{"sqlite.checkpointed", driver{true, driveDoor}},
	{"desk.control-", driver{true, driveControl}},
	{"journal.erased-", driver{true, driveErase}},
	{"journal.before-scrub", driver{true, driveErase}},
	{"journal.scrubbed", driver{true, driveErase}},
	{"desk.", driver{false, driveRelay}},
	{"relay.", driver{false, driveRelay}},
}

func driverOf(point string) driver {
	for _, d := range drivers {
		if strings.HasPrefix(point, d.prefix) {
			return d.driver
		}
	}
	return driver{drive: driveDoor}
}

// driveDoor lets clients write until the office dies.
func driveDoor(ctx context.Context, _ *Campaign, s *Site, env string) (died bool, err error) {
	p, err := s.Start(ctx, env)
	if err != nil {
		return false, err
	}
	s.whileWriting(ctx, p, func(<-chan struct{}) { died = p.dies() })
	return died, s.Check(ctx)
}

// dies waits for the end of an office that was started to die, and ends it if it
// does not.
func (p *Process) dies() bool {
	select {
	case <-p.done:
		return true
	case <-time.After(pointPatience):
		p.Kill()
		return false
	}
}

// driveStart kills an office that was written to, and again while it recovers.
func driveStart(ctx context.Context, _ *Campaign, s *Site, env string) (died bool, err error) {
	p, err := s.Start(ctx)
	if err != nil {
		return false, err
	}
	s.killWhileWriting(ctx, p, 20*time.Millisecond)
	if p, err = s.Start(ctx, env); err == nil {
		p.Kill()
	} else if !errors.Is(err, errDied) {
		return false, err
	}
	return err != nil, s.Check(ctx)
}

// driveStop lets an office die while it is being stopped.
func driveStop(ctx context.Context, _ *Campaign, s *Site, env string) (died bool, err error) {
	p, err := s.Start(ctx, env)
	if err != nil {
		return false, err
	}
	s.whileWriting(ctx, p, func(over <-chan struct{}) {
		until(over, func() bool { return s.Load.Requests.Load() > 5 })
	})
	if err := p.Stop(); err != nil {
		return false, err
	}
	return p.killed(), s.Check(ctx)
}

// driveNew lets an office die while it makes its store, and then founds it
// again: nothing was promised yet, and it must come up.
func driveNew(ctx context.Context, _ *Campaign, s *Site, env string) (died bool, err error) {
	for _, dir := range []string{"store", "anchor"} {
		if err := os.RemoveAll(filepath.Join(s.Dir, dir)); err != nil {
			return false, err
		}
	}
	if p, err := s.Start(ctx, env); err == nil {
		p.Kill()
	} else if died = errors.Is(err, errDied); !died {
		return false, err
	}
	p, err := s.Start(ctx)
	if err != nil {
		s.r.Fail(&s.r.Wrong, "an office that died while its store was made does not start: %v", err)
		return died, nil
	}
	return died, errors.Join(p.Stop(), s.fsck(ctx))
}

// fsck opens a stopped office and checks it.
func (s *Site) fsck(ctx context.Context) error {
	var reply office.FsckReply
	err := office.Call(ctx, s.Dir, "fsck", office.Options{}, struct{}{}, &reply)
	for _, problem := range reply.Problems {
		s.r.Fail(&s.r.Wrong, "fsck: %s", problem)
	}
	return err
}

// driveAccount lets an office die while its operator changes an account.
func driveAccount(ctx context.Context, _ *Campaign, s *Site, env string) (died bool, err error) {
	p, err := s.Start(ctx, env)
	if err != nil {
		return false, err
	}
	s.whileWriting(ctx, p, func(over <-chan struct{}) {
		until(over, func() bool { return s.Load.Requests.Load() > 2 })
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err = office.CallServing(short, s.Dir, "account/disable", office.NameRequest{Name: reader}, new(any)); err == nil {
			s.r.Fail(&s.r.Wrong, "an office that died said that the account was changed")
		}
		died = p.dies()
	})
	return died, s.Check(ctx) // the reader reads: the change was undone
}

// driveControl lets an office die while its operator adds a programme, and adds
// it again: once is enough.
func driveControl(ctx context.Context, c *Campaign, s *Site, env string) (died bool, err error) {
	p, err := s.Start(ctx, env)
	if err != nil {
		return false, err
	}
	s.whileWriting(ctx, p, func(over <-chan struct{}) {
		until(over, func() bool { return s.Load.Requests.Load() > 2 })
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err = office.CallServing(short, s.Dir, "control/add", c.ground.later, new(any)); err == nil {
			s.r.Fail(&s.r.Wrong, "an office that died said that the programme was added")
		}
		died = p.dies()
	})
	if err := call(ctx, s.Dir, "control/add", c.ground.later); err != nil {
		s.r.Fail(&s.r.Wrong, "after the office died the programme cannot be added: %v", err)
	}
	if err := s.countCharter(ctx, c.ground.later); err != nil {
		return died, err
	}
	return died, s.Check(ctx)
}

// driveRelay lets tokyo die while it follows hq, and then catch up.
func driveRelay(ctx context.Context, c *Campaign, s *Site, env string) (died bool, err error) {
	hq, err := s.Start(ctx)
	if err != nil {
		return false, err
	}
	defer hq.Kill()
	t, err := c.newFollower(ctx, s)
	if err != nil {
		return false, err
	}
	defer t.Close()
	p, err := start(ctx, c.Serve, t.Dir, env)
	if err != nil && !errors.Is(err, errDied) {
		return false, err
	}
	if died = err != nil; !died {
		s.whileWriting(ctx, hq, func(<-chan struct{}) { died = p.dies() })
	}
	if err := t.catchUp(ctx, hq); err != nil {
		return died, err
	}
	hq.Kill()
	return died, s.Check(ctx)
}

// follower is tokyo, which follows the collection at hq that is written into.
type follower struct {
	*Site
	hq *Site
}

func (c *Campaign) newFollower(ctx context.Context, hq *Site) (*follower, error) {
	dir := hq.Dir + "-tokyo"
	if err := copyOffice(dir, c.ground.tokyo); err != nil {
		return nil, err
	}
	t := &follower{hq: hq, Site: &Site{Dir: dir, Oracle: hq.Oracle, Tokens: map[string]string{reader: c.ground.abroad}, command: c.Serve, r: hq.r}}
	return t, meet(ctx, hq.Dir, dir)
}

// Close removes the follower's folder.
func (t *follower) Close() { os.RemoveAll(t.Dir) }

// catchUp starts tokyo again and holds it to what hq shows: all of it, each once,
// byte for byte.
func (t *follower) catchUp(ctx context.Context, hq *Process) error {
	p, err := t.Start(ctx)
	if err != nil {
		t.r.Fail(&t.r.Wrong, "tokyo does not start any more: %v", err)
		return nil
	}
	want, err := readObjects(ctx, t.hq.client(hq.Address, reader))
	if err != nil {
		return err
	}
	have, err := t.await(ctx, p.Address, len(want))
	if err == nil {
		err = p.Stop()
	}
	if err != nil {
		return err
	}
	for k, sums := range want {
		switch got := have[k]; {
		case len(got) == 0:
			t.r.Fail(&t.r.Lost, "%s %s is at hq and did not come to tokyo", k.id, k.version)
		case len(got) > 1:
			t.r.Fail(&t.r.Duplicated, "%s %s is at tokyo %d times", k.id, k.version, len(got))
		case got[0] != sums[0]:
			t.r.Fail(&t.r.Wrong, "%s %s has other bytes at tokyo than at hq", k.id, k.version)
		}
	}
	return t.fsck(ctx)
}

// await reads what tokyo shows until it is as much as hq has, or patience is
// over.
func (t *follower) await(ctx context.Context, address string, want int) (have contents, err error) {
	patience := pointPatience
	if t.r.Broken() {
		patience = time.Second // what is broken is broken many times
	}
	for end := time.Now().Add(patience); ; {
		if have, err = readObjects(ctx, t.client(address, reader)); err != nil {
			return nil, err
		}
		if len(have) >= want || time.Now().After(end) {
			return have, nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
	}
}
