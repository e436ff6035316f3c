package stix

import (
	"cmp"
	"crypto/sha256"
	"iter"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// A Gathering looks at the objects of one body beside each other: one version of an object
// has one content, and a translation mirrors what it translates. The zero value is ready.
//
// Memory is bounded: versions are compared among the first 2,097,152 that were added, and
// translations with objects of the first 32 MiB.
type Gathering struct {
	versions     map[digest]digest // contents by id and version
	objects      map[ID][]edition
	translations []translation
	kept         int // bytes of objects and translations
}

// An edition is one version of an object that was added.
type edition struct {
	modified, version string
	raw               jsontext.Value
}

// A translation is a language-content that was added.
type translation struct {
	of  ID
	at  string // key of the instant of object_modified, "" for the newest version
	raw jsontext.Value
}

// Bounds of what is remembered of the objects of a body.
const (
	maxGathered      = 2 << 20
	maxGatheredBytes = 32 << 20
)

// A digest stands for a text.
type digest [16]byte

func digestOf[T ~string | ~[]byte](text T) digest {
	h := sha256.Sum256([]byte(text))
	return digest(h[:])
}

// Add takes an object in. It returns an [*Error] if its version was added before with other
// contents: an id and modified name one version (STIX 2.1 §3.6), and whoever has one
// refuses the other. An object without a version has none to contradict.
func (g *Gathering) Add(o *Object) error {
	if err := g.addVersion(o); err != nil {
		return err
	}
	if g.kept+len(o.raw) > maxGatheredBytes {
		return nil
	}
	g.kept += len(o.raw)
	g.addTranslation(o)
	if g.objects == nil {
		g.objects = map[ID][]edition{}
	}
	g.objects[o.id] = append(g.objects[o.id], edition{o.modified, o.Version(), o.raw})
	return nil
}

func (g *Gathering) addTranslation(o *Object) {
	content, ok := AsLanguageContent(o)
	if !ok {
		return
	}
	t := translation{of: content.ObjectRef(), raw: o.raw}
	if at := content.ObjectModified(); at != "" {
		key, err := InstantKey(at)
		if err != nil {
			return // it names no version
		}
		t.at = key
	}
	g.translations = append(g.translations, t)
}

func (g *Gathering) addVersion(o *Object) error {
	at, err := InstantKey(o.Version())
	if err != nil {
		return nil // it has no version
	}
	contents, err := Canonical(o.raw)
	if err != nil {
		contents = o.raw // numbers without a canonical form compare as written
	}
	key, now := digestOf(string(o.id)+" "+at), digestOf(contents)
	switch before, ok := g.versions[key]; {
	case ok && before != now:
		return &Error{Code: CodeSameVersion, Reason: "version " + o.Version() + " of this object came before with other contents: a change needs a later modified"}
	case !ok && len(g.versions) < maxGathered:
		if g.versions == nil {
			g.versions = map[digest]digest{}
		}
		g.versions[key] = now
	}
	return nil
}

// Findings yields translations that do not mirror their object (STIX 2.1 §7.1.1), each with
// what is wrong, where the object was added too: the version that object_modified names,
// without it the newest. They come by the id and version of what they translate.
func (g *Gathering) Findings() iter.Seq2[*Object, Finding] {
	return func(yield func(*Object, Finding) bool) {
		var of ID
		var originals map[string]jsontext.Value
		var m mirror
		for i, t := range g.sortedTranslations() {
			if i == 0 || t.of != of {
				of, originals = t.of, byInstant(g.objects[t.of])
			}
			if original := originals[t.at]; original != nil && !m.translation(original, t, yield) {
				return
			}
		}
	}
}

// sortedTranslations puts those of one version together, so that it is read once.
func (g *Gathering) sortedTranslations() []translation {
	sorted := slices.Clone(g.translations)
	slices.SortStableFunc(sorted, func(a, b translation) int {
		return cmp.Or(cmp.Compare(a.of, b.of), cmp.Compare(a.at, b.at))
	})
	return sorted
}

// byInstant returns the versions of an object by the keys of their instants, the newest
// under "".
func byInstant(editions []edition) map[string]jsontext.Value {
	versions := map[string]jsontext.Value{}
	newest := ""
	for i, e := range editions {
		if i == 0 || isLater(e.version, newest) {
			newest, versions[""] = e.version, e.raw
		}
		if key, err := InstantKey(e.modified); err == nil && versions[key] == nil {
			versions[key] = e.raw
		}
	}
	return versions
}

// isLater compares versions as [Object.Version] returns them: none is the earliest.
func isLater(a, b string) bool {
	order, err := CompareInstants(a, b)
	return a != "" && b == "" || err == nil && order > 0
}

// translation yields what is wrong with one translation; it reports whether to go on.
func (m *mirror) translation(original jsontext.Value, t translation, yield func(*Object, Finding) bool) bool {
	o, err := Parse(t.raw, Limits{ObjectBytes: len(t.raw), Depth: maxSkipDepth})
	if err != nil {
		return true // it was an object when it was added
	}
	m.begin(original)
	content, _ := AsLanguageContent(o)
	for lang, names := range content.Contents() {
		m.structure("/contents/"+pointerToken(lang), original, names)
	}
	for _, f := range m.findings.list {
		if !yield(o, f) {
			return false
		}
	}
	return true
}

// A mirror compares a translation with what it translates. Values that are no texts are not
// translated, and names that the object does not have are ignored. Each structure and list
// of an original is read once, however many translations and languages there are.
type mirror struct {
	original   jsontext.Value
	structures map[*byte]map[string]jsontext.Value // by their first byte
	lists      map[*byte][]jsontext.Value
	findings   found
}

// begin takes a translation of an original in hand.
func (m *mirror) begin(original jsontext.Value) {
	if m.original == nil || &m.original[0] != &original[0] {
		*m = mirror{original, map[*byte]map[string]jsontext.Value{}, map[*byte][]jsontext.Value{}, found{}}
	}
	m.findings = found{}
}

func (m *mirror) compare(at string, original, translation jsontext.Value) {
	want := original.Kind()
	switch {
	case want != '"' && want != '[' && want != '{':
	case want != translation.Kind():
		m.find(at, "expected "+kindName(want)+" as in the object that this translates, found "+kindName(translation.Kind()))
	case want == '[':
		m.list(at, original, translation)
	case want == '{':
		m.structure(at, original, translation)
	}
}

func (m *mirror) structure(at string, original, translation jsontext.Value) {
	members, read := m.structures[&original[0]]
	if !read {
		members = maps.Collect(objectMembers(original))
		m.structures[&original[0]] = members
	}
	for name, value := range objectMembers(translation) {
		if text, ok := members[name]; ok {
			m.compare(at+"/"+pointerToken(name), text, value)
		}
	}
}

// list wants as many elements; an empty text stands for one that is not translated.
func (m *mirror) list(at string, original, translation jsontext.Value) {
	texts, read := m.lists[&original[0]]
	if !read {
		texts = elementsOf(original)
		m.lists[&original[0]] = texts
	}
	values := elementsOf(translation)
	if len(texts) != len(values) {
		m.find(at, "expected as many elements as the list that this translates has, "+strconv.Itoa(len(texts))+", found "+strconv.Itoa(len(values)))
		return
	}
	for i, v := range values {
		if string(v) != `""` {
			m.compare(at+"/"+strconv.Itoa(i), texts[i], v)
		}
	}
}

func elementsOf(list jsontext.Value) (all []jsontext.Value) {
	for _, v := range arrayElements(list) {
		all = append(all, v)
	}
	return all
}

func (m *mirror) find(at, message string) {
	m.findings.add(Finding{levels[FindLanguage], FindLanguage, at, message, "§7.1.1"})
}
