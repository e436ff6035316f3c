package stix

import (
	"bytes"
	"net/netip"
	"strings"
)

// isURL reports a URI (RFC 3986 §3): a scheme, and after its colon an authority, a path, a
// query and a fragment, of which one at least is there.
func isURL(b []byte) bool {
	scheme, rest, ok := bytes.Cut(b, []byte(":"))
	if !ok || len(rest) == 0 || !isScheme(scheme) {
		return false
	}
	if authority, there := bytes.CutPrefix(rest, []byte("//")); there {
		end := bytes.IndexAny(authority, "/?#")
		if end < 0 {
			end = len(authority)
		}
		if !isAuthority(authority[:end]) {
			return false
		}
		rest = authority[end:]
	}
	hierarchy, fragment, _ := bytes.Cut(rest, []byte("#"))
	return isURIText(hierarchy, "/?:@") && isURIText(fragment, "/?:@")
}

// isScheme is RFC 3986 §3.1.
func isScheme(b []byte) bool {
	for i, c := range b {
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return len(b) > 0
}

// isAuthority reports [user@]host[:port] (RFC 3986 §3.2).
func isAuthority(b []byte) bool {
	host := b
	if at := bytes.IndexByte(b, '@'); at >= 0 {
		if !isURIText(b[:at], ":") {
			return false
		}
		host = b[at+1:]
	}
	if literal, ok := bytes.CutPrefix(host, []byte("[")); ok {
		address, port, closed := bytes.Cut(literal, []byte("]"))
		return closed && isIPLiteral(address) && (len(port) == 0 || port[0] == ':' && isPort(port[1:]))
	}
	host, port, _ := bytes.Cut(host, []byte(":"))
	return isURIText(host, "") && isPort(port)
}

// isPort reports digits, or nothing (RFC 3986 §3.2.3).
func isPort(b []byte) bool { return len(b) == 0 || allDigits(b) }

// isIPLiteral reports what may stand in brackets: an IPv6 address, or a later kind
// (RFC 3986 §3.2.2).
func isIPLiteral(b []byte) bool {
	if len(b) > 0 && b[0]|0x20 == 'v' {
		version, address, ok := bytes.Cut(b[1:], []byte("."))
		return ok && isHexOf(version, max(1, len(version))) && len(address) > 0 && isURIText(address, ":") && bytes.IndexByte(address, '%') < 0
	}
	address, err := netip.ParseAddr(view(b))
	return err == nil && address.Is6() && address.Zone() == ""
}

// isURIText reports unreserved characters, sub-delimiters, percent escapes and what else is
// allowed (RFC 3986 §2).
func isURIText(b []byte, also string) bool {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case isAlphanumeric(c) || strings.IndexByte("-._~!$&'()*+,;=", c) >= 0 || strings.IndexByte(also, c) >= 0:
		case c != '%' || i+2 >= len(b) || !isHexDigit(b[i+1]) || !isHexDigit(b[i+2]):
			return false
		}
	}
	return true
}
