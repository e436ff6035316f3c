package stix

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// renamedObservables are properties of observables that have other names in STIX 2.1.
var renamedObservables = map[string]map[string]string{
	"file":                 {"created": "ctime", "modified": "mtime", "accessed": "atime"},
	"directory":            {"created": "ctime", "modified": "mtime", "accessed": "atime"},
	"process":              {"created": "created_time", "binary_ref": "image_ref"},
	"user-account":         {"password_last_changed": "credential_last_changed"},
	"windows-registry-key": {"modified": "modified_time"},
}

// observedData makes objects of the observables that observed-data holds, or says why not.
func (u *upgrade) observedData() []*Object {
	objects, ok := u.o.Property("objects")
	if !ok {
		return nil
	}
	l := lifter{o: u.o, ids: map[string]ID{}, held: map[string]jsontext.Value{}}
	lifted, err := l.objects(objects)
	if err == nil {
		err = u.contradiction(lifted)
	}
	if err != nil {
		u.note("objects", "stays: %v", err)
		return nil
	}
	var refs []ID
	var fresh []*Object
	listed := map[ID]bool{}
	for _, o := range lifted {
		if !listed[o.id] {
			listed[o.id] = true
			refs = append(refs, o.id)
		}
		if u.known[o.id] == nil {
			u.known[o.id] = o
			fresh = append(fresh, o)
		}
	}
	u.set("object_refs", quotedList(refs))
	u.set("objects", nil)
	u.note("objects", "became object_refs to %d objects of their own, %d of them new", len(refs), len(fresh))
	for _, text := range l.renamed {
		u.note("objects", "%s", text)
	}
	return fresh
}

// contradiction finds an observable that has the id of another one and other contents.
func (u *upgrade) contradiction(lifted []*Object) error {
	seen := map[ID]*Object{}
	for _, o := range lifted {
		for _, other := range []*Object{u.known[o.id], seen[o.id]} {
			if other != nil && !sameContents(o, other) {
				return fmt.Errorf("another object has the id %s and other contents", o.id)
			}
		}
		seen[o.id] = o
	}
	return nil
}

func sameContents(a, b *Object) bool {
	ca, err1 := Canonical(a.raw)
	cb, err2 := Canonical(b.raw)
	return err1 == nil && err2 == nil && bytes.Equal(ca, cb)
}

// A lifter makes objects of the observables in one observed-data (STIX 2.0 part 3, §2.13
// of 2.1): local references become ids, and what 2.1 names otherwise gets its name.
type lifter struct {
	o       *Object
	keys    []string
	held    map[string]jsontext.Value // by key
	ids     map[string]ID             // by key; "" while it is being found
	renamed []string
	fault   error
}

// How large the objects out of one observed-data may be together: each repeats its markings.
const (
	maxLiftedTimes = 8 // the size of the observed-data
	maxLiftedMore  = 64 << 10
)

// objects makes an object of each, in order.
func (l *lifter) objects(all jsontext.Value) ([]*Object, error) {
	if err := l.hold(all); err != nil {
		return nil, err
	}
	var lifted []*Object
	room := maxLiftedTimes*len(l.o.raw) + maxLiftedMore
	for _, key := range l.keys {
		o, err := l.observable(key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", quoteShort(key), err)
		}
		if room -= len(o.raw); room < 0 {
			return nil, fmt.Errorf("as objects of their own, with its markings on each, they would be more than %d times as large", maxLiftedTimes)
		}
		lifted = append(lifted, o)
	}
	return lifted, nil
}

// hold takes the observables in hand, if all of them can be lifted.
func (l *lifter) hold(all jsontext.Value) error {
	for _, g := range l.o.granular {
		if slices.ContainsFunc(g.Selectors, func(s string) bool { return s == "objects" || strings.HasPrefix(s, "objects.") }) {
			return errors.New("granular markings mark parts of it")
		}
	}
	if l.o.has("object_refs") {
		return errors.New("object_refs is there already")
	}
	for key, value := range objectMembers(all) {
		if reason := notLiftable(value); reason != "" {
			return fmt.Errorf("%s %s", quoteShort(key), reason)
		}
		l.keys = append(l.keys, key)
		l.held[key] = value
	}
	if len(l.keys) == 0 {
		return errors.New("it holds nothing")
	}
	return nil
}

// notLiftable says why a value cannot be an object of its own, or "".
func notLiftable(v jsontext.Value) string {
	typ := stringAt(v, "type")
	if !isObservable(typ) {
		return fmt.Sprintf("is of type %s, which STIX 2.1 does not have", quoteShort(typ))
	}
	renamed := renamedObservables[typ]
	for name := range objectMembers(v) {
		switch now := renamed[name]; {
		case now != "" && memberOf(v, now) != nil:
			return "has both " + name + " and " + now
		case now == "" && isCommon(name) && name != "type" && name != "extensions":
			return "has " + name + ", which is no property of an observable of STIX 2.0"
		}
	}
	return ""
}

