// Package office assembles a liaison office from its rooms: read it first.
//
//	folder -> configuration, keys, pinned authority
//	       -> store -> journal -> desk -> exchange, relay
//	       -> listeners: TAXII, relay, and a local socket for the operator
//
// # Invariants
//
//   - This is the only package that opens an engine, holds private keys, makes
//     viewers' credentials and starts goroutines that live as long as the office.
//   - Keys, pin, store and anchors belong to one office, or it does not open.
//   - One process serves from a folder. With the store in PostgreSQL any number
//     serve one office, each from a folder of its own with the same keys.
//   - Whatever a command of the operator does, it does through Operator: the same
//     code whether the office runs (over the local socket) or not.
//
// # Files of an office's folder
//
//	liaison.toml    configuration (Config)
//	authority.pin   the alliance's keys and threshold, pinned (ledger.Pin)
//	keys/           private keys, one file for each use (Keys)
//	store/          the SQLite database, unless the store is in PostgreSQL
//	anchor/         the newest signed checkpoint of each log, outside the store,
//	                unless another folder or a database keeps them
//	peers/          the cards of neighbours (Card)
//	forks/          evidence of neighbours' logs that are not followed (relay.ForkDir)
//	liaison.sock    the operator's socket, while the office runs; liaison.sock.lock
//	                is locked for as long
//
// # What it does not do
//
// It holds no rule about who may see what and no format: those have rooms of
// their own.
package office

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/exchange"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/relay"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// Options change how an office is opened; the zero value is right outside
// tests.
type Options struct {
	Log  *slog.Logger
	Now  func() time.Time
	Salt func(c liaison.CollectionID, index uint64) liaison.Hash
	// ReadOnly changes no file of the folder, which may be a copy that cannot be
	// written: for checks.
	ReadOnly bool
	// newKeys leaves it to the operation whether the keys are the office's.
	newKeys bool
	// NewID makes the id of a status for a principal.
	NewID func(principal string) string
}

// Office is an open office. Run must be running for anything to be appended.
type Office struct {
	Dir      string
	Config   *Config
	Keys     *Keys
	Pin      ledger.Pin
	Store    store.Store
	Journal  *journal.Journal
	Desk     *desk.Desk
	Accounts *Accounts
	Exchange *exchange.Room
	Relay    *relay.Relay
	Log      *slog.Logger

	now      func() time.Time
	engine   engine
	anchor   journal.Anchor
	bound    Bound
	leads    atomic.Pointer[net.Listener] // of the relay, while this process leads (lead.go)
	badCards lastSaid
}

// Bound are the listeners of a running office. Where several processes share the
// store, Relay is nil.
type Bound struct {
	Exchange, Relay, Operator net.Listener
}

// Open opens the office of a folder. Close must be called.
func Open(ctx context.Context, dir string, opt Options) (*Office, error) {
	o, err := readFolder(dir, opt)
	if err != nil {
		return nil, err
	}
	if o.engine, err = o.openEngine(ctx, opt); err != nil {
		return nil, err
	}
	o.Store = o.engine
	point.At("office.store-opened")
	if o.anchor, err = o.openAnchor(ctx, opt); err == nil {
		err = o.assemble(ctx, opt)
	}
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	point.At("office.opened")
	return o, nil
}

// readFolder reads what lies in an office's folder, but for its store.
func readFolder(dir string, opt Options) (*Office, error) {
	cfg, err := LoadConfig(dir)
	if err != nil {
		return nil, err
	}
	o := &Office{Dir: dir, Config: cfg, Log: opt.Log, now: opt.Now}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.now == nil {
		o.now = time.Now
	}
	o.Log = o.Log.With("office", string(cfg.Office))
	if o.Keys, err = LoadKeys(filepath.Join(dir, keysDir), cfg.Office); err != nil {
		return nil, err
	}
	for _, path := range exposedKeys(filepath.Join(dir, keysDir)) {
		o.Log.Warn("a private key can be read by others than its owner: chmod 600, and think whether it is known by now", "file", path)
	}
	o.Pin, err = loadPin(dir)
	return o, err
}

