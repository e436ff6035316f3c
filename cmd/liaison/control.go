package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

func nowInstant() liaison.Instant { return liaison.InstantOf(time.Now()) }

func newID(typ string) stix.ID { return stix.NewID(typ, uuid.New()) }

type authorityCmd struct {
	Init authorityInitCmd `cmd:"" help:"Make the keys of an authority, its signed object, and the pin that offices get."`
	Sign authoritySignCmd `cmd:"" help:"Sign objects with one or more keys."`
	Pin  authorityPinCmd  `cmd:"" help:"Print the pin of an authority's signed object: what every office and verifier is given."`
}

type authorityInitCmd struct {
	Folder    string        `arg:"" type:"path" help:"A new folder for the keys. Keep the seeds apart and offline."`
	Name      string        `required:"" help:"Name of the alliance."`
	Domain    string        `default:"alliance.example.org" help:"Domain in the names of the keys."`
	Keys      int           `default:"3" help:"How many keys."`
	Threshold int           `default:"2" help:"How many must sign together."`
	Delay     time.Duration `default:"24h" help:"How long amendments that widen an audience wait."`
}

func (c *authorityInitCmd) Run(a *app) error {
	if c.Keys < 1 || c.Keys > liaison.MaxAuthorityKeys || c.Threshold < 1 || c.Threshold > c.Keys {
		return fmt.Errorf("--keys %d with --threshold %d: want 1 to %d keys and a threshold of at most as many", c.Keys, c.Threshold, liaison.MaxAuthorityKeys)
	}
	if strings.TrimSpace(c.Name) == "" {
		return errors.New("--name is empty: want the name of the alliance")
	}
	if _, err := liaison.ParseOffice(c.Domain); err != nil {
		return fmt.Errorf("--domain: %w", err)
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return err
	}
	pin := ledger.Pin{Threshold: c.Threshold}
	var keys []*office.SigningKey
	for i := 1; i <= c.Keys; i++ {
		k, err := office.NewSigningKey(filepath.Join(c.Folder, fmt.Sprintf("authority-%d.seed", i)), fmt.Sprintf("%s/authority/%d", c.Domain, i))
		if err != nil {
			return err
		}
		keys, pin.Keys = append(keys, k), append(pin.Keys, k.VKey())
	}
	object := liaison.NewAuthority(newID("authority"), c.Name, pin.Keys, c.Threshold, nowInstant())
	object.ActivationDelaySeconds = int(c.Delay.Seconds())
	signed, err := office.SignObject(liaison.JCS(object), keys...)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.Folder, "authority.json"), append(signed, '\n'), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.Folder, office.PinFile), []byte(pin.String()), 0o600); err != nil {
		return err
	}
	return a.show(pinText{pin.Keys, pin.Threshold, pin.String()}, func() {
		a.say("%d keys, of which %d sign together, are in %s. Offices are initialised with %s.", c.Keys, c.Threshold, c.Folder, filepath.Join(c.Folder, office.PinFile))
	})
}

// pinText is a pin for programs.
type pinText struct {
	Keys      []string `json:"keys"`
	Threshold int      `json:"threshold"`
	Pin       string   `json:"pin"`
}

type authorityPinCmd struct {
	File string `arg:"" help:"The authority's object (authority.json)."`
}

func (c *authorityPinCmd) Run(a *app) error {
	raw, err := a.read(c.File)
	if err != nil {
		return err
	}
	object, err := liaison.ParseAuthority(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	pin := ledger.Pin{Keys: object.Keys, Threshold: object.Threshold}
	if err := pin.Verify(raw); err != nil {
		return fmt.Errorf("%s is not signed by its own keys: %w", c.File, err)
	}
	return a.show(pinText{pin.Keys, pin.Threshold, pin.String()}, func() { fmt.Fprint(a.out, pin.String()) })
}

type authoritySignCmd struct {
	File string   `arg:"" help:"The object to sign; it is rewritten with the signatures added, or written to --out."`
	Key  []string `required:"" placeholder:"SEED=NAME" help:"A seed file and the name of its key, such as authority-1.seed=alliance.example.org/authority/1."`
	Out  string   `short:"o" help:"Write here instead."`
}

func (c *authoritySignCmd) Run(a *app) error {
	raw, err := a.read(c.File)
	if err != nil {
		return err
	}
	var keys []*office.SigningKey
	for _, s := range c.Key {
		file, name, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("--key %q: want SEED=NAME", s)
		}
		k, err := office.LoadSigningKey(file, name)
		if err != nil {
			return err
		}
		keys = append(keys, k)
	}
	signed, err := office.SignObject(raw, keys...)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	out := cmp.Or(c.Out, c.File)
	if err := a.write(out, append(signed, '\n')); err != nil {
		return err
	}
	for _, k := range keys {
		a.note("%s is signed by %s", out, k.Name)
	}
	return nil
}

// addCmd adds signed objects to a charter.
type addCmd struct {
	Files     []string `arg:"" help:"Signed objects."`
	Programme string   `required:"" help:"Alias or id of the programme whose charter takes them."`
}

