package stix

// hashes checks a dictionary of hashes (§2.7).
func (v *validator) hashes(i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "an object of hashes")
	}
	if v.raw[i+1] == '}' {
		v.here(FindEmptyDict, "§2.7", "hashes have at least one member, or are left out")
		return i + 2
	}
	strong := false
	end := v.each(i, func(name []byte, i int) int {
		strong = strong || string(name) == "SHA-256"
		if len(name) < 3 || !isDictionaryKey(name) {
			v.here(FindHashKey, "§2.7", "names of hash algorithms are 3 to 250 of a-z, A-Z, 0-9, _ and -")
		} else if _, known := hashAlgorithmOV.has[string(name)]; !known {
			v.here(FindHashName, "§10.7", quoteShort(string(name))+" is not in "+hashAlgorithmOV.Name)
		}
		if v.raw[i] != '"' {
			return v.wrongKind(i, "a string")
		}
		end := stringEnd(v.raw, i)
		if want := hashLength(string(name)); want > 0 && !isHexOf(v.raw[i+1:end-1], want) {
			v.here(FindHash, "§2.7", "a "+string(name)+" is "+shortFloat(float64(want))+" hexadecimal digits")
		}
		return end
	})
	if !strong {
		v.here(FindHashName, "§2.7", "a SHA-256 should be among the hashes")
	}
	return end
}

// hashLength returns how many hexadecimal digits a hash of the vocabulary has, 0 for another
// form and for names of one's own, sha256 among them: only their owner knows what they hold.
func hashLength(name string) int {
	switch name {
	case "MD5":
		return 32
	case "SHA-1":
		return 40
	case "SHA-256", "SHA3-256":
		return 64
	case "SHA-512", "SHA3-512":
		return 128
	}
	return 0
}

func isHexOf(b []byte, n int) bool {
	for _, c := range b {
		if !isHexDigit(c) {
			return false
		}
	}
	return len(b) == n
}
