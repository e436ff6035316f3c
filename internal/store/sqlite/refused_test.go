package sqlite

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/liaison-office/liaison/internal/store/storetest"
)

// untouched checks that what Open refuses, with a sentence, is left as it was:
// every byte, mode, time and name, but for the lock.
func untouched(t *testing.T, dir, want string) {
	t.Helper()
	seen := func() map[string]string {
		all := storetest.Contents(t, dir)
		delete(all, dir) // its time: the lock was made
		delete(all, filepath.Join(dir, lockFile))
		return all
	}
	before := seen()
	s, err := Open(dir, Config{})
	if err == nil {
		s.Close()
		t.Fatal("it is opened")
	}
	if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
		t.Errorf("the error is %q, want %q in it", err, want)
	}
	if after := seen(); !maps.Equal(before, after) {
		t.Errorf("the folder has changed: %d files, were %d", len(after), len(before))
	}
}

func stored(t *testing.T, entries int) (dir string, l *storetest.Log) {
	t.Helper()
	dir, l = t.TempDir(), storetest.NewLog(1)
	l.Next(entries)
	s := openTest(t, dir, Config{vfs: unsynced})
	fill(t, s, l)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, l
}

func TestADatabaseThatWasCutShortIsRefusedAndLeftAsItIs(t *testing.T) {
	dir, _ := stored(t, 400)
	whole, err := os.ReadFile(databaseFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 15, 16, 99, 100, 4096, pageSize - 1, pageSize, 3 * pageSize, len(whole) / 2, len(whole) - pageSize, len(whole) - 1} {
		t.Run(fmt.Sprint(n, " bytes"), func(t *testing.T) {
			overwrite(t, databaseFile(dir), string(whole[:n]))
			untouched(t, dir, "restore it from a backup")
		})
	}
}

// TestAWriteAheadLogThatWasCutShortIsAsAfterACrash: what is left is a beginning,
// and nothing of it is damaged.
func TestAWriteAheadLogThatWasCutShortIsAsAfterACrash(t *testing.T) {
	running, l := t.TempDir(), storetest.NewLog(1)
	l.Next(600)
	s := openTest(t, running, Config{vfs: unsynced})
	fill(t, s, l)
	whole := fileSize(t, databaseFile(running)+"-wal")
	held := map[uint64]bool{}
	for _, n := range []int64{0, 1, 31, 32, 33, 5000, whole / 3, whole / 2, whole - 1, whole} {
		dir := copyOf(t, running)
		truncateTo(t, databaseFile(dir)+"-wal", n)
		cut := openTest(t, dir, Config{vfs: unsynced})
		held[checkPrefix(t, cut, l)] = true
		if err := cut.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !held[0] || !held[600] || len(held) < 4 {
		t.Errorf("so many entries are left: %v", held)
	}
}

func TestTheDatabaseOfAnotherProgramIsRefusedAndLeftAsItIs(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		dir := t.TempDir()
		c, err := sqlite3.Open(databaseFile(dir))
		if err != nil {
			t.Fatal(err)
		}
		err = c.Exec("PRAGMA journal_mode = " + mode + "; CREATE TABLE accounts (name TEXT); INSERT INTO accounts VALUES ('a')")
		if err := errors.Join(err, c.Close()); err != nil {
			t.Fatal(err)
		}
		untouched(t, dir, "is the database of another program: name another folder")
	}
	dir, _ := stored(t, 3)
	raw(t, databaseFile(dir), "PRAGMA user_version = 999")
	untouched(t, dir, "a newer version of liaison has written this store")
}

// TestTwoPathsToOneStoreAreOneStore: a link to the folder is no second store.
func TestTwoPathsToOneStoreAreOneStore(t *testing.T) {
	dir, _ := stored(t, 3)
	link := filepath.Join(t.TempDir(), "store")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	s := openTest(t, dir, Config{vfs: unsynced})
	before := storetest.Contents(t, dir)
	if _, err := Open(link, Config{}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "has it open already") {
		t.Errorf("by another path: %v", err)
	}
	if !maps.Equal(before, storetest.Contents(t, dir)) {
		t.Error("the folder has changed")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAFullDiskAtTheFirstStartIsSaidSo, and the store is made when there is room.
func TestAFullDiskAtTheFirstStartIsSaidSo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root mounts a small disk")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no small disk can be mounted here: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 56<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(disk, "store")
	for range 2 {
		s, err := Open(dir, Config{})
		if err == nil {
			s.Close()
			t.Fatal("it is opened")
		}
		if !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), "make room") {
			t.Errorf("the error is %v", err)
		}
	}
	if err := errors.Join(os.Remove(filler), syscall.Mount("", disk, "", syscall.MS_REMOUNT, "size=8m")); err != nil {
		t.Fatal(err)
	}
	l := storetest.NewLog(1)
	l.Next(20)
	s := openTest(t, dir, Config{})
	fill(t, s, l)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAFolderThatCannotBeWrittenIsSaidSo: to write, that is; it is read.
func TestAFolderThatCannotBeWrittenIsSaidSo(t *testing.T) {
	dir, l := stored(t, 20)
	if os.Getuid() == 0 { // modes do not hold root: a mount does
		if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip("nothing can be mounted here: ", err)
		}
		t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
		if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
	} else {
		seal(t, dir)
	}
	untouched(t, dir, "cannot be written")
	s := openTest(t, dir, Config{ReadOnly: true})
	if n := checkPrefix(t, s, l); n != 20 {
		t.Errorf("%d entries are read", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
