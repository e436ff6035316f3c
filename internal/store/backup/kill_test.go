package backup_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/backup"
	"github.com/liaison-office/liaison/internal/store/sqlite"
)

// childEnv names the backup and the folder to the process that is killed.
const childEnv = "LIAISON_TEST_RESTORE"

func TestMain(m *testing.M) {
	if file, dir, ok := strings.Cut(os.Getenv(childEnv), ":"); ok {
		if err := restoreAloud(file, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// bySalt is a Same that every process finds.
func bySalt(e *store.Entry) uint64 { return binary.BigEndian.Uint64(e.Salt[:]) % 3 }

// restoreAloud restores and says how far it is, block by block.
func restoreAloud(file, dir string) error {
	s, err := sqlite.Open(dir, sqlite.Config{})
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	r, err := backup.NewReader(f)
	if err != nil {
		return err
	}
	fmt.Println("begun")
	_, err = r.Restore(context.Background(), backup.Target{
		Store: s, Office: office, Now: 1_800_000_000_000_000, Same: bySalt, Tell: func(s backup.Summary) { fmt.Println(s.Entries) },
	})
	if err == nil {
		fmt.Println("done")
		err = s.Close()
	}
	return err
}

// TestARestoreThatIsKilledIsSaidSoAndRepeated: whenever it is ended, the store is
// empty, or says that it is half restored, or is whole; and the next restore
// makes it whole.
func TestARestoreThatIsKilledIsSaidSoAndRepeated(t *testing.T) {
	from, _, bytes := sample(t)
	file, dir := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(file, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	halves := 0
	for range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+file+":"+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, last := rand.IntN(5), ""
		for sc := bufio.NewScanner(out); sc.Scan(); lines-- {
			if last = sc.Text(); lines == 0 {
				cmd.Process.Kill()
			}
		}
		cmd.Wait()
		s, err := sqlite.Open(dir, sqlite.Config{})
		if err != nil {
			t.Fatal(err)
		}
		m := mark(t, s)
		switch all := contents(t, s); {
		case m == nil && (len(all) > 0 || last == "done"):
			t.Fatalf("after %q %d things are there, and no mark", last, len(all))
		case m != nil && m.Half:
			halves++
		case m != nil && len(all) != len(contents(t, from)):
			t.Fatalf("after %q the store says that it is whole, and holds %d of %d things", last, len(all), len(contents(t, from)))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if m != nil && !m.Half {
			dir = filepath.Join(t.TempDir(), "store")
		}
	}
	if halves < 3 {
		t.Errorf("%d restores were ended in the middle", halves)
	}
	if err := restoreAloud(file, filepath.Join(dir)); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(dir, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	without := func(all []string) []string { // what Same finds is another here
		return slices.DeleteFunc(all, func(s string) bool { return strings.HasPrefix(s, "same ") })
	}
	if !slices.Equal(without(contents(t, from)), without(contents(t, s))) {
		t.Error("restored at last, the store holds something else")
	}
}
