package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// unsynced is the file system of tests that cut no power: what they write need
// not wait for a disk, only be said to.
const unsynced = "liaison-test"

func init() { vfs.Register(unsynced, &disk{VFS: vfs.Find("")}) }

// disk is a file system that fails at the n-th write, sync or truncation. A
// sync is noted and not done.
type disk struct {
	vfs.VFS
	mode mode

	mu    sync.Mutex
	left  int  // operations until the failure; counted only while armed
	armed bool // set once the store is open
	hit   bool // it has failed
	dirty bool // the write-ahead log has bytes that were not synced
}

type mode string

// The ways to fail.
const (
	once    mode = "once, undone"
	lost    mode = "once, done, and the reply lost"
	forever mode = "from then on"
	full    mode = "full once"
	filled  mode = "full from then on"
)

func (d *disk) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, flags, sqlite3.CANTOPEN // SQLite calls OpenFilename
}

func (d *disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(d.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return volumeFile{&diskFile{File: f, disk: d, shm: vfsutil.WrapSharedMemory(f), wal: flags&vfs.OPEN_WAL != 0}}, flags, nil
}

// fills: it does not break, it has no room.
func (d *disk) fills() bool { return d.mode == full || d.mode == filled }

func (d *disk) failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hit
}

// soil notes a write to the write-ahead log, or its sync.
func (f *diskFile) soil(dirty bool) {
	if f.wal {
		f.disk.mu.Lock()
		defer f.disk.mu.Unlock()
		f.disk.dirty = dirty
	}
}

func (d *disk) arm(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = on
}

// do counts an operation, and does it or fails or both.
func (d *disk) do(code sqlite3.ExtendedErrorCode, op func() error) error {
	d.mu.Lock()
	fails := false
	if d.armed && (!d.fills() || code == sqlite3.IOERR_WRITE) { // other operations need no room
		d.left--
		fails = d.left == 0 || (d.mode == forever || d.mode == filled) && d.left < 0
		d.hit = d.hit || fails
	}
	d.mu.Unlock()
	switch {
	case !fails:
		return op()
	case d.mode == lost:
		op()
	case d.fills():
		return &os.PathError{Op: "write", Path: "disk", Err: syscall.ENOSPC} // as the operating system says it
	}
	return vfs.SystemError(errors.New("the disk fails on purpose"), code)
}

type diskFile struct {
	vfs.File
	disk *disk
	shm  vfs.SharedMemory
	wal  bool
}

func (f *diskFile) SharedMemory() vfs.SharedMemory { return f.shm }

func (f *diskFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.disk.do(sqlite3.IOERR_WRITE, func() error {
		f.soil(true)
		n, err = f.File.WriteAt(p, off)
		return err
	})
	if errors.Is(err, syscall.ENOSPC) {
		n, _ = f.File.WriteAt(p[:len(p)/2], off) // what there is room for
	}
	return n, err
}

func (f *diskFile) Sync(vfs.SyncFlag) error {
	return f.disk.do(sqlite3.IOERR_FSYNC, func() error {
		f.soil(false)
		return nil
	})
}

func (f *diskFile) Truncate(size int64) error {
	return f.disk.do(sqlite3.IOERR_TRUNCATE, func() error { return f.File.Truncate(size) })
}

// TestAFailingDiskLosesNothingAcknowledged fails each operation of a run in
// turn, in every mode, until a run meets no failure.
func TestAFailingDiskLosesNothingAcknowledged(t *testing.T) {
	empty := t.TempDir() // made once: making a database waits for the disk
	if err := openTest(t, empty, Config{vfs: unsynced}).Close(); err != nil {
		t.Fatal(err)
	}
	for _, m := range []mode{once, lost, forever, full, filled} {
		t.Run(string(m), func(t *testing.T) {
			n, refused := 1, 0
			for ; ; n++ {
				d := &disk{VFS: vfs.Find(""), mode: m, left: n}
				if failAt(t, d, copyOf(t, empty)) {
					refused++
				}
				if !d.hit {
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

// failAt runs updates on a disk, in a folder with an empty store, and checks what
// is left of them; it reports whether the store refused one.
func failAt(t *testing.T, d *disk, dir string) (refused bool) {
	name := fmt.Sprintf("disk-%s-%p", t.Name(), d)
	vfs.Register(name, d)
	defer vfs.Unregister(name)
	s, err := Open(dir, Config{Readers: 1, vfs: name, wal: 20})
	if err != nil {
		t.Fatal(err)
	}
	l := storetest.NewLog(1)
	l.Next(40)
	d.arm(true)
	acked := uint64(0)
	for range 8 {
		from, failed := acked, d.failed()
		err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, l.Entries[from:from+5])
		})
		if err == nil {
			acked += 5
			continue
		}
		saysWhatTheDiskDid(t, d, dir, failed, err)
		if d.fills() && !refused {
			holdsExactly(t, copyOf(t, dir), l, acked) // a crash now
		}
		refused = true
		if size := sizeOf(t, s, l); size != acked {
			t.Fatalf("failure %d: readers see %d entries, %d were acknowledged", d.left, size, acked)
		}
	}
	d.arm(false)
	s.Close() // of a broken store may fail
	if d.fills() {
		holdsExactly(t, dir, l, acked)
		return refused
	}
	whole := openTest(t, dir, Config{Readers: 1, vfs: unsynced})
	p := checkPrefix(t, whole, l)
	if p != acked && !(refused && p == acked+5) {
		t.Fatalf("%d entries are there, %d were acknowledged (refused: %v)", p, acked, refused)
	}
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	return refused
}

// saysWhatTheDiskDid: after a failure in doubt every update is refused; for want
// of room only those that find none are.
func saysWhatTheDiskDid(t *testing.T, d *disk, dir string, failedBefore bool, err error) {
	t.Helper()
	want := store.ErrBroken
	if d.fills() {
		want = store.ErrFull
	}
	if !errors.Is(err, want) && (failedBefore || d.fills()) || d.fills() && errors.Is(err, store.ErrBroken) {
		t.Fatalf("failure %d: the update says %v", d.left, err)
	}
	if !strings.Contains(err.Error(), dir) {
		t.Fatalf("failure %d: the operator is not told where: %v", d.left, err)
	}
	if d.mode == full && failedBefore {
		t.Fatalf("failure %d: there is room again, and the update says %v", d.left, err)
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
	d := &disk{VFS: vfs.Find(""), mode: filled, left: 1, armed: true}
	vfs.Register(t.Name(), d)
	t.Cleanup(func() { vfs.Unregister(t.Name()) })
	var log strings.Builder
	s := openTest(t, dir, Config{Readers: 1, vfs: t.Name(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if !d.failed() || fileSize(t, databaseFile(dir)) != size {
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
	d.arm(false)
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
	d := &disk{VFS: vfs.Find("")}
	vfs.Register(t.Name(), d)
	t.Cleanup(func() { vfs.Unregister(t.Name()) }) // after the store is closed
	s := openTest(t, t.TempDir(), Config{vfs: t.Name(), wal: 20})
	l := storetest.NewLog(1)
	for range 50 {
		es := l.Next(3)
		d.mu.Lock()
		d.dirty = true // a commit that writes nothing would not do
		d.mu.Unlock()
		err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, es)
		})
		if err != nil {
			t.Fatal(err)
		}
		d.mu.Lock()
		dirty := d.dirty
		d.mu.Unlock()
		if dirty {
			t.Fatal("what the update wrote has not been synced")
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
