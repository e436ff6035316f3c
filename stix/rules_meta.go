package stix

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// languageContent is STIX 2.1 §7.1: languages, each with an object that mirrors properties.
func (v *validator) languageContent(s *scope) {
	contents := v.value(s, "contents")
	if len(contents) == 0 || contents[0] != '{' {
		return
	}
	for lang, mirror := range objectMembers(contents) {
		at := "/contents/" + pointerToken(lang)
		if !isLanguage([]byte(lang)) {
			v.report(FindForm, at, "§7.1.1", "expected a language code (RFC 5646), found "+quoteShort(lang))
		}
		if mirror.Kind() != '{' {
			v.report(FindLanguage, at, "§7.1.1", "expected an object that mirrors properties of the object")
			continue
		}
		for name := range objectMembers(mirror) {
			if !isPropertyName([]byte(name)) {
				v.report(FindLanguage, at+"/"+pointerToken(name), "§7.1.1", "expected the name of a property of the object")
			}
		}
	}
}

// markingDefinition is STIX 2.1 §7.2.1.
func (v *validator) markingDefinition(s *scope) {
	if !s.has("extensions") {
		v.definitionThere(s)
	}
	kind, ok := v.text(s, "definition_type")
	definition := v.value(s, "definition")
	if !ok || len(definition) == 0 {
		return
	}
	if string(kind) == "tlp" {
		v.tlpDefinition(definition)
		return
	}
	if string(kind) != "statement" {
		v.find(FindVocabulary, "definition_type", "§7.2.1", "expected statement or tlp, or an extension instead")
		return
	}
	switch statement := memberOf(definition, "statement"); {
	case statement == nil:
		v.report(FindMarkingForm, "/definition", "§7.2.1.3", "expected a statement")
	case statement.Kind() != '"':
		v.report(FindKind, "/definition/statement", "§7.2.1.3", "expected a string, found "+kindName(statement.Kind()))
	}
}

// definitionThere: without an extension, both parts of the old form are required.
func (v *validator) definitionThere(s *scope) {
	for _, name := range [...]string{"definition_type", "definition"} {
		if !s.has(name) {
			v.find(FindMarkingForm, name, "§7.2.1", "expected "+name+", or extensions instead of it")
		}
	}
}

// tlpDefinition: the definitions of TLP 1 are those of the specification and no others.
func (v *validator) tlpDefinition(definition jsontext.Value) {
	colour := stringAt(definition, "tlp")
	switch id := ID(strings.ToLower(string(v.o.id))); {
	case id == tlp1WhiteID && colour == "clear":
		v.report(FindTLPName, "/definition/tlp", "§7.2.1.4", "this is the id of TLP:WHITE; TLP:CLEAR has one of its own in TLP 2")
	case id != tlp1IDs[colour]:
		v.report(FindTLP, "/definition", "§7.2.1.4", "expected one of the four definitions of the specification, with its id")
	}
}

var tlp1IDs = map[string]ID{"white": tlp1WhiteID, "green": tlp1GreenID, "amber": tlp1AmberID, "red": tlp1RedID}

// extensionDefinition is STIX 2.1 §7.3.1.
func (v *validator) extensionDefinition(s *scope) {
	v.recommends(s, "description")
	toplevel := strings.Contains(string(v.value(s, "extension_types")), `"toplevel-property-extension"`)
	switch {
	case s.has("extension_properties") && !toplevel:
		v.find(FindDepends, "extension_properties", "§7.3.1", "extension_properties is only for the extension type toplevel-property-extension")
	case toplevel && !s.has("extension_properties"):
		v.find(FindRecommended, "extension_properties", "§7.3.1", "the names of the top-level properties should be listed")
	}
	for _, name := range arrayElements(v.value(s, "extension_properties")) {
		if text, ok := stringOf(name); ok && !isPropertyName([]byte(text)) {
			v.find(FindName, "extension_properties", "§7.3.2", "property names are 3 to 250 of a-z, 0-9 and _, beginning with a letter")
		}
	}
}

// granularMarking is STIX 2.1 §7.2.3. Whether selectors name something is checked for all
// entries at once (checkSelectors).
func (v *validator) granularMarking(s *scope) {
	if s.has("lang") == s.has("marking_ref") {
		v.find(FindGranular, "", "§7.2.3", "expected either marking_ref or lang")
	}
}

// checkSelectors wants every selector of the granular markings to name something that is
// there (§7.2.3).
func (v *validator) checkSelectors() {
	var all []string
	for _, g := range v.o.granular {
		all = append(all, g.Selectors...)
	}
	if len(all) == 0 {
		return
	}
	missing := map[string]bool{}
	for _, selector := range MissingSelectors(v.o, all) {
		missing[selector] = true
	}
	for i, g := range v.o.granular {
		for j, selector := range g.Selectors {
			if missing[selector] && isSelector([]byte(selector)) {
				v.report(FindSelector, fmt.Sprintf("/granular_markings/%d/selectors/%d", i, j), "§7.2.3", quoteShort(selector)+" names nothing in this object")
			}
		}
	}
}
