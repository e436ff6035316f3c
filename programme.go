package liaison

import (
	"fmt"
	"slices"

	"github.com/liaison-office/liaison/stix"
)

// ProgrammeKind decides the audience of a programme and what may enter.
type ProgrammeKind string

// The kinds of programmes (docs/release.md has the table).
const (
	KindPublic      ProgrammeKind = "public"
	KindCommunity   ProgrammeKind = "community"
	KindMembers     ProgrammeKind = "members"
	KindPartnership ProgrammeKind = "partnership"
	KindDirected    ProgrammeKind = "directed"
)

// Role says what a party may do under a programme. Write implies read.
type Role string

// The roles of a programme's parties.
const (
	RoleParticipant Role = "participant" // reads and writes
	RoleObserver    Role = "observer"    // reads
)

// AfterExpiry says what may be read after a programme's term.
type AfterExpiry string

// The two answers.
const (
	AfterReadable AfterExpiry = "readable"
	AfterClosed   AfterExpiry = "closed"
)

// Programme is the agreement something is shared under: one version of it.
type Programme struct {
	Common
	Name           string        `json:"name"`
	Alias          string        `json:"alias"` // short name, as an area; collection aliases derive from it
	Kind           ProgrammeKind `json:"kind"`
	Issuer         Party         `json:"issuer_ref"`
	Nonce          Hash          `json:"nonce"`            // 32 random bytes, the same in every version
	Version        int           `json:"version"`          // from 1
	Genesis        Hash          `json:"genesis,omitzero"` // from version 2: what version 1 hashes to
	Parties        []Participant `json:"parties"`
	Areas          []Area        `json:"areas"`
	Epochs         []Epoch       `json:"epochs,omitzero"` // areas whose epoch is not 1
	Ceiling        stix.TLP      `json:"ceiling"`
	AcceptUnmarked bool          `json:"accept_unmarked,omitzero"`
	InForce        Instant       `json:"in_force"`
	ValidUntil     Instant       `json:"valid_until,omitzero"`
	AfterExpiry    AfterExpiry   `json:"after_expiry"`
	Transit        []Office      `json:"transit,omitzero"`
	Comment        []Office      `json:"comment,omitzero"`
	Supersedes     stix.ID       `json:"supersedes_ref,omitzero"`
	Goals          []string      `json:"goals,omitzero"`
	Texts          []Text        `json:"texts,omitzero"`
}

// Participant is a party of a programme with its role and term.
type Participant struct {
	Ref   Party   `json:"ref"`
	Role  Role    `json:"role"`
	Since Instant `json:"since"`
	Until Instant `json:"until,omitzero"`
}

// Covers reports whether the participation holds at an instant.
func (p Participant) Covers(at Instant) bool {
	return p.Since <= at && (p.Until.IsZero() || at < p.Until)
}

// Ended reports whether the participation is over at an instant.
func (p Participant) Ended(at Instant) bool { return !p.Until.IsZero() && at >= p.Until }

// Epoch numbers the logs of an area: each opened closes the one before.
type Epoch struct {
	Area   Area   `json:"area"`
	Number uint32 `json:"number"` // from 2
}

// Text is the digest of the agreement's text in a language.
type Text struct {
	Lang   string `json:"lang"`
	SHA256 Hash   `json:"sha256"`
}

// The bounds of a programme.
const (
	MaxParties = 1000
	MaxAreas   = 100
	MaxEpochs  = 1000 // of an area
	MaxLogs    = 5000 // the numbers in /epochs together: each is a collection
)

// NewProgramme fills the STIX properties of p, an unsigned version.
func NewProgramme(id stix.ID, p Programme, at Instant) *Programme {
	p.Common = newCommon("programme", id, at, ExtProgramme)
	return &p
}

// ParseProgramme decodes and checks one version; signatures are not checked
// here. An error names the clause by a JSON pointer.
func ParseProgramme(b []byte) (*Programme, error) {
	p := new(Programme)
	if err := parseControl(b, "programme", p, &p.Common, ExtProgramme); err != nil {
		return nil, err
	}
	for _, check := range []func() error{p.checkTerms, p.checkParties, p.checkAreas, p.checkOffices} {
		if err := check(); err != nil {
			return nil, fmt.Errorf("programme %.60q: %w", p.Name, err)
		}
	}
	return p, nil
}

func (p *Programme) checkTerms() error {
	switch p.Kind {
	case KindPublic, KindCommunity, KindMembers, KindPartnership, KindDirected:
	default:
		return fmt.Errorf("/kind %.20q is not one of public, community, members, partnership, directed", p.Kind)
	}
	switch {
	case p.Name == "":
		return fmt.Errorf("/name is missing")
	case !dnsLabel(p.Alias):
		return fmt.Errorf("/alias %.70q: want 1 to 63 of a-z, 0-9 and inner hyphens", p.Alias)
	case p.Issuer.Type() != "identity":
		return fmt.Errorf("/issuer_ref %.80q is not an identity", p.Issuer)
	case p.Nonce.IsZero():
		return fmt.Errorf("/nonce is missing")
	case p.Version < 1:
		return fmt.Errorf("/version is %d, want 1 or more", p.Version)
	case (p.Version == 1) != p.Genesis.IsZero():
		return fmt.Errorf("/genesis belongs to every version but the first")
	case p.Ceiling == stix.Unmarked:
		return fmt.Errorf("/ceiling is missing")
	case p.InForce.IsZero():
		return fmt.Errorf("/in_force is missing")
	case !p.ValidUntil.IsZero() && p.ValidUntil <= p.InForce:
		return fmt.Errorf("/valid_until is not after /in_force")
	case p.AfterExpiry != AfterReadable && p.AfterExpiry != AfterClosed:
		return fmt.Errorf("/after_expiry %.20q is not readable or closed", p.AfterExpiry)
	case p.Supersedes == p.ID && p.ID != "":
		return fmt.Errorf("/supersedes_ref: a programme cannot supersede itself")
	}
	return nil
}

