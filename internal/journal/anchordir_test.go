package journal_test

import (
	"sync"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/ledger"
)

// TestAnAnchorNeverGoesBack: whoever saves last, the later size is kept, and the
// first note of a size that says something else.
func TestAnAnchorNeverGoesBack(t *testing.T) {
	keys := desktest.NewKeys(desktest.Tokyo)
	origin := liaison.Origin{Office: desktest.Tokyo, Collection: coll, Generation: 1}
	note := func(size uint64, root byte) string {
		return keys.SignCheckpoint(origin, ledger.Checkpoint{Origin: origin, Size: size, Root: liaison.Hash{root}}.Text())
	}
	d := journal.AnchorDir(t.TempDir())
	for _, s := range []struct{ save, kept string }{
		{note(5, 1), note(5, 1)},
		{note(4, 1), note(5, 1)},
		{note(5, 2), note(5, 1)},
		{note(0, 1), note(5, 1)},
		{note(6, 2), note(6, 2)},
		{"not a note", note(6, 2)},
	} {
		kept, err := d.Save(origin, s.save)
		must(t, err)
		there, _, err := d.Load(origin)
		must(t, err)
		if kept != s.kept || there != s.kept {
			t.Errorf("saved\n%s\nkept\n%s\nthere is\n%s", s.save, kept, there)
		}
	}

	const processes, each = 4, 50
	var saving sync.WaitGroup
	for p := range processes {
		saving.Go(func() {
			for i := range each {
				if _, err := d.Save(origin, note(uint64(10+i*processes+p), 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	saving.Wait()
	if kept, _, err := d.Load(origin); err != nil || kept != note(10+processes*each-1, 1) {
		t.Errorf("kept %s, %v", kept, err)
	}
}
