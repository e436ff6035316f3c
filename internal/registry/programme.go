package registry

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

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
