package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

func TestWhatIsNotAWholeStoreOfOursIsRefusedWithASentence(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, file string)
		want string
	}{
		{"an empty file", func(t *testing.T, f string) { truncateTo(t, f, 0) }, "cut short (0 bytes are left): restore it from a backup"},
		{"half a header", func(t *testing.T, f string) { truncateTo(t, f, 50) }, "cut short (50 bytes are left)"},
		{"a page missing", func(t *testing.T, f string) { truncateTo(t, f, -pageSize) }, "has been cut short: restore it from a backup"},
		{"half of it", func(t *testing.T, f string) { truncateTo(t, f, -9*pageSize) }, "restore it from a backup"},
		{"a text", func(t *testing.T, f string) { overwrite(t, f, strings.Repeat("text ", 1000)) }, "is not a database: move it away, or name another folder"},
		{"a short text", func(t *testing.T, f string) { overwrite(t, f, "text") }, "is not a database"},
		{"another program's database", func(t *testing.T, f string) { raw(t, f, "PRAGMA application_id = 0") }, "is the database of another program: name another folder"},
		{"a newer schema", func(t *testing.T, f string) { raw(t, f, "PRAGMA user_version = 999") },
			"a newer version of liaison has written this store (schema 999; this one knows 2): use that version"},
		{"a schema before the first release", func(t *testing.T, f string) { raw(t, f, "PRAGMA user_version = 1") },
			"this store was written before the first release (schema 1): name another folder"},
		{"a damaged schema", func(t *testing.T, f string) { damage(t, f, 100, 4000) }, "the database is damaged or has been cut short: restore it from a backup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			l := storetest.NewLog(1)
			l.Next(50)
			s := openTest(t, dir, Config{})
			fill(t, s, l)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			c.do(t, databaseFile(dir))
			for range 2 { // the lock is given up
				s, err := Open(dir, Config{})
				if err == nil {
					s.Close()
					t.Fatal("it is opened")
				}
				if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
					t.Errorf("the error is %q, want %q in it", err, c.want)
				}
			}
		})
	}
}

func TestADatabaseCutShortBesideItsWriteAheadLogIsRefused(t *testing.T) {
	dir, copied := t.TempDir(), t.TempDir()
	l := storetest.NewLog(1)
	l.Next(1000)
	s := openTest(t, dir, Config{wal: 50})
	fill(t, s, l)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(databaseFile(dir) + suffix)
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, databaseFile(copied)+suffix, string(b))
	}
	whole := openTest(t, copied, Config{})
	if n := checkPrefix(t, whole, l); n != 1000 {
		t.Fatalf("the copy has %d entries", n)
	}
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(databaseFile(dir) + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, databaseFile(copied)+"-wal", string(b))
	truncateTo(t, databaseFile(copied), 20*pageSize)
	if _, err := Open(copied, Config{}); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("it is opened: %v", err)
	}
}

func truncateTo(t *testing.T, file string, size int64) {
	t.Helper()
	if size < 0 {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func raw(t *testing.T, file, sql string) {
	t.Helper()
	c, err := sqlite3.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Exec(sql), c.Close()); err != nil {
		t.Fatal(err)
	}
}

func damage(t *testing.T, file string, from, to int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		b[i] ^= 0xff
	}
	overwrite(t, file, string(b))
}

