// Package registry knows who: the authority, the offices and how they reach
// each other, the parties, the programmes with their versions, and which
// collections follow from them. It also owns Viewer, who is asking.
//
// A Registry is a pure fold over charter entries, fed by the desk. It is
// immutable: Apply returns a new one, so a reader keeps a consistent picture
// for as long as it likes.
//
// # Invariants
//
//   - Nothing enters unsigned: authority, office, route, party and programme
//     objects carry the authority's threshold; a directed programme may instead
//     carry the signature of its issuing party's office.
//   - Of an object with several versions the newest by instant counts; of a
//     programme every version is kept, because acts name the one they were judged
//     under; of two with one number the same counts at every office. Kind, issuer, nonce and genesis never change.
//   - A Viewer can be made in this package only, and rooms cannot import it.
//
// # What it does not do
//
// It reads no clock and no store, decides nothing (internal/release does), and
// keeps no secrets: credentials are internal/office's.
package registry

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// Registry is one consistent picture of who takes part.
type Registry struct {
	pin         ledger.Pin
	authority   []byte
	offices     map[liaison.Office]*office
	routes      map[liaison.Office]*route
	parties     map[liaison.Party]*party
	programmes  map[liaison.Hash]*Programme // by genesis
	byUnder     map[liaison.Hash]*Version
	byID        map[stix.ID]liaison.Hash // programme id -> genesis
	colls       map[liaison.CollectionID]*Collection
	authorityAt string // modified of authority

	sorted []*Collection // the values of colls, in the order of Collections
}

type office struct {
	*liaison.OfficeObject
	bytes []byte
}

type route struct {
	*liaison.Route
	bytes []byte
}

// party keeps all versions: a directed programme is signed by the office that
// served its issuer when it was written.
type party struct {
	*liaison.PartyObject
	bytes    []byte
	versions []*liaison.PartyObject // by modified
}

// ErrWaiting marks errors that another charter entry may cure: a key, a party
// or a programme that is not here yet.
var ErrWaiting = errors.New("not here yet")

// New returns the registry of an office that knows nothing but the authority
// it pinned.
func New(pin ledger.Pin) *Registry {
	return &Registry{
		pin:        pin,
		offices:    map[liaison.Office]*office{},
		routes:     map[liaison.Office]*route{},
		parties:    map[liaison.Party]*party{},
		programmes: map[liaison.Hash]*Programme{},
		byUnder:    map[liaison.Hash]*Version{},
		byID:       map[stix.ID]liaison.Hash{},
		colls:      map[liaison.CollectionID]*Collection{},
	}
}

// Pin returns the pinned authority.
func (r *Registry) Pin() ledger.Pin { return r.pin }

// Authority returns the authority object, or nil if it is not here yet.
func (r *Registry) Authority() []byte { return r.authority }

