package liaison

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Hash is a SHA-256 digest. In JSON it is padded base64 (RFC 4648 §4).
type Hash [sha256.Size]byte

// H hashes the concatenation of parts with SHA-256.
func H(parts ...[]byte) (h Hash) {
	d := sha256.New()
	for _, p := range parts {
		d.Write(p)
	}
	d.Sum(h[:0])
	return h
}

// String returns the padded base64 form.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// IsZero reports whether h was never set.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText accepts exactly 44 characters of canonical padded base64.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := decodeBase64(string(text))
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("hash %.50q is not 32 bytes of padded base64", text)
	}
	copy(h[:], b)
	return nil
}

// ParseHash reads what Hash.String wrote.
func ParseHash(s string) (h Hash, err error) {
	err = h.UnmarshalText([]byte(s))
	return h, err
}

// decodeBase64 refuses what two readers could understand differently: line
// breaks inside and trailing bits that are not zero.
func decodeBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	if base64.StdEncoding.EncodedLen(len(b)) != len(s) {
		return nil, fmt.Errorf("base64 contains line breaks")
	}
	return b, nil
}

// Binary is a byte string whose JSON form is padded base64.
type Binary []byte

// MarshalText implements encoding.TextMarshaler.
func (b Binary) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(b)), nil
}

// UnmarshalText accepts canonical padded base64 only.
func (b *Binary) UnmarshalText(text []byte) error {
	d, err := decodeBase64(string(text))
	if err != nil {
		return fmt.Errorf("%.20q is not padded base64: %w", text, err)
	}
	*b = d
	return nil
}
