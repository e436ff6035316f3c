package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"liaison": main})
}

// TestCommands runs what an operator types, from testdata/script.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("LIAISON_PASSWORD", "sample-password")
			e.Setenv("SEED1", filepath.Join("authority", "authority-1.seed=alliance.example.org/authority/1"))
			e.Setenv("SEED2", filepath.Join("authority", "authority-2.seed=alliance.example.org/authority/2"))
			if corpora := corpora.Folder(); corpora != "" {
				e.Setenv("CORPORA", corpora)
			}
			e.Values[servingKey{}] = new(serving)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":  serve,
			"take":   take,
			"occupy": occupy,
			"change": change,
			"gone":   gone,
			"until":  until,
			"halt":   halt, // stop is a word of testscript: it ends the test
			"status": status,
			"flip":   flip,
			"lost":   lost,
			"pack":   pack,
			"repeat": repeat,
			"copies": copies,
			"waits":  waits,
			"cut":    cut,
		},
		Condition: func(cond string) (bool, error) {
			return cond == "corpora" && corpora.Folder() != "" || cond == "full" && exists(fullDevice), nil
		},
	})
}

// fullDevice takes nothing.
const fullDevice = "/dev/full"

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lost runs a command whose result cannot be written: it must exit 1 and say
// so once, on one line that matches the expression: lost EXPRESSION liaison ….
func lost(ts *testscript.TestScript, neg bool, args []string) {
	full, err := os.OpenFile(fullDevice, os.O_WRONLY, 0)
	ts.Check(err)
	defer full.Close()
	cmd := exec.Command(lookPath(ts, args[1]), args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "LIAISON_PASSWORD="+ts.Getenv("LIAISON_PASSWORD"))
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = full, &said
	err = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != 1 {
		ts.Fatalf("%v: status %d, want 1 (%v)\n%s", args[1:], got, err, said.String())
	}
	if n := strings.Count(said.String(), "could not be written"); n != 1 {
		ts.Fatalf("%v says it %d times\n%s", args[1:], n, said.String())
	}
	if !regexp.MustCompile(`(?m)^(liaison: |{"command":).*the result could not be written to standard output: .*` + args[0]).MatchString(said.String()) {
		ts.Fatalf("%v says\n%s", args[1:], said.String())
	}
}

// repeat writes a line of so many letters to a file: repeat FILE N.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat("x", n)+"\n"), 0o600))
}

// copies writes a file many times over, one after another: copies N FILE TO.
func copies(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Repeat(ts.ReadFile(args[1]), n)), 0o600))
}

// serving are the offices that a script started.
type serving struct {
	stop    func() error         // interrupts the last one
	running map[string]*exec.Cmd // by folder, as the script names it
}

// servingKey finds it among the values of a script.
type servingKey struct{}

// halt interrupts the office that was started last: it must exit 0.
func halt(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Value(servingKey{}).(*serving).stop())
}

// status runs a command that must exit with a status: status 2 liaison ….
func status(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(lookPath(ts, args[1]), args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"LIAISON_DIR", "LIAISON_PASSWORD", "LIAISON_TOKEN"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); strconv.Itoa(got) != args[0] {
		ts.Fatalf("%v: status %d, want %s (%v)\n%s", args[1:], got, args[0], err, out)
	}
	if !strings.HasPrefix(string(out), "liaison: ") || strings.Count(string(out), "\n") != 1 {
		ts.Fatalf("%v says not one line beginning with liaison: but\n%s", args[1:], out)
	}
}

// flip changes one byte some way after a text in a file: flip FILE TEXT.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	at := strings.Index(string(b), args[1])
	if at < 0 {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	at += len(args[1]) + 40
	was := b[at]
	if b[at] = 'A'; was == 'A' {
		b[at] = 'B'
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// serve starts the office of a folder and sets URL, and URL_DIR, to its address:
// serve DIR.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command("liaison", "--dir", ts.MkAbs(args[0]), "serve")
	cmd.Path = lookPath(ts, "liaison")
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	once := sync.OnceValue(func() error {
		cmd.Process.Signal(os.Interrupt)
		return cmd.Wait()
	})
	ts.Defer(func() { once() })
	s := ts.Value(servingKey{}).(*serving)
	s.stop = once
	if s.running == nil {
		s.running = map[string]*exec.Cmd{}
	}
	s.running[args[0]] = cmd
	line, err := bufio.NewReader(out).ReadString('\n')
	ts.Check(err)
	url := regexp.MustCompile(`http://\S+`).FindString(line)
	ts.Setenv("URL", url)
	ts.Setenv("URL_"+args[0], url)
}

func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, name); isFile(path) {
			return path
		}
	}
	ts.Fatalf("no %s in PATH", name)
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// patience bounds how long a script waits for the relay.
const patience = 20 * time.Second

// until repeats a command until it succeeds and prints something: what a
// neighbour sends arrives when it arrives.
func until(ts *testscript.TestScript, neg bool, args []string) {
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		cmd := exec.Command(lookPath(ts, args[0]), args[1:]...)
		cmd.Dir = ts.MkAbs(".")
		cmd.Env = append(os.Environ(), "LIAISON_PASSWORD="+ts.Getenv("LIAISON_PASSWORD"))
		if out, err := cmd.Output(); err == nil && len(out) > 0 {
			return
		}
	}
	ts.Fatalf("%v printed nothing in %s", args, patience)
}

// take sets a variable to the first match of an expression in a file:
// take NAME EXPRESSION FILE.
func take(ts *testscript.TestScript, neg bool, args []string) {
	match := regexp.MustCompile(args[1]).FindString(ts.ReadFile(args[2]))
	if match == "" {
		ts.Fatalf("%s holds nothing like %s", args[2], args[1])
	}
	ts.Setenv(args[0], match)
}

// occupy holds a port and sets BUSY to its address.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv("BUSY", l.Addr().String())
}

// change replaces the first occurrence of a text in a file: change FILE OLD NEW.
func change(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}

// pack compresses a file: pack gzip|zstd FILE TO.
func pack(ts *testscript.TestScript, neg bool, args []string) {
	var b bytes.Buffer
	var z io.WriteCloser = gzip.NewWriter(&b)
	if args[0] == "zstd" {
		var err error
		z, err = zstd.NewWriter(&b)
		ts.Check(err)
	}
	_, err := io.WriteString(z, ts.ReadFile(args[1]))
	ts.Check(errors.Join(err, z.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b.Bytes(), 0o600))
}

// cut writes the first bytes of a file: cut FILE N TO.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b[:n], 0o600))
}

// gone folder text: no file of a folder holds a text.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: gone folder text")
	}
	read := 0
	err := filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if read += len(b); err == nil && bytes.Contains(b, []byte(args[1])) {
			err = fmt.Errorf("%s holds %s", path, args[1])
		}
		return err
	})
	if err == nil && read == 0 {
		err = errors.New("nothing was read")
	}
	ts.Check(err)
}
