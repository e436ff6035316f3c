package desk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// What this office can give back to a neighbour whose store was lost: the leaves
// of the neighbour's own log that it has verified, each under a checkpoint that
// the neighbour signed, with the act and its object. Most of them stand here
// already: as the last hop of what came from there, and as the leaf of delivery
// of what went there. The others are kept for this (bucketLeaves).

// bucketLeaves holds the leaves of neighbours' logs that added nothing here: the
// act was here by another route, it was refused, or there is none.
const bucketLeaves = "leaves" // <origin>/<index, 16 hexadecimal digits>: Returned

// Returned is a leaf of an office's own log as a neighbour gives it back.
type Returned struct {
	Hop liaison.Hop `json:"hop"` // the leaf, with its path to a checkpoint that its office signed
	// Travels is the act, with the way it came to that office in Hops. Absent
	// where the leaf names none. The object is absent where it is not here.
	Travels *liaison.Travels `json:"travels,omitzero"`
}

func leafKey(o liaison.Origin, index uint64) string {
	return fmt.Sprintf("%s/%016x", o, index)
}

// keepLeaves keeps what nothing else here would remember of a page.
func (d *Desk) keepLeaves(tx store.Tx, b Batch, verdicts []verdict, added []bool) error {
	for i, v := range verdicts {
		a := b.Items[i].Arrival
		r := Returned{Hop: a.Hop}
		switch via := a.Hop.Leaf.Via; {
		case v.status == Held, v.status == Waiting, added[i]:
			continue // they are kept whole
		case v.status == Accepted && via != nil && via.Origin.Office == d.Office:
			continue // a leaf of delivery
		case v.status == Accepted:
			r.Travels = &liaison.Travels{Act: a.Travels.Act, Hops: a.Travels.Hops} // the rest is here
		default:
			t := a.Travels
			t.Salt, t.Bytes = liaison.Hash{}, nil
			r.Travels = &t
		}
		if err := tx.Put(bucketLeaves, leafKey(a.Via.Origin, a.Via.Index), marshal(r)); err != nil {
			return err
		}
	}
	if b.Follow == nil {
		return nil
	}
	for _, h := range b.Follow.Bare {
		if err := tx.Put(bucketLeaves, leafKey(b.Follow.Origin, h.Index), marshal(Returned{Hop: h})); err != nil {
			return err
		}
	}
	return nil
}

// heads returns the newest checkpoint of each log of a neighbour that was
// verified here, after a key; Next is the key to go on after.
func (d *Desk) heads(v store.View, n liaison.Office, q Query, page *Page) error {
	prefix, size := string(n)+"/", 0
	page.Doubtful = d.Journal.Restored() != nil
	err := v.States(bucketFollow, prefix, func(key string, raw []byte) error {
		if key <= q.After {
			return nil
		}
		if size >= q.MaxBytes && size > 0 {
			page.More = true
			return store.Stop
		}
		var f Follow
		if err := json.Unmarshal(append([]byte(nil), raw...), &f); err != nil {
			return fmt.Errorf("position in %s: %w", key, err)
		}
		if page.After = key; f.Note != "" {
			page.Heads = append(page.Heads, f.Note)
			size += len(f.Note)
		}
		return nil
	})
	if !page.More {
		page.After = ""
	}
	return err
}

// The parts of what is looked through for a neighbour's leaves, in order.
const (
	partEntries = iota
	partLeaves
	partHeld
	partWaiting
	partsEnd
)

// recall returns leaves of a neighbour's own log from an index on, in the order
// in which they are found here. Query.After says where the search goes on.
func (d *Desk) recall(v store.View, n liaison.Office, q Query, page *Page) error {
	part, rest := partEntries, ""
	if q.After != "" {
		var err error
		word, after, _ := strings.Cut(q.After, " ")
		if part, err = strconv.Atoi(word); err != nil || part < 0 || part >= partsEnd {
			return fmt.Errorf("recall after %.40q: it names no place", q.After)
		}
		rest = after
	}
	s := &search{d: d, v: v, n: n, q: &q, page: page}
	for ; part < partsEnd; part, rest = part+1, "" {
		if err := s.part(part, rest); err != nil || page.More {
			page.After = fmt.Sprintf("%d %s", part, s.at)
			return err
		}
	}
	page.After = ""
	return nil
}

// search goes through what is kept here.
type search struct {
	d    *Desk
	v    store.View
	n    liaison.Office
	q    *Query
	page *Page
	size int
	seen int
	at   string // where to go on
}

func (s *search) part(part int, rest string) error {
	c := s.q.Collection.String()
	switch part {
	case partEntries:
		return s.entries(rest)
	case partLeaves:
		return s.states(bucketLeaves, string(s.n)+"/"+c+"/", rest, s.leaf)
	case partHeld:
		return s.states(bucketHeld, c+"/", rest, s.waiting)
	default:
		return s.states(bucketWaiting, string(s.n)+"/", rest, s.waiting)
	}
}

// maxSearched bounds what one question looks through.
const maxSearched = 20_000

// full reports whether the page has what fits, and notes where to go on.
func (s *search) full(at string) bool {
	limit := s.q.Limit
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	s.seen++
	if s.page.More = len(s.page.Returned) >= limit || s.size >= max(s.q.MaxBytes, 1) || s.seen > maxSearched; s.page.More {
		s.at = at
	}
	return s.page.More
}

