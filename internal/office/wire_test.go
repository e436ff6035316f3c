package office_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/relay"
	"pgregory.net/rapid"
)

// What a neighbour observes on the wire of the relay depends only on entries
// of collections it is offered. Two worlds run the same script, each in a
// bubble of its own; one also holds acts the neighbour, canberra, is not
// offered. Everything the office writes to the wire is compared: instant and
// length of each write of ciphertext, and every frame byte for byte.

// meetNeighbour gives canberra keys and hq its card.
func (b *base) meetNeighbour(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	keys, err := office.NewKeys(dir, b.neighbour)
	must(t, err)
	seed, err := os.ReadFile(filepath.Join(dir, "relay.seed"))
	must(t, err)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(seed)))
	must(t, err)
	b.neighbourKey = ed25519.NewKeyFromSeed(raw)
	_, err = office.AddPeer(b.dir, keys.SignedCard(""))
	must(t, err)
}

// The kinds of frames that the neighbour knows (internal/relay, version 1).
const (
	kindHello  = 1
	kindPing   = 2
	kindOffers = 4
	kindFollow = 5
	kindPage   = 6
	kindGone   = 7
	compressed = 0x80
)

// observer is canberra's end of a stream with hq. It asks one thing after the
// other, so that the order of the answers is the office's doing.
type observer struct {
	t    tester
	w    *world
	conn *tls.Conn
	zip  *zstd.Decoder

	mu     sync.Mutex
	writes []string   // guarded by mu: instant and length of each, as the office wrote
	seen   []string   // guarded by mu: frames, as they were read
	frames []received // guarded by mu: not yet answered

	number  uint32
	asked   map[uint32]string // collection, by the number of its follow
	at      map[string]uint64 // position, by collection
	offered []string          // as last listed
	kinds   map[byte]int      // frames that came
}

type received struct {
	kind byte
	body []byte
}

// pipe is a connection that tells when and how much is written.
type pipe struct {
	net.Conn
	wrote func(n int)
}

func (p pipe) Write(b []byte) (int, error) {
	p.wrote(len(b))
	return p.Conn.Write(b)
}

// door is a listener that lets one connection in.
type door struct {
	conn chan net.Conn
	done chan struct{}
	once sync.Once
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.conn:
		return c, nil
	case <-d.done:
		return nil, net.ErrClosed
	}
}
func (d *door) Close() error   { d.once.Do(func() { close(d.done) }); return nil }
func (d *door) Addr() net.Addr { return &net.UnixAddr{Name: "door"} }

// observeWire connects canberra with the world's office; end takes it apart.
func observeWire(t tester, w *world) (o *observer, end func()) {
	o = &observer{t: t, w: w, asked: map[uint32]string{}, at: map[string]uint64{}, kinds: map[byte]int{}}
	var err error
	o.zip, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	must(t, err)
	here, there := net.Pipe()
	d := &door{conn: make(chan net.Conn, 1), done: make(chan struct{})}
	d.conn <- pipe{there, func(n int) { o.note(&o.writes, "%d bytes", n) }}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- w.office.Relay.Serve(ctx, d) }()
	o.conn = tls.Client(here, o.tlsConfig())
	must(t, o.conn.Handshake())
	o.send(kindHello, map[string]any{"office": w.neighbour, "time": liaison.InstantOf(w.clock())})
	go o.read()
	return o, func() {
		cancel()
		must(t, <-served)
		here.Close()
		o.zip.Close()
	}
}

func (o *observer) tlsConfig() *tls.Config {
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, o.w.neighbourKey.Public(), o.w.neighbourKey)
	must(o.t, err)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: o.w.neighbourKey}},
		NextProtos:   []string{relay.ALPN}, InsecureSkipVerify: true, // hq is at the other end of the pipe
	}
}

// note writes down what was seen, and when. The office's writes and canberra's frames are
// two lists: which of two goroutines comes first at one instant is no matter of the office.
func (o *observer) note(to *[]string, format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*to = append(*to, fmt.Sprintf("%s ", time.Since(o.w.began))+fmt.Sprintf(format, args...))
}

// read takes frames until the connection ends.
func (o *observer) read() {
	for {
		var head [5]byte
		if _, err := io.ReadFull(o.conn, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[:4]))
		if _, err := io.ReadFull(o.conn, body); err != nil {
			return
		}
		f := received{head[4], body}
		o.note(&o.seen, "frame %d of %d bytes: %s", f.kind, len(body), o.plain(f))
		o.mu.Lock()
		o.frames = append(o.frames, f)
		o.mu.Unlock()
	}
}

// plain returns the message of a frame.
func (o *observer) plain(f received) []byte {
	b := f.body
	if f.kind&^compressed == kindPage {
		b = b[4:]
	}
	if f.kind&compressed == 0 {
		return b
	}
	out, err := o.zip.DecodeAll(b, nil)
	if err != nil {
		return fmt.Appendf(nil, "%v", err)
	}
	return out
}

