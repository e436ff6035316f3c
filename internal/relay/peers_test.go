package relay

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
)

// pair opens tokyo, which dials, and hq.
func pair(t *testing.T, w *wires) (k, h *node) {
	k = newNode(t, w, tokyo, []liaison.Office{hq}, hq)
	h = newNode(t, w, hq, []liaison.Office{tokyo})
	tell(t, k, h)
	return k, h
}

func connected(n *node, o liaison.Office) bool { return !n.status(o).Connected.IsZero() }

func TestAnUnknownKeyIsClosedAndLoggedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k, h := pair(t, newWires())
		_, other, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		k.tune = func(c *Config) { c.Key = other }
		start(k, h)
		h.Found(t, "register", "community")
		time.Sleep(5 * time.Minute)
		if connected(k, hq) || connected(h, tokyo) || k.Size(t, charter) != 0 {
			t.Error("a key nobody confirmed was let in")
		}
		print := Fingerprint(other.Public().(ed25519.PublicKey))
		lines := h.log.all()
		if len(lines) != 1 || !strings.Contains(lines[0], print) {
			t.Errorf("logged: %q, want once with %s", lines, print)
		}
		if s := k.status(hq); !strings.Contains(s.Error, "certificate") || s.Since != desktest.At(0) {
			t.Errorf("the dialler's status: %q since %s", s.Error, s.Since)
		}
	})
}

func TestTheDialledOfficeMustHoldItsOwnKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWires()
		k, h := pair(t, w)
		k.peers = append(k.peers, Peer{Office: seoul, Keys: [][]byte{relayKey(seoul)}})
		h.tune = func(c *Config) { c.Key = desktest.NewKeys(seoul).Relay } // known to tokyo, as another office
		start(k, h)
		time.Sleep(time.Minute)
		if connected(k, hq) || connected(k, seoul) {
			t.Error("seoul answered for hq")
		}
		if s := k.status(hq); !strings.Contains(s.Error, "unknown key, fingerprint "+Fingerprint(relayKey(seoul))) {
			t.Errorf("status: %q", s.Error)
		}
	})
}

func TestWhoSpeaksAnotherProtocolIsClosed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWires()
		k, h := pair(t, w)
		h.start()
		for _, c := range []*tls.Config{{NextProtos: []string{"h2"}}, {}, {NextProtos: []string{ALPN}, MaxVersion: tls.VersionTLS12}} {
			conn, err := w.dial(t.Context(), string(hq))
			if err != nil {
				t.Fatal(err)
			}
			cert, err := certificate(k.Keys.Relay)
			if err != nil {
				t.Fatal(err)
			}
			c.InsecureSkipVerify, c.Certificates = true, []tls.Certificate{cert}
			tc := tls.Client(conn, c)
			err = tc.HandshakeContext(t.Context())
			if err == nil { // TLS 1.3: the server's no comes after the client's last word
				_, err = tc.Read(make([]byte, 1))
			}
			if err == nil {
				t.Errorf("%v %x: let in", c.NextProtos, c.MaxVersion)
			}
			conn.Close()
		}
	})
}

func TestOfficesWithClocksApartAcceptNothingUntilTheyAgree(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k, h := pair(t, newWires())
		k.Clock.Move(6 * time.Minute)
		start(k, h)
		h.Found(t, "register", "community")
		time.Sleep(10 * time.Minute)
		for n, o := range map[*node]liaison.Office{k: hq, h: tokyo} {
			lines := n.log.all()
			if len(lines) != 1 || !strings.Contains(lines[0], "2026-03-01T09:00:00") || !strings.Contains(lines[0], "2026-03-01T09:06:00") {
				t.Errorf("%s logged %q, want one warning that names both times", n.Name, lines)
			}
			if connected(n, o) {
				t.Errorf("%s is connected", n.Name)
			}
		}
		if k.Size(t, charter) != 0 {
			t.Error("something was accepted")
		}
		k.Clock.Move(-2 * time.Minute)
		knows(t, k)
	})
}

func TestAClockThatDriftsEndsTheStream(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k, h := pair(t, newWires())
		start(k, h)
		h.Found(t, "register", "community")
		knows(t, k)
		h.Clock.Move(-time.Hour)
		eventually(t, "both notice", func() bool { return !connected(k, hq) && !connected(h, tokyo) })
		if s := k.status(hq); !strings.Contains(s.Error, "the clocks are more than") {
			t.Errorf("status: %q", s.Error)
		}
	})
}

