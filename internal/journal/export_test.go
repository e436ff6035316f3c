package journal

// Waiting is how many batches wait to be taken.
func (j *Journal) Waiting() (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, w := range j.waiting {
		n += w
	}
	return n
}
