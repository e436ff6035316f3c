package stix

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// isDomain reports a domain name: labels of 1 to 63 octets, 253 in all, as DNS has them
// (RFC 1034 §3.5, RFC 5890 §2.3). A dot may end it.
func isDomain(b []byte) bool {
	const most = 253
	total := -1
	for label := range bytes.SplitSeq(bytes.TrimSuffix(b, []byte(".")), []byte(".")) {
		n := labelOctets(label)
		if n == 0 {
			return false
		}
		total += n + 1
	}
	return total <= most
}

// labelOctets returns the octets that a label has in DNS, 0 if it is none.
func labelOctets(label []byte) int {
	if isASCII(label) {
		return hostLabel(label)
	}
	ascii, err := uLabels.ToASCII(view(label))
	if err != nil {
		return 0
	}
	return hostLabel([]byte(ascii))
}

// uLabels reads labels of other letters than those of ASCII (RFC 5891 §5).
var uLabels = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false))

// hostLabel measures a label of letters, digits and hyphens, which stand at neither end. It
// may begin with an underscore, as names of services do (RFC 8552).
func hostLabel(label []byte) int {
	rest := bytes.TrimPrefix(label, []byte("_"))
	if len(label) > 63 || len(rest) == 0 || rest[0] == '-' || rest[len(rest)-1] == '-' {
		return 0
	}
	for _, c := range rest {
		if !isAlphanumeric(c) && c != '-' {
			return 0
		}
	}
	return len(label)
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
