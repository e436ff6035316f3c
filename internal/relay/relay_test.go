package relay

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
)

// holdsAll waits until an office's log has so many entries of the community,
// and checks that the objects in sight are the ones at another office.
func holdsAll(t *testing.T, n, like *node, c liaison.CollectionID, size int) {
	t.Helper()
	eventually(t, string(n.Name)+" has everything", func() bool { return n.Size(t, c) >= uint64(size) })
	if got := n.Size(t, c); got != uint64(size) {
		t.Errorf("%s has %d entries, want %d: something came twice", n.Name, got, size)
	}
	want, got := like.Shown(t, c), n.Shown(t, c)
	for id, b := range want {
		if got[id] != b {
			t.Errorf("%s shows %q of %s, want %q", n.Name, got[id], id, b)
		}
	}
}

func TestANoteTravelsOfficeByOfficeAndIsProvedAtItsFirstDoor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := row(t, newWires())
		start(s, k, h)
		h.Found(t, "register", "community")
		knows(t, s, k)
		s.post(t, "Korea", community, notes("seoul", 0, 30)...)
		holdsAll(t, h, s, community, 30)
		holdsAll(t, k, s, community, 30)
		proved(t, s, 0)
		proved(t, s, 29)
		for _, n := range []*node{s, k, h} {
			for _, line := range n.log.all() {
				t.Errorf("%s logged: %s", n.Name, line)
			}
		}
	})
}

func TestNothingIsLostOrDoubledWhenTheFollowerRestartsMidway(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := row(t, newWires())
		for _, n := range []*node{s, k, h} {
			n.tune = func(c *Config) { c.PageLimit = 7 }
		}
		start(s, k, h)
		h.Found(t, "register", "community")
		knows(t, s, k)
		for i := range 8 {
			s.post(t, "Korea", community, notes("seoul", 20*i, 20*i+20)...)
			eventually(t, "some came", func() bool { return k.Size(t, community) >= uint64(20*i+5) })
			k.restart()
		}
		k.stop()
		k.Reopen(t)
		k.start()
		holdsAll(t, k, s, community, 160)
		holdsAll(t, h, s, community, 160)
		proved(t, s, 159)
	})
}

// cutting ends a connection after a number of bytes in either direction.
type cutting struct {
	net.Conn
	left *atomic.Int64
}

func (c cutting) spend(n int) error {
	if c.left.Add(int64(-n)) <= 0 {
		c.Conn.Close()
		return errCut
	}
	return nil
}

func (c cutting) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, errors.Join(err, c.spend(n))
}

func (c cutting) Write(b []byte) (int, error) {
	if err := c.spend(len(b)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func TestNothingIsLostOrDoubledWhenConnectionsAreCutAnywhere(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T) { cutAnywhere(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func cutAnywhere(t *testing.T, random *rand.Rand) {
	w := newWires()
	s, k, h := row(t, w)
	for _, n := range []*node{s, k, h} {
		n.tune = func(c *Config) { c.PageLimit = 5 }
	}
	w.through(func(c net.Conn) net.Conn {
		w.mu.Lock()
		defer w.mu.Unlock()
		left := new(atomic.Int64)
		left.Store(1000 + random.Int64N(25000)) // sometimes within the handshake
		if w.dialed%6 == 0 {
			left.Store(80000) // what is long comes through, too
		}
		return cutting{c, left}
	})
	start(s, k, h)
	h.Found(t, "register", "community")
	knows(t, s, k)
	for i := range 10 {
		s.post(t, "Korea", community, notes("seoul", 10*i, 10*i+10)...)
		eventually(t, "some arrives", func() bool { return h.Size(t, community) >= uint64(10*i+5) })
	}
	h.post(t, "NATO", community, note("from hq"))
	holdsAll(t, h, s, community, 101)
	holdsAll(t, k, s, community, 101)
	if n := w.dials() - 2; n < 5 {
		t.Errorf("the wires were cut %d times only", n)
	}
	w.through(nil)
	proved(t, s, 0)
	proved(t, s, 99)
}

// slow hands over a few bytes at a time and takes its time for it.
type slow struct{ net.Conn }

func (c slow) Read(b []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	return c.Conn.Read(b[:min(len(b), 700)])
}

func TestASlowReaderGetsEverythingAndIsNotTakenForDead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWires()
		w.through(func(c net.Conn) net.Conn { return slow{c} })
		s, k, h := row(t, w)
		start(s, k, h)
		h.Found(t, "register", "community")
		knows(t, s, k)
		dials := w.dials()
		for i := range 4 {
			h.post(t, "NATO", community, notes("hq", 100*i, 100*i+100)...)
		}
		holdsAll(t, s, h, community, 400)
		if w.dials() != dials {
			t.Errorf("%d streams were lost", w.dials()-dials)
		}
	})
}

func TestOfTwoStreamsDialledAtOnceTheLowerOfficesSurvives(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWires()
		k := newNode(t, w, tokyo, []liaison.Office{hq}, hq)
		h := newNode(t, w, hq, []liaison.Office{tokyo}, tokyo)
		for _, n := range []*node{k, h} { // both dial before either has met the other
			n.tune = func(c *Config) { c.Redial = time.Hour }
		}
		w.through(func(c net.Conn) net.Conn { return &late{Conn: c} })
		start(k, h)
		h.Found(t, "register", "community")
		knows(t, k)
		time.Sleep(time.Minute)
		for n, o := range map[*node]liaison.Office{k: hq, h: tokyo} {
			if s := n.status(o); s.Connected.IsZero() || s.DialledBy != hq || s.Error != "" {
				t.Errorf("%s: dialled by %q, error %q", n.Name, s.DialledBy, s.Error)
			}
		}
		if w.dials() > 6 {
			t.Errorf("%d dials: the streams replace each other", w.dials())
		}
		h.post(t, "NATO", community, note("after"))
		holdsAll(t, k, h, community, 1)
	})
}

