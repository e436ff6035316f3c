package office

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/relay"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// Operator is what the person who runs an office can do. It has no operation
// that shows contents.
type Operator struct{ o *Office }

// Operator returns the operations of an open office.
func (o *Office) Operator() *Operator { return &Operator{o} }

func (p *Operator) viewer() desk.Viewer { return registry.Operator(p.o.Config.Office) }

// AccountRequest adds or replaces an account.
type AccountRequest struct {
	Name     string        `json:"name"`
	By       liaison.Party `json:"by"`
	For      liaison.Party `json:"for,omitzero"`
	Roles    string        `json:"roles"`
	Password string        `json:"password"`
}

// AddAccount adds or replaces an account. The party must be known here and
// served here, or act here for another.
func (p *Operator) AddAccount(ctx context.Context, r AccountRequest) (registry.Account, error) {
	roles, err := ParseRoles(r.Roles)
	if err != nil {
		return registry.Account{}, err
	}
	acc := registry.Account{Name: r.Name, Roles: roles}
	if acc.By, err = p.party(string(r.By)); err != nil {
		return acc, err
	}
	if r.For != "" {
		if acc.For, err = p.party(string(r.For)); err != nil {
			return acc, err
		}
	}
	if r.Password == "" {
		return acc, errors.New("an account needs a password")
	}
	if err := p.mayHaveAccount(acc); err != nil {
		return acc, err
	}
	if err := p.o.Accounts.Put(ctx, acc, r.Password); err != nil {
		return acc, err
	}
	return p.o.Accounts.Get(ctx, acc.Name)
}

func (p *Operator) mayHaveAccount(a registry.Account) error {
	reg, here := p.o.Desk.Registry(), p.o.Config.Office
	if a.For != "" {
		if reg.Mandate(a.By, a.For, here, liaison.InstantOf(p.o.now())) == nil {
			return fmt.Errorf("%s has no signed mandate to act for %s at %s", a.By, a.For, here)
		}
		return nil
	}
	if party, _ := reg.Party(a.By); party.Party.ServedBy != here {
		return fmt.Errorf("%s (%s) is served by %s, not here", party.Name, a.By, party.Party.ServedBy)
	}
	return nil
}

// party finds a party by its id or its name.
func (p *Operator) party(s string) (liaison.Party, error) {
	reg := p.o.Desk.Registry()
	if party, ok := reg.Party(liaison.Party(s)); ok {
		return party.ID, nil
	}
	for _, party := range reg.Parties() {
		if strings.EqualFold(party.Name, s) {
			return party.ID, nil
		}
	}
	return "", fmt.Errorf("no party %.100q is known here (liaison party list)", s)
}

// Accounts lists the accounts.
func (p *Operator) Accounts(ctx context.Context, _ struct{}) ([]registry.Account, error) {
	return p.o.Accounts.List(ctx)
}

// PasswordRequest names an account and its new password.
type PasswordRequest struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// SetPassword replaces a password.
func (p *Operator) SetPassword(ctx context.Context, r PasswordRequest) (struct{}, error) {
	if r.Password == "" {
		return struct{}{}, errors.New("the new password is empty")
	}
	return struct{}{}, p.o.Accounts.SetPassword(ctx, r.Name, r.Password)
}

// NameRequest names an account.
type NameRequest struct {
	Name string `json:"name"`
}

// DisableAccount ends an account's rights at once.
func (p *Operator) DisableAccount(ctx context.Context, r NameRequest) (struct{}, error) {
	return struct{}{}, p.o.Accounts.Disable(ctx, r.Name)
}

// EnableAccount lets a disabled account in again, with its password. Tokens
// that it had stay ended.
func (p *Operator) EnableAccount(ctx context.Context, r NameRequest) (struct{}, error) {
	return struct{}{}, p.o.Accounts.change(ctx, r.Name, "", func(old registry.Account, ok bool) (registry.Account, error) {
		old.Disabled = false
		return existing(r.Name)(old, ok)
	})
}

