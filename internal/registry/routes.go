package registry

import (
	"maps"
	"slices"

	"github.com/liaison-office/liaison"
)

// Neighbours returns the offices directly connected to o, by name. Routes are
// edges: "seoul through tokyo" connects both.
func (r *Registry) Neighbours(o liaison.Office) []liaison.Office {
	set := map[liaison.Office]bool{}
	for office, route := range r.routes {
		for _, t := range route.Through {
			if office == o {
				set[t] = true
			}
			if t == o {
				set[office] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Path returns the offices from one to another, both included, by the fewest
// hops; ties go to the lower name. It is nil if there is no way.
func (r *Registry) Path(from, to liaison.Office) []liaison.Office {
	before := map[liaison.Office]liaison.Office{from: from}
	for queue := []liaison.Office{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == to {
			return walkBack(before, from, to)
		}
		for _, n := range r.Neighbours(at) {
			if _, seen := before[n]; !seen {
				before[n] = at
				queue = append(queue, n)
			}
		}
	}
	return nil
}

func walkBack(before map[liaison.Office]liaison.Office, from, to liaison.Office) []liaison.Office {
	path := []liaison.Office{to}
	for at := to; at != from; {
		at = before[at]
		path = append(path, at)
	}
	slices.Reverse(path)
	return path
}

// OfficesOf returns the offices whose accounts may read a programme's areas at
// an instant: those that serve its parties, those where somebody acts for one,
// and those that may comment. A public programme is for every office.
func (r *Registry) OfficesOf(p *Programme, at liaison.Instant) []liaison.Office {
	v, _ := p.InForce(at)
	return r.audienceOf(v, at, liaison.Participant.Covers)
}

// notEnded also counts parties whose time begins later: they know what they
// will be party of.
func notEnded(q liaison.Participant, at liaison.Instant) bool { return !q.Ended(at) }

func (r *Registry) audienceOf(v *Version, at liaison.Instant, counts func(liaison.Participant, liaison.Instant) bool) []liaison.Office {
	set := map[liaison.Office]bool{}
	if v.Kind == liaison.KindPublic {
		for o := range r.offices {
			set[o] = true
		}
	}
	for _, q := range v.Parties {
		party, known := r.parties[q.Ref]
		if !known || !counts(q, at) {
			continue
		}
		set[party.Party.ServedBy] = true
		for _, m := range party.Party.ActsAt {
			if m.Covers(at) {
				set[m.Office] = true
			}
		}
	}
	for _, o := range v.Comment {
		set[o] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// carries reports whether under a version an office may carry the programme's
// collections: it has readers of its own, or is listed.
func carries(o liaison.Office, v *Version, readers []liaison.Office) bool {
	return slices.Contains(readers, o) || slices.Contains(v.Transit, o)
}

// Unlisted returns the offices on the ways from one office to a programme's
// readers that neither read nor are listed as transit, and the readers to whom
// no way is known.
func (r *Registry) Unlisted(from liaison.Office, p *Programme, at liaison.Instant) []liaison.Office {
	v, _ := p.InForce(at)
	readers := r.audienceOf(v, at, liaison.Participant.Covers)
	set := map[liaison.Office]bool{}
	for _, to := range readers {
		path := r.Path(from, to)
		if path == nil {
			set[to] = true // there is no way: better said now than never delivered
		}
		for _, o := range path {
			if o != from && !carries(o, v, readers) {
				set[o] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Offers returns the collections an office offers a neighbour: those with a
// reader that is reached through it, if it may carry them. Charters first.
func (r *Registry) Offers(here, neighbour liaison.Office, at liaison.Instant) []liaison.CollectionID {
	var ids []liaison.CollectionID
	for _, c := range r.Collections() {
		if r.offers(here, neighbour, c, at) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Offered reports whether an office offers a collection to a neighbour.
func (r *Registry) Offered(here, neighbour liaison.Office, id liaison.CollectionID, at liaison.Instant) bool {
	c, ok := r.colls[id]
	return ok && r.offers(here, neighbour, c, at)
}

// offers: transit offices get the charter, so that they know what they carry;
// anything else goes only where a reader is reached. Who is removed gets the
// charter up to its removal.
func (r *Registry) offers(here, neighbour liaison.Office, c *Collection, at liaison.Instant) bool {
	v, _ := c.InForce(at)
	if last, _, closed := c.Closing(at); closed && (last == nil || !slices.Contains(r.audienceOf(last, at, notEnded), neighbour) && !slices.Contains(last.Transit, neighbour)) {
		return false // a closed log goes to nobody who joined later
	}
	if c.Area == liaison.Charter {
		_, removed := r.Removal(here, neighbour, c, at)
		return removed || r.charterReaches(here, neighbour, v, at)
	}
	readers := r.audienceOf(v, at, liaison.Participant.Covers)
	return carries(neighbour, v, readers) && r.through(here, neighbour, readers)
}

// charterReaches reports whether under a version the charter goes to a
// neighbour: it reads or carries, and such an office is reached through it.
func (r *Registry) charterReaches(here, neighbour liaison.Office, v *Version, at liaison.Instant) bool {
	readers := r.audienceOf(v, at, notEnded)
	if !slices.Contains(readers, neighbour) && !slices.Contains(v.Transit, neighbour) {
		return false
	}
	return r.through(here, neighbour, slices.Concat(readers, v.Transit))
}

// through reports whether one of the offices is reached through a neighbour.
func (r *Registry) through(here, neighbour liaison.Office, offices []liaison.Office) bool {
	return slices.ContainsFunc(offices, func(to liaison.Office) bool {
		path := r.Path(here, to)
		return len(path) > 1 && path[1] == neighbour
	})
}

// Removal returns the version of a charter that took it away from a neighbour:
// the last entry that neighbour gets. ok is false if nothing was taken away.
func (r *Registry) Removal(here, neighbour liaison.Office, c *Collection, at liaison.Instant) (removed *Version, ok bool) {
	now, _ := c.InForce(at)
	had := false
	for _, v := range c.Programme.Versions {
		if !c.In(v) {
			continue
		}
		has := r.charterReaches(here, neighbour, v, at)
		if had && !has {
			removed = v
		}
		if has {
			removed = nil
		}
		if had = has; v == now {
			break
		}
	}
	return removed, removed != nil
}
