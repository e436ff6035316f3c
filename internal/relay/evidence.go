package relay

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
)

// returns is the evidence that travels back over a stream, one frame at a time
// in each direction.
type returns struct {
	came     chan frame    // evidence from the neighbour; takes one
	answered chan []string // keys of ours that were delivered; takes one
}

func (r *returns) init() {
	r.came = make(chan frame, 1)
	r.answered = make(chan []string, 1)
}

func (s *stream) tookEvidence(f frame) error {
	select {
	case s.returns.came <- f:
		return nil
	default:
		return protocolError("evidence before the one before was delivered")
	}
}

func (s *stream) tookDelivered(f frame) error {
	var m delivered
	if err := s.relay.codec.decode(f, &m); err != nil {
		return err
	}
	select {
	case s.returns.answered <- m.Keys:
		return nil
	default:
		return protocolError("delivered without evidence")
	}
}

// keepEvidence brings the neighbour's evidence to the desk, again and again
// until the desk has it, and then says so.
func (s *stream) keepEvidence() error {
	for {
		select {
		case f := <-s.returns.came:
			var m evidenceIn
			if err := s.relay.codec.decode(f, &m); err != nil {
				return err
			}
			if len(m.Evidence) == 0 || len(m.Evidence) > maxEvidence {
				return protocolError("%d pieces of evidence, want 1 to %d", len(m.Evidence), maxEvidence)
			}
			if err := s.takeEvidence(m.Evidence); err != nil {
				return err
			}
		case <-s.ctx.Done():
			return nil
		}
	}
}

func (s *stream) takeEvidence(list []desk.Evidence) error {
	pause := backoff{first: s.relay.cfg.Redial}
	for {
		_, err := s.relay.cfg.Desk.Accept(s.ctx, s.viewer, desk.Batch{Collection: list[0].Collection, Evidence: list})
		if err == nil {
			break
		}
		if s.ctx.Err() == nil {
			s.n.report(fmt.Errorf("evidence for %s: %w", list[0].Collection, err))
		}
		if !wait(s.ctx, pause.next()) {
			return nil
		}
	}
	s.relay.lookAll(func(s *stream) chan struct{} { return s.outbox }) // it goes on towards the act's office
	m := delivered{Keys: make([]string, len(list))}
	for i := range list {
		m.Keys[i] = list[i].Key
	}
	return s.send(s.ctx, kindDelivered, m)
}

// keepReturning sends what waits for the neighbour, one frame at a time, until
// the neighbour has it.
func (s *stream) keepReturning() error {
	for {
		sent, err := s.returnSome()
		if s.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.n.report(err)
		}
		if (err != nil || sent == 0) && !s.pause(s.outbox, outboxEvery) {
			return nil
		}
	}
}

// returnSome sends a frame of evidence and waits until it is delivered.
func (s *stream) returnSome() (sent int, err error) {
	p, err := s.relay.cfg.Desk.Read(s.ctx, s.viewer, desk.Query{What: desk.Outbox})
	if err != nil || len(p.Outbox) == 0 {
		return 0, err
	}
	m, keys, err := bundle(p.Outbox)
	if err != nil {
		return 0, err
	}
	if err := s.send(s.ctx, kindEvidence, m); err != nil {
		return 0, err
	}
	select {
	case got := <-s.returns.answered:
		if !slices.Equal(got, keys) {
			s.end(protocolError("delivered names other evidence than was sent"))
			return 0, nil
		}
	case <-s.ctx.Done():
		return 0, nil
	}
	return len(keys), s.forgetDelivered(p.Outbox[0].Collection, keys)
}

func (s *stream) forgetDelivered(c liaison.CollectionID, keys []string) error {
	if _, err := s.relay.cfg.Desk.Accept(s.ctx, s.viewer, desk.Batch{Collection: c, Delivered: keys}); err != nil {
		return fmt.Errorf("evidence delivered for %s: %w", c, err)
	}
	return nil
}

// bundle takes from the front of the list what fits into a frame: evidence
// about one collection, since it is committed under that one's lock.
func bundle(list []desk.Evidence) (m evidence, keys []string, err error) {
	size := 0
	for i := range list {
		if len(keys) == maxEvidence || list[i].Collection != list[0].Collection {
			break
		}
		b, err := json.Marshal(&list[i])
		if err != nil {
			return m, nil, fmt.Errorf("evidence %s: %w", list[i].Key, err)
		}
		if size += len(b); size > maxEvidenceSize && i > 0 {
			break
		}
		m.Evidence, keys = append(m.Evidence, jsontext.Value(b)), append(keys, list[i].Key)
	}
	return m, keys, nil
}