// TokenRequest asks for a token.
type TokenRequest struct {
	Name        string `json:"name"`
	LifeSeconds int64  `json:"life_seconds"` // 0: it does not expire
}

// TokenReply is a new token. It is shown once.
type TokenReply struct {
	Token string `json:"token"`
}

// NewToken makes a token for an account that may use it.
func (p *Operator) NewToken(ctx context.Context, r TokenRequest) (TokenReply, error) {
	if r.LifeSeconds < 0 {
		return TokenReply{}, fmt.Errorf("a token cannot be valid for %d seconds", r.LifeSeconds)
	}
	if acc, err := p.o.Accounts.Get(ctx, r.Name); err == nil && acc.Disabled {
		return TokenReply{}, fmt.Errorf("account %q is disabled: enable it first", r.Name)
	}
	text, err := p.o.Accounts.NewToken(ctx, r.Name, time.Duration(r.LifeSeconds)*time.Second)
	return TokenReply{text}, err
}

// ControlRequest brings signed control objects to a charter. Programme is the
// alias or id of the programme for objects that are none themselves.
type ControlRequest struct {
	Programme string           `json:"programme,omitzero"`
	Objects   []jsontext.Value `json:"objects"`
}

// AddControl appends control objects, one after the other, because each may
// need those before it. The first refusal is an error and ends it. An office
// object that leaves this office without its keys is refused, and one that names
// them is what an office with other keys than before can add.
func (p *Operator) AddControl(ctx context.Context, r ControlRequest) ([]desk.Outcome, error) {
	objects := make([][]byte, len(r.Objects))
	for i, raw := range r.Objects {
		objects[i] = raw
	}
	if err := p.o.checkNewKeys(objects); err != nil {
		return nil, err
	}
	var all []desk.Outcome
	for i, raw := range r.Objects {
		outcome, err := p.addControl(ctx, r.Programme, raw)
		if err != nil && i > 0 {
			err = fmt.Errorf("%w (what came before it is added)", err)
		}
		if err != nil {
			return all, fmt.Errorf("object %d: %w", i+1, err)
		}
		all = append(all, outcome)
	}
	return all, nil
}

func (p *Operator) addControl(ctx context.Context, programme string, raw []byte) (desk.Outcome, error) {
	obj, err := stix.Parse(raw, stix.DefaultLimits())
	if err != nil {
		return desk.Outcome{}, err
	}
	c, err := p.o.Desk.CharterOf(ctx, obj, programme)
	if err != nil {
		return desk.Outcome{}, fmt.Errorf("%s: %w", obj.ID(), err)
	}
	outcomes, err := p.o.Desk.Accept(ctx, p.viewer(), desk.Batch{Collection: c, Items: []desk.Item{{Object: obj}}})
	if err != nil {
		return desk.Outcome{}, fmt.Errorf("%s: %w", obj.ID(), err)
	}
	if outcomes[0].Status == desk.Refused {
		return desk.Outcome{}, fmt.Errorf("%s: %s", obj.ID(), outcomes[0].Reason)
	}
	return outcomes[0], nil
}

// ProgrammeInfo describes a programme version in force, for people.
type ProgrammeInfo struct {
	ID         stix.ID               `json:"id"`
	Name       string                `json:"name"`
	Alias      string                `json:"alias"`
	Kind       liaison.ProgrammeKind `json:"kind"`
	Version    int                   `json:"version"`
	InForce    liaison.Instant       `json:"in_force"`
	ValidUntil liaison.Instant       `json:"valid_until,omitzero"`
	Ceiling    stix.TLP              `json:"ceiling"`
	Areas      []liaison.Area        `json:"areas"`
	Parties    []string              `json:"parties"`
	Transit    []liaison.Office      `json:"transit,omitzero"`
	Supersedes stix.ID               `json:"supersedes_ref,omitzero"`
	Entries    map[string]uint64     `json:"entries"` // by area
	Collection map[string]string     `json:"collections"`
}

