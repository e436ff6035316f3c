package desk

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// before finds what a party released of an object before an act of a page: what
// is stored here, and what comes before it in the page.
type before struct {
	d *Desk
	c liaison.CollectionID
	l *looks

	known map[releasedBy]*journal.Earlier
	page  map[releasedBy][]accepted
	waits map[releasedBy]liaison.Instant // when the first of those that wait was accepted
	asked bool                           // what waits in the store is among them
}

type releasedBy struct {
	id    stix.ID
	owner liaison.Party
}

type accepted struct {
	act    *liaison.Act
	object *stix.Object
}

func (l *looks) newBefore(c liaison.CollectionID) *before {
	return &before{d: l.d, c: c, l: l, known: map[releasedBy]*journal.Earlier{}, page: map[releasedBy][]accepted{}, waits: map[releasedBy]liaison.Instant{}}
}

func (b *before) released(id stix.ID, owner liaison.Party) *journal.Earlier {
	by := releasedBy{id, owner}
	e, ok := b.known[by]
	if !ok {
		e = b.l.earlier(b.c, id, owner)
		for _, a := range b.page[by] {
			e.Add(a.act, a.object)
		}
		b.known[by] = e
	}
	return e
}

// add takes in what became of an act of the page.
func (b *before) add(a *Arrival, v verdict) {
	act := &a.Travels.Act
	switch v.status {
	case Accepted:
		if v.object == nil { // it erases, or is erased
			return
		}
		by := releasedBy{v.object.ID(), act.Owner()}
		b.page[by] = append(b.page[by], accepted{act, v.object})
		if e := b.known[by]; e != nil {
			e.Add(act, v.object)
		}
	case Waiting:
		b.wait(&a.Travels)
	}
}

func (b *before) wait(t *liaison.Travels) {
	o, err := stix.Parse(slices.Clone(t.Bytes), b.d.Limits)
	if err != nil {
		return // it will be refused
	}
	by := releasedBy{o.ID(), t.Act.Owner()}
	if first, ok := b.waits[by]; !ok || t.Act.Accepted < first {
		b.waits[by] = t.Act.Accepted
	}
}

// waiting reports whether an earlier act of the party for the object waits
// here, of the neighbour the act in hand came from.
func (b *before) waiting(a *Arrival, id stix.ID) bool {
	if !b.asked {
		b.asked = true
		b.readWaiting(a.Via.Origin.Office)
	}
	first, ok := b.waits[releasedBy{id, a.Travels.Act.Owner()}]
	return ok && first < a.Travels.Act.Accepted
}

func (b *before) readWaiting(n liaison.Office) {
	b.l.view(context.Background(), "waiting acts", func(v store.View) error {
		return v.States(bucketWaiting, roomOf(n, nil)+b.c.String()+"/", func(key string, raw []byte) error {
			var w waitingAct
			if err := json.Unmarshal(raw, &w); err != nil {
				return fmt.Errorf("waiting act %s: %w", key, err)
			}
			b.wait(&w.Travels)
			return nil
		})
	})
}