// late says nothing for a while, so that both sides have dialled.
type late struct {
	net.Conn
	once sync.Once
}

func (c *late) Write(b []byte) (int, error) {
	c.once.Do(func() { time.Sleep(100 * time.Millisecond) })
	return c.Conn.Write(b)
}

func TestBytesTheFollowerSentStayAtHome(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := row(t, newWires())
		start(s, k, h)
		h.Found(t, "register", "community")
		knows(t, s, k)
		long := note(strings.Repeat("incompressible ", 1000))
		s.post(t, "Korea", community, long)
		holdsAll(t, h, s, community, 1)
		p, err := k.Desk.Read(t.Context(), registry.Neighbour(seoul), desk.Query{What: desk.Log, Collection: community})
		if err != nil || len(p.Leaves) != 1 {
			t.Fatal(err)
		}
		if tr := p.Leaves[0].Travels; len(tr.Bytes) != 0 || !tr.Salt.IsZero() {
			t.Errorf("tokyo sends seoul's object back: %d bytes", len(tr.Bytes))
		}
		eventually(t, "seoul follows tokyo's log past its own act", func() bool {
			at, err := s.Desk.Read(t.Context(), registry.Neighbour(tokyo), desk.Query{What: desk.Position, Origin: k.Origin(community)})
			return err == nil && at.Follow.Size == 1
		})
		if s.Size(t, community) != 1 {
			t.Error("seoul appended its own act again")
		}
	})
}

func TestWhatIsHeldOrRefusedFurtherOnIsToldTheActsOffice(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, k, h := row(t, newWires())
		start(s, k, h)
		h.Found(t, "register", "community")
		knows(t, s, k)
		s.stop()
		s.post(t, "Korea", community, note("late"), note("later"))
		for _, n := range []*node{s, k, h} {
			n.Clock.Move(30 * time.Minute)
		}
		// The community ends meanwhile: what was accepted before and comes
		// long after is for a person.
		h.Enact(t, "community", desktest.CharterOf("community").Amend(func(p *liaison.Programme) {
			p.ValidUntil, p.InForce = desktest.At(20*time.Minute), desktest.At(10*time.Minute)
		}))
		eventually(t, "tokyo knows the amendment", func() bool {
			c, _ := k.Desk.Registry().Collection(community)
			return len(c.Programme.Versions) == 2
		})
		k.restart()
		s.start()
		eventually(t, "seoul is told", func() bool {
			p, err := s.Desk.Read(t.Context(), registry.Operator(seoul), desk.Query{What: desk.Undelivered})
			return err == nil && len(p.Acts) == 2 && p.Acts[0].Office == tokyo && p.Acts[0].Status == desk.Held
		})
		eventually(t, "tokyo's outbox is empty", func() bool {
			p, err := k.Desk.Read(t.Context(), registry.Neighbour(seoul), desk.Query{What: desk.Outbox})
			return err == nil && len(p.Outbox) == 0
		})
		if k.Size(t, community) != 0 {
			t.Error("tokyo appended what it held")
		}
	})
}
