package relay

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
)

// neighbour is what is remembered of an office across its streams.
type neighbour struct {
	office liaison.Office
	log    *slog.Logger
	now    func() time.Time

	mu       sync.Mutex
	cur      *stream                             // guarded by mu
	trouble  trouble                             // guarded by mu
	followed map[liaison.CollectionID]*following // guarded by mu, and so is what it points to
}

// following is how far one collection of a neighbour was followed.
type following struct {
	size    uint64
	lag     time.Duration // between added at the neighbour and the commit here, of the last leaf
	trouble trouble
	fork    *Fork
}

// trouble is the last error and when it was first seen.
type trouble struct {
	text  string
	sort  string // what makes it the same as the one before
	since time.Time
}

// set notes an error; it is true if that is news.
func (t *trouble) set(err error, now time.Time) bool {
	sort := sortOf(err)
	if t.text = err.Error(); t.sort == sort {
		return false
	}
	t.sort, t.since = sort, now
	return true
}

// sortOf leaves out what differs from one attempt to the next: times and ports.
func sortOf(err error) string {
	var clock *clockError
	var network *net.OpError
	switch {
	case errors.As(err, &clock):
		return "clock"
	case errors.As(err, &network):
		return network.Op + ": " + network.Err.Error()
	}
	return err.Error()
}

func (n *neighbour) stream() *stream {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cur
}

// adopt makes s the neighbour's stream, or says that the one it has stays. The
// office with the lower name dials the stream that survives; of two dialled by
// the same office the newer counts, since its dialler gave the older up.
func (n *neighbour) adopt(s *stream) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	lower := min(n.office, s.relay.cfg.Office)
	if n.cur != nil && n.cur.dialler == lower && s.dialler != lower {
		return false
	}
	if n.cur != nil {
		n.cur.end(errReplaced)
	}
	n.cur = s
	return true
}

// leave is called when a stream has ended.
func (n *neighbour) leave(s *stream) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cur == s {
		n.cur = nil
	}
}

// report keeps an error of the neighbour's stream for Status, and logs news.
func (n *neighbour) report(err error) {
	if superseded(err) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.trouble.set(err, n.now()) {
		n.log.Warn("relay trouble", "err", err)
	}
}

func (n *neighbour) well() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trouble = trouble{}
}

// of returns what is remembered of a collection; n.mu is held.
func (n *neighbour) of(c liaison.CollectionID) *following {
	f, ok := n.followed[c]
	if !ok {
		f = new(following)
		n.followed[c] = f
	}
	return f
}

// reportOn keeps an error of one collection for Status, and logs news.
func (n *neighbour) reportOn(c liaison.CollectionID, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of(c).trouble.set(err, n.now()) {
		n.log.Warn("following is in trouble", "collection", c.String(), "err", err)
	}
}

// forked keeps the evidence of a log that is not followed any further.
func (n *neighbour) forked(c liaison.CollectionID, f *Fork) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of(c).fork = f
	n.log.Error("a neighbour's log is not followed any further", "collection", c.String(),
		"reason", string(f.Reason), "err", f, "known", f.Known, "claimed", f.Claimed)
}

func (n *neighbour) isForked(c liaison.CollectionID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.of(c).fork != nil
}

// begins notes where following begins.
func (n *neighbour) begins(c liaison.CollectionID, size uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of(c).size = size
}

// stands notes where following has come to.
func (n *neighbour) stands(c liaison.CollectionID, size uint64, lag time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.of(c)
	f.size, f.lag, f.trouble = size, lag, trouble{}
}

// keepDialling dials a neighbour until ctx ends or it is not to be dialled any
// more. While there is a stream, whoever dialled it, it waits.
func (r *Relay) keepDialling(ctx context.Context, o liaison.Office) {
	n := r.neighbour(o)
	pause := backoff{first: r.cfg.Redial}
	for {
		if s := n.stream(); s != nil {
			select {
			case <-s.done:
			case <-ctx.Done():
				return
			}
		}
		p, ok := r.peer(o)
		if !ok || p.Address == "" {
			return
		}
		if n.stream() == nil {
			began := time.Now()
			if err := r.dialPeer(ctx, p); err != nil && ctx.Err() == nil {
				n.report(err)
			}
			pause.lived(time.Since(began))
		}
		if !wait(ctx, pause.next()) {
			return
		}
	}
}

// dialPeer dials once and runs the stream to its end.
func (r *Relay) dialPeer(ctx context.Context, p Peer) error {
	dialCtx, cancel := context.WithTimeout(ctx, meetingTime)
	conn, err := r.dial(dialCtx, p.Address)
	cancel()
	if err != nil {
		return err
	}
	return r.meet(ctx, conn, p.Office, func() {})
}

// backoff doubles a pause up to MaxRedial, with jitter so that two sides or
// many offices do not stay in step.
type backoff struct {
	first, now time.Duration
}

// next returns the pause to make: between half and the whole of its nominal
// length.
func (b *backoff) next() time.Duration {
	b.now = min(max(2*b.now, b.first), max(MaxRedial, b.first))
	return b.now/2 + rand.N(b.now/2+1)
}

// lived begins again after something that lasted longer than the last pause.
func (b *backoff) lived(d time.Duration) {
	if d > b.now {
		b.now = 0
	}
}
