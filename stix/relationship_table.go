package stix

import "slices"

// isListed reports that the specification lists a relationship between two types, or that
// one of them is not of the specification (§3.7, Appendix B).
func isListed(from, kind, to []byte) bool {
	source, target := typesByName[string(from)], typesByName[string(to)]
	if source == nil || target == nil {
		return true
	}
	switch string(kind) {
	case "related-to":
		return true
	case "derived-from", "duplicate-of":
		return string(from) == string(to)
	}
	for _, t := range relationships[string(from)] {
		if t.kind == string(kind) {
			return slices.Contains(t.targets, string(to)) || t.kind == "consists-of" && target.Category == SCO
		}
	}
	return false
}

// listed is a relationship type from one source, with its targets.
type listed struct {
	kind    string
	targets []string
}

// relationships has the table of STIX 2.1 Appendix B by source.
var relationships = map[string][]listed{
	"attack-pattern": {
		{"delivers", []string{"malware"}},
		{"targets", []string{"identity", "location", "vulnerability"}},
		{"uses", []string{"malware", "tool"}},
	},
	"campaign": {
		{"attributed-to", []string{"intrusion-set", "threat-actor"}},
		{"compromises", []string{"infrastructure"}},
		{"originates-from", []string{"location"}},
		{"targets", []string{"identity", "location", "vulnerability"}},
		{"uses", []string{"attack-pattern", "infrastructure", "malware", "tool"}},
	},
	"course-of-action": {
		{"investigates", []string{"indicator"}},
		{"mitigates", []string{"attack-pattern", "indicator", "malware", "tool", "vulnerability"}},
		{"remediates", []string{"malware", "vulnerability"}},
	},
	"domain-name": {
		{"resolves-to", []string{"domain-name", "ipv4-addr", "ipv6-addr"}},
	},
	"identity": {
		{"located-at", []string{"location"}},
	},
	"indicator": {
		{"indicates", []string{"attack-pattern", "campaign", "infrastructure", "intrusion-set", "malware", "threat-actor", "tool"}},
		{"based-on", []string{"observed-data"}},
	},
	"infrastructure": {
		{"communicates-with", []string{"infrastructure", "ipv4-addr", "ipv6-addr", "domain-name", "url"}},
		{"consists-of", []string{"infrastructure", "observed-data"}},
		{"controls", []string{"infrastructure", "malware"}},
		{"delivers", []string{"malware"}},
		{"has", []string{"vulnerability"}},
		{"hosts", []string{"tool", "malware"}},
		{"located-at", []string{"location"}},
		{"uses", []string{"infrastructure"}},
	},
	"intrusion-set": {
		{"attributed-to", []string{"threat-actor"}},
		{"compromises", []string{"infrastructure"}},
		{"hosts", []string{"infrastructure"}},
		{"owns", []string{"infrastructure"}},
		{"originates-from", []string{"location"}},
		{"targets", []string{"identity", "location", "vulnerability"}},
		{"uses", []string{"attack-pattern", "infrastructure", "malware", "tool"}},
	},
	"ipv4-addr": {
		{"belongs-to", []string{"autonomous-system"}},
		{"resolves-to", []string{"mac-addr"}},
	},
	"ipv6-addr": {
		{"belongs-to", []string{"autonomous-system"}},
		{"resolves-to", []string{"mac-addr"}},
	},
	"malware": {
		{"authored-by", []string{"threat-actor", "intrusion-set"}},
		{"beacons-to", []string{"infrastructure"}},
		{"exfiltrates-to", []string{"infrastructure"}},
		{"communicates-with", []string{"ipv4-addr", "ipv6-addr", "domain-name", "url"}},
		{"controls", []string{"malware"}},
		{"downloads", []string{"malware", "tool", "file"}},
		{"drops", []string{"malware", "tool", "file"}},
		{"exploits", []string{"vulnerability"}},
		{"originates-from", []string{"location"}},
		{"targets", []string{"identity", "infrastructure", "location", "vulnerability"}},
		{"uses", []string{"attack-pattern", "infrastructure", "malware", "tool"}},
		{"variant-of", []string{"malware"}},
	},
	"malware-analysis": {
		{"characterizes", []string{"malware"}},
		{"av-analysis-of", []string{"malware"}},
		{"static-analysis-of", []string{"malware"}},
		{"dynamic-analysis-of", []string{"malware"}},
	},
	"threat-actor": {
		{"attributed-to", []string{"identity"}},
		{"compromises", []string{"infrastructure"}},
		{"hosts", []string{"infrastructure"}},
		{"owns", []string{"infrastructure"}},
		{"impersonates", []string{"identity"}},
		{"located-at", []string{"location"}},
		{"targets", []string{"identity", "location", "vulnerability"}},
		{"uses", []string{"attack-pattern", "infrastructure", "malware", "tool"}},
	},
	"tool": {
		{"delivers", []string{"malware"}},
		{"drops", []string{"malware"}},
		{"has", []string{"vulnerability"}},
		{"targets", []string{"identity", "infrastructure", "location", "vulnerability"}},
		{"uses", []string{"infrastructure"}},
	},
}