// Programmes lists the programmes known here.
func (p *Operator) Programmes(ctx context.Context, _ struct{}) (list []ProgrammeInfo, err error) {
	reg, now := p.o.Desk.Registry(), liaison.InstantOf(p.o.now())
	byID := map[stix.ID]int{}
	err = p.o.Journal.View(ctx, func(v store.View) error {
		for _, c := range reg.Collections() {
			version, _ := c.Programme.InForce(now)
			i, ok := byID[version.ID]
			if !ok {
				i = len(list)
				byID[version.ID] = i
				list = append(list, programmeInfo(reg, version))
			}
			pos, err := v.Position(c.ID)
			if err != nil {
				return err
			}
			list[i].Entries[string(c.Area)] += pos.Size
			list[i].Collection[string(c.Area)] = c.ID.String()
		}
		return nil
	})
	return list, err
}

func programmeInfo(reg *registry.Registry, v *registry.Version) ProgrammeInfo {
	info := ProgrammeInfo{
		ID: v.ID, Name: v.Name, Alias: v.Alias, Kind: v.Kind, Version: v.Version, InForce: v.Programme.InForce,
		ValidUntil: v.ValidUntil, Ceiling: v.Ceiling, Areas: v.Areas, Transit: v.Transit, Supersedes: v.Supersedes,
		Entries: map[string]uint64{}, Collection: map[string]string{},
	}
	for _, q := range v.Parties {
		name := string(q.Ref)
		if party, ok := reg.Party(q.Ref); ok {
			name = party.Name
		}
		info.Parties = append(info.Parties, name)
	}
	return info
}

// PartyInfo describes a party, for people.
type PartyInfo struct {
	ID       liaison.Party     `json:"id"`
	Name     string            `json:"name"`
	Kind     liaison.PartyKind `json:"kind"`
	ServedBy liaison.Office    `json:"served_by"`
	ActsAt   []liaison.ActsAt  `json:"acts_at,omitzero"`
}

// Parties lists the parties known here.
func (p *Operator) Parties(context.Context, struct{}) ([]PartyInfo, error) {
	var list []PartyInfo
	for _, q := range p.o.Desk.Registry().Parties() {
		list = append(list, PartyInfo{q.ID, q.Name, q.Party.Kind, q.Party.ServedBy, q.Party.ActsAt})
	}
	return list, nil
}

// ExplainRequest asks what would happen if an account, or a party with every
// right of an account, released an object.
type ExplainRequest struct {
	Account    string         `json:"account,omitzero"`
	Party      string         `json:"party,omitzero"`
	For        string         `json:"for,omitzero"`
	Collection string         `json:"collection"` // alias (programme.area) or id
	Object     jsontext.Value `json:"object"`
}

// ExplainReply is the decision with its rule and clause.
type ExplainReply struct {
	Allowed bool   `json:"allowed"`
	Rule    string `json:"rule"`
	Clause  string `json:"clause"`
	Reason  string `json:"reason"`
}

// Explain decides without doing.
func (p *Operator) Explain(ctx context.Context, r ExplainRequest) (ExplainReply, error) {
	as, err := p.explainAs(ctx, r)
	if err != nil {
		return ExplainReply{}, err
	}
	c, err := p.collection(r.Collection)
	if err != nil {
		return ExplainReply{}, err
	}
	obj, err := stix.Parse(r.Object, stix.DefaultLimits())
	if err != nil {
		return ExplainReply{}, err
	}
	outcomes, err := p.o.Desk.Accept(ctx, p.viewer(), desk.Batch{
		Collection: c, Items: []desk.Item{{Object: obj}}, DryRun: true, As: &as,
	})
	if err != nil {
		return ExplainReply{}, err
	}
	d := outcomes[0].Decision
	return ExplainReply{d.Allowed, string(d.Rule), d.Clause, p.named(d.Reason)}, nil
}

