package fault

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// maxMoment bounds the random moment of a kill after the first answer.
const maxMoment = 60 * time.Millisecond

// kills ends an office with kill -9 again and again, each time while a POST is
// unanswered, and starts it again.
func kills(ctx context.Context, c *Campaign, r *Result) error {
	s, err := c.newSite(r, r.Fault)
	if err != nil {
		return err
	}
	defer s.Close()
	random := rand.New(rand.NewPCG(c.Seed, 1))
	for range c.count(r.Fault, 200, 2000) {
		p, err := s.Start(ctx)
		if err != nil {
			return err
		}
		s.killWhileWriting(ctx, p, time.Duration(random.Int64N(int64(maxMoment))))
		r.Count++
	}
	return s.Check(ctx)
}

// killWhileWriting lets clients write, and kills the office so long after the
// first answer, while a POST is unanswered.
func (s *Site) killWhileWriting(ctx context.Context, p *Process, moment time.Duration) {
	s.whileWriting(ctx, p, func(over <-chan struct{}) {
		s.awaitMoment(over, moment)
		p.Kill()
	})
}

// awaitMoment returns so long after the next answer, while a POST is unanswered,
// or when no client writes any more.
func (s *Site) awaitMoment(over <-chan struct{}, moment time.Duration) {
	before := s.Load.Requests.Load()
	until(over, func() bool { return s.Load.Requests.Load() > before })
	time.Sleep(moment) // the fault's moment, not a wait for anything
	until(over, func() bool { return s.Load.Waiting.Load() > 0 })
}

// whileWriting lets clients write, and one ask who is in no programme, while do
// runs, and notes the answers that were no success: an office that is not broken
// yet gives none. over is closed when the clients have stopped, because the office
// is gone or answers them so.
func (s *Site) whileWriting(ctx context.Context, p *Process, do func(over <-chan struct{})) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { s.watchOutsider(ctx, p.Address) })
	defer watching.Wait()
	var err error
	go func() {
		defer close(over)
		err = s.Load.Write(ctx, p.Address)
	}()
	do(over)
	cancel()
	<-over
	if err != nil {
		s.r.Fail(&s.r.Wrong, "a client was answered: %v", err)
	}
}
