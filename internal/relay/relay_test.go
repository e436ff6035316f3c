package relay

import (
	"testing"

	"github.com/liaison-office/liaison"
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
		s.Post(t, "Korea", community, notes("seoul", 0, 30)...)
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