// Apply returns a registry that also holds the control object b, which is new
// in collection c. It is for the first door: a version of a programme that
// contradicts one that is here is refused. Otherwise it is Fold.
func (r *Registry) Apply(c liaison.CollectionID, b []byte) (*Registry, error) {
	n, err := r.Fold(c, b)
	if err != nil {
		return nil, err
	}
	p, err := liaison.ParseProgramme(b)
	if err != nil {
		return n, nil // Fold has taken it: it is something else
	}
	genesis, err := liaison.GenesisOf(p, b)
	if err != nil {
		return nil, err
	}
	have, known := r.programmes[genesis]
	if known && n != r {
		err = fits(have.Versions, p)
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Fold returns a registry that also holds the control object b, which stands in
// collection c. Objects that are no control objects, and versions older than
// what is here, leave the registry as it is. The error is ErrWaiting if
// something the object rests on is missing. In whatever order the versions of a
// programme are folded, the same ones count.
func (r *Registry) Fold(c liaison.CollectionID, b []byte) (*Registry, error) {
	o, err := stix.Parse(b, stix.DefaultLimits())
	if err != nil {
		return nil, err
	}
	if o.Revoked() {
		return nil, fmt.Errorf("%s: /revoked: control objects end by a later version, not by revocation", o.ID())
	}
	switch o.Type() {
	case "authority":
		return r.applyAuthority(b)
	case "office":
		return r.applyOffice(b)
	case "route":
		return r.applyRoute(b)
	case "identity":
		return r.applyParty(b)
	case "programme":
		return r.applyProgramme(c, b)
	}
	return nil, fmt.Errorf("a charter takes control objects, not a %s", o.Type())
}

// clone copies the maps, so that the old registry stays as it was.
func (r *Registry) clone() *Registry {
	return &Registry{
		pin: r.pin, authority: r.authority, authorityAt: r.authorityAt,
		offices: maps.Clone(r.offices), routes: maps.Clone(r.routes), parties: maps.Clone(r.parties),
		programmes: maps.Clone(r.programmes), byUnder: maps.Clone(r.byUnder), byID: maps.Clone(r.byID),
		colls: maps.Clone(r.colls), sorted: r.sorted,
	}
}

func (r *Registry) applyAuthority(b []byte) (*Registry, error) {
	a, err := liaison.ParseAuthority(b)
	if err != nil {
		return nil, err
	}
	if err := r.pin.Verify(b); err != nil {
		return nil, err
	}
	if a.Threshold != r.pin.Threshold || !sameKeys(a.Keys, r.pin.Keys) {
		return nil, fmt.Errorf("authority %q: its /keys or /threshold are not the pinned ones", a.Name)
	}
	if r.authority != nil && !newer(a.Modified, b, r.authorityAt, r.authority) {
		return r, nil
	}
	n := r.clone()
	n.authority, n.authorityAt = b, a.Modified
	return n, nil
}

func sameKeys(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func (r *Registry) applyOffice(b []byte) (*Registry, error) {
	o, err := liaison.ParseOfficeObject(b)
	if err != nil {
		return nil, err
	}
	if err := r.pin.Verify(b); err != nil {
		return nil, err
	}
	if have, ok := r.offices[o.Name]; ok {
		if have.ID != o.ID {
			return nil, fmt.Errorf("office %s is introduced by %s already", o.Name, have.ID)
		}
		if !newer(o.Modified, b, have.Modified, have.bytes) {
			return r, nil
		}
	}
	n := r.clone()
	n.offices[o.Name] = &office{OfficeObject: o, bytes: b}
	return n, nil
}

func (r *Registry) applyRoute(b []byte) (*Registry, error) {
	o, err := liaison.ParseRoute(b)
	if err != nil {
		return nil, err
	}
	if err := r.pin.Verify(b); err != nil {
		return nil, err
	}
	if have, ok := r.routes[o.Office]; ok && !newer(o.Modified, b, have.Modified, have.bytes) {
		return r, nil
	}
	n := r.clone()
	n.routes[o.Office] = &route{Route: o, bytes: b}
	return n, nil
}

// Belongs asks whether a charter may take a control object. A charter tells its
// parties who they are, so of identities it takes those of its programme's
// parties, of who acts for one, and of offices that may comment. A programme
// without areas is a register and takes any. The error is ErrWaiting where
// another entry may still answer.
func (r *Registry) Belongs(c liaison.CollectionID, object []byte) error {
	p, ok, err := liaison.ParsePartyObject(object)
	if err != nil || !ok {
		return err
	}
	coll, known := r.colls[c]
	if !known {
		return fmt.Errorf("party %q: the programme of charter %s: %w", p.Name, c, ErrWaiting)
	}
	for _, v := range coll.Programme.Versions {
		if len(v.Areas) == 0 || v.Issuer == p.ID || p.Party.Kind == liaison.PartyOffice && slices.Contains(v.Comment, p.Party.ServedBy) {
			return nil
		}
		for _, q := range v.Parties {
			if q.Ref == p.ID || r.actsFor(p.ID, q.Ref) {
				return nil
			}
		}
	}
	return fmt.Errorf("party %q is no party of %s and acts for none: %w", p.Name, coll.Programme.Versions[0].Name, ErrWaiting)
}

// actsFor reports whether a party has had a mandate of another.
func (r *Registry) actsFor(by, other liaison.Party) bool {
	have, ok := r.parties[other]
	return ok && slices.ContainsFunc(have.versions, func(v *liaison.PartyObject) bool {
		return slices.ContainsFunc(v.Party.ActsAt, func(m liaison.ActsAt) bool { return m.Party == by })
	})
}

// Share reports whether two parties are named by one version of a programme
// that the first is not out of: whether the first may know of the second. What
// it may not know does not change what it is told.
func (r *Registry) Share(a, b liaison.Party) bool {
	for _, v := range r.byUnder {
		terms, _, ok := v.Participant(a)
		if !ok || !v.Counts() || terms.Ended(v.Programme.InForce) {
			continue
		}
		if _, _, ok := v.Participant(b); ok {
			return true
		}
	}
	return false
}

// ServedBy returns the offices that served a party at an instant.
func (r *Registry) ServedBy(id liaison.Party, at liaison.Instant) []liaison.Office {
	p, ok := r.parties[id]
	if !ok {
		return nil
	}
	return p.servedBy(at.String())
}

func (r *Registry) applyParty(b []byte) (*Registry, error) {
	p, ok, err := liaison.ParsePartyObject(b)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("an identity in a charter needs the extension %s", liaison.ExtParty)
	}
	if err := r.pin.Verify(b); err != nil {
		return nil, err
	}
	next := &party{PartyObject: p, bytes: b}
	if have, ok := r.parties[p.ID]; ok {
		if have.has(p) && !newer(p.Modified, b, have.Modified, have.bytes) {
			return r, nil
		}
		if !newer(p.Modified, b, have.Modified, have.bytes) {
			next.PartyObject, next.bytes = have.PartyObject, have.bytes
		}
		next.versions = slices.Clone(have.versions)
	}
	next.versions = append(next.versions, p)
	slices.SortStableFunc(next.versions, func(a, b *liaison.PartyObject) int { return compare(a.Modified, b.Modified) })
	n := r.clone()
	n.parties[p.ID] = next
	return n, nil
}

// has reports whether a version of that instant and office is here.
func (p *party) has(v *liaison.PartyObject) bool {
	return slices.ContainsFunc(p.versions, func(o *liaison.PartyObject) bool {
		return compare(o.Modified, v.Modified) == 0 && o.Party.ServedBy == v.Party.ServedBy
	})
}

// newer compares two versions of an object by their instants. Of two that
// differ under one instant the same one counts at every office.
func newer(a string, aBytes []byte, b string, bBytes []byte) bool {
	c := compare(a, b)
	return c > 0 || c == 0 && bytes.Compare(aBytes, bBytes) > 0
}

// compare orders two instants as written; Apply has refused what is none.
func compare(a, b string) int {
	c, err := stix.CompareInstants(a, b)
	if err != nil {
		return strings.Compare(a, b)
	}
	return c
}

// servedBy returns the offices that served a party at an instant: those of the
// newest version that was written until then, or else of the oldest.
func (p *party) servedBy(at string) (offices []liaison.Office) {
	from := p.versions[0].Modified
	for _, v := range p.versions {
		if compare(v.Modified, at) <= 0 {
			from = v.Modified
		}
	}
	for _, v := range p.versions {
		if compare(v.Modified, from) == 0 && !slices.Contains(offices, v.Party.ServedBy) {
			offices = append(offices, v.Party.ServedBy)
		}
	}
	return offices
}

// Party returns a party by its id.
func (r *Registry) Party(id liaison.Party) (*liaison.PartyObject, bool) {
	p, ok := r.parties[id]
	if !ok {
		return nil, false
	}
	return p.PartyObject, true
}

// Parties returns all parties by name.
func (r *Registry) Parties() []*liaison.PartyObject {
	list := make([]*liaison.PartyObject, 0, len(r.parties))
	for _, p := range r.parties {
		list = append(list, p.PartyObject)
	}
	slices.SortFunc(list, func(a, b *liaison.PartyObject) int {
		return strings.Compare(a.Name+"\x00"+string(a.ID), b.Name+"\x00"+string(b.ID))
	})
	return list
}

// OfficeKeys returns an office's keys for a use at an instant; none if the
// office is not known here.
func (r *Registry) OfficeKeys(o liaison.Office, use liaison.KeyUse, at liaison.Instant) [][]byte {
	have, ok := r.offices[o]
	if !ok {
		return nil
	}
	return have.KeysFor(use, at)
}

// Office returns an office's object and its bytes as accepted.
func (r *Registry) Office(o liaison.Office) (obj *liaison.OfficeObject, bytes []byte, ok bool) {
	have, ok := r.offices[o]
	if !ok {
		return nil, nil, false
	}
	return have.OfficeObject, have.bytes, true
}
