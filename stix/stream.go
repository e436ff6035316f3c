package stix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// A Stream reads a body of any length: an envelope, a bundle, one object or objects one
// after another, with the answers of [ParseEnvelope] and little memory. Make one with
// [NewStream].
//
// Memory: a window of 64 KiB, one element up to Limits.ObjectBytes, and what is held back
// (below), which is no more than Limits.ObjectBytes of the body and 10,000 elements.
//
// What a stream cannot know. A body says what it is by members that may come last: an
// object of another type may have a list called objects, and a bundle of STIX 2.0 says so
// by spec_version, from which its objects have their finding [FindLegacy]. So elements are
// held back until type and spec_version of a bundle were read, as they are in the usual
// order, or until ObjectBytes were read, when the body can be no single object any more.
// A body up to ObjectBytes long therefore has exactly the answers of ParseEnvelope. In a
// longer one,
//   - a spec_version after objects is too late for them: they are checked as what they look
//     like by themselves, and [Stream.Legacy] tells it at the end;
//   - a type after objects that is none of a bundle ends the stream with [CodeBadEnvelope].
type Stream struct {
	r      io.Reader
	lim    Limits
	kind   EnvelopeKind
	legacy bool
	listed bool
	used   bool

	id       ID
	findings []Finding
}

// maxNames bounds the names of members beside objects, which are kept to find one that
// appears twice.
const maxNames = 1 << 20

func namesTooLong() *Error {
	return &Error{Code: CodeTooLarge, Reason: fmt.Sprintf("names of members beside objects are longer than %d bytes", maxNames)}
}

// NewStream returns a stream of the body that r gives. Of lim, BodyBytes and Objects bound
// a stream only if they are set; the other fields have their defaults.
func NewStream(r io.Reader, lim Limits) *Stream {
	full := lim.withDefaults()
	full.BodyBytes, full.Objects = max(lim.BodyBytes, 0), max(lim.Objects, 0)
	return &Stream{r: r, lim: full}
}

// Kind returns what the body turned out to be. It is 0 until the body is read to its end.
func (s *Stream) Kind() EnvelopeKind { return s.kind }

// Legacy reports that the body is a bundle that says to be of STIX 2.0, as far as it was
// read.
func (s *Stream) Legacy() bool { return s.legacy }

// Listed reports that the elements handed out so far come from the list of an envelope or a
// bundle, and are no object or lines.
func (s *Stream) Listed() bool { return s.listed }

// ID returns the id of a bundle, as Envelope has it, when the body was read to its end.
func (s *Stream) ID() ID { return s.id }

// Findings returns what is wrong with a bundle itself, as Envelope has it, when the body was
// read to its end.
func (s *Stream) Findings() []Finding { return s.findings }

// Items yields the elements in order. An element that is no acceptable object has an Err,
// and the next one follows. An error is the last thing yielded: an [*Error] like that of
// ParseEnvelope, with the same byte of the body in its words, or one of the reader. What
// was yielded before it stays true of its element; whether a body cut short counts is for
// the caller to decide.
//
// Raw of an item is without insignificant white space, and of an element larger than
// Limits.ObjectBytes only its beginning. Items can be used once.
func (s *Stream) Items() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if s.used {
			yield(Item{}, errors.New("read stream: it was read before"))
			return
		}
		s.used = true
		r := newStreamReader(s, yield)
		defer r.element.release()
		err := r.read()
		if r.stopped {
			return
		}
		if fault := r.skim.err; fault != nil && fault != io.EOF {
			yield(Item{}, r.readFault(fault))
		} else if err != nil {
			yield(Item{}, err)
		}
	}
}

// A streamReader walks the top level of a body as an envelopeReader does.
type streamReader struct {
	*Stream
	skim    skimmer
	element *scanner
	part    keeper // the element being read
	names   int    // bytes of names kept
	top     topLevel
	spec    bool // spec_version was read

	yield   func(Item, error) bool
	stopped bool // by who takes the items
	held    []Item
	free    bool // nothing is held back any more
	count   int  // of elements in the list or lines being read
}

func newStreamReader(s *Stream, yield func(Item, error) bool) *streamReader {
	return &streamReader{
		Stream:  s,
		skim:    skimmer{r: s.r, buf: make([]byte, windowBytes), limit: int64(s.lim.BodyBytes), tooLarge: s.lim.bodyTooLarge()},
		element: newScanner(s.lim),
		part:    keeper{limit: s.lim.ObjectBytes + keepRoom},
		yield:   yield,
	}
}

// errStopped ends reading without a word: the caller had enough.
var errStopped = &Error{Code: "stopped"}

