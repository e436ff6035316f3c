package desktest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/stix"
)

// The offices: seoul knows no neighbour but tokyo, tokyo knows both.
const (
	Seoul liaison.Office = "seoul.example.org"
	Tokyo liaison.Office = "tokyo.example.org"
	HQ    liaison.Office = "hq.example.org"
)

// Begin is when the clocks of an alliance start.
var Begin = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// At is an instant a while after Begin, or before.
func At(d time.Duration) liaison.Instant { return liaison.InstantOf(Begin.Add(d)) }

// ID makes an id of a type from a name.
func ID(typ, name string) stix.ID {
	return stix.NewID(typ, uuid.NewSHA1(uuid.NameSpaceOID, []byte("desktest "+typ+" "+name)))
}

// PartyID returns a party of the alliance by its name.
func PartyID(name string) liaison.Party { return ID("identity", name) }

// Parties are the cast, by name. Denmark's embassy acts for NATO at seoul.
var parties = map[string]liaison.PartyExtension{
	"NATO": {Kind: liaison.PartyAlliance, ServedBy: HQ, ActsAt: []liaison.ActsAt{
		{Party: PartyID("Denmark"), Office: Seoul, From: At(-30 * 24 * time.Hour), Until: At(365 * 24 * time.Hour)},
	}},
	"Denmark":      {Kind: liaison.PartyMember, ServedBy: HQ},
	"Japan":        {Kind: liaison.PartyPartner, ServedBy: Tokyo},
	"Korea":        {Kind: liaison.PartyPartner, ServedBy: Seoul},
	"India":        {Kind: liaison.PartyContact, ServedBy: Tokyo},
	"Office Tokyo": {Kind: liaison.PartyOffice, ServedBy: Tokyo},
}

// Party returns the signed identity of a party.
func Party(name string) []byte {
	return Sign(liaison.NewPartyObject(PartyID(name), name, "organization", parties[name], At(0)))
}

// Charter is a programme with the control objects of its charter.
type Charter struct {
	Alias   string
	Terms   liaison.Programme
	Names   []string // participants
	Others  []string // further identities
	Further [][]byte // further control objects, signed
}

var longAgo = liaison.InstantOf(time.Date(2014, 1, 1, 0, 0, 0, 0, time.UTC))

// Charters are the programmes of the alliance, the register first.
func Charters() []Charter {
	transit := []liaison.Office{Tokyo}
	return []Charter{
		{Alias: "register", Names: []string{"NATO"}, Further: Register(), Terms: liaison.Programme{
			Name: "Register", Kind: liaison.KindMembers, Ceiling: stix.AmberStrict, Transit: []liaison.Office{HQ, Tokyo, Seoul},
		}},
		{Alias: "members", Names: []string{"NATO", "Denmark"}, Terms: liaison.Programme{
			Name: "Members", Kind: liaison.KindMembers, Ceiling: stix.AmberStrict, Areas: []liaison.Area{"drafts"}, Transit: transit,
		}},
		{Alias: "itpp", Names: []string{"NATO", "Japan"}, Others: []string{"Denmark", "Office Tokyo"}, Terms: liaison.Programme{
			Name: "ITPP", Kind: liaison.KindPartnership, Ceiling: stix.Amber, Areas: []liaison.Area{"cyber", "disinformation"},
			Transit: transit, Comment: transit, InForce: At(-365 * 24 * time.Hour), ValidUntil: At(365 * 24 * time.Hour),
		}},
		{Alias: "trial", Names: []string{"NATO", "Japan", "Korea"}, Others: []string{"Denmark"}, Terms: liaison.Programme{
			Name: "Trial", Kind: liaison.KindPartnership, Ceiling: stix.Amber, Areas: []liaison.Area{"cyber"}, AcceptUnmarked: true,
			InForce: At(-365 * 24 * time.Hour), ValidUntil: At(24 * time.Hour), AfterExpiry: liaison.AfterClosed,
		}},
		{Alias: "community", Names: []string{"NATO", "Japan", "Korea"}, Others: []string{"Denmark"}, Terms: liaison.Programme{
			Name: "Community", Kind: liaison.KindCommunity, Ceiling: stix.Green, Areas: []liaison.Area{"cyber"},
		}},
		{Alias: "bulletin", Names: []string{"NATO"}, Others: []string{"Denmark"}, Terms: liaison.Programme{
			Name: "Bulletin", Kind: liaison.KindPublic, Ceiling: stix.Clear, Areas: []liaison.Area{"disinformation"},
		}},
		{Alias: "directed", Names: []string{"NATO", "Japan"}, Terms: liaison.Programme{
			Name: "NATO to Japan", Kind: liaison.KindDirected, Ceiling: stix.Red, Areas: []liaison.Area{"cyber"}, Transit: transit,
		}},
	}
}

