package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a PostgreSQL of the tests, in a folder of its own, reached by a
// socket in it.
type server struct {
	bin, dir string
	settings []string
	as       *syscall.Credential // nil: the user that runs the tests
	cmd      *exec.Cmd
	ended    chan struct{} // closed when cmd has
}

// shared are the servers that tests share, and how many schemas they made.
var shared struct {
	sync.Mutex
	fast, durable *server
	schemas       int
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, s := range []*server{shared.fast, shared.durable} {
		if s != nil {
			s.end(syscall.SIGQUIT)
			os.RemoveAll(s.dir)
		}
	}
	os.Exit(code)
}

// fast is the server for what cuts no power.
func fast(t testing.TB) *server {
	t.Helper()
	return share(t, &shared.fast, "fsync=off", "full_page_writes=off")
}

// durable is the server that keeps what it acknowledges.
func durable(t testing.TB) *server {
	t.Helper()
	return share(t, &shared.durable)
}

func share(t testing.TB, place **server, settings ...string) *server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if *place == nil {
		s := newServer(t, settings...)
		s.start(t)
		*place = s
	}
	return *place
}

func newServer(t testing.TB, settings ...string) *server {
	t.Helper()
	s := &server{bin: binaries(t), settings: settings, as: unprivileged(t)}
	parent := ""
	if s.as != nil {
		parent = "/tmp" // every user may go there
	}
	var err error
	if s.dir, err = os.MkdirTemp(parent, "liaison-pg"); err != nil {
		t.Fatal(err)
	}
	if s.as != nil {
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	init := s.command("initdb", "-D", s.data(), "-U", "liaison", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	return s
}

// binaries finds the server's programs: Debian keeps them out of the path.
func binaries(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(found, func(a, b string) int { return release(b) - release(a) })
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, filepath.Dir(path))
	}
	for _, dir := range found {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("PostgreSQL is not installed: tools/setup installs it on Debian, as root")
	}
	t.Skip("PostgreSQL is not installed: its engine of the store is not tested here")
	return ""
}

func release(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}

// unprivileged is somebody else than root, who may not run a server.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Fatal("root may not run PostgreSQL, and there is neither a user postgres nor nobody")
	return nil
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

// start starts the server and waits until it answers. After a kill it is begun
// again and again, until what the last one left behind has ended.
func (s *server) start(t testing.TB) {
	t.Helper()
	s.launch(t)
	for range 600 {
		c, err := pgx.Connect(context.Background(), s.url(""))
		if err == nil {
			c.Close(context.Background())
			return
		}
		select {
		case <-s.ended:
			s.launch(t)
		case <-time.After(20 * time.Millisecond): // there is nothing to wait on
		}
	}
	s.end(syscall.SIGQUIT)
	said, _ := os.ReadFile(s.log())
	t.Fatalf("PostgreSQL does not answer:\n%s", said)
}

func (s *server) log() string { return filepath.Join(s.dir, "log") }

func (s *server) launch(t testing.TB) {
	t.Helper()
	args := []string{"-D", s.data(), "-k", s.dir, "-h", ""}
	for _, set := range s.settings {
		args = append(args, "-c", set)
	}
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd, ended := s.command("postgres", args...), make(chan struct{})
	cmd.Stderr, cmd.Stdout = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(ended)
	}()
	s.cmd, s.ended = cmd, ended
}

// end ends the server and waits for it.
func (s *server) end(by syscall.Signal) {
	s.cmd.Process.Signal(by)
	<-s.ended
}

// url names a schema of the server's database.
func (s *server) url(schema string) string {
	q := url.Values{"host": {s.dir}, "user": {"liaison"}}
	if schema != "" {
		q.Set("search_path", schema)
	}
	return "postgres:///postgres?" + q.Encode()
}

// schema makes a schema for one store.
func (s *server) schema(t testing.TB) string {
	t.Helper()
	shared.Lock()
	shared.schemas++
	name := fmt.Sprintf("s%d", shared.schemas)
	shared.Unlock()
	s.run(t, "CREATE SCHEMA "+name)
	return s.url(name)
}

// run runs statements, one after the other, in sessions of their own.
func (s *server) run(t testing.TB, statements ...string) {
	t.Helper()
	if err := s.try(statements...); err != nil {
		t.Fatal(err)
	}
}

func (s *server) try(statements ...string) error {
	c, err := pgx.Connect(context.Background(), s.url(""))
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	for _, sql := range statements {
		if _, err := c.Exec(context.Background(), sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// until asks until the answer is true.
func (s *server) until(t testing.TB, sql string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), s.url(""))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	for range 3000 {
		var yes bool
		if err := c.QueryRow(context.Background(), sql).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		if yes {
			return
		}
		time.Sleep(10 * time.Millisecond) // there is nothing to wait on
	}
	t.Fatalf("it never came: %s", strings.Join(strings.Fields(sql), " "))
}

func openTest(t testing.TB, database string, config Config) *Store {
	t.Helper()
	s, err := Open(context.Background(), database, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
