package fault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/taxii"
)

// Accounts of a Site beside demo.SampleAccount, who writes.
const (
	reader   = "reader"   // of another party of the programme
	outsider = "outsider" // of a party that is in no programme
)

// startPatience bounds how long an office may take to start (I7).
const startPatience = 60 * time.Second

// prepare makes the folder that Sites are copied from.
func (c *Campaign) prepare(ctx context.Context) error {
	c.template = filepath.Join(c.Dir, "template")
	return prepare(ctx, c.template, office.Config{})
}

// prepare makes an office in dir whose accounts are those of a Site.
func prepare(ctx context.Context, dir string, cfg office.Config) error {
	cfg.Exchange, cfg.Relay = "127.0.0.1:0", "127.0.0.1:0"
	if err := demo.Prepare(ctx, dir, cfg); err != nil {
		return err
	}
	for name, party := range map[string]liaison.Party{reader: "Korea", outsider: "India"} {
		r := office.AccountRequest{Name: name, By: party, Roles: "read", Password: demo.SamplePassword}
		var reply any
		if err := office.Call(ctx, dir, "account/add", office.Options{}, r, &reply); err != nil {
			return err
		}
	}
	return nil
}

// Site is an office under test, with its clients and what they know.
type Site struct {
	Dir    string // the office's folder
	Oracle *Oracle
	Load   *Load

	command []string
	r       *Result
}

// newSite makes a Site from the template, in a folder of that name.
func (c *Campaign) newSite(r *Result, name string) (*Site, error) {
	dir := filepath.Join(c.Dir, name)
	if err := os.CopyFS(dir, os.DirFS(c.template)); err != nil {
		return nil, err
	}
	return c.siteIn(r, dir)
}

// siteIn returns the Site of an office's folder.
func (c *Campaign) siteIn(r *Result, dir string) (*Site, error) {
	o, err := newOracle(dir, c.oracles()...)
	if err != nil {
		return nil, err
	}
	if o.Shares != "" {
		r.Note("what clients know is on the file system of the office (%s): a lost disk would take both", o.Shares)
	}
	s := &Site{Dir: dir, Oracle: o, command: c.Serve, r: r}
	s.Load = newLoad(o, c.Seed)
	return s, nil
}

// oracles are folders for what clients know, the best first.
func (c *Campaign) oracles() []string {
	if c.Oracle != "" {
		return []string{c.Oracle}
	}
	return []string{"/dev/shm", os.TempDir(), "/var/tmp"}
}

// Close forgets what clients know and removes the office.
func (s *Site) Close() {
	s.Oracle.Close()
	os.RemoveAll(s.Dir)
}

// Process is an office that serves in a process of its own.
type Process struct {
	Address string // host:port of TAXII
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process has ended
}

// errDied says that an office ended before it served.
var errDied = errors.New("the office ended before it served")

// Start serves the site's office and waits until it answers. env is added to
// its environment.
func (s *Site) Start(ctx context.Context, env ...string) (*Process, error) {
	begin := time.Now()
	p, err := start(ctx, s.command, s.Dir, env...)
	if err == nil {
		s.r.started(time.Since(begin))
	}
	return p, err
}

func start(ctx context.Context, command []string, dir string, env ...string) (*Process, error) {
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], dir)...)
	said := &tail{}
	cmd.Stderr, cmd.Env = said, append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	late := time.AfterFunc(startPatience, func() { cmd.Process.Kill() })
	address, err := bufio.NewReader(out).ReadString('\n')
	late.Stop()
	go func() {
		io.Copy(io.Discard, out)
		cmd.Wait()
		close(p.done)
	}()
	if err != nil {
		<-p.done
		return nil, fmt.Errorf("%w: %s", errDied, said)
	}
	p.Address = strings.TrimSpace(address)
	return p, nil
}

// Kill is kill -9; it returns when the process is gone.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// Stop ends the office as its operator does.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(startPatience):
		p.Kill()
		return errors.New("the office did not end when it was asked to")
	}
}

// tail keeps the end of what a process says.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	if t.b = append(t.b, p...); len(t.b) > most {
		t.b = t.b[len(t.b)-most:]
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }

// Serve runs the office of a folder and prints its address: what the command of
// Options.Serve does.
func Serve(ctx context.Context, dir string) error {
	o, err := office.Open(ctx, dir, office.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	point.At("office.opened")
	if err := o.Listen(); err != nil {
		return errors.Join(err, o.Close())
	}
	address, _ := o.Addresses()
	fmt.Println(address)
	return errors.Join(o.Run(ctx), o.Close())
}

// newClient returns a client of an office that keeps its connections to itself.
func newClient(address, account string) *taxii.Client {
	return &taxii.Client{
		Base: &url.URL{Scheme: "http", Host: address}, AllowHTTP: true,
		HTTP:        &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: time.Minute},
		Credentials: taxii.Credentials{User: account, Password: demo.SamplePassword},
	}
}
