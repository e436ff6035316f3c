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
)

// Query says what to read.
type Query struct {
	What       What
	Collection liaison.CollectionID

	From       uint64          // first index
	AddedAfter liaison.Instant // only entries added later
	Limit      int             // most entries; 0 means MaxPage
	MaxBytes   int             // Log: stop after about this many bytes
	Filter     Filter

	Origin     liaison.Origin // Position
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
	More    bool    // Objects: a next page exists
	Next    uint64  // Objects, Log: the index to continue at

	Leaves []LogEntry // Log
	Note   string     // Log: the checkpoint of size Next

	Offers     []liaison.CollectionID // Offers
	Follow     Follow                 // Position
	Outbox     []Evidence             // Outbox
	Outcomes   []Outcome              // Statuses
	At         liaison.Instant        // Statuses: when
	Collection liaison.CollectionID   // Statuses: into what
	Receipt    *liaison.Receipt       // Receipts
	Acts       []UndeliveredAct       // Undelivered

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
	err := d.Journal.View(ctx, func(s store.View) error {
		if err := d.mayAsk(s, v, q); err != nil {
			return err
		}
		return d.read(ctx, s, v, q, page)
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (d *Desk) read(ctx context.Context, s store.View, v Viewer, q Query, page *Page) (err error) {
	switch q.What {
	case Objects:
		return d.readObjects(s, q, page)
	case Versions:
		q.Filter.Versions, q.WithoutBytes = []string{"all"}, true
		return d.readObjects(s, q, page)
	case Log:
		return d.readLog(ctx, s, v, q, page)
	case Offers:
		n, _ := v.Neighbour()
		page.Offers = d.reg.Load().Offers(d.Office, n, d.now())
	case Position:
		page.Follow, err = followed(s, q.Origin)
	case Outbox:
		n, _ := v.Neighbour()
		page.Outbox, err = d.outbox(s, n, MaxPage)
	case Statuses:
		return d.readStatus(s, v, q, page)
	case Receipts:
		page.Receipt, err = d.receipt(ctx, s, q)
	case Undelivered:
		page.Acts, err = d.undelivered(s)
	}
	return err
}

// mayAsk is asked in the snapshot that is read.
func (d *Desk) mayAsk(s store.View, v Viewer, q Query) error {
	if a, ok := v.Account(); ok {
		if err := checkAccount(s, a); err != nil {
			return err
		}
	}
	_, isNeighbour := v.Neighbour()
	switch q.What {
	case Statuses:
		return nil // the owner is part of the key
	case Undelivered:
		return allow(v.IsOperator())
	case Offers, Position, Outbox:
		return allow(isNeighbour)
	case Log:
		return allow(isNeighbour && d.offered(v, q.Collection))
	}
	coll, ok := d.reg.Load().Collection(q.Collection)
	if !ok {
		return ErrNotFound
	}
	if v.IsOperator() {
		return allow(q.What == Receipts && !q.WithObject) // operators have no page that shows contents
	}
	if q.What == Receipts && v.IsNobody() {
		return ErrNotFound // a receipt holds the programme with its parties
	}
	return allow(d.readable(v, coll).Allowed)
}

func allow(ok bool) error {
	if !ok {
		return ErrNotFound
	}
	return nil
}

func (d *Desk) offered(v Viewer, c liaison.CollectionID) bool {
	n, _ := v.Neighbour()
	return d.reg.Load().Offered(d.Office, n, c, d.now())
}

// readable decides about reading a collection now.
func (d *Desk) readable(v Viewer, c *registry.Collection) release.Decision {
	now := d.now()
	var actor release.Actor
	a, ok := v.Account()
	switch {
	case ok && !a.Has(registry.MayRead) && !a.Has(registry.MayWrite):
		return release.Decision{}
	case ok:
		actor = d.actorOf(d.reg.Load(), a.By, a.For, d.Office, now)
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
		err := d.Journal.View(ctx, func(s store.View) error {
			if err := d.mayAsk(s, v, q); err != nil {
				return err
			}
			pos, err := s.Position(q.Collection)
			size = pos.Size
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
