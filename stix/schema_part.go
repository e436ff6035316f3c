package stix

// The sub-types and predefined extensions of STIX 2.1.

var externalReference = newPart("external-reference", "§2.5", false, []Property{
	{Name: "source_name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "url", Kind: String, form: formURL},
	{Name: "hashes", Kind: Hashes},
	{Name: "external_id", Kind: String},
})

var killChainPhase = newPart("kill-chain-phase", "§2.11", false, []Property{
	{Name: "kill_chain_name", Kind: String, Required: true, form: formLowerHyphen},
	{Name: "phase_name", Kind: String, Required: true, form: formLowerHyphen},
})

var emailMIMEPart = newPart("email-mime-part-type", "§6.6.2", false, []Property{
	{Name: "body", Kind: String},
	{Name: "body_raw_ref", Kind: Identifier, Refs: named("artifact", "file")},
	{Name: "content_type", Kind: String},
	{Name: "content_disposition", Kind: String},
})

var archiveExt = newPart("archive-ext", "§6.7.2", true, []Property{
	{Name: "contains_refs", Kind: Identifier, List: true, Required: true, Refs: named("file", "directory")},
	{Name: "comment", Kind: String},
})

var ntfsExt = newPart("ntfs-ext", "§6.7.3", true, []Property{
	{Name: "sid", Kind: String},
	{Name: "alternate_data_streams", Kind: Structure, Of: alternateDataStream, List: true},
})

var alternateDataStream = newPart("alternate-data-stream-type", "§6.7.3", false, []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "hashes", Kind: Hashes},
	{Name: "size", Kind: Integer, Bounded: true, Max: maxInteger},
})

var pdfExt = newPart("pdf-ext", "§6.7.4", true, []Property{
	{Name: "version", Kind: String},
	{Name: "is_optimized", Kind: Boolean},
	{Name: "document_info_dict", Kind: Dictionary},
	{Name: "pdfid0", Kind: String},
	{Name: "pdfid1", Kind: String},
})

var rasterImageExt = newPart("raster-image-ext", "§6.7.5", true, []Property{
	{Name: "image_height", Kind: Integer},
	{Name: "image_width", Kind: Integer},
	{Name: "bits_per_pixel", Kind: Integer},
	{Name: "exif_tags", Kind: Dictionary},
})

var windowsPEBinaryExt = newPart("windows-pebinary-ext", "§6.7.6", true, []Property{
	{Name: "pe_type", Kind: OpenVocab, Required: true, Vocabulary: windowsPEBinaryTypeOV},
	{Name: "imphash", Kind: String},
	{Name: "machine_hex", Kind: Hex},
	{Name: "number_of_sections", Kind: Integer},
	{Name: "time_date_stamp", Kind: Timestamp, form: formWholeSecond},
	{Name: "pointer_to_symbol_table_hex", Kind: Hex},
	{Name: "number_of_symbols", Kind: Integer},
	{Name: "size_of_optional_header", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "characteristics_hex", Kind: Hex},
	{Name: "file_header_hashes", Kind: Hashes},
	{Name: "optional_header", Kind: Structure, Of: windowsPEOptionalHeader},
	{Name: "sections", Kind: Structure, Of: windowsPESection, List: true},
})

var windowsPEOptionalHeader = newPart("windows-pe-optional-header-type", "§6.7.6", false, []Property{
	{Name: "magic_hex", Kind: Hex},
	{Name: "major_linker_version", Kind: Integer},
	{Name: "minor_linker_version", Kind: Integer},
	{Name: "size_of_code", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "size_of_initialized_data", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "size_of_uninitialized_data", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "address_of_entry_point", Kind: Integer},
	{Name: "base_of_code", Kind: Integer},
	{Name: "base_of_data", Kind: Integer},
	{Name: "image_base", Kind: Integer},
	{Name: "section_alignment", Kind: Integer},
	{Name: "file_alignment", Kind: Integer},
	{Name: "major_os_version", Kind: Integer},
	{Name: "minor_os_version", Kind: Integer},
	{Name: "major_image_version", Kind: Integer},
	{Name: "minor_image_version", Kind: Integer},
	{Name: "major_subsystem_version", Kind: Integer},
	{Name: "minor_subsystem_version", Kind: Integer},
	{Name: "win32_version_value_hex", Kind: Hex},
	{Name: "size_of_image", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "size_of_headers", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "checksum_hex", Kind: Hex},
	{Name: "subsystem_hex", Kind: Hex},
	{Name: "dll_characteristics_hex", Kind: Hex},
	{Name: "size_of_stack_reserve", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "size_of_stack_commit", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "size_of_heap_reserve", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "size_of_heap_commit", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "loader_flags_hex", Kind: Hex},
	{Name: "number_of_rva_and_sizes", Kind: Integer},
	{Name: "hashes", Kind: Hashes},
})

