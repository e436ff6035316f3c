//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package main

import (
	"errors"
	"os"
)

func isTerminal(*os.File) bool { return false }

func hideInput(*os.File) (restore func(), err error) {
	return nil, errors.New("passwords cannot be typed on this system: use --password-stdin")
}
