package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/exchange"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// envelopeObjects is how many objects a writer brings at a time.
const envelopeObjects = 100

// accepted is what the role desk prints: objects brought through desk.Accept, from
// the bytes of envelopes to durable entries with their statuses.
type accepted struct {
	Objects, Commits int
	Begun, Ended     time.Time
	CPU              float64 // microseconds an object, of the whole process
	P50, P99         float64 // milliseconds from bytes to outcomes
}

func (a *accepted) rate() float64  { return float64(a.Objects) / a.Ended.Sub(a.Begun).Seconds() }
func (a *accepted) group() float64 { return float64(a.Objects) / float64(a.Commits) }

// acceptDesk is the role: writers bring envelopes to the desk of an office that is
// there. It begins when a line comes from standard input, so that several begin at
// once.
func acceptDesk(ctx context.Context, o *options) error {
	debug.SetGCPercent(gcPercent)
	f, err := office.Open(ctx, o.Dir, office.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := o.newWriters(ctx, f)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("waiting to begin: %w", err)
	}
	var a *accepted
	err = f.Work(ctx, func(ctx context.Context) error {
		stop, err := o.startProfile()
		if err != nil {
			return err
		}
		defer stop()
		a, err = w.bring(ctx, o.Connections)
		return err
	})
	if err == nil {
		a.Commits, err = commits(ctx, f, w.collection)
	}
	if err != nil {
		return err
	}
	return json.MarshalWrite(os.Stdout, a)
}

// gcPercent is that of an office that serves.
const gcPercent = 400

// writers are who bring envelopes, each the next one.
type writers struct {
	desk       *desk.Desk
	viewer     desk.Viewer
	collection liaison.CollectionID
	bodies     [][]byte
	took       []time.Duration // for each of bodies
	next       atomic.Int64
	objects    atomic.Int64 // accepted
}

func (o *options) newWriters(ctx context.Context, f *office.Office) (*writers, error) {
	v, ok, err := f.Accounts.Authenticate(ctx, taxii.Credentials{User: demo.SampleAccount, Password: demo.SamplePassword})
	if err != nil || !ok {
		return nil, fmt.Errorf("the sample account may not log in: %w", err)
	}
	w := &writers{desk: f.Desk, viewer: v}
	if w.collection, err = collectionOf(ctx, f, v, o.Collection); err != nil {
		return nil, err
	}
	for i := 0; i < o.Objects; i += envelopeObjects {
		w.bodies = append(w.bodies, envelope(i, min(envelopeObjects, o.Objects-i), o.Size))
	}
	w.took = make([]time.Duration, len(w.bodies))
	return w, nil
}

func collectionOf(ctx context.Context, f *office.Office, v desk.Viewer, alias string) (liaison.CollectionID, error) {
	list, err := f.Desk.Collections(ctx, v)
	if err != nil {
		return liaison.CollectionID{}, err
	}
	for _, c := range list {
		if c.Alias == alias {
			return c.ID, nil
		}
	}
	return liaison.CollectionID{}, fmt.Errorf("the sample office has no collection %s", alias)
}

func (w *writers) bring(ctx context.Context, connections int) (*accepted, error) {
	used, begin := cpuTime(), time.Now()
	var all sync.WaitGroup
	errs := make(chan error, connections)
	for range connections {
		all.Go(func() {
			for i := w.next.Add(1) - 1; i < int64(len(w.bodies)); i = w.next.Add(1) - 1 {
				if err := w.bringOne(ctx, int(i)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	if err := <-errs; err != nil {
		return nil, err
	}
	a := &accepted{Objects: int(w.objects.Load()), Begun: begin, Ended: time.Now()}
	a.CPU = float64((cpuTime() - used).Microseconds()) / float64(a.Objects)
	slices.Sort(w.took)
	a.P50, a.P99 = milliseconds(w.took[len(w.took)/2]), milliseconds(w.took[len(w.took)*99/100])
	return a, nil
}

// bringOne brings one envelope. All of it must be accepted: a refusal would be
// counted as fast.
func (w *writers) bringOne(ctx context.Context, i int) error {
	start := time.Now()
	env, err := stix.ParseEnvelope(w.bodies[i], stix.DefaultLimits())
	if err != nil {
		return err
	}
	outcomes, err := w.desk.Accept(ctx, w.viewer, desk.Batch{Collection: w.collection, Items: exchange.Items(env), Status: uuid.NewString()})
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.Status != desk.Accepted {
			return fmt.Errorf("object %s: %s %s", o.ID, o.Status, o.Reason)
		}
	}
	w.objects.Add(int64(len(outcomes)))
	w.took[i] = time.Since(start)
	return nil
}

// commits counts the transactions that wrote a log: each signs one batch.
func commits(ctx context.Context, f *office.Office, c liaison.CollectionID) (n int, err error) {
	err = f.Store.View(ctx, func(v store.View) error {
		return v.Range(c, 0, store.MaxEntries, store.Proof, func(e *store.Entry) error {
			var p liaison.BatchProof
			if err := json.Unmarshal(e.Batch, &p); err != nil {
				return err
			}
			if p.Index == 0 {
				n++
			}
			return nil
		})
	})
	return n, err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// startProfile begins a CPU profile of this side, if one is asked for.
func (o *options) startProfile() (stop func(), err error) {
	if o.Profile == "" {
		return func() {}, nil
	}
	f, err := os.Create(o.Profile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}
