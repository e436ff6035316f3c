package desk_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

func benchOffice(b *testing.B, name liaison.Office) *Office {
	o := Open(b, name, filepath.Join(b.TempDir(), string(name)), Options{})
	b.Cleanup(func() { o.Close() })
	o.Found(b)
	return o
}

// BenchmarkFirstDoor accepts envelopes of 100 objects of 700 bytes, one after
// the other: each is durable before the next.
func BenchmarkFirstDoor(b *testing.B) {
	o := benchOffice(b, Tokyo)
	v, c, n := o.As(b, "Japan"), Collection("itpp", "cyber"), 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		items := Items(objects700(n, 100)...)
		n += 100
		b.StartTimer()
		if out, err := accept(o, v, desk.Batch{Collection: c, Items: items}); err != nil || out[0].Status != desk.Accepted {
			b.Fatal(out, err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkRelayPage accepts pages of 500 acts from a neighbour, verified.
func BenchmarkRelayPage(b *testing.B) {
	seoul, tokyo := benchOffice(b, Seoul), benchOffice(b, Tokyo)
	v, c, n := seoul.As(b, "Korea"), Collection("trial", "cyber"), 0
	for b.Loop() {
		b.StopTimer()
		if _, err := accept(seoul, v, desk.Batch{Collection: c, Items: Items(objects700(n, 500)...)}); err != nil {
			b.Fatal(err)
		}
		n += 500
		page, _, err := tokyo.Page(context.Background(), seoul, c, 0)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if out, err := accept(tokyo, registry.Neighbour(Seoul), page); err != nil || out[499].Status != desk.Accepted {
			b.Fatal(out, err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
}

func objects700(from, count int) (list [][]byte) {
	for i := range count {
		list = append(list, note(fmt.Sprint("bench ", from+i), 1, stix.Green, `"x_fill":"`+strings.Repeat("x", 350)+`"`))
	}
	return list
}

// BenchmarkPoll asks for what is new where nothing is: the register of the
// snapshot is looked at each time.
func BenchmarkPoll(b *testing.B) {
	o := benchOffice(b, Tokyo)
	c := Collection("trial", "cyber")
	o.Post(b, "Japan", c, objects700(0, 100)...)
	v := o.As(b, "Japan")
	for b.Loop() {
		if _, err := o.Desk.Read(b.Context(), v, desk.Query{Collection: c, From: 100}); err != nil {
			b.Fatal(err)
		}
	}
}