func TestAnExpelledNeighbourIsCutWithinASecond(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k, h := pair(t, newWires())
		start(k, h)
		h.Found(t, "register", "community")
		knows(t, k)
		h.expel(tokyo)
		time.Sleep(time.Second)
		h.post(t, "NATO", community, note("after"))
		time.Sleep(time.Minute)
		if k.Size(t, community) != 0 {
			t.Error("it got what came a second later")
		}
		if s := k.status(hq); !s.Connected.IsZero() {
			t.Error("it is still connected")
		}
	})
}

func TestACollectionNoLongerOfferedIsCutAndTheOthersGoOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := row(t, newWires())
		start(s, k, h)
		h.Found(t, "register", "community", "members")
		knows(t, s, k)
		drafts := desktest.Collection("members", "drafts")
		eventually(t, "tokyo follows", func() bool { _, ok := k.Desk.Registry().Collection(drafts); return ok })
		h.Enact(t, "members", desktest.CharterOf("members").Amend(func(p *liaison.Programme) {
			p.Parties, p.Transit, p.Comment = p.Parties[:1], nil, nil // Japan leaves
		}))
		h.Clock.Move(2 * time.Hour)
		k.Clock.Move(2 * time.Hour)
		s.Clock.Move(2 * time.Hour)
		time.Sleep(time.Second)
		h.Post(t, "NATO", drafts, note("for what remains"))
		h.Post(t, "NATO", community, note("for all"))
		holdsAll(t, s, h, community, 1)
		time.Sleep(time.Minute)
		if k.Size(t, drafts) != 0 {
			t.Error("tokyo got what it may no longer follow")
		}
	})
}

// tardy reads a collection's log at once and hands the page over later, when
// the right to it may be gone.
type tardy struct {
	Desk
	of   liaison.CollectionID
	read chan struct{} // takes one for each page that was read
	give chan struct{} // closed: hand over
}

func (d tardy) Read(ctx context.Context, v desk.Viewer, q desk.Query) (*desk.Page, error) {
	p, err := d.Desk.Read(ctx, v, q)
	if q.What == desk.Log && q.Collection == d.of && err == nil && len(p.Leaves) > 0 {
		nudge(d.read)
		<-d.give
	}
	return p, err
}

func TestAPageReadBeforeARemovalIsNotSentAfterIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRogue(t) // an honest follower would not show what it is sent
		h := g.victim
		h.stop()
		drafts := desktest.Collection("members", "drafts")
		slow := tardy{of: drafts, read: make(chan struct{}, 1), give: make(chan struct{})}
		h.tune = func(c *Config) { slow.Desk = c.Desk; c.Desk = slow }
		h.Found(t, "members")
		h.start()
		g.connect()
		g.awaitOffers(func(list []liaison.CollectionID) bool { return slices.Contains(list, drafts) })
		h.post(t, "NATO", drafts, note("read in time"))
		g.send(kindFollow, 0, follow{Number: 1, Collection: drafts})
		<-slow.read
		h.Enact(t, "members", desktest.CharterOf("members").Amend(func(p *liaison.Programme) {
			p.Parties, p.Transit, p.InForce = p.Parties[1:], nil, desktest.At(time.Minute)
		}))
		h.Clock.Move(2 * time.Minute) // less than would end the stream
		g.awaitOffers(func(list []liaison.CollectionID) bool { return !slices.Contains(list, drafts) })
		close(slow.give)
		if f := g.awaitAnswer(); f.kind&^compressed != kindGone {
			t.Errorf("hq answered with %s", f.kind)
		}
	})
}

// awaitOffers reads until the offers are as wanted.
func (g *rogue) awaitOffers(ok func([]liaison.CollectionID) bool) {
	g.t.Helper()
	for {
		f := g.awaitFrame(kindOffers)
		var m offers
		if err := g.stream.relay.codec.decode(f, &m); err != nil {
			g.t.Fatal(err)
		}
		if ok(m.Collections) {
			return
		}
	}
}

// awaitAnswer reads until a follow is answered.
func (g *rogue) awaitAnswer() frame { return g.awaitFrame(kindPage, kindGone, kindBusy) }

func (g *rogue) awaitFrame(kinds ...kind) frame {
	g.t.Helper()
	for {
		f, err := readFrame(g.stream.in, MaxFrame)
		if err != nil {
			g.t.Fatal(err)
		}
		if slices.Contains(kinds, f.kind&^compressed) {
			return f
		}
	}
}

