package relay

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/durable"
)

// ForkDir keeps the evidence of forks, one file for each collection of a
// neighbour, in a folder outside the store: a store that is put back from a
// backup forgets none, and a file can be shown to others as it is. While
// <office>_<collection>.json is there the log is not followed. Who resumes it
// renames the file, with the instant of the fork; nothing removes one.
type ForkDir string

const forkSuffix = ".json"

func (d ForkDir) path(o liaison.Office, c liaison.CollectionID) string {
	return filepath.Join(string(d), string(o)+"_"+c.String()+forkSuffix)
}

// Keep writes the evidence.
func (d ForkDir) Keep(f *Fork) error {
	b, err := json.Marshal(keptFork{*f, sumOf(f)}, jsontext.Multiline(true))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	return durable.WriteFile(d.path(f.Origin.Office, f.Origin.Collection), append(b, '\n'))
}

// keptFork is a file of evidence. Its digest shows damage; it is nobody's
// signature.
type keptFork struct {
	Fork
	SHA256 string `json:"sha256,omitzero"` // of the other members, as JCS; in hexadecimal
}

func sumOf(f *Fork) string {
	h := liaison.H(liaison.JCS(f))
	return hex.EncodeToString(h[:])
}

func (f *Fork) parse(b []byte) error {
	var k keptFork
	if err := json.Unmarshal(b, &k); err != nil {
		return err
	}
	if *f = k.Fork; k.SHA256 != "" && k.SHA256 != sumOf(f) {
		return errors.New("it was changed: it does not have its digest")
	}
	return nil
}

// Load returns the forks of an office's logs. Evidence that cannot be read is a
// fork too: the log is not followed until somebody has looked.
func (d ForkDir) Load(o liaison.Office) (map[liaison.CollectionID]*Fork, error) {
	files, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	forks := map[liaison.CollectionID]*Fork{}
	for _, f := range files {
		name, ok := strings.CutPrefix(f.Name(), string(o)+"_")
		if !ok {
			continue
		}
		name, ok = strings.CutSuffix(name, forkSuffix)
		if c, bad := liaison.ParseCollectionID(name); ok && bad == nil {
			forks[c] = d.read(o, c)
		}
	}
	return forks, err
}

func (d ForkDir) read(o liaison.Office, c liaison.CollectionID) *Fork {
	path, f := d.path(o, c), new(Fork)
	b, err := os.ReadFile(path)
	if err == nil {
		err = f.parse(b)
	}
	if err == nil && (f.Origin.Office != o || f.Origin.Collection != c) {
		err = fmt.Errorf("it is of %s", f.Origin)
	}
	if err == nil {
		return f
	}
	f = &Fork{
		Origin: liaison.Origin{Office: o, Collection: c, Generation: 1}, Reason: Unreadable,
		Detail: fmt.Sprintf("%s: %s", path, err),
	}
	if info, err := os.Stat(path); err == nil {
		f.At = liaison.InstantOf(info.ModTime())
	}
	return f
}

// resolve puts the evidence of a fork aside.
func (d ForkDir) resolve(o liaison.Office, c liaison.CollectionID, at liaison.Instant) error {
	if d == "" {
		return nil
	}
	path := d.path(o, c)
	aside := strings.TrimSuffix(path, forkSuffix) + "_" + at.Time().UTC().Format("20060102T150405.000000Z") + forkSuffix
	if err := durable.Rename(path, aside); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
