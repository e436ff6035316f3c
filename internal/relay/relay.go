package relay

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
)

// Desk is what the relay needs of the office's desk. Both methods may be called
// concurrently. Accept returns desk.ErrPosition if a page does not continue at
// the follower's position, Read desk.ErrNotFound for what the neighbour may not
// follow.
type Desk interface {
	Accept(ctx context.Context, v desk.Viewer, b desk.Batch) ([]desk.Outcome, error)
	Read(ctx context.Context, v desk.Viewer, q desk.Query) (*desk.Page, error)
}

// Peer is a neighbour, as its operator and ours confirmed it.
type Peer struct {
	Office  liaison.Office
	Address string   // host:port; empty: it dials us
	Keys    [][]byte // its relay keys: 32 bytes each, Ed25519
}

// Config is what a relay needs. Zero values of the optional fields work.
type Config struct {
	Office liaison.Office
	Desk   Desk
	Key    ed25519.PrivateKey // the office's relay key
	// Viewer makes the viewer of a neighbour that proved who it is.
	Viewer func(liaison.Office) desk.Viewer
	// Peers lists the neighbours. It is asked at least once a second.
	Peers func() []Peer
	// LogKeys returns an office's log keys that counted at an instant.
	LogKeys func(o liaison.Office, at liaison.Instant) [][]byte
	// Cosign signs a checkpoint's text as a witness and returns the signature
	// line, without newline (C2SP tlog-cosignature).
	Cosign func(checkpointText string) (line string)
	Log    *slog.Logger
	// Forks keeps the evidence of logs that are not followed any further.
	// Optional: without it a restart forgets it.
	Forks ForkDir

	Now       func() time.Time // optional: time.Now
	Redial    time.Duration    // optional: first pause before dialling again; 250 ms
	PageLimit int              // optional: most leaves of a page; 500
	PageBytes int              // optional: a page ends after about this many bytes; 1 MiB
}

// The limits and times of the relay.
const (
	MaxRedial       = 30 * time.Second // longest pause before dialling again
	ClockSlack      = 5 * time.Minute  // clocks further apart refuse each other
	pingEvery       = 15 * time.Second
	deadAfter       = 45 * time.Second // without a byte from the neighbour
	meetingTime     = 10 * time.Second // dialling, handshake and hello
	lookEvery       = time.Second / 2  // offers and the list of peers
	outboxEvery     = time.Second
	lookGap         = 100 * time.Millisecond
	pollTime        = 20 * time.Second // of one long poll at the desk
	maxMeetings     = 64               // incoming connections that have not said hello
	maxFollowed     = 10000            // collections followed on one stream
	pagesAtOnce     = 4                // pages decoded or encoded at a time
	queuedFrames    = 8                // waiting for the writer
	maxEvidence     = 500              // per frame
	maxEvidenceSize = 4 << 20          // bytes per frame
)

// Relay follows neighbours and is followed. Serve and Run may run at once.
type Relay struct {
	cfg   Config
	codec *codec
	cert  tls.Certificate
	fault error         // why the relay cannot work at all
	pages chan struct{} // holds a token for each page being decoded or encoded
	dial  func(ctx context.Context, address string) (net.Conn, error)

	protocols []string // that it speaks, the newest first

	mu         sync.Mutex
	neighbours map[liaison.Office]*neighbour // guarded by mu
	strangers  map[string]bool               // fingerprints that were logged; guarded by mu
	listed     []Peer                        // as of listedAt; guarded by mu
	listedAt   time.Time                     // guarded by mu
}

// New returns a relay. A key that cannot be used is reported by Serve and Run.
func New(cfg Config) *Relay {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Redial <= 0 {
		cfg.Redial = 250 * time.Millisecond
	}
	if cfg.PageLimit <= 0 {
		cfg.PageLimit = 500
	}
	if cfg.PageBytes <= 0 {
		cfg.PageBytes = 1 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	r := &Relay{
		cfg: cfg, pages: make(chan struct{}, pagesAtOnce), dial: dialTCP,
		neighbours: map[liaison.Office]*neighbour{}, strangers: map[string]bool{},
		protocols: []string{ALPN, ALPN1},
	}
	var err1, err2 error
	r.codec, err1 = newCodec()
	r.cert, err2 = certificate(cfg.Key)
	r.fault = errors.Join(err1, err2)
	return r
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// Serve accepts neighbours' connections until ctx ends, and then closes the
// listener. It returns an error only if it cannot accept any more.
func (r *Relay) Serve(ctx context.Context, l net.Listener) error {
	if r.fault != nil {
		return fmt.Errorf("relay: %w", r.fault)
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	meetings := make(chan struct{}, maxMeetings)
	for {
		select {
		case meetings <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := acceptConn(ctx, l)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("relay listener: %w", err)
		}
		wg.Go(func() {
			if err := r.meet(ctx, conn, "", func() { <-meetings }); err != nil && ctx.Err() == nil {
				r.cfg.Log.Debug("relay connection ended", "remote", conn.RemoteAddr().String(), "err", err)
			}
		})
	}
}

// acceptConn waits out errors that pass, such as too many open files.
func acceptConn(ctx context.Context, l net.Listener) (net.Conn, error) {
	pause := 5 * time.Millisecond
	for {
		conn, err := l.Accept()
		var passing interface{ Temporary() bool }
		if err == nil || !errors.As(err, &passing) || !passing.Temporary() {
			return conn, err
		}
		if pause = min(2*pause, time.Second); !wait(ctx, pause) {
			return nil, ctx.Err()
		}
	}
}

// wait sleeps; it is false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Run dials the peers that have an address, again and again, until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	if r.fault != nil {
		return fmt.Errorf("relay: %w", r.fault)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	dialling := map[liaison.Office]chan struct{}{}
	for {
		for _, p := range r.peers() {
			if p.Address == "" || p.Office == r.cfg.Office || running(dialling[p.Office]) {
				continue
			}
			done := make(chan struct{})
			dialling[p.Office] = done
			wg.Go(func() { defer close(done); r.keepDialling(ctx, p.Office) })
		}
		if !wait(ctx, lookEvery) {
			return nil
		}
	}
}

func running(done chan struct{}) bool {
	if done == nil {
		return false
	}
	select {
	case <-done:
		return false
	default:
		return true
	}
}

// peers returns the list, asked for at most twice a second.
func (r *Relay) peers() []Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); r.listed == nil || now.Sub(r.listedAt) >= lookEvery/2 {
		r.listed, r.listedAt = r.cfg.Peers(), now
	}
	return r.listed
}

// peer returns the listed neighbour of that name.
func (r *Relay) peer(o liaison.Office) (Peer, bool) {
	list := r.peers()
	i := slices.IndexFunc(list, func(p Peer) bool { return p.Office == o })
	if i < 0 || o == r.cfg.Office {
		return Peer{}, false
	}
	return list[i], true
}

// neighbour returns what is remembered of an office across its streams.
func (r *Relay) neighbour(o liaison.Office) *neighbour {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.neighbours[o]
	if !ok {
		n = &neighbour{
			office: o, log: r.cfg.Log.With("neighbour", string(o)), now: r.cfg.Now,
			followed: map[liaison.CollectionID]*following{}, forks: r.cfg.Forks,
		}
		n.remember()
		r.neighbours[o] = n
	}
	return n
}

// lookAll lets every stream look again at offers or outbox.
func (r *Relay) lookAll(which func(*stream) chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.neighbours {
		if s := n.stream(); s != nil {
			nudge(which(s))
		}
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
