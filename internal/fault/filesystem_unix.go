//go:build unix

package fault

import "syscall"

// otherFileSystem reports whether two folders lie on different file systems.
func otherFileSystem(a, b string) (bool, error) {
	var one, two syscall.Stat_t
	if err := syscall.Stat(a, &one); err != nil {
		return false, err
	}
	if err := syscall.Stat(b, &two); err != nil {
		return false, err
	}
	return one.Dev != two.Dev, nil
}
