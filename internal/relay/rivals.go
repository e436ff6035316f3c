package relay

import (
	"errors"
	"time"
)

// Two sides that dial at once drive out a stream or two. More than that in
// rivalTime come from a second machine with the same keys.
const (
	maxRivals = 5
	rivalTime = time.Minute
)

var errRivals = errors.New("streams of this office drive each other out: a second machine seems to run with its keys, or with ours")

// rivals counts the streams of an office that met another one, here or at the
// neighbour.
type rivals struct {
	since time.Time
	count int
}

// met counts one; it is true if there are too many.
func (r *rivals) met(now time.Time) bool {
	if now.Sub(r.since) > rivalTime {
		*r = rivals{since: now}
	}
	r.count++
	return r.many(now)
}

func (r *rivals) many(now time.Time) bool {
	return r.count >= maxRivals && now.Sub(r.since) <= rivalTime
}
