package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/fault/disk"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/relay"
	"github.com/liaison-office/liaison/taxii"
)

// scenario makes an office, in this process, since the disk counts what this
// process does, and says what it does while an operation fails.
type scenario func(ctx context.Context, c *Campaign, r *Result) (*trial, error)

// trial is one run of a scenario.
type trial struct {
	*Site
	act   func(ctx context.Context, p *Process) error // while the disk fails
	check func(ctx context.Context) error             // when it works again
}

// everyNth runs a scenario again and again: the first operation fails, then the
// second, until a run meets no failure; and so in every mode.
func everyNth(sc scenario) func(ctx context.Context, c *Campaign, r *Result) error {
	return func(ctx context.Context, c *Campaign, r *Result) error {
		if !disk.On {
			return NotRun("this program was built without failing disks: make faults")
		}
		failed, reached := map[string]int{}, []string{}
		for _, m := range disk.Modes {
			from, step := c.turns(m)
			n, end := from, c.count(r.Fault, noEnd, noEnd)*step
			for ; n <= end; n += step {
				hit, err := c.fail(ctx, sc, r, m, n)
				if err != nil {
					return fmt.Errorf("operation %d, %s: %w", n, m, err)
				}
				if hit == "" {
					break
				}
				failed[hit]++
				r.Count++
			}
			if n == from {
				r.Fail(&r.Wrong, "no operation failed: %s", m)
			}
			reached = append(reached, fmt.Sprintf("%s: each %d. up to %d", m, step, n-step))
		}
		r.Note("operations that failed: %s", strings.Join(reached, "; "))
		r.Note("among them: %s", tally(failed))
		return nil
	}
}

// noEnd is more operations than any scenario has in a mode.
const noEnd = 1 << 20

// turns says which operations fail in a mode. For a release every one fails in
// every mode. For a change every one fails, and the modes take turns; where there
// are few, or other modes do the same to them, all or fewer do.
func (c *Campaign) turns(m disk.Mode) (from, step int) {
	turns := []disk.Mode{disk.Once, disk.Lost, disk.Forever, disk.Short, disk.Power}
	i := slices.Index(turns, m)
	switch {
	case c.Long || m == disk.Unsaved:
		return 1, 1
	case i < 0:
		turns = append(turns, disk.Modes...)
		i = slices.Index(turns, m)
	}
	return 1 + (i+int(c.Seed%uint64(len(turns))))%len(turns), len(turns)
}

func tally(counts map[string]int) string {
	var list []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%s %d", what, counts[what]))
	}
	return strings.Join(list, ", ")
}

// fail runs a scenario on a disk whose n-th operation fails, and returns what
// failed: "" if there was no n-th.
func (c *Campaign) fail(ctx context.Context, sc scenario, r *Result, m disk.Mode, n int) (failed string, err error) {
	before := len(r.First)
	t, err := sc(ctx, c, r)
	if err != nil {
		return "", err
	}
	defer t.Close()
	disk.OfProgram.Arm(t.Dir, m, n, c.Seed)
	p, err := t.Start(ctx)
	if err == nil {
		err = t.act(ctx, p)
		p.Kill()
	} else if errors.Is(err, errDied) && disk.OfProgram.Failed() != "" {
		err = nil
	}
	failed = disk.OfProgram.Failed()
	if e := disk.OfProgram.Crash(); err == nil {
		err = e
	}
	if err == nil {
		err = t.check(ctx)
	}
	for i := before; i < len(r.First); i++ {
		r.First[i] = fmt.Sprintf("operation %d (%s), %s: %s", n, failed, m, r.First[i])
	}
	return kindOf(failed), err
}

// kindOf shortens what failed to the operation and the kind of file.
func kindOf(failed string) string {
	op, path, _ := strings.Cut(failed, " of "+string(filepath.Separator))
	switch kind, file := filepath.Split(path); {
	case failed == "":
		return ""
	case strings.HasPrefix(path, "anchor"):
		return op + " of an anchor"
	default:
		return op + " of " + kind + file
	}
}

// newTrial makes hq in memory, to be served in this process.
func (c *Campaign) newTrial(r *Result) (*Site, error) {
	dir, err := os.MkdirTemp(memory(c.Dir), "liaison-disk-")
	if err != nil {
		return nil, err
	}
	if err := copyOffice(dir, c.ground.hq); err != nil {
		return nil, err
	}
	s, err := c.siteIn(r, dir)
	if err == nil {
		s.here = true
	}
	return s, err
}

// door: clients POST and fetch receipts.
func door(_ context.Context, c *Campaign, r *Result) (*trial, error) {
	s, err := c.newTrial(r)
	if err != nil {
		return nil, err
	}
	return &trial{Site: s, act: s.postAndRead, check: s.Check}, nil
}

// postAndRead: what fails is answered with 5xx, and reading goes on.
func (s *Site) postAndRead(ctx context.Context, p *Process) error {
	c := s.client(p.Address, demo.SampleAccount)
	defer c.HTTP.CloseIdleConnections()
	for range 3 {
		err := s.Load.Post(ctx, c)
		var answered *taxii.ResponseError
		switch {
		case err == nil || errors.As(err, &answered) && answered.Status >= http.StatusInternalServerError:
		case answered != nil || errors.Is(err, errAnswer):
			s.r.Fail(&s.r.Wrong, "a client is told %v", err)
		default:
			return err
		}
	}
	return s.readsAll(ctx, p)
}

