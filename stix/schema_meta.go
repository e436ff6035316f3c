package stix

// The meta objects of STIX 2.1 §7.

var languageContent = newType(Meta, "language-content", "§7.1", []Property{
	{Name: "object_ref", Kind: Identifier, Required: true},
	{Name: "object_modified", Kind: Timestamp},
	{Name: "contents", Kind: Dictionary, Required: true},
}).with(bitsOf(atModified), 0)

var markingDefinition = newType(Meta, "marking-definition", "§7.2.1", []Property{
	{Name: "name", Kind: String},
	{Name: "definition_type", Kind: OpenVocab},
	{Name: "definition", Kind: Dictionary},
}).with(0, bitsOf(atModified, atRevoked, atLabels, atConfidence))

var extensionDefinition = newType(Meta, "extension-definition", "§7.3", []Property{
	{Name: "name", Kind: String, Required: true},
	{Name: "description", Kind: String},
	{Name: "schema", Kind: String, Required: true},
	{Name: "version", Kind: String, Required: true},
	{Name: "extension_types", Kind: Enum, List: true, Required: true, Vocabulary: extensionTypeEnum},
	{Name: "extension_properties", Kind: String, List: true},
}).with(bitsOf(atModified, atCreatedBy), bitsOf(atConfidence, atExtensions))

// allTypes lists every type in the order of the specification.
var allTypes = []*Type{
	attackPattern, campaign, courseOfAction, grouping, identity, incident, indicator, infrastructure, intrusionSet,
	location, malware, malwareAnalysis, note, observedData, opinion, report, threatActor, tool, vulnerability,
	relationship, sighting,
	artifact, autonomousSystem, directory, domainName, emailAddr, emailMessage, file, ipv4Addr, ipv6Addr, macAddr,
	mutex, networkTraffic, process, software, url, userAccount, windowsRegistryKey, x509Certificate,
	languageContent, markingDefinition, extensionDefinition,
	externalReference, killChainPhase, granularMarking, emailMIMEPart, archiveExt, ntfsExt, alternateDataStream,
	pdfExt, rasterImageExt, windowsPEBinaryExt, windowsPEOptionalHeader, windowsPESection, httpRequestExt, icmpExt,
	socketExt, tcpExt, windowsProcessExt, windowsServiceExt, unixAccountExt, windowsRegistryValue, x509V3Extensions,
}
