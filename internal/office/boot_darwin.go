package office

import "golang.org/x/sys/unix"

const bootClock = unix.CLOCK_MONOTONIC // which does not stop in sleep here
