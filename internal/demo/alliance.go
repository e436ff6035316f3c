package demo

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// The offices of the demonstration and who reaches whom: seoul knows no
// neighbour but tokyo.
const (
	hq    liaison.Office = "hq.example.org"
	tokyo liaison.Office = "tokyo.example.org"
	seoul liaison.Office = "seoul.example.org"

	// canberra is named by routes and parties and not started: an alliance has
	// offices that are not reached today.
	canberra liaison.Office = "canberra.example.org"
)

// alliance is everything the authority signs: keys, parties and programmes.
// All of it is a sample; no line of it is an agreement of anybody.
type alliance struct {
	now     liaison.Instant
	keys    []*office.SigningKey
	pin     ledger.Pin
	id      stix.ID // of the authority object
	parties map[string]liaison.Party
	servers map[string]liaison.Office // who serves a party
}

// party is one line of the cast.
type party struct {
	name   string
	kind   liaison.PartyKind
	class  string
	server liaison.Office
}

var cast = []party{
	{"NATO", liaison.PartyAlliance, "organization", hq},
	{"Denmark", liaison.PartyMember, "organization", hq},
	{"Lithuania", liaison.PartyMember, "organization", hq},
	{"Japan", liaison.PartyPartner, "organization", tokyo},
	{"Korea", liaison.PartyPartner, "organization", seoul},
	{"Australia", liaison.PartyPartner, "organization", canberra},
	{"New Zealand", liaison.PartyPartner, "organization", tokyo},
	{"India", liaison.PartyContact, "organization", tokyo},
	{"Liaison Office Tokyo", liaison.PartyOffice, "organization", tokyo},
}

// found makes the authority: three keys, of which two sign together.
func found(dir string, now time.Time) (*alliance, error) {
	a := &alliance{
		now: liaison.InstantOf(now), id: newID("authority"),
		parties: map[string]liaison.Party{}, servers: map[string]liaison.Office{},
		pin: ledger.Pin{Threshold: 2},
	}
	for i := 1; i <= 3; i++ {
		name := fmt.Sprintf("alliance.example.org/authority/%d", i)
		k, err := office.NewSigningKey(filepath.Join(dir, fmt.Sprintf("authority-%d.seed", i)), name)
		if err != nil {
			return nil, err
		}
		a.keys, a.pin.Keys = append(a.keys, k), append(a.pin.Keys, k.VKey())
	}
	for _, p := range cast {
		a.parties[p.name], a.servers[p.name] = newID("identity"), p.server
	}
	return a, nil
}

func newID(typ string) stix.ID { return stix.NewID(typ, uuid.New()) }

// sign signs with two of the three keys.
func (a *alliance) sign(object []byte) (jsontext.Value, error) {
	return office.SignObject(object, a.keys[0], a.keys[2])
}

// identity makes the signed identity of a party. Denmark's embassy acts for
// the alliance at seoul for a term.
func (a *alliance) identity(name string) (jsontext.Value, error) {
	for _, p := range cast {
		if p.name != name {
			continue
		}
		ext := liaison.PartyExtension{Kind: p.kind, ServedBy: a.servers[name]}
		if name == "NATO" {
			ext.ActsAt = []liaison.ActsAt{{
				Party: a.parties["Denmark"], Office: seoul,
				From: a.now.Add(-30 * 24 * time.Hour), Until: a.now.Add(2 * 365 * 24 * time.Hour),
			}}
		}
		return a.sign(liaison.NewPartyObject(a.parties[name], name, p.class, ext, a.now))
	}
	return nil, fmt.Errorf("no party %q in the cast", name)
}

// charter is one programme and the control objects of its charter.
type charter struct {
	alias   string
	terms   liaison.Programme
	parties []string // participants
	others  []string // further identities the charter needs: who acts, who comments
	objects []jsontext.Value
}