func (o *observer) send(kind byte, message any) {
	b, err := json.Marshal(message)
	must(o.t, err)
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), kind)
	_, err = o.conn.Write(append(frame, b...))
	must(o.t, err)
}

// ask follows a collection from an index.
func (o *observer) ask(collection string, from uint64) {
	o.number++
	o.asked[o.number] = collection
	o.send(kindFollow, map[string]any{"number": o.number, "collection": collection, "from": from})
	synctest.Wait()
}

// settle waits until the office has nothing more to say, and follows all that
// it offers.
func (o *observer) settle() {
	for {
		synctest.Wait()
		o.mu.Lock()
		frames := o.frames
		o.frames = nil
		o.mu.Unlock()
		if len(frames) == 0 {
			return
		}
		for _, f := range frames {
			o.kinds[f.kind&^compressed]++
			switch f.kind &^ compressed {
			case kindOffers:
				o.follow(o.plain(f))
			case kindPage:
				o.turnPage(f)
			}
		}
	}
}

func (o *observer) follow(message []byte) {
	var m struct {
		Collections []string `json:"collections"`
	}
	must(o.t, json.Unmarshal(message, &m))
	for _, c := range m.Collections {
		if !slices.Contains(o.offered, c) {
			o.ask(c, 0)
		}
	}
	o.offered = m.Collections
}

func (o *observer) turnPage(f received) {
	var m struct {
		Collection string           `json:"collection"`
		From       uint64           `json:"from"`
		Leaves     []map[string]any `json:"leaves"`
	}
	must(o.t, json.Unmarshal(o.plain(f), &m, json.RejectUnknownMembers(false)))
	o.at[m.Collection] = m.From + uint64(len(m.Leaves))
	o.ask(m.Collection, o.at[m.Collection])
}

// between is the time from one line of a script to the next. It meets neither
// the pings nor the office's looking around.
const between = 1013 * time.Millisecond

// wire plays a script in a bubble and returns what canberra saw.
func (b *base) wire(t *testing.T, dir string, script []step, hidden bool) (seen []string, o *observer) {
	synctest.Test(t, func(t *testing.T) {
		w := b.world(t, dir)
		defer os.RemoveAll(dir)
		w.mu.Lock()
		w.began = time.Now()
		w.mu.Unlock()
		var end func()
		o, end = observeWire(t, w)
		o.settle()
		time.Sleep(between)
		for _, s := range script {
			switch {
			case strings.HasPrefix(s.Kind, "hidden") && !hidden:
			case s.Kind == "ask":
				o.ask(w.collection(s.Where), uint64(s.N))
			default:
				w.play(s)
			}
			o.settle()
			time.Sleep(between)
			o.settle()
		}
		o.mu.Lock()
		seen = append(o.seen, o.writes...)
		o.mu.Unlock()
		end()
		w.close(t)
	})
	return seen, o
}

func TestWhatANeighbourObservesOnTheWireDoesNotDependOnWhatItIsNotOffered(t *testing.T) {
	b := newBase(t)
	scripts := rapid.SliceOfN(genStep([]string{"ask", "visible", "visible", "hidden", "hidden", "hidden directed", "hidden refused", "leave", "hidden left"}), 16, 24)
	came := map[byte]int{}
	for i := range 8 {
		script := scripts.Example(i)
		var seen [2][]string
		for world := range seen {
			var o *observer
			seen[world], o = b.wire(t, filepath.Join(t.TempDir(), "office"), script, world == 1)
			b.offersAreForCanberra(t, o)
			for k, n := range o.kinds {
				came[k] += n
			}
		}
		compare(t, seen[0], seen[1])
	}
	for _, k := range []byte{kindHello, kindPing, kindOffers, kindPage, kindGone} {
		if came[k] == 0 {
			t.Errorf("no frame of kind %d came: the test shows nothing about it", k)
		}
	}
	for _, kind := range []string{"visible", "hidden", "hidden directed", "hidden left"} {
		if b.released[kind] == 0 {
			t.Errorf("no act of kind %q was accepted: the test shows nothing", kind)
		}
	}
}

// offersAreForCanberra: the same list in both worlds could still name what is
// not for canberra.
func (b *base) offersAreForCanberra(t *testing.T, o *observer) {
	t.Helper()
	var aliases []string
	for alias, id := range b.collections {
		if slices.Contains(o.offered, id) {
			aliases = append(aliases, alias)
		}
	}
	slices.Sort(aliases)
	want := []string{"community.charter", "community.cyber", "community.disinformation"}
	if !slices.Equal(aliases, want) || len(o.offered) != len(want) {
		t.Fatalf("canberra is offered %q and %d in all, want %q", aliases, len(o.offered), want)
	}
}
