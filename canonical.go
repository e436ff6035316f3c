package liaison

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// JCS returns the canonical JSON (RFC 8785) of v, one of this package's own
// values. Panics if v cannot be encoded: a programming error.
func JCS(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("liaison: encode %T: %v", v, err))
	}
	raw := jsontext.Value(b)
	if err := raw.Canonicalize(); err != nil {
		panic(fmt.Sprintf("liaison: canonicalize %T: %v", v, err))
	}
	return raw
}

// ParseJCS decodes b into v and refuses unknown members, duplicate names and
// bytes that are not the canonical form of what was decoded.
func ParseJCS(b []byte, v any) error {
	if err := parseStrict(b, v); err != nil {
		return err
	}
	if string(JCS(v)) != string(b) {
		return fmt.Errorf("not in canonical form (RFC 8785)")
	}
	return nil
}

// parseStrict decodes b into v and refuses unknown members, duplicate names
// and trailing data. White space is allowed: for files people edit or mail.
func parseStrict(b []byte, v any) error {
	return json.Unmarshal(b, v, json.RejectUnknownMembers(true))
}
