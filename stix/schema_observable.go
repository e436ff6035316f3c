package stix

// The cyber-observable objects of STIX 2.1 §6.

var artifact = newType(SCO, "artifact", "§6.1", []Property{
	{Name: "mime_type", Kind: String, form: formMIME},
	{Name: "payload_bin", Kind: Binary},
	{Name: "url", Kind: String, form: formURL},
	{Name: "hashes", Kind: Hashes},
	{Name: "encryption_algorithm", Kind: Enum, Vocabulary: encryptionAlgorithmEnum},
	{Name: "decryption_key", Kind: String},
})

var autonomousSystem = newType(SCO, "autonomous-system", "§6.2", []Property{
	{Name: "number", Kind: Integer, Required: true},
	{Name: "name", Kind: String},
	{Name: "rir", Kind: String},
})

var directory = newType(SCO, "directory", "§6.3", []Property{
	{Name: "path", Kind: String, Required: true},
	{Name: "path_enc", Kind: String, form: formCharset},
	{Name: "ctime", Kind: Timestamp},
	{Name: "mtime", Kind: Timestamp},
	{Name: "atime", Kind: Timestamp},
	{Name: "contains_refs", Kind: Identifier, List: true, Refs: named("file", "directory")},
})

var domainName = newType(SCO, "domain-name", "§6.4", []Property{
	{Name: "value", Kind: String, Required: true, form: formDomain},
	{Name: "resolves_to_refs", Kind: Identifier, List: true, Refs: named("ipv4-addr", "ipv6-addr", "domain-name")},
})

var emailAddr = newType(SCO, "email-addr", "§6.5", []Property{
	{Name: "value", Kind: String, Required: true, form: formEmail},
	{Name: "display_name", Kind: String},
	{Name: "belongs_to_ref", Kind: Identifier, Refs: named("user-account")},
})

var emailMessage = newType(SCO, "email-message", "§6.6", []Property{
	{Name: "is_multipart", Kind: Boolean, Required: true},
	{Name: "date", Kind: Timestamp},
	{Name: "content_type", Kind: String},
	{Name: "from_ref", Kind: Identifier, Refs: named("email-addr")},
	{Name: "sender_ref", Kind: Identifier, Refs: named("email-addr")},
	{Name: "to_refs", Kind: Identifier, List: true, Refs: named("email-addr")},
	{Name: "cc_refs", Kind: Identifier, List: true, Refs: named("email-addr")},
	{Name: "bcc_refs", Kind: Identifier, List: true, Refs: named("email-addr")},
	{Name: "message_id", Kind: String},
	{Name: "subject", Kind: String},
	{Name: "received_lines", Kind: String, List: true},
	{Name: "additional_header_fields", Kind: Dictionary},
	{Name: "body", Kind: String},
	{Name: "body_multipart", Kind: Structure, Of: emailMIMEPart, List: true},
	{Name: "raw_email_ref", Kind: Identifier, Refs: named("artifact")},
})

var file = newType(SCO, "file", "§6.7", []Property{
	{Name: "hashes", Kind: Hashes},
	{Name: "size", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "name", Kind: String},
	{Name: "name_enc", Kind: String, form: formCharset},
	{Name: "magic_number_hex", Kind: Hex},
	{Name: "mime_type", Kind: String, form: formMIME},
	{Name: "ctime", Kind: Timestamp},
	{Name: "mtime", Kind: Timestamp},
	{Name: "atime", Kind: Timestamp},
	{Name: "parent_directory_ref", Kind: Identifier, Refs: named("directory")},
	{Name: "contains_refs", Kind: Identifier, List: true, Refs: observables},
	{Name: "content_ref", Kind: Identifier, Refs: named("artifact")},
})

var ipv4Addr = newType(SCO, "ipv4-addr", "§6.8", []Property{
	{Name: "value", Kind: String, Required: true, form: formIPv4},
	{Name: "resolves_to_refs", Kind: Identifier, List: true, Refs: named("mac-addr")},
	{Name: "belongs_to_refs", Kind: Identifier, List: true, Refs: named("autonomous-system")},
})

var ipv6Addr = newType(SCO, "ipv6-addr", "§6.9", []Property{
	{Name: "value", Kind: String, Required: true, form: formIPv6},
	{Name: "resolves_to_refs", Kind: Identifier, List: true, Refs: named("mac-addr")},
	{Name: "belongs_to_refs", Kind: Identifier, List: true, Refs: named("autonomous-system")},
})

var macAddr = newType(SCO, "mac-addr", "§6.10", []Property{
	{Name: "value", Kind: String, Required: true, form: formMAC},
})

var mutex = newType(SCO, "mutex", "§6.11", []Property{
	{Name: "name", Kind: String, Required: true},
})

