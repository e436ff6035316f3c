package stix

import (
	"crypto/sha256"
	"iter"
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
	objects      map[ID][]jsontext.Value
	translations []jsontext.Value
	kept         int // bytes of objects and translations
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
	if o.typ == "language-content" {
		g.translations = append(g.translations, o.raw)
	}
	if g.objects == nil {
		g.objects = map[ID][]jsontext.Value{}
	}
	g.objects[o.id] = append(g.objects[o.id], o.raw)
	return nil
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
// without it the newest.
func (g *Gathering) Findings() iter.Seq2[*Object, Finding] {
	return func(yield func(*Object, Finding) bool) {
		for _, raw := range g.translations {
			t, err := Parse(raw, Limits{ObjectBytes: len(raw), Depth: maxSkipDepth})
			if err != nil {
				continue // it was an object when it was added
			}
			for _, f := range g.mirrored(t) {
				if !yield(t, f) {
					return
				}
			}
		}
	}
}

func (g *Gathering) mirrored(t *Object) []Finding {
	content, _ := AsLanguageContent(t)
	original := g.original(content)
	if original == nil {
		return nil
	}
	m := mirror{}
	for lang, translation := range content.Contents() {
		at := "/contents/" + pointerToken(lang)
		for name, value := range objectMembers(translation) {
			if text, ok := original.Property(name); ok {
				m.compare(at+"/"+pointerToken(name), text, value)
			}
		}
	}
	return m.findings.list
}

// original returns the version that is translated, nil if it was not added.
func (g *Gathering) original(content LanguageContent) *Object {
	var found *Object
	for _, raw := range g.objects[content.ObjectRef()] {
		o, err := Parse(raw, Limits{ObjectBytes: len(raw), Depth: maxSkipDepth})
		if err != nil {
			continue // it was an object when it was added
		}
		if at := content.ObjectModified(); at != "" {
			if order, err := CompareInstants(o.modified, at); err != nil || order != 0 {
				continue
			}
		}
		if found == nil || o.isNewerThan(found) {
			found = o
		}
	}
	return found
}

// A mirror compares a translation with what it translates. Values that are no texts are not
// translated, and names that the object does not have are ignored.
type mirror struct{ findings found }

func (m *mirror) compare(at string, original, translation jsontext.Value) {
	want := original.Kind()
	switch {
	case want != '"' && want != '[' && want != '{':
	case want != translation.Kind():
		m.find(at, "expected "+kindName(want)+" as in the object that this translates, found "+kindName(translation.Kind()))
	case want == '[':
		m.list(at, original, translation)
	case want == '{':
		for name, value := range objectMembers(translation) {
			if text, ok := fieldOf(original, name); ok {
				m.compare(at+"/"+pointerToken(name), text, value)
			}
		}
	}
}

// list wants as many elements; an empty text stands for one that is not translated.
func (m *mirror) list(at string, original, translation jsontext.Value) {
	var texts, values []jsontext.Value
	for _, v := range arrayElements(original) {
		texts = append(texts, v)
	}
	for _, v := range arrayElements(translation) {
		values = append(values, v)
	}
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

func (m *mirror) find(at, message string) {
	m.findings.add(Finding{levels[FindLanguage], FindLanguage, at, message, "§7.1.1"})
}
