package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
)

// stream is a connection with a neighbour that proved who it is. One goroutine
// reads and never waits for anything else; one writes; the others work.
type stream struct {
	relay   *Relay
	n       *neighbour
	viewer  desk.Viewer
	dialler liaison.Office
	key     []byte // the neighbour's relay key
	raw     net.Conn
	conn    *tls.Conn
	in      *bufio.Reader
	since   time.Time
	ctx     context.Context // the stream's life; its cause says why it ended
	end     context.CancelCauseFunc
	done    chan struct{} // closed when everything of the stream has stopped
	workers sync.WaitGroup

	out    chan frame    // to the writer
	offer  chan struct{} // look at the offers again
	outbox chan struct{} // look at the outbox again

	offering offering
	asking   asking
	returns  returns
	recalls  recalls
	version  int // of the protocol
}

// Why streams end, beside what the network and the neighbour do.
var (
	errReplaced = errors.New("another stream with the same office took over")
	errSecond   = errors.New("there is a stream with this office already")
	errExpelled = errors.New("the office is no longer a neighbour")
	errStopped  = errors.New("the office stops")
	errClosed   = errors.New("the neighbour closed the connection")
	errSilent   = fmt.Errorf("nothing came from the neighbour for %s", deadAfter)
)

// byeError is the neighbour's word for why it closed.
type byeError struct{ reason string }

func (e *byeError) Error() string {
	return fmt.Sprintf("the neighbour closed the stream: %.500q", e.reason)
}

// superseded reports whether a stream ended because there is a better one.
func superseded(err error) bool {
	var b *byeError
	return errors.Is(err, errReplaced) || errors.Is(err, errSecond) ||
		errors.As(err, &b) && (b.reason == errReplaced.Error() || b.reason == errSecond.Error())
}

// clockError says that two clocks are too far apart to judge instants.
type clockError struct {
	office      liaison.Office
	here, there liaison.Instant
}

func (e *clockError) Error() string {
	return fmt.Sprintf("the clocks are more than %s apart: here it is %s, %s says %s; nothing is accepted until they agree",
		ClockSlack, e.here, e.office, e.there)
}

// meet takes a connection from handshake to its end. Want is the office that
// was dialled; met is called when the other side is known or never will be.
func (r *Relay) meet(ctx context.Context, conn net.Conn, want liaison.Office, met func()) error {
	defer conn.Close()
	s, err := r.greet(ctx, conn, want)
	met()
	var stranger *strangerError
	if errors.As(err, &stranger) {
		r.logStranger(stranger, conn.RemoteAddr().String())
	}
	if err != nil {
		return err
	}
	if !s.n.adopt(s) {
		s.farewell(errSecond)
		return nil
	}
	defer s.n.leave(s)
	s.n.well()
	s.n.log.Info("relay connected", "dialled_by", string(s.dialler))
	err = s.run()
	s.n.log.Info("relay disconnected", "err", err)
	if ctx.Err() != nil {
		return nil
	}
	s.n.report(err)
	return err
}

// greet shakes hands and exchanges hellos, within meetingTime.
func (r *Relay) greet(ctx context.Context, conn net.Conn, want liaison.Office) (*stream, error) {
	meeting, cancel := context.WithTimeout(ctx, meetingTime)
	defer cancel()
	stop := context.AfterFunc(meeting, func() { conn.Close() })
	tc, office, key, err := r.secure(meeting, lively{conn}, want)
	if err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	s := r.newStream(ctx, conn, tc, office, key, want)
	if err := s.hello(); err != nil {
		s.n.report(err)
		s.farewell(err)
		s.end(err)
		return nil, err
	}
	if !stop() {
		return nil, context.Cause(meeting)
	}
	return s, nil
}

func (r *Relay) newStream(ctx context.Context, raw net.Conn, tc *tls.Conn, office liaison.Office, key []byte, want liaison.Office) *stream {
	s := &stream{
		relay: r, n: r.neighbour(office), viewer: r.cfg.Viewer(office), dialler: office, key: key,
		raw: raw, conn: tc, in: bufio.NewReaderSize(tc, 64<<10), since: r.cfg.Now(), done: make(chan struct{}),
		out: make(chan frame, queuedFrames), offer: make(chan struct{}, 1), outbox: make(chan struct{}, 1),
	}
	if want != "" {
		s.dialler = r.cfg.Office
	}
	s.ctx, s.end = context.WithCancelCause(ctx)
	s.offering.init()
	s.asking.init()
	s.returns.init()
	s.recalls.init()
	if s.version = 1; tc.ConnectionState().NegotiatedProtocol == ALPN {
		s.version = 2
	}
	return s
}

// hello introduces both sides. Both write at once, so writing does not wait
// for reading.
func (s *stream) hello() error {
	f, err := s.relay.codec.encode(kindHello, hello{Office: s.relay.cfg.Office, Time: s.relay.now()})
	if err != nil {
		return err
	}
	wrote := make(chan error, 1)
	go func() { _, err := s.conn.Write(f.append(nil)); wrote <- err }()
	got, err := s.readHello()
	if err := errors.Join(err, <-wrote); err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	if got.Office != s.n.office {
		return protocolError("it presents itself as %.80q with the key of %s", got.Office, s.n.office)
	}
	return s.relay.checkClock(s.n.office, got.Time)
}

