package stix

// checkUUID compares the UUID with what §2.9 wants: one of RFC 4122 for every object; of
// version 4, save for cyber-observables, whose ids follow from their properties.
func (v *validator) checkUUID(s *scope) {
	if !isRFC4122(v.o.id) {
		v.find(FindUUIDForm, "id", "§2.9", "expected a UUID of RFC 4122: a version from 1 to 8, and the variant 8, 9, a or b")
		return
	}
	if s.t.Category == SCO {
		v.checkSCOID()
		return
	}
	if IsTLP(v.o.id) {
		return
	}
	if version := uuidVersion(v.o.id); version != '4' {
		v.find(FindUUIDVersion, "id", "§2.9", "the UUID of "+v.o.typ+" should be random (version 4), and is of version "+string(version))
	}
}

// uuidVersion returns the version digit of a well-formed id.
func uuidVersion[T ~string | ~[]byte](id T) byte { return id[len(id)-uuidLen+14] }

// isRFC4122 reports that the UUID of a well-formed id has a known version and the variant
// of RFC 4122 (RFC 9562 §4.1, §4.2).
func isRFC4122[T ~string | ~[]byte](id T) bool {
	version, variant := uuidVersion(id), id[len(id)-uuidLen+19]|0x20
	return version >= '1' && version <= '8' && (variant == '8'|0x20 || variant == '9'|0x20 || variant == 'a' || variant == 'b')
}

// checkSCOID reports an id that does not follow from the properties. It never refuses: 21
// of the specification's own 68 examples do not follow.
func (v *validator) checkSCOID() {
	switch CheckSCOID(v.o) {
	case SCOIDDiffers:
		v.find(FindSCOID, "id", "§2.9", "the properties of this object give it another id: others will not see that it is the same observable")
	case SCOIDNotRandom:
		v.find(FindSCOID, "id", "§2.9", "no property contributes to the id of this object: expected a UUID of version 4")
	case SCOIDVersioned:
		v.find(FindSCOID, "id", "§3.6", "an observable with versions does not have the id that its properties give")
	}
}
