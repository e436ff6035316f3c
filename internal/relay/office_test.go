package relay

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

const (
	seoul = desktest.Seoul
	tokyo = desktest.Tokyo
	hq    = desktest.HQ
)

// wires is a network of pipes: an address is an office's name.
type wires struct {
	mu     sync.Mutex
	ports  map[string]*port                // guarded by mu
	wrap   func(dialled net.Conn) net.Conn // optional; guarded by mu
	dialed int                             // guarded by mu
}

func newWires() *wires { return &wires{ports: map[string]*port{}} }

// port is a listener.
type port struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *port) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *port) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *port) Addr() net.Addr { return &net.UnixAddr{Name: "port"} }

func (w *wires) listen(o liaison.Office) net.Listener {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &port{conns: make(chan net.Conn), done: make(chan struct{})}
	w.ports[string(o)] = p
	return p
}

func (w *wires) dial(ctx context.Context, address string) (net.Conn, error) {
	w.mu.Lock()
	p, wrap := w.ports[address], w.wrap
	w.dialed++
	w.mu.Unlock()
	if p == nil {
		return nil, fmt.Errorf("nobody listens at %s", address)
	}
	here, there := net.Pipe()
	select {
	case p.conns <- there:
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if wrap != nil {
		return wrap(here), nil
	}
	return here, nil
}

// through sets what every further connection is wrapped with.
func (w *wires) through(wrap func(net.Conn) net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrap = wrap
}

func (w *wires) dials() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dialed
}

// node is an office with its relay at work.
type node struct {
	*desktest.Office
	t     testing.TB
	wires *wires
	relay *Relay
	log   *logged
	tune  func(*Config)

	mu    sync.Mutex
	peers []Peer // guarded by mu

	port net.Listener // opened ahead of start
	tcp  bool         // dials the network of the machine
	end  context.CancelFunc
	done sync.WaitGroup
}

// newNode opens an office. Dials names the neighbours it dials; others may dial
// it.
func newNode(t *testing.T, w *wires, name liaison.Office, neighbours []liaison.Office, dials ...liaison.Office) *node {
	t.Helper()
	return newNodeAt(t, w, desktest.New(t, name, desktest.Options{}), neighbours, dials...)
}

func newNodeAt(t *testing.T, w *wires, office *desktest.Office, neighbours []liaison.Office, dials ...liaison.Office) *node {
	t.Helper()
	n := &node{t: t, wires: w, log: &logged{}, Office: office}
	for _, o := range neighbours {
		p := Peer{Office: o, Keys: [][]byte{relayKey(o)}}
		if slices.Contains(dials, o) {
			p.Address = string(o)
		}
		n.peers = append(n.peers, p)
	}
	t.Cleanup(n.stop)
	return n
}

func relayKey(o liaison.Office) []byte {
	return desktest.NewKeys(o).Relay.Public().(ed25519.PublicKey)
}

func (n *node) listed() []Peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.peers)
}

// expel takes a neighbour off the list.
func (n *node) expel(o liaison.Office) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.peers = slices.DeleteFunc(slices.Clone(n.peers), func(p Peer) bool { return p.Office == o })
}

// start runs a new relay over the office's desk.
func (n *node) start() {
	cfg := Config{
		Office: n.Name, Desk: n.Desk, Key: n.Keys.Relay, Viewer: registry.Neighbour, Peers: n.listed,
		LogKeys: func(o liaison.Office, _ liaison.Instant) [][]byte { return [][]byte{desktest.NewKeys(o).LogKey()} },
		Cosign:  func(text string) string { return n.Keys.Cosign(text, n.Clock.Now().Unix()) },
		Log:     slog.New(n.log), Now: n.Clock.Now,
	}
	if n.tune != nil {
		n.tune(&cfg)
	}
	n.relay = New(cfg)
	if !n.tcp {
		n.relay.dial = n.wires.dial
	}
	ctx, end := context.WithCancel(context.Background())
	n.end = end
	l := n.port
	if n.port = nil; l == nil {
		l = n.wires.listen(n.Name)
	}
	n.done.Go(func() { n.must(n.relay.Serve(ctx, l)) })
	n.done.Go(func() { n.must(n.relay.Run(ctx)) })
}

// listenTCP lets a neighbour dial the node on the machine's own network.
func (n *node) listenTCP(dialler *node) {
	n.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	n.port, dialler.tcp, dialler.peers[0].Address = l, true, l.Addr().String()
}

func (n *node) must(err error) {
	if err != nil {
		n.t.Errorf("%s: %v", n.Name, err)
	}
}

// stop ends the relay; the office stays open.
func (n *node) stop() {
	if n.end != nil {
		n.end()
		n.done.Wait()
		n.end = nil
	}
}

func (n *node) restart() { n.stop(); n.start() }

