package main

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/rogpeppe/go-internal/testscript"
)

// waits runs a command while this process holds the office's store. Once the
// command waits, the store is given up, or the office's socket answers with
// an empty list and the store is still held: waits store|socket DIR COMMAND ….
// The first line that it prints must hold the text after the command: … TEXT.
func waits(ts *testscript.TestScript, neg bool, args []string) {
	dir, words := ts.MkAbs(args[1]), args[2:len(args)-1]
	held := hold(ts, dir)
	leave := sync.OnceFunc(func() { ts.Check(held.Close()) })
	defer leave()
	cmd := exec.Command(lookPath(ts, "liaison"), append([]string{"-v", "--dir", dir}, words...)...)
	said, err := cmd.StderrPipe()
	ts.Check(err)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	defer cmd.Wait()
	defer cmd.Process.Kill()
	log := bufio.NewScanner(said)
	for waiting := false; !waiting; waiting = strings.Contains(log.Text(), "waiting for another process") {
		if !log.Scan() {
			ts.Fatalf("%v does not wait", words)
		}
	}
	if args[0] == "store" {
		leave()
	} else {
		l, err := net.Listen("unix", filepath.Join(dir, office.SocketFile))
		ts.Check(err)
		defer l.Close()
		go http.Serve(l, http.HandlerFunc(empty))
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if want := args[len(args)-1]; !strings.Contains(line, want) {
		ts.Fatalf("%v prints %q (%v), want %q", words, line, err, want)
	}
}

// empty answers as an office that has nothing of what is listed.
func empty(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/peer/") {
		w.Write([]byte("[]"))
	} else {
		w.Write([]byte("{}"))
	}
}

// hold opens the store of an office. A process that another test is just starting
// has this one's files for the moment between fork and exec, locks that were given
// up among them.
func hold(ts *testscript.TestScript, dir string) *sqlite.Store {
	for {
		held, err := sqlite.Open(filepath.Join(dir, "store"), sqlite.Config{})
		if !errors.Is(err, sqlite.ErrInUse) {
			ts.Check(err)
			return held
		}
		runtime.Gosched()
	}
}

// TestCommandsAndServingTakeTurns: an office that is started and stopped again
// and again answers every command in between, with real processes.
func TestCommandsAndServingTakeTurns(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files: []string{filepath.Join("testdata", "turns.txtar")},
		Setup: func(e *testscript.Env) error {
			e.Values[servingKey{}] = new(serving)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"turns": turns},
	})
}

// turns starts and stops the office of a folder while another process asks for
// its peers without a pause: turns DIR. Every command must succeed.
func turns(ts *testscript.TestScript, neg bool, args []string) {
	program, dir := lookPath(ts, "liaison"), ts.MkAbs(args[0])
	stop, failed := make(chan struct{}), make(chan string, 1)
	go func() {
		defer close(failed)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if out, err := exec.Command(program, "--dir", dir, "peer", "list").CombinedOutput(); err != nil {
				failed <- string(out)
				return
			}
		}
	}()
	for range 10 {
		serve(ts, false, args)
		ts.Check(ts.Value(servingKey{}).(*serving).stop())
	}
	close(stop)
	if said, ok := <-failed; ok {
		ts.Fatalf("a command failed: %s", said)
	}
}
