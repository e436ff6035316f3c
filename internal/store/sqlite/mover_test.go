package sqlite

import (
	"context"
	"errors"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/fault/disk"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// TestNothingIsAcknowledgedAfterTheMoversSyncFailed: what the writer has written
// may be lost with it, and the writer's own sync succeed.
func TestNothingIsAcknowledgedAfterTheMoversSyncFailed(t *testing.T) {
	d, dir := new(disk.Disk), t.TempDir()
	s := openTest(t, dir, Config{Readers: 1, vfs: onDisk(t, d)})
	l := storetest.NewLog(1)
	l.Next(10)
	add := func(from int) error {
		return s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, l.Entries[from:from+5])
		})
	}
	if err := add(0); err != nil {
		t.Fatal(err)
	}
	d.Arm(dir, disk.Once, 1, 1)
	if err := s.mover.move(); err == nil || d.Failed() == "" {
		t.Fatalf("the mover met no failure: %v", err)
	}
	d.Disarm()
	if err := add(5); !errors.Is(err, store.ErrBroken) {
		t.Errorf("the next update says %v", err)
	}
	if got := checkPrefix(t, s, l); got != 5 {
		t.Errorf("%d entries are read, want 5", got)
	}
}

// TestALogThatALongViewMadeGrowBeginsAnew: it grows as long as the view runs.
func TestALogThatALongViewMadeGrowBeginsAnew(t *testing.T) {
	const step = 20
	s := openTest(t, t.TempDir(), Config{Readers: 2, wal: step, vfs: unsynced})
	l := storetest.NewLog(1)
	l.Next(2000)
	ctx, from := context.Background(), 0
	add := func() {
		t.Helper()
		err := s.Update(ctx, store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, l.Entries[from:from+10])
		})
		if err != nil {
			t.Fatal(err)
		}
		from += 10
	}
	add()
	err := s.View(ctx, func(v store.View) error {
		for _, c := range s.all {
			if begun := c.begun.Load(); begun != 0 {
				c.begun.Store(begun - int64(2*longView))
			}
		}
		for from < 1000 {
			add()
		}
		w := <-s.writer
		defer func() { s.writer <- w }()
		if w.pages < walFactor*step {
			t.Errorf("the log has %d pages: there was nothing to wait for", w.pages)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for from < 2000 {
		add()
	}
	w := <-s.writer
	s.writer <- w
	if w.pages > 2*walFactor*step {
		t.Errorf("the log has %d pages still", w.pages)
	}
	if got := checkPrefix(t, s, l); got != 2000 {
		t.Errorf("%d entries", got)
	}
}
