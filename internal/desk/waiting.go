package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// What may wait of one neighbour. What exceeds it stays in the neighbour's log:
// the page is not taken, and following the collection pauses until what is here
// has found what it waits for. Control objects have as much room of their own,
// because they may be what the others wait for.
const (
	MaxWaiting      = 10_000   // acts
	MaxWaitingBytes = 64 << 20 // as kept; a page of relay is smaller
)

// waitingAct is what is kept of an act that waits, or is held (then without
// salt and bytes).
type waitingAct struct {
	Collection liaison.CollectionID `json:"collection"`
	Neighbour  liaison.Office       `json:"neighbour"`
	Travels    liaison.Travels      `json:"travels"`
	Kind       liaison.Kind         `json:"kind"`
	Erased     liaison.Hash         `json:"erased,omitzero"`
	Via        liaison.Via          `json:"via"`
	Hop        liaison.Hop          `json:"hop"`
	Rule       string               `json:"rule"`
	Reason     string               `json:"reason"`
	At         liaison.Instant      `json:"at"`

	stored string // the key it was read under
}

// item is what waits, to be tried again.
func (w *waitingAct) item() Item {
	return Item{Arrival: &Arrival{Travels: w.Travels, Kind: w.Kind, Erased: w.Erased, Via: w.Via, Hop: w.Hop}, waited: w.stored}
}

const bucketWaiting = "waiting" // <neighbour>/(charter|area)/<collection>/<act>

func (w *waitingAct) key() string {
	return roomOf(w.Neighbour, w.Travels.Bytes) + actKey(w.Collection, w.Travels.Act.Hash())
}

// roomOf returns the beginning of the keys among which an object waits.
func roomOf(n liaison.Office, object []byte) string {
	room := "area"
	if o, err := stix.Parse(slices.Clone(object), stix.DefaultLimits()); err == nil {
		_, party, err := liaison.ParsePartyObject(object)
		if liaison.IsControlType(o.Type()) || err == nil && party {
			room = "charter"
		}
	}
	return fmt.Sprintf("%s/%s/", n, room)
}

// roomToWait asks, in the transaction that keeps them, whether the acts of a
// page that would wait find room.
func (d *Desk) roomToWait(tx store.Tx, n liaison.Office, b Batch, verdicts []verdict) error {
	type load struct{ acts, bytes int }
	more := map[string]load{}
	for i, v := range verdicts {
		if v.status == Waiting && b.Items[i].waited == "" {
			t := &b.Items[i].Arrival.Travels
			room := roomOf(n, t.Bytes)
			more[room] = load{more[room].acts + 1, more[room].bytes + len(t.Bytes)}
		}
	}
	for room, l := range more {
		err := tx.States(bucketWaiting, room, func(_ string, raw []byte) error {
			l.acts, l.bytes = l.acts+1, l.bytes+len(raw)
			return nil
		})
		if err != nil {
			return err
		}
		if l.acts > d.WaitingActs || l.bytes > d.WaitingBytes {
			return fmt.Errorf("of %s at most %d acts and %d bytes wait for a charter, party, key or marking that is not here: %w", n, d.WaitingActs, d.WaitingBytes, ErrWaitingFull)
		}
	}
	return nil
}

// retryAtOnce bounds the acts that are tried again in one transaction.
const retryAtOnce = 500

// retryWaiting examines every waiting act again, in the order of the logs they
// came from.
func (d *Desk) retryWaiting(ctx context.Context) error {
	list, err := d.waiting(ctx)
	if err != nil {
		return err
	}
	objects := map[liaison.CollectionID][][]byte{}
	for _, w := range list {
		if len(w.Travels.Bytes) > 0 {
			objects[w.Collection] = append(objects[w.Collection], w.Travels.Bytes)
		}
	}
	for len(list) > 0 {
		n := 1
		for n < min(len(list), retryAtOnce) && list[n].Collection == list[0].Collection && list[n].Neighbour == list[0].Neighbour {
			n++
		}
		err := d.decided(ctx, func(reg *register) error { return d.retrySome(ctx, reg, list[:n], objects[list[0].Collection]) })
		switch {
		case errors.Is(err, errWaitsNoMore):
			d.somethingCame() // another process tries them too: look at what is left
			return nil
		case err != nil:
			return err
		}
		list = list[n:]
	}
	return nil
}

// waiting lists what waits: by collection and neighbour, control objects and
// among them programmes first, then in the order of the neighbour's log.
func (d *Desk) waiting(ctx context.Context) (list []waitingAct, err error) {
	err = d.Journal.View(ctx, func(v store.View) error {
		return v.States(bucketWaiting, "", func(key string, raw []byte) error {
			w := waitingAct{stored: key}
			if err := json.Unmarshal(raw, &w); err != nil {
				return fmt.Errorf("waiting act %s: %w", key, err)
			}
			list = append(list, w)
			return nil
		})
	})
	ranks := make(map[string]int, len(list))
	for i := range list {
		ranks[list[i].stored] = rank(list[i].Travels.Bytes)
	}
	slices.SortFunc(list, func(a, b waitingAct) int {
		return cmp.Or(ranks[a.stored]/2-ranks[b.stored]/2, slices.Compare(a.Collection[:], b.Collection[:]), cmp.Compare(a.Neighbour, b.Neighbour),
			ranks[a.stored]-ranks[b.stored], cmp.Compare(a.Via.Index, b.Via.Index))
	})
	return list, err
}

// rank: a charter begins with its programme, and areas follow charters.
func rank(object []byte) int {
	o, err := stix.Parse(slices.Clone(object), stix.DefaultLimits())
	switch {
	case err != nil || !isControl(o.Type()):
		return 2
	case o.Type() == "programme":
		return 0
	}
	return 1
}

// retrySome tries acts of one neighbour and collection again. Objects are all
// that wait in the collection: a charter may rest on any of them.
func (d *Desk) retrySome(ctx context.Context, reg *register, list []waitingAct, objects [][]byte) error {
	c, known := list[0].Collection, reg.Registry
	if reg.mayBeCharter(c) {
		known = foresee(known, c, objects)
	}
	all := Batch{Collection: c}
	for _, w := range list {
		all.Items = append(all.Items, w.item())
	}
	if err := d.joinErasures(ctx, &all); err != nil {
		return err
	}
	all = all.again()
	b, verdicts := Batch{Collection: c}, []verdict{}
	decided, err := d.examinePage(ctx, known, all)
	if err != nil {
		return err
	}
	for i, v := range decided {
		if v.status != Waiting {
			b.Items, verdicts = append(b.Items, all.Items[i]), append(verdicts, v)
		}
	}
	if len(verdicts) == 0 {
		return nil
	}
	_, err = d.commitPage(ctx, reg, list[0].Neighbour, b, verdicts)
	return err
}
