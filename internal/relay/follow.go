package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/ledger"
)

// asking is what a stream follows, and the answers that are awaited.
type asking struct {
	mu      sync.Mutex
	last    uint32                                      // number of the last follow; guarded by mu
	waiting map[uint32]chan frame                       // guarded by mu; each takes one frame
	follows map[liaison.CollectionID]context.CancelFunc // guarded by mu
}

func (a *asking) init() {
	a.waiting = map[uint32]chan frame{}
	a.follows = map[liaison.CollectionID]context.CancelFunc{}
}

// ask registers the next follow.
func (a *asking) ask() (number uint32, answer chan frame) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	answer = make(chan frame, 1)
	a.waiting[a.last] = answer
	return a.last, answer
}

func (a *asking) forget(number uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, number)
}

// answer hands a frame to who asked for it; it is dropped if nobody waits any
// more.
func (a *asking) answer(number uint32, f frame) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if number == 0 || number > a.last {
		return protocolError("%s answers follow %d, the last one was %d", f.kind, number, a.last)
	}
	if c, ok := a.waiting[number]; ok {
		delete(a.waiting, number)
		c <- f
	}
	return nil
}

// tookOffers begins to follow what is new on the list and stops following what
// is no longer there.
func (s *stream) tookOffers(f frame) error {
	var m offers
	if err := s.relay.codec.decode(f, &m); err != nil {
		return err
	}
	if len(m.Collections) > maxFollowed {
		return protocolError("it offers %d collections, the limit is %d", len(m.Collections), maxFollowed)
	}
	a := &s.asking
	a.mu.Lock()
	defer a.mu.Unlock()
	listed := map[liaison.CollectionID]bool{}
	for _, c := range m.Collections {
		listed[c] = true
		if _, ok := a.follows[c]; !ok {
			ctx, stop := context.WithCancel(s.ctx)
			a.follows[c] = stop
			s.workers.Go(func() { s.follow(ctx, c) })
		}
	}
	for c, stop := range a.follows {
		if !listed[c] {
			stop()
			delete(a.follows, c)
		}
	}
	return nil
}

// Why following pauses, beside what the desk and the verifier say.
var (
	errGone = errors.New("the neighbour no longer lets this collection be followed")
	errBusy = errors.New("the neighbour cannot answer now")
	errLost = errors.New("the neighbour's log is shorter than what was verified of it here: it has lost entries")
)

// follow follows one collection while ctx lasts. Every error is tried again,
// from the position the desk has; a fork when an operator has resolved it. It
// begins when the neighbour has told what it knows of our own logs: one that we
// have lost is not to begin anew.
func (s *stream) follow(ctx context.Context, c liaison.CollectionID) {
	select {
	case <-s.recalls.told:
	case <-ctx.Done():
		return
	}
	pause := backoff{first: s.relay.cfg.Redial}
	var how manner
	for s.n.mayFollow(ctx, c) {
		err := s.followFromPosition(ctx, c, how, &pause)
		if ctx.Err() != nil {
			return
		}
		var fork *Fork
		if errors.As(err, &fork) {
			s.n.forked(c, fork)
			continue
		}
		if next, ok := s.otherwise(c, how, err); ok {
			how = next
			continue
		}
		if !errors.Is(err, desk.ErrPosition) { // that only says that another stream was quicker
			s.n.reportOn(c, err)
		}
		if !wait(ctx, pause.next()) {
			return
		}
	}
}

// manner is how a log is followed: in which generation, and whether its pages
// bring the objects that came from here.
type manner struct {
	generation uint32 // 0: the newest that was followed before
	whole      bool
}

// otherwise says in which other manner to follow a log at once, given why
// following ended.
func (s *stream) otherwise(c liaison.CollectionID, how manner, err error) (manner, bool) {
	var reopened *reopenedError
	switch {
	case s.version < 2:
		return how, false
	case errors.As(err, &reopened) && reopened.generation > max(how.generation, reopened.was):
		s.n.log.Warn("a neighbour has opened the next generation of its log: it is verified from its beginning", "collection", c.String(), "generation", reopened.generation)
		how.generation = reopened.generation
		return how, true
	case errors.Is(err, desk.ErrWhole) && !how.whole:
		s.n.log.Info("objects that were lost here are asked for again", "collection", c.String())
		how.whole = true
		return how, true
	}
	return how, false
}

// reopenedError says that the neighbour's log is of another generation than is
// followed.
type reopenedError struct{ was, generation uint32 }

func (e *reopenedError) Error() string {
	if e.generation < e.was {
		return fmt.Sprintf("the neighbour's log is of generation %d, and generation %d of it was verified here: it has lost entries", e.generation, e.was)
	}
	return fmt.Sprintf("the neighbour's log is of generation %d now", e.generation)
}

// followFromPosition takes page after page until something fails.
func (s *stream) followFromPosition(ctx context.Context, c liaison.CollectionID, how manner, pause *backoff) error {
	at, err := s.position(ctx, c, how)
	if err != nil {
		return err
	}
	s.n.begins(c, at.leaves.Size())
	if at.note != "" { // the last acknowledgement may have been lost
		if err := s.acknowledge(ctx, at); err != nil {
			return err
		}
	}
	asked := new(question)
	defer func() { s.asking.forget(asked.number) }()
	for {
		if asked.number == 0 {
			if asked, err = s.request(at); err != nil {
				return err
			}
			if err := s.sendFrame(ctx, asked.frame); err != nil {
				return err
			}
		}
		if at, asked, err = s.followOnce(ctx, at, asked); err != nil {
			return err
		}
		pause.now = 0
		point.At("relay.accepted-not-acknowledged")
		if err := s.acknowledge(ctx, at); err != nil {
			return err
		}
	}
}

