package journal

import (
	"context"
	"time"

	"github.com/liaison-office/liaison/internal/fault/point"
)

// Between two times that the files of the store are freed of what was erased: as
// long as the last one took, times scrubRest, as others may have waited for it;
// and not less than scrubPause, which is also when a failure is tried again.
const (
	scrubPause = time.Second
	scrubRest  = 10
)

func (j *Journal) toScrub() {
	select {
	case j.erased <- struct{}{}:
	default:
	}
}

// Scrub frees the files of the store of what was erased: at the beginning, as a
// process may have ended before it did, and after each erasure, until ctx ends.
func (j *Journal) Scrub(ctx context.Context) error {
	for j.toScrub(); ; {
		select {
		case <-j.erased:
		case <-ctx.Done():
			return nil
		}
		begun := time.Now()
		point.At("journal.before-scrub")
		err := j.Store.Scrub(ctx)
		point.At("journal.scrubbed")
		if err != nil && ctx.Err() == nil {
			j.Log.Warn("the files of the store may still hold what was erased; it is tried again", "err", err)
			j.toScrub()
		}
		select {
		case <-time.After(max(scrubPause, scrubRest*time.Since(begun))):
		case <-ctx.Done():
			return nil
		}
	}
}
