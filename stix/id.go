package stix

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
)

// An ID is a STIX identifier: a type, two hyphens and a UUID (STIX 2.1 §2.9).
// IDs compare as text, as written.
type ID string

const (
	uuidLen    = 36
	maxTypeLen = 250
)

// ParseID checks s. The type is 1 to 250 of a-z, 0-9 and hyphen; the UUID is of any
// version, in either case.
func ParseID(s string) (ID, error) {
	if reason := idFault(s); reason != "" {
		return "", fmt.Errorf("id %s %s", quoteShort(s), reason)
	}
	return ID(s), nil
}

// idFault says what is wrong with s, or "".
func idFault[T ~string | ~[]byte](s T) string {
	n := len(s) - uuidLen - 2
	if n < 1 || s[n] != '-' || s[n+1] != '-' {
		return "is not a type, two hyphens and a UUID"
	}
	if n > maxTypeLen {
		return fmt.Sprintf("has a type of %d characters, more than %d", n, maxTypeLen)
	}
	if !isTypeName(s[:n]) {
		return "has a type with characters other than a-z, 0-9 and hyphen"
	}
	if !isUUID(s[n+2:]) {
		return "does not end in a UUID"
	}
	return ""
}

func isTypeName[T ~string | ~[]byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= maxTypeLen
}

func isUUID[T ~string | ~[]byte](s T) bool {
	return len(s) == uuidLen && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
		isHex(s[:8]) && isHex(s[9:13]) && isHex(s[14:18]) && isHex(s[19:23]) && isHex(s[24:])
}

// isHex does not stop at the first fault: there hardly ever is one.
func isHex[T ~string | ~[]byte](s T) bool {
	all := uint64(1)
	for i := 0; i < len(s); i++ {
		all &= hexDigits[s[i]>>6] >> (s[i] & 63)
	}
	return all == 1
}

// Type returns the part before the UUID, or "" if id is malformed.
func (id ID) Type() string {
	if idFault(id) != "" {
		return ""
	}
	return string(id[:len(id)-uuidLen-2])
}

// UUID returns the last 36 characters as written, or "" if id is malformed.
func (id ID) UUID() string {
	if idFault(id) != "" {
		return ""
	}
	return string(id[len(id)-uuidLen:])
}

// hasUpper reports upper-case digits in the UUID of a well-formed id.
func (id ID) hasUpper() bool {
	uuid := string(id[len(id)-uuidLen:])
	return strings.ToLower(uuid) != uuid
}

// NewID joins a type and the 16 bytes of a UUID. It does not check typ.
func NewID(typ string, uuid [16]byte) ID {
	b := make([]byte, 0, len(typ)+2+uuidLen)
	b = append(append(b, typ...), "--"...)
	return ID(appendUUID(b, uuid))
}

func appendUUID(b []byte, uuid [16]byte) []byte {
	for i := range uuid {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, uuid[i:i+1])
	}
	return b
}

// DeterministicID returns the id whose UUID is version 5 of name in namespace
// (RFC 9562 §5.5): the same arguments give the same id.
func DeterministicID(typ string, namespace [16]byte, name string) ID {
	b := make([]byte, 0, len(namespace)+len(name))
	return NewID(typ, uuid5(append(append(b, namespace[:]...), name...)))
}

// uuid5 returns the UUID of version 5 of a namespace with a name after it.
func uuid5(namespaceAndName []byte) (u [16]byte) {
	sum := sha1.Sum(namespaceAndName)
	copy(u[:], sum[:])
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return u
}

// scoNamespace is the namespace of the ids of cyber-observables, and of nothing else
// (STIX 2.1 §2.9): 00abedb4-aa42-466c-9c01-fed23315a9b7.
var scoNamespace = [16]byte{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}

// SCOID returns the deterministic id of a cyber-observable object from the JCS of its
// ID contributing properties (STIX 2.1 §2.9 and §3.4). [DeterministicSCOID] finds them.
func SCOID(typ string, contributing []byte) ID {
	return DeterministicID(typ, scoNamespace, string(contributing))
}

// quoteShort quotes at most 60 bytes of s for a message.
func quoteShort(s string) string {
	const limit = 60
	if len(s) > limit {
		return fmt.Sprintf("%+q... (%d bytes)", s[:limit], len(s))
	}
	return fmt.Sprintf("%+q", s)
}