// status returns how it stands with a neighbour.
func (n *node) status(o liaison.Office) PeerStatus {
	for _, s := range n.relay.Status() {
		if s.Office == o {
			return s
		}
	}
	return PeerStatus{}
}

// logged keeps what is logged from Warn on.
type logged struct {
	slog.Handler
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (l *logged) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *logged) Handle(_ context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += fmt.Sprintf(" %s=%v", a.Key, a.Value); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	return nil
}

func (l *logged) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// tell says, if the test failed, how the relays stand.
func tell(t *testing.T, nodes ...*node) {
	t.Cleanup(func() {
		for _, n := range nodes {
			if t.Failed() && n.relay != nil {
				t.Logf("%s: %+v\n%s", n.Name, n.relay.Status(), strings.Join(n.log.all(), "\n"))
			}
		}
	})
}

// eventually waits, in the bubble's time, until a condition holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 20000 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// inBubble runs a test in time of its own.
func inBubble(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, fn)
}

// row opens seoul, tokyo and hq: seoul dials tokyo, tokyo dials hq.
func row(t *testing.T, w *wires) (s, k, h *node) {
	s = newNode(t, w, seoul, []liaison.Office{tokyo}, tokyo)
	k = newNode(t, w, tokyo, []liaison.Office{seoul, hq}, hq)
	h = newNode(t, w, hq, []liaison.Office{tokyo})
	tell(t, s, k, h)
	return s, k, h
}

// start lets all of them listen before any dials.
func start(nodes ...*node) {
	for _, n := range nodes {
		n.port = n.wires.listen(n.Name)
	}
	for _, n := range nodes {
		n.start()
	}
}

var (
	community = desktest.Collection("community", "cyber")
	charter   = desktest.Collection("community", liaison.Charter)
)

// note is a STIX note, GREEN unless marked otherwise.
func note(name string, marks ...stix.TLP) []byte {
	if marks == nil {
		marks = []stix.TLP{stix.Green}
	}
	var refs []stix.ID
	for _, m := range marks {
		refs = append(refs, m.Marking())
	}
	return liaison.JCS(map[string]any{
		"type": "note", "spec_version": "2.1", "id": desktest.ID("note", name), "created_by_ref": desktest.PartyID("Korea"),
		"created": "2026-03-01T08:00:00.000Z", "modified": "2026-03-01T08:00:00.000Z",
		"object_marking_refs": refs, "content": name, "object_refs": []stix.ID{desktest.PartyID("Korea")},
	})
}

func notes(prefix string, from, to int) (list [][]byte) {
	for i := from; i < to; i++ {
		list = append(list, note(fmt.Sprintf("%s %d", prefix, i)))
	}
	return list
}

// knows waits until an office has the register and the community.
func knows(t *testing.T, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		learned(t, n.Office)
	}
}

// learned waits until an office's own party may write into the community, and
// everybody in it and the ways to them are known.
func learned(t *testing.T, o *desktest.Office) {
	t.Helper()
	party := map[liaison.Office]string{seoul: "Korea", tokyo: "Japan", hq: "NATO"}[o.Name]
	eventually(t, string(o.Name)+" knows the community", func() bool {
		list, err := o.Desk.Collections(t.Context(), o.As(t, party))
		return err == nil && len(o.Desk.Registry().Parties()) >= 4 && len(o.Desk.Registry().Neighbours(tokyo)) == 2 &&
			slices.ContainsFunc(list, func(c desk.Collection) bool { return c.ID == community && c.CanWrite })
	})
}

// post brings notes to an office's first door; each must be accepted.
func (n *node) post(t *testing.T, party string, c liaison.CollectionID, objects ...[]byte) {
	t.Helper()
	for i, o := range n.Post(t, party, c, objects...) {
		if o.Status != desk.Accepted {
			t.Fatalf("%s: note %d is %s: %s", n.Name, i, o.Status, o.Reason)
		}
	}
}

// receipt reads the receipt of an act's entry at its own office.
func receipt(t *testing.T, n *node, party string, index uint64) *liaison.Receipt {
	t.Helper()
	p, err := n.Read(t, party, desk.Query{What: desk.Receipts, Collection: community, From: index, WithObject: true})
	if err != nil {
		t.Fatalf("receipt at %s: %v", n.Name, err)
	}
	return p.Receipt
}

// proved waits until the receipt at seoul proves the whole way to hq.
func proved(t *testing.T, s *node, index uint64) {
	t.Helper()
	var err error
	eventually(t, "the receipt proves the way to hq", func() bool {
		r := receipt(t, s, "Korea", index)
		if len(r.Hops) != 3 {
			return false
		}
		_, err = ledger.VerifyReceipt(r, desktest.Pin())
		return err == nil
	})
}

var errCut = errors.New("the wire was cut")
