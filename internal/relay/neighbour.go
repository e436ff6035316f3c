package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
)

// neighbour is what is remembered of an office across its streams.
type neighbour struct {
	office liaison.Office
	log    *slog.Logger
	now    func() time.Time
	forks  ForkDir

	mu       sync.Mutex
	cur      *stream                             // guarded by mu
	trouble  trouble                             // guarded by mu
	rivals   rivals                              // guarded by mu
	followed map[liaison.CollectionID]*following // guarded by mu, and so is what it points to
	blind    error                               // why forks could not be read; guarded by mu
}

// following is how far one collection of a neighbour was followed.
type following struct {
	size    uint64
	lag     time.Duration // between added at the neighbour and the commit here, of the last leaf
	trouble trouble
	fork    *Fork
	resumed chan struct{} // closed when the fork is resolved; nil without one
	pardon  uint32        // the generation that may begin though it forgets what was verified
}

// stop ends following where the fork says that it was verified.
func (f *following) stop(fork *Fork) {
	f.fork, f.resumed = fork, make(chan struct{})
	if head, err := ledger.ReadCheckpoint(fork.Known); err == nil {
		f.size = head.Size
	}
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
	if n.cur != nil && n.rivals.met(time.Now()) {
		n.warn(errRivals)
	}
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
	n.mu.Lock()
	defer n.mu.Unlock()
	var b *byeError
	switch {
	case !superseded(err):
		n.warn(err)
	case errors.As(err, &b) && n.rivals.met(time.Now()):
		n.warn(errRivals)
	}
}

// warn notes an error; n.mu is held.
func (n *neighbour) warn(err error) {
	if n.trouble.set(err, n.now()) {
		n.log.Warn("relay trouble", "err", err)
	}
}

// well is called when there is a stream; among rivals that says nothing.
func (n *neighbour) well() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.rivals.many(time.Now()) {
		n.trouble = trouble{}
	}
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

// remember stops what the evidence kept on disk is against; n is new.
func (n *neighbour) remember() {
	forks, err := n.forks.Load(n.office)
	if err != nil {
		n.blind = fmt.Errorf("the evidence of forks: %w", err)
		n.log.Error("no log of the neighbour is followed", "err", n.blind)
	}
	for c, f := range forks {
		n.of(c).stop(f)
		n.log.Warn("a neighbour's log is not followed", "collection", c.String(), "reason", string(f.Reason), "err", f)
	}
}

// forked keeps the evidence of a log that is not followed any further.
func (n *neighbour) forked(c liaison.CollectionID, f *Fork) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of(c).stop(f)
	n.log.Error("a neighbour's log is not followed any further", "collection", c.String(),
		"reason", string(f.Reason), "err", f, "known", f.Known, "claimed", f.Claimed)
	if n.forks == "" {
		return
	}
	if err := n.forks.Keep(f); err != nil {
		n.log.Error("the evidence of a fork is kept until the office stops only", "collection", c.String(), "err", err)
	}
}

// mayFollow waits until a collection may be followed: while there is a fork,
// until it is resolved. It is false if ctx ended first, or nobody can say.
func (n *neighbour) mayFollow(ctx context.Context, c liaison.CollectionID) bool {
	n.mu.Lock()
	resumed, blind := n.of(c).resumed, n.blind
	n.mu.Unlock()
	switch {
	case blind != nil:
		n.reportOn(c, blind)
		return false
	case resumed == nil:
		return true
	}
	select {
	case <-resumed:
		return true
	case <-ctx.Done():
		return false
	}
}

// Resume follows a neighbour's log again from the position that was verified;
// its operator has explained the fork. The evidence stays, put aside.
func (r *Relay) Resume(o liaison.Office, c liaison.CollectionID) error {
	if _, ok := r.peer(o); !ok {
		return fmt.Errorf("%s is no neighbour", o)
	}
	n := r.neighbour(o)
	n.mu.Lock()
	defer n.mu.Unlock()
	f, ok := n.followed[c]
	if !ok || f.fork == nil {
		return fmt.Errorf("no fork of collection %s of %s is known", c, o)
	}
	if err := n.forks.resolve(o, c, f.fork.At); err != nil {
		return fmt.Errorf("put the evidence aside: %w", err)
	}
	n.log.Warn("a neighbour's log is followed again", "collection", c.String(), "reason", string(f.fork.Reason), "err", f.fork)
	if f.fork.Reason == Forgotten {
		f.pardon = f.fork.Origin.Generation
	}
	close(f.resumed)
	f.fork, f.resumed = nil, nil
	return nil
}

// pardons reports whether an operator has let a generation of a log begin though
// it forgets what was verified.
func (n *neighbour) pardons(o liaison.Origin) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return o.Generation > 1 && n.of(o.Collection).pardon == o.Generation
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
