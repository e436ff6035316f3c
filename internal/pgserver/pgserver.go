// Package pgserver runs throw-away PostgreSQL servers for tests and tools: each
// in a folder of its own, reached by a socket in it and, when asked, by TCP on
// the loopback with a password.
//
// # Invariants
//
//   - A server ends and its folder goes when Close is called or when the process
//     that made it ends, however that ends: a small shell beside it waits for
//     this (keeper.go).
//   - Only what this package started is ever signalled.
//   - A server that is not Durable keeps everything through kill -9 and loses it
//     in a power cut; a Durable one syncs what it acknowledges.
//   - When Kill returns, no process of the server is left: backends outlive the
//     first one by a moment, and may even acknowledge a commit in it.
//
// # What it does not do
//
// It knows nothing of the store, and nothing of the product imports it. It
// installs nothing: where there is no PostgreSQL, New returns ErrAbsent. Its
// folders are for throwing away, never for an office.
package pgserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Config tunes a server. The zero value is a fast one.
type Config struct {
	Durable   bool     // syncs what it acknowledges
	Checksums bool     // of the pages of tables and indexes
	TCP       bool     // listens on 127.0.0.1 too, and URL says so: with a password
	Settings  []string // further ones of the server: "name=value"

	// Folder is where the folder of the server is made: one of temporary files
	// that the server's user can reach, if empty.
	Folder string
}

// ErrAbsent says that there is no PostgreSQL on this machine.
var ErrAbsent = errors.New("PostgreSQL is not installed (tools/setup installs it on Debian, as root)")

const (
	// User is who owns the databases.
	User = "liaison"

	patience   = 60 * time.Second // for what a server takes long for
	pause      = 20 * time.Millisecond
	maxSocket  = 80 // bytes of a folder's name, so that a socket's fits into 107
	socketPort = 5432
)

// Server is one PostgreSQL. Its methods may be called concurrently, apart from
// those that start and end it.
type Server struct {
	config   Config
	bin, dir string
	as       *syscall.SysProcAttr // whose processes they are
	port     int
	password string
	keeper   *keeper

	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd has
	gone  chan struct{} // closed when all processes of the server have

	mu    sync.Mutex
	names int // schemas and databases made; guarded by mu
}

// New makes a server and starts it.
func New(ctx context.Context, config Config) (*Server, error) {
	s, err := prepare(config)
	if err != nil {
		return nil, err
	}
	if err = s.init(ctx); err == nil {
		err = s.Start(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// prepare makes the folder of a server, and what watches over it.
func prepare(config Config) (s *Server, err error) {
	s = &Server{config: config, port: socketPort, password: rand.Text()}
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	u, err := serverUser()
	if err != nil {
		return nil, err
	}
	s.as = u.attributes()
	if s.dir, err = u.folder(config.Folder); err != nil {
		return nil, err
	}
	if s.keeper, err = newKeeper(s.dir); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	return s, nil
}

// init makes the files of an empty server.
func (s *Server) init(ctx context.Context) error {
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o644); err != nil { // the folder is closed to others
		return err
	}
	args := []string{"-D", s.data(), "-U", User, "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=" + secret, "-E", "UTF8", "--locale=C", "--no-sync"}
	if s.config.Checksums {
		args = append(args, "--data-checksums")
	}
	return s.Tool(ctx, "initdb", args...)
}

// Tool runs one of PostgreSQL's programs as the user of the server, in its
// folder.
func (s *Server) Tool(ctx context.Context, name string, args ...string) error {
	out, err := s.command(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.as
	return cmd
}

// Folder is where the server lies: its data in "data", what it says in "log".
func (s *Server) Folder() string { return s.dir }

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Log returns what the server said.
func (s *Server) Log() string {
	said, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(said)
}

// Start starts the server and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if s.config.TCP && s.port == socketPort {
		if err := s.choosePort(ctx); err != nil {
			return err
		}
	}
	if err := s.launch(); err != nil {
		return err
	}
	for {
		err := s.Exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause): // there is nothing to wait on
		case <-s.ended:
			return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, s.Log())
		case <-ctx.Done():
			s.end(syscall.SIGQUIT)
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, s.Log())
		}
	}
}

// choosePort takes a port that is free now.
func (s *Server) choosePort(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	return l.Close()
}

// launch starts the server's first process. All others descend from it and
// inherit the end of a pipe: when nothing holds that, they are gone.
func (s *Server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	all, held, err := os.Pipe()
	if err != nil {
		return err
	}
	defer held.Close()
	cmd := s.command(context.Background(), "postgres", s.arguments()...)
	cmd.Stderr, cmd.Stdout, cmd.ExtraFiles = log, log, []*os.File{held}
	if err := cmd.Start(); err != nil {
		all.Close()
		return err
	}
	s.keeper.watch(cmd.Process.Pid)
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() { // ends with the server
		cmd.Wait()
		s.keeper.watch(0)
		close(ended)
		io.Copy(io.Discard, all)
		all.Close()
		close(gone)
	}()
	s.cmd, s.ended, s.gone = cmd, ended, gone
	return nil
}

func (s *Server) arguments() []string {
	host := ""
	if s.config.TCP {
		host = "127.0.0.1"
	}
	args := []string{"-D", s.data(), "-k", s.dir, "-h", host, "-p", fmt.Sprint(s.port),
		"-c", "dynamic_shared_memory_type=mmap", // nothing of it is left outside the folder
		"-c", "wal_retrieve_retry_interval=100ms"} // or a promotion may take its 5 s
	if !s.config.Durable {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	for _, set := range s.config.Settings {
		args = append(args, "-c", set)
	}
	return args
}

// end ends the server, if it runs, and waits until all its processes are gone.
func (s *Server) end(by syscall.Signal) {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(by)
	<-s.gone
}

// Running reports whether the server's first process runs.
func (s *Server) Running() bool {
	select {
	case <-s.ended:
		return false
	default:
		return s.cmd != nil
	}
}

// Kill is kill -9 of the server's first process. The others notice by
// themselves.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the server in order: sessions are ended, everything is written.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

// Close ends the server and removes its folder.
func (s *Server) Close() {
	s.end(syscall.SIGQUIT)
	s.keeper.close()
}
