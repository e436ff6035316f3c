package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progressEvery is how often progress is shown.
const progressEvery = 300 * time.Millisecond

// progress says on a terminal how far a long reading is. To a file or pipe it says nothing.
type progress struct {
	to      io.Writer // nil if nobody watches
	shown   time.Time
	started time.Time
	said    bool
	objects int
	bytes   int64
}

func newProgress(a *app) *progress {
	p := &progress{started: time.Now()}
	if f, ok := a.err.(*os.File); ok && isTerminal(f) {
		p.to = f
	}
	return p
}

// count returns r; what is read from it is counted.
func (p *progress) count(r io.Reader) io.Reader { return &counted{r, p} }

type counted struct {
	r io.Reader
	p *progress
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.p.bytes += int64(n)
	c.p.show(time.Now())
	return n, err
}

// show writes one line over the one before, not too often, and nothing of what is soon over.
func (p *progress) show(now time.Time) {
	if p.to == nil || now.Sub(p.started) < progressEvery || now.Sub(p.shown) < progressEvery {
		return
	}
	p.shown, p.said = now, true
	fmt.Fprintf(p.to, "\r\x1b[K%d objects, %d MiB", p.objects, p.bytes>>20)
}

// clear takes the line away before something else is written.
func (p *progress) clear() {
	if p.said {
		p.said = false
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}
