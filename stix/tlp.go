package stix

import (
	"fmt"
	"strings"
)

// TLP is a level of the Traffic Light Protocol 2.0 (FIRST). Levels are ordered:
// a greater one is stricter.
type TLP uint8

// The levels. The zero value is an object that nobody marked.
const (
	Unmarked TLP = iota
	Clear
	Green
	Amber
	AmberStrict
	Red
)

var tlpNames = [...]string{Clear: "TLP:CLEAR", Green: "TLP:GREEN", Amber: "TLP:AMBER", AmberStrict: "TLP:AMBER+STRICT", Red: "TLP:RED"}

// String returns "TLP:CLEAR" to "TLP:RED", and "" for Unmarked.
func (t TLP) String() string {
	if int(t) < len(tlpNames) {
		return tlpNames[t]
	}
	return fmt.Sprintf("TLP(%d)", uint8(t))
}

// MarshalText implements encoding.TextMarshaler. Unmarked is the empty text.
func (t TLP) MarshalText() ([]byte, error) {
	if int(t) >= len(tlpNames) {
		return nil, fmt.Errorf("no TLP level %d", uint8(t))
	}
	return []byte(tlpNames[t]), nil
}

// UnmarshalText accepts exactly what MarshalText writes.
func (t *TLP) UnmarshalText(text []byte) error {
	for i, name := range tlpNames {
		if name == string(text) {
			*t = TLP(i)
			return nil
		}
	}
	return fmt.Errorf("%s is not a TLP level: TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED", quoteShort(string(text)))
}

// ParseTLP reads a level as people write it: in any case, with or without "TLP:", and
// WHITE, the name of TLP 1, for CLEAR. It never returns Unmarked without an error.
func ParseTLP(s string) (TLP, error) {
	switch strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "TLP:") {
	case "CLEAR", "WHITE":
		return Clear, nil
	case "GREEN":
		return Green, nil
	case "AMBER":
		return Amber, nil
	case "AMBER+STRICT":
		return AmberStrict, nil
	case "RED":
		return Red, nil
	}
	return Unmarked, fmt.Errorf("%s is not a TLP level: CLEAR, GREEN, AMBER, AMBER+STRICT or RED", quoteShort(s))
}

const (
	tlpClearID       ID = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
	tlpGreenID       ID = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
	tlpAmberID       ID = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
	tlpAmberStrictID ID = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
	tlpRedID         ID = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"

	// TLP 1 (STIX 2.1 §7.2.1.4). OpenCTI gives its TLP:CLEAR the id of WHITE.
	tlp1WhiteID ID = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
	tlp1GreenID ID = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
	tlp1AmberID ID = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
	tlp1RedID   ID = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"

	// OpenCTI's AMBER+STRICT, which it defines as a statement.
	openCTIAmberStrictID ID = "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"

	// tlpExtension defines the property tlp_2_0 of marking-definitions.
	tlpExtension ID = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
)

// Marking returns the id of the TLP 2.0 marking-definition of t, or "" for Unmarked.
func (t TLP) Marking() ID {
	switch t {
	case Clear:
		return tlpClearID
	case Green:
		return tlpGreenID
	case Amber:
		return tlpAmberID
	case AmberStrict:
		return tlpAmberStrictID
	case Red:
		return tlpRedID
	}
	return ""
}

// tlpByID knows the ids of TLP 1 and 2. An id in upper case is the same marking.
func tlpByID(id ID) TLP {
	switch ID(strings.ToLower(string(id))) {
	case tlpClearID, tlp1WhiteID:
		return Clear
	case tlpGreenID, tlp1GreenID:
		return Green
	case tlpAmberID, tlp1AmberID:
		return Amber
	case tlpAmberStrictID, openCTIAmberStrictID:
		return AmberStrict
	case tlpRedID, tlp1RedID:
		return Red
	}
	return Unmarked
}

// IsTLP reports whether id is one of the marking-definitions of TLP 1 or 2,
// which mean the same whoever defines them.
func IsTLP(id ID) bool { return tlpByID(id) != Unmarked }

// TLPMarkings returns the five marking-definitions of TLP 2.0 as OASIS publishes them,
// from Clear to Red.
func TLPMarkings() []*Object {
	const form = `{"type":"marking-definition","spec_version":"2.1","id":"%s","created":"2022-10-01T00:00:00.000Z","name":"%s",` +
		`"extensions":{"%s":{"extension_type":"property-extension","tlp_2_0":"%s"}}}`
	var markings []*Object
	for t := Clear; t <= Red; t++ {
		colour := strings.ToLower(strings.TrimPrefix(t.String(), "TLP:"))
		o, err := Parse(fmt.Appendf(nil, form, t.Marking(), t, tlpExtension, colour), DefaultLimits())
		if err != nil {
			panic("stix: TLP marking: " + err.Error())
		}
		markings = append(markings, o)
	}
	return markings
}