func date(y int, m time.Month, d int) liaison.Instant {
	return liaison.InstantOf(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

// charters lists the sample programmes in the order in which they are added.
func charters() []charter {
	partnership := []liaison.Area{"cyber", "disinformation", "emerging-technologies", "space"}
	return []charter{
		{alias: "register", parties: []string{"NATO"}, others: []string{"India"}, terms: liaison.Programme{
			Name: "Register of the alliance", Kind: liaison.KindMembers, Ceiling: stix.AmberStrict,
			InForce: date(2014, 1, 1), Transit: []liaison.Office{hq, tokyo, seoul},
		}},
		{alias: "members", parties: []string{"NATO", "Denmark", "Lithuania"}, terms: liaison.Programme{
			Name: "Members", Kind: liaison.KindMembers, Ceiling: stix.AmberStrict, Areas: []liaison.Area{"drafts"},
			InForce: date(2014, 1, 1), Transit: []liaison.Office{tokyo},
		}},
		{alias: "ipcp", parties: []string{"NATO", "Japan"}, others: []string{"Denmark"}, terms: liaison.Programme{
			Name: "IPCP NATO-Japan (sample)", Kind: liaison.KindPartnership, Ceiling: stix.Amber, Areas: []liaison.Area{"cyber"},
			InForce: date(2014, 5, 6), ValidUntil: date(2023, 7, 12), Transit: []liaison.Office{tokyo},
		}},
		{alias: "itpp", parties: []string{"NATO", "Japan"}, others: []string{"Denmark", "Liaison Office Tokyo"}, terms: liaison.Programme{
			Name: "ITPP NATO-Japan 2023-2026 (sample)", Kind: liaison.KindPartnership, Ceiling: stix.Amber, Areas: partnership,
			InForce: date(2023, 7, 12), ValidUntil: date(2027, 1, 1), Transit: []liaison.Office{tokyo}, Comment: []liaison.Office{tokyo},
			Goals: []string{"dialogue", "interoperability", "resilience"},
		}},
		{alias: "itpp-2027", parties: []string{"NATO", "Japan"}, others: []string{"Denmark", "Liaison Office Tokyo"}, terms: liaison.Programme{
			Name: "ITPP NATO-Japan from 2027 (sample)", Kind: liaison.KindPartnership, Ceiling: stix.Amber, Areas: partnership,
			InForce: date(2027, 1, 1), Transit: []liaison.Office{tokyo}, Comment: []liaison.Office{tokyo},
		}},
		{alias: "community", parties: []string{"NATO", "Japan", "Korea", "Australia", "New Zealand"}, others: []string{"Denmark"}, terms: liaison.Programme{
			Name: "Community (sample)", Kind: liaison.KindCommunity, Ceiling: stix.Green, Areas: []liaison.Area{"cyber", "disinformation"},
			InForce: date(2014, 1, 1), Transit: []liaison.Office{tokyo},
		}},
		{alias: "bulletin", parties: []string{"NATO"}, others: []string{"Denmark"}, terms: liaison.Programme{
			Name: "Bulletin (sample)", Kind: liaison.KindPublic, Ceiling: stix.Clear, Areas: []liaison.Area{"disinformation"},
			InForce: date(2014, 1, 1), Transit: []liaison.Office{tokyo},
		}},
		{alias: "nato-japan-directed", parties: []string{"NATO", "Japan"}, terms: liaison.Programme{
			Name: "NATO to Japan (sample)", Kind: liaison.KindDirected, Ceiling: stix.Red, Areas: []liaison.Area{"cyber"},
			InForce: date(2014, 1, 1), Transit: []liaison.Office{tokyo},
		}},
	}
}

// write signs the programme and the identities of a charter. A directed
// programme is signed by the office of the party that issues it.
func (a *alliance) write(c *charter, issuer *office.SigningKey, ids map[string]stix.ID) error {
	t := c.terms
	t.Alias, t.Issuer, t.Version, t.AfterExpiry = c.alias, a.parties["NATO"], 1, liaison.AfterReadable
	if _, err := rand.Read(t.Nonce[:]); err != nil {
		return err
	}
	for _, name := range c.parties {
		t.Parties = append(t.Parties, liaison.Participant{Ref: a.parties[name], Role: liaison.RoleParticipant, Since: t.InForce})
	}
	switch c.alias {
	case "itpp":
		t.Supersedes = ids["ipcp"]
	case "itpp-2027":
		t.Supersedes = ids["itpp"]
	}
	ids[c.alias] = newID("programme")
	raw := liaison.JCS(liaison.NewProgramme(ids[c.alias], t, a.now))
	signed, err := a.signProgramme(c, raw, issuer)
	if err != nil {
		return err
	}
	c.objects = append(c.objects, signed)
	for _, name := range append(append([]string{}, c.parties...), c.others...) {
		id, err := a.identity(name)
		if err != nil {
			return err
		}
		c.objects = append(c.objects, id)
	}
	return nil
}

func (a *alliance) signProgramme(c *charter, raw []byte, issuer *office.SigningKey) (jsontext.Value, error) {
	if c.terms.Kind == liaison.KindDirected {
		return office.SignObject(raw, issuer)
	}
	return a.sign(raw)
}

// register returns what the register's charter holds beside its programme:
// the authority, the offices and the routes between them.
func (a *alliance) register(offices map[liaison.Office]*office.Office) ([]jsontext.Value, error) {
	var keys []string
	for _, k := range a.keys {
		keys = append(keys, k.VKey())
	}
	raw := [][]byte{liaison.JCS(liaison.NewAuthority(a.id, "Sample alliance", keys, a.pin.Threshold, a.now))}
	for _, name := range []liaison.Office{hq, tokyo, seoul} {
		if o, ok := offices[name]; ok {
			from := a.now.Add(-24 * time.Hour)
			raw = append(raw, liaison.JCS(liaison.NewOfficeObject(newID("office"), name, o.Keys.Public(from), nil, a.now)))
		}
	}
	raw = append(raw, liaison.JCS(liaison.NewRoute(newID("route"), seoul, []liaison.Office{tokyo}, a.now)))
	raw = append(raw, liaison.JCS(liaison.NewRoute(newID("route"), tokyo, []liaison.Office{hq}, a.now)))
	raw = append(raw, liaison.JCS(liaison.NewRoute(newID("route"), canberra, []liaison.Office{hq}, a.now)))
	var signed []jsontext.Value
	for _, b := range raw {
		s, err := a.sign(b)
		if err != nil {
			return nil, err
		}
		signed = append(signed, s)
	}
	return signed, nil
}
