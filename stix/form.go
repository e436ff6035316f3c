package stix

import (
	"bytes"
	"net/netip"
	"strings"
	"unsafe"
)

// A form is what a text must look like beyond its kind.
type form uint8

const (
	formURL form = iota + 1
	formMIME
	formCPE
	formLanguage
	formIPv4
	formIPv6
	formMAC
	formDomain
	formEmail
	formCharset
	formCountry
	formSubdivision
	formRelationshipType
	formRegistryKey
	formLowerHyphen
	formPriorityClass
	formWholeSecond
	formSelector
)

var forms = [...]struct {
	ok      func(text []byte) bool
	code    string
	section string
	want    string
}{
	formURL:              {isURL, FindForm, "§6.15", "a URL (RFC 3986) like https://example.org/a?b=c#d, with other characters as %20"},
	formMIME:             {isMIME, FindFormShould, "§6.7.1", "a media type like text/plain"},
	formCPE:              {isCPE, FindForm, "§6.14", "a CPE 2.3 formatted string: cpe:2.3: and eleven parts, with * and ? at the ends of a part alone"},
	formLanguage:         {isLanguage, FindForm, "§3.2", "a language code (RFC 5646) whose subtags are registered, like en or pt-BR"},
	formIPv4:             {isIPv4, FindForm, "§6.8", "an IPv4 address, or a range as address/bits"},
	formIPv6:             {isIPv6, FindForm, "§6.9", "an IPv6 address, or a range as address/bits"},
	formMAC:              {isMAC, FindForm, "§6.10", "six octets in lower case with colons"},
	formDomain:           {isDomain, FindForm, "§6.4", "a domain name (RFC 1034, RFC 5890): labels of letters, digits and inner hyphens, of 63 octets at most in DNS"},
	formEmail:            {isEmail, FindForm, "§6.5", "an address (RFC 5322 addr-spec) without display name, like name@example.org"},
	formCharset:          {isCharset, FindForm, "§3.9.1", "a name of the IANA character set registry"},
	formCountry:          {isCountry, FindFormShould, "§4.10", "a country code of two letters (ISO 3166-1 alpha-2)"},
	formSubdivision:      {isSubdivision, FindFormShould, "§4.10", "a code like JP-13 (ISO 3166-2)"},
	formRelationshipType: {isRelationshipType, FindForm, "§5.1", "only a-z, 0-9 and hyphens"},
	formRegistryKey:      {isFullHive, FindForm, "§6.17", "a hive in full: HKEY_LOCAL_MACHINE, not HKLM"},
	formLowerHyphen:      {isLowerHyphen, FindFormShould, "§3.1", "lower case, with hyphens between words"},
	formPriorityClass:    {isPriorityClass, FindFormShould, "§6.13.2", "a name that ends in _CLASS"},
	formWholeSecond:      {isWholeSecond, FindPrecision, "§6.7.6", "a time without decimals"},
	formSelector:         {isSelector, FindSelector, "§7.2.3", "property names, keys and indexes like [0], separated by dots"},
}

func (v *validator) form(f form, text []byte) {
	rule := &forms[f]
	if !rule.ok(text) {
		v.here(rule.code, rule.section, "expected "+rule.want+", found "+quoteShort(string(text)))
	}
}

// view is the text of bytes that nobody changes, without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func isHexDigit(c byte) bool { return hexDigits[c>>6]>>(c&63)&1 == 1 }

// hexDigits are the bits of 0-9, A-F and a-f.
var hexDigits = [4]uint64{0x3ff << '0', 0x3f<<('A'-64) | 0x3f<<('a'-64)}

func isMIME(b []byte) bool {
	slash := bytes.IndexByte(b, '/')
	return slash > 0 && isToken(b[:slash]) && isToken(b[slash+1:])
}

// isToken reports a restricted name of a media type (RFC 6838 §4.2).
func isToken(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte("!#$&-^_.+", c) < 0 {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 127
}

// isCPE reports a CPE 2.3 formatted string (NISTIR 7695 §6.2).
func isCPE(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("cpe:2.3:"))
	if !ok || len(rest) < 2 || strings.IndexByte("aho*-", rest[0]) < 0 || rest[1] != ':' {
		return false
	}
	parts := 1
	for rest = rest[2:]; ; parts++ {
		n := cpePart(rest)
		if n == 0 {
			return false
		}
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
		rest = rest[1:] // the colon
	}
	return parts == 10
}

