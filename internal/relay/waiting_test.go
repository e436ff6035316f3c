package relay

import (
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
)

// answer serves hq's follows from tokyo's honest logs, two leaves a page, and
// says nothing at their end.
func (g *rogue) answer() {
	in := g.stream.in // the rogue may connect again
	go func() {
		for {
			f, err := readFrame(in, MaxFrame)
			if err != nil {
				return
			}
			var m follow
			if f.kind&^compressed != kindFollow || g.stream.relay.codec.decode(f, &m) != nil {
				continue
			}
			all := g.read(m.Collection, 0, 100)
			if end := min(m.From+2, uint64(len(all))); m.From < end {
				note := g.signAs(g.tokyo.Origin(m.Collection), all[:end])
				g.send(kindPage, m.Number, page{Collection: m.Collection, From: m.From, Leaves: all[m.From:end], Note: note})
			}
		}
	}()
}

func (g *rogue) offer(list ...liaison.CollectionID) {
	g.send(kindOffers, 0, offers{Collections: list})
}

// TestFollowingPausesWhileTooMuchWaitsAndGoesOnWithTheCharter: tokyo offers the
// community and not its charter; hq has room for five acts that wait. It stops
// after the second page, says so once, stands there after a restart too, and
// has everything soon after the charter was offered.
func TestFollowingPausesWhileTooMuchWaitsAndGoesOnWithTheCharter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		hqOffice := desktest.New(t, hq, desktest.Options{Waiting: 5})
		g := &rogue{t: t, victim: newNodeAt(t, newWires(), hqOffice, []liaison.Office{tokyo}), tokyo: desktest.New(t, tokyo, desktest.Options{})}
		tell(t, g.victim)
		g.victim.Found(t, "register")
		g.tokyo.Found(t, "register", "community")
		learned(t, g.tokyo)
		g.tokyo.Post(t, "Japan", community, notes("tokyo", 0, 20)...)
		paused := func() {
			t.Helper()
			eventually(t, "following pauses", func() bool { return strings.Contains(g.followed(community).Error, "no room for more acts that wait") })
			time.Sleep(5 * time.Minute) // of the bubble: hq asks again and again
			if f := g.followed(community); f.Size != 4 {
				t.Errorf("hq follows to %d; 4 acts found room", f.Size)
			}
			warned := 0
			for _, line := range g.victim.log.all() {
				if strings.HasPrefix(line, "WARN following is in trouble") && strings.Contains(line, "at most 5 acts") {
					warned++
				}
			}
			if warned != 1 {
				t.Errorf("the operator is told %d times: %q", warned, g.victim.log.all())
			}
		}
		g.victim.start()
		g.connect()
		g.answer()
		g.offer(community)
		paused()

		g.victim.stop()
		g.victim.Reopen(t)
		g.victim.log.lines = nil
		g.victim.start()
		g.connect()
		g.answer()
		g.offer(community)
		paused()

		g.offer(charter, community)
		eventually(t, "everything came", func() bool { return g.victim.Size(t, community) == 20 })
		if f := g.followed(community); f.Error != "" || f.Size != 20 {
			t.Errorf("%+v", f)
		}
	})
}
