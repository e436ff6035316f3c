package registry

import (
	"github.com/liaison-office/liaison"
)

// Mandate returns the mandate by which a party acts for another at an office,
// if one is on record: one that covers the instant if there is one, else any.
func (r *Registry) Mandate(by, forParty liaison.Party, at liaison.Office, when liaison.Instant) *liaison.ActsAt {
	p, ok := r.parties[forParty]
	if !ok {
		return nil
	}
	var found *liaison.ActsAt
	for i := range p.Party.ActsAt {
		m := &p.Party.ActsAt[i]
		if m.Party == by && m.Office == at {
			if m.Covers(when) {
				return m
			}
			found = m
		}
	}
	return found
}
