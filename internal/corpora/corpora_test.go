package corpora_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/liaison-office/liaison/internal/corpora"
)

// skipping notes that a test was skipped.
type skipping struct {
	testing.TB
	skipped bool
}

func (s *skipping) Skipf(string, ...any) { s.skipped = true }

func TestDataThatIsAwaySkipsATest(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "here"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LIAISON_CORPORA", dir)
	for name, there := range map[string]bool{"here": true, "away": false} {
		s := &skipping{TB: t}
		path := corpora.Path(s, name)
		if s.skipped == there || there && path != filepath.Join(dir, name) {
			t.Errorf("%s: %q, skipped %v", name, path, s.skipped)
		}
	}
	t.Setenv("LIAISON_CORPORA", filepath.Join(dir, "nowhere"))
	if got := corpora.Folder(); got != "" {
		t.Errorf("a folder that is not there: %q", got)
	}
}