// assemble builds the floors on the store, from the cellar up.
func (o *Office) assemble(ctx context.Context, opt Options) error {
	var elapsed func() time.Duration
	if opt.Now == nil {
		elapsed = sinceBoot
	}
	o.Journal = journal.New(journal.Config{
		Office: o.Config.Office, Store: o.Store, Signer: o.Keys, Log: o.Log,
		Anchor: o.anchor, Now: o.now, Elapsed: elapsed, Salt: opt.Salt, EarlierLogKeys: o.ownLogKeys,
	})
	o.Desk = desk.New(desk.Config{
		Office: o.Config.Office, Journal: o.Journal, Pinned: registry.New(o.Pin),
		Log: o.Log, Validation: o.Config.Validation, Except: o.Config.Except, Now: o.now,
		Neighbours: o.neighbours,
		PageCache:  o.Config.Limits.withDefaults().PageCacheMB << 20,
	})
	if err := o.Desk.Open(ctx); err != nil {
		return err
	}
	if err := o.checkBelongings(ctx, opt); err != nil {
		return err
	}
	o.Accounts = newAccounts(o.Store, o.Config.Office, o.now)
	o.Exchange = exchange.New(exchange.Config{
		Desk:         pages{o.Desk, o.Config.Limits.withDefaults().PageObjects},
		Authenticate: o.Accounts.Authenticate, Office: o.Config.Office, Limits: o.Config.Limits.stix(),
		CursorKey: sha256.Sum256(o.Keys.cursor.Seed()), Log: o.Log, Now: o.now, NewID: opt.NewID,
	})
	o.Relay = relay.New(relay.Config{
		Office: o.Config.Office, Desk: o.Desk, Viewer: registry.Neighbour,
		Key: o.Keys.relay, Peers: o.peers, LogKeys: o.logKeys, Cosign: o.cosign, Log: o.Log, Now: o.now,
		PageLimit: o.Config.Limits.PageObjects, Forks: relay.ForkDir(filepath.Join(o.Dir, forksDir)),
	})
	return nil
}

// checkBelongings refuses keys, pin, store and anchors that do not belong to one
// office.
func (o *Office) checkBelongings(ctx context.Context, opt Options) error {
	if err := o.checkPin(ctx); err != nil {
		return err
	}
	if err := o.checkKeys(o.Desk.Registry()); err != nil && !opt.newKeys {
		return err
	}
	return o.Journal.Open(ctx)
}

// Close releases the store and the folder.
func (o *Office) Close() error {
	err := o.engine.Close()
	if a, ok := o.anchor.(io.Closer); ok {
		err = errors.Join(err, a.Close())
	}
	return err
}

func (o *Office) cosign(text string) string { return o.Keys.Cosign(text, o.now().Unix()) }

// logKeys finds an office's log keys: from the charters, or from the card of a
// neighbour whose office object is not here yet.
func (o *Office) logKeys(of liaison.Office, at liaison.Instant) [][]byte {
	if keys := o.Desk.Registry().OfficeKeys(of, liaison.UseLog, at); len(keys) > 0 {
		return keys
	}
	for _, c := range o.cards() {
		if c.Office == of {
			return [][]byte{c.Keys[liaison.UseLog]}
		}
	}
	return nil
}

// neighbours lists the offices whose cards were confirmed here.
func (o *Office) neighbours() (list []liaison.Office) {
	for _, c := range o.cards() {
		list = append(list, c.Office)
	}
	return list
}

// peers lists the neighbours whose cards were confirmed here.
func (o *Office) peers() []relay.Peer {
	var list []relay.Peer
	now := liaison.InstantOf(o.now())
	for _, c := range o.cards() {
		p := relay.Peer{Office: c.Office, Address: c.Address, Keys: [][]byte{c.Keys[liaison.UseRelay]}}
		if keys := o.Desk.Registry().OfficeKeys(c.Office, liaison.UseRelay, now); len(keys) > 0 {
			p.Keys = keys
		}
		list = append(list, p)
	}
	return list
}

