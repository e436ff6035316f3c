//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sqlite

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lock keeps a second process out of a store. The kernel gives it up when the
// process ends, however it ends.
type lock struct{ f *os.File }

const lockFile = "liaison.lock"

func takeLock(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = held(f)
	}
	if err == nil {
		err = sign(f)
	}
	if errors.Is(err, syscall.ENOSPC) { // the lock holds without a number
		err = nil
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &lock{f}, nil
}

// shareLock keeps a process that writes out of a store that is read. Where no
// process has ever locked it there is nothing to lock.
func shareLock(dir string) (*lock, error) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return &lock{}, nil
	}
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = held(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &lock{f}, nil
}

// sign leaves the number of this process for held.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func held(f *os.File) error {
	b, _ := io.ReadAll(io.LimitReader(f, 20))
	pid := strings.TrimSpace(string(b))
	switch pid {
	case "":
		return inUse("another process has it open: stop that one first")
	case strconv.Itoa(os.Getpid()):
		return inUse("this process has it open already")
	}
	return inUse("process " + pid + " has it open: stop that one first, or work through it while it runs")
}

func (l *lock) release() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close()
}
