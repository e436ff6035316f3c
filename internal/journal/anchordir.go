package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/liaison-office/liaison"
)

// AnchorDir keeps anchors as one file per collection in a folder of its own,
// outside the store's and outside its backups.
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

// Save implements Anchor: write beside, sync, rename, sync the folder.
func (d AnchorDir) Save(o liaison.Origin, note string) error {
	path := d.path(o)
	if err := writeSynced(path+".new", []byte(note)); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