// deaf takes what is written and answers nothing, as a host that lost its power
// does.
type deaf struct {
	net.Conn
	dead chan struct{}
}

func (c deaf) Write(b []byte) (int, error) {
	select {
	case <-c.dead:
		return len(b), nil
	default:
		return c.Conn.Write(b)
	}
}

func TestASilentNeighbourIsTakenForDeadAndDialledAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWires()
		dead := make(chan struct{})
		w.through(func(c net.Conn) net.Conn { return deaf{c, dead} })
		k, h := pair(t, w)
		start(k, h)
		h.Found(t, "register", "community")
		knows(t, k)
		time.Sleep(10 * time.Minute) // idle, and alive for its pings
		if w.dials() != 1 {
			t.Fatalf("%d dials while all was well", w.dials())
		}
		close(dead)
		w.through(nil)
		began := time.Now()
		eventually(t, "hq gives tokyo up", func() bool { return h.status(tokyo).Error == errSilent.Error() })
		if d := time.Since(began); d < 30*time.Second || d > deadAfter+2*time.Second {
			t.Errorf("given up after %s, want %s after the last byte", d, deadAfter)
		}
		eventually(t, "they meet again", func() bool { return connected(h, tokyo) && connected(k, hq) })
		h.post(t, "NATO", community, note("after"))
		holdsAll(t, k, h, community, 1)
	})
}

func TestAnEntryReachesTheFollowerWithoutPolling(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := row(t, newWires())
		start(s, k, h)
		h.Found(t, "register", "community")
		knows(t, s, k)
		time.Sleep(time.Hour + 333*time.Millisecond) // in the middle of every poll
		began := time.Now()
		s.post(t, "Korea", community, note("now"))
		for changed := h.Journal.Changed(community); h.Size(t, community) == 0; changed = h.Journal.Changed(community) {
			<-changed
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("it took %s of waiting", d)
		}
	})
}

func TestAPeerThatCannotBeReachedIsDialledLessAndLess(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWires()
		k, _ := pair(t, w)
		k.start()
		time.Sleep(time.Hour)
		if n := w.dials(); n < 120 || n > 260 {
			t.Errorf("%d dials in an hour, want about one in half a minute", n)
		}
		if s := k.status(hq); s.Error != "nobody listens at hq.example.org" || s.Since != desktest.At(0) {
			t.Errorf("status: %q since %s", s.Error, s.Since)
		}
		if lines := k.log.all(); len(lines) != 1 {
			t.Errorf("logged %d times: %q", len(lines), lines)
		}
	})
}

func TestAKeyThatIsNoneIsReported(t *testing.T) {
	r := New(Config{Key: ed25519.PrivateKey("short")})
	for _, err := range []error{r.Run(t.Context()), r.Serve(t.Context(), nil)} {
		if err == nil || !strings.Contains(err.Error(), "relay key has 5 bytes, want 64") {
			t.Errorf("error: %v", err)
		}
	}
}

// failing refuses pages for a while.
type failing struct {
	Desk
	fail chan struct{}
}

func (d failing) Accept(ctx context.Context, v desk.Viewer, b desk.Batch) ([]desk.Outcome, error) {
	select {
	case <-d.fail:
		return d.Desk.Accept(ctx, v, b)
	default:
		if b.Follow != nil {
			return nil, errors.New("the disk is full")
		}
		return d.Desk.Accept(ctx, v, b)
	}
}

func TestWhatTheDeskCannotTakeIsTriedAgainAndNeverSkipped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k, h := pair(t, newWires())
		full := make(chan struct{})
		k.tune = func(c *Config) { c.Desk = failing{c.Desk, full} }
		start(k, h)
		h.Found(t, "register", "community")
		time.Sleep(10 * time.Minute)
		s := k.status(hq)
		if len(s.Follows) == 0 || !strings.Contains(s.Follows[0].Error, "the disk is full") || s.Follows[0].Since != desktest.At(0) {
			t.Errorf("status: %+v", s.Follows)
		}
		close(full)
		knows(t, k)
		h.post(t, "NATO", community, note("after"))
		holdsAll(t, k, h, community, 1)
		if p, err := k.Desk.Read(t.Context(), registry.Neighbour(hq), desk.Query{What: desk.Position, Origin: h.Origin(charter)}); err != nil || p.Follow.Size != h.Size(t, charter) {
			t.Errorf("position %d, %v", p.Follow.Size, err)
		}
	})
}

// muted keeps its evidence to itself until it is let.
type muted struct {
	Desk
	speak chan struct{}
}