func (s *search) give(r Returned) {
	if r.Hop.Index < s.q.From {
		return
	}
	s.page.Returned = append(s.page.Returned, r)
	s.size += 1000 + len(r.Hop.Path)*50
	if r.Travels != nil {
		s.size += 1000 + len(r.Travels.Bytes) + len(r.Travels.Hops)*1000
	}
}

func (s *search) entries(rest string) error {
	from := uint64(0)
	if rest != "" {
		var err error
		if from, err = strconv.ParseUint(rest, 10, 64); err != nil {
			return err
		}
	}
	return s.v.Range(s.q.Collection, from, store.MaxEntries, store.Bytes|store.Proof, func(e *store.Entry) error {
		if len(e.Act) == 0 {
			return nil
		}
		if s.full(strconv.FormatUint(e.Index, 10)) {
			return store.Stop
		}
		if err := s.entry(e); err != nil {
			return fmt.Errorf("index %d: %w", e.Index, err)
		}
		return nil
	})
}

// entry gives the neighbour's leaves for an act: the last hop of what came from
// it, and the leaf of delivery of what went to it. What went back to it after it
// had lost it has both.
func (s *search) entry(e *store.Entry) error {
	leaf, err := liaison.ParseLeaf(e.Leaf)
	if err != nil {
		return err
	}
	t, err := travels(e, "")
	if err != nil {
		return err
	}
	if last := len(t.Hops) - 1; last >= 0 && leaf.Via != nil && leaf.Via.Origin.Office == s.n {
		came := *t
		came.Hops = t.Hops[:last:last]
		s.give(Returned{Hop: t.Hops[last], Travels: &came})
	}
	raw, ok, err := s.v.State(bucketHops, actKey(s.q.Collection, e.ActHash)+"/"+string(s.n))
	if err != nil || !ok {
		return err
	}
	var hop liaison.Hop
	if err := json.Unmarshal(raw, &hop); err != nil {
		return err
	}
	if hop.Index < s.q.From || hop.Leaf.Via == nil || hop.Leaf.Via.Origin.Office != s.d.Office {
		return nil
	}
	own, err := s.d.ownHop(s.v, s.q.Collection, e.ActHash, s.n, hop.Leaf.Via.Origin.Generation)
	if err != nil || own == nil {
		return err
	}
	t.Hops = append(slices.Clip(t.Hops), *own)
	s.give(Returned{Hop: hop, Travels: t})
	return nil
}

func (s *search) states(bucket, prefix, rest string, take func([]byte) error) error {
	return s.v.States(bucket, prefix, func(key string, raw []byte) error {
		if key < rest {
			return nil
		}
		if s.full(key) {
			return store.Stop
		}
		if err := take(raw); err != nil {
			return fmt.Errorf("%s %s: %w", bucket, key, err)
		}
		return nil
	})
}

// leaf gives one that added nothing here. What is here of the act goes with it.
func (s *search) leaf(raw []byte) error {
	var r Returned
	if err := json.Unmarshal(append([]byte(nil), raw...), &r); err != nil {
		return err
	}
	if r.Travels == nil || len(r.Travels.Batch.Sig) > 0 {
		s.give(r)
		return nil
	}
	return s.v.FindAct(s.q.Collection, r.Hop.Leaf.Act, store.Bytes|store.Proof, func(e *store.Entry) error {
		t, err := travels(e, "")
		if err != nil {
			return err
		}
		t.Hops = r.Travels.Hops
		s.give(Returned{Hop: r.Hop, Travels: t})
		return store.Stop
	})
}

func (s *search) waiting(raw []byte) error {
	var w waitingAct
	if err := json.Unmarshal(append([]byte(nil), raw...), &w); err != nil {
		return err
	}
	if w.Neighbour == s.n && w.Collection == s.q.Collection {
		s.give(Returned{Hop: w.Hop, Travels: &w.Travels})
	}
	return nil
}

// verifyReturned: this office signed the leaf, and what came with it is the act
// that the leaf names. Nothing else is believed of it yet.
func (d *Desk) verifyReturned(c liaison.CollectionID, r *Returned) (ledger.Checkpoint, error) {
	cp, ok := d.Journal.Signed(r.Hop.Checkpoint)
	raw := liaison.JCS(r.Hop.Leaf)
	if !ok || cp.Origin.Collection != c {
		return cp, fmt.Errorf("the checkpoint over leaf %d is not this office's", r.Hop.Index)
	}
	if err := ledger.VerifyInclusion(liaison.LeafHash(raw), r.Hop.Index, cp.Size, r.Hop.Path, cp.Root); err != nil {
		return cp, fmt.Errorf("leaf %d: %w", r.Hop.Index, err)
	}
	if _, err := liaison.ParseLeaf(raw); err != nil {
		return cp, fmt.Errorf("leaf %d: %w", r.Hop.Index, err)
	}
	t := r.Travels
	switch {
	case r.Hop.Leaf.Act.IsZero() && t == nil:
		return cp, nil
	case t == nil || t.Act.Hash() != r.Hop.Leaf.Act:
		return cp, fmt.Errorf("leaf %d came without the act it names", r.Hop.Index)
	case len(t.Bytes) > 0 && liaison.Commit(t.Salt, t.Bytes) != t.Act.Commit:
		return cp, fmt.Errorf("leaf %d came with another object than its act commits to", r.Hop.Index)
	}
	return cp, nil
}
