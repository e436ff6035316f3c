package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// TestFinishingChecksEndWithTheCommand: who interrupts while translations are compared waits
// for no more of them.
func TestFinishingChecksEndWithTheCommand(t *testing.T) {
	const note = `{"type":"note","spec_version":"2.1","id":"note--11111111-1111-4111-8111-111111111111","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","content":"a note","object_refs":["note--11111111-1111-4111-8111-111111111111"]}`
	in := bytes.NewBufferString(note)
	const translations = 2000
	for n := range translations {
		fmt.Fprintf(in, "\n"+`{"type":"language-content","spec_version":"2.1","id":"language-content--11111111-1111-4111-8111-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","object_ref":"note--11111111-1111-4111-8111-111111111111","contents":{"uk":{"content":["no text"]}}}`, n)
	}
	ctx, stop := context.WithCancel(t.Context())
	out := &interruptingOutput{at: "/contents/uk", stop: stop}
	c := validateCmd{Files: []string{"-"}, Mode: "admit"}
	err := c.Run(&app{globals: globals{JSON: true}, ctx: ctx, in: in, out: &result{w: out}, err: new(bytes.Buffer)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
	if n := strings.Count(out.String(), out.at); n == 0 || n > translations/2 {
		t.Errorf("%d of %d translations were compared", n, translations)
	}
}

// interruptingOutput stops the command when it writes a text.
type interruptingOutput struct {
	bytes.Buffer
	at   string
	stop func()
}

func (i *interruptingOutput) Write(b []byte) (int, error) {
	if strings.Contains(string(b), i.at) {
		i.stop()
	}
	return i.Buffer.Write(b)
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
