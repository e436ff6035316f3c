//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package sqlite

import (
	"errors"
	"runtime"
)

type lock struct{}

func takeLock(string) (*lock, error) {
	return nil, errors.New("the embedded store needs flock, which " + runtime.GOOS + " lacks: use PostgreSQL")
}

func shareLock(string) (*lock, error) { return new(lock), nil }

func (*lock) release() error { return nil }
