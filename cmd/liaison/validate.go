package main

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"

	"github.com/liaison-office/liaison/stix"
)

type validateCmd struct {
	Files []string `arg:"" name:"file" help:"Files or folders; - for standard input."`
	Mode  string   `enum:"admit,strict" default:"admit" help:"What an office's validation is set to: admit or strict."`
	Refs  bool     `help:"List what objects refer to and their file does not hold."`
}

// Help completes the help text.
func (validateCmd) Help() string {
	return "Reads STIX objects, bundles, TAXII envelopes and JSON lines of any length, plain or packed by gzip or zstd; of a folder every .json, .jsonl and .stix, packed or not. " +
		"Ends with 0 if nothing would be refused. Limits are an office's for one object (1 MiB, depth 64); a body has none here, since submit splits it.\n\n" +
		"With --json a list with one element for each object, on a line of its own, and for each file that is refused or skipped. If a file turns out to be broken, its last element says so: an office takes nothing of it."
}

// validated is what is said of one object, or of a file.
type validated struct {
	File     string         `json:"file"`
	Place    string         `json:"place,omitzero"` // of the object in the file
	ID       string         `json:"id,omitzero"`
	Refused  bool           `json:"refused"`
	Skipped  bool           `json:"skipped,omitzero"` // a file of a folder that holds no STIX
	Code     string         `json:"code,omitzero"`
	Pointer  string         `json:"pointer,omitzero"` // into the object
	Reason   string         `json:"reason,omitzero"`
	Findings []stix.Finding `json:"findings,omitzero"`
	Missing  []missing      `json:"missing,omitzero"` // with --refs
}

// missing is what objects refer to and the file does not hold.
type missing struct {
	ID   stix.ID   `json:"id"`
	From []stix.ID `json:"from"` // the first three
}

func (c *validateCmd) Run(a *app) error {
	if n := slices.Index(c.Files, "-"); n >= 0 && slices.Contains(c.Files[n+1:], "-") {
		return &usageError{"standard input (-) is named twice"}
	}
	p := newProgress(a)
	v := validation{validateCmd: c, a: a, report: newReport(a, stix.Mode(c.Mode), p), progress: p}
	others, err := files(c.Files, v.file)
	p.clear()
	if ended := v.report.end(others, err == nil); err == nil {
		err = ended // a result that was lost before is lost here again
	}
	if err != nil {
		return err
	}
	if v.report.all.refused+v.report.unreadable > 0 {
		return errSaid
	}
	return nil
}

// A validation goes through files one after another.
type validation struct {
	*validateCmd
	a        *app
	report   *report
	progress *progress
}

// A reading is one file being validated.
type reading struct {
	*validation
	name   string
	stream *stix.Stream
	beside stix.Gathering
	refs   stix.References
	n      int         // elements read
	last   *stix.Item  // not reported yet: only what follows says whether it is one of several
	held   []validated // refused and not reported yet: maybe there is no STIX at all
	found  bool        // some STIX was found
	legacy bool        // the body said that it is of STIX 2.0 before its first object was handed out
}

// maxHeld bounds the elements of a file of which none is like STIX.
const maxHeld = 10_000

// file validates one file. Only what ends the command is an error.
func (v *validation) file(f named) error {
	if f.err != nil {
		return v.unreadable(f.name, f.err)
	}
	name, inFolder := f.name, f.inFolder
	src, err := v.a.open(name)
	if v.a.ctx.Err() != nil {
		return v.a.ctx.Err()
	}
	if bad := (*fs.PathError)(nil); errors.As(err, &bad) && !inFolder {
		return err // a name that leads nowhere
	}
	if err != nil {
		return v.unreadable(name, err)
	}
	v.report.begin(name)
	defer src.close()
	head, _ := src.in.Peek(peeked)
	r := reading{validation: v, name: name, stream: stix.NewStream(v.progress.count(src.in), stix.Limits{})}
	err = r.read()
	switch {
	case v.a.ctx.Err() != nil:
		return v.a.ctx.Err()
	case err == nil && r.found:
		return r.finish()
	case err != nil && !isNoSTIX(err, head):
		return r.broken(err)
	case err == nil && r.n == 0:
		return r.finish() // an empty envelope or bundle
	}
	return v.noSTIX(name, inFolder, head, err)
}

// unreadable reports a file, or a folder in a folder, of which nothing was read.
func (v *validation) unreadable(name string, err error) error {
	v.report.begin(name)
	return v.report.broken(validated{File: name, Reason: fault(err)})
}

func fault(err error) string { return "it cannot be read: " + err.Error() }

