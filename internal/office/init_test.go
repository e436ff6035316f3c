package office_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
)

func samplePin(t *testing.T) ledger.Pin {
	t.Helper()
	key, err := office.NewSigningKey(filepath.Join(t.TempDir(), "authority.seed"), "alliance.example.org/authority/1")
	must(t, err)
	pin, err := ledger.ParsePin("liaison/pin/1\nthreshold 1\nkey " + key.VKey() + "\n")
	must(t, err)
	return pin
}

// TestAnInterruptedInitIsRepeated: whatever an Init that was killed has left, in
// the order in which it makes its files, the next one makes an office of it, and
// complete keys are not made anew.
func TestAnInterruptedInitIsRepeated(t *testing.T) {
	pin, cfg := samplePin(t), office.Config{Office: "hq.example.org"}
	whole := t.TempDir()
	must(t, office.Init(whole, cfg, pin))
	act, err := os.ReadFile(filepath.Join(whole, "keys", "act.seed"))
	must(t, err)
	for name, left := range map[string]func(dir string){
		"some keys": func(dir string) {
			must(t, os.Rename(filepath.Join(dir, "keys"), filepath.Join(dir, "keys.new")))
			must(t, os.Remove(filepath.Join(dir, "keys.new", "act.seed")))
		},
		"half a key": func(dir string) {
			must(t, os.Rename(filepath.Join(dir, "keys"), filepath.Join(dir, "keys.new")))
			must(t, os.Truncate(filepath.Join(dir, "keys.new", "act.seed"), 9))
		},
		"keys": func(dir string) { must(t, os.Remove(filepath.Join(dir, office.PinFile))) },
		"half a pin": func(dir string) {
			must(t, os.Rename(filepath.Join(dir, office.PinFile), filepath.Join(dir, office.PinFile+".new")))
		},
		"a pin": func(dir string) {},
		"half a configuration": func(dir string) {
			must(t, os.WriteFile(filepath.Join(dir, office.ConfigFile+".new"), []byte("offi"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.CopyFS(dir, os.DirFS(whole)))
			must(t, os.Remove(filepath.Join(dir, office.ConfigFile)))
			left(dir)
			_, err := os.Stat(filepath.Join(dir, "keys"))
			kept := err == nil
			must(t, office.Init(dir, cfg, pin))
			o, err := office.Open(t.Context(), dir, office.Options{})
			must(t, err)
			must(t, o.Close())
			now, err := os.ReadFile(filepath.Join(dir, "keys", "act.seed"))
			must(t, err)
			if kept != (string(now) == string(act)) {
				t.Errorf("keys were there: %t; the key is %q, was %q", kept, now, act)
			}
			must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
				if strings.HasSuffix(path, ".new") {
					t.Errorf("%s is left", path)
				}
				return err
			}))
		})
	}
}

// TestInitTakesOverNoStore: a store without its configuration
// keeps its keys and is not taken over.
func TestInitTakesOverNoStore(t *testing.T) {
	pin, cfg, dir := samplePin(t), office.Config{Office: "hq.example.org"}, t.TempDir()
	must(t, office.Init(dir, cfg, pin))
	o, err := office.Open(t.Context(), dir, office.Options{})
	must(t, err)
	must(t, o.Close())
	must(t, os.Remove(filepath.Join(dir, office.ConfigFile)))
	if err := office.Init(dir, office.Config{Office: "other.example.org"}, pin); err == nil || !strings.Contains(err.Error(), "put that file back") {
		t.Errorf("%v, want a refusal that says what to do", err)
	}
}
