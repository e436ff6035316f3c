package stix

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/liaison-office/liaison/stix/pattern"
)

// seenInOrder: last_seen is not before first_seen (§4.2, §4.8, §4.9, §4.11, §4.17, §5.2).
func (v *validator) seenInOrder(s *scope) { v.inOrder(s, "first_seen", "last_seen", false) }

// indicator is STIX 2.1 §4.7.
func (v *validator) indicator(s *scope) {
	v.inOrder(s, "valid_from", "valid_until", true)
	v.recommends(s, "name")
	v.recommends(s, "description")
	if !v.is(s, "pattern_type", `"stix"`) {
		return
	}
	text, ok := v.text(s, "pattern")
	if !ok {
		return
	}
	findings, err := pattern.Review(view(text))
	if err != nil {
		v.find(FindPattern, "pattern", "§9", err.Error())
		return
	}
	for _, f := range findings {
		code := FindDoubtful
		if f.Must {
			code = FindForbidden
		}
		v.find(code, "pattern", f.Section, fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Message))
	}
}

// location is STIX 2.1 §4.10.
func (v *validator) location(s *scope) {
	v.needs(s, "latitude", "longitude")
	v.needs(s, "longitude", "latitude")
	v.needs(s, "precision", "latitude")
	if !s.has("region") && !s.has("country") && !(s.has("latitude") && s.has("longitude")) {
		v.find(FindAtLeast, "", "§4.10", "expected at least one of region, country, latitude with longitude")
	}
}

// malware is STIX 2.1 §4.11.
func (v *validator) malware(s *scope) {
	v.seenInOrder(s)
	if v.is(s, "is_family", "true") && !s.has("name") {
		v.find(FindDepends, "name", "§4.11", "a malware family has a name")
	}
}

// malwareAnalysis is STIX 2.1 §4.12.
func (v *validator) malwareAnalysis(s *scope) {
	v.atLeastOne(s, "result", "analysis_sco_refs")
	v.inOrder(s, "analysis_started", "analysis_ended", false)
}

// observedData is STIX 2.1 §4.14.
func (v *validator) observedData(s *scope) {
	v.inOrder(s, "first_observed", "last_observed", false)
	v.atLeastOne(s, "objects", "object_refs")
	v.notBoth(s, "objects", "object_refs")
	if refs := v.value(s, "object_refs"); len(refs) > 2 && refs[0] == '[' && !anyObservable(refs) {
		v.find(FindRefType, "object_refs", "§4.14", "expected at least one reference to a cyber-observable object")
	}
}

func anyObservable(refs []byte) bool {
	for _, ref := range arrayElements(refs) {
		id, _ := stringOf(ref)
		if t := typesByName[ID(id).Type()]; t == nil || t.Category == SCO {
			return true
		}
	}
	return false
}

// relationship is STIX 2.1 §5.1.
func (v *validator) relationship(s *scope) {
	v.inOrder(s, "start_time", "stop_time", true)
	kind, ok1 := v.text(s, "relationship_type")
	source, ok2 := v.text(s, "source_ref")
	target, ok3 := v.text(s, "target_ref")
	if !ok1 || !ok2 || !ok3 || idFault(source) != "" || idFault(target) != "" {
		return
	}
	from, to := source[:len(source)-uuidLen-2], target[:len(target)-uuidLen-2]
	if !isListed(from, kind, to) {
		v.find(FindRelationship, "relationship_type", "§3.7",
			"STIX 2.1 lists no "+quoteShort(string(kind))+" from "+string(from)+" to "+string(to)+"; one's own names are allowed, and others may not know them")
	}
}

// describedBy: CAPEC and CVE numbers name their source and have its form (§4.1, §4.19). A
// reference without a number says no more than where to read.
func (v *validator) describedBy(s *scope) {
	kind := sourceOf(s.t.Name)
	for i, ref := range arrayElements(v.value(s, "external_references")) {
		source, _ := textOf(memberOf(ref, "source_name"))
		number, _ := textOf(memberOf(ref, "external_id"))
		if number == "" || !strings.EqualFold(source, kind) {
			continue
		}
		at := v.pointer("external_references") + "/" + strconv.Itoa(i)
		if source != kind {
			v.report(FindForm, at+"/source_name", s.t.Section, "expected source_name "+kind+", found "+quoteShort(source))
		} else if !hasNumber(kind, number) {
			v.report(FindForm, at+"/external_id", s.t.Section, "expected external_id of "+kind+" like "+numberExample[kind]+", found "+quoteShort(number))
		}
	}
}

func sourceOf(typ string) string {
	if typ == "vulnerability" {
		return "cve"
	}
	return "capec"
}

var numberExample = map[string]string{"cve": "CVE-2026-12345", "capec": "CAPEC-123"}

// hasNumber reports CAPEC-n, or CVE-year-n with at least four digits.
func hasNumber(kind, number string) bool {
	rest, ok := strings.CutPrefix(number, strings.ToUpper(kind)+"-")
	if kind == "capec" {
		return ok && allDigits([]byte(rest))
	}
	year, n, both := strings.Cut(rest, "-")
	return ok && both && len(year) == 4 && allDigits([]byte(year)) && len(n) >= 4 && allDigits([]byte(n))
}

// externalReference is STIX 2.1 §2.5.
func (v *validator) externalReference(s *scope) {
	v.atLeastOne(s, "description", "url", "external_id")
	if s.has("url") && !s.has("hashes") {
		v.unhashed++
	}
}

// reportUnhashed makes one finding of all references that lead to a page without a hash of
// it: nobody could say later what was there (§2.5.1).
func (v *validator) reportUnhashed() {
	if v.unhashed > 0 {
		v.find(FindRecommended, "external_references", "§2.5.1", "hashes of what the url leads to should be there")
	}
}
