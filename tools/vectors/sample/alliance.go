package sample

import (
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// Alliance is the invented alliance.
type Alliance struct {
	AuthorityKeys   [3]Key
	AuthorityObject []byte
	Pin             ledger.Pin // two of the three

	HQ, Tokyo, Seoul *Office

	// Programmes, signed: two versions of a partnership, and a directed one
	// that seoul signed for the embassy.
	First, Second, Directed []byte
	Genesis                 liaison.Hash // of the partnership
}

// The parties.
const (
	Northland stix.ID = "identity--ee5ee4ca-9e58-4e37-9e82-87fd8ce1cbd8" // the ministry of Northland
	Eastland  stix.ID = "identity--f2207660-26e1-4027-9493-5fb6ed247901" // the ministry of Eastland
	Embassy   stix.ID = "identity--9a7330a7-b156-450c-8dbd-a3d6142fa656" // the embassy of Northland in Seoul
	Newcomer  stix.ID = "identity--e6154f3c-36c1-4fd0-b8b1-64af9e14b8f7" // the ministry of Southland
)

// New returns the alliance.
func New() *Alliance {
	a := &Alliance{AuthorityKeys: [3]Key{
		NewKey("alliance.example.org/authority/1"),
		NewKey("alliance.example.org/authority/2"),
		NewKey("alliance.example.org/authority/3"),
	}}
	a.Pin.Threshold = 2
	for _, k := range a.AuthorityKeys {
		a.Pin.Keys = append(a.Pin.Keys, ledger.VKey(k.Name, k.Public()))
	}
	authority := liaison.NewAuthority(ID("authority", "alliance"), "The sample alliance", a.Pin.Keys, a.Pin.Threshold, At(founded))
	authority.ActivationDelaySeconds = 86400
	a.AuthorityObject = a.Sign(liaison.JCS(authority))
	a.HQ, a.Tokyo, a.Seoul = a.office("hq.example.org"), a.office("tokyo.example.org"), a.office("seoul.example.org")
	a.First = a.Sign(liaison.JCS(first()))
	genesis, err := liaison.Under(a.First)
	must(err)
	a.Genesis = genesis
	a.Second = a.Sign(liaison.JCS(second(genesis)))
	a.Directed = SignObject(liaison.JCS(directed()), a.Seoul.Act)
	return a
}

func (a *Alliance) office(name liaison.Office) *Office {
	return newOffice(name, a.AuthorityKeys[0], a.AuthorityKeys[1])
}

// Sign adds the signatures of the first two authority keys.
func (a *Alliance) Sign(object []byte) []byte {
	return SignObject(object, a.AuthorityKeys[0], a.AuthorityKeys[1])
}

func first() *liaison.Programme {
	since := At("2026-01-01T00:00:00.000000Z")
	return liaison.NewProgramme(ID("programme", "partnership"), liaison.Programme{
		Name: "Partnership Eastland–Northland · партнерство · 連携", Alias: "east-north",
		Kind: liaison.KindPartnership, Issuer: Northland, Nonce: Random("partnership"), Version: 1,
		Parties: []liaison.Participant{
			{Ref: Northland, Role: liaison.RoleParticipant, Since: since},
			{Ref: Eastland, Role: liaison.RoleParticipant, Since: since, Until: At("2030-01-01T00:00:00.000000Z")},
		},
		Areas: []liaison.Area{"cyber", "disinformation"}, Ceiling: stix.AmberStrict,
		InForce: since, ValidUntil: At("2029-12-31T23:59:59.999999Z"), AfterExpiry: liaison.AfterReadable,
		Transit: []liaison.Office{"tokyo.example.org"}, Comment: []liaison.Office{"tokyo.example.org"},
		Goals: []string{"Share what \"both\" sides see early", "Answer within a day"},
		Texts: []liaison.Text{{Lang: "en", SHA256: Random("the agreement in English")}},
	}, At("2025-12-20T10:00:00.000000Z"))
}

// second lets a party join, with every log closed to what came before.
func second(genesis liaison.Hash) *liaison.Programme {
	p := first()
	joins := At("2026-07-01T00:00:00.000000Z")
	p.Modified = "2026-06-25T09:30:00.000000Z"
	p.Version, p.Genesis, p.InForce = 2, genesis, joins
	p.Parties = append(p.Parties, liaison.Participant{Ref: Newcomer, Role: liaison.RoleObserver, Since: joins})
	for _, area := range []liaison.Area{liaison.Charter, "cyber", "disinformation"} {
		p.Epochs = append(p.Epochs, liaison.Epoch{Area: area, Number: 2})
	}
	return p
}

func directed() *liaison.Programme {
	since := At("2026-02-01T00:00:00.000000Z")
	return liaison.NewProgramme(ID("programme", "directed"), liaison.Programme{
		Name: "Embassy to Eastland", Alias: "embassy-eastland", Kind: liaison.KindDirected,
		Issuer: Embassy, Nonce: Random("directed"), Version: 1,
		Parties: []liaison.Participant{
			{Ref: Embassy, Role: liaison.RoleParticipant, Since: since},
			{Ref: Eastland, Role: liaison.RoleObserver, Since: since},
		},
		Areas: []liaison.Area{"cyber"}, Ceiling: stix.Red, InForce: since, AfterExpiry: liaison.AfterClosed,
	}, At("2026-01-31T15:00:00.000000Z"))
}

// UnderOf returns the name acts cite a programme version by.
func UnderOf(programme []byte) liaison.Hash {
	h, err := liaison.Under(programme)
	must(err)
	return h
}