// named writes parties by their names.
func (p *Operator) named(text string) string {
	for _, q := range p.o.Desk.Registry().Parties() {
		text = strings.ReplaceAll(text, string(q.ID), q.Name)
	}
	return text
}

func (p *Operator) explainAs(ctx context.Context, r ExplainRequest) (registry.Account, error) {
	if r.Account != "" {
		return p.o.Accounts.Get(ctx, r.Account)
	}
	acc := registry.Account{Roles: []registry.AccountRole{registry.MayRead, registry.MayWrite}}
	var err error
	if acc.By, err = p.party(r.Party); err != nil || r.For == "" {
		return acc, err
	}
	acc.For, err = p.party(r.For)
	return acc, err
}

// collection finds a collection by its id or by programme alias and area.
func (p *Operator) collection(s string) (liaison.CollectionID, error) {
	if c, err := liaison.ParseCollectionID(s); err == nil {
		return c, nil
	}
	reg := p.o.Desk.Registry()
	var found []liaison.CollectionID
	for _, c := range reg.Collections() {
		v, _ := c.Programme.InForce(liaison.InstantOf(p.o.now()))
		if v.Alias+"."+string(c.Area) == s && c.Epoch == v.EpochOf(c.Area) {
			found = append(found, c.ID)
		}
	}
	if len(found) != 1 {
		return liaison.CollectionID{}, fmt.Errorf("%d collections are called %.100q here (liaison programme list)", len(found), s)
	}
	return found[0], nil
}

// ReceiptRequest asks for the receipt of an object, or of an index.
type ReceiptRequest struct {
	Collection string `json:"collection"`
	Object     string `json:"object,omitzero"`
	Index      uint64 `json:"index"`
}

// Receipt returns the receipt of an entry, without the object.
func (p *Operator) Receipt(ctx context.Context, r ReceiptRequest) (*liaison.Receipt, error) {
	c, err := p.collection(r.Collection)
	if err != nil {
		return nil, err
	}
	if r.Object != "" {
		if r.Index, err = p.indexOf(ctx, c, r.Object); err != nil {
			return nil, err
		}
	}
	page, err := p.o.Desk.Read(ctx, p.viewer(), desk.Query{What: desk.Receipts, Collection: c, From: r.Index})
	if errors.Is(err, desk.ErrNotFound) {
		return nil, fmt.Errorf("there is no entry %d in %s", r.Index, r.Collection)
	}
	if err != nil {
		return nil, fmt.Errorf("receipt of entry %d of %s: %w", r.Index, c, err)
	}
	return page.Receipt, nil
}

// indexOf finds the newest entry of an object.
func (p *Operator) indexOf(ctx context.Context, c liaison.CollectionID, id string) (index uint64, err error) {
	found := false
	err = p.o.Journal.View(ctx, func(v store.View) error {
		return v.Find(c, id, store.Meta, func(e *store.Entry) error {
			if e.Kind == liaison.KindObject || !found {
				index, found = e.Index, true
			}
			return nil
		})
	})
	if err == nil && !found {
		err = fmt.Errorf("no object %.100q in collection %s", id, c)
	}
	return index, err
}

// Undelivered lists what was held, waits or was refused, here or further on.
func (p *Operator) Undelivered(ctx context.Context, _ struct{}) ([]desk.UndeliveredAct, error) {
	page, err := p.o.Desk.Read(ctx, p.viewer(), desk.Query{What: desk.Undelivered})
	if err != nil {
		return nil, err
	}
	return page.Acts, nil
}

// Peers lists the neighbours and what is followed of them.
func (p *Operator) Peers(context.Context, struct{}) ([]relay.PeerStatus, error) {
	return p.o.peerStatus(), nil
}