func (r *reading) read() error {
	for item, err := range r.stream.Items() {
		if err == nil {
			err = r.a.ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := r.flush(); err != nil {
			return err
		}
		if r.last = &item; r.n == 0 {
			r.legacy = r.stream.Legacy()
		}
	}
	return r.flush()
}

// flush reports the element before the one in hand, or the last one.
func (r *reading) flush() error {
	if r.last == nil {
		return nil
	}
	said := r.judge(*r.last, r.place())
	like := r.last.Object != nil || likeSTIX(r.last)
	r.last, r.n = nil, r.n+1
	r.progress.objects++
	if r.found = r.found || like; !r.found && len(r.held) < maxHeld {
		r.held = append(r.held, said)
		return nil
	}
	r.found = true
	if err := r.release(); err != nil {
		return err
	}
	return r.report.object(said)
}

func (r *reading) release() error {
	for _, said := range r.held {
		if err := r.report.object(said); err != nil {
			return err
		}
	}
	r.held = nil
	return nil
}

// place names the element in the file, as pointer does. Of objects one after another only the
// first can be alone.
func (r *reading) place() string {
	kind := stix.Lines
	switch {
	case r.stream.Listed():
		kind = stix.Bundle
	case r.stream.Kind() == stix.SingleObject:
		kind = stix.SingleObject
	}
	return pointer(stix.Envelope{Kind: kind}, r.n, "")
}

// likeSTIX reports that a refused element is meant to be STIX: it is wrong in more than
// having no STIX type and no STIX id.
func likeSTIX(item *stix.Item) bool {
	switch item.Err.Code {
	case stix.CodeNotObject, stix.CodeNoType:
		return false
	case stix.CodeNoID, stix.CodeBadID:
		return idLikeSTIX.Match(item.Raw) || typeLikeSTIX(item.Raw)
	}
	return true
}

var (
	idLikeSTIX = regexp.MustCompile(`"id":"[^"]*--`)
	typeMember = regexp.MustCompile(`"type":"([a-z-]+)"`)
)

// typeLikeSTIX reports a type of STIX. Those of observables (file, url) are words that others
// use too.
func typeLikeSTIX(raw []byte) bool {
	m := typeMember.FindSubmatch(raw)
	if m == nil {
		return false
	}
	t := stix.TypeNamed(string(m[1]))
	return t != nil && t.Category != stix.SCO && t.Category != stix.Part
}

// judge says what an office would say of an element.
func (r *reading) judge(it stix.Item, where string) validated {
	said := validated{File: r.name, Place: where}
	if it.Err != nil {
		return said.refuse(it.Err.Code, it.Err.Pointer, it.Err.Reason)
	}
	said.ID, said.Findings = string(it.Object.ID()), it.Object.Findings()
	if r.Refs {
		r.refs.Add(it.Object)
	}
	var bad *stix.Error
	if errors.As(r.beside.Add(it.Object), &bad) {
		return said.refuse(bad.Code, bad.Pointer, bad.Reason)
	}
	if f, refused := stix.Mode(r.Mode).Refuses(said.Findings); refused {
		return said.refuse(f.Code, f.Pointer, f.Message)
	}
	return said
}

func (v validated) refuse(code, pointer, reason string) validated {
	v.Refused, v.Code, v.Pointer, v.Reason = true, code, pointer, reason
	return v
}

// finish reports what shows when a file was read: of the bundle, of translations, and of
// references.
func (r *reading) finish() error {
	f := r.stream.Findings()
	if r.stream.Legacy() && !r.legacy && r.n > 0 {
		f = append(f, lateLegacy)
	}
	if len(f) > 0 {
		if err := r.report.beside(validated{File: r.name, ID: "the bundle", Findings: f}); err != nil {
			return err
		}
	}
	for o, f := range r.beside.Findings() {
		if r.a.ctx.Err() != nil {
			break
		}
		if err := r.report.beside(validated{File: r.name, ID: string(o.ID()), Findings: []stix.Finding{f}}); err != nil {
			return err
		}
	}
	if err := r.a.ctx.Err(); err != nil || !r.Refs {
		return err
	}
	return r.report.missing(r.name, &r.refs)
}

// lateLegacy is what a stream cannot tell the objects of a long bundle.
var lateLegacy = stix.Finding{Level: stix.KnownDefect, Code: stix.FindSpecVersion, Pointer: "/spec_version", Section: "§3.2",
	Message: "the bundle says after its objects that it is of STIX 2.0: they were checked as what they look like; convert it with liaison upgrade"}

// broken reports a file that ends in an error. An office would take nothing of it.
func (r *reading) broken(err error) error {
	r.found = true
	if err := r.flush(); err != nil {
		return err
	}
	if err := r.release(); err != nil {
		return err
	}
	said := validated{File: r.name, Reason: fault(err)}
	if bad := (*stix.Error)(nil); errors.As(err, &bad) {
		said.Code, said.Pointer, said.Reason = bad.Code, bad.Pointer, bad.Reason
	}
	return r.report.broken(said)
}

// isNoSTIX reports that a body is JSON, but nothing of STIX. A list that holds STIX is one
// in the wrong form.
func isNoSTIX(err error, head []byte) bool {
	var bad *stix.Error
	return errors.As(err, &bad) && bad.Code == stix.CodeBadEnvelope && bad.Pointer == "" && !stixID.Match(head)
}

// stixID finds the id of an object at the beginning of a body.
var stixID = regexp.MustCompile(`^\s*\[[^\x00]*"id"\s*:\s*"[a-z0-9-]+--[0-9a-fA-F]{8}-`)

// mispEvent tells an export of MISP in its own format.
var mispEvent = regexp.MustCompile(`^\s*(\{\s*"response"\s*:\s*)?[\[\s]*\{\s*"Event"\s*:`)

// noSTIX reports a file without any STIX: in a folder it is passed over.
func (v *validation) noSTIX(name string, inFolder bool, head []byte, err error) error {
	said := validated{File: name, Skipped: inFolder, Refused: !inFolder, Reason: "it is JSON but no STIX: no object in it has a type and an id such as note--UUID"}
	if err != nil {
		said.Code = stix.CodeBadEnvelope
		said.Reason = "it is JSON but no STIX: neither a bundle, nor a TAXII envelope, nor an object with type and id"
	}
	if mispEvent.Match(head) {
		said.Reason = "it is an event in the format of MISP, not STIX: export it from MISP as STIX 2.1"
	}
	if inFolder {
		return v.report.skipped(said)
	}
	return v.report.broken(said)
}
