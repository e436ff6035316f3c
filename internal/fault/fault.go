// Package fault breaks offices on purpose and looks whether they keep what they
// promised.
//
// A campaign runs faults one after the other. Each serves a real office (Site),
// lets clients write into it (Load), makes its fault, and then holds the office to
// what clients were told:
//
//	I1  what was acknowledged is readable, byte for byte, by all who may
//	I2  once for each id and version: in objects, manifest and ledger
//	I3  what was not acknowledged is wholly there or wholly absent
//	I4  receipts verify; every checkpoint ever seen is a prefix of the log
//	I5  nobody sees what he may not, during faults either
//	I6  no answer says success after a failure without it
//	I7  the office starts again, and the longest start is told
//
// # Invariants
//
//   - What clients mean to send and what was acknowledged is in the Oracle, in a
//     file that is synced before the next request, on another file system than
//     the office's; where it is not, the table says so.
//   - The seed decides what is random and is printed; with it and the name of a
//     fault a failure comes again, as far as the machine's timing allows.
//   - A fault that cannot be made here is in the table as not run, with the
//     reason, and never counts as passed.
//
// # What it does not do
//
// It mends nothing, and it is no part of a release: points and failing disks are
// compiled in with the tag faults alone.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Fault is one way in which an office is broken: a row of the table.
type Fault struct {
	Name  string
	About string // what is done, for people
	// Run makes the fault and notes in r what came of it. An error says that the
	// campaign itself could not go on; ErrNotRun that the fault cannot be made
	// here.
	Run func(ctx context.Context, c *Campaign, r *Result) error
}

// Faults are all faults, in the order of the table.
func Faults() []Fault {
	return slices.Concat(officeFaults(), databaseFaults())
}

// officeFaults break an office on SQLite and its files.
func officeFaults() []Fault {
	return []Fault{
		{"points", "kill -9 at each named point: in a transaction, at start, stop, checkpoint, on a neighbour's page", pointKills},
		{"kill", "kill -9 of a serving office, at a random moment while a POST is unanswered", kills},
		{"nth-door", "each write, sync, truncation and rename fails in turn while clients POST and fetch receipts", everyNth(door)},
		{"nth-relay", "the same while an office follows a neighbour", everyNth(followed)},
		{"nth-control", "the same while the operator adds a programme, and after a restart", everyNth(control)},
		{"nth-erase", "the same while a party erases an object: it is there wholly or gone from every file", everyNth(erasure)},
		{"disk-full", "the disk fills while clients POST, and is freed; the same to the store alone, and to the checkpoints kept outside it", diskFull},
		{"bit-flip", "one bit of a stopped office's files is another: that is found and named, or changes nothing", bitFlips},
		{"power-cut", "the power is cut while a POST is unanswered: what was not synced is gone", powerCuts},
		{"power-cut-unsynced", "the same to an office that syncs nothing: this must lose, or the campaign is blind", unsyncedCuts},
	}
}

// ErrNotRun says that a fault cannot be made on this machine or by this
// program, and why.
var ErrNotRun = errors.New("not run")

// NotRun is an ErrNotRun with its reason.
func NotRun(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotRun, fmt.Sprintf(format, args...))
}

// Options are what a campaign is asked for.
type Options struct {
	Seed   uint64
	Only   []string       // names of faults; all if empty
	Counts map[string]int // how often a fault strikes, by its name, where it is not the usual number
	Long   bool           // the usual numbers are those of a release, not of a change
	Dir    string         // offices are served in a folder below; a temporary one if empty
	Oracle string         // folder of what was acknowledged; found if empty
	Serve  []string       // command that serves the office of a folder, which is appended to it
	Log    io.Writer      // progress; none if nil
}

// Campaign is a run of faults.
type Campaign struct {
	Options
	ground  ground
	hq      *Site    // neighbour; nil until it is asked for
	serving *Process // it
	loaded  string   // folder that it is copied from; "" until it is asked for
}

// Run runs a campaign and returns a result for each fault. An error says that it
// did not come to its end; what the results say is theirs.
func Run(ctx context.Context, opt Options) (results []*Result, err error) {
	c := &Campaign{Options: opt}
	if c.Log == nil {
		c.Log = io.Discard
	}
	faults, err := chosen(opt.Only)
	if err != nil {
		return nil, err
	}
	if c.Dir, err = os.MkdirTemp(opt.Dir, "liaison-faults-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(c.Dir)
	if err := c.prepare(ctx); err != nil {
		return nil, fmt.Errorf("prepare offices: %w", err)
	}
	defer c.closeNeighbour()
	for _, f := range faults {
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
		results = append(results, c.run(ctx, f))
	}
	return results, ctx.Err()
}

func chosen(only []string) (list []Fault, err error) {
	all := Faults()
	if len(only) == 0 {
		return all, nil
	}
	for _, name := range only {
		i := slices.IndexFunc(all, func(f Fault) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no fault is called %q; there are %s", name, strings.Join(names(all), ", "))
		}
		list = append(list, all[i])
	}
	return list, nil
}

func names(list []Fault) (names []string) {
	for _, f := range list {
		names = append(names, f.Name)
	}
	return names
}

func (c *Campaign) run(ctx context.Context, f Fault) *Result {
	r := &Result{Fault: f.Name, About: f.About, Seed: c.Seed}
	begin := time.Now()
	err := f.Run(ctx, c, r)
	r.Took = Seconds(time.Since(begin).Seconds())
	switch {
	case errors.Is(err, ErrNotRun):
		r.NotRun = strings.TrimPrefix(err.Error(), ErrNotRun.Error()+": ")
	case err != nil:
		r.Fail(&r.Wrong, "the campaign could not go on: %v", err)
	}
	fmt.Fprintln(c.Log, r)
	return r
}

// count returns how often a fault strikes.
func (c *Campaign) count(fault string, perChange, perRelease int) int {
	if n, ok := c.Counts[fault]; ok {
		return n
	}
	if c.Long {
		return perRelease
	}
	return perChange
}
