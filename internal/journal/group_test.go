package journal_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
)

// TestABatchThatComesWhileAnotherIsWrittenSharesItsTransaction: one signature, and
// so one sync, is for both. One for another collection comes after them.
func TestABatchThatComesWhileAnotherIsWrittenSharesItsTransaction(t *testing.T) {
	o := start(t)
	const rounds = 50
	for n := range rounds {
		var wait sync.WaitGroup
		it := item(note(t, fmt.Sprint("a ", n), alice, 1, ""), alice)
		judge := it.Judge
		it.Judge = func(at liaison.Instant, earlier *journal.Earlier) (journal.Ruling, bool) {
			wait.Go(func() { o.append(t, coll, item(note(t, fmt.Sprint("b ", n), alice, 1, ""), alice)) })
			come := 1
			if n%2 == 1 { // this one may be first, and end the group
				wait.Go(func() { o.append(t, other, item(note(t, fmt.Sprint("c ", n), alice, 1, ""), alice)) })
				come = 2
			}
			for o.Waiting() < come {
				runtime.Gosched()
			}
			return judge(at, earlier)
		}
		o.append(t, coll, it)
		wait.Wait()
	}
	shared := 0
	for _, e := range o.entries(t, coll) {
		var p liaison.BatchProof
		must(t, json.Unmarshal(e.Batch, &p))
		if p.Size == 2 {
			shared++
		}
	}
	if shared == 0 {
		t.Error("none shared a transaction")
	}
	if n, m := len(o.entries(t, coll)), len(o.entries(t, other)); n != 2*rounds || m != rounds/2 {
		t.Errorf("%d and %d leaves, want %d and %d", n, m, 2*rounds, rounds/2)
	}
	o.healthy(t)
}

func TestWritersInALoopShareTransactions(t *testing.T) {
	o := start(t)
	const writers, rounds = 4, 50
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for n := range rounds {
				_, err := o.Append(context.Background(), &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, fmt.Sprint(w, " ", n), alice, 1, ""), alice)}})
				must(t, err)
			}
		})
	}
	wait.Wait()
	if n := len(o.entries(t, coll)); n != writers*rounds {
		t.Errorf("%d leaves, want %d", n, writers*rounds)
	}
	o.healthy(t)
}
