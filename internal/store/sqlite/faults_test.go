package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/fault/disk"
	"github.com/liaison-office/liaison/internal/fault/diskvfs"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// unsynced is the file system of tests that cut no power: what they write need
// not wait for a disk, only be said to.
const unsynced = "liaison-test"

func init() { vfs.Register(unsynced, volume{diskvfs.New(vfs.Find(""), &disk.Disk{Quick: true})}) }

// onDisk registers a file system on a disk for a test, below its folder.
func onDisk(t *testing.T, d *disk.Disk) (name string) {
	d.Quick = true
	name = fmt.Sprintf("disk-%s-%p", t.Name(), d)
	vfs.Register(name, volume{diskvfs.New(vfs.Find(""), d)})
	t.Cleanup(func() { vfs.Unregister(name) }) // after the store is closed
	return name
}

// TestAFailingDiskLosesNothingAcknowledged fails each operation of a run in
// turn, in every mode, until a run meets no failure.
func TestAFailingDiskLosesNothingAcknowledged(t *testing.T) {
	empty := t.TempDir() // made once: making a database waits for the disk
	if err := openTest(t, empty, Config{vfs: unsynced}).Close(); err != nil {
		t.Fatal(err)
	}
	for _, m := range disk.Modes {
		t.Run(string(m), func(t *testing.T) {
			n, refused := 1, 0
			for ; ; n++ {
				broke, met := failAt(t, m, n, copyOf(t, empty))
				if broke {
					refused++
				}
				if !met {
					break
				}
			}
			t.Logf("%d failures, of which %d made the store refuse an update", n-1, refused)
			if refused == 0 {
				t.Error("no failure met a commit or a checkpoint")
			}
		})
	}
}

// failAt runs updates on a disk whose n-th operation fails, in a folder with an
// empty store, and checks what is left of them; it reports whether the store
// refused one, and whether there was an n-th operation.
func failAt(t *testing.T, m disk.Mode, n int, dir string) (refused, met bool) {
	d := new(disk.Disk)
	s, err := Open(dir, Config{Readers: 1, vfs: onDisk(t, d), wal: 20})
	if err != nil {
		t.Fatal(err)
	}
	l := storetest.NewLog(1)
	l.Next(40)
	d.Arm(dir, m, n, uint64(n))
	acked := uint64(0)
	for range 8 {
		from, before := acked, d.Failed()
		err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, l.Entries[from:from+5])
		})
		if err == nil {
			acked += 5
			continue
		}
		saysWhatTheDiskDid(t, m, n, dir, before != "", err)
		if m.Fills() && !refused {
			holdsExactly(t, copyOf(t, dir), l, acked) // a crash now
		}
		refused = true
		if size := sizeOf(t, s, l); size != acked {
			t.Fatalf("failure %d: readers see %d entries, %d were acknowledged", n, size, acked)
		}
	}
	if m != disk.Power {
		d.Disarm()
	}
	s.Close() // of a broken store may fail
	met = d.Failed() != ""
	if err := d.Crash(); err != nil {
		t.Fatal(err)
	}
	if m.Fills() {
		holdsExactly(t, dir, l, acked)
		return refused, met
	}
	whole := openTest(t, dir, Config{Readers: 1, vfs: unsynced})
	p := checkPrefix(t, whole, l)
	if p != acked && !(refused && p == acked+5) {
		t.Fatalf("failure %d: %d entries are there, %d were acknowledged (refused: %v)", n, p, acked, refused)
	}
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	return refused, met
}

// saysWhatTheDiskDid: after a failure in doubt every update is refused; for want
// of room only those that find none are.
func saysWhatTheDiskDid(t *testing.T, m disk.Mode, n int, dir string, failedBefore bool, err error) {
	t.Helper()
	want := store.ErrBroken
	if m.Fills() {
		want = store.ErrFull
	}
	if !errors.Is(err, want) && (failedBefore || m.Fills()) || m.Fills() && errors.Is(err, store.ErrBroken) {
		t.Fatalf("failure %d: the update says %v", n, err)
	}
	if !strings.Contains(err.Error(), dir) {
		t.Fatalf("failure %d: the operator is not told where: %v", n, err)
	}
	if m == disk.Full && failedBefore {
		t.Fatalf("failure %d: there is room again, and the update says %v", n, err)
	}
}