// cpePart measures one part up to a colon or the end, 0 if it is malformed: * or -, or a
// value that may have an asterisk or question marks at either end (NISTIR 7695 §6.2).
func cpePart(b []byte) int {
	if len(b) > 0 && (b[0] == '*' || b[0] == '-') && (len(b) == 1 || b[1] == ':') {
		return 1
	}
	start := cpeWildcards(b)
	end := start + cpeValue(b[start:])
	if end == start {
		return 0
	}
	if end += cpeWildcards(b[end:]); end < len(b) && b[end] != ':' {
		return 0
	}
	return end
}

// cpeWildcards measures one asterisk or any number of question marks.
func cpeWildcards(b []byte) int {
	if len(b) > 0 && b[0] == '*' {
		return 1
	}
	return len(b) - len(bytes.TrimLeft(b, "?"))
}

// cpeValue measures letters, digits, - . _ and characters after a backslash.
func cpeValue(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case isAlphanumeric(c) || strings.IndexByte("-._", c) >= 0:
		case c == '\\' && i+1 < len(b):
			i++
		default:
			return i
		}
	}
	return len(b)
}

// isIPv4 reports an address or a range in CIDR notation.
func isIPv4(b []byte) bool {
	if prefix, err := netip.ParsePrefix(view(b)); err == nil {
		return prefix.Addr().Is4()
	}
	addr, err := netip.ParseAddr(view(b))
	return err == nil && addr.Is4()
}

func isIPv6(b []byte) bool {
	if prefix, err := netip.ParsePrefix(view(b)); err == nil {
		return prefix.Addr().Is6()
	}
	addr, err := netip.ParseAddr(view(b))
	return err == nil && addr.Is6() && addr.Zone() == ""
}

func isMAC(b []byte) bool {
	if len(b) != len("00:00:00:00:00:00") {
		return false
	}
	for i, c := range b {
		if i%3 == 2 {
			if c != ':' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isSubdivision wants a country, a hyphen and one to three letters or digits.
func isSubdivision(b []byte) bool {
	country, rest, ok := bytes.Cut(b, []byte("-"))
	for _, c := range rest {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return ok && isCountry(country) && len(rest) >= 1 && len(rest) <= 3
}

func isRelationshipType(b []byte) bool {
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(b) > 0
}

// isFullHive refuses the short names of the hives.
func isFullHive(b []byte) bool {
	hive, _, _ := bytes.Cut(b, []byte(`\`))
	switch strings.ToUpper(string(hive)) {
	case "HKLM", "HKCC", "HKCR", "HKCU", "HKU":
		return false
	}
	return true
}

func isLowerHyphen(b []byte) bool {
	for _, c := range b {
		if c >= 'A' && c <= 'Z' || c == ' ' || c == '_' {
			return false
		}
	}
	return true
}

func isPriorityClass(b []byte) bool { return bytes.HasSuffix(b, []byte("_CLASS")) }

func isWholeSecond(b []byte) bool { return bytes.IndexByte(b, '.') < 0 }

// isSelector checks the syntax of a selector (§7.2.3).
func isSelector(b []byte) bool {
	for i, part := range splitDots(b) {
		if len(part) > 2 && part[0] == '[' && part[len(part)-1] == ']' {
			if i == 0 || !allDigits(part[1:len(part)-1]) {
				return false
			}
		} else if !isDictionaryKey(part) {
			return false
		}
	}
	return len(b) > 0
}

func allDigits[T ~string | ~[]byte](b T) bool {
	for i := range len(b) {
		if c := b[i]; c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// splitDots yields the parts of b between dots, with their numbers.
func splitDots(b []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for i := 0; ; i++ {
			part, rest, more := bytes.Cut(b, []byte("."))
			if !yield(i, part) || !more {
				return
			}
			b = rest
		}
	}
}

// isPlainInstant knows the usual timestamps at a glance: digits in their ranges, a day
// that every month has, decimals or none, and Z.
func isPlainInstant[T ~string | ~[]byte](b T) bool {
	const shape = "0000-00-00T00:00:00"
	if len(b) <= len(shape) || b[len(b)-1] != 'Z' || b[10] != 'T' || !fits(b, shape) {
		return false
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	if m, d := two(5), two(8); m < 1 || m > 12 || d < 1 || d > 28 {
		return false
	}
	if two(11) > 23 || two(14) > 59 || two(17) > 59 {
		return false
	}
	decimals := b[len(shape) : len(b)-1]
	return len(decimals) == 0 || decimals[0] == '.' && allDigits(decimals[1:])
}