func isCommon(name string) bool { return unknownSCO.place(name) >= 0 }

// observable makes the object of one key.
func (l *lifter) observable(key string) (*Object, error) {
	id, err := l.idOf(key)
	if err != nil {
		return nil, err
	}
	b := l.parts(key, id, nil)
	if v, ok := l.o.Property("object_marking_refs"); ok {
		b = append(append(b, `,"object_marking_refs":`...), v...)
	}
	if l.fault != nil {
		return nil, l.fault
	}
	o, err := Parse(append(b, '}'), Limits{ObjectBytes: len(b) + 1, Depth: maxSkipDepth})
	if err != nil {
		return nil, err
	}
	if f, broken := Strict.Refuses(o.Findings()); broken {
		return nil, fmt.Errorf("as an object of its own it would break STIX 2.1 at %s: %s", f.Pointer, f.Message)
	}
	return o, nil
}

// parts writes the members of an observable, all or those with the names given, without the
// closing brace.
func (l *lifter) parts(key string, id ID, only []string) []byte {
	typ := stringAt(l.held[key], "type")
	b := fmt.Appendf(nil, `{"type":"%s","spec_version":"2.1","id":"%s"`, typ, id)
	for name, value := range objectMembers(l.held[key]) {
		now := name
		if n := renamedObservables[typ][name]; n != "" {
			now = n
		}
		if name == "type" || only != nil && !slices.Contains(only, now) {
			continue
		}
		if only == nil && now != name {
			l.say("%s of %s is %s now", name, typ, now)
		}
		b = append(append(append(b, ','), quoted(now)...), ':')
		b = l.value(b, value, name)
	}
	return b
}

// say notes something once.
func (l *lifter) say(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(l.renamed, text) {
		l.renamed = append(l.renamed, text)
	}
}

// idOf finds the id of one key: by its properties, among which may be references to other
// keys. What has none that count gets a UUID of version 4 that is made from the key and the
// observed-data, so that the same input always gives the same id.
func (l *lifter) idOf(key string) (ID, error) {
	if id, ok := l.ids[key]; ok {
		if id == "" {
			return "", errors.New("its id would depend on itself")
		}
		return id, nil
	}
	l.ids[key] = ""
	typ := stringAt(l.held[key], "type")
	free := freeID(typ, string(l.o.id)+"\x00"+key)
	rule, _ := scoRuleOf(typ)
	b := l.parts(key, free, append(rule.properties, "type"))
	if l.fault != nil {
		return "", l.fault
	}
	o, err := Parse(append(b, '}'), Limits{ObjectBytes: len(b) + 1, Depth: maxSkipDepth})
	if err != nil {
		return "", err
	}
	id, ok := DeterministicSCOID(o)
	if !ok {
		id = free
	}
	l.ids[key] = id
	return id, nil
}

// freeID returns an id of version 4 that follows from a text.
func freeID(typ, text string) ID {
	sum := sha256.Sum256([]byte(text))
	var u [16]byte
	copy(u[:], sum[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return NewID(typ, u)
}

// value writes a value of an observable; name is that of the member it is under.
func (l *lifter) value(b []byte, v jsontext.Value, name string) []byte {
	switch v.Kind() {
	case '"':
		if strings.HasSuffix(name, "_ref") || strings.HasSuffix(name, "_refs") {
			return l.reference(b, v, name)
		}
	case '[':
		b = append(b, '[')
		for i, e := range arrayElements(v) {
			b = l.value(comma(b, i > 0), e, name)
		}
		return append(b, ']')
	case '{':
		return l.structure(b, v, name)
	}
	return append(b, v...)
}

// reference writes the id in place of a local name.
func (l *lifter) reference(b []byte, v jsontext.Value, name string) []byte {
	key, _ := stringOf(v)
	if l.held[key] == nil {
		l.fault = fmt.Errorf("%s refers to %s, which is not there", name, quoteShort(key))
		return append(b, v...)
	}
	id, err := l.idOf(key)
	if err != nil {
		l.fault = err
	}
	return append(b, quoted(string(id))...)
}

// structure writes a dictionary. In 2.1, SSDEEP is in capitals, and headers of a message or
// request are lists.
func (l *lifter) structure(b []byte, v jsontext.Value, under string) []byte {
	b = append(b, '{')
	first := true
	for name, value := range objectMembers(v) {
		if strings.HasSuffix(under, "hashes") && name == "ssdeep" && memberOf(v, "SSDEEP") == nil {
			name = "SSDEEP"
			l.say("ssdeep is SSDEEP now")
		}
		b = append(append(comma(b, !first), quoted(name)...), ':')
		first = false
		if (under == "request_header" || under == "additional_header_fields") && value.Kind() == '"' {
			l.say("values of %s are lists now", under)
			b = append(append(append(b, '['), value...), ']')
			continue
		}
		b = l.value(b, value, name)
	}
	return append(b, '}')
}
