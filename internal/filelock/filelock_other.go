//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package filelock

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

func lock(*os.File, bool) error {
	return fmt.Errorf("%s has no flock: %w", runtime.GOOS, errors.ErrUnsupported)
}
