package desk

import (
	"context"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/internal/store"
)

// What names a range of its own that can be read.
type What uint8

// What can be read.
const (
	Objects     What = iota // the entries of a collection, as TAXII shows them
	Versions                // of one object: Filter.IDs
	Log                     // neighbours: leaves with their acts, to follow
	Offers                  // neighbours: the collections to follow
	Position                // neighbours: the follower's own position in Query.Origin
	Outbox                  // neighbours: evidence that waits for them
	Statuses                // one status resource of the viewer's: Query.Status
	Receipts                // the receipt of the entry at Query.From
	Undelivered             // operators: held and waiting acts, verdicts
	Heads                   // neighbours: what was verified here of their logs
	Recall                  // neighbours: leaves of their log of a collection, from From on
	Doubts                  // neighbours: what this office asks them about its own logs
	Stopped                 // operators: logs in which nothing is accepted or signed
)

// Query says what to read.
type Query struct {
	What       What
	Collection liaison.CollectionID

	From       uint64          // first index
	AddedAfter liaison.Instant // only entries added later
	Limit      int             // most entries; 0 means MaxPage
	MaxBytes   int             // Log, Heads, Recall: stop after about this many bytes
	Generation uint32          // of the log that is followed (Log: *GenerationError) or that From is of (Objects); 0: any
	Seen       liaison.Instant // Objects: of the last entry before From; in another generation what was added later is read
	Whole      bool            // Log: with the objects that came from the neighbour too
	Filter     Filter
	After      string // Heads, Recall: Page.After of the page before

	Origin     liaison.Origin // Position; of generation 0: the newest that is followed
	Status     string         // Statuses
	WithObject bool           // Receipts: the object and its salt too
	// WithoutBytes leaves Entry.Bytes and Page.Joined out (Objects).
	WithoutBytes bool

	// Wait, if positive, is how long to wait for an entry at From (Log).
	Wait time.Duration
}

// MaxPage bounds a page.
const MaxPage = 1000

// Page is what was read. Only the fields its What names are set.
type Page struct {
	Entries []Entry // Objects
	Joined  []byte  // Objects: the bytes of all entries, with single commas between
	More    bool    // a next page exists

	Generation uint32 // Objects, if there is More: of the log
	Next       uint64 // Objects, Log: the index to continue at

	Leaves []LogEntry // Log
	Note   string     // Log: the checkpoint of size Next

	Offers     []liaison.CollectionID // Offers
	Follow     Follow                 // Position
	Before     Follow                 // Position: in the newest of the generations before
	Outbox     []Evidence             // Outbox
	Outcomes   []Outcome              // Statuses
	At         liaison.Instant        // Statuses: when
	Collection liaison.CollectionID   // Statuses: into what
	Receipt    *liaison.Receipt       // Receipts
	Acts       []UndeliveredAct       // Undelivered
	Heads      []string               // Heads: checkpoints, cosigned here
	Doubtful   bool                   // Heads: this office may have known more
	Returned   []Returned             // Recall
	After      string                 // Heads, Recall: where the next page goes on; empty: there is none
	Doubts     []Doubt                // Doubts
	Stopped    []StoppedLog           // Stopped
	Silent     []liaison.Office       // Stopped: neighbours that have not said what they know

	buffers *sync.Pool // where buffer came from, until it is released
	buffer  *[]byte
}

// Release lets the desk use the bytes of Objects again. Who calls it does not
// look at Joined or Entry.Bytes afterwards; nobody has to call it.
func (p *Page) Release() {
	if p.buffers != nil {
		*p.buffer = p.Joined
		p.buffers.Put(p.buffer)
		p.buffers = nil
	}
}

// Entry is an object as readers see it. Bytes lie within Page.Joined.
type Entry struct {
	Index             uint64
	Added             liaison.Instant
	ID, Version, Type string
	Bytes             []byte
}

