//go:build linux || darwin

package office

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot is a clock that nobody sets. It goes on while the machine sleeps,
// which the one in package time does not.
func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(bootClock, &t); err != nil {
		panic(err) // every kernel has it
	}
	return time.Duration(t.Nano())
}
