package liaison

import (
	"fmt"

	"github.com/liaison-office/liaison/stix"
)

// KeyUse says what a key of an office is for. Each use has its own key.
type KeyUse string

// The uses of an office's keys.
const (
	UseLog     KeyUse = "log"     // signs checkpoints; the note name is the origin
	UseWitness KeyUse = "witness" // cosigns neighbours' checkpoints; name <office>/witness (C2SP tlog-cosignature)
	UseAct     KeyUse = "act"     // signs batches of acts and evidence; name <office>/act
	UseRelay   KeyUse = "relay"   // authenticates the relay stream
)

// OfficeKey is an Ed25519 public key with the time in which it counts.
type OfficeKey struct {
	Use   KeyUse  `json:"use"`
	Key   Binary  `json:"key"` // 32 bytes
	From  Instant `json:"from"`
	Until Instant `json:"until,omitzero"`
}

// OfficeObject introduces an office: its DNS name, keys and addresses, signed
// by the authority. It does not say which parties the office serves: their
// identities do, where the members of their programmes see it.
type OfficeObject struct {
	Common
	Name      Office      `json:"name"`
	Keys      []OfficeKey `json:"keys"`
	Addresses []string    `json:"addresses,omitzero"` // host:port of the relay listener
}

// NewOfficeObject returns the unsigned object.
func NewOfficeObject(id stix.ID, name Office, keys []OfficeKey, addresses []string, at Instant) *OfficeObject {
	return &OfficeObject{Common: newCommon("office", id, at, ExtOffice), Name: name, Keys: keys, Addresses: addresses}
}

// ParseOfficeObject decodes and checks an office object; signatures are not
// checked here.
func ParseOfficeObject(b []byte) (*OfficeObject, error) {
	o := new(OfficeObject)
	if err := parseControl(b, "office", o, &o.Common, ExtOffice); err != nil {
		return nil, err
	}
	if _, err := ParseOffice(string(o.Name)); err != nil {
		return nil, fmt.Errorf("office: /name: %w", err)
	}
	has := map[KeyUse]bool{}
	for i, k := range o.Keys {
		if len(k.Key) != 32 {
			return nil, fmt.Errorf("office: /keys/%d/key has %d bytes, want the 32 of an Ed25519 key", i, len(k.Key))
		}
		has[k.Use] = true
	}
	for _, use := range []KeyUse{UseLog, UseWitness, UseAct, UseRelay} {
		if !has[use] {
			return nil, fmt.Errorf("office: /keys lacks a key for use %q", use)
		}
	}
	return o, nil
}

// KeysFor returns the public keys for a use that counted at an instant.
func (o *OfficeObject) KeysFor(use KeyUse, at Instant) [][]byte {
	var keys [][]byte
	for _, k := range o.Keys {
		if k.Use == use && k.From <= at && (k.Until.IsZero() || at < k.Until) {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// Route says through which neighbours an office is reached. Together the
// routes are the topology: seoul through tokyo, tokyo through hq.
type Route struct {
	Common
	Office  Office   `json:"office"`
	Through []Office `json:"through"`
}

// NewRoute returns the unsigned object.
func NewRoute(id stix.ID, office Office, through []Office, at Instant) *Route {
	return &Route{Common: newCommon("route", id, at, ExtRoute), Office: office, Through: through}
}

// ParseRoute decodes and checks a route object; signatures are not checked
// here.
func ParseRoute(b []byte) (*Route, error) {
	r := new(Route)
	if err := parseControl(b, "route", r, &r.Common, ExtRoute); err != nil {
		return nil, err
	}
	if _, err := ParseOffice(string(r.Office)); err != nil {
		return nil, fmt.Errorf("route: /office: %w", err)
	}
	for i, o := range r.Through {
		if _, err := ParseOffice(string(o)); err != nil {
			return nil, fmt.Errorf("route: /through/%d: %w", i, err)
		}
		if o == r.Office {
			return nil, fmt.Errorf("route: /through/%d is the office itself", i)
		}
	}
	return r, nil
}
