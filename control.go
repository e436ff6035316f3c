package liaison

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

// The extension-definitions of the control objects (docs/extensions.md). All
// but ExtParty and ExtSigned have extension_type new-sdo.
const (
	ExtAuthority stix.ID = "extension-definition--a673268e-180b-489c-be9b-cd74eaf365aa"
	ExtOffice    stix.ID = "extension-definition--4a2cc39d-7ff5-4f26-acf8-51d53e8979ce"
	ExtRoute     stix.ID = "extension-definition--ec637707-0588-4d1d-b613-1dd16ad0d60f"
	ExtProgramme stix.ID = "extension-definition--fb5a5ab2-3a1f-4042-b119-e85bfe454375"
	ExtParty     stix.ID = "extension-definition--892cd382-b656-47b8-b24c-68f8db9c139c"
	ExtSigned    stix.ID = "extension-definition--39f4b814-6a39-4218-ba38-a19f8a2d7128"
)

// Common are the STIX properties every control object has. Created and
// Modified are kept as written.
type Common struct {
	Type        string                     `json:"type"`
	SpecVersion string                     `json:"spec_version"`
	ID          stix.ID                    `json:"id"`
	CreatedBy   stix.ID                    `json:"created_by_ref,omitzero"`
	Created     string                     `json:"created"`
	Modified    string                     `json:"modified"`
	Revoked     bool                       `json:"revoked,omitzero"`
	Lang        string                     `json:"lang,omitzero"`
	Markings    []stix.ID                  `json:"object_marking_refs,omitzero"`
	Extensions  map[stix.ID]jsontext.Value `json:"extensions"`
}

// newCommon fills the properties of a control object of a new-sdo extension.
func newCommon(typ string, id stix.ID, at Instant, ext stix.ID) Common {
	text := at.String()
	return Common{
		Type: typ, SpecVersion: "2.1", ID: id, Created: text, Modified: text,
		Markings:   []stix.ID{stix.Green.Marking()},
		Extensions: map[stix.ID]jsontext.Value{ext: jsontext.Value(`{"extension_type":"new-sdo"}`)},
	}
}

// IsControlType reports whether objects of a STIX type are control objects.
func IsControlType(typ string) bool {
	switch typ {
	case "authority", "office", "route", "programme":
		return true
	}
	return false
}

// parseControl decodes a control object of type typ into v and refuses members
// it does not know: a restriction that is not understood must not be dropped.
func parseControl(b []byte, typ string, v any, c *Common, ext stix.ID) error {
	if err := parseStrict(b, v); err != nil {
		return fmt.Errorf("%s: %w", typ, err)
	}
	switch _, has := c.Extensions[ext]; {
	case c.Type != typ || c.ID.Type() != typ:
		return fmt.Errorf("%s: /type is %.40q and /id %.80q", typ, c.Type, c.ID)
	case c.SpecVersion != "2.1":
		return fmt.Errorf("%s: /spec_version is %.10q, want 2.1", typ, c.SpecVersion)
	case !has:
		return fmt.Errorf("%s: /extensions lacks %s", typ, ext)
	}
	return nil
}

// signatures is the extension property that carries signature lines.
type signatures struct {
	ExtensionType string   `json:"extension_type"` // property-extension
	Signatures    []string `json:"signatures"`     // C2SP signed-note signature lines, without newline
}

// Unsigned returns the JCS of a control object without its signatures, and
// without extensions where no other one is left: what is hashed (Genesis, Under) and what SignedText commits to.
func Unsigned(object []byte) ([]byte, error) {
	b, _, err := splitSignatures(object)
	return b, err
}

// SignedText returns the text that is signed for a control object and the
// signature lines it carries. The text is
//
//	liaison/object/1
//	<type>
//	<id>
//	<base64 H(JCS of the object without the extension ExtSigned)>
//
// and the whole is a C2SP signed note with one signature per line.
func SignedText(object []byte) (text string, lines []string, err error) {
	b, lines, err := splitSignatures(object)
	if err != nil {
		return "", nil, err
	}
	var c struct {
		Type string  `json:"type"`
		ID   stix.ID `json:"id"`
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return "", nil, fmt.Errorf("signed object: %w", err)
	}
	if c.Type == "" || c.ID.Type() != c.Type {
		return "", nil, fmt.Errorf("signed object: /id %.80q does not fit /type %.40q", c.ID, c.Type)
	}
	return "liaison/object/1\n" + c.Type + "\n" + string(c.ID) + "\n" + H(b).String() + "\n", lines, nil
}

// WithSignatures returns the object, in JCS, with lines added to the signature
// lines it has. A line it already has is not added again.
func WithSignatures(object []byte, lines ...string) ([]byte, error) {
	b, have, err := splitSignatures(object)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if !slices.Contains(have, l) {
			have = append(have, l)
		}
	}
	top, ext, err := members(b)
	if err != nil {
		return nil, err
	}
	ext[ExtSigned] = JCS(signatures{ExtensionType: "property-extension", Signatures: have})
	top["extensions"] = JCS(ext)
	return JCS(top), nil
}

func splitSignatures(object []byte) (unsigned []byte, lines []string, err error) {
	top, ext, err := members(object)
	if err != nil {
		return nil, nil, err
	}
	if raw, ok := ext[ExtSigned]; ok {
		var s signatures
		if err := parseStrict(raw, &s); err != nil {
			return nil, nil, fmt.Errorf("/extensions/%s: %w", ExtSigned, err)
		}
		if s.ExtensionType != "property-extension" {
			return nil, nil, fmt.Errorf("/extensions/%s/extension_type is %.40q, want property-extension", ExtSigned, s.ExtensionType)
		}
		lines = s.Signatures
		ext = maps.Clone(ext)
		delete(ext, ExtSigned)
		top["extensions"] = JCS(ext)
	}
	if len(ext) == 0 { // as it was before the first signature
		delete(top, "extensions")
	}
	return JCS(top), lines, nil
}

func members(object []byte) (top map[string]jsontext.Value, ext map[stix.ID]jsontext.Value, err error) {
	if err := checkValues(object); err != nil {
		return nil, nil, fmt.Errorf("control object: %w", err)
	}
	if err := json.Unmarshal(object, &top); err != nil {
		return nil, nil, fmt.Errorf("control object: %w", err)
	}
	ext = map[stix.ID]jsontext.Value{}
	if raw, ok := top["extensions"]; ok {
		if err := json.Unmarshal(raw, &ext); err != nil {
			return nil, nil, fmt.Errorf("control object: /extensions: %w", err)
		}
	}
	return top, ext, nil
}
