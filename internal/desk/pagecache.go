package desk

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
)

// pageCache keeps closed pages as they are sent: full ones, behind which the log goes
// on. They depend on nothing but their own entries, so one that was read is true
// as long as none of these was hidden or erased (journal.Changes), in any process, and
// the log has not gone on without them in another generation. That is asked in the
// snapshot of every read, after the account and the right to read.
//
// A page is kept when it is asked for a second time, so that one walk over a log
// does not push out what many ask for. Nothing here is needed: it may be empty.
type pageCache struct {
	max int // bytes

	mu    sync.Mutex
	used  int                       // bytes; guarded by mu
	pages map[pageKey]*list.Element // guarded by mu
	order *list.List                // of *keptPage, the last used first; guarded by mu
	asked map[pageKey]bool          // once, lately; guarded by mu
}

// pageKey names a page of what is in sight.
type pageKey struct {
	collection liaison.CollectionID
	from       uint64
	limit      int
}

// keptPage is not changed any more: many answers may be sending it.
type keptPage struct {
	key        pageKey
	generation uint32 // of the log: another one may hold other entries
	changes    uint64 // of the entries from key.from to next
	entries    []Entry
	joined     []byte
	next       uint64
}

// The bounds of the cache beside its size.
const (
	maxAsked  = 4096 // pages that were asked for once
	maxBlocks = 3    // a page with longer gaps is not kept: asking whether it is true would take long
	entryCost = 150  // bytes of memory of an Entry with its strings, about
)

// DefaultPageCache is how many bytes of pages are kept.
const DefaultPageCache = 16 << 20

func newPageCache(max int) *pageCache {
	return &pageCache{max: max, pages: map[pageKey]*list.Element{}, order: list.New(), asked: map[pageKey]bool{}}
}

// find fills a page from what is kept. ok says that it did; keep says that the
// page is worth keeping.
func (p *pageCache) find(v store.View, k pageKey, page *Page) (ok, keep bool, err error) {
	kept, keep := p.look(k)
	if kept == nil {
		return false, keep, nil
	}
	if holds, err := kept.holds(v); err != nil {
		return false, false, err
	} else if !holds {
		p.drop(kept)
		return false, true, nil
	}
	page.Entries, page.Joined, page.More, page.Next = kept.entries, kept.joined, true, kept.next
	page.Generation = kept.generation
	return true, false, nil
}

// holds reports whether a page is what a snapshot says.
func (k *keptPage) holds(v store.View) (bool, error) {
	g, err := generation(v, k.key.collection)
	if err != nil || g != k.generation {
		return false, err
	}
	changes, err := journal.Changes(v, k.key.collection, k.key.from, k.next)
	return changes == k.changes, err
}

// sweepEvery is how often pages that are not true any more are let go, asked for
// or not: what was erased by another process stays in memory no longer.
const sweepEvery = time.Minute

// sweepPages lets go of pages that are not what the log says now.
func (d *Desk) sweepPages(ctx context.Context) error {
	kept := d.pages.all()
	if len(kept) == 0 {
		return nil
	}
	return d.Journal.View(ctx, func(v store.View) error {
		for _, k := range kept {
			if holds, err := k.holds(v); err != nil {
				return err
			} else if !holds {
				d.pages.drop(k)
			}
		}
		return nil
	})
}

// all is what is kept; nil of a desk that keeps none.
func (p *pageCache) all() (list []*keptPage) {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.order.Front(); e != nil; e = e.Next() {
		list = append(list, e.Value.(*keptPage))
	}
	return list
}

func (p *pageCache) look(k pageKey) (kept *keptPage, keep bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.pages[k]; e != nil {
		p.order.MoveToFront(e)
		return e.Value.(*keptPage), false
	}
	if p.asked[k] {
		return nil, true
	}
	if len(p.asked) >= maxAsked {
		clear(p.asked)
	}
	p.asked[k] = true
	return nil, false
}

// keep keeps a page that was read in the same snapshot, if it is closed. It copies
// the bytes: their buffer is used again.
func (p *pageCache) keep(v store.View, k pageKey, page *Page) error {
	size := len(page.Joined) + len(page.Entries)*entryCost
	if !page.More || size > p.max || page.Next-k.from > maxBlocks*journal.ChangesBlock {
		return nil
	}
	changes, err := journal.Changes(v, k.collection, k.from, page.Next)
	if err != nil {
		return err
	}
	kept := &keptPage{key: k, generation: page.Generation, changes: changes, joined: append(make([]byte, 0, len(page.Joined)), page.Joined...), next: page.Next}
	kept.entries = append(make([]Entry, 0, len(page.Entries)), page.Entries...)
	begin := 0
	for i := range kept.entries {
		end := begin + len(kept.entries[i].Bytes)
		kept.entries[i].Bytes = kept.joined[begin:end:end]
		begin = end + 1
	}
	p.add(kept, size)
	return nil
}

func (k *keptPage) size() int { return len(k.joined) + len(k.entries)*entryCost }

func (p *pageCache) add(kept *keptPage, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.asked, kept.key)
	p.remove(p.pages[kept.key])
	p.pages[kept.key] = p.order.PushFront(kept)
	for p.used += size; p.used > p.max; {
		p.remove(p.order.Back())
	}
}

func (p *pageCache) drop(kept *keptPage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.pages[kept.key]; e != nil && e.Value == kept {
		p.remove(e)
	}
}

// remove takes a page out; p.mu is held. nil is none.
func (p *pageCache) remove(e *list.Element) {
	if e == nil {
		return
	}
	kept := p.order.Remove(e).(*keptPage)
	delete(p.pages, kept.key)
	p.used -= kept.size()
}
