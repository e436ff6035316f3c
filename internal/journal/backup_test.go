package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/backup"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/liaison-office/liaison/ledger"
)

// TestEverythingAcknowledgedBeforeABackupIsProvedByTheRestoredOffice, though the
// office went on accepting while the backup was written.
func TestEverythingAcknowledgedBeforeABackupIsProvedByTheRestoredOffice(t *testing.T) {
	o := start(t)
	const writers, each = 3, 120
	var acknowledged [writers]atomic.Int64
	var acts [writers][each]liaison.Hash
	begun, done := make(chan struct{}), make(chan error, writers)
	for w := range writers {
		go func() {
			for n := range each {
				if w == 0 && n == each/3 {
					close(begun)
				}
				it := item(note(t, fmt.Sprint(w, " ", n), alice, 1, "text"), alice)
				out, err := o.Append(context.Background(), &journal.Batch{Collection: coll, Items: []journal.Item{it}})
				if err != nil {
					done <- err
					return
				}
				acts[w][n] = out[0].Act
				acknowledged[w].Store(int64(n + 1))
			}
			done <- nil
		}()
	}
	<-begun
	var least [writers]int64
	for w := range least {
		least[w] = acknowledged[w].Load()
	}
	var file bytes.Buffer
	_, err := backup.Write(t.Context(), o.Store, backup.Header{Office: o.Office, At: liaison.InstantOf(o.clock.Now())}, &file, nil)
	must(t, err)
	for range writers {
		must(t, <-done)
	}
	o.stop()

	dir := t.TempDir()
	engine, err := sqlite.Open(dir, sqlite.Config{})
	must(t, err)
	in, err := backup.NewReader(&file)
	must(t, err)
	_, err = in.Restore(t.Context(), backup.Target{Store: engine, Office: o.Office, Now: liaison.InstantOf(o.clock.Now()), Same: journal.SameOf})
	must(t, err)
	must(t, engine.Update(t.Context(), store.Lock{Alone: true}, store.ForgetRestore)) // as if the neighbours had nothing
	must(t, engine.Close())

	restored := open(t, dir, o.Office, nil)
	t.Cleanup(func() { restored.stop() })
	report, err := restored.Check(t.Context())
	must(t, err)
	if wrong := len(report.Problems) - len(report.Outside); wrong > 0 || len(report.Outside) != 1 {
		t.Fatalf("problems %q, of which outside %q", report.Problems, report.Outside)
	}
	must(t, restored.View(t.Context(), func(v store.View) error {
		p, err := v.Position(coll)
		must(t, err)
		root, err := journal.Root(v, coll, p.Size)
		must(t, err)
		for w := range least {
			for n := range least[w] {
				found := false
				err := v.FindAct(coll, acts[w][n], store.Full, func(e *store.Entry) error {
					found = true
					path, err := journal.Path(v, coll, e.Index, p.Size)
					return errors.Join(err, ledger.VerifyInclusion(liaison.LeafHash(e.Leaf), e.Index, p.Size, path, root))
				})
				if err != nil || !found {
					t.Fatalf("act %d of writer %d was acknowledged: found %t, %v", n, w, found, err)
				}
			}
		}
		return nil
	}))
}

// TestAProcessWhoseEmptyStoreIsRestoredInto accepts and signs nothing from then
// on, though it opened the store before: what it signs would be of two logs.
func TestAProcessWhoseEmptyStoreIsRestoredInto(t *testing.T) {
	o := start(t)
	appendNote(t, o, "before")
	var file bytes.Buffer
	_, err := backup.Write(t.Context(), o.Store, backup.Header{Office: o.Office, At: liaison.InstantOf(o.clock.Now())}, &file, nil)
	must(t, err)

	s := empty(t)
	late := &office{dir: t.TempDir(), keys: o.keys, clock: o.clock}
	late.Journal = journal.New(journal.Config{
		Office: o.Office, Store: s, Signer: o.keys, Anchor: journal.AnchorDir(t.TempDir()), Log: o.Log, Now: o.clock.Now, Salt: o.Salt,
	})
	must(t, late.Open(t.Context()))
	run(t, late)
	in, err := backup.NewReader(&file)
	must(t, err)
	_, err = in.Restore(t.Context(), backup.Target{Store: s, Office: o.Office, Now: liaison.InstantOf(o.clock.Now()), Same: journal.SameOf})
	must(t, err)

	must(t, s.View(t.Context(), func(v store.View) error {
		if _, err := late.Checkpoint(t.Context(), v, coll, 0); !errors.Is(err, journal.ErrRestored) {
			t.Errorf("a checkpoint was signed: %v", err)
		}
		return nil
	}))
	it := item(note(t, "after", alice, 1, "text"), alice)
	if out, err := late.Append(t.Context(), &journal.Batch{Collection: coll, Items: []journal.Item{it}}); !errors.Is(err, journal.ErrRestored) {
		t.Errorf("accepted: %+v, %v", out, err)
	}
	if late.Restored() == nil {
		t.Error("the process does not know that its store was restored")
	}
	must(t, late.Found(t.Context()))
	_, err = late.Append(t.Context(), &journal.Batch{Collection: coll, Items: []journal.Item{it}})
	must(t, err)
}

func appendNote(t *testing.T, o *office, id string) {
	t.Helper()
	_, err := o.Append(t.Context(), &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, id, alice, 1, "text"), alice)}})
	must(t, err)
}