var networkTraffic = newType(SCO, "network-traffic", "§6.12", []Property{
	{Name: "start", Kind: Timestamp},
	{Name: "end", Kind: Timestamp},
	{Name: "is_active", Kind: Boolean},
	{Name: "src_ref", Kind: Identifier, Refs: named("ipv4-addr", "ipv6-addr", "mac-addr", "domain-name")},
	{Name: "dst_ref", Kind: Identifier, Refs: named("ipv4-addr", "ipv6-addr", "mac-addr", "domain-name")},
	{Name: "src_port", Kind: Integer, Bounded: true, Max: 65535},
	{Name: "dst_port", Kind: Integer, Bounded: true, Max: 65535},
	{Name: "protocols", Kind: String, List: true, Required: true},
	{Name: "src_byte_count", Kind: Integer},
	{Name: "dst_byte_count", Kind: Integer},
	{Name: "src_packets", Kind: Integer},
	{Name: "dst_packets", Kind: Integer},
	{Name: "ipfix", Kind: Dictionary},
	{Name: "src_payload_ref", Kind: Identifier, Refs: named("artifact")},
	{Name: "dst_payload_ref", Kind: Identifier, Refs: named("artifact")},
	{Name: "encapsulates_refs", Kind: Identifier, List: true, Refs: named("network-traffic")},
	{Name: "encapsulated_by_ref", Kind: Identifier, Refs: named("network-traffic")},
})

var process = newType(SCO, "process", "§6.13", []Property{
	{Name: "is_hidden", Kind: Boolean},
	{Name: "pid", Kind: Integer},
	{Name: "created_time", Kind: Timestamp},
	{Name: "cwd", Kind: String},
	{Name: "command_line", Kind: String},
	{Name: "environment_variables", Kind: Dictionary},
	{Name: "opened_connection_refs", Kind: Identifier, List: true, Refs: named("network-traffic")},
	{Name: "creator_user_ref", Kind: Identifier, Refs: named("user-account")},
	{Name: "image_ref", Kind: Identifier, Refs: named("file")},
	{Name: "parent_ref", Kind: Identifier, Refs: named("process")},
	{Name: "child_refs", Kind: Identifier, List: true, Refs: named("process")},
})

var software = newType(SCO, "software", "§6.14", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "cpe", Kind: String, form: formCPE},
	{Name: "swid", Kind: String},
	{Name: "languages", Kind: String, List: true, form: formLanguage},
	{Name: "vendor", Kind: String},
	{Name: "version", Kind: String},
})

var url = newType(SCO, "url", "§6.15", []Property{
	{Name: "value", Kind: String, Required: true, form: formURL},
})

var userAccount = newType(SCO, "user-account", "§6.16", []Property{
	{Name: "user_id", Kind: String},
	{Name: "credential", Kind: String},
	{Name: "account_login", Kind: String},
	{Name: "account_type", Kind: OpenVocab, Vocabulary: accountTypeOV},
	{Name: "display_name", Kind: String},
	{Name: "is_service_account", Kind: Boolean},
	{Name: "is_privileged", Kind: Boolean},
	{Name: "can_escalate_privs", Kind: Boolean},
	{Name: "is_disabled", Kind: Boolean},
	{Name: "account_created", Kind: Timestamp},
	{Name: "account_expires", Kind: Timestamp},
	{Name: "credential_last_changed", Kind: Timestamp},
	{Name: "account_first_login", Kind: Timestamp},
	{Name: "account_last_login", Kind: Timestamp},
})

var windowsRegistryKey = newType(SCO, "windows-registry-key", "§6.17", []Property{
	{Name: "key", Kind: String, form: formRegistryKey},
	{Name: "values", Kind: Structure, Of: windowsRegistryValue, List: true},
	{Name: "modified_time", Kind: Timestamp},
	{Name: "creator_user_ref", Kind: Identifier, Refs: named("user-account")},
	{Name: "number_of_subkeys", Kind: Integer},
})

var x509Certificate = newType(SCO, "x509-certificate", "§6.18", []Property{
	{Name: "is_self_signed", Kind: Boolean},
	{Name: "hashes", Kind: Hashes},
	{Name: "version", Kind: String},
	{Name: "serial_number", Kind: String},
	{Name: "signature_algorithm", Kind: String},
	{Name: "issuer", Kind: String},
	{Name: "validity_not_before", Kind: Timestamp},
	{Name: "validity_not_after", Kind: Timestamp},
	{Name: "subject", Kind: String},
	{Name: "subject_public_key_algorithm", Kind: String},
	{Name: "subject_public_key_modulus", Kind: String},
	{Name: "subject_public_key_exponent", Kind: Integer},
	{Name: "x509_v3_extensions", Kind: Structure, Of: x509V3Extensions},
})
