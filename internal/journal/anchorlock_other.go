//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package journal

import (
	"errors"
	"runtime"
)

func (d AnchorDir) locked(func() error) error {
	return errors.New("a folder of checkpoints needs flock, which " + runtime.GOOS + " lacks: keep them in a database (anchor = \"postgres://…\")")
}
