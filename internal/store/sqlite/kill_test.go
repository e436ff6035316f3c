package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// childEnv names the folder to the process that is killed.
const childEnv = "LIAISON_TEST_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := appendForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	if dir := os.Getenv(compactEnv); dir != "" {
		if err := compactForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	if dir := os.Getenv(eraserEnv); dir != "" {
		if err := eraseAndWait(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// killLog is what the child writes: the same entries in every process.
func killLog(n int) *storetest.Log {
	l := storetest.NewLog(7)
	l.Next(n)
	return l
}

// appendForever appends groups of entries and prints the size of the log after
// each update that returned.
func appendForever(dir string) error {
	s, err := Open(dir, Config{Readers: 1, wal: 100})
	if err != nil {
		return err
	}
	ctx := context.Background()
	var p store.Position
	l := killLog(0)
	if err := s.View(ctx, func(v store.View) (err error) { p, err = v.Position(l.Collection); return err }); err != nil {
		return err
	}
	l.Next(int(p.Size))
	fmt.Println(p.Size)
	for {
		es := l.Next(1 + rand.IntN(maxKillGroup))
		err := s.Update(ctx, store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
			return tx.Append(l.Collection, es)
		})
		if err != nil {
			return err
		}
		fmt.Println(len(l.Entries))
	}
}

const (
	killRounds   = 20
	maxKillGroup = 20 // entries
)

func TestKilledProcessesLoseNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	total := uint64(0)
	for round := range killRounds {
		acked := killOne(t, dir, rand.IntN(40))
		if acked < total {
			t.Fatalf("round %d: it began at less than %d", round, total)
		}
		s := openTest(t, dir, Config{Readers: 1})
		total = checkPrefix(t, s, killLog(int(acked)+maxKillGroup))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if total < acked || total > acked+maxKillGroup {
			t.Fatalf("round %d: %d entries are there, %d were acknowledged", round, total, acked)
		}
	}
	t.Logf("%d kills, %d entries, 0 lost", killRounds, total)
}

// killOne kills a writer after it has acknowledged so many updates, while it
// is busy with the next, and returns the last size it printed.
func killOne(t *testing.T, dir string, updates int) (acked uint64) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for sc := bufio.NewScanner(out); sc.Scan(); lines++ {
		if lines == updates {
			cmd.Process.Kill()
		}
		if acked, err = strconv.ParseUint(sc.Text(), 10, 64); err != nil {
			break // a line cut short was not acknowledged; none is, in practice
		}
	}
	cmd.Wait()
	if lines == 0 || err != nil {
		t.Fatalf("the writer printed %d lines, %v", lines, err)
	}
	return acked
}

// compactEnv names the folder to a process that is killed while it compacts.
const compactEnv = "LIAISON_TEST_COMPACT"

func compactForever(dir string) error {
	s, err := Open(dir, Config{Readers: 1})
	if err != nil {
		return err
	}
	for {
		fmt.Println("compacting")
		if err := s.Compact(context.Background(), true); err != nil {
			return err
		}
	}
}

// TestAProcessThatIsKilledWhileItCompactsLosesNothing, wherever it is.
func TestAProcessThatIsKilledWhileItCompactsLosesNothing(t *testing.T) {
	dir, l := stored(t, 2000)
	for range killRounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), compactEnv+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond) // somewhere in it
		cmd.Process.Kill()
		cmd.Wait()
		s := openTest(t, dir, Config{Readers: 1})
		if n := checkPrefix(t, s, l); n != 2000 {
			t.Fatalf("%d entries are left of 2000", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