var windowsPESection = newPart("windows-pe-section-type", "§6.7.6", false, []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "size", Kind: Integer, Bounded: true, Max: maxInteger},
	{Name: "entropy", Kind: Float},
	{Name: "hashes", Kind: Hashes},
})

var httpRequestExt = newPart("http-request-ext", "§6.12.2", true, []Property{
	{Name: "request_method", Kind: String, Required: true},
	{Name: "request_value", Kind: String, Required: true},
	{Name: "request_version", Kind: String},
	{Name: "request_header", Kind: Dictionary},
	{Name: "message_body_length", Kind: Integer},
	{Name: "message_body_data_ref", Kind: Identifier, Refs: named("artifact")},
})

var icmpExt = newPart("icmp-ext", "§6.12.3", true, []Property{
	{Name: "icmp_type_hex", Kind: Hex, Required: true},
	{Name: "icmp_code_hex", Kind: Hex, Required: true},
})

var socketExt = newPart("socket-ext", "§6.12.4", true, []Property{
	{Name: "address_family", Kind: Enum, Required: true, Vocabulary: networkSocketAddressFamilyEnum},
	{Name: "is_blocking", Kind: Boolean},
	{Name: "is_listening", Kind: Boolean},
	{Name: "options", Kind: Dictionary},
	{Name: "socket_type", Kind: Enum, Vocabulary: networkSocketTypeEnum},
	{Name: "socket_descriptor", Kind: Integer},
	{Name: "socket_handle", Kind: Integer},
})

var tcpExt = newPart("tcp-ext", "§6.12.5", true, []Property{
	{Name: "src_flags_hex", Kind: Hex},
	{Name: "dst_flags_hex", Kind: Hex},
})

var windowsProcessExt = newPart("windows-process-ext", "§6.13.2", true, []Property{
	{Name: "aslr_enabled", Kind: Boolean},
	{Name: "dep_enabled", Kind: Boolean},
	{Name: "priority", Kind: String, form: formPriorityClass},
	{Name: "owner_sid", Kind: String},
	{Name: "windows_title", Kind: String},
	{Name: "startup_info", Kind: Dictionary},
	{Name: "integrity_level", Kind: Enum, Vocabulary: windowsIntegrityLevelEnum},
})

var windowsServiceExt = newPart("windows-service-ext", "§6.13.3", true, []Property{
	{Name: "service_name", Kind: String},
	{Name: "descriptions", Kind: String, List: true},
	{Name: "display_name", Kind: String},
	{Name: "group_name", Kind: String},
	{Name: "start_type", Kind: Enum, Vocabulary: windowsServiceStartTypeEnum},
	{Name: "service_dll_refs", Kind: Identifier, List: true, Refs: named("file")},
	{Name: "service_type", Kind: Enum, Vocabulary: windowsServiceTypeEnum},
	{Name: "service_status", Kind: Enum, Vocabulary: windowsServiceStatusEnum},
})

var unixAccountExt = newPart("unix-account-ext", "§6.16.2", true, []Property{
	{Name: "gid", Kind: Integer},
	{Name: "groups", Kind: String, List: true},
	{Name: "home_dir", Kind: String},
	{Name: "shell", Kind: String},
})

var windowsRegistryValue = newPart("windows-registry-value-type", "§6.17.2", false, []Property{
	{Name: "name", Kind: String},
	{Name: "data", Kind: String},
	{Name: "data_type", Kind: Enum, Vocabulary: windowsRegistryDatatypeEnum},
})

var x509V3Extensions = newPart("x509-v3-extensions-type", "§6.18.2", false, []Property{
	{Name: "basic_constraints", Kind: String},
	{Name: "name_constraints", Kind: String},
	{Name: "policy_constraints", Kind: String},
	{Name: "key_usage", Kind: String},
	{Name: "extended_key_usage", Kind: String},
	{Name: "subject_key_identifier", Kind: String},
	{Name: "authority_key_identifier", Kind: String},
	{Name: "subject_alternative_name", Kind: String},
	{Name: "issuer_alternative_name", Kind: String},
	{Name: "subject_directory_attributes", Kind: String},
	{Name: "crl_distribution_points", Kind: String},
	{Name: "inhibit_any_policy", Kind: String},
	{Name: "private_key_usage_period_not_before", Kind: Timestamp},
	{Name: "private_key_usage_period_not_after", Kind: Timestamp},
	{Name: "certificate_policies", Kind: String},
	{Name: "policy_mappings", Kind: String},
})

var granularMarking = newPart("granular-marking", "§7.2.3", false, []Property{
	{Name: "lang", Kind: String, form: formLanguage},
	{Name: "marking_ref", Kind: Identifier, Refs: named("marking-definition")},
	{Name: "selectors", Kind: String, List: true, Required: true, form: formSelector},
})
