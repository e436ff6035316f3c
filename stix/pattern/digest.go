package pattern

import "strconv"

// digestDigits returns the number of hexadecimal digits that a hash of the algorithm has, or 0
// for an algorithm with another form or none that is known. The vocabulary spells SHA-256
// (§10.7); sha256 and SHA_256 are as clear.
func digestDigits(algorithm string) int {
	var plain [12]byte
	n := 0
	for i := range len(algorithm) {
		c := algorithm[i]
		if c == '-' || c == '_' {
			continue
		}
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if n == len(plain) {
			return 0
		}
		plain[n] = c
		n++
	}
	switch string(plain[:n]) {
	case "MD5":
		return 32
	case "SHA1", "RIPEMD160":
		return 40
	case "SHA224", "SHA3224":
		return 56
	case "SHA256", "SHA3256":
		return 64
	case "SHA384", "SHA3384":
		return 96
	case "SHA512", "SHA3512", "WHIRLPOOL":
		return 128
	}
	return 0
}

// checkDigest fails if a hash is compared with a string that is none (§2.7). The path that
// was read last says which hash it is.
func (p *parser) checkDigest(c Constant) {
	p.steps += len(c.Text)
	if p.parent != "hashes" || c.Kind != String {
		return
	}
	want := digestDigits(p.key)
	if want == 0 || len(c.Text) == want && allHex(c.Text) {
		return
	}
	p.fail(c.At, quoteShort(c.Text), "a hash of "+p.key+": "+strconv.Itoa(want)+" hexadecimal digits (§2.7)")
}

func allHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; classes[c]&hexDigit == 0 && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
