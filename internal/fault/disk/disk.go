// Package disk fails: it counts what is written, synced, truncated and renamed,
// and fails one of these operations in a chosen way.
//
// # Invariants
//
//   - While a Disk is armed, operations on files below Under are numbered from
//     1, and the one whose number is chosen fails as its Mode says; the others
//     are done.
//   - A Disk knows what was synced. Crash leaves of a Mode that loses things
//     what a machine without power might have kept: what was synced, and any
//     part of the rest.
//   - OfProgram is there in programs built with the tag faults alone.
//
// # What it does not do
//
// It reads nothing wrong: damage that lies on a disk is made by flipping bits in
// files. It does not reorder what one sync covers with what another did.
package disk

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Op is a kind of operation.
type Op string

// The operations.
const (
	Write    Op = "write"
	Sync     Op = "sync"
	Truncate Op = "truncate"
	Allocate Op = "allocate"
	Create   Op = "create"
	Rename   Op = "rename"
	Remove   Op = "remove"
	SyncDir  Op = "sync of a folder"
)

// Mode is a way to fail.
type Mode string

// The modes.
const (
	Once    Mode = "an error, and nothing done"
	Lost    Mode = "done, and the reply lost"
	Forever Mode = "errors from then on"
	Short   Mode = "half a write, and errors from then on"
	Full    Mode = "full once"
	Filled  Mode = "full from then on"
	Unsaved Mode = "a sync fails, what it was to save is gone, and later ones succeed"
	Power   Mode = "no power from then on: what was not synced is kept in part, sectors of a write torn"
)

// Modes are all modes.
var Modes = []Mode{Once, Lost, Forever, Short, Full, Filled, Unsaved, Power}

// Fills: it does not break, it has no room.
func (m Mode) Fills() bool { return m == Full || m == Filled }

// stays: after the failure nothing works any more.
func (m Mode) stays() bool { return m == Forever || m == Short || m == Filled || m == Power }

// loses: a crash shows what was not saved.
func (m Mode) loses() bool { return m == Unsaved || m == Power }

// Disk fails. The zero value fails nothing.
type Disk struct {
	// Quick says that a sync is noted and not done: for tests that cut no power.
	// It is set before the Disk is used.
	Quick bool

	mu     sync.Mutex
	under  string // files whose names begin so; guarded by mu
	mode   Mode   // guarded by mu
	fail   int    // number of the operation that fails; guarded by mu
	armed  bool   // guarded by mu
	done   int    // operations since Arm; guarded by mu
	hit    string // what failed; guarded by mu
	random *rand.Rand

	unsaved []change // in order; guarded by mu
	doomed  []change // of a sync that failed: never saved; guarded by mu
}

// change is a step that was not synced yet, and how to take it back.
type change struct {
	path   string
	dir    bool // the folder's sync saves it
	off    int64
	data   []byte // what was written; nil for other steps
	undo   func() error
	before []byte
}

// ErrFails is what failed operations say; where there is no room it is ENOSPC.
var ErrFails = errors.New("the disk fails on purpose")

// Arm lets the n-th operation on files below a folder fail.
func (d *Disk) Arm(under string, mode Mode, n int, seed uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.under, d.mode, d.fail, d.armed = under, mode, n, true
	d.done, d.hit, d.unsaved, d.doomed = 0, "", nil, nil
	d.random = rand.New(rand.NewPCG(seed, uint64(n)))
}

// Disarm lets everything succeed again, and returns how many operations there
// were and what failed: "" if nothing did.
func (d *Disk) Disarm() (operations int, failed string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = false
	return d.done, d.hit
}

// Failed returns what failed.
func (d *Disk) Failed() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hit
}

// Unsynced reports whether a file that was written to while armed was not synced
// since. The Mode must be one that loses things.
func (d *Disk) Unsynced(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.unsaved, func(c change) bool { return c.path == path })
}

// next counts an operation and says how it goes: nil if it succeeds.
func (d *Disk) next(op Op, path string) (m Mode, fails, first bool) {
	if !d.armed || !strings.HasPrefix(path, d.under) {
		return "", false, false
	}
	if d.mode.Fills() && op != Write && op != Create && op != Allocate {
		return "", false, false // other operations need no room
	}
	if d.mode == Unsaved && op != Sync && op != SyncDir {
		return d.mode, false, false
	}
	d.done++
	first = d.done == d.fail
	if first {
		d.hit = string(op) + " of " + strings.TrimPrefix(path, d.under)
	}
	return d.mode, first || d.mode.stays() && d.done > d.fail, first
}

func (d *Disk) err(op Op, path string) error {
	if d.mode.Fills() {
		return &os.PathError{Op: string(op), Path: path, Err: syscall.ENOSPC}
	}
	return &os.PathError{Op: string(op), Path: path, Err: ErrFails}
}

