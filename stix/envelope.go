package stix

import (
	"fmt"
	"strings"
)

// EnvelopeKind says what a body turned out to be.
type EnvelopeKind uint8

// The kinds of bodies that [ParseEnvelope] reads.
const (
	TAXIIEnvelope EnvelopeKind = iota + 1 // {"objects": [...]} (TAXII 2.1 §3.7)
	Bundle                                // a STIX bundle (STIX 2.1 §8): accepted wherever an envelope is
	SingleObject                          // one STIX object
	Lines                                 // STIX objects one after another, as in JSON Lines
)

// String returns "envelope", "bundle", "object" or "lines".
func (k EnvelopeKind) String() string {
	switch k {
	case TAXIIEnvelope:
		return "envelope"
	case Bundle:
		return "bundle"
	case SingleObject:
		return "object"
	case Lines:
		return "lines"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// An Envelope is the objects of a body in order.
type Envelope struct {
	Kind     EnvelopeKind
	ID       ID // of a bundle, if it has a well-formed one
	Objects  []Item
	Findings []Finding // about the bundle itself (STIX 2.1 §8.1), with pointers into it; they refuse nothing
}

// An Item is one element: an Object, or the reason why it is none.
type Item struct {
	Raw    []byte // as received, a part of the body (from a [Stream]: see there)
	Object *Object
	Err    *Error // nil if Object is not; its pointer is into the element
}

// ParseEnvelope reads a TAXII envelope, a bundle, one object or objects one after another.
// Members of an envelope or bundle other than objects are checked as JSON and ignored, so
// {} is an envelope without objects; other members without objects are none. An element
// that is JSON but no acceptable object has an Err and spoils nothing. The error of
// ParseEnvelope is an [*Error]: the body is not JSON or not UTF-8 anywhere, is none of the
// kinds, or exceeds a limit. A [Stream] does the same with little memory.
func ParseEnvelope(b []byte, lim Limits) (Envelope, error) {
	lim = lim.withDefaults()
	r := envelopeReader{body: b, lim: lim, element: newScanner(lim)}
	defer r.element.release()
	e, err := r.read()
	if err != nil {
		return Envelope{}, err
	}
	return e, nil
}

// An envelopeReader walks the top level of a body.
type envelopeReader struct {
	body    []byte
	pos     int
	lim     Limits
	element *scanner // for the elements
	skim    scanner  // for everything around them
	names   int      // bytes of the names of the top level
}

func (r *envelopeReader) read() (Envelope, *Error) {
	if err := r.checkStart(); err != nil {
		return Envelope{}, err
	}
	e, err := r.container()
	if err != nil || e.Kind != 0 {
		return e, err
	}
	return r.lines()
}

// checkStart refuses by size and by the first bytes.
func (r *envelopeReader) checkStart() *Error {
	b := r.body
	if len(b) > r.lim.BodyBytes {
		return r.lim.bodyTooLarge()
	}
	refuse := func(reason string) *Error { return &Error{Code: CodeNotJSON, Reason: "not JSON: " + reason} }
	switch r.pos = skipSpace(b, 0); {
	case r.pos == len(b):
		return refuse("the body is empty")
	case encodingFault(b) != "":
		return refuse(encodingFault(b))
	case b[r.pos] == '{':
		return nil
	}
	if err := r.skip(); err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	return errNoObject()
}

// encodingFault tells bodies that are not in UTF-8 by their first three bytes.
func encodingFault(b []byte) string {
	switch {
	case len(b) >= 3 && string(b[:3]) == "\ufeff":
		return "it begins with a byte order mark, which JSON does not allow (RFC 8259 §8.1)"
	case len(b) >= 2 && (b[0] == 0 || b[1] == 0 || string(b[:2]) == "\xff\xfe" || string(b[:2]) == "\xfe\xff"):
		return "it is not in UTF-8 but looks like UTF-16 or UTF-32 (RFC 8259 §8.1)"
	}
	return ""
}

func errNoObject() *Error {
	return &Error{Code: CodeBadEnvelope, Reason: "the body is JSON but not an object: send {\"objects\":[...]}"}
}

// A topLevel is what the members of a body say about its kind.
type topLevel struct {
	typ, id, objects []byte   // values as received; nil if absent
	legacy           bool     // a bundle of STIX 2.0
	objectLike       bool     // it has a member that only STIX objects and bundles have
	strange          []string // the first members that no envelope has
	duplicate        *Error
}

// maxStrange bounds the members that are named where a body is none that is known.
const maxStrange = 3

// container reads an envelope or a bundle. A Kind of 0 means that the body looks like an
// object itself.
func (r *envelopeReader) container() (Envelope, *Error) {
	start := r.pos
	var top topLevel
	items, err := r.members(&top)
	if err != nil {
		return Envelope{}, err
	}
	kind, err := top.kind()
	switch {
	case err != nil:
		return Envelope{}, err
	case kind == SingleObject:
		r.pos = start
		return Envelope{}, nil
	case top.duplicate != nil:
		return Envelope{}, top.duplicate
	}
	if kind == Bundle && top.legacy {
		markLegacy(items)
	}
	e := Envelope{Kind: kind, Objects: items}
	e.ID, e.Findings = top.bundle(kind)
	return e, r.end()
}

// markLegacy tells objects that their bundle is of STIX 2.0, where they have no
// spec_version of their own.
func markLegacy(items []Item) {
	for _, item := range items {
		if item.Object != nil {
			item.Object.legacy = true
		}
	}
}

// members reads the members of the top level, and the elements of objects if it is a list.
func (r *envelopeReader) members(top *topLevel) (items []Item, err *Error) {
	r.pos++
	seen := map[string]bool{}
	for first := true; ; first = false {
		done, err := r.next(first, '}', "a comma or }")
		if done || err != nil {
			return items, err
		}
		name, err := r.memberName()
		if err != nil {
			return nil, err
		}
		from := r.pos
		if name == "objects" && r.pos < len(r.body) && r.body[r.pos] == '[' {
			items, err = r.elements()
		} else {
			err = r.skip()
		}
		if err != nil {
			return nil, err
		}
		if seen[name] {
			top.repeated(name)
			continue
		}
		seen[name] = true
		top.note(name, r.body[from:r.pos])
	}
}

// repeated notes a name that was there before. What it said the first time counts for the
// kind of the body, as it does for who reads a stream.
func (t *topLevel) repeated(name string) {
	t.duplicate = &Error{"/" + pointerToken(name), CodeDuplicateName, "member " + quoteShort(name) + " appears twice in the body"}
}

func (t *topLevel) note(name string, value []byte) {
	switch name {
	case "type":
		t.typ, t.objectLike = value, true
	case "id":
		t.id, t.objectLike = value, true
	case "spec_version":
		t.objectLike, t.legacy = true, string(value) == `"2.0"`
	case "objects":
		t.objects = value
	case "more", "next":
	default:
		if len(t.strange) < maxStrange {
			t.strange = append(t.strange, quoteShort(name))
		}
	}
}

// bundle says which bundle it is, and what is wrong with the bundle itself (STIX 2.1 §8.1).
func (t *topLevel) bundle(kind EnvelopeKind) (ID, []Finding) {
	if kind != Bundle {
		return "", nil
	}
	find := func(message string) []Finding {
		return []Finding{{levels[FindBundleID], FindBundleID, "/id", message, "§8.1"}}
	}
	text, ok := stringOf(t.id)
	switch fault := idFault(text); {
	case t.id == nil:
		return "", find("this bundle has no id: expected bundle--UUID")
	case !ok:
		return "", find("the id of this bundle is no text: expected bundle--UUID")
	case fault != "":
		return "", find("the id of this bundle, " + quoteShort(text) + ", " + fault)
	case ID(text).Type() != "bundle":
		return "", find("the id of this bundle is that of an object of type " + quoteShort(ID(text).Type()) + ": expected bundle--UUID")
	}
	return ID(text), nil
}

func (t *topLevel) kind() (EnvelopeKind, *Error) {
	typ, _ := stringOf(t.typ)
	container := typ == "bundle" || t.typ == nil
	switch {
	case container && t.objects != nil && t.objects[0] != '[':
		return 0, &Error{"/objects", CodeBadEnvelope, "objects is not a list"}
	case typ == "bundle":
		return Bundle, nil
	case t.typ == nil && t.objects != nil:
		return TAXIIEnvelope, nil
	case t.objectLike:
		return SingleObject, nil
	case t.strange != nil:
		return 0, &Error{Code: CodeBadEnvelope, Reason: "the body is JSON, but neither an envelope nor a bundle nor a STIX object: its members are " + strings.Join(t.strange, ", ")}
	}
	return TAXIIEnvelope, nil
}

// next steps over white space and a comma to the next member or element; done means that
// the closing bracket was read.
func (r *envelopeReader) next(first bool, closing byte, want string) (done bool, err *Error) {
	r.pos = skipSpace(r.body, r.pos)
	if r.pos < len(r.body) && r.body[r.pos] == closing {
		r.pos++
		return true, nil
	}
	if first {
		return false, nil
	}
	if r.pos >= len(r.body) || r.body[r.pos] != ',' {
		return false, r.unexpected(want)
	}
	r.pos = skipSpace(r.body, r.pos+1)
	return false, nil
}

// memberName reads a name of the top level and its colon.
func (r *envelopeReader) memberName() (string, *Error) {
	if r.pos >= len(r.body) || r.body[r.pos] != '"' {
		return "", r.unexpected("a member name")
	}
	from := r.pos
	r.skim.reset(r.body, r.pos)
	if err := r.skim.skipString(); err != nil {
		return "", err
	}
	if r.names += r.skim.pos - from; r.names > maxNames {
		return "", namesTooLong()
	}
	name := unquote(r.body[from:r.skim.pos])
	r.pos = skipSpace(r.body, r.skim.pos)
	if r.pos >= len(r.body) || r.body[r.pos] != ':' {
		return "", r.unexpected("a colon")
	}
	r.pos = skipSpace(r.body, r.pos+1)
	return name, nil
}

// elements reads the list of objects.
func (r *envelopeReader) elements() ([]Item, *Error) {
	var items []Item
	r.pos++
	for {
		done, err := r.next(len(items) == 0, ']', "a comma or ]")
		if err != nil {
			return nil, err
		}
		if done {
			return items, nil
		}
		item, err := r.item(len(items))
		if err != nil {
			return nil, err
		}
		if items = append(items, item); len(items) > r.lim.Objects {
			return nil, r.lim.tooMany()
		}
	}
}

func (l Limits) tooMany() *Error {
	return &Error{"/objects", CodeTooMany, fmt.Sprintf("more than %d objects in one body", l.Objects)}
}

func (l Limits) bodyTooLarge() *Error {
	return &Error{Code: CodeTooLarge, Reason: fmt.Sprintf("body is larger than %d bytes", l.BodyBytes)}
}

// item reads one element: the n-th of a list, or one of lines if n is negative. What is
// wrong with the element is its own matter, unless it leaves the body no JSON.
func (r *envelopeReader) item(n int) (Item, *Error) {
	start := r.pos
	r.element.reset(r.body, r.pos)
	o, fault := r.element.element()
	if fault == nil {
		r.pos = r.element.pos
		return Item{Raw: r.body[start:r.pos:r.pos], Object: o}, nil
	}
	if err := r.skip(); err != nil {
		if err.Pointer == "" && n >= 0 {
			err.Pointer = fmt.Sprintf("/objects/%d", n)
		}
		return Item{}, err
	}
	return Item{Raw: r.body[start:r.pos:r.pos], Err: fault}, nil
}

// lines reads one object, or several with white space between them.
func (r *envelopeReader) lines() (Envelope, *Error) {
	e := Envelope{Kind: SingleObject}
	for r.pos < len(r.body) {
		if len(e.Objects) > 0 {
			if e.Kind = Lines; r.body[r.pos] != '{' || r.body[r.pos-1] != '\n' {
				return e, r.unexpected("the end, or an object on a new line,")
			}
		}
		item, err := r.item(-1)
		if err != nil {
			return e, err
		}
		if e.Objects = append(e.Objects, item); len(e.Objects) > r.lim.Objects {
			return e, r.lim.tooMany()
		}
		r.pos = skipSpace(r.body, r.pos)
	}
	return e, nil
}

// end wants nothing but white space up to the end of the body.
func (r *envelopeReader) end() *Error {
	if r.pos = skipSpace(r.body, r.pos); r.pos < len(r.body) {
		return r.unexpected("the end")
	}
	return nil
}

func (r *envelopeReader) unexpected(want string) *Error {
	r.skim.reset(r.body, r.pos)
	return r.skim.unexpected(want)
}

// skip reads one value for its grammar alone, without recursion, so that it can find the
// end of an element that was refused.
func (r *envelopeReader) skip() *Error {
	s := &r.skim
	s.reset(r.body, r.pos)
	err := s.skipValue()
	r.pos = s.pos
	return err
}
