package main

import (
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
)

// TestAnUnreadableFolderStopsNoOther: a folder in a folder that cannot be listed is handed
// out with the reason, and what comes after it is read.
func TestAnUnreadableFolderStopsNoOther(t *testing.T) {
	folder := closedFolder{fstest.MapFS{"a.json": {}, "closed/in.json": {}, "z.json": {}}, "closed"}
	var read, unreadable []string
	others, err := walk(folder, "root", func(f named) error {
		if read = append(read, f.name); f.err != nil {
			unreadable = append(unreadable, f.name)
		}
		return nil
	})
	if err != nil || others != 0 {
		t.Errorf("%d others, %v", others, err)
	}
	closed := filepath.Join("root", "closed")
	if want := []string{filepath.Join("root", "a.json"), closed, filepath.Join("root", "z.json")}; !slices.Equal(read, want) {
		t.Errorf("read %v, want %v", read, want)
	}
	if !slices.Equal(unreadable, []string{closed}) {
		t.Errorf("unreadable: %v", unreadable)
	}
}

// closedFolder does not let one of its folders be listed.
type closedFolder struct {
	fstest.MapFS
	closed string
}

func (c closedFolder) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == c.closed {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.MapFS.ReadDir(name)
}
