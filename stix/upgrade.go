package stix

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// An UpgradeNote says in words what [Upgrade] did to an object, or why it left something.
type UpgradeNote struct {
	ID      ID     // of the object of STIX 2.0
	Pointer string // RFC 6901, into the object of STIX 2.0
	Text    string
}

// String returns a line for people.
func (n UpgradeNote) String() string { return string(n.ID) + " " + n.Pointer + ": " + n.Text }

// Upgrade converts objects of STIX 2.0 to STIX 2.1. An object without spec_version, or with
// "2.0", is taken for one: whoever calls knows that the bundle is of 2.0. Others, and
// cyber-observables, come back as they are. All objects of a bundle belong into one call,
// for what comes out must not contradict itself.
//
// The result has the objects in order, each followed by the observables that it held. Nothing
// of the input is lost, and nothing is guessed from texts:
//
//   - id, created and modified stay: it is the same version in another form, and only its
//     creator may make a new one. Whoever upgrades it gets the same bytes.
//   - labels that 2.1 has as terms of indicator_types, malware_types, report_types,
//     threat_actor_types or tool_types move there; other labels stay. The labels of an
//     identity are its roles in 2.0, and become roles.
//   - A pattern stays as it is, with pattern_type stix and pattern_version 2.0: without it,
//     spec_version would make it a pattern of 2.1 (STIX 2.1 §4.7).
//   - Malware gets is_family, which 2.1 required before its errata made it optional: true,
//     for 2.0 tells no families from samples, and its malware speaks of malware by name and
//     points to no sample; false only if it has no name, without which it is no family.
//   - The observables in observed-data become objects of their own, marked like it, with
//     ids that follow from their properties (§2.9), and object_refs refers to them; so they
//     can be found, related and deduplicated. Where that would lose or contradict something,
//     or be more than 8 times as large (and 64 KiB), objects stays byte for byte, which §2.13
//     allows though it deprecates it; a note says why.
//   - Properties that 2.1 does not have stay as they are.
func Upgrade(objects []*Object) ([]*Object, []UpgradeNote, error) {
	u := upgrade{known: map[ID]*Object{}}
	for _, o := range objects {
		if !o.isOf20() {
			u.known[o.id] = o
		}
	}
	for _, o := range objects {
		if err := u.object(o); err != nil {
			return nil, nil, fmt.Errorf("upgrade %s: %w", o.id, err)
		}
	}
	return u.objects, u.notes, nil
}

// isOf20 tells what Upgrade converts.
func (o *Object) isOf20() bool {
	return o.specVersion == "2.0" || !o.has("spec_version") && !o.sco
}

// An upgrade collects what comes out.
type upgrade struct {
	objects []*Object
	notes   []UpgradeNote
	known   map[ID]*Object // objects of 2.1 and observables made so far

	o       *Object // in hand
	changes []Change
	moved   map[string][]string // selectors that name something else now
}

func (u *upgrade) note(property, format string, args ...any) {
	u.notes = append(u.notes, UpgradeNote{u.o.id, "/" + pointerToken(property), fmt.Sprintf(format, args...)})
}

func (u *upgrade) set(name string, value []byte) {
	u.changes = append(u.changes, Change{name, value})
}

func (u *upgrade) object(o *Object) error {
	if !o.isOf20() {
		u.objects = append(u.objects, o)
		return nil
	}
	u.o, u.changes, u.moved = o, nil, map[string][]string{}
	u.set("spec_version", []byte(`"2.1"`))
	u.note("spec_version", "is 2.1")
	observables := u.properties()
	u.selectors()
	upgraded, err := Edit(o, u.changes...)
	if err != nil {
		return err
	}
	u.objects = append(append(u.objects, upgraded), observables...)
	return nil
}

// typesProperty names where the labels of a type are in 2.1.
var typesProperty = map[string]string{
	"indicator": "indicator_types", "malware": "malware_types", "report": "report_types",
	"threat-actor": "threat_actor_types", "tool": "tool_types", "identity": "roles",
}

