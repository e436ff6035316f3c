package journal_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/liaison-office/liaison/ledger"
)

const remedy = "restore the newest backup, or ask the neighbours"

// signed returns the checkpoint of the whole log, which is then its anchor.
func (o *office) signed(t tb, c liaison.CollectionID) ledger.Checkpoint {
	t.Helper()
	var cp ledger.Checkpoint
	must(t, o.View(context.Background(), func(v store.View) error {
		note, err := o.Checkpoint(context.Background(), v, c, 0)
		must(t, err)
		cp, err = ledger.ReadCheckpoint(note)
		return err
	}))
	return cp
}

// kept reads the anchor of coll.
func kept(t tb, o *office) ledger.Checkpoint {
	t.Helper()
	note, err := os.ReadFile(anchorPath(o))
	must(t, err)
	cp, err := ledger.ReadCheckpoint(string(note))
	must(t, err)
	return cp
}

// openAs opens a folder as an office of a name does, and returns what it logs.
func openAs(t *testing.T, dir string, name liaison.Office) (log string, err error) {
	t.Helper()
	s, err := sqlite.Open(dir, sqlite.Config{})
	must(t, err)
	defer s.Close()
	var said bytes.Buffer
	j := journal.New(journal.Config{
		Office: name, Store: s, Signer: desktest.NewKeys(name), Anchor: journal.AnchorDir(dir), Log: slog.New(slog.NewTextHandler(&said, nil)),
	})
	err = j.Open(context.Background())
	return said.String(), err
}

// TestALogOfWhichOnlyTheAnchorIsLeftIsSaidSo: the store was lost, or a backup
// was restored that is older than the log.
func TestALogOfWhichOnlyTheAnchorIsLeftIsSaidSo(t *testing.T) {
	for name, restore := range map[string]bool{"the store is lost": false, "an older backup is restored": true} {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			o.append(t, other, item(note(t, "a", alice, 1, ""), alice))
			o.signed(t, other)
			o.stop()
			db := filepath.Join(o.dir, "liaison.db")
			backup, err := os.ReadFile(db)
			must(t, err)
			again := open(t, o.dir, o.Office, nil)
			again.append(t, coll, fiveNotes(t)...)
			again.signed(t, coll)
			again.stop()
			removeStore(t, o)
			lost := 2
			if restore {
				must(t, os.WriteFile(db, backup, 0o600))
				lost = 1
			}
			log, err := openAs(t, o.dir, o.Office)
			must(t, err)
			if strings.Count(log, "level=ERROR") != lost || strings.Count(log, remedy) != lost || !strings.Contains(log, coll.String()) {
				t.Errorf("at start the operator reads:\n%s", log)
			}
			late := open(t, o.dir, o.Office, nil)
			o.stop = late.stop
			if _, err := late.Append(t.Context(), &journal.Batch{Collection: coll, Items: fiveNotes(t)}); !errors.Is(err, journal.ErrBehind) {
				t.Errorf("it is appended to: %v", err)
			}
			if len(late.entries(t, other)) == 0 && restore {
				t.Error("what is there cannot be read")
			}
			r, err := late.Check(t.Context())
			must(t, err)
			if all := strings.Join(r.Problems, "\n"); len(r.Problems) != lost || !strings.Contains(all, coll.String()) || !strings.Contains(all, remedy) {
				t.Errorf("fsck says:\n%s", all)
			}
		})
	}
}

func TestAStoreOrAnchorsOfAnotherOfficeAreRefused(t *testing.T) {
	o := start(t)
	o.append(t, coll, fiveNotes(t)...)
	o.signed(t, coll)
	o.stop()
	refused := func(what string) {
		t.Helper()
		_, err := openAs(t, o.dir, desktest.HQ)
		if err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), string(desktest.Tokyo)) || !strings.Contains(err.Error(), string(desktest.HQ)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("the store is of")
	removeStore(t, o)
	refused("the checkpoint kept outside the store")
	if _, err := openAs(t, o.dir, desktest.Tokyo); err != nil {
		t.Errorf("its own office: %v", err)
	}
	o.stop = func() {}
}

