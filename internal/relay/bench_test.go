//go:build unix

package relay

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
)

// BenchmarkCatchUp: an office that was away follows a neighbour's log over TCP,
// and the neighbour follows the leaves of delivery back. Both offices with
// their stores and all verification are in this process; cpu-µs/object is what
// both spend.
func BenchmarkCatchUp(b *testing.B) {
	const size = 10000
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		k, h := filledPair(b, size)
		before := cpuTime()
		b.StartTimer()
		h.start()
		k.start()
		for c := k.Journal.Changed(community); k.Size(b, community) < size; c = k.Journal.Changed(community) {
			<-c
		}
		b.StopTimer()
		cpu += cpuTime() - before
		for _, n := range []*node{k, h} {
			n.stop()
			n.Close()
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric(float64(cpu.Microseconds())/float64(size)/float64(b.N), "cpu-µs/object")
}

// filledPair opens tokyo, empty, and hq with a log of notes of about 700 bytes.
func filledPair(b *testing.B, size int) (k, h *node) {
	w := newWires()
	open := func(name, neighbour liaison.Office) *node {
		o := desktest.Open(b, name, b.TempDir(), desktest.Options{})
		return &node{t: b, wires: w, log: &logged{}, Office: o, peers: []Peer{{Office: neighbour, Keys: [][]byte{relayKey(neighbour)}}}}
	}
	k, h = open(tokyo, hq), open(hq, tokyo)
	h.listenTCP(k)
	h.Found(b, "register", "community")
	fill := strings.Repeat("x", 200)
	for from := 0; from < size; from += 500 {
		var list [][]byte
		for i := range 500 {
			list = append(list, note(fmt.Sprintf("%s %d", fill, from+i)))
		}
		h.Post(b, "NATO", community, list...)
	}
	return k, h
}

// cpuTime is what this process has spent.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
