package office_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// seal sets the modes of a folder and what is in it.
func seal(t *testing.T, dir string, files, dirs fs.FileMode) {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		mode := files
		if info.IsDir() {
			mode = dirs
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFolderThatCannotBeWrittenIsChecked: fsck changes no byte, time or name,
// and still finds what is wrong.
func TestAFolderThatCannotBeWrittenIsChecked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokyo")
	if err := office.Init(dir, office.Config{Office: desktest.Tokyo}, desktest.Pin()); err != nil {
		t.Fatal(err)
	}
	giveKeys(t, dir, desktest.NewKeys(desktest.Tokyo))
	must(t, register(t, dir))
	seal(t, dir, 0o400, 0o500)
	t.Cleanup(func() { seal(t, dir, 0o600, 0o700) })
	before := storetest.Contents(t, dir)
	var r office.FsckReply
	if err := office.Call(t.Context(), dir, "fsck", office.Options{}, struct{}{}, &r); err != nil {
		t.Fatal(err)
	}
	if r.Collections != 1 || r.Entries == 0 || len(r.Problems) > 0 {
		t.Errorf("%+v", r)
	}
	if !maps.Equal(before, storetest.Contents(t, dir)) {
		t.Error("checking changed the folder")
	}

	seal(t, dir, 0o600, 0o700)
	damaged := filepath.Join(dir, "store", "liaison.db")
	b, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	b = []byte(strings.ReplaceAll(string(b), "register", "registre"))
	if err := os.WriteFile(damaged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	seal(t, dir, 0o400, 0o500)
	err = office.Call(t.Context(), dir, "fsck", office.Options{}, struct{}{}, &r)
	if said := fmt.Sprint(r.Problems, err); !strings.Contains(said, "damaged") { // a page that cannot be read, or a leaf that can
		t.Errorf("a damaged store: %s", said)
	}

	seal(t, dir, 0o600, 0o700)
	if err := os.RemoveAll(filepath.Join(dir, "store")); err != nil {
		t.Fatal(err)
	}
	if err := office.Call(t.Context(), dir, "fsck", office.Options{}, struct{}{}, &r); err == nil {
		t.Errorf("a store that is lost: %+v", r)
	}
}
