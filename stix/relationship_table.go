package stix

import "strings"

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
		if t.kind == string(kind) && (t.targets == "" || strings.Contains(" "+t.targets+" ", " "+string(to)+" ")) {
			return true
		}
	}
	return string(from) == "infrastructure" && string(kind) == "consists-of" && target.Category == SCO
}

// listed is a relationship type from one source, with its targets between spaces.
type listed struct{ kind, targets string }

// relationships has the table of STIX 2.1 Appendix B by source.
var relationships = map[string][]listed{
	"attack-pattern": {
		{"delivers", "malware"},
		{"targets", "identity location vulnerability"},
		{"uses", "malware tool"},
	},
	"campaign": {
		{"attributed-to", "intrusion-set threat-actor"},
		{"compromises", "infrastructure"},
		{"originates-from", "location"},
		{"targets", "identity location vulnerability"},
		{"uses", "attack-pattern infrastructure malware tool"},
	},
	"course-of-action": {
		{"investigates", "indicator"},
		{"mitigates", "attack-pattern indicator malware tool vulnerability"},
		{"remediates", "malware vulnerability"},
	},
	"domain-name": {
		{"resolves-to", "domain-name ipv4-addr ipv6-addr"},
	},
	"identity": {
		{"located-at", "location"},
	},
	"indicator": {
		{"indicates", "attack-pattern campaign infrastructure intrusion-set malware threat-actor tool"},
		{"based-on", "observed-data"},
	},
	"infrastructure": {
		{"communicates-with", "infrastructure ipv4-addr ipv6-addr domain-name url"},
		{"consists-of", "infrastructure observed-data"},
		{"controls", "infrastructure malware"},
		{"delivers", "malware"},
		{"has", "vulnerability"},
		{"hosts", "tool malware"},
		{"located-at", "location"},
		{"uses", "infrastructure"},
	},
	"intrusion-set": {
		{"attributed-to", "threat-actor"},
		{"compromises", "infrastructure"},
		{"hosts", "infrastructure"},
		{"owns", "infrastructure"},
		{"originates-from", "location"},
		{"targets", "identity location vulnerability"},
		{"uses", "attack-pattern infrastructure malware tool"},
	},
	"ipv4-addr": {
		{"belongs-to", "autonomous-system"},
		{"resolves-to", "mac-addr"},
	},
	"ipv6-addr": {
		{"belongs-to", "autonomous-system"},
		{"resolves-to", "mac-addr"},
	},
	"malware": {
		{"authored-by", "threat-actor intrusion-set"},
		{"beacons-to", "infrastructure"},
		{"exfiltrates-to", "infrastructure"},
		{"communicates-with", "ipv4-addr ipv6-addr domain-name url"},
		{"controls", "malware"},
		{"downloads", "malware tool file"},
		{"drops", "malware tool file"},
		{"exploits", "vulnerability"},
		{"originates-from", "location"},
		{"targets", "identity infrastructure location vulnerability"},
		{"uses", "attack-pattern infrastructure malware tool"},
		{"variant-of", "malware"},
	},
	"malware-analysis": {
		{"characterizes", "malware"},
		{"av-analysis-of", "malware"},
		{"static-analysis-of", "malware"},
		{"dynamic-analysis-of", "malware"},
	},
	"threat-actor": {
		{"attributed-to", "identity"},
		{"compromises", "infrastructure"},
		{"hosts", "infrastructure"},
		{"owns", "infrastructure"},
		{"impersonates", "identity"},
		{"located-at", "location"},
		{"targets", "identity location vulnerability"},
		{"uses", "attack-pattern infrastructure malware tool"},
	},
	"tool": {
		{"delivers", "malware"},
		{"drops", "malware"},
		{"has", "vulnerability"},
		{"targets", "identity infrastructure location vulnerability"},
		{"uses", "infrastructure"},
	},
}
