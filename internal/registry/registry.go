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
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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

// Programme is an agreement with the versions known here that count, by number.
type Programme struct {
	Genesis  liaison.Hash
	Versions []*Version
	signed   []*Version // those that do not count too
}

// Contradicting returns the versions that were signed and do not count: who
// signed them signed others that they contradict.
func (p *Programme) Contradicting() (versions []*Version) {
	for _, v := range p.signed {
		if !v.Counts() {
			versions = append(versions, v)
		}
	}
	return versions
}

// Version is one signed version of a programme.
type Version struct {
	*liaison.Programme
	Under liaison.Hash
	Bytes []byte // the object as accepted
	of    *Programme
}

// Collection is one programme × area × epoch.
type Collection struct {
	ID        liaison.CollectionID
	Programme *Programme
	Area      liaison.Area
	Epoch     uint32

	sortKey string
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

func (r *Registry) applyProgramme(c liaison.CollectionID, b []byte) (*Registry, error) {
	p, err := liaison.ParseProgramme(b)
	if err != nil {
		return nil, err
	}
	under, err := liaison.Under(b)
	if err != nil {
		return nil, err
	}
	genesis, err := liaison.GenesisOf(p, b)
	if err != nil {
		return nil, err
	}
	if !inOwnCharter(c, p, genesis) {
		return nil, fmt.Errorf("programme %q v%d belongs into its own charter %s", p.Name, p.Version, liaison.CollectionOf(genesis, liaison.Charter, p.EpochOf(liaison.Charter)))
	}
	if err := r.verifyProgramme(p, genesis, b); err != nil {
		return nil, err
	}
	if _, have := r.byUnder[under]; have {
		return r, nil
	}
	if err := r.sameProgramme(p, genesis); err != nil {
		return nil, err
	}
	return r.withVersion(&Version{Programme: p, Under: under, Bytes: b}, genesis), nil
}

// verifyProgramme: the authority's threshold, or for a directed programme the
// act key of the office that served its issuer. What an office signs counts
// only as a version of a programme that is here: nobody can occupy the genesis
// of another's programme before its first version comes.
func (r *Registry) verifyProgramme(p *liaison.Programme, genesis liaison.Hash, b []byte) error {
	err := r.pin.Verify(b)
	if err == nil || p.Kind != liaison.KindDirected {
		return err
	}
	issuer, ok := r.parties[p.Issuer]
	if !ok {
		return fmt.Errorf("programme %q: issuer %s: %w", p.Name, p.Issuer, ErrWaiting)
	}
	written, err := time.Parse(time.RFC3339Nano, p.Modified)
	if err != nil {
		return fmt.Errorf("programme %q: /modified %.40q is not an instant", p.Name, p.Modified)
	}
	if _, known := r.programmes[genesis]; p.Version > 1 && !known {
		return fmt.Errorf("programme %q: version 1: %w", p.Name, ErrWaiting)
	}
	for _, served := range issuer.servedBy(p.Modified) {
		keys := r.OfficeKeys(served, liaison.UseAct, liaison.InstantOf(written))
		if len(keys) == 0 {
			return fmt.Errorf("programme %q: act key of %s: %w", p.Name, served, ErrWaiting)
		}
		if err = ledger.VerifySignedBy(b, served.ActKey(), keys); err == nil {
			return nil
		}
	}
	return fmt.Errorf("programme %q: %w", p.Name, err)
}

// sameProgramme: one programme per id, and what may never change did not.
func (r *Registry) sameProgramme(p *liaison.Programme, genesis liaison.Hash) error {
	if g, ok := r.byID[p.ID]; ok && g != genesis {
		return fmt.Errorf("programme %q: /genesis is not that of %s", p.Name, p.ID)
	}
	have, ok := r.programmes[genesis]
	if !ok {
		return nil
	}
	switch v := have.Versions[0]; {
	case v.Kind != p.Kind:
		return fmt.Errorf("programme %q: /kind was %s and never changes", p.Name, v.Kind)
	case v.Issuer != p.Issuer:
		return fmt.Errorf("programme %q: /issuer_ref was %s and never changes", p.Name, v.Issuer)
	case v.Nonce != p.Nonce || v.ID != p.ID:
		return fmt.Errorf("programme %q: /id and /nonce never change", p.Name)
	}
	return nil
}

// fits: one version per number, in the order of their instants, none of which
// lets somebody read the past by joining.
func fits(versions []*Version, p *liaison.Programme) error {
	for _, v := range versions {
		switch {
		case v.Version == p.Version:
			return fmt.Errorf("programme %q: /version %d is here with other contents", p.Name, p.Version)
		case v.Version < p.Version && addsParty(v.Programme, p) && !opensEpochs(v.Programme, p),
			v.Version > p.Version && addsParty(p, v.Programme) && !opensEpochs(p, v.Programme):
			return fmt.Errorf("programme %q: /parties: of versions %d and %d the later adds a party, so every area and the charter need a later number in /epochs: nobody reads the past by joining", p.Name, p.Version, v.Version)
		case !stepsEpochs(v.Programme, p):
			return fmt.Errorf("programme %q: /epochs: between versions %d and %d an epoch falls, or is raised by more than one in a version", p.Name, v.Version, p.Version)
		case (v.Version < p.Version) != (v.InForce < p.InForce):
			return fmt.Errorf("programme %q: /in_force of version %d is not in the order of the versions", p.Name, p.Version)
		}
	}
	return nil
}

// before orders versions: by number, of two with one number by their hashes.
func (v *Version) before(w *Version) int {
	return cmp.Or(cmp.Compare(v.Version, w.Version), bytes.Compare(v.Under[:], w.Under[:]))
}

// add takes a version in: of all that were signed those count, in their order,
// that contradict none before them that counts. Every office that has the same
// versions finds the same, whichever came first.
func (p *Programme) add(v *Version) {
	at, _ := slices.BinarySearchFunc(p.signed, v, (*Version).before)
	p.signed = slices.Insert(p.signed, at, v)
	p.Versions = slices.DeleteFunc(p.Versions, func(w *Version) bool { return w.before(v) > 0 })
	for _, w := range p.signed[at:] {
		if fits(p.Versions, w.Programme) == nil {
			p.Versions = append(p.Versions, w)
		}
	}
}

func addsParty(old, next *liaison.Programme) bool {
	return slices.ContainsFunc(next.Parties, func(q liaison.Participant) bool {
		_, _, was := old.Participant(q.Ref)
		return !was
	})
}

// stepsEpochs reports whether between two versions, in whichever order, no area
// they share has an epoch that falls or is raised by more than one a version.
func stepsEpochs(a, b *liaison.Programme) bool {
	if a.Version > b.Version {
		a, b = b, a
	}
	return !slices.ContainsFunc(append([]liaison.Area{liaison.Charter}, a.Areas...), func(area liaison.Area) bool {
		from, to := int64(a.EpochOf(area)), int64(b.EpochOf(area))
		return b.HasArea(area) && (to < from || to-from > int64(b.Version-a.Version))
	})
}

// opensEpochs reports whether every area, the charter too, gets a new log.
func opensEpochs(old, next *liaison.Programme) bool {
	return !slices.ContainsFunc(append([]liaison.Area{liaison.Charter}, old.Areas...), func(a liaison.Area) bool {
		return next.HasArea(a) && next.EpochOf(a) <= old.EpochOf(a)
	})
}

func (r *Registry) withVersion(v *Version, genesis liaison.Hash) *Registry {
	n := r.clone()
	p := &Programme{Genesis: genesis}
	if have, ok := r.programmes[genesis]; ok {
		for _, old := range have.signed {
			again := &Version{Programme: old.Programme, Under: old.Under, Bytes: old.Bytes, of: p}
			if p.signed = append(p.signed, again); old.Counts() {
				p.Versions = append(p.Versions, again)
			}
		}
	}
	v.of = p
	p.add(v)
	n.programmes[genesis], n.byID[v.ID] = p, genesis
	for _, v := range p.signed {
		n.byUnder[v.Under] = v
	}
	maps.DeleteFunc(n.colls, func(_ liaison.CollectionID, c *Collection) bool { return c.Programme.Genesis == genesis })
	n.addCollections(p)
	n.sorted = slices.SortedFunc(maps.Values(n.colls), compareCollections)
	return n
}

// addCollections gives a programme all its collections: those of every area a
// version has or had, up to its newest epoch.
func (r *Registry) addCollections(p *Programme) {
	newest := map[liaison.Area]uint32{}
	for _, v := range p.Versions {
		for _, a := range append([]liaison.Area{liaison.Charter}, v.Areas...) {
			newest[a] = max(newest[a], v.EpochOf(a))
		}
	}
	for a, last := range newest {
		for e := uint32(1); e <= last; e++ {
			id := liaison.CollectionOf(p.Genesis, a, e)
			r.colls[id] = &Collection{ID: id, Programme: p, Area: a, Epoch: e, sortKey: sortKey(p, a, e, id)}
		}
	}
}

// InForce returns the version in force at an instant and the in_force of its
// successor (zero if none). Before the first version's term it returns the
// first: the release rules say what that means.
func (p *Programme) InForce(at liaison.Instant) (v *Version, until liaison.Instant) {
	v = p.Versions[0]
	for _, next := range p.Versions[1:] {
		if next.Programme.InForce > at {
			return v, next.Programme.InForce
		}
		v = next
	}
	return v, 0
}

// Of returns the programme a version belongs to.
func (v *Version) Of() *Programme { return v.of }

// Counts reports whether the version is one of those its programme has.
func (v *Version) Counts() bool { return slices.Contains(v.of.Versions, v) }

// Until returns the in_force of the version's successor, zero if there is
// none here.
func (v *Version) Until() liaison.Instant {
	for _, next := range v.of.Versions {
		if next.Version > v.Version {
			return next.Programme.InForce
		}
	}
	return 0
}

// Version returns the programme version an act names.
func (r *Registry) Version(under liaison.Hash) (*Version, bool) {
	v, ok := r.byUnder[under]
	return v, ok
}

// ProgrammeByID returns a programme by its STIX id.
func (r *Registry) ProgrammeByID(id stix.ID) (*Programme, bool) {
	p, ok := r.programmes[r.byID[id]]
	return p, ok
}

// Collection returns a collection by its id.
func (r *Registry) Collection(id liaison.CollectionID) (*Collection, bool) {
	c, ok := r.colls[id]
	return c, ok
}

// Collections returns all collections: charters first, then by programme name,
// area and epoch. The list is shared; nobody changes it.
func (r *Registry) Collections() []*Collection { return r.sorted }

func compareCollections(a, b *Collection) int {
	if ca, cb := a.Area == liaison.Charter, b.Area == liaison.Charter; ca != cb {
		if ca {
			return -1
		}
		return 1
	}
	return strings.Compare(a.sortKey, b.sortKey)
}

func sortKey(p *Programme, a liaison.Area, epoch uint32, id liaison.CollectionID) string {
	return fmt.Sprintf("%s\x00%s\x00%08d\x00%s", p.Versions[0].Alias, a, epoch, id)
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
