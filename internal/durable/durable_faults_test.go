//go:build faults

package durable

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/liaison-office/liaison/internal/fault/disk"
)

// TestTheOldFileOrTheNewOneIsThere fails each operation of a replacement in
// turn, in every mode, and crashes.
func TestTheOldFileOrTheNewOneIsThere(t *testing.T) {
	for _, m := range disk.Modes {
		t.Run(string(m), func(t *testing.T) {
			for seed := uint64(0); seed < 8; seed++ {
				for n := 1; replaceAt(t, m, n, seed); n++ {
				}
			}
		})
	}
}

// replaceAt reports whether there was an n-th operation.
func replaceAt(t *testing.T, m disk.Mode, n int, seed uint64) bool {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	disk.OfProgram.Arm(dir, m, n, seed)
	err := WriteFile(path, []byte("a new text"))
	failed := disk.OfProgram.Failed()
	if (err == nil) != (failed == "") {
		t.Errorf("operation %d (%s) failed, WriteFile says %v", n, failed, err)
	}
	if e := disk.OfProgram.Crash(); e != nil {
		t.Fatal(e)
	}
	disk.OfProgram.Disarm()
	b, e := os.ReadFile(path)
	if e != nil || string(b) != "old" && string(b) != "a new text" || err == nil && string(b) != "a new text" {
		t.Errorf("operation %d (%s) failed with %v: the file holds %q, %v", n, failed, err, b, e)
	}
	return failed != ""
}
