package stix

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// scoRule is what the ID of one type of cyber-observable is made of (STIX 2.1 §6, the
// lines "ID Contributing Properties").
type scoRule struct {
	typ        string
	properties []string // in the order of JCS
}

var scoRules = [...]scoRule{
	{"artifact", []string{"hashes", "payload_bin"}},
	{"autonomous-system", []string{"number"}},
	{"directory", []string{"path"}},
	{"domain-name", []string{"value"}},
	{"email-addr", []string{"value"}},
	{"email-message", []string{"body", "from_ref", "subject"}},
	{"file", []string{"extensions", "hashes", "name", "parent_directory_ref"}},
	{"ipv4-addr", []string{"value"}},
	{"ipv6-addr", []string{"value"}},
	{"mac-addr", []string{"value"}},
	{"mutex", []string{"name"}},
	{"network-traffic", []string{"dst_port", "dst_ref", "end", "extensions", "protocols", "src_port", "src_ref", "start"}},
	{"process", nil},
	{"software", []string{"cpe", "name", "swid", "vendor", "version"}},
	{"url", []string{"value"}},
	{"user-account", []string{"account_login", "account_type", "user_id"}},
	{"windows-registry-key", []string{"key", "values"}},
	{"x509-certificate", []string{"hashes", "serial_number"}},
}

func scoRuleOf(typ string) (scoRule, bool) {
	for i := range scoRules {
		if scoRules[i].typ == typ {
			return scoRules[i], true
		}
	}
	return scoRule{}, false
}

// DeterministicSCOID returns the id that the properties of a cyber-observable give it
// (STIX 2.1 §2.9, §3.4): the same observable has the same id at every producer. ok is
// false for other objects, for types that an extension defines, and where no contributing
// property is present.
func DeterministicSCOID(o *Object) (id ID, ok bool) {
	rule, ok := scoRuleOf(o.typ)
	if !ok {
		return "", false
	}
	u, ok := rule.uuid(o)
	if !ok {
		return "", false
	}
	return NewID(o.typ, u), true
}

// A SCOIDVerdict says how the id of an object stands to the rule for cyber-observables.
type SCOIDVerdict uint8

// The verdicts of [CheckSCOID].
const (
	SCOIDFree      SCOIDVerdict = iota // no rule: not one of the types of STIX 2.1 §6
	SCOIDFollows                       // the id is what the rule gives
	SCOIDDiffers                       // the rule gives another id (a SHOULD of §2.9)
	SCOIDNotRandom                     // nothing contributes, and the UUID is not of version 4 (a MUST of §2.9)
	SCOIDVersioned                     // the id is what the rule gives, and the object has versions (a MUST NOT of §3.6)
)

// CheckSCOID compares the id of o with the one that [DeterministicSCOID] returns.
func CheckSCOID(o *Object) SCOIDVerdict {
	rule, ok := scoRuleOf(o.typ)
	if !ok {
		return SCOIDFree
	}
	own := o.id[len(o.id)-uuidLen:]
	u, ok := rule.uuid(o)
	switch {
	case !ok && isRandomUUID(own):
		return SCOIDFollows
	case !ok:
		return SCOIDNotRandom
	case !sameUUID(own, u):
		return SCOIDDiffers
	case o.versionable():
		return SCOIDVersioned
	}
	return SCOIDFollows
}

// isRandomUUID looks for version 4 and the variant that goes with it (RFC 9562 §4).
func isRandomUUID(uuid ID) bool {
	switch uuid[19] {
	case '8', '9', 'a', 'b', 'A', 'B':
		return uuid[14] == '4'
	}
	return false
}

// sameUUID compares in either case.
func sameUUID(text ID, u [16]byte) bool {
	var room [uuidLen]byte
	for i, c := range appendUUID(room[:0], u) {
		if own := text[i]; own != c && own|0x20 != c {
			return false
		}
	}
	return true
}

// uuid returns the UUID of version 5 of the contributing properties of o; ok is false if
// there are none.
func (r scoRule) uuid(o *Object) (u [16]byte, ok bool) {
	var room [512]byte
	b := append(append(room[:0], scoNamespace[:]...), '{')
	start := len(b)
	for _, name := range r.properties {
		v, present := o.Property(name)
		if !present || v.Kind() == 'n' {
			continue
		}
		if name == "hashes" {
			b = appendHash(b, v, len(b) > start)
			continue
		}
		b = append(comma(b, len(b) > start), '"')
		b = append(append(b, name...), `":`...)
		b = appendCanonical(b, v)
	}
	if len(b) == start {
		return u, false
	}
	return uuid5(append(b, '}')), true
}

// appendHash appends the one hash that contributes (STIX 2.1 §6.1.1): MD5, SHA-1, SHA-256
// or SHA-512, in this order of preference, else the one whose name sorts first, so that
// the order written makes no difference.
func appendHash(b []byte, hashes jsontext.Value, after bool) []byte {
	if hashes.Kind() != '{' || hashes[1] == '}' {
		return b
	}
	var name, value []byte
	for i := 1; hashes[i] != '}'; {
		var n, v []byte
		n, v, i = memberAt(hashes, i)
		if bytes.IndexByte(n, '\\') >= 0 {
			n = appendCanonical(nil, n)
		}
		if name == nil || preferHash(n, name) {
			name, value = n, v
		}
	}
	b = append(comma(b, after), `"hashes":{`...)
	b = append(append(b, name...), ':')
	return append(appendCanonical(b, value), '}')
}

// preferHash compares quoted names in canonical form.
func preferHash(a, b []byte) bool {
	x, y := hashRank(a), hashRank(b)
	return x < y || x == y && bytes.Compare(a, b) < 0
}

func hashRank(name []byte) int {
	switch string(name) {
	case `"MD5"`:
		return 0
	case `"SHA-1"`:
		return 1
	case `"SHA-256"`:
		return 2
	case `"SHA-512"`:
		return 3
	}
	return 4
}

// appendCanonical appends the JCS of a value that was parsed before. Most are canonical
// as they stand: strings without escapes, and lists of them.
func appendCanonical(b []byte, v jsontext.Value) []byte {
	switch v.Kind() {
	case '"':
		if bytes.IndexByte(v, '\\') < 0 {
			return append(b, v...)
		}
	case '0':
		_, whole := numberLen(v)
		return appendNumber(b, v, whole)
	case '[':
		b = append(b, '[')
		for i, first := 1, true; v[i] != ']'; first = false {
			end := valueEnd(v, i)
			b = appendCanonical(comma(b, !first), v[i:end])
			i = afterComma(v, end)
		}
		return append(b, ']')
	}
	canonical, err := Canonical(v)
	if err != nil {
		return append(b, v...) // not for what was parsed
	}
	return append(b, canonical...)
}