// Read answers a query. ErrNotFound means unknown or not for this viewer.
func (d *Desk) Read(ctx context.Context, v Viewer, q Query) (*Page, error) {
	if q.What == Log && q.Wait > 0 {
		if err := d.await(ctx, v, q); err != nil {
			return nil, err
		}
	}
	page := new(Page)
	err := d.view(ctx, func(s store.View, reg *register) error {
		if err := d.mayAsk(s, reg.Registry, v, q); err != nil {
			return err
		}
		return d.read(ctx, s, reg.Registry, v, q, page)
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (d *Desk) read(ctx context.Context, s store.View, reg *registry.Registry, v Viewer, q Query, page *Page) (err error) {
	switch q.What {
	case Objects:
		return d.readObjects(s, q, page)
	case Versions:
		q.Filter.Versions, q.WithoutBytes = []string{"all"}, true
		return d.readObjects(s, q, page)
	case Log:
		return d.readLog(ctx, s, reg, v, q, page)
	case Offers:
		n, _ := v.Neighbour()
		page.Offers = reg.Offers(d.Office, n, d.now())
	case Position:
		page.Follow, page.Before, err = position(s, q.Origin)
	case Outbox:
		n, _ := v.Neighbour()
		page.Outbox, err = d.outbox(s, n, MaxPage)
	case Statuses:
		return d.readStatus(s, v, q, page)
	case Receipts:
		page.Receipt, err = d.receipt(ctx, s, reg, q)
	case Undelivered:
		page.Acts, err = d.undelivered(s)
	case Heads:
		n, _ := v.Neighbour()
		err = d.heads(s, n, q, page)
	case Recall:
		n, _ := v.Neighbour()
		err = d.recall(s, n, q, page)
	case Doubts:
		page.Doubts, err = d.asks(s)
	case Stopped:
		page.Silent = d.recovery.silent(d.neighbours())
		page.Stopped, err = d.stopped(s)
	}
	return err
}

// mayAsk is asked in the snapshot that is read.
func (d *Desk) mayAsk(s store.View, reg *registry.Registry, v Viewer, q Query) error {
	if a, ok := v.Account(); ok {
		if err := checkAccount(s, a); err != nil {
			return err
		}
	}
	_, isNeighbour := v.Neighbour()
	switch q.What {
	case Statuses:
		return nil // the owner is part of the key
	case Undelivered, Stopped:
		return allow(v.IsOperator())
	case Offers, Position, Outbox, Heads, Recall, Doubts:
		return allow(isNeighbour)
	case Log:
		return allow(isNeighbour && d.offered(reg, v, q.Collection))
	}
	coll, ok := reg.Collection(q.Collection)
	if !ok {
		return ErrNotFound
	}
	if v.IsOperator() {
		return allow(q.What == Receipts && !q.WithObject) // operators have no page that shows contents
	}
	if q.What == Receipts && v.IsNobody() {
		return ErrNotFound // a receipt holds the programme with its parties
	}
	return allow(d.readable(reg, v, coll).Allowed)
}

func allow(ok bool) error {
	if !ok {
		return ErrNotFound
	}
	return nil
}

func (d *Desk) offered(reg *registry.Registry, v Viewer, c liaison.CollectionID) bool {
	n, _ := v.Neighbour()
	return reg.Offered(d.Office, n, c, d.now())
}

// readable decides about reading a collection now.
func (d *Desk) readable(reg *registry.Registry, v Viewer, c *registry.Collection) release.Decision {
	now := d.now()
	var actor release.Actor
	a, ok := v.Account()
	switch {
	case ok && !a.Has(registry.MayRead) && !a.Has(registry.MayWrite):
		return release.Decision{}
	case ok:
		actor = d.actorOf(reg, a.By, a.For, d.Office, now)
	case !v.IsNobody():
		return release.Decision{}
	}
	return d.mayRead(c, actor, now)
}

// await returns when the collection has an entry at q.From, when q.Wait is
// over, or when ctx ends. It tells nothing: Read decides afterwards.
func (d *Desk) await(ctx context.Context, v Viewer, q Query) error {
	timer := time.NewTimer(q.Wait)
	defer timer.Stop()
	for {
		changed := d.Journal.Changed(q.Collection)
		var size uint64
		err := d.view(ctx, func(s store.View, reg *register) error {
			if err := d.mayAsk(s, reg.Registry, v, q); err != nil {
				return err
			}
			pos, err := s.Position(q.Collection)
			if size = pos.Size; err == nil {
				err = q.sameGeneration(pos)
			}
			return err
		})
		if err != nil || size > q.From {
			return err
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sameGeneration refuses who follows a generation of a log that is over.
func (q *Query) sameGeneration(pos store.Position) error {
	if g := max(pos.Generation, 1); q.Generation != 0 && q.Generation != g {
		return &GenerationError{g}
	}
	return nil
}
