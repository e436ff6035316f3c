package journal

import (
	"slices"
	"time"

	"github.com/liaison-office/liaison"
)

// group is the batches of one transaction. It begins with those that wait when
// it is gathered, and grows while they are written by those that come for the
// same collections. Who was answered by the last commit is likely to bring the
// next batch at once: so a group waits for as many of a collection as the last one
// had and as came while it was committed, though no longer than GroupWait from its
// beginning. One writer alone is never made to wait, nor who writes to one collection
// for those of another.
type group struct {
	j        *Journal
	requests []*request
	next     *request // taken, and comes after the group
	items    int
	ids      []liaison.CollectionID // of requests when the transaction begins; sorted
	begun    time.Time
}

// GroupWait bounds how long a transaction is kept open for more batches.
const GroupWait = 5 * time.Millisecond

// gather takes what waits already. A batch that must be alone ends the group
// and comes after it, or is all of it.
func (j *Journal) gather(r *request) *group {
	g := &group{j: j, begun: time.Now()}
	g.add(r)
	for g.open() {
		select {
		case next := <-j.requests:
			j.waits(next.batch, -1)
			g.take(next)
		default:
			return g
		}
	}
	return g
}

// open reports whether the group takes more.
func (g *group) open() bool {
	return g.next == nil && g.items < MaxGroup && !g.alone()
}

// alone reports whether the group is a batch that must be alone.
func (g *group) alone() bool { return g.requests[0].batch.alone() }

func (g *group) add(r *request) {
	g.requests, g.items = append(g.requests, r), g.items+len(r.batch.Items)
}

// take adds a batch that was taken, or ends the group before it.
func (g *group) take(r *request) {
	fits := !r.batch.alone()
	for _, c := range r.batch.locks() {
		fits = fits && (g.ids == nil || slices.Contains(g.ids, c))
	}
	if !fits {
		g.next = r
		return
	}
	g.add(r)
}

// collections are those that the transaction locks; from now on no others come.
func (g *group) collections() []liaison.CollectionID {
	g.ids = make([]liaison.CollectionID, 0, len(g.requests))
	for _, r := range g.requests {
		g.ids = append(g.ids, r.batch.locks()...)
	}
	slices.SortFunc(g.ids, compareIDs)
	g.ids = slices.Compact(g.ids)
	return g.ids
}

// grow reports whether another batch has joined the group.
func (g *group) grow() bool {
	if g.j == nil || !g.open() { // a batch that is tried on its own stays alone
		return false
	}
	had := len(g.requests)
	select {
	case r := <-g.j.requests:
		g.j.waits(r.batch, -1)
		g.take(r)
	default:
		g.wait()
	}
	return len(g.requests) > had
}

// wait waits for one of the batches that are expected.
func (g *group) wait() {
	left := GroupWait - time.Since(g.begun)
	if left <= 0 || !g.expects() {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case r := <-g.j.requests:
		g.j.waits(r.batch, -1)
		g.take(r)
	case <-timer.C:
	}
}

// count returns how many batches of the first door the group has, by collection.
// What comes by relay comes one by one.
func (g *group) count() map[liaison.CollectionID]int {
	n := map[liaison.CollectionID]int{}
	for _, r := range g.requests {
		if r.batch.firstDoor() {
			n[r.batch.Collection]++
		}
	}
	return n
}

// expects reports whether more batches are expected of a collection that the
// group has one of.
func (g *group) expects() bool {
	for c, n := range g.count() {
		if n < g.j.expected[c] {
			return true
		}
	}
	return false
}

// expect notes what is likely to come after a group.
func (j *Journal) expect(g *group) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for c, n := range g.count() {
		if j.expected[c] = n + j.waiting[c]; j.expected[c] < 2 {
			delete(j.expected, c)
		}
	}
}

// waits notes that a batch waits to be taken, or does not any more.
func (j *Journal) waits(b *Batch, more int) {
	if !b.firstDoor() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	c := b.Collection
	if j.waiting[c] += more; j.waiting[c] == 0 {
		delete(j.waiting, c)
	}
}