func (r *streamReader) readFault(fault error) error {
	if fault == error(r.skim.tooLarge) {
		return fault
	}
	return fmt.Errorf("read body at byte %d: %w", r.skim.base+int64(r.skim.end), fault)
}

func (r *streamReader) read() error {
	if err := r.checkStart(); err != nil {
		return err
	}
	kind, err := r.container()
	if err == nil && kind == SingleObject {
		kind, err = r.lines()
	}
	if err != nil {
		return err
	}
	r.kind = kind
	r.id, r.findings = r.top.bundle(kind)
	return nil
}

// checkStart refuses by the first bytes.
func (r *streamReader) checkStart() *Error {
	s := &r.skim
	s.ahead(3)
	fault := encodingFault(s.buf[:s.end])
	s.space()
	switch c, ok := s.peek(); {
	case !ok:
		return &Error{Code: CodeNotJSON, Reason: "not JSON: the body is empty"}
	case fault != "":
		return &Error{Code: CodeNotJSON, Reason: "not JSON: " + fault}
	case c == '{':
		return nil
	}
	if err := s.value(); err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	return errNoObject()
}

// keepRoom is what a keeper holds beyond the limit of an object: enough for the token at
// which a scanner sees that the limit is passed.
const keepRoom = 32

// container reads an envelope, a bundle, or the first of lines.
func (r *streamReader) container() (EnvelopeKind, *Error) {
	r.skim.whole = &keeper{limit: r.lim.ObjectBytes + keepRoom}
	err := r.members()
	whole := r.skim.whole
	r.skim.whole = nil
	if err != nil {
		if r.elementsCount() {
			r.release()
		}
		return 0, err
	}
	kind, err := r.top.kind()
	switch {
	case err != nil:
		return 0, err
	case kind == SingleObject:
		return kind, r.single(whole)
	}
	if r.release(); r.stopped {
		return 0, errStopped
	}
	if r.top.duplicate != nil {
		return 0, r.top.duplicate
	}
	return kind, r.end()
}

// elementsCount reports that a list called objects has the objects of the body, as far as
// is known.
func (r *streamReader) elementsCount() bool {
	typ, _ := stringOf(r.top.typ)
	return r.top.typ == nil || typ == "bundle"
}

// single makes an object of a body that turned out to be one.
func (r *streamReader) single(whole *keeper) *Error {
	switch {
	case r.free && r.count > 0:
		return &Error{"/type", CodeBadEnvelope, "type comes after objects and is none of a bundle: too late for a stream, which has handed out the objects"}
	case r.skim.deepest > maxSkipDepth:
		return errSkipTooDeep()
	}
	r.held, r.free, r.count, r.listed = nil, true, 1, false
	return r.hand(r.itemOf(whole))
}

// members reads the members of the top level.
func (r *streamReader) members() *Error {
	r.skim.consume(1)
	r.skim.around = 1
	seen := map[string]bool{}
	for first := true; ; first = false {
		done, err := r.next(first, '}', "a comma or }")
		if done || err != nil {
			return err
		}
		name, err := r.memberName()
		if err != nil {
			return err
		}
		value, err := r.member(name, !seen[name])
		if err != nil {
			return err
		}
		if seen[name] {
			r.top.repeated(name)
			continue
		}
		seen[name] = true
		r.note(name, value)
	}
}

// note takes from a member what it says about the body.
func (r *streamReader) note(name string, value []byte) {
	r.top.note(name, value)
	r.spec = r.spec || name == "spec_version"
	r.legacy = r.top.legacy && r.top.typ != nil && r.elementsCount()
}

// member reads a value and returns its beginning.
func (r *streamReader) member(name string, first bool) ([]byte, *Error) {
	if name == "objects" && r.skim.next('[') {
		return []byte("["), r.elements(first && r.elementsCount())
	}
	const escape = len(`\u0062`) // the longest spelling of a character
	value := keeper{limit: escape*(maxTypeLen+len("--")+uuidLen) + len(`""`) + 1}
	r.skim.part = &value
	err := r.skim.value()
	r.skim.part = nil
	return value.b, err
}

// memberName reads a name of the top level and its colon.
func (r *streamReader) memberName() (string, *Error) {
	if !r.skim.next('"') {
		return "", r.skim.unexpected("a member name")
	}
	name := keeper{limit: maxNames}
	r.skim.part = &name
	err := r.skim.string()
	r.skim.part = nil
	if err != nil {
		return "", err
	}
	if r.names += len(name.b); name.cut || r.names > maxNames {
		return "", namesTooLong()
	}
	return unquote(name.b), r.skim.colon()
}

