package office

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A log-in that needs argon2 is an attempt, and every attempt counts as failed
// until it was right. Failures leak away with time. Whoever has more than are
// free waits after each: a second, then twice as long each time. Nothing the
// client writes but the name takes part in what is counted together.
const (
	freeByName     = 5  // failures of one name from one address
	freeByAddress  = 50 // failures of any names from one address
	leakEvery      = 30 * time.Second
	firstPenalty   = time.Second
	longestPenalty = time.Minute
	maxFailures    = 10000 // keys that are remembered
)

// throttle counts failed attempts. Its clock is the monotonic one: setting the
// machine's time frees nobody.
type throttle struct {
	mu       sync.Mutex
	failures map[string]failures // guarded by mu
}

type failures struct {
	level float64 // failures that have not leaked away
	last  time.Time
}

// limit is something failures are counted by.
type limit struct {
	key  string
	free float64
}

// limitsOf returns what an attempt is counted by. Behind a proxy on this
// machine all clients have one address, so that one says nothing.
func limitsOf(ctx context.Context, name string) []limit {
	from := remoteOf(ctx)
	list := []limit{{"name " + from.String() + " " + name, freeByName}}
	if from.IsValid() && !from.Addr().IsLoopback() {
		list = append(list, limit{"address " + from.String(), freeByAddress})
	}
	return list
}

// begin counts an attempt as failed, or says how long to wait before it.
func (t *throttle) begin(limits []limit) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for _, l := range limits {
		f := t.failures[l.key].at(now)
		wait = max(wait, f.penalty(l.free)-now.Sub(f.last))
	}
	if wait > 0 {
		return wait
	}
	if len(t.failures) >= maxFailures {
		t.forget(now)
	}
	for _, l := range limits {
		f := t.failures[l.key].at(now)
		t.failures[l.key] = failures{f.level + 1, now}
	}
	return 0
}

// right takes an attempt back, and what failed of the same name with it.
func (t *throttle) right(limits []limit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failures, limits[0].key)
	for _, l := range limits[1:] {
		f := t.failures[l.key]
		f.level = max(0, f.level-1)
		t.failures[l.key] = f
	}
}

// at returns what has not leaked away; last stays.
func (f failures) at(now time.Time) failures {
	f.level = max(0, f.level-float64(now.Sub(f.last))/float64(leakEvery))
	return f
}

func (f failures) penalty(free float64) time.Duration {
	if f.level <= free-1 {
		return 0
	}
	p := firstPenalty
	for over := f.level - free; over > 0 && p < longestPenalty; over-- {
		p *= 2
	}
	return min(p, longestPenalty)
}

// forget drops what has leaked away, or everything if that is nothing: it
// costs a flood minutes of argon2 to get there.
func (t *throttle) forget(now time.Time) {
	for k, f := range t.failures {
		if f.at(now).level == 0 {
			delete(t.failures, k)
		}
	}
	if len(t.failures) >= maxFailures {
		clear(t.failures)
	}
}

type remoteKey struct{}

// withRemote puts the address of a connection into the context of its requests.
// No header says where a request comes from: anybody can write one.
func withRemote(ctx context.Context, conn net.Conn) context.Context {
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return ctx
	}
	bits := 32
	addr := from.Addr().Unmap().WithZone("")
	if addr.Is6() {
		bits = 64 // who has one address has the whole network
	}
	return context.WithValue(ctx, remoteKey{}, netip.PrefixFrom(addr, bits).Masked())
}

// remoteOf returns it; the zero prefix if there is none, as for local calls.
func remoteOf(ctx context.Context) netip.Prefix {
	p, _ := ctx.Value(remoteKey{}).(netip.Prefix)
	return p
}
