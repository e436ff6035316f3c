//go:build !linux && !darwin

package office

import "time"

// sinceBoot is nil: there is no clock that goes on while the machine sleeps and
// that nobody sets, and the machine's is compared with none.
var sinceBoot func() time.Duration
