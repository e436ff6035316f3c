package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// Load is what clients write. They go on in the office that was started again,
// and send again half of what had no answer.
type Load struct {
	Writers int // connections that POST; 3
	Objects int // of an envelope; 5

	// Patient clients send again what the office cannot store at the moment (503).
	Patient bool

	Requests atomic.Int64 // acknowledged
	Waiting  atomic.Int64 // without an answer
	Refused  atomic.Int64 // for the moment

	oracle *Oracle
	client func(address string) *taxii.Client
	seed   uint64
	next   atomic.Int64 // number of the next object

	mu         sync.Mutex
	random     *rand.Rand // guarded by mu
	unanswered []int      // first objects of envelopes to be sent again; guarded by mu
}

// refusedPause is how long patient clients wait. Retry-After says longer, for
// people's sake.
const refusedPause = 20 * time.Millisecond

func newLoad(o *Oracle, seed uint64, client func(address string) *taxii.Client) *Load {
	return &Load{Writers: 3, Objects: 5, oracle: o, client: client, seed: seed, random: rand.New(rand.NewPCG(seed, 2))}
}

// every is how many objects there are for each that is a later version of
// another.
const every = 8

// object returns the n-th object the clients send.
func (l *Load) object(n int) (Sent, []byte) {
	of, version := n, "2026-01-01T00:00:00.000Z"
	if n%every == every-1 {
		of, version = n-n%every, "2026-01-02T00:00:00.000Z"
	}
	id := "note--" + uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "fault %d %d", l.seed, of)).String()
	text := strings.Repeat("words of a fault campaign ", 1+n%97)
	b := fmt.Appendf(nil, `{"type":"note","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"%s",`+
		`"object_marking_refs":["%s"],"content":"%d: %s","object_refs":["%s"]}`, id, version, stix.Green.Marking(), n, text, id)
	return Sent{ID: id, Version: version, SHA256: digest(b)}, b
}

// envelope returns the objects from, from+1, … and the body of their POST.
func (l *Load) envelope(from int) (list []Sent, body []byte) {
	var w bytes.Buffer
	w.WriteString(`{"objects":[`)
	for i := range l.Objects {
		s, b := l.object(from + i)
		if list = append(list, s); i > 0 {
			w.WriteByte(',')
		}
		w.Write(b)
	}
	w.WriteString(`]}`)
	return list, w.Bytes()
}

// take returns the first object of the next envelope.
func (l *Load) take() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.unanswered); n > 0 {
		from := l.unanswered[n-1]
		l.unanswered = l.unanswered[:n-1]
		return from
	}
	return int(l.next.Add(int64(l.Objects))) - l.Objects
}

func (l *Load) lost(from int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.random.IntN(2) == 0 {
		l.unanswered = append(l.unanswered, from)
	}
}

// Write POSTs from several connections until ctx ends or each has met an error;
// it returns the answers that were no success.
func (l *Load) Write(ctx context.Context, address string) error {
	var wg sync.WaitGroup
	errs := make([]error, l.Writers)
	for i := range errs {
		wg.Go(func() { errs[i] = l.write(ctx, address) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// write returns nil when there is no answer any more: then the office is gone.
func (l *Load) write(ctx context.Context, address string) error {
	c := l.client(address)
	defer c.HTTP.CloseIdleConnections()
	for ctx.Err() == nil {
		err := l.Post(ctx, c)
		var answered *taxii.ResponseError
		switch {
		case errors.As(err, &answered) && answered.Status == http.StatusServiceUnavailable && l.Patient:
			l.Refused.Add(1)
			time.Sleep(refusedPause)
		case errors.As(err, &answered), errors.Is(err, errAnswer):
			return err
		case err != nil:
			return nil
		}
	}
	return nil
}

// errAnswer says that a success could not be understood or was none.
var errAnswer = errors.New("the answer is not what it should be")

// Post sends one envelope and tells the oracle what was meant, what was
// acknowledged, and the receipt of one of the objects.
func (l *Load) Post(ctx context.Context, c *taxii.Client) error {
	from := l.take()
	list, body := l.envelope(from)
	if err := l.oracle.Intend(list); err != nil {
		return err
	}
	l.Waiting.Add(1)
	status, err := c.Add(ctx, taxii.RootPath, demo.SampleCollection, body)
	l.Waiting.Add(-1)
	if err != nil {
		l.lost(from)
		return err
	}
	acks, err := acknowledged(status, list)
	if err != nil {
		return err
	}
	if err := l.oracle.Acknowledge(acks); err != nil {
		return err
	}
	l.Requests.Add(1)
	receipt, err := getReceipt(ctx, c, acks[from%len(acks)].Receipt)
	if err != nil {
		return err
	}
	return l.oracle.Keep(receipt)
}

// acknowledged reads a status: every object of the envelope must be a success.
func acknowledged(status taxii.Status, list []Sent) (acks []Ack, err error) {
	if status.FailureCount > 0 {
		return nil, fmt.Errorf("%w: %s refused: %s", errAnswer, status.Failures[0].ID, status.Failures[0].Message)
	}
	sent := map[key]Sent{}
	for _, s := range list {
		sent[key{s.ID, s.Version}] = s
	}
	for _, s := range status.Successes {
		var other struct {
			Receipt string `json:"x_receipt"`
		}
		if err := json.Unmarshal(s.Other, &other); err != nil {
			return nil, fmt.Errorf("%w: %w", errAnswer, err)
		}
		it, ok := sent[key{s.ID, s.Version}]
		if !ok || other.Receipt == "" {
			return nil, fmt.Errorf("%w: a success for %s %s, receipt %q", errAnswer, s.ID, s.Version, other.Receipt)
		}
		acks = append(acks, Ack{it, other.Receipt})
	}
	if len(acks) != len(list) {
		return nil, fmt.Errorf("%w: %d successes for %d objects", errAnswer, len(acks), len(list))
	}
	return acks, nil
}

// getReceipt reads a receipt with its object.
func getReceipt(ctx context.Context, c *taxii.Client, path string) ([]byte, error) {
	u := *c.Base
	u.Path, u.RawQuery = path, "object=1"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Credentials.Token)
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &taxii.ResponseError{Status: resp.StatusCode, Message: taxii.ErrorMessage{Title: "receipt " + path, Description: string(b)}}
	}
	return b, err
}

// Until returns when condition holds or stop is closed.
func until(stop <-chan struct{}, condition func() bool) {
	for !condition() {
		select {
		case <-stop:
			return
		case <-time.After(50 * time.Microsecond):
		}
	}
}
