package journal

// Waiting is how many batches wait to be taken.
func (j *Journal) Waiting() int64 { return j.waiting.Load() }