func (p *Programme) checkParties() error {
	if len(p.Parties) > MaxParties {
		return fmt.Errorf("/parties has %d entries, the limit is %d", len(p.Parties), MaxParties)
	}
	seen := map[Party]bool{}
	for i, q := range p.Parties {
		switch {
		case q.Ref.Type() != "identity":
			return fmt.Errorf("/parties/%d/ref %.80q is not an identity", i, q.Ref)
		case seen[q.Ref]:
			return fmt.Errorf("/parties/%d: %s is listed twice", i, q.Ref)
		case q.Role != RoleParticipant && q.Role != RoleObserver:
			return fmt.Errorf("/parties/%d/role %.20q is not participant or observer", i, q.Role)
		case q.Since.IsZero():
			return fmt.Errorf("/parties/%d/since is missing", i)
		case !q.Until.IsZero() && q.Until <= q.Since:
			return fmt.Errorf("/parties/%d/until is not after /since", i)
		}
		seen[q.Ref] = true
	}
	return nil
}

func (p *Programme) checkAreas() error {
	if len(p.Areas) > MaxAreas {
		return fmt.Errorf("/areas has %d entries, the limit is %d", len(p.Areas), MaxAreas)
	}
	for i, a := range p.Areas {
		if _, err := ParseArea(string(a)); err != nil {
			return fmt.Errorf("/areas/%d: %w", i, err)
		}
		if a == Charter || slices.Contains(p.Areas[:i], a) {
			return fmt.Errorf("/areas/%d: %q is there already", i, a)
		}
	}
	return p.checkEpochs()
}

// checkEpochs: a version raises an epoch by one at most, so no number is
// greater than the version's own.
func (p *Programme) checkEpochs() error {
	logs := 0
	for i, e := range p.Epochs {
		switch {
		case e.Number < 2 || !p.HasArea(e.Area):
			return fmt.Errorf("/epochs/%d: want an area of the programme and a number from 2", i)
		case slices.ContainsFunc(p.Epochs[:i], func(f Epoch) bool { return f.Area == e.Area }):
			return fmt.Errorf("/epochs/%d: %q is listed twice", i, e.Area)
		case e.Number > MaxEpochs:
			return fmt.Errorf("/epochs/%d/number is %d, the limit is %d", i, e.Number, MaxEpochs)
		case int64(e.Number) > int64(p.Version):
			return fmt.Errorf("/epochs/%d/number is %d in version %d: a version raises an epoch by one at most", i, e.Number, p.Version)
		}
		logs += int(e.Number)
	}
	if logs > MaxLogs {
		return fmt.Errorf("/epochs: the numbers add up to %d, the limit is %d", logs, MaxLogs)
	}
	return nil
}

func (p *Programme) checkOffices() error {
	for i, o := range p.Transit {
		if _, err := ParseOffice(string(o)); err != nil {
			return fmt.Errorf("/transit/%d: %w", i, err)
		}
	}
	for i, o := range p.Comment {
		if !slices.Contains(p.Transit, o) {
			return fmt.Errorf("/comment/%d: %.80q is not a transit office", i, o)
		}
	}
	return nil
}

// HasArea reports whether a is the charter or one of the programme's areas.
func (p *Programme) HasArea(a Area) bool { return a == Charter || slices.Contains(p.Areas, a) }

// EpochOf returns the newest epoch of an area, from 1.
func (p *Programme) EpochOf(a Area) uint32 {
	for _, e := range p.Epochs {
		if e.Area == a {
			return e.Number
		}
	}
	return 1
}

// Participant returns the terms of a party and their place in /parties.
func (p *Programme) Participant(ref Party) (q Participant, index int, ok bool) {
	i := slices.IndexFunc(p.Parties, func(q Participant) bool { return q.Ref == ref })
	if i < 0 {
		return Participant{}, -1, false
	}
	return p.Parties[i], i, true
}

// Under returns H(JCS(programme version without signatures)): the name by
// which acts cite this version.
func Under(object []byte) (Hash, error) {
	b, err := Unsigned(object)
	if err != nil {
		return Hash{}, err
	}
	return H(b), nil
}

// GenesisOf returns the genesis of the programme a version belongs to: the
// Under of version 1, which later versions repeat.
func GenesisOf(p *Programme, object []byte) (Hash, error) {
	if p.Version > 1 {
		return p.Genesis, nil
	}
	return Under(object)
}