// ResumeRequest names a log that is not followed any further.
type ResumeRequest struct {
	Office     liaison.Office       `json:"office"`
	Collection liaison.CollectionID `json:"collection"`
}

// ResumePeer follows a neighbour's log again after a fork.
func (p *Operator) ResumePeer(_ context.Context, r ResumeRequest) (struct{}, error) {
	return struct{}{}, p.o.Relay.Resume(r.Office, r.Collection)
}

// LogsReply says in which logs of this office nothing is accepted or signed, and
// what each waits for.
type LogsReply struct {
	// Restored: the store was restored from this backup, and until Silent have said
	// what they know nothing is accepted or signed in any log.
	Restored liaison.Instant   `json:"restored_backup,omitzero"`
	Silent   []liaison.Office  `json:"silent,omitzero"`
	Stopped  []desk.StoppedLog `json:"stopped"`
}

// Logs lists the logs that are stopped.
func (p *Operator) Logs(ctx context.Context, _ struct{}) (r LogsReply, err error) {
	page, err := p.o.Desk.Read(ctx, p.viewer(), desk.Query{What: desk.Stopped})
	if err != nil {
		return r, err
	}
	if mark := p.o.Journal.Restored(); mark != nil {
		r.Restored, r.Silent = mark.Backup, page.Silent
	}
	r.Stopped = page.Stopped
	return r, nil
}

// ReopenRequest names a stopped log: an id, or programme.area. Empty: what a
// restored store lacks is not asked any further.
type ReopenRequest struct {
	Collection string `json:"collection,omitzero"`
}

// ReopenLog lets a stopped log go on as its operator says.
func (p *Operator) ReopenLog(ctx context.Context, r ReopenRequest) (desk.Outcome, error) {
	var c liaison.CollectionID
	if r.Collection != "" {
		var err error
		if c, err = p.collection(r.Collection); err != nil {
			return desk.Outcome{}, err
		}
	}
	outcomes, err := p.o.Desk.Accept(ctx, p.viewer(), desk.Batch{Collection: c, Reopen: true})
	if err != nil {
		return desk.Outcome{}, err
	}
	return outcomes[0], nil
}

// CardReply is the office's own card. Without an address nobody dials it.
type CardReply struct {
	Card        string `json:"card"`
	Fingerprint string `json:"fingerprint"`
	Address     string `json:"address,omitzero"`
}

// Card returns the office's card.
func (p *Operator) Card(context.Context, struct{}) (CardReply, error) {
	address := p.o.reachable()
	return CardReply{p.o.Keys.SignedCard(address), p.o.Keys.Card(address).Fingerprint(), address}, nil
}

// Fsck checks every log, byte by byte.
func (p *Operator) Fsck(ctx context.Context, _ struct{}) (FsckReply, error) {
	r, _, err := p.fsck(ctx)
	return r, err
}

// fsck is Fsck; outside are those of the problems that a restore leaves.
func (p *Operator) fsck(ctx context.Context) (r FsckReply, outside []string, err error) {
	for _, e := range p.o.engine.Check(ctx) {
		r.Problems = append(r.Problems, "database: "+e)
	}
	if u, ok := p.o.Store.(store.Unchecker); ok {
		if r.Notes, err = u.Unchecked(ctx); err != nil {
			return r, nil, err
		}
	}
	report, err := p.o.Journal.Check(ctx)
	if err != nil {
		return r, nil, err
	}
	r.Collections, r.Entries = report.Collections, report.Entries
	r.Problems = slices.Concat(r.Problems, report.Problems)
	return r, report.Outside, nil
}

// FsckReply says what was checked and what is wrong, by name.
type FsckReply struct {
	Collections int      `json:"collections"`
	Entries     uint64   `json:"entries"`
	Problems    []string `json:"problems"`
	Notes       []string `json:"notes,omitzero"` // what could not be looked at
}
