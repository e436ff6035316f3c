package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
)

// offering is what a stream lets the neighbour follow.
type offering struct {
	mu      sync.Mutex
	offered map[liaison.CollectionID]bool     // as last sent; guarded by mu
	serving map[liaison.CollectionID]*serving // guarded by mu
	acks    map[liaison.CollectionID]ack      // not yet at the desk; guarded by mu
	acked   chan struct{}                     // acks came
}

// serving is a follow that waits for its page.
type serving struct {
	follow follow
	stop   context.CancelFunc
}

func (o *offering) init() {
	o.offered = map[liaison.CollectionID]bool{}
	o.serving = map[liaison.CollectionID]*serving{}
	o.acks = map[liaison.CollectionID]ack{}
	o.acked = make(chan struct{}, 1)
}

// keepOffering sends the offers and sends them again when they change. It also
// ends the stream of an office that is no longer a neighbour.
func (s *stream) keepOffering() error {
	var sent []liaison.CollectionID
	for first := true; ; first = false {
		if p, ok := s.relay.peer(s.n.office); !ok || !p.holds(s.key) {
			return errExpelled
		}
		page, err := s.relay.cfg.Desk.Read(s.ctx, s.viewer, desk.Query{What: desk.Offers})
		if s.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.n.report(fmt.Errorf("offers: %w", err))
		} else if first || !slices.Equal(sent, page.Offers) {
			sent = page.Offers
			s.offering.replace(sent)
			if err := s.send(s.ctx, kindOffers, offers{Collections: sent}); err != nil {
				return err
			}
		}
		if !s.pause(s.offer, lookEvery) {
			return nil
		}
	}
}

// pause waits until it is time to look again: after every, at once when nudged,
// but not before lookGap. It is false when the stream has ended.
func (s *stream) pause(nudged chan struct{}, every time.Duration) bool {
	if !wait(s.ctx, lookGap) {
		return false
	}
	timer := time.NewTimer(every - lookGap)
	defer timer.Stop()
	select {
	case <-nudged:
	case <-timer.C:
	case <-s.ctx.Done():
		return false
	}
	return true
}

// replace takes a new list; what is no longer on it is not served any more.
func (o *offering) replace(list []liaison.CollectionID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.offered = map[liaison.CollectionID]bool{}
	for _, c := range list {
		o.offered[c] = true
	}
	for c, f := range o.serving {
		if !o.offered[c] {
			f.stop()
		}
	}
}

// begin registers a follow; an earlier one of the same collection stops.
func (o *offering) begin(ctx context.Context, m follow) (context.Context, *serving, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old, ok := o.serving[m.Collection]; ok {
		old.stop()
	} else if len(o.serving) >= maxFollowed {
		return nil, nil, protocolError("it follows more than %d collections", maxFollowed)
	}
	ctx, stop := context.WithCancel(ctx)
	f := &serving{m, stop}
	o.serving[m.Collection] = f
	return ctx, f, nil
}

// finish forgets a follow; it is false if a later one has taken its place.
func (o *offering) finish(f *serving) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	f.stop()
	if o.serving[f.follow.Collection] != f {
		return false
	}
	delete(o.serving, f.follow.Collection)
	return true
}

func (o *offering) offers(c liaison.CollectionID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.offered[c]
}

func (s *stream) tookFollow(f frame) error {
	var m follow
	if err := s.relay.codec.decode(f, &m); err != nil {
		return err
	}
	ctx, serving, err := s.offering.begin(s.ctx, m)
	if err != nil {
		return err
	}
	s.workers.Go(func() { s.serve(ctx, serving) })
	return nil
}

// serve answers one follow: with a page as soon as there is an entry, with gone
// if the collection is not for this neighbour, with busy in case of trouble.
func (s *stream) serve(ctx context.Context, f *serving) {
	m := f.follow
	reply, err := s.nextPage(ctx, m)
	offered := s.offering.offers(m.Collection)
	if !s.offering.finish(f) || s.ctx.Err() != nil {
		return
	}
	var reopened *desk.GenerationError
	switch {
	case errors.As(err, &reopened) && offered:
		reply, err = s.relay.codec.encode(kindBusy, refusal{Number: m.Number, Generation: reopened.Now})
	case errors.Is(err, desk.ErrNotFound) || !offered:
		reply, err = s.relay.codec.encode(kindGone, refusal{Number: m.Number})
	case err != nil:
		s.n.report(fmt.Errorf("page of %s from %d: %w", m.Collection, m.From, err))
		reply, err = s.relay.codec.encode(kindBusy, refusal{Number: m.Number, Behind: errors.Is(err, desk.ErrPosition)})
	}
	if err == nil {
		_ = s.sendFrame(s.ctx, reply) // fails only when the stream has ended
	}
}