// control: the operator adds a programme; after the failure, again.
func control(_ context.Context, c *Campaign, r *Result) (*trial, error) {
	s, err := c.newTrial(r)
	if err != nil {
		return nil, err
	}
	add := func(ctx context.Context) error { return call(ctx, s.Dir, "control/add", c.ground.later) }
	return &trial{Site: s,
		act: func(ctx context.Context, p *Process) error {
			if err := add(ctx); err != nil && disk.OfProgram.Failed() == "" {
				return err
			}
			return s.postAndRead(ctx, p)
		},
		check: func(ctx context.Context) error {
			if err := add(ctx); err != nil {
				s.r.Fail(&s.r.Wrong, "the programme cannot be added when the disk works again: %v", err)
			}
			return errors.Join(s.countCharter(ctx, c.ground.later), s.Check(ctx))
		},
	}, nil
}

// countCharter: what was added twice is there once.
func (s *Site) countCharter(ctx context.Context, added office.ControlRequest) error {
	var list []office.ProgrammeInfo
	if err := office.Call(ctx, s.Dir, "programme/list", office.Options{}, struct{}{}, &list); err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(p office.ProgrammeInfo) bool { return p.Alias == added.Programme })
	if i < 0 {
		s.r.Fail(&s.r.Lost, "the programme that was added is not there")
	} else if n := list[i].Entries["charter"]; n != uint64(len(added.Objects)) {
		s.r.Fail(&s.r.Wrong, "the charter has %d entries, want %d", n, len(added.Objects))
	}
	return nil
}

// followed: tokyo, on the disk, follows hq, which is well.
func followed(ctx context.Context, c *Campaign, r *Result) (*trial, error) {
	hq, serving, err := c.neighbour(ctx, r)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(memory(c.Dir), "liaison-disk-")
	if err != nil {
		return nil, err
	}
	if err := copyOffice(dir, c.ground.tokyo); err != nil {
		return nil, err
	}
	if err := meet(ctx, hq.Dir, dir); err != nil {
		return nil, err
	}
	o, err := newOracle(dir, c.oracles()...)
	if err != nil {
		return nil, err
	}
	s := &Site{Dir: dir, Oracle: o, Tokens: map[string]string{reader: c.ground.abroad}, here: true, r: r}
	t := &follower{Site: s, hq: hq}
	return &trial{Site: s,
		act: func(ctx context.Context, p *Process) error { return t.followWhile(ctx, p.Address) },
		check: func(ctx context.Context) error {
			return errors.Join(t.awaitParting(ctx), t.catchUp(ctx, serving), t.awaitParting(ctx))
		},
	}, nil
}

// awaitParting waits until hq knows that tokyo has gone: who comes again before,
// and again, is taken for a second machine with the same keys.
func (t *follower) awaitParting(ctx context.Context) error {
	for end := time.Now().Add(pointPatience); time.Now().Before(end); {
		var peers []relay.PeerStatus
		if err := office.CallServing(ctx, t.hq.Dir, "peer/list", struct{}{}, &peers); err != nil {
			return err
		}
		if !slices.ContainsFunc(peers, func(p relay.PeerStatus) bool { return !p.Connected.IsZero() }) {
			return nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("hq does not notice that tokyo has gone")
}

// afterFailure is how long a follower is watched after its disk failed.
const afterFailure = 60 * time.Millisecond

// followWhile reads what tokyo shows until it has everything, or its disk has
// failed and there was time for what comes after.
func (t *follower) followWhile(ctx context.Context, address string) error {
	failed := time.Time{}
	for end := time.Now().Add(pointPatience); time.Now().Before(end); {
		have, err := readObjects(ctx, t.client(address, reader))
		if err != nil {
			t.r.Fail(&t.r.Wrong, "reading does not go on: %v", err)
			return nil
		}
		for k, sums := range have {
			if len(sums) > 1 {
				t.r.Fail(&t.r.Duplicated, "%s %s is shown %d times", k.id, k.version, len(sums))
			}
		}
		switch {
		case len(have) >= neighbourObjects:
			return nil
		case failed.IsZero() && disk.OfProgram.Failed() != "":
			failed = time.Now()
		case !failed.IsZero() && time.Since(failed) > afterFailure:
			return nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("tokyo neither got everything nor met a failure")
}

// neighbourObjects is how much the neighbour has that is followed.
const neighbourObjects = 15

// neighbour returns hq, which serves in a process of its own and has
// neighbourObjects for tokyo. Each trial has one that never met tokyo: it would
// show a tokyo that begins anew what that one has signed. The last one ends with the campaign.
func (c *Campaign) neighbour(ctx context.Context, r *Result) (*Site, *Process, error) {
	c.closeNeighbour()
	if err := c.loadNeighbour(ctx, r); err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(c.Dir, "neighbour")
	if err := copyOffice(dir, c.loaded); err != nil {
		return nil, nil, err
	}
	s, err := c.siteIn(r, dir)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.Start(ctx)
	if err != nil {
		return nil, nil, err
	}
	c.hq, c.serving = s, p
	return s, p, nil
}

// loadNeighbour makes, once, the folder of an hq that was written to.
func (c *Campaign) loadNeighbour(ctx context.Context, r *Result) error {
	if c.loaded != "" {
		return nil
	}
	s, err := c.newSite(r, "loaded")
	if err != nil {
		return err
	}
	defer s.Oracle.Close()
	p, err := s.Start(ctx)
	if err != nil {
		return err
	}
	client := s.client(p.Address, demo.SampleAccount)
	for range neighbourObjects / s.Load.Objects {
		if err := s.Load.Post(ctx, client); err != nil {
			return errors.Join(err, p.Stop())
		}
	}
	c.loaded = s.Dir
	return p.Stop()
}

func (c *Campaign) closeNeighbour() {
	if c.hq != nil {
		c.serving.Kill()
		c.hq.Close()
		c.hq = nil
	}
}