func (c *addCmd) Run(a *app) error { return a.addControl(c.Programme, c.Files) }

func (a *app) addControl(programme string, files []string) error {
	r := office.ControlRequest{Programme: programme}
	for _, f := range files {
		b, err := a.read(f)
		if err != nil {
			return err
		}
		if _, err := stix.Parse(b, stix.DefaultLimits()); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		r.Objects = append(r.Objects, jsontext.Value(b))
	}
	var outcomes []desk.Outcome
	if err := a.call("control/add", r, &outcomes); err != nil {
		return err
	}
	return a.show(outcomes, func() {
		for _, o := range outcomes {
			a.say("%s: %s at index %d", o.ID, o.Status, o.Index)
		}
	})
}

type partyCmd struct {
	New  partyNewCmd  `cmd:"" help:"Write a party's object, for the authority to sign."`
	Add  addCmd       `cmd:"" help:"Add signed parties to a programme's charter."`
	List partyListCmd `cmd:"" help:"List the parties known here."`
}

type partyNewCmd struct {
	Name     string   `required:"" help:"Name of the party."`
	Kind     string   `required:"" enum:"alliance,member,partner,contact,office" help:"alliance, member, partner, contact or office."`
	ServedBy string   `required:"" placeholder:"OFFICE" help:"The office that serves it."`
	ID       string   `help:"Id of the party for a new version; default: a new one."`
	ActsAt   []string `placeholder:"PARTY@OFFICE:FROM:UNTIL" help:"Another party that acts for it at an office, with dates such as 2026-01-01."`
	Out      string   `short:"o" help:"Write here instead of standard output."`
}

func (c *partyNewCmd) Run(a *app) error {
	ext := liaison.PartyExtension{Kind: liaison.PartyKind(c.Kind), ServedBy: liaison.Office(c.ServedBy)}
	for _, s := range c.ActsAt {
		m, err := parseActsAt(s)
		if err != nil {
			return err
		}
		ext.ActsAt = append(ext.ActsAt, m)
	}
	id := newID("identity")
	if c.ID != "" {
		var err error
		if id, err = stix.ParseID(c.ID); err != nil || id.Type() != "identity" {
			return fmt.Errorf("--id %.100q is not the id of an identity", c.ID)
		}
	}
	if strings.TrimSpace(c.Name) == "" {
		return errors.New("--name is empty: want the name of the party")
	}
	b := liaison.NewPartyObject(id, c.Name, "organization", ext, nowInstant())
	if _, _, err := liaison.ParsePartyObject(b); err != nil {
		return err
	}
	return a.write(c.Out, append(b, '\n'))
}

func parseActsAt(s string) (m liaison.ActsAt, err error) {
	party, rest, ok := strings.Cut(s, "@")
	parts := strings.Split(rest, ":")
	if !ok || len(parts) < 2 || len(parts) > 3 {
		return m, fmt.Errorf("--acts-at %q: want PARTY@OFFICE:FROM or PARTY@OFFICE:FROM:UNTIL", s)
	}
	m.Party, m.Office = stix.ID(party), liaison.Office(parts[0])
	if m.From, err = parseDate(parts[1]); err == nil && len(parts) == 3 {
		m.Until, err = parseDate(parts[2])
	}
	return m, err
}

func parseDate(s string) (liaison.Instant, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date such as 2026-01-01", s)
	}
	return liaison.InstantOf(t), nil
}

type partyListCmd struct{}

func (c *partyListCmd) Run(a *app) error {
	var list []office.PartyInfo
	if err := a.call("party/list", struct{}{}, &list); err != nil {
		return err
	}
	return a.show(list, func() {
		for _, p := range list {
			a.say("%-30s %-9s served by %-24s %s", p.Name, p.Kind, p.ServedBy, p.ID)
		}
	})
}

type programmeCmd struct {
	New  programmeNewCmd  `cmd:"" help:"Write a programme's object from a TOML description, for the authority to sign."`
	Add  programmeAddCmd  `cmd:"" help:"Add signed programmes: each opens its own charter."`
	List programmeListCmd `cmd:"" help:"List the programmes known here."`
	Show programmeShowCmd `cmd:"" help:"Show one programme: its terms, parties and collections."`
}

// programmeSpec is what people write; docs/configuration.md describes it.
type programmeSpec struct {
	Name           string   `toml:"name"`
	Alias          string   `toml:"alias"`
	Kind           string   `toml:"kind"`
	Issuer         string   `toml:"issuer"`
	Participants   []string `toml:"participants"`
	Observers      []string `toml:"observers"`
	Areas          []string `toml:"areas"`
	Ceiling        string   `toml:"ceiling"`
	AcceptUnmarked bool     `toml:"accept_unmarked"`
	InForce        string   `toml:"in_force"`
	ValidUntil     string   `toml:"valid_until"`
	AfterExpiry    string   `toml:"after_expiry"`
	Transit        []string `toml:"transit"`
	Comment        []string `toml:"comment"`
	Supersedes     string   `toml:"supersedes"`
	Goals          []string `toml:"goals"`
}