// TestNothingIsAcceptedWhileNoAnchorCanBeKept: a receipt could not be given. It
// is said once and needs no restart.
func TestNothingIsAcceptedWhileNoAnchorCanBeKept(t *testing.T) {
	o := start(t)
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	folder := filepath.Join(o.dir, "outside", "anchors")
	o.Anchor = journal.AnchorDir(folder)
	add := func(name string) error {
		_, err := o.Append(t.Context(), &journal.Batch{Collection: coll, Items: []journal.Item{item(note(t, name, alice, 1, ""), alice)}})
		return err
	}
	must(t, add("first")) // the folder is made
	o.signed(t, coll)
	must(t, os.RemoveAll(filepath.Dir(folder)))
	must(t, os.WriteFile(filepath.Dir(folder), nil, 0o600))
	for _, name := range []string{"a", "b"} {
		if err := add(name); !errors.Is(err, journal.ErrNoAnchor) {
			t.Errorf("an anchor cannot be kept: %v", err)
		}
	}
	if n := len(o.entries(t, coll)); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
	must(t, os.Remove(filepath.Dir(folder)))
	must(t, add("a"))
	o.signed(t, coll)
	if text := log.String(); strings.Count(text, "level=ERROR") != 1 || strings.Count(text, "level=INFO") != 1 {
		t.Errorf("the operator reads:\n%s", text)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 2 { // and its lock
		t.Errorf("the folder holds %v, %v", files, err)
	}
}

// fullAnchors is a folder of anchors on a disk without room.
type fullAnchors struct{ journal.Anchor }

func (fullAnchors) Ready() error {
	return &os.PathError{Op: "write", Path: "anchor", Err: syscall.ENOSPC}
}

// TestAFullDiskIsOneTroubleWhateverFindsIt: the anchors may be on the disk that
// the store filled.
func TestAFullDiskIsOneTroubleWhateverFindsIt(t *testing.T) {
	f := &faulty{undone: true}
	o := open(t, t.TempDir(), desktest.Tokyo, func(s store.Store) store.Store { f.Store = s; return f })
	defer o.stop()
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	add := func() error {
		_, err := o.Append(t.Context(), &journal.Batch{Collection: coll, Items: fiveNotes(t)})
		return err
	}
	f.next = store.ErrFull
	room := o.Anchor
	for range 2 {
		if err := add(); !errors.Is(err, store.ErrFull) {
			t.Errorf("%v", err)
		}
		o.Anchor = fullAnchors{room}
	}
	f.mu.Lock()
	f.next = nil
	f.mu.Unlock()
	o.Anchor = room
	must(t, add())
	if text := log.String(); strings.Count(text, "level=ERROR") != 1 || strings.Count(text, "level=INFO") != 1 {
		t.Errorf("the operator reads:\n%s", text)
	}
}

// TestANeighboursReplayProvesThatTheStoreWasLost, and only what this office
// signed proves it.
func TestANeighboursReplayProvesThatTheStoreWasLost(t *testing.T) {
	o := start(t)
	o.append(t, coll, fiveNotes(t)...)
	cp := o.signed(t, coll)
	hop := func(keys *desktest.Keys) (h *liaison.Hop) {
		must(t, o.View(t.Context(), func(v store.View) (err error) {
			h, err = journal.Hop(v, coll, 3, keys.SignCheckpoint(cp.Origin, cp.Text()))
			return err
		}))
		return h
	}
	own, forged := hop(o.keys), hop(desktest.NewKeys(desktest.HQ))
	confront := func(o *office, h *liaison.Hop) error {
		return o.View(t.Context(), func(v store.View) error { return o.Confront(v, coll, *h) })
	}
	if err := confront(o, own); err != nil {
		t.Errorf("the leaf is here: %v", err)
	}
	empty := start(t)
	if err := confront(empty, forged); err != nil {
		t.Errorf("somebody else signed it: %v", err)
	}
	empty.append(t, coll, item(note(t, "new", alice, 1, ""), alice))
	if err := confront(empty, own); !errors.Is(err, journal.ErrBehind) || !strings.Contains(err.Error(), remedy) {
		t.Errorf("the store was lost: %v", err)
	}
	if _, err := empty.Append(t.Context(), &journal.Batch{Collection: coll}); !errors.Is(err, journal.ErrBehind) {
		t.Errorf("the log goes on: %v", err)
	}
	empty.reopen(t)
	if _, err := empty.Append(t.Context(), &journal.Batch{Collection: coll}); !errors.Is(err, journal.ErrBehind) {
		t.Errorf("after a restart the log goes on: %v", err)
	}
}

// TestAnAnchorByAnEarlierLogKeyIsSignedAnew: it holds, and is not given out.
func TestAnAnchorByAnEarlierLogKeyIsSignedAnew(t *testing.T) {
	o := start(t)
	o.append(t, coll, fiveNotes(t)...)
	cp := o.signed(t, coll)
	earlier := desktest.NewKeys(desktest.HQ)
	replaceAnchor(t, o, []byte(earlier.SignCheckpoint(cp.Origin, cp.Text())))
	j := journal.New(journal.Config{
		Office: o.Office, Store: o.Store, Signer: o.keys, Anchor: o.Anchor, Log: o.Log,
		EarlierLogKeys: func() [][]byte { return [][]byte{earlier.LogKey()} },
	})
	must(t, j.Open(t.Context()))
	must(t, j.View(t.Context(), func(v store.View) error {
		note, err := j.Checkpoint(t.Context(), v, coll, 0)
		must(t, err)
		_, _, err = ledger.OpenCheckpoint(note, [][]byte{o.keys.LogKey()})
		return err
	}))
}
