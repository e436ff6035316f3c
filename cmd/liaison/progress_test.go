package main

import (
	"bytes"
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