// Do does an operation other than a write, or fails.
func (d *Disk) Do(op Op, path string, do func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Quick && (op == Sync || op == SyncDir) {
		do = func() error { return nil }
	}
	m, fails, first := d.next(op, path)
	switch {
	case fails && m == Lost && first:
		if err := do(); err != nil {
			return err
		}
		return d.err(op, path)
	case fails && m == Unsaved:
		d.saved(op, path, &d.doomed)
		return d.err(op, path)
	case fails:
		return d.err(op, path)
	}
	if m.loses() {
		return d.follow(op, path, do)
	}
	return do()
}

// follow does an operation and notes what a crash may undo.
func (d *Disk) follow(op Op, path string, do func() error) error {
	switch op {
	case Sync, SyncDir:
		if err := do(); err != nil {
			return err
		}
		d.saved(op, path, nil)
		return nil
	case Truncate, Allocate, Create, Rename, Remove:
		undo := restorer(path)
		if err := do(); err != nil {
			return err
		}
		d.unsaved = append(d.unsaved, change{path: path, dir: op == Rename || op == Remove, undo: undo})
		return nil
	}
	return do()
}

// restorer returns what puts a file back as it is now.
func restorer(path string) func() error {
	b, err := os.ReadFile(path)
	if err != nil {
		return func() error { return os.RemoveAll(path) }
	}
	return func() error { return os.WriteFile(path, b, 0o600) }
}

// Rename renames a file, or fails. What was not synced of it goes with it.
func (d *Disk) Rename(from, to string, do func() error) error {
	return d.Do(Rename, to, func() error {
		if err := do(); err != nil {
			return err
		}
		for i := range d.unsaved {
			if c := &d.unsaved[i]; c.path == from && c.data != nil {
				c.path = to
			}
		}
		return nil
	})
}

// saved takes what a sync saves from the list; into gets it.
func (d *Disk) saved(op Op, path string, into *[]change) {
	var rest []change
	for _, c := range d.unsaved {
		switch is := c.path == path && !c.dir && op == Sync || op == SyncDir && c.dir && strings.HasPrefix(c.path, path); {
		case !is:
			rest = append(rest, c)
		case into != nil:
			*into = append(*into, c)
		default:
			d.doomed = slices.DeleteFunc(d.doomed, c.replaces)
		}
	}
	d.unsaved = rest
}

// replaces reports whether what an earlier step did is written again with c:
// blocks that are changed anew are saved whole.
func (c *change) replaces(d change) bool {
	if c.path != d.path || (c.data == nil) != (d.data == nil) {
		return false
	}
	return c.data == nil || c.off < d.off+int64(len(d.data)) && d.off < c.off+int64(len(c.data))
}

// WriteAt writes, or fails. read reads what is there now.
func (d *Disk) WriteAt(path string, p []byte, off int64, write, read func(p []byte, off int64) (int, error)) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, fails, first := d.next(Write, path)
	if !fails {
		if m.loses() {
			d.note(path, p, off, read)
		}
		return write(p, off)
	}
	n := 0
	switch {
	case !first:
	case m == Lost:
		write(p, off)
	case m == Short || m.Fills():
		n, _ = write(p[:len(p)/2], off)
	case m == Power:
		d.note(path, p, off, read) // torn by Crash
		write(p, off)
	}
	return n, d.err(Write, path)
}

// note remembers a write that was not synced.
func (d *Disk) note(path string, p []byte, off int64, read func(p []byte, off int64) (int, error)) {
	old := make([]byte, len(p))
	n, _ := read(old, off)
	d.unsaved = append(d.unsaved, change{path: path, off: off, data: append([]byte(nil), p...), before: old[:n]})
}

// sector is what a disk writes whole.
const sector = 512

// Crash makes files what a crash might have left, and disarms. What was not
// synced is taken back, and then of a Power Mode any part of it done again.
func (d *Disk) Crash() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = false
	lost := append(append([]change(nil), d.doomed...), d.unsaved...)
	if d.mode == Unsaved {
		lost = d.doomed
	}
	if !d.mode.loses() || len(lost) == 0 {
		return nil
	}
	var errs []error
	for i := len(lost) - 1; i >= 0; i-- {
		errs = append(errs, lost[i].takeBack())
	}
	if d.mode == Power {
		for _, c := range lost {
			errs = append(errs, c.redo(d.random))
		}
	}
	d.unsaved, d.doomed = nil, nil
	return errors.Join(errs...)
}

func (c *change) takeBack() error {
	if c.data == nil {
		return c.undo()
	}
	f, err := os.OpenFile(c.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(c.before, c.off); err != nil {
		return err
	}
	if len(c.before) == len(c.data) {
		return nil
	}
	return f.Truncate(c.off + int64(len(c.before)))
}

// redo does some sectors of a write again, each with even chances; half of the
// writes are not there at all.
func (c *change) redo(random *rand.Rand) error {
	if c.data == nil || random.IntN(2) == 0 {
		return nil
	}
	f, err := os.OpenFile(c.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	whole := random.IntN(2) == 0
	for at := 0; at < len(c.data); at += sector {
		if !whole && random.IntN(2) == 0 {
			continue
		}
		if _, err := f.WriteAt(c.data[at:min(at+sector, len(c.data))], c.off+int64(at)); err != nil {
			return err
		}
	}
	return nil
}