func (s *stream) position(ctx context.Context, c liaison.CollectionID, how manner) (*position, error) {
	origin := liaison.Origin{Office: s.n.office, Collection: c, Generation: how.generation}
	p, err := s.relay.cfg.Desk.Read(ctx, s.viewer, desk.Query{What: desk.Position, Collection: c, Origin: origin})
	if err != nil {
		return nil, fmt.Errorf("position in %s: %w", origin, err)
	}
	at, err := readPosition(p.Follow)
	if err == nil && p.Before.Note != "" {
		at.beforeNote = p.Before.Note
		at.before, err = ledger.ReadCheckpoint(p.Before.Note)
	}
	at.whole = how.whole
	return &at, err
}

// question is a follow that was asked; the zero one was not.
type question struct {
	number uint32
	frame  frame
	answer chan frame
}

// request prepares the follow of what comes after a position.
func (s *stream) request(at *position) (*question, error) {
	q := new(question)
	var err error
	q.number, q.answer = s.asking.ask()
	m := follow{Number: q.number, Collection: at.origin.Collection, From: at.leaves.Size()}
	if s.version >= 2 {
		m.Generation, m.Whole = at.origin.Generation, at.whole
	}
	q.frame, err = s.relay.codec.encode(kindFollow, m)
	return q, err
}

// followOnce verifies the page that was asked for and brings it to the desk. It
// returns the position after it and, if the neighbour was asked for it
// meanwhile, what comes next.
func (s *stream) followOnce(ctx context.Context, at *position, asked *question) (*position, *question, error) {
	none := new(question)
	f, err := s.await(ctx, asked)
	if err == nil {
		err = s.refused(f, at)
	}
	if err != nil {
		return nil, none, err
	}
	release, err := s.relay.turn(ctx)
	if err != nil {
		return nil, none, err
	}
	defer release()
	p, err := s.verifyPage(at, f)
	if err != nil {
		return nil, none, err
	}
	point.At("relay.page-verified")
	next, err := s.requestAhead(&p.next)
	if err == nil {
		at, err = s.accept(ctx, p)
	}
	return at, next, err
}

// requestAhead asks for the page after one that is verified and not committed
// yet, so that the neighbour reads while we write. Others wait for their turn,
// so it does not wait for the writer.
func (s *stream) requestAhead(at *position) (*question, error) {
	q, err := s.request(at)
	if err != nil {
		return q, err
	}
	select {
	case s.out <- q.frame:
		return q, nil
	default:
		s.asking.forget(q.number)
		return new(question), nil
	}
}

func (s *stream) await(ctx context.Context, q *question) (frame, error) {
	select {
	case f := <-q.answer:
		return f, nil
	case <-ctx.Done():
		s.asking.forget(q.number)
		return frame{}, context.Cause(ctx)
	}
}

// refused is nil for a page.
func (s *stream) refused(f frame, at *position) error {
	var m refusal
	switch f.kind &^ compressed {
	case kindGone:
		return errGone
	case kindBusy:
		err := s.relay.codec.decode(f, &m)
		switch {
		case err == nil && m.Generation > 0:
			return &reopenedError{at.origin.Generation, m.Generation}
		case err != nil || !m.Behind:
			return errors.Join(err, errBusy)
		}
		return errLost
	}
	return nil
}

func (s *stream) verifyPage(at *position, f frame) (*verified, error) {
	var p page
	if err := s.relay.codec.decode(f, &p); err != nil {
		s.end(err)
		return nil, err
	}
	v := &verifier{at: at, page: &p, keys: s.relay.cfg.LogKeys, now: s.relay.cfg.Now(), pardoned: s.n.pardons(at.origin)}
	return v.verify()
}

// accept brings a verified page to the desk, with our signature under the
// neighbour's checkpoint.
func (s *stream) accept(ctx context.Context, p *verified) (*position, error) {
	p.cosigned(s.relay.cfg.Cosign(p.text))
	follow, err := p.next.follow(p.from)
	if err != nil {
		return nil, err
	}
	follow.Bare, follow.Whole = p.bare, p.next.whole
	c := p.next.origin.Collection
	outcomes, err := s.relay.cfg.Desk.Accept(ctx, s.viewer, desk.Batch{Collection: c, Items: p.items, Follow: follow})
	if err != nil {
		return nil, fmt.Errorf("page of %s from %d: %w", p.next.origin, p.from, err)
	}
	s.n.stands(c, p.next.leaves.Size(), s.relay.cfg.Now().Sub(p.next.added.Time()))
	s.relay.lookAll(func(s *stream) chan struct{} { return s.offer }) // a charter may have come
	for _, o := range outcomes {
		if o.Status != desk.Accepted && o.Status != desk.Waiting {
			s.relay.lookAll(func(s *stream) chan struct{} { return s.outbox })
			break
		}
	}
	return &p.next, nil
}

func (s *stream) acknowledge(ctx context.Context, at *position) error {
	return s.send(ctx, kindAck, ack{Collection: at.origin.Collection, Size: at.leaves.Size(), Note: at.note})
}
