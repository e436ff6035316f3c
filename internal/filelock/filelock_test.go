package filelock

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestALockIsHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Try(path)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Try(path); !errors.Is(err, ErrHeld) {
		t.Errorf("a second one: %v", err)
	}
	taken := make(chan error)
	go func() {
		second, err := Take(path)
		if err == nil {
			err = second.Release()
		}
		taken <- err
	}()
	if err := first.Release(); err != nil {
		t.Error(err)
	}
	if err := <-taken; err != nil {
		t.Errorf("who waited: %v", err)
	}
}
