package desk

import "context"

// HeadOf is headOf, for its fuzz test.
var HeadOf = headOf

// PagesKept is how many pages are kept in memory.
func (d *Desk) PagesKept() int {
	d.pages.mu.Lock()
	defer d.pages.mu.Unlock()
	return len(d.pages.pages)
}

// PageBytes is how large they are.
func (d *Desk) PageBytes() int {
	d.pages.mu.Lock()
	defer d.pages.mu.Unlock()
	return d.pages.used
}

// SweepPages is what Run does every now and then.
func (d *Desk) SweepPages(ctx context.Context) error { return d.sweepPages(ctx) }
