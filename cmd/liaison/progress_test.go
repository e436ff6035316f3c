package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestProgressIsForWhoWatches: a file or pipe gets none, a terminal a few lines a second, each
// over the one before, and nothing is left of the last.
func TestProgressIsForWhoWatches(t *testing.T) {
	if p := newProgress(&app{err: new(bytes.Buffer)}); p.to != nil {
		t.Error("progress goes where nobody watches")
	}
	var out bytes.Buffer
	begin := time.Unix(0, 0)
	p := &progress{to: &out, started: begin}
	for ms := range 1000 {
		p.objects = ms
		p.show(begin.Add(time.Duration(ms) * time.Millisecond))
	}
	p.clear()
	p.clear()
	if n := strings.Count(out.String(), "\r\x1b[K"); n != 4 || !strings.HasSuffix(out.String(), "900 objects, 0 MiB\r\x1b[K") {
		t.Errorf("%d times in a second: %q", n, out.String())
	}
}

// TestAnInterruptedValidationIsNoVerdict: it does not say that a file is refused, or is not.
func TestAnInterruptedValidationIsNoVerdict(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	in := &interrupting{r: strings.NewReader(`{"type":"identity","id":"identity--11111111-1111-4111-8111-111111111111"}`), stop: stop}
	var out bytes.Buffer
	c := validateCmd{Files: []string{"-"}, Mode: "admit"}
	if err := c.Run(&app{ctx: ctx, in: in, out: &result{w: &out}, err: &out}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
	if strings.Contains(out.String(), "refused") {
		t.Errorf("a verdict after half of the file: %s", out.String())
	}
}

// interrupting stops the command after its first bytes.
type interrupting struct {
	r    *strings.Reader
	stop func()
}

func (i *interrupting) Read(b []byte) (int, error) {
	n, err := i.r.Read(b[:min(len(b), 8)])
	i.stop()
	return n, err
}
