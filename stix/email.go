package stix

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// isEmail reports an addr-spec (RFC 5322 §3.4.1) without comments and folding. Other letters
// than those of ASCII are letters too (RFC 6532).
func isEmail(b []byte) bool {
	at := bytes.LastIndexByte(b, '@')
	if at < 0 {
		return false
	}
	local, domain := b[:at], b[at+1:]
	return (isDotAtom(local) || isQuotedString(local)) && (isDotAtom(domain) || isDomainLiteral(domain))
}

// isDotAtom reports atoms with single dots between them (RFC 5322 §3.2.3).
func isDotAtom(b []byte) bool {
	for atom := range bytes.SplitSeq(b, []byte(".")) {
		if len(atom) == 0 {
			return false
		}
		for _, c := range atom {
			if !isAlphanumeric(c) && c < utf8.RuneSelf && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) < 0 {
				return false
			}
		}
	}
	return true
}

// isQuotedString reports a quoted string (RFC 5322 §3.2.4).
func isQuotedString(b []byte) bool {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return false
	}
	for i, inner := 0, b[1:len(b)-1]; i < len(inner); i++ {
		if inner[i] == '\\' {
			i++
		} else if inner[i] == '"' {
			return false
		}
		if i == len(inner) || inner[i] < ' ' && inner[i] != '\t' || inner[i] == 0x7f {
			return false
		}
	}
	return true
}

// isDomainLiteral reports an address in brackets (RFC 5322 §3.4.1).
func isDomainLiteral(b []byte) bool {
	if len(b) < 3 || b[0] != '[' || b[len(b)-1] != ']' {
		return false
	}
	for _, c := range b[1 : len(b)-1] {
		if c <= ' ' || c == 0x7f || strings.IndexByte(`[]\`, c) >= 0 {
			return false
		}
	}
	return true
}
