package liaison

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

// PartyKind says what a party is to the alliance.
type PartyKind string

// The kinds of parties.
const (
	PartyAlliance PartyKind = "alliance"
	PartyMember   PartyKind = "member"
	PartyPartner  PartyKind = "partner"
	PartyContact  PartyKind = "contact" // a partner without programme
	PartyOffice   PartyKind = "office"  // a liaison office with a voice of its own (comment)
)

// PartyObject is a STIX identity with our extension ExtParty, signed by the
// authority. Of the identity only what is read here is decoded; every other
// STIX property may stand in it.
type PartyObject struct {
	ID       stix.ID
	Name     string
	Created  string
	Modified string
	Revoked  bool
	Party    PartyExtension
}

// PartyExtension is the property-extension ExtParty of an identity.
type PartyExtension struct {
	ExtensionType string    `json:"extension_type"` // property-extension
	Kind          PartyKind `json:"kind"`
	ServedBy      Office    `json:"served_by"`
	// ActsAt lists who acts for this party elsewhere, from when to when.
	ActsAt   []ActsAt  `json:"acts_at,omitzero"`
	Succeeds []stix.ID `json:"succeeds,omitzero"`
}

// ActsAt lets another party, such as a member's embassy, act for this one at
// an office for a time.
type ActsAt struct {
	Party  stix.ID `json:"party_ref"`
	Office Office  `json:"office"`
	From   Instant `json:"from"`
	Until  Instant `json:"until,omitzero"`
}

// Covers reports whether the mandate holds at an instant.
func (a ActsAt) Covers(at Instant) bool {
	return a.From <= at && (a.Until.IsZero() || at < a.Until)
}

// NewPartyObject returns the unsigned identity as JSON.
func NewPartyObject(id stix.ID, name, class string, ext PartyExtension, at Instant) []byte {
	ext.ExtensionType = "property-extension"
	return JCS(map[string]any{
		"type": "identity", "spec_version": "2.1", "id": id, "created": at, "modified": at,
		"name": name, "identity_class": class,
		"object_marking_refs": []stix.ID{stix.Green.Marking()},
		"extensions":          map[stix.ID]jsontext.Value{ExtParty: JCS(ext)},
	})
}

// ParsePartyObject decodes and checks an identity with our extension; ok is
// false for an identity without it. Signatures are not checked here.
func ParsePartyObject(b []byte) (p *PartyObject, ok bool, err error) {
	var in struct {
		Type       string                     `json:"type"`
		ID         stix.ID                    `json:"id"`
		Name       string                     `json:"name"`
		Created    string                     `json:"created"`
		Modified   string                     `json:"modified"`
		Revoked    bool                       `json:"revoked"`
		Extensions map[stix.ID]jsontext.Value `json:"extensions"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, false, fmt.Errorf("party: %w", err)
	}
	raw, has := in.Extensions[ExtParty]
	if in.Type != "identity" || in.ID.Type() != "identity" || !has {
		return nil, false, nil
	}
	p = &PartyObject{ID: in.ID, Name: in.Name, Created: in.Created, Modified: in.Modified, Revoked: in.Revoked}
	if err := parseStrict(raw, &p.Party); err != nil {
		return nil, true, fmt.Errorf("party: /extensions/%s: %w", ExtParty, err)
	}
	return p, true, p.check()
}

func (p *PartyObject) check() error {
	switch p.Party.Kind {
	case PartyAlliance, PartyMember, PartyPartner, PartyContact, PartyOffice:
	default:
		return fmt.Errorf("party: kind %.20q is not one of alliance, member, partner, contact, office", p.Party.Kind)
	}
	if _, err := ParseOffice(string(p.Party.ServedBy)); err != nil {
		return fmt.Errorf("party: served_by: %w", err)
	}
	for i, a := range p.Party.ActsAt {
		if a.Party.Type() != "identity" || a.From.IsZero() {
			return fmt.Errorf("party: acts_at/%d: want party_ref (an identity) and from", i)
		}
		if _, err := ParseOffice(string(a.Office)); err != nil {
			return fmt.Errorf("party: acts_at/%d: %w", i, err)
		}
	}
	return nil
}
