package stix

// rules checks what the properties of an object or a part say of each other. The kinds of
// single values are in the tables of types; here is what the text of the specification
// adds, type by type.
func (v *validator) rules(s *scope) {
	switch s.t.Name {
	case "attack-pattern", "vulnerability":
		v.describedBy(s)
	case "campaign", "infrastructure", "intrusion-set", "threat-actor":
		v.seenInOrder(s)
	case "indicator":
		v.indicator(s)
	case "location":
		v.location(s)
	case "malware":
		v.malware(s)
	case "malware-analysis":
		v.malwareAnalysis(s)
	case "observed-data":
		v.observedData(s)
	case "relationship":
		v.relationship(s)
	case "sighting":
		v.seenInOrder(s)
	case "language-content":
		v.languageContent(s)
	case "marking-definition":
		v.markingDefinition(s)
	case "extension-definition":
		v.extensionDefinition(s)
	case "external-reference":
		v.externalReference(s)
	case "granular-marking":
		v.granularMarking(s)
	default:
		v.observableRules(s)
	}
}
