package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// hasLog reports whether some of the database is in a write-ahead log.
func hasLog(file string) bool {
	info, err := os.Stat(file + "-wal")
	return err == nil && info.Size() > 0
}

// seal takes away the right to write, until the test ends.
func seal(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Chmod(f, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
}

// TestAStoreOnAMediumThatCannotBeWrittenIsRead: closed in order, or copied as a
// crash left it, with entries in the write-ahead log alone. Not a byte, time or
// name changes.
func TestAStoreOnAMediumThatCannotBeWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	l := storetest.NewLog(1)
	l.Next(300)
	s := openTest(t, dir, Config{})
	fill(t, s, l)
	crashed := copyOf(t, dir)
	if !hasLog(databaseFile(crashed)) {
		t.Fatal("nothing is in the write-ahead log")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, crashed} {
		seal(t, dir)
		before := storetest.Contents(t, dir)
		a := openTest(t, dir, Config{ReadOnly: true, Readers: 2})
		b := openTest(t, dir, Config{ReadOnly: true})
		for _, s := range []*Store{a, b} {
			if n := checkPrefix(t, s, l); n != 300 {
				t.Errorf("%d entries are read of 300", n)
			}
			err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(store.Tx) error { return nil })
			if !errors.Is(err, errReadOnly) {
				t.Errorf("update: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if after := storetest.Contents(t, dir); !maps.Equal(before, after) {
			t.Errorf("the folder has changed: %d files, were %d", len(after), len(before))
		}
	}
}

func TestAStoreThatIsWrittenIsNotOpenedForReadingOnly(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Config{})
	if _, err := Open(dir, Config{ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "has it open already") {
		t.Errorf("%v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := openTest(t, dir, Config{ReadOnly: true})
	if _, err := Open(dir, Config{}); err == nil {
		t.Error("it is opened for writing while it is read")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(dir, "none")} {
		if _, err := Open(dir, Config{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", dir, err)
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
			t.Errorf("it made %v", files)
		}
	}
}
