package liaison

import (
	"fmt"

	"github.com/liaison-office/liaison/stix"
)

// Authority is the alliance's keys, of which Threshold must sign together.
// Every office pins it at set-up and takes no other.
type Authority struct {
	Common
	Name      string   `json:"name"`
	Keys      []string `json:"keys"` // C2SP verifier keys (vkeys)
	Threshold int      `json:"threshold"`
	// ActivationDelaySeconds is how long an amendment that widens an audience
	// should wait before it takes effect. Nothing enforces it.
	ActivationDelaySeconds int `json:"activation_delay_seconds"`
}

// MaxAuthorityKeys bounds the keys of an authority.
const MaxAuthorityKeys = 64

// NewAuthority returns the unsigned object.
func NewAuthority(id stix.ID, name string, keys []string, threshold int, at Instant) *Authority {
	return &Authority{Common: newCommon("authority", id, at, ExtAuthority), Name: name, Keys: keys, Threshold: threshold}
}

// ParseAuthority decodes and checks an authority object; signatures are not
// checked here.
func ParseAuthority(b []byte) (*Authority, error) {
	a := new(Authority)
	if err := parseControl(b, "authority", a, &a.Common, ExtAuthority); err != nil {
		return nil, err
	}
	switch {
	case len(a.Keys) == 0 || len(a.Keys) > MaxAuthorityKeys:
		return nil, fmt.Errorf("authority: /keys has %d keys, want 1 to %d", len(a.Keys), MaxAuthorityKeys)
	case a.Threshold < 1 || a.Threshold > len(a.Keys):
		return nil, fmt.Errorf("authority: /threshold is %d with %d keys", a.Threshold, len(a.Keys))
	case a.ActivationDelaySeconds < 0:
		return nil, fmt.Errorf("authority: /activation_delay_seconds is negative")
	}
	return a, nil
}
