package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/taxii"
)

// result is what a campaign found.
type result struct {
	seed                          uint64
	kills, acknowledged, requests int
	lost, changed, duplicated     int
	receipts, badReceipts         int
	fsck                          []string
	first                         []string // the first few failures, by name
	took                          time.Duration
}

func (r *result) String() string {
	return fmt.Sprintf("%d kills (seed %d), %d acknowledged objects in %d requests: %d lost, %d changed, %d duplicated; %d receipts, %d that fail; fsck: %d problems; %s",
		r.kills, r.seed, r.acknowledged, r.requests, r.lost, r.changed, r.duplicated, r.receipts, r.badReceipts, len(r.fsck), r.took.Round(time.Second))
}

func (r *result) err() error {
	if r.lost+r.changed+r.duplicated+r.badReceipts+len(r.fsck) == 0 {
		return nil
	}
	return fmt.Errorf("promises broken: %s", strings.Join(append(r.first, r.fsck...), "; "))
}

func (r *result) fail(count *int, format string, args ...any) {
	*count++
	if len(r.first) < 10 {
		r.first = append(r.first, fmt.Sprintf(format, args...))
	}
}

// campaign kills an office o.Kills times and checks what is left. command
// serves a folder that is appended to it.
func campaign(ctx context.Context, o *options, command []string) (*result, error) {
	begin := time.Now()
	dir, err := os.MkdirTemp("", "liaison-kill-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	folder := filepath.Join(dir, "office")
	if err := demo.Prepare(ctx, folder, office.Config{Exchange: "127.0.0.1:0", Relay: "127.0.0.1:0"}); err != nil {
		return nil, err
	}
	oracle, err := newOracle(o.Oracle)
	if err != nil {
		return nil, err
	}
	defer oracle.close()
	r := &result{seed: o.Seed}
	random := rand.New(rand.NewPCG(o.Seed, 1))
	w := &writers{options: o, oracle: oracle}
	for r.kills < o.Kills {
		if err := w.round(ctx, command, folder, random); err != nil {
			return nil, fmt.Errorf("round %d (seed %d): %w", r.kills, o.Seed, err)
		}
		r.kills++
	}
	r.requests = int(w.requests.Load())
	if err := check(ctx, command, folder, oracle, r); err != nil {
		return nil, err
	}
	r.took = time.Since(begin)
	return r, nil
}

// writers POST without end and tell the oracle what was acknowledged.
type writers struct {
	*options
	oracle   *oracle
	next     atomic.Int64 // number of the next object
	requests atomic.Int64 // acknowledged requests
	waiting  atomic.Int64 // requests without an answer
}

// round starts the office, writes, and kills it at a random moment while a
// request is unanswered.
func (w *writers) round(ctx context.Context, command []string, folder string, random *rand.Rand) error {
	p, err := start(ctx, command, folder)
	if err != nil {
		return err
	}
	before := w.requests.Load()
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	failed := make(chan error, w.Writers)
	for range w.Writers {
		wg.Go(func() { failed <- w.write(ctx, p.address) })
	}
	err = w.await(failed, before+1)
	time.Sleep(time.Duration(random.IntN(60_000)) * time.Microsecond) // the fault's moment, not a wait for anything
	for err == nil && w.waiting.Load() == 0 {
		time.Sleep(10 * time.Microsecond)
	}
	p.kill()
	cancel()
	wg.Wait()
	close(failed)
	for e := range failed {
		var answered *taxii.ResponseError
		if errors.As(e, &answered) {
			err = errors.Join(err, e) // the office answered, and not with success
		}
	}
	return err
}

// await returns when so many requests were acknowledged or a writer failed
// while the office was alive.
func (w *writers) await(failed <-chan error, requests int64) error {
	for w.requests.Load() < requests {
		select {
		case err := <-failed:
			if err != nil {
				return err
			}
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// write POSTs until a request has no answer: then the office is gone.
func (w *writers) write(ctx context.Context, address string) error {
	c := newClient(address)
	for ctx.Err() == nil {
		from := int(w.next.Add(int64(w.Objects))) - w.Objects
		w.waiting.Add(1)
		acks, err := post(ctx, c, from, w.Objects)
		w.waiting.Add(-1)
		if err != nil {
			return err
		}
		if err := w.oracle.acknowledge(acks); err != nil {
			return err
		}
		w.requests.Add(1)
	}
	return nil
}

// process is a serving office.
type process struct {
	cmd     *exec.Cmd
	address string
}

func start(ctx context.Context, command []string, folder string) (*process, error) {
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], folder)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the office did not start: %w", err), cmd.Wait())
	}
	return &process{cmd, strings.TrimSpace(line)}, nil
}

// kill is kill -9.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// serve runs the office of a folder and prints its address.
func serve(ctx context.Context, folder string) error {
	o, err := office.Open(ctx, folder, office.Options{})
	if err != nil {
		return err
	}
	defer o.Close()
	if err := o.Listen(); err != nil {
		return err
	}
	address, _ := o.Addresses()
	fmt.Println(address)
	return o.Run(ctx)
}
