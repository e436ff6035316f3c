package relay

import (
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
)

// TestASecondMachineWithTheSameKeysIsReported to both operators, once, whether
// its stream is turned away or drives the first one out.
func TestASecondMachineWithTheSameKeysIsReported(t *testing.T) {
	for name, dials := range map[string][]liaison.Office{"turned away": {tokyo}, "driven out": nil} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWires()
				k := newNode(t, w, tokyo, []liaison.Office{hq}, hq)
				h := newNode(t, w, hq, []liaison.Office{tokyo}, dials...)
				tell(t, k, h)
				start(k, h)
				eventually(t, "they meet", func() bool { return connected(k, hq) && connected(h, tokyo) })
				elsewhere := newWires()
				elsewhere.ports[string(hq)] = w.ports[string(hq)]
				second := newNode(t, elsewhere, tokyo, []liaison.Office{hq}, hq)
				second.start()
				time.Sleep(time.Minute / 2)
				for _, n := range []*node{h, second} {
					lines := strings.Join(n.log.all(), "\n")
					if strings.Count(lines, "drive each other out") != 1 {
						t.Errorf("%s logged %q, want the second machine once", n.Name, lines)
					}
				}
				if s := h.status(tokyo); !strings.Contains(s.Error, "a second machine") {
					t.Errorf("hq's status says %q", s.Error)
				}
			})
		})
	}
}
