package stix

// The domain and relationship objects of STIX 2.1 §4 and §5.

var attackPattern = newType(SDO, "attack-pattern", "§4.1", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "aliases", Kind: String, List: true},
	{Name: "kill_chain_phases", Kind: Structure, Of: killChainPhase, List: true},
})

var campaign = newType(SDO, "campaign", "§4.2", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "aliases", Kind: String, List: true},
	{Name: "first_seen", Kind: Timestamp},
	{Name: "last_seen", Kind: Timestamp},
	{Name: "objective", Kind: String},
})

var courseOfAction = newType(SDO, "course-of-action", "§4.3", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "action", Kind: Reserved},
})

var grouping = newType(SDO, "grouping", "§4.4", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "context", Kind: OpenVocab, Required: true, Vocabulary: groupingContextOV},
	{Name: "object_refs", Kind: Identifier, List: true, Required: true},
})

var identity = newType(SDO, "identity", "§4.5", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "roles", Kind: String, List: true},
	{Name: "identity_class", Kind: OpenVocab, Vocabulary: identityClassOV},
	{Name: "sectors", Kind: OpenVocab, List: true, Vocabulary: industrySectorOV},
	{Name: "contact_information", Kind: String},
})

var incident = newType(SDO, "incident", "§4.6", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
})

var indicator = newType(SDO, "indicator", "§4.7", []Property{
	{Name: "name", Kind: String},
	{Name: "description", Kind: String},
	{Name: "indicator_types", Kind: OpenVocab, List: true, Vocabulary: indicatorTypeOV},
	{Name: "pattern", Kind: String, Required: true},
	{Name: "pattern_type", Kind: OpenVocab, Required: true, Vocabulary: patternTypeOV},
	{Name: "pattern_version", Kind: String},
	{Name: "valid_from", Kind: Timestamp, Required: true},
	{Name: "valid_until", Kind: Timestamp},
	{Name: "kill_chain_phases", Kind: Structure, Of: killChainPhase, List: true},
})

var infrastructure = newType(SDO, "infrastructure", "§4.8", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "infrastructure_types", Kind: OpenVocab, List: true, Vocabulary: infrastructureTypeOV},
	{Name: "aliases", Kind: String, List: true},
	{Name: "kill_chain_phases", Kind: Structure, Of: killChainPhase, List: true},
	{Name: "first_seen", Kind: Timestamp},
	{Name: "last_seen", Kind: Timestamp},
})

var intrusionSet = newType(SDO, "intrusion-set", "§4.9", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "aliases", Kind: String, List: true},
	{Name: "first_seen", Kind: Timestamp},
	{Name: "last_seen", Kind: Timestamp},
	{Name: "goals", Kind: String, List: true},
	{Name: "resource_level", Kind: OpenVocab, Vocabulary: attackResourceLevelOV},
	{Name: "primary_motivation", Kind: OpenVocab, Vocabulary: attackMotivationOV},
	{Name: "secondary_motivations", Kind: OpenVocab, List: true, Vocabulary: attackMotivationOV},
})

var location = newType(SDO, "location", "§4.10", []Property{
	{Name: "name", Kind: String},
	{Name: "description", Kind: String},
	{Name: "latitude", Kind: Float, Bounded: true, Min: -90, Max: 90},
	{Name: "longitude", Kind: Float, Bounded: true, Min: -180, Max: 180},
	{Name: "precision", Kind: Float},
	{Name: "region", Kind: OpenVocab, Vocabulary: regionOV},
	{Name: "country", Kind: String, form: formCountry},
	{Name: "administrative_area", Kind: String, form: formSubdivision},
	{Name: "city", Kind: String},
	{Name: "street_address", Kind: String},
	{Name: "postal_code", Kind: String},
})

var malware = newType(SDO, "malware", "§4.11", []Property{
	{Name: "name", Kind: String},
	{Name: "description", Kind: String},
	{Name: "malware_types", Kind: OpenVocab, List: true, Vocabulary: malwareTypeOV},
	{Name: "is_family", Kind: Boolean},
	{Name: "aliases", Kind: String, List: true},
	{Name: "kill_chain_phases", Kind: Structure, Of: killChainPhase, List: true},
	{Name: "first_seen", Kind: Timestamp},
	{Name: "last_seen", Kind: Timestamp},
	{Name: "operating_system_refs", Kind: Identifier, List: true, Refs: named("software")},
	{Name: "architecture_execution_envs", Kind: OpenVocab, List: true, Vocabulary: processorArchitectureOV},
	{Name: "implementation_languages", Kind: OpenVocab, List: true, Vocabulary: implementationLanguageOV},
	{Name: "capabilities", Kind: OpenVocab, List: true, Vocabulary: malwareCapabilitiesOV},
	{Name: "sample_refs", Kind: Identifier, List: true, Refs: named("file", "artifact")},
})

