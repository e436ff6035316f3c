package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
)

// register is a picture of who takes part, and what it was made of. Any process
// may commit control objects, so the store says which register it holds
// (journal.Register), and everything is judged by one that is at least as new:
//
//   - What is read is judged by the register of its snapshot (view).
//   - What is accepted at the first door is judged under the lock, by the register
//     of the transaction (judgeBy).
//   - What is decided before the lock, arrivals and control objects, is committed
//     if the register is still the same, and decided again if not (decided).
type register struct {
	*registry.Registry
	of       journal.Register // names the control entries it was made of
	unfolded []charterEntry   // those of them that do not apply yet
}

// view runs fn on one snapshot, with its register.
func (d *Desk) view(ctx context.Context, fn func(v store.View, reg *register) error) error {
	before := d.reg.Load() // no snapshot from now on is older
	return d.Journal.View(ctx, func(v store.View) error {
		reg, err := d.registerOf(v, before)
		if err != nil {
			return err
		}
		return fn(v, reg)
	})
}

// present returns the register of now.
func (d *Desk) present(ctx context.Context) (reg *register, err error) {
	err = d.view(ctx, func(_ store.View, r *register) error {
		reg = r
		return nil
	})
	return reg, err
}

// registerOf returns the register of a snapshot that holds all that before was
// made of.
func (d *Desk) registerOf(v store.View, before *register) (*register, error) {
	of, err := journal.RegisterOf(v)
	if err != nil || of == before.of {
		return before, err
	}
	d.folding.Lock()
	defer d.folding.Unlock()
	if now := d.reg.Load(); now.of == of {
		return now, nil
	}
	next, err := d.foldSince(v, before, of)
	if err == nil && d.reg.CompareAndSwap(before, next) {
		d.somethingCame()
	}
	return next, err
}

// judgeBy brings the register up to date in a transaction. No control object is
// committed until it ends, and every later snapshot holds what it holds.
func (d *Desk) judgeBy(tx store.View, of journal.Register) error {
	if d.reg.Load().of == of {
		return nil
	}
	d.folding.Lock()
	defer d.folding.Unlock()
	next, err := d.foldSince(tx, d.reg.Load(), of)
	if err == nil {
		d.reg.Store(next)
		d.somethingCame()
	}
	return err
}

// catchUp takes in what this process has just committed.
func (d *Desk) catchUp() {
	if _, err := d.present(context.Background()); err != nil {
		d.Log.Error("the charters could not be read after they changed: whoever reads next tries again", "err", err)
	}
}

// errOvertaken says that the register was not the one by which something was
// decided.
var errOvertaken = errors.New("the charters changed again and again while this was decided: bring it again")

// maxTries bounds how often something is decided again. Each time another control
// object has been committed.
const maxTries = 100

// decided runs what decides by a register and commits if that is still the one
// (still).
func (d *Desk) decided(ctx context.Context, fn func(reg *register) error) error {
	for try := 1; ; try++ {
		reg, err := d.present(ctx)
		if err == nil {
			err = fn(reg)
		}
		if !errors.Is(err, errOvertaken) || try == maxTries {
			return err
		}
	}
}

// still is the Check of a batch that was decided by a register.
func (d *Desk) still(reg *register) func() error {
	return func() error {
		if d.reg.Load().of != reg.of {
			return errOvertaken
		}
		return nil
	}
}

// charterEntry is an object of a charter, or of a collection that may be one.
type charterEntry struct {
	c liaison.CollectionID
	b []byte
}

// foldSince returns the register of a snapshot, made from an earlier one and what
// came since. If the store does not say what that is, all charters are read.
func (d *Desk) foldSince(v store.View, was *register, of journal.Register) (*register, error) {
	changes, ok, err := journal.ChangesSince(v, was.of)
	if err == nil && !ok {
		return d.foldStore(v, of)
	}
	entries := slices.Clone(was.unfolded)
	for _, c := range changes {
		if err == nil {
			entries, err = readCharter(v, c.Collection, c.From, c.To, entries)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read what changed in the charters: %w", err)
	}
	next := d.folded(was.Registry, entries, of)
	for _, c := range changes {
		d.warnOfContradictions(next.Registry, c.Collection)
	}
	return next, nil
}

// foldStore returns the register of a snapshot, made from all its charters.
func (d *Desk) foldStore(v store.View, of journal.Register) (*register, error) {
	var entries []charterEntry
	err := v.Collections(func(c liaison.CollectionID) (err error) {
		entries, err = readCharter(v, c, 0, store.MaxEntries, entries)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the charters: %w", err)
	}
	return d.folded(d.Pinned, entries, of), nil
}

// readCharter adds the control objects at the beginning of a part of a log.
func readCharter(v store.View, c liaison.CollectionID, from, to uint64, list []charterEntry) ([]charterEntry, error) {
	err := v.Range(c, from, to, store.Bytes, func(e *store.Entry) error {
		switch {
		case e.Type == "":
			return nil // erased, or no object
		case !isControl(e.Type):
			return store.Stop // charters hold control objects only
		}
		list = append(list, charterEntry{c, slices.Clone(e.Bytes)})
		return nil
	})
	return list, err
}

func (d *Desk) folded(reg *registry.Registry, entries []charterEntry, of journal.Register) *register {
	reg, rest := foldAll(reg, entries)
	for _, e := range rest {
		d.Log.Info("a control object in a charter does not apply yet", "collection", e.c.String())
	}
	return &register{Registry: reg, of: of, unfolded: rest}
}

// warnOfContradictions tells the operator of versions of a charter's programme
// that do not count: whoever signed them is at fault.
func (d *Desk) warnOfContradictions(reg *registry.Registry, c liaison.CollectionID) {
	coll, ok := reg.Collection(c)
	if !ok {
		return
	}
	for _, v := range coll.Programme.Contradicting() {
		d.Log.Warn("a signed version of a programme contradicts another and does not count",
			"programme", string(v.ID), "version", v.Version, "under", v.Under.String())
	}
}

// foldAll returns the registry with those entries that apply, in whatever
// order they rest on each other, and those that may apply later. Objects prove
// themselves; who brought them does not matter.
func foldAll(reg *registry.Registry, entries []charterEntry) (*registry.Registry, []charterEntry) {
	for progress := true; progress; {
		progress = false
		var rest []charterEntry
		for _, e := range entries {
			if coll, known := reg.Collection(e.c); known && coll.Area != liaison.Charter {
				continue // an identity of an area takes part in nothing
			}
			next, err := reg.Fold(e.c, e.b)
			if err == nil {
				err = next.Belongs(e.c, e.b)
			}
			switch {
			case err == nil:
				reg, progress = next, true
			case errors.Is(err, registry.ErrWaiting):
				rest = append(rest, e)
			}
		}
		entries = rest
	}
	return reg, entries
}