func (d muted) Read(ctx context.Context, v desk.Viewer, q desk.Query) (*desk.Page, error) {
	select {
	case <-d.speak:
	default:
		if q.What == desk.Outbox {
			return new(desk.Page), nil
		}
	}
	return d.Desk.Read(ctx, v, q)
}

func TestAVerdictSurvivesARestartAndReachesTheActsOfficeOverTwoHops(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := row(t, newWires())
		speak := make(chan struct{})
		h.tune = func(c *Config) { c.Desk = muted{c.Desk, speak} }
		start(s, k, h)
		trial := desktest.Collection("trial", "cyber") // its term ends in a day
		h.Found(t, "register", "community", "trial")
		knows(t, s, k)
		eventually(t, "seoul knows the trial", func() bool { _, ok := s.Desk.Registry().Collection(trial); return ok })
		h.stop()
		s.post(t, "Korea", trial, note("accepted"))
		holdsAll(t, k, s, trial, 1)
		for _, n := range []*node{s, k, h} {
			n.Clock.Move(9 * 24 * time.Hour)
		}
		h.start()
		held := func(n *node) bool {
			p, err := n.Desk.Read(t.Context(), registry.Operator(n.Name), desk.Query{What: desk.Undelivered})
			return err == nil && len(p.Acts) == 1 && p.Acts[0].Office == hq && p.Acts[0].Status == desk.Held
		}
		eventually(t, "hq holds it", func() bool { return held(h) })
		h.stop()
		h.Reopen(t)
		if !held(h) {
			t.Fatal("hq forgot what it held")
		}
		h.start()
		time.Sleep(time.Minute)
		if held(s) {
			t.Fatal("seoul knows what nobody told")
		}
		close(speak)
		eventually(t, "seoul is told", func() bool { return held(s) })
		eventually(t, "nothing waits any more", func() bool {
			p, err := h.Desk.Read(t.Context(), registry.Neighbour(tokyo), desk.Query{What: desk.Outbox})
			q, err2 := k.Desk.Read(t.Context(), registry.Neighbour(seoul), desk.Query{What: desk.Outbox})
			return err == nil && err2 == nil && len(p.Outbox)+len(q.Outbox) == 0
		})
	})
}

func TestEvidenceIsBundledByCollectionAndWithinItsLimits(t *testing.T) {
	var list []desk.Evidence
	for i := range 700 {
		list = append(list, desk.Evidence{Key: fmt.Sprint(i), Collection: community})
	}
	if m, keys, err := bundle(list); err != nil || len(m.Evidence) != maxEvidence || len(keys) != maxEvidence {
		t.Errorf("%d of 700 in a frame, %v", len(keys), err)
	}
	list[3].Collection = charter
	if _, keys, err := bundle(list); err != nil || strings.Join(keys, " ") != "0 1 2" {
		t.Errorf("of one collection: %q, %v", keys, err)
	}
	long := liaison.Hop{Checkpoint: strings.Repeat("x", maxEvidenceSize/2)}
	for i := range list {
		list[i] = desk.Evidence{Key: fmt.Sprint(i), Collection: community, Hops: []liaison.Hop{long}}
	}
	if _, keys, err := bundle(list); err != nil || len(keys) != 1 {
		t.Errorf("of long ones: %q, %v", keys, err)
	}
}

func TestTheStatusIsJSON(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRogue(t)
		g.serve(g.page(0, 3), g.page(4, 6))
		eventually(t, "hq notices", func() bool { return g.followed(community).Fork != nil })
		b, err := json.Marshal(g.victim.relay.Status())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"office":"tokyo.example.org"`, `"connected":"2026-03-01T09:00:00.000000Z"`, `"reason":"gap"`, `"size":3`} {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s lacks %s", b, want)
			}
		}
	})
}

// TestOfficesMeetOverTCP is the one test on a real network, in real time.
func TestOfficesMeetOverTCP(t *testing.T) {
	k, h := pair(t, newWires())
	h.listenTCP(k)
	h.start()
	k.start()
	h.Found(t, "register", "community")
	for c := k.Journal.Changed(charter); k.Size(t, charter) < h.Size(t, charter); c = k.Journal.Changed(charter) {
		<-c
	}
	knows(t, k)
	h.post(t, "NATO", community, notes("hq", 0, 50)...)
	for c := k.Journal.Changed(community); k.Size(t, community) < 50; c = k.Journal.Changed(community) {
		<-c
	}
}
