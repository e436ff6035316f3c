package journal_test

import (
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
)

// versions are versions from..from+n of one object, each with a fill of so many
// bytes.
func versions(t tb, from, n, fill int) (items []journal.Item) {
	for i := range n {
		v := from + i
		items = append(items, item(object(t, `{"type":"note","spec_version":"2.1","id":"%s","created_by_ref":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:%02d:%02d.%03dZ","content":"%s"}`,
			desktest.ID("note", "n"), alice, v/60000, v/1000%60, v%1000, strings.Repeat("x", fill)), alice))
	}
	return items
}

// BenchmarkVersionsOfOneObject is what the writer spends on them.
func BenchmarkVersionsOfOneObject(b *testing.B) {
	bench := func(name string, stored, fill, batches, size int) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				o := open(b, b.TempDir(), desktest.Tokyo, nil)
				for from := 0; from < stored; from += 100 {
					o.append(b, coll, versions(b, from, 100, fill)...)
				}
				next := make([][]journal.Item, batches)
				for i := range next {
					next[i] = versions(b, stored+i*size, size, fill)
				}
				b.StartTimer()
				for _, items := range next {
					o.append(b, coll, items...)
				}
				b.StopTimer()
				o.stop()
				b.StartTimer()
			}
		})
	}
	bench("batch of 1500", 0, 100, 1, 1500)
	bench("batch of 100 over 1200 of 20 kB", 1200, 20_000, 1, 100)
	bench("100 batches of 1 over 1200 of 20 kB", 1200, 20_000, 100, 1)
}
