// Package corpora finds the real data that tests read: published objects, pages, vectors
// and a catalogue of bad input, which are no part of the project. Only tests and tools
// import it.
//
// LIAISON_CORPORA names their folder, else it is "shared" beside the repository. Data that is
// not there skips a test, which says so. It does not read the data.
package corpora

import (
	"os"
	"path/filepath"
	"testing"
)

// Folder returns the folder of the real data as an absolute path, "" if there is none.
func Folder() string {
	dir := os.Getenv("LIAISON_CORPORA")
	if dir == "" {
		dir = beside()
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(abs); err != nil {
		return ""
	}
	return abs
}

// beside returns "shared" beside the repository, which begins where go.mod is.
func beside() string {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared")
		}
		dir = filepath.Dir(dir)
	}
	return "shared"
}

// Path returns the path of something below the folder. If it is not there the test is skipped.
func Path(t testing.TB, elements ...string) string {
	t.Helper()
	if dir := Folder(); dir != "" {
		path := filepath.Join(append([]string{dir}, elements...)...)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skipf("real data is not here: %s; LIAISON_CORPORA names the folder", filepath.Join(elements...))
	return ""
}