type programmeNewCmd struct {
	File string `arg:"" help:"The description, in TOML."`
	Out  string `short:"o" help:"Write here instead of standard output."`
}

func (c *programmeNewCmd) Run(a *app) error {
	text, err := a.read(c.File)
	if err != nil {
		return err
	}
	var s programmeSpec
	if err := office.DecodeTOML(c.File, string(text), &s); err != nil {
		return err
	}
	p, err := s.programme()
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	b := liaison.JCS(liaison.NewProgramme(newID("programme"), p, nowInstant()))
	if _, err := liaison.ParseProgramme(b); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return a.write(c.Out, append(b, '\n'))
}

func (s *programmeSpec) programme() (p liaison.Programme, err error) {
	p = liaison.Programme{
		Name: s.Name, Alias: s.Alias, Kind: liaison.ProgrammeKind(s.Kind), Issuer: stix.ID(s.Issuer), Version: 1,
		AcceptUnmarked: s.AcceptUnmarked, AfterExpiry: liaison.AfterExpiry(s.AfterExpiry), Supersedes: stix.ID(s.Supersedes), Goals: s.Goals,
	}
	if p.AfterExpiry == "" {
		p.AfterExpiry = liaison.AfterReadable
	}
	if p.Ceiling, err = stix.ParseTLP(s.Ceiling); err != nil {
		return p, fmt.Errorf("ceiling: %w", err)
	}
	if p.InForce, err = parseDate(s.InForce); err != nil {
		return p, fmt.Errorf("in_force: %w", err)
	}
	if s.ValidUntil != "" {
		if p.ValidUntil, err = parseDate(s.ValidUntil); err != nil {
			return p, fmt.Errorf("valid_until: %w", err)
		}
	}
	s.lists(&p)
	_, err = rand.Read(p.Nonce[:])
	return p, err
}

func (s *programmeSpec) lists(p *liaison.Programme) {
	for _, id := range s.Participants {
		p.Parties = append(p.Parties, liaison.Participant{Ref: stix.ID(id), Role: liaison.RoleParticipant, Since: p.InForce})
	}
	for _, id := range s.Observers {
		p.Parties = append(p.Parties, liaison.Participant{Ref: stix.ID(id), Role: liaison.RoleObserver, Since: p.InForce})
	}
	for _, area := range s.Areas {
		p.Areas = append(p.Areas, liaison.Area(area))
	}
	for _, o := range s.Transit {
		p.Transit = append(p.Transit, liaison.Office(o))
	}
	for _, o := range s.Comment {
		p.Comment = append(p.Comment, liaison.Office(o))
	}
}

type programmeAddCmd struct {
	Files []string `arg:"" help:"Signed programmes."`
}

func (c *programmeAddCmd) Run(a *app) error { return a.addControl("", c.Files) }

type programmeListCmd struct{}

func (c *programmeListCmd) Run(a *app) error {
	var list []programmeInfo
	if err := a.call("programme/list", struct{}{}, &list); err != nil {
		return err
	}
	return a.show(list, func() {
		for i := range list {
			list[i].print(a)
		}
		if len(list) == 0 {
			a.say("no programmes are known here (liaison programme add)")
		}
	})
}

// programmeInfo adds what is printed to what the office says.
type programmeInfo struct{ office.ProgrammeInfo }

func (p *programmeInfo) print(a *app) {
	until := "open-ended"
	if p.ValidUntil != 0 {
		until = "until " + p.ValidUntil.Time().Format(time.DateOnly)
	}
	a.say("%s (%s), %s, version %d, ceiling %s, from %s %s", p.Name, p.Alias, p.Kind, p.Version, p.Ceiling, p.InForce.Time().Format(time.DateOnly), until)
	a.say("  parties: %s", strings.Join(p.Parties, ", "))
	for _, area := range slices.Sorted(maps.Keys(p.Entries)) {
		a.say("  %-24s %s  %d entries", area, p.Collection[area], p.Entries[area])
	}
}

type programmeShowCmd struct {
	Programme string `arg:"" help:"Alias or id of the programme."`
}

func (c *programmeShowCmd) Run(a *app) error {
	var list []programmeInfo
	if err := a.call("programme/list", struct{}{}, &list); err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(p programmeInfo) bool { return p.Alias != c.Programme && string(p.ID) != c.Programme })
	if len(list) != 1 {
		return fmt.Errorf("%d programmes are called %.100q here (liaison programme list)", len(list), c.Programme)
	}
	p := &list[0]
	return a.show(p, func() {
		p.print(a)
		a.say("  id: %s", p.ID)
		if p.Supersedes != "" {
			a.say("  supersedes: %s", p.Supersedes)
		}
		for i, o := range p.Transit {
			if i == 0 {
				a.say("  transit offices, which can read what they carry:")
			}
			a.say("    %s", o)
		}
	})
}
