package sqlite

import (
	"testing"

	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) func() store.Store {
		dir := t.TempDir()
		return func() store.Store { return openTest(t, dir, Config{}) }
	})
}

func openTest(t testing.TB, dir string, config Config) *Store {
	t.Helper()
	s, err := Open(dir, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