var malwareAnalysis = newType(SDO, "malware-analysis", "§4.12", []Property{
	{Name: "product", Kind: String, Required: true, form: formLowerHyphen},
	{Name: "version", Kind: String},
	{Name: "host_vm_ref", Kind: Identifier, Refs: named("software")},
	{Name: "operating_system_ref", Kind: Identifier, Refs: named("software")},
	{Name: "installed_software_refs", Kind: Identifier, List: true, Refs: named("software")},
	{Name: "configuration_version", Kind: String},
	{Name: "modules", Kind: String, List: true},
	{Name: "analysis_engine_version", Kind: String},
	{Name: "analysis_definition_version", Kind: String},
	{Name: "submitted", Kind: Timestamp},
	{Name: "analysis_started", Kind: Timestamp},
	{Name: "analysis_ended", Kind: Timestamp},
	{Name: "result_name", Kind: String},
	{Name: "result", Kind: OpenVocab, Vocabulary: malwareResultOV},
	{Name: "analysis_sco_refs", Kind: Identifier, List: true, Refs: observables},
	{Name: "sample_ref", Kind: Identifier, Refs: named("file", "artifact", "network-traffic")},
})

var note = newType(SDO, "note", "§4.13", []Property{
	{Name: "abstract", Kind: String},
	{Name: "content", Kind: String, Required: true},
	{Name: "authors", Kind: String, List: true},
	{Name: "object_refs", Kind: Identifier, List: true, Required: true},
})

var observedData = newType(SDO, "observed-data", "§4.14", []Property{
	{Name: "first_observed", Kind: Timestamp, Required: true},
	{Name: "last_observed", Kind: Timestamp, Required: true},
	{Name: "number_observed", Kind: Integer, Required: true, Bounded: true, Min: 1, Max: 999_999_999},
	{Name: "objects", Kind: Container},
	{Name: "object_refs", Kind: Identifier, List: true, Refs: observations},
})

var opinion = newType(SDO, "opinion", "§4.15", []Property{
	{Name: "explanation", Kind: String},
	{Name: "authors", Kind: String, List: true},
	{Name: "opinion", Kind: Enum, Required: true, Vocabulary: opinionEnum},
	{Name: "object_refs", Kind: Identifier, List: true, Required: true},
})

var report = newType(SDO, "report", "§4.16", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "report_types", Kind: OpenVocab, List: true, Vocabulary: reportTypeOV},
	{Name: "published", Kind: Timestamp, Required: true},
	{Name: "object_refs", Kind: Identifier, List: true, Required: true},
})

var threatActor = newType(SDO, "threat-actor", "§4.17", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "threat_actor_types", Kind: OpenVocab, List: true, Vocabulary: threatActorTypeOV},
	{Name: "aliases", Kind: String, List: true},
	{Name: "first_seen", Kind: Timestamp},
	{Name: "last_seen", Kind: Timestamp},
	{Name: "roles", Kind: OpenVocab, List: true, Vocabulary: threatActorRoleOV},
	{Name: "goals", Kind: String, List: true},
	{Name: "sophistication", Kind: OpenVocab, Vocabulary: threatActorSophisticationOV},
	{Name: "resource_level", Kind: OpenVocab, Vocabulary: attackResourceLevelOV},
	{Name: "primary_motivation", Kind: OpenVocab, Vocabulary: attackMotivationOV},
	{Name: "secondary_motivations", Kind: OpenVocab, List: true, Vocabulary: attackMotivationOV},
	{Name: "personal_motivations", Kind: OpenVocab, List: true, Vocabulary: attackMotivationOV},
})

var tool = newType(SDO, "tool", "§4.18", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "tool_types", Kind: OpenVocab, List: true, Vocabulary: toolTypeOV},
	{Name: "aliases", Kind: String, List: true},
	{Name: "kill_chain_phases", Kind: Structure, Of: killChainPhase, List: true},
	{Name: "tool_version", Kind: String},
})

var vulnerability = newType(SDO, "vulnerability", "§4.19", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
})

var relationship = newType(SRO, "relationship", "§5.1", []Property{
	{Name: "relationship_type", Kind: String, Required: true, form: formRelationshipType},
	{Name: "description", Kind: String},
	{Name: "source_ref", Kind: Identifier, Required: true, Refs: domainOrObservable},
	{Name: "target_ref", Kind: Identifier, Required: true, Refs: domainOrObservable},
	{Name: "start_time", Kind: Timestamp},
	{Name: "stop_time", Kind: Timestamp},
})

var sighting = newType(SRO, "sighting", "§5.2", []Property{
	{Name: "description", Kind: String},
	{Name: "first_seen", Kind: Timestamp},
	{Name: "last_seen", Kind: Timestamp},
	{Name: "count", Kind: Integer, Bounded: true, Min: 0, Max: 999_999_999},
	{Name: "sighting_of_ref", Kind: Identifier, Required: true, Refs: domainOnly},
	{Name: "observed_data_refs", Kind: Identifier, List: true, Refs: named("observed-data")},
	{Name: "where_sighted_refs", Kind: Identifier, List: true, Refs: named("identity", "location")},
	{Name: "summary", Kind: String},
})