// Listen opens the listeners, so that Addresses is known before Run.
func (o *Office) Listen() (err error) {
	if o.bound.Exchange, err = listen("exchange", o.Config.Exchange); err != nil {
		return err
	}
	if _, shared := o.Store.(store.Leaser); !shared { // otherwise who leads does
		if o.bound.Relay, err = listen("relay", o.Config.Relay); err != nil {
			return errors.Join(err, o.bound.Exchange.Close())
		}
	}
	if o.bound.Operator, err = o.listenOperator(); err != nil {
		err = errors.Join(err, o.bound.Exchange.Close())
		if o.bound.Relay != nil {
			err = errors.Join(err, o.bound.Relay.Close())
		}
	}
	return err
}

func listen(key, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program: stop it, or set %s = \"host:port\" in %s to a free one", address, key, ConfigFile)
	}
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w", key, err)
	}
	return l, nil
}

// Addresses returns where the running office listens; for the relay, where it will
// if another process leads now.
func (o *Office) Addresses() (exchange, relay string) {
	exchange, relay = o.bound.Exchange.Addr().String(), o.Config.Relay
	if l := o.relayListener(); l != nil {
		relay = l.Addr().String()
	}
	return exchange, relay
}

// reachable is the address on the office's card: what the operator says, or
// the relay's if it names a machine and a port. Empty: the office only dials.
func (o *Office) reachable() string {
	if o.Config.Address != "" {
		return o.Config.Address
	}
	address := o.Config.Relay
	if l := o.relayListener(); l != nil {
		address = l.Addr().String()
	}
	if checkReachable(address) != nil {
		return ""
	}
	return address
}

// The limits of the HTTP server (Go's have none by default).
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 2 * time.Minute
	writeTimeout      = 5 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

// gcPercent is how much a serving office's heap may grow between collections.
const gcPercent = 400

// Run serves until ctx ends or something fails that the office cannot go on
// without. Listen must have been called.
func (o *Office) Run(ctx context.Context) error {
	// The live heap is a few megabytes and a page of objects as large again:
	// with Go's default every second page would start a collection.
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	g := newGroup(ctx)
	g.add("journal", o.Journal.Run)
	g.add("hints", o.Journal.Listen)
	g.add("scrub", o.Journal.Scrub)
	g.add("desk", o.Desk.Run)
	g.add("exchange", serveHTTP(o.bound.Exchange, o.Exchange, o.Log))
	g.add("operator", o.serveOperator)
	g.add("relay", o.lead)
	return g.wait()
}

// Work runs what appending needs and nothing that listens, while fn runs: for
// commands when the office is not serving.
func (o *Office) Work(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := newGroup(ctx)
	g.add("journal", o.Journal.Run)
	g.add("scrub", o.Journal.Scrub)
	g.add("desk", o.Desk.Run)
	err := fn(ctx)
	cancel()
	return errors.Join(err, g.wait())
}

func serveHTTP(l net.Listener, h http.Handler, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		s := &http.Server{
			Handler: lastIfChunked(h), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
			WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
			ConnContext: withRemote,
			ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		}
		stop := context.AfterFunc(ctx, func() {
			grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := s.Shutdown(grace); err != nil {
				s.Close()
			}
		})
		defer stop()
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
}

// lastIfChunked closes the connection after a request with Transfer-Encoding.
// One that has Content-Length too must be the last of its connection, whatever
// a proxy before us made of it (RFC 9112 §6.1); net/http reads it as chunked and
// drops Content-Length, so the two cannot be told apart here.
func lastIfChunked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// Title is how the office names itself to people.
func (o *Office) Title() string {
	name, _, _ := strings.Cut(string(o.Config.Office), ".")
	return name
}
