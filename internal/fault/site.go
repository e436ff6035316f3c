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
	"sync"
	"syscall"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/taxii"
)

// Accounts of a Site beside demo.SampleAccount, who writes.
const (
	reader   = "reader"   // of another party of the programme
	outsider = "outsider" // of a party that is in no programme
)

// startPatience bounds how long an office may take to start (I7).
const startPatience = 60 * time.Second

// ground is what Sites are copied from.
type ground struct {
	hq, tokyo string // folders
	later     office.ControlRequest
	tokens    map[string]string // of the accounts at hq
	abroad    string            // token of the reader at tokyo
}

// prepare makes the offices that Sites are copied from: hq, and tokyo, which has
// followed hq's charters.
func (c *Campaign) prepare(ctx context.Context) (err error) {
	g := &c.ground
	g.hq, g.tokyo = filepath.Join(c.Dir, "ground", "hq"), filepath.Join(c.Dir, "ground", "tokyo")
	if err := os.MkdirAll(filepath.Dir(g.hq), 0o700); err != nil {
		return err
	}
	cfg := office.Config{Exchange: "127.0.0.1:0", Relay: "127.0.0.1:0"}
	if g.later, err = demo.PrepareNeighbours(ctx, g.hq, g.tokyo, cfg); err != nil {
		return err
	}
	if g.tokens, err = addAccounts(ctx, g.hq, map[string]liaison.Party{reader: "Korea", outsider: "India"}); err != nil {
		return err
	}
	if err := c.introduce(ctx); err != nil {
		return err
	}
	abroad, err := addAccounts(ctx, g.tokyo, map[string]liaison.Party{reader: "Japan"})
	g.abroad = abroad[reader]
	return err
}

// addAccounts adds accounts that read, and returns tokens of all accounts.
func addAccounts(ctx context.Context, dir string, parties map[string]liaison.Party) (map[string]string, error) {
	for name, party := range parties {
		r := office.AccountRequest{Name: name, By: party, Roles: "read", Password: demo.SamplePassword}
		if err := call(ctx, dir, "account/add", r); err != nil {
			return nil, err
		}
	}
	var accounts []registry.Account
	if err := office.Call(ctx, dir, "account/list", office.Options{}, struct{}{}, &accounts); err != nil {
		return nil, err
	}
	tokens := map[string]string{}
	for _, a := range accounts {
		var t office.TokenReply
		if err := office.Call(ctx, dir, "account/token", office.Options{}, office.TokenRequest{Name: a.Name}, &t); err != nil {
			return nil, err
		}
		tokens[a.Name] = t.Token
	}
	return tokens, nil
}

// call runs an operation of which nothing is to be known but that it succeeded.
func call(ctx context.Context, dir, name string, request any) error {
	var reply any
	return office.Call(ctx, dir, name, office.Options{}, request, &reply)
}

// introduce lets tokyo follow hq until it knows the collection that is written
// into.
func (c *Campaign) introduce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	hq, err := start(ctx, c.Serve, c.ground.hq)
	if err != nil {
		return err
	}
	defer hq.Stop()
	if err := meet(ctx, c.ground.hq, c.ground.tokyo); err != nil {
		return err
	}
	tokyo, err := start(ctx, c.Serve, c.ground.tokyo)
	if err != nil {
		return err
	}
	defer tokyo.Stop()
	want, err := charterEntries(ctx, c.ground.hq)
	for have := uint64(0); err == nil && have < want; {
		if have, err = charterEntries(ctx, c.ground.tokyo); err == nil {
			err = pause(ctx, 20*time.Millisecond)
		}
	}
	return err
}

// charterEntries returns how much an office knows of the programme that is
// written into.
func charterEntries(ctx context.Context, dir string) (uint64, error) {
	var list []office.ProgrammeInfo
	err := office.Call(ctx, dir, "programme/list", office.Options{}, struct{}{}, &list)
	for _, p := range list {
		if strings.HasPrefix(demo.SampleCollection, p.Alias+".") {
			return p.Entries[string(liaison.Charter)], err
		}
	}
	return 0, err
}