// nextPage waits for an entry at the index and returns the page from there.
func (s *stream) nextPage(ctx context.Context, m follow) (frame, error) {
	limit := s.relay.cfg.PageLimit
	for {
		if !s.offering.offers(m.Collection) {
			return frame{}, desk.ErrNotFound
		}
		p, err := s.relay.cfg.Desk.Read(ctx, s.viewer, desk.Query{
			What: desk.Log, Collection: m.Collection, From: m.From,
			Limit: limit, MaxBytes: s.relay.cfg.PageBytes, Wait: pollTime,
			Generation: m.Generation, Whole: m.Whole,
		})
		if err != nil {
			return frame{}, err
		}
		if len(p.Leaves) == 0 {
			continue
		}
		f, err := s.pageFrame(ctx, m, p)
		if !errors.Is(err, errTooLong) || limit == 1 {
			return f, err
		}
		limit = max(1, min(limit, len(p.Leaves))/2)
	}
}

// pageFrame encodes a page; pagesAtOnce bounds how many at a time.
func (s *stream) pageFrame(ctx context.Context, m follow, p *desk.Page) (frame, error) {
	release, err := s.relay.turn(ctx)
	if err != nil {
		return frame{}, err
	}
	defer release()
	out := page{Collection: m.Collection, From: m.From, Note: p.Note, Leaves: make([]pageLeaf, len(p.Leaves))}
	for i, l := range p.Leaves {
		out.Leaves[i] = pageLeaf{Leaf: l.Leaf, Travels: l.Travels, Erased: l.Erased}
	}
	f, err := s.relay.codec.encode(kindPage, out)
	f.number = m.Number
	return f, err
}

// turn waits for one of pagesAtOnce places.
func (r *Relay) turn(ctx context.Context) (release func(), err error) {
	select {
	case r.pages <- struct{}{}:
		return func() { <-r.pages }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// tookAck keeps the newest acknowledgement of each collection for keepAcks.
func (s *stream) tookAck(f frame) error {
	var m ack
	if err := s.relay.codec.decode(f, &m); err != nil {
		return err
	}
	o := &s.offering
	o.mu.Lock()
	defer o.mu.Unlock()
	if have, ok := o.acks[m.Collection]; !ok && len(o.acks) >= maxFollowed {
		return protocolError("it acknowledges more than %d collections", maxFollowed)
	} else if ok && have.Size > m.Size {
		return nil
	}
	o.acks[m.Collection] = m
	nudge(o.acked)
	return nil
}

// keepAcks hands cosigned checkpoints to the desk. One that it cannot take, for
// a key that is not here yet, is brought again.
func (s *stream) keepAcks() error {
	pause := backoff{first: s.relay.cfg.Redial}
	for {
		failed := false
		for c, m := range s.offering.pendingAcks() {
			_, err := s.relay.cfg.Desk.Accept(s.ctx, s.viewer, desk.Batch{Collection: c, Cosigned: m.Note})
			if s.ctx.Err() != nil {
				return nil
			}
			if err != nil {
				failed = true
				s.n.report(fmt.Errorf("cosignature of %s at %d: %w", c, m.Size, err))
				continue
			}
			s.offering.settle(m)
			s.relay.lookAll(func(s *stream) chan struct{} { return s.outbox })
		}
		if !s.untilAcks(failed, &pause) {
			return nil
		}
	}
}

func (s *stream) untilAcks(failed bool, pause *backoff) bool {
	var again <-chan time.Time
	if failed {
		timer := time.NewTimer(pause.next())
		defer timer.Stop()
		again = timer.C
	} else {
		pause.now = 0
	}
	select {
	case <-s.offering.acked:
	case <-again:
	case <-s.ctx.Done():
		return false
	}
	return true
}

func (o *offering) pendingAcks() map[liaison.CollectionID]ack {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := make(map[liaison.CollectionID]ack, len(o.acks))
	for c, m := range o.acks {
		list[c] = m
	}
	return list
}

// settle forgets an acknowledgement, unless a newer one came meanwhile.
func (o *offering) settle(m ack) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.acks[m.Collection] == m {
		delete(o.acks, m.Collection)
	}
}