// TestAStoreThatCrashedOnAFullDiskIsReadAndRecovers: it opens although nothing
// can be written, and needs no restart when there is room.
func TestAStoreThatCrashedOnAFullDiskIsReadAndRecovers(t *testing.T) {
	running := t.TempDir()
	l := storetest.NewLog(1)
	l.Next(300)
	first := openTest(t, running, Config{vfs: unsynced})
	fill(t, first, l)
	dir := copyOf(t, running)
	size := fileSize(t, databaseFile(dir))
	d := new(disk.Disk)
	d.Arm(dir, disk.Filled, 1, 1)
	var log strings.Builder
	s := openTest(t, dir, Config{Readers: 1, vfs: onDisk(t, d), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if d.Failed() == "" || fileSize(t, databaseFile(dir)) != size {
		t.Fatal("the write-ahead log was moved into the database")
	}
	if got := checkPrefix(t, s, l); got != 300 {
		t.Errorf("%d entries are read, want 300", got)
	}
	if text := log.String(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "make room") {
		t.Errorf("the operator reads:\n%s", text)
	}
	more := l.Next(5)
	add := func() error {
		return s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error { return tx.Append(l.Collection, more) })
	}
	if err := add(); !errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrBroken) {
		t.Errorf("a write while it is full: %v", err)
	}
	d.Disarm()
	if err := add(); err != nil {
		t.Errorf("a write when there is room: %v", err)
	}
	if got := checkPrefix(t, s, l); got != 305 {
		t.Errorf("%d entries, want 305", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	holdsExactly(t, dir, l, 305)
}

func fileSize(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// copyOf copies the database as a crash would leave it.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(databaseFile(dir) + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue // of a store that was closed
		}
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, databaseFile(to)+suffix, string(b))
	}
	return to
}

func holdsExactly(t *testing.T, dir string, l *storetest.Log, size uint64) {
	t.Helper()
	s := openTest(t, dir, Config{Readers: 1, vfs: unsynced})
	if got := checkPrefix(t, s, l); got != size {
		t.Fatalf("%d entries are there, %d were acknowledged", got, size)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func sizeOf(t *testing.T, s *Store, l *storetest.Log) uint64 {
	t.Helper()
	var p store.Position
	err := s.View(context.Background(), func(v store.View) (err error) { p, err = v.Position(l.Collection); return err })
	if err != nil {
		t.Fatal(err)
	}
	return p.Size
}

func TestAnUpdateReturnsAfterTheSync(t *testing.T) {
	d := new(disk.Disk)
	name, dir := onDisk(t, d), t.TempDir()
	s := openTest(t, dir, Config{vfs: name, wal: 20})
	l := storetest.NewLog(1)
	for range 50 {
		es := l.Next(3)
		d.Arm(dir, disk.Power, math.MaxInt, 1) // it notes what is not synced
		err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, es)
		})
		if err != nil {
			t.Fatal(err)
		}
		if operations, _ := d.Disarm(); operations == 0 || d.Unsynced(databaseFile(dir)+"-wal") {
			t.Fatalf("what the update wrote in %d operations has not been synced", operations)
		}
	}
}

// checkPrefix checks that the store holds the beginning of a log and nothing
// else, and returns how much of it.
func checkPrefix(t *testing.T, s *Store, l *storetest.Log) (size uint64) {
	t.Helper()
	err := s.View(context.Background(), func(v store.View) error {
		p, err := v.Position(l.Collection)
		if err != nil {
			return err
		}
		err = v.Range(l.Collection, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
			want := &l.Entries[size]
			if e.Index != size || string(e.Bytes) != string(want.Bytes) || string(e.Act) != string(want.Act) || e.Added != want.Added {
				return fmt.Errorf("entry %d is another", size)
			}
			size++
			return nil
		})
		if err == nil && size != p.Size {
			err = fmt.Errorf("%d entries, position %d", size, p.Size)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Check(context.Background()) {
		t.Error(p)
	}
	return size
}