// elements reads the list of objects; wanted says whether they are handed out.
func (r *streamReader) elements(wanted bool) *Error {
	r.skim.consume(1)
	r.skim.around++
	defer func() { r.skim.around-- }()
	for n := 0; ; n++ {
		done, err := r.next(n == 0, ']', "a comma or ]")
		if done || err != nil {
			return err
		}
		item, err := r.item(wanted)
		if err != nil && err.Pointer == "" && err != errStopped {
			err.Pointer = fmt.Sprintf("/objects/%d", n)
		}
		if err != nil {
			return err
		}
		if r.lim.Objects > 0 && n >= r.lim.Objects {
			return r.lim.tooMany()
		}
		if !wanted {
			continue
		}
		r.listed = true
		if r.count++; r.hand(item) != nil {
			return errStopped
		}
	}
}

// item reads one element.
func (r *streamReader) item(wanted bool) (Item, *Error) {
	if !wanted {
		return Item{}, r.skim.value()
	}
	if item, ok := r.inWindow(); ok {
		return item, nil
	}
	r.skim.part = r.part.emptied()
	err := r.skim.value()
	r.skim.part = nil
	if err != nil {
		return Item{}, err
	}
	return r.itemOf(&r.part), nil
}

// inWindow reads an element that lies in the window whole and is a good object, as most
// are. Nesting that limits allow to come near maxSkipDepth is left to the skimmer, which
// measures it.
func (r *streamReader) inWindow() (Item, bool) {
	s := &r.skim
	if r.lim.Depth+s.around > maxSkipDepth || !s.next('{') {
		return Item{}, false
	}
	r.element.reset(s.buf[:s.end], s.pos)
	o, fault := r.element.element()
	if fault != nil {
		return Item{}, false
	}
	s.pos = r.element.pos
	s.whole.add(o.raw)
	return Item{Raw: o.raw, Object: o}, true
}

// itemOf reads the object in bytes whose grammar is good.
func (r *streamReader) itemOf(k *keeper) Item {
	r.element.reset(k.b, 0)
	o, fault := r.element.element()
	if fault == nil {
		return Item{Raw: o.raw, Object: o}
	}
	if k.cut && (fault.Code == CodeNotJSON || fault.Code == CodeBadUTF8) {
		fault = r.lim.objectTooLarge() // the grammar is good: it was cut for its size
	}
	return Item{Raw: bytes.Clone(k.b[:min(len(k.b), r.lim.ObjectBytes)]), Err: fault}
}

// hand yields an item, or holds it back while it is not settled what the body is.
func (r *streamReader) hand(item Item) *Error {
	r.held = append(r.held, item)
	if r.free || r.settled() {
		r.release()
	}
	if r.stopped {
		return errStopped
	}
	return nil
}

// settled reports that elements are what they seem: see [Stream].
func (r *streamReader) settled() bool {
	const most = DefaultObjects
	return r.skim.whole.cut || len(r.held) >= most || r.spec && r.top.typ != nil
}

// release yields what is held back.
func (r *streamReader) release() {
	if r.free = true; r.legacy {
		markLegacy(r.held)
	}
	for _, item := range r.held {
		if !r.yield(item, nil) {
			r.stopped = true
			break
		}
	}
	clear(r.held)
	r.held = r.held[:0]
}

// lines reads the objects after the first.
func (r *streamReader) lines() (EnvelopeKind, *Error) {
	s := &r.skim
	s.around = 0
	kind := SingleObject
	for {
		s.space()
		c, ok := s.peek()
		if !ok {
			return kind, nil
		}
		if kind = Lines; c != '{' || s.previous() != '\n' {
			return kind, s.unexpected("the end, or an object on a new line,")
		}
		item, err := r.item(true)
		if err != nil {
			return kind, err
		}
		if r.count++; r.lim.Objects > 0 && r.count > r.lim.Objects {
			return kind, r.lim.tooMany()
		}
		if err := r.hand(item); err != nil {
			return kind, err
		}
	}
}

// next steps over white space and a comma to the next member or element; done means that
// the closing bracket was read.
func (r *streamReader) next(first bool, closing byte, want string) (done bool, err *Error) {
	s := &r.skim
	s.space()
	if s.take(closing) {
		return true, nil
	}
	if first {
		return false, nil
	}
	if !s.take(',') {
		return false, s.unexpected(want)
	}
	s.space()
	return false, nil
}

// end wants nothing but white space up to the end of the body.
func (r *streamReader) end() *Error {
	if r.skim.space(); r.skim.pos < r.skim.end {
		return r.skim.unexpected("the end")
	}
	return nil
}