func (s *stream) readHello() (h hello, err error) {
	f, err := readFrame(s.in, maxHello)
	switch {
	case err != nil:
		s.raw.Close() // nothing else will come; do not wait for our hello to be read
		return h, err
	case f.kind == kindBye:
		return h, s.tookBye(f)
	case f.kind != kindHello:
		return h, protocolError("it began with %s", f.kind)
	}
	return h, s.relay.codec.decode(f, &h)
}

func (r *Relay) now() liaison.Instant { return liaison.InstantOf(r.cfg.Now()) }

func (r *Relay) checkClock(o liaison.Office, there liaison.Instant) error {
	here := r.now()
	if d := here.Time().Sub(there.Time()).Abs(); d > ClockSlack {
		return &clockError{o, here, there}
	}
	return nil
}

// farewell says why and closes. It waits a second at most.
func (s *stream) farewell(why error) {
	hard := time.AfterFunc(time.Second, func() { s.raw.Close() })
	defer hard.Stop()
	defer s.raw.Close()
	if f, err := s.relay.codec.encode(kindBye, bye{Reason: why.Error()}); err == nil && len(f.body) <= maxHello {
		_, _ = s.conn.Write(f.append(nil)) // the connection is given up either way
		_ = s.conn.CloseWrite()
	}
}

// run works until the stream ends, and returns why.
func (s *stream) run() error {
	defer close(s.done)
	for _, work := range []func() error{s.write, s.read, s.keepOffering, s.keepPinging, s.keepAcks, s.keepEvidence, s.keepReturning, s.keepAnswering, s.keepRecalling} {
		s.workers.Go(func() {
			if err := work(); err != nil {
				s.end(err)
			}
		})
	}
	<-s.ctx.Done()
	err := context.Cause(s.ctx)
	if errors.Is(err, context.Canceled) {
		err = errStopped
	}
	hard := time.AfterFunc(time.Second, func() { s.raw.Close() })
	s.workers.Wait()
	hard.Stop()
	return err
}

// write is the one goroutine that writes. When the stream ends it says why.
func (s *stream) write() error {
	var buf []byte
	for {
		select {
		case f := <-s.out:
			buf = f.append(buf[:0])
			if _, err := s.conn.Write(buf); err != nil {
				s.raw.Close()
				return fmt.Errorf("write %s: %w", f.kind, err)
			}
		case <-s.ctx.Done():
			why := context.Cause(s.ctx)
			if errors.Is(why, context.Canceled) {
				why = errStopped
			}
			s.farewell(why)
			return nil
		}
	}
}

// send queues a message for the writer; a slow neighbour makes it wait.
func (s *stream) send(ctx context.Context, k kind, m any) error {
	f, err := s.relay.codec.encode(k, m)
	if err != nil {
		return err
	}
	return s.sendFrame(ctx, f)
}

func (s *stream) sendFrame(ctx context.Context, f frame) error {
	select {
	case s.out <- f:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// read is the one goroutine that reads. It hands on and never waits, so that
// two sides that send much cannot block each other.
func (s *stream) read() error {
	for {
		f, err := readFrame(s.in, MaxFrame)
		if err == nil {
			err = s.take(f)
		}
		switch {
		case errors.Is(err, io.EOF):
			return errClosed
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errSilent
		case err != nil:
			return err
		}
	}
}

func (s *stream) take(f frame) error {
	switch f.kind &^ compressed {
	case kindPing:
		return s.tookPing(f)
	case kindBye:
		return s.tookBye(f)
	case kindOffers:
		return s.tookOffers(f)
	case kindFollow:
		return s.tookFollow(f)
	case kindPage:
		return s.asking.answer(f.number, f)
	case kindGone, kindBusy:
		var m refusal
		if err := s.relay.codec.decode(f, &m); err != nil {
			return err
		}
		return s.asking.answer(m.Number, f)
	case kindAck:
		return s.tookAck(f)
	case kindEvidence:
		return s.tookEvidence(f)
	case kindDelivered:
		return s.tookDelivered(f)
	case kindRecall:
		return s.tookRecall(f)
	case kindRecalled:
		return s.tookRecalled(f)
	}
	return protocolError("a second %s", f.kind)
}

func (s *stream) tookPing(f frame) error {
	var m ping
	if err := s.relay.codec.decode(f, &m); err != nil {
		return err
	}
	return s.relay.checkClock(s.n.office, m.Time)
}

func (s *stream) tookBye(f frame) error {
	var m bye
	if err := s.relay.codec.decode(f, &m); err != nil {
		return err
	}
	return &byeError{m.Reason}
}

// keepPinging keeps an idle stream alive. With frames waiting it is not idle.
func (s *stream) keepPinging() error {
	for wait(s.ctx, pingEvery) {
		f, err := s.relay.codec.encode(kindPing, ping{Time: s.relay.now()})
		if err != nil {
			return err
		}
		select {
		case s.out <- f:
		default:
		}
	}
	return nil
}