func TestAStoreIsOpenOnce(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Config{})
	if _, err := Open(dir, Config{}); err == nil || !strings.Contains(err.Error(), "this process has it open already") {
		t.Errorf("the second is opened: %v", err)
	}
	other := strconv.Itoa(os.Getppid())
	overwrite(t, filepath.Join(dir, "liaison.lock"), other+"\n")
	if _, err := Open(dir, Config{}); err == nil || !strings.Contains(err.Error(), "process "+other+" has it open: stop that one first") {
		t.Errorf("the second is opened: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openTest(t, dir, Config{})
}

func TestAHalfMadeDatabaseIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal", "-journal"} {
		overwrite(t, databaseFile(dir)+".new"+suffix, "half")
	}
	openTest(t, dir, Config{})
	if _, err := os.Stat(databaseFile(dir) + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestOnlyTheOwnerReadsTheFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "store")
	s := openTest(t, dir, Config{})
	fill(t, s, func() *storetest.Log { l := storetest.NewLog(1); l.Next(10); return l }())
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFilesThatOthersCouldReadAreTheOwnersAgain: a backup was restored under
// another umask.
func TestFilesThatOthersCouldReadAreTheOwnersAgain(t *testing.T) {
	dir := t.TempDir()
	if err := openTest(t, dir, Config{}).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(databaseFile(dir), 0o644); err != nil {
		t.Fatal(err)
	}
	openTest(t, dir, Config{})
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(databaseFile(dir) + suffix); err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("liaison.db%s has mode %v", suffix, info.Mode())
		}
	}
}

// TestADamagedPageIsSaidSo: whatever reads it says what to do.
func TestADamagedPageIsSaidSo(t *testing.T) {
	dir := t.TempDir()
	l := storetest.NewLog(1)
	l.Next(500)
	s := openTest(t, dir, Config{})
	fill(t, s, l)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(databaseFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	damage(t, databaseFile(dir), 2*pageSize, int(info.Size()))
	s = openTest(t, dir, Config{})
	err = s.View(context.Background(), func(v store.View) error {
		return v.Range(l.Collection, 0, store.MaxEntries, store.Full, func(*store.Entry) error { return nil })
	})
	if err == nil || !strings.Contains(err.Error(), "the database is damaged") || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("the error is %v", err)
	}
}

func TestTheWriteAheadLogIsBounded(t *testing.T) {
	dir := t.TempDir()
	const step = 50 // pages
	s := openTest(t, dir, Config{Readers: 2, wal: step, vfs: unsynced})
	l := storetest.NewLog(1)
	l.Next(6000)
	ctx := context.Background()
	stop := make(chan struct{})
	done := make(chan error, 2)
	for range 2 { // views that overlap: there is always one
		go func() {
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				err := s.View(ctx, func(v store.View) error {
					return v.Range(l.Collection, 0, 200, store.Bytes, func(*store.Entry) error { return nil })
				})
				if err != nil {
					done <- err
					return
				}
			}
		}()
	}
	longest := int64(0)
	for i := 0; i < len(l.Entries); i += 20 {
		err := s.Update(ctx, store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, l.Entries[i:i+20])
		})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(databaseFile(dir) + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, info.Size()/pageSize)
	}
	close(stop)
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	t.Logf("at most %d pages", longest)
	if longest > 2*walFactor*step {
		t.Errorf("the write-ahead log grew to %d pages, with a step of %d", longest, step)
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	for sql, want := range map[string]string{
		"DELETE FROM objects WHERE key & 0xff = 7":       "entry 7: in leaves and not in objects",
		"DELETE FROM leaves WHERE key & 0xff = 7":        "entry 7: in objects and not in leaves",
		"DELETE FROM trees WHERE key & 0xff = 7":         "entry 7: in objects and not in trees",
		"UPDATE ids SET hidden = 1 WHERE key & 0xff = 7": "entry 7: ids and gaps do not agree whether it is hidden",
		"DELETE FROM gaps":                               "entry 3: ids and gaps do not agree whether it is hidden",
	} {
		dir := t.TempDir()
		l := storetest.NewLog(1)
		l.Next(20)
		s := openTest(t, dir, Config{})
		fill(t, s, l)
		err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error { return tx.Hide(l.Collection, 3, 4) })
		if err != nil {
			t.Fatal(err)
		}
		if found := s.Check(context.Background()); len(found) != 0 {
			t.Errorf("a whole store: %q", found)
		}
		s.Close()
		raw(t, databaseFile(dir), sql)
		s = openTest(t, dir, Config{})
		found := s.Check(context.Background())
		if len(found) == 0 || !strings.Contains(string(found[0]), want) {
			t.Errorf("after %s: %q, want %q", sql, found, want)
		}
	}
}
