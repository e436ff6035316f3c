package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/durable"
	"github.com/liaison-office/liaison/internal/filelock"
	"github.com/liaison-office/liaison/ledger"
)

// AnchorDir keeps anchors as one file per collection in a folder of its own,
// outside the store's and outside its backups. Processes may share it, also
// from several machines if its file system locks files between them (flock).
type AnchorDir string

func (d AnchorDir) path(o liaison.Origin) string {
	return filepath.Join(string(d), fmt.Sprintf("%s.%d", o.Collection, o.Generation))
}

// Load implements Anchor.
func (d AnchorDir) Load(o liaison.Origin) (string, bool, error) {
	b, err := os.ReadFile(d.path(o))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(b), err == nil, err
}

// Logs implements Anchor: by the names of the files.
func (d AnchorDir) Logs() (list []Log, err error) {
	files, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range files {
		name, generation, _ := strings.Cut(f.Name(), ".")
		c, err := liaison.ParseCollectionID(name)
		if g, odd := strconv.ParseUint(generation, 10, 32); err == nil && odd == nil {
			list = append(list, Log{c, uint32(g)})
		}
	}
	return list, err
}

// readyFile is written to see whether a note could be.
const (
	readyFile = "ready.new"
	readySize = 1024 // bytes: more than a note has
)

// Ready implements Anchor: it makes the folder and a file as large as a note.
func (d AnchorDir) Ready() error {
	if err := d.make(); err != nil {
		return err
	}
	return durable.Try(filepath.Join(string(d), readyFile), readySize)
}

func (d AnchorDir) make() error { return os.MkdirAll(string(d), 0o700) }

// lockFile is locked by the Save that is at work.
const lockFile = "lock"

// Save implements Anchor: under a lock between processes.
func (d AnchorDir) Save(o liaison.Origin, note string) (kept string, err error) {
	if err := d.make(); err != nil {
		return "", err
	}
	lock, err := filelock.Take(filepath.Join(string(d), lockFile))
	if err != nil {
		return "", err
	}
	kept, err = d.save(o, note)
	return kept, errors.Join(err, lock.Release())
}

func (d AnchorDir) save(o liaison.Origin, note string) (kept string, err error) {
	kept, there, err := d.Load(o)
	if err != nil || there && !replaces(note, kept) {
		return kept, err
	}
	return note, durable.WriteFile(d.path(o), []byte(note))
}

// replaces reports whether a note may take the place of the one that is kept:
// it is of a later size, or says the same. One that cannot be read stays, for
// who reads it to say so.
func replaces(note, kept string) bool {
	next, err1 := ledger.ReadCheckpoint(note)
	last, err2 := ledger.ReadCheckpoint(kept)
	return err1 == nil && err2 == nil && next.Origin == last.Origin &&
		(next.Size > last.Size || next.Size == last.Size && next.Root == last.Root)
}