// meet tells one office where another that is serving is reached.
func meet(ctx context.Context, serving, other string) error {
	var card office.CardReply
	if err := office.Call(ctx, serving, "card", office.Options{}, struct{}{}, &card); err != nil {
		return err
	}
	_, err := office.AddPeer(other, card.Card)
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Site is an office under test, with its clients and what they know.
type Site struct {
	Dir    string // the office's folder
	Oracle *Oracle
	Load   *Load
	Tokens map[string]string // of its accounts

	command []string
	erased  *Sent        // the object that is erased; nil before one was chosen
	here    bool         // the office is served in this process, on its disk
	log     *slog.Logger // of that office; none if nil
	r       *Result
}

// newSite makes a Site from the template, in a folder of that name.
func (c *Campaign) newSite(r *Result, name string) (*Site, error) {
	dir := filepath.Join(c.Dir, name)
	if err := copyOffice(dir, c.ground.hq); err != nil {
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
	s := &Site{Dir: dir, Oracle: o, Tokens: c.ground.tokens, command: c.Serve, r: r}
	s.Load = newLoad(o, c.Seed, func(address string) *taxii.Client { return s.client(address, demo.SampleAccount) })
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

// Process is an office that serves: in a process of its own, or in this one.
type Process struct {
	Address string        // host:port of TAXII
	cmd     *exec.Cmd     // nil in this one
	end     func() error  // stops it in this one
	done    chan struct{} // closed when it has ended
}

// errDied says that an office ended before it served.
var errDied = errors.New("the office ended before it served")

// Start serves the site's office and waits until it answers. env is added to
// its environment.
func (s *Site) Start(ctx context.Context, env ...string) (*Process, error) {
	begin := time.Now()
	var p *Process
	var err error
	if s.here {
		p, err = startHere(ctx, s.Dir, office.Options{Log: s.log})
	} else {
		p, err = start(ctx, s.command, s.Dir, env...)
	}
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
	if _, err := cmd.StdinPipe(); err != nil { // it ends with this process: see Serve
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

// startHere serves an office in this process.
func startHere(ctx context.Context, dir string, opt office.Options) (*Process, error) {
	o, err := office.Open(ctx, dir, opt)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDied, err)
	}
	if err := o.Listen(); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	p := &Process{done: make(chan struct{})}
	p.Address, _ = o.Addresses()
	ctx, cancel := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() {
		err := o.Run(ctx)
		ran <- errors.Join(err, o.Close())
		close(p.done)
	}()
	p.end = sync.OnceValue(func() error {
		cancel()
		<-p.done
		return <-ran
	})
	return p, nil
}

// Kill is kill -9; it returns when the process is gone. In this process it is
// Stop, whose errors do not count.
func (p *Process) Kill() {
	if p.cmd == nil {
		p.end()
		return
	}
	p.cmd.Process.Kill()
	<-p.done
}

// Stop ends the office as its operator does.
func (p *Process) Stop() error {
	if p.cmd == nil {
		return p.end()
	}
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
// Options.Serve does. It ends with the campaign, however that ends: its standard
// input does.
func Serve(ctx context.Context, dir string) error {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	o, err := office.Open(ctx, dir, office.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	if err := o.Listen(); err != nil {
		return errors.Join(err, o.Close())
	}
	address, _ := o.Addresses()
	fmt.Println(address)
	return errors.Join(o.Run(ctx), o.Close())
}

// client returns a client of the site's office that keeps its connections to
// itself.
func (s *Site) client(address, account string) *taxii.Client {
	return newClient(address, s.Tokens[account])
}

func newClient(address, token string) *taxii.Client {
	return &taxii.Client{
		Base: &url.URL{Scheme: "http", Host: address}, AllowHTTP: true,
		HTTP:        &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: time.Minute},
		Credentials: taxii.Credentials{Token: token},
	}
}

// killed reports whether a process that has ended was ended by kill -9.
func (p *Process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// memory returns a folder in memory, if there is one, or else another.
func memory(other string) string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return other
}

func run(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}
