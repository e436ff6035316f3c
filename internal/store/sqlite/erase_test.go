package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

func idMark(id string) []byte { return binary.BigEndian.AppendUint64(nil, uint64(idDigest(id))) }

func filesOf(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v: %v", files, err)
	}
	return files
}

func TestNoFileHoldsWhatWasErased(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Config{vfs: unsynced, wal: 50})
	secrets := storetest.Fill(t, s, 1, 6000, 1000, idMark)
	if found := storetest.Left(t, filesOf(t, dir), secrets); len(found) < len(secrets)*4 {
		t.Fatalf("the search finds %d marks of what is not erased", len(found))
	}
	if err := storetest.EraseAll(context.Background(), s, secrets); err != nil {
		t.Fatal(err)
	}
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, f := range storetest.Left(t, filesOf(t, dir), secrets) {
		t.Error(f)
	}
	if problems := s.Check(context.Background()); len(problems) > 0 {
		t.Error(problems)
	}
}

// eraserEnv names the folder to a process that erases and is killed.
const eraserEnv = "LIAISON_TEST_ERASER"

// eraseAndWait erases the entries that standard input names, says so and does
// no more.
func eraseAndWait(dir string) error {
	var secrets []storetest.Secret
	if err := json.UnmarshalRead(os.Stdin, &secrets); err != nil {
		return err
	}
	s, err := Open(dir, Config{})
	if err != nil {
		return err
	}
	if err := storetest.EraseAll(context.Background(), s, secrets); err != nil {
		return err
	}
	fmt.Println("erased")
	select {}
}

// A process is killed between the commit that erases and Scrub.
func TestAfterAKillTheNextStartEndsTheErasure(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Config{vfs: unsynced})
	secrets := storetest.Fill(t, s, 2, 1000, 100, idMark)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := json.Marshal(secrets)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stdin, cmd.Stderr = append(os.Environ(), eraserEnv+"="+dir), bytes.NewReader(names), os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	cmd.Process.Kill()
	cmd.Wait()
	if said != "erased\n" {
		t.Fatalf("the process that erases said %q: %v", said, err)
	}
	if len(storetest.Left(t, filesOf(t, dir), secrets)) == 0 {
		t.Fatal("before the next start nothing is left already: the test shows nothing")
	}
	openTest(t, dir, Config{vfs: unsynced})
	for _, f := range storetest.Left(t, filesOf(t, dir), secrets) {
		t.Error(f)
	}
}

// A view reads on from the write-ahead log, so Scrub cannot empty it; it says so
// when its time is over, and ends when the view has.
func TestScrubWaitsForViewsAndNobodyWaitsForIt(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Config{vfs: unsynced})
	secrets := storetest.Fill(t, s, 3, 300, 20, idMark)
	err := s.View(context.Background(), func(v store.View) error {
		if err := storetest.EraseAll(context.Background(), s, secrets); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*drainWait)
		defer cancel()
		if err := s.Scrub(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("during a view: %v", err)
		}
		return s.Update(context.Background(), store.Lock{}, func(tx store.Tx) error { return tx.Put("b", "k", nil) })
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, f := range storetest.Left(t, filesOf(t, dir), secrets) {
		t.Error(f)
	}
}

// What begins like a page of a b-tree and is none stays as it is.
func TestOnlyWhatABTreeDoesNotUseIsWiped(t *testing.T) {
	junk := bytes.Repeat([]byte{0xaa}, pageSize)
	page := func(begin ...byte) []byte { return append(begin, junk[len(begin):]...) }
	for _, c := range []struct {
		name       string
		page       []byte
		from, till int // what becomes zero
	}{
		{"an overflow page", page(0, 0, 0, 9), 0, 0},
		{"a leaf", page(13, 0, 0, 0, 2, 0x10, 0x00, 0), 8 + 4, 0x1000},
		{"an inner page", page(5, 0, 0, 0, 1, 0x1f, 0x00, 0), 12 + 2, 0x1f00},
		{"a leaf that is full", page(10, 0, 0, 0, 4, 0, 16, 0), 0, 0},
		{"cells beyond the page", page(10, 0, 0, 0, 1, 0x20, 0x01, 0), 0, 0},
		{"pointers beyond the cells", page(10, 0, 0, 0x10, 0, 0x01, 0, 0), 0, 0},
		{"freeblocks beyond the page", page(10, 0xff, 0xff, 0, 1, 0x1f, 0xf0, 0), 10, 0x1ff0},
	} {
		want := bytes.Clone(c.page)
		clear(want[c.from:c.till])
		if wipe(c.page, false); !bytes.Equal(c.page, want) {
			t.Errorf("%s is not wiped from %d till %d", c.name, c.from, c.till)
		}
	}
	free := page(13, 0x10, 0x10, 0, 1, 0x10, 0x00, 0) // a block of 16 bytes that leads to another one
	copy(free[0x1010:], []byte{0x10, 0x40, 0, 16})
	copy(free[0x1040:], []byte{0, 0, 0, 8})
	want := bytes.Clone(free)
	clear(want[10:0x1000])
	clear(want[0x1014:0x1020])
	clear(want[0x1044:0x1048])
	if wipe(free, false); !bytes.Equal(free, want) {
		t.Error("freeblocks are not wiped")
	}
}
