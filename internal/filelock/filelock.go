// Package filelock locks files between processes, and between machines if their
// common file system does (flock).
//
// A lock belongs to who took it, also within one process. The kernel gives it up
// when the process ends, however it ends; the file stays and is empty.
//
// # What it does not do
//
// A lock does not hide the file: who does not ask for it reads and writes the file as
// ever.
package filelock

import (
	"errors"
	"os"
)

// ErrHeld says that somebody else has the lock.
var ErrHeld = errors.New("another process has it locked")

// Lock is a lock that was taken.
type Lock struct{ f *os.File }

// Take waits for the lock of a file, which is made if it is missing.
// errors.ErrUnsupported: files cannot be locked here.
func Take(path string) (*Lock, error) { return take(path, true) }

// Try is Take without waiting: ErrHeld.
func Try(path string) (*Lock, error) { return take(path, false) }

func take(path string, wait bool) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f, wait); err != nil {
		return nil, errors.Join(&os.PathError{Op: "lock", Path: path, Err: err}, f.Close())
	}
	return &Lock{f}, nil
}

// Release gives the lock up.
func (l *Lock) Release() error { return l.f.Close() }
