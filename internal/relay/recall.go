package relay

import (
	"errors"
	"fmt"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
)

// recalls are the questions about the asker's own logs, one at a time in each
// direction (version 2).
type recalls struct {
	asked    chan frame    // by the neighbour; takes one
	answered chan frame    // to us; takes one
	told     chan struct{} // closed when the neighbour has told what it knows of our logs
}

func (r *recalls) init() {
	r.asked = make(chan frame, 1)
	r.answered = make(chan frame, 1)
	r.told = make(chan struct{})
}

func (s *stream) tookRecall(f frame) error {
	return s.hand(s.recalls.asked, f, "recall before the one before was answered")
}

func (s *stream) tookRecalled(f frame) error {
	return s.hand(s.recalls.answered, f, "recalled without recall")
}

// hand gives a frame to a place that is free by the protocol's rules.
func (s *stream) hand(place chan frame, f frame, fault string) error {
	if s.version < 2 {
		return protocolError("a frame of unknown %s", f.kind)
	}
	select {
	case place <- f:
		return nil
	default:
		return protocolError("%s", fault)
	}
}

// keepAnswering tells the neighbour what is known here of its own logs.
func (s *stream) keepAnswering() error {
	for {
		select {
		case f := <-s.recalls.asked:
			if err := s.answer(f); err != nil {
				return err
			}
		case <-s.ctx.Done():
			return nil
		}
	}
}

func (s *stream) answer(f frame) error {
	var m recall
	if err := s.relay.codec.decode(f, &m); err != nil {
		return err
	}
	q := desk.Query{What: desk.Recall, Collection: m.Collection, From: m.From, After: m.After, Limit: s.relay.cfg.PageLimit, MaxBytes: s.relay.cfg.PageBytes}
	if m.Collection == (liaison.CollectionID{}) {
		q.What = desk.Heads
	}
	for {
		p, err := s.relay.cfg.Desk.Read(s.ctx, s.viewer, q)
		if s.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("what is known here of the log of %s: %w", m.Collection, err)
		}
		err = s.send(s.ctx, kindRecalled, recalled{Heads: p.Heads, Doubtful: p.Doubtful, Returned: p.Returned, After: p.After})
		if !errors.Is(err, errTooLong) || q.Limit == 1 {
			return err
		}
		q.Limit = max(1, min(q.Limit, len(p.Returned))/2)
	}
}

// recallAfter is how long after the beginning of a stream the first question
// comes: the offers go first, whatever runs first.
const recallAfter = lookGap / 2

// answerTime bounds how long an answer may take: nothing is followed before the
// first one.
const answerTime = 2 * time.Minute

// keepRecalling asks the neighbour what it knows of this office's own logs, when
// the stream begins, and for the leaves of those that have lost some.
func (s *stream) keepRecalling() error {
	if s.version < 2 {
		close(s.recalls.told) // as far as it can
		return nil
	}
	if !wait(s.ctx, recallAfter) {
		return nil
	}
	pause := backoff{first: s.relay.cfg.Redial}
	for after := ""; ; {
		m, err := s.recallOnce(recall{After: after})
		if err != nil || m == nil {
			return err
		}
		if after = m.After; s.tell(liaison.CollectionID{}, &desk.Told{Heads: m.Heads, Doubtful: m.Doubtful, All: after == ""}, &pause) != nil {
			return nil
		}
		if after == "" {
			break
		}
	}
	close(s.recalls.told)
	done := map[liaison.CollectionID]desk.Doubt{}
	for {
		asked, err := s.recallDoubts(done, &pause)
		if err != nil {
			return err
		}
		if !asked && !s.pause(nil, outboxEvery) {
			return nil
		}
	}
}

// recallDoubts asks for the leaves of every log that has lost some, once on each
// stream.
func (s *stream) recallDoubts(done map[liaison.CollectionID]desk.Doubt, pause *backoff) (asked bool, err error) {
	p, err := s.relay.cfg.Desk.Read(s.ctx, s.viewer, desk.Query{What: desk.Doubts})
	if s.ctx.Err() != nil {
		return false, nil
	}
	if err != nil {
		s.n.report(fmt.Errorf("logs of this office that are stopped: %w", err))
		return false, nil
	}
	for _, q := range p.Doubts {
		if last, ok := done[q.Collection]; ok && last.To >= q.To {
			continue
		}
		done[q.Collection], asked = q, true
		if err := s.recallLog(q, pause); err != nil {
			return asked, err
		}
	}
	return asked, nil
}

// recallLog asks for the leaves of one log. What this office has not signed ends
// it: the neighbour has nothing to give back then.
func (s *stream) recallLog(q desk.Doubt, pause *backoff) error {
	for after := ""; ; {
		m, err := s.recallOnce(recall{Collection: q.Collection, From: q.From, After: after})
		if err != nil || m == nil {
			return err
		}
		after = m.After
		err = s.tell(q.Collection, &desk.Told{Returned: m.Returned, Done: after == ""}, pause)
		if errors.Is(err, desk.ErrNotSigned) {
			s.n.reportOn(q.Collection, err)
			return nil
		}
		if err != nil || after == "" {
			return nil
		}
	}
}

// recallOnce asks and waits for the answer; nil when the stream has ended.
func (s *stream) recallOnce(q recall) (*recalled, error) {
	if err := s.send(s.ctx, kindRecall, q); err != nil {
		return nil, nil // the stream has ended
	}
	late := time.NewTimer(answerTime)
	defer late.Stop()
	select {
	case f := <-s.recalls.answered:
		m := new(recalled)
		return m, s.relay.codec.decode(f, m)
	case <-late.C:
		return nil, protocolError("recall was not answered within %s", answerTime)
	case <-s.ctx.Done():
		return nil, nil
	}
}

// tell brings an answer to the desk, again and again while the office cannot
// write. The error is desk.ErrNotSigned, or that of the stream.
func (s *stream) tell(c liaison.CollectionID, t *desk.Told, pause *backoff) error {
	for {
		_, err := s.relay.cfg.Desk.Accept(s.ctx, s.viewer, desk.Batch{Collection: c, Told: t})
		if err == nil || errors.Is(err, desk.ErrNotSigned) {
			pause.now = 0
			return err
		}
		if s.ctx.Err() == nil {
			s.n.report(fmt.Errorf("what it knows of this office's logs: %w", err))
		}
		if !wait(s.ctx, pause.next()) {
			return s.ctx.Err()
		}
	}
}