// properties makes the changes of one type, and returns observables that the object held.
func (u *upgrade) properties() []*Object {
	if target := typesProperty[u.o.typ]; target != "" && !u.o.has(target) {
		u.moveLabels(target)
	}
	switch u.o.typ {
	case "indicator":
		u.pattern()
	case "malware":
		u.family()
	case "observed-data":
		return u.observedData()
	}
	return nil
}

func (u *upgrade) family() {
	switch {
	case u.o.has("is_family"):
	case u.o.has("name"):
		u.set("is_family", []byte("true"))
		u.note("is_family", "is true: STIX 2.0 does not tell a family from a sample, and names no sample")
	default:
		u.set("is_family", []byte("false"))
		u.note("is_family", "is false: a family would have a name")
	}
}

func (u *upgrade) pattern() {
	typ, ok := u.o.Property("pattern_type")
	if !ok {
		typ = jsontext.Value(`"stix"`)
		u.set("pattern_type", typ)
		u.note("pattern_type", "is stix, like every pattern of STIX 2.0")
	}
	if text, _ := stringOf(typ); text == "stix" && !u.o.has("pattern_version") {
		u.set("pattern_version", []byte(`"2.0"`))
		u.note("pattern_version", "is 2.0: the pattern stays as it is")
	}
}

// moveLabels moves labels to target: those of its vocabulary, or all if it has none.
func (u *upgrade) moveLabels(target string) {
	vocabulary := typesByName[u.o.typ].Property(target).Vocabulary
	moved, stay := u.sortLabels(target, vocabulary)
	if len(moved) == 0 {
		return
	}
	u.moved["labels"] = []string{target}
	if len(stay) > 0 {
		u.moved["labels"] = []string{target, "labels"}
	}
	u.set(target, quotedList(moved))
	u.set("labels", quotedList(stay)) // none: labels goes away
	u.note("labels", "to %s: %s", target, strings.Join(moved, ", "))
	if len(stay) > 0 {
		u.note("labels", "still labels, for %s has no such term: %s", vocabulary.Name, strings.Join(stay, ", "))
	}
}

// sortLabels sorts them into those that move and those that stay, and notes where each is
// then. What is no list of labels is left alone.
func (u *upgrade) sortLabels(target string, vocabulary *Vocabulary) (moved, stay []string) {
	labels, _ := u.o.Property("labels")
	place := func(list string, n int) string { return fmt.Sprintf("%s.[%d]", list, n) }
	for i, label := range arrayElements(labels) {
		text, ok := stringOf(label)
		switch {
		case !ok:
			return nil, nil
		case vocabulary == nil || vocabulary.Has(text):
			u.moved[place("labels", i)] = []string{place(target, len(moved))}
			moved = append(moved, text)
		default:
			u.moved[place("labels", i)] = []string{place("labels", len(stay))}
			stay = append(stay, text)
		}
	}
	return moved, stay
}

// selectors makes granular markings follow what was moved, so that nothing loses its mark.
func (u *upgrade) selectors() {
	markings, ok := u.o.Property("granular_markings")
	if !ok || len(u.moved) == 0 {
		return
	}
	var b []byte
	changed := false
	for i, marking := range arrayElements(markings) {
		b = append(comma(b, i > 0), '{')
		first := true
		for name, value := range objectMembers(marking) {
			if name == "selectors" {
				value, changed = u.newSelectors(value, changed)
			}
			b = append(append(comma(b, !first), quoted(name)...), ':')
			b, first = append(b, value...), false
		}
		b = append(b, '}')
	}
	if changed {
		u.set("granular_markings", append(append([]byte{'['}, b...), ']'))
		u.note("granular_markings", "selectors follow the labels that moved")
	}
}

func (u *upgrade) newSelectors(list jsontext.Value, changed bool) (jsontext.Value, bool) {
	var all []string
	for _, e := range arrayElements(list) {
		text, ok := stringOf(e)
		if !ok {
			return list, changed
		}
		if moved := u.moved[text]; moved != nil {
			all = append(all, moved...)
			changed = true
		} else {
			all = append(all, text)
		}
	}
	return quotedList(all), changed
}
