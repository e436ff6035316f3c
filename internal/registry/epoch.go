package registry

import (
	"slices"

	"github.com/liaison-office/liaison"
)

// An epoch opens at the in_force of the version that opens it, and closes when
// the next one opens. Acts name a version that has their epoch.

// opener returns the first version that has the collection's epoch.
func (c *Collection) opener() *Version {
	for _, v := range c.Programme.Versions {
		if v.HasArea(c.Area) && v.EpochOf(c.Area) >= c.Epoch {
			return v
		}
	}
	return c.Programme.Versions[0]
}

// InForce returns the version whose terms hold for the collection at an
// instant, and the in_force of its successor (zero if none): the version in
// force, or the one that will open the epoch while it has not yet.
func (c *Collection) InForce(at liaison.Instant) (v *Version, until liaison.Instant) {
	if first := c.opener(); at < first.Programme.InForce {
		return first, first.Until()
	}
	return c.Programme.InForce(at)
}

// Judging returns the version that acts into the collection name at an instant,
// and the in_force of its successor: the one in force for it, or where that has
// dropped the area the last one before that had it.
func (c *Collection) Judging(at liaison.Instant) (v *Version, until liaison.Instant) {
	v, until = c.InForce(at)
	for _, old := range slices.Backward(c.Programme.Versions) {
		if old.Version <= v.Version && old.HasArea(c.Area) {
			return old, old.Until()
		}
	}
	return v, until
}

// In reports whether a version has the collection: whether an act into it can
// name that version.
func (c *Collection) In(v *Version) bool {
	return v.Of().Genesis == c.Programme.Genesis && v.HasArea(c.Area) && v.EpochOf(c.Area) >= c.Epoch
}

// Closing returns the last version in which the collection's epoch was the
// newest, and since when a later one is, if it is at an instant. Last is nil
// where no version that had it is known.
func (c *Collection) Closing(at liaison.Instant) (last *Version, since liaison.Instant, closed bool) {
	for _, v := range c.Programme.Versions {
		if v.EpochOf(c.Area) > c.Epoch {
			return last, v.Programme.InForce, last == nil || v.Programme.InForce <= at
		}
		last = v
	}
	return last, 0, false
}

// Open reports whether the collection's epoch is the one that takes new acts at
// an instant.
func (c *Collection) Open(at liaison.Instant) bool {
	_, _, closed := c.Closing(at)
	return !closed && (c.Epoch == 1 || c.opener().Programme.InForce <= at)
}

// Charters returns the charters a version of a programme goes into: the one of
// its epoch and, where it opens that epoch, first the one before. The parties
// that were there before learn of it in the old log, those that join in the new.
func (r *Registry) Charters(p *liaison.Programme, genesis liaison.Hash) (ids []liaison.CollectionID) {
	epoch := p.EpochOf(liaison.Charter)
	if have, ok := r.programmes[genesis]; ok && epoch > 1 {
		first := have.Versions[0]
		opens := !slices.ContainsFunc(have.Versions, func(v *Version) bool {
			return v.Version < p.Version && v.EpochOf(liaison.Charter) >= epoch
		})
		if opens && first.Version < p.Version {
			ids = append(ids, liaison.CollectionOf(genesis, liaison.Charter, epoch-1))
		}
	}
	return append(ids, liaison.CollectionOf(genesis, liaison.Charter, epoch))
}

// inOwnCharter reports whether a version may stand in a charter: that of its
// epoch or the one before, which it may have closed.
func inOwnCharter(c liaison.CollectionID, p *liaison.Programme, genesis liaison.Hash) bool {
	epoch := p.EpochOf(liaison.Charter)
	return c == liaison.CollectionOf(genesis, liaison.Charter, epoch) ||
		epoch > 1 && c == liaison.CollectionOf(genesis, liaison.Charter, epoch-1)
}