// CharterOf returns a charter of the alliance by alias.
func CharterOf(alias string) Charter {
	all := Charters()
	return all[slices.IndexFunc(all, func(c Charter) bool { return c.Alias == alias })]
}

// Version1 returns the first version of the programme, filled in and unsigned.
func (c Charter) Version1() *liaison.Programme {
	t := c.Terms
	t.Alias, t.Issuer, t.Version = c.Alias, PartyID("NATO"), 1
	t.Nonce = liaison.H([]byte("desktest nonce " + c.Alias))
	if t.AfterExpiry == "" {
		t.AfterExpiry = liaison.AfterReadable
	}
	if t.InForce.IsZero() {
		t.InForce = longAgo
	}
	for _, name := range c.Names {
		t.Parties = append(t.Parties, liaison.Participant{Ref: PartyID(name), Role: liaison.RoleParticipant, Since: longAgo})
	}
	return liaison.NewProgramme(ID("programme", c.Alias), t, At(0))
}

// SignProgramme signs a version: a directed one by hq's act key, every other
// by the authority.
func SignProgramme(p *liaison.Programme) []byte {
	if p.Kind == liaison.KindDirected {
		return NewKeys(HQ).SignObject(liaison.JCS(p))
	}
	return Sign(liaison.JCS(p))
}

// Amend returns the next version of the programme, changed by fn and signed.
func (c Charter) Amend(fn func(*liaison.Programme)) []byte {
	p := c.Version1()
	p.Version, p.Genesis, p.Modified = 2, c.Genesis(), At(time.Second).String()
	p.InForce = At(time.Hour)
	fn(p)
	return SignProgramme(p)
}

// Genesis returns the genesis of the programme.
func (c Charter) Genesis() liaison.Hash { return liaison.H(liaison.JCS(c.Version1())) }

// Collection returns the id of the collection of an area, epoch 1.
func (c Charter) Collection(a liaison.Area) liaison.CollectionID {
	return liaison.CollectionOf(c.Genesis(), a, 1)
}

// Objects returns the signed control objects of the charter, the programme
// first.
func (c Charter) Objects() [][]byte {
	list := [][]byte{SignProgramme(c.Version1())}
	list = append(list, c.Further...)
	for _, name := range slices.Concat(c.Names, c.Others) {
		list = append(list, Party(name))
	}
	return list
}

// Collection returns a collection of the alliance by alias and area.
func Collection(alias string, area liaison.Area) liaison.CollectionID {
	return CharterOf(alias).Collection(area)
}

// Register returns the authority, the offices and the routes, signed.
func Register() [][]byte {
	pin := Pin()
	list := [][]byte{Sign(liaison.JCS(liaison.NewAuthority(ID("authority", "alliance"), "Sample alliance", pin.Keys, pin.Threshold, At(0))))}
	for _, o := range []liaison.Office{HQ, Tokyo, Seoul} {
		list = append(list, OfficeObject(o))
	}
	return append(list, Route(Seoul, Tokyo), Route(Tokyo, HQ))
}

// OfficeObject returns the signed object that introduces an office.
func OfficeObject(o liaison.Office) []byte {
	keys := NewKeys(o).Public(longAgo)
	return Sign(liaison.JCS(liaison.NewOfficeObject(ID("office", string(o)), o, keys, nil, At(0))))
}

// Route returns the signed route of an office.
func Route(o liaison.Office, through ...liaison.Office) []byte {
	return Sign(liaison.JCS(liaison.NewRoute(ID("route", string(o)), o, through, At(0))))
}
