package stix

// observableRules checks the objects of §6 and their parts.
func (v *validator) observableRules(s *scope) {
	switch s.t.Name {
	case "artifact":
		v.artifact(s)
	case "directory":
		v.needs(s, "path_enc", "path")
	case "email-message":
		v.emailMessage(s)
	case "file":
		v.atLeastOne(s, "hashes", "name")
		v.needs(s, "name_enc", "name")
	case "network-traffic":
		v.networkTraffic(s)
	case "process":
		v.anythingOrExtensions(s)
		v.texts(s, "environment_variables")
	case "user-account", "windows-registry-key":
		v.anythingOrExtensions(s)
	case "x509-certificate", "windows-registry-value-type",
		"ntfs-ext", "tcp-ext", "windows-process-ext", "windows-service-ext", "unix-account-ext",
		"windows-pe-optional-header-type", "x509-v3-extensions-type":
		v.anything(s)
	case "pdf-ext":
		v.anything(s)
		v.texts(s, "document_info_dict")
	case "raster-image-ext":
		v.anything(s)
		v.dictionaryOf(s, "exif_tags", "an integer or a string", isTextOrInteger)
	case "windows-pebinary-ext":
		v.anything(s, "pe_type")
	case "http-request-ext":
		v.headers(s, "request_header")
	case "socket-ext":
		v.socket(s)
	case "email-mime-part-type":
		v.mimePart(s)
	}
	v.lifetimes(s)
}

// lifetimes: what ends does not end before it begins. The specification leaves it to the
// words "before" and "after" in the names.
func (v *validator) lifetimes(s *scope) {
	if s.t.Name == "network-traffic" {
		v.inOrder(s, "start", "end", false)
	}
}

// artifact is STIX 2.1 §6.1.
func (v *validator) artifact(s *scope) {
	v.atLeastOne(s, "payload_bin", "url")
	v.notBoth(s, "payload_bin", "url")
	v.needs(s, "url", "hashes")
	v.needs(s, "decryption_key", "encryption_algorithm")
}

// emailMessage is STIX 2.1 §6.6.
func (v *validator) emailMessage(s *scope) {
	if v.is(s, "is_multipart", "true") && s.has("body") {
		v.find(FindDepends, "body", "§6.6", "a multipart message has body_multipart and no body")
	}
	if v.is(s, "is_multipart", "false") && s.has("body_multipart") {
		v.find(FindDepends, "body_multipart", "§6.6", "a message that is not multipart has no body_multipart")
	}
	v.headers(s, "additional_header_fields")
}

// mimePart is STIX 2.1 §6.6.2.
func (v *validator) mimePart(s *scope) {
	v.atLeastOne(s, "body", "body_raw_ref")
	v.notBoth(s, "body", "body_raw_ref")
}

// networkTraffic is STIX 2.1 §6.12.
func (v *validator) networkTraffic(s *scope) {
	v.atLeastOne(s, "src_ref", "dst_ref")
	if v.is(s, "is_active", "true") && s.has("end") {
		v.find(FindDepends, "end", "§6.12", "traffic that is active has no end")
	}
	v.dictionaryOf(s, "ipfix", "an integer or a string", isTextOrInteger)
	v.protocolsNamed(s)
}

// protocolsNamed: a protocol that a predefined extension speaks of should be listed (§6.12).
func (v *validator) protocolsNamed(s *scope) {
	listed := v.value(s, "protocols")
	for key := range objectMembers(v.value(s, "extensions")) {
		name := protocolOf[key]
		if name != "" && !listsText(listed, name) {
			v.find(FindRecommended, "protocols", "§6.12", name+" should be listed: "+key+" speaks of it")
		}
	}
}

// protocolOf has the protocol of each extension that names one (§6.12.2, §6.12.3, §6.12.5).
var protocolOf = map[string]string{"http-request-ext": "http", "icmp-ext": "icmp", "tcp-ext": "tcp"}

// listsText reports that a list has a text as one of its elements.
func listsText(list []byte, text string) bool {
	for _, e := range arrayElements(list) {
		if each, ok := bytesOf(e); ok && string(each) == text {
			return true
		}
	}
	return false
}

// socket is STIX 2.1 §6.12.4.
func (v *validator) socket(s *scope) {
	v.dictionaryOf(s, "options", "an integer", isInteger)
	if n := v.value(s, "socket_descriptor"); len(n) > 0 && n[0] == '-' {
		v.find(FindRange, "socket_descriptor", "§6.12.4", "expected a number that is not negative")
	}
}

// texts wants strings in a dictionary.
func (v *validator) texts(s *scope, name string) {
	v.dictionaryOf(s, name, "a string", func(value []byte) bool { return value[0] == '"' })
}

// headers wants lists of strings. In a container, where objects may be of STIX 2.0 (§2.13),
// a string does.
func (v *validator) headers(s *scope, name string) {
	v.dictionaryOf(s, name, "a list of strings", func(value []byte) bool {
		return isTexts(value) || v.inside != nil && value[0] == '"'
	})
}

// dictionaryOf wants values of one kind in a dictionary.
func (v *validator) dictionaryOf(s *scope, name, want string, ok func(value []byte) bool) {
	all := v.value(s, name)
	if len(all) == 0 || all[0] != '{' {
		return
	}
	for key, value := range objectMembers(all) {
		if !ok(value) && v.findings.wants(FindDictValue) {
			v.report(FindDictValue, v.pointer(name)+"/"+pointerToken(key), s.t.Section, "expected "+want)
		}
	}
}

func isTexts(value []byte) bool {
	if value[0] != '[' {
		return false
	}
	for _, e := range arrayElements(value) {
		if e[0] != '"' {
			return false
		}
	}
	return len(value) > 2
}

func isInteger(value []byte) bool {
	n, whole := numberLen(value)
	return n == len(value) && (whole || isWhole(value))
}

func isTextOrInteger(value []byte) bool { return value[0] == '"' || isInteger(value) }
