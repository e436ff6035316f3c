package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/stix"
)

// Options are what an officer decides about a note made from a page.
type Options struct {
	At         time.Time     // when the page was captured; required
	Author     liaison.Party // created_by_ref of what the officer's party makes; optional
	AuthorName string        // if set, the bundle holds an identity for Author
	Marking    stix.TLP      // of everything in the note; Clear if unset: published news
	Name       string        // name of the file the page came in; optional
	// Zones are IANA names by language (uk, en, …), for pages that print no
	// zone; they replace what ReadText assumed. Optional.
	Zones map[string]string
}

// MaxTextBytes bounds the text of an article: the note that carries it is one
// STIX object, and those are limited to stix.DefaultObjectBytes.
const MaxTextBytes = stix.DefaultObjectBytes / 2

// ExtEvidence is our property-extension that carries capture, extraction and
// spans (docs/schemas/evidence-1.json).
const ExtEvidence stix.ID = "extension-definition--7e9b0bd1-5b0c-4c0e-9d0b-0b6c2f3f6f11"

// projectIdentity is the creator of ExtEvidence, the same in every bundle.
const projectIdentity stix.ID = "identity--3a0d1a86-6b39-4a5c-8a3f-6a1de41c0f7d"

// namespace is that of the ids of a note graph: UUIDv5 over the digest of the
// page and the part an object plays.
var namespace = [16]byte{0x1f, 0x6d, 0x0c, 0x52, 0x9a, 0x0e, 0x4b, 0x6c, 0x8b, 0x6a, 0x40, 0x51, 0x5e, 0x2d, 0x7a, 0x90}

// fixed is the date of the objects that are the same in every bundle.
const fixed = "2026-01-01T00:00:00.000Z"

// Bundle makes the note graph of the article as a STIX 2.1 bundle. raw are the
// bytes ReadText read. The same bytes and options give the same bundle; ids
// depend on the bytes alone.
func (a *Article) Bundle(raw []byte, opt Options) ([]byte, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	for _, b := range a.Body {
		if b.End > len(raw) || string(raw[b.Start:b.End]) != b.Exact {
			return nil, fmt.Errorf("line %d: these are not the bytes the article was read from", b.Line)
		}
	}
	if opt.Marking == stix.Unmarked {
		opt.Marking = stix.Clear
	}
	published, err := a.Published.in(opt.Zones[a.Language], a.Language)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	g := &graph{a: a, published: published, raw: raw, opt: opt, digest: hex.EncodeToString(sum[:]), at: opt.At.UTC().Format("2006-01-02T15:04:05.000Z")}
	if err := g.build(); err != nil {
		return nil, err
	}
	return stix.BuildBundle(g.id("bundle", ""), g.objects), nil
}

func (opt Options) check() error {
	switch {
	case opt.At.IsZero():
		return fmt.Errorf("the instant of capture is missing")
	case opt.Author != "" && opt.Author.Type() != "identity":
		return fmt.Errorf("the author %.80q is not the id of an identity", opt.Author)
	case opt.Author == "" && opt.AuthorName != "":
		return fmt.Errorf("the author %.80q has a name but no id", opt.AuthorName)
	case opt.Marking.Marking() == "" && opt.Marking != stix.Unmarked:
		return fmt.Errorf("no TLP level %d", opt.Marking)
	}
	return nil
}

// in returns p in a zone an officer chose instead of an assumed one.
func (p Published) in(zone, lang string) (Published, error) {
	if zone == "" || !p.Assumed || !p.Found() {
		return p, nil
	}
	p.Zone, p.Basis = zone, "the page prints no zone; chosen for pages in its language ("+lang+")"
	return p, p.resolve()
}

// object is a STIX object while it is made.
type object map[string]any

// graph is a note graph while it is made.
type graph struct {
	a         *Article
	published Published // of a, in the zone of opt
	raw       []byte
	opt       Options
	digest    string // SHA-256 of raw, hexadecimal
	at        string
	objects   []*stix.Object
	refs      []stix.ID // what the report refers to
	err       error
}

func (g *graph) id(typ, part string) stix.ID {
	return stix.DeterministicID(typ, namespace, g.digest+"\x00"+typ+"\x00"+part)
}

// add appends an object; the first error stays.
func (g *graph) add(o object) stix.ID {
	id, _ := o["id"].(stix.ID)
	obj, err := stix.Parse(liaison.JCS(o), stix.DefaultLimits())
	if err != nil && g.err == nil {
		g.err = fmt.Errorf("%s: %w", id, err)
	}
	if err == nil {
		g.objects = append(g.objects, obj)
	}
	return id
}

// sdo fills the properties every object of the note has.
func (g *graph) sdo(typ, part string, more object) object {
	o := object{
		"type": typ, "spec_version": "2.1", "id": g.id(typ, part), "created": g.at, "modified": g.at,
		"object_marking_refs": []stix.ID{g.opt.Marking.Marking()},
	}
	if g.opt.Author != "" {
		o["created_by_ref"] = g.opt.Author
	}
	for k, v := range more {
		o[k] = v
	}
	return o
}

// sco fills the properties of an observable; its id follows from its
// contributing properties (STIX 2.1 §2.9).
func (g *graph) sco(typ string, contributing, more object) object {
	o := object{
		"type": typ, "spec_version": "2.1", "id": stix.SCOID(typ, liaison.JCS(contributing)),
		"object_marking_refs": []stix.ID{g.opt.Marking.Marking()},
	}
	for _, m := range []object{contributing, more} {
		for k, v := range m {
			o[k] = v
		}
	}
	return o
}

func (g *graph) build() error {
	g.constants()
	g.identities()
	captured := g.capture()
	report := g.report(captured)
	g.note(report)
	return g.err
}

// constants are the markings and the definition of our extension, which is
// public whatever the note is: it must be the same object in every bundle.
func (g *graph) constants() {
	for _, m := range stix.TLPMarkings() {
		if m.ID() == g.opt.Marking.Marking() || m.ID() == stix.Clear.Marking() {
			g.objects = append(g.objects, m)
		}
	}
	clear := []stix.ID{stix.Clear.Marking()}
	g.add(object{
		"type": "identity", "spec_version": "2.1", "id": projectIdentity, "created": fixed, "modified": fixed,
		"name": "liaison", "identity_class": "system", "object_marking_refs": clear,
	})
	g.add(object{
		"type": "extension-definition", "spec_version": "2.1", "id": ExtEvidence, "created": fixed, "modified": fixed,
		"created_by_ref": projectIdentity, "object_marking_refs": clear, "name": "liaison evidence", "version": "1.0.0",
		"description":     "Capture, extraction and spans of a note made from a page: every statement points to bytes of the page.",
		"schema":          "https://github.com/liaison-office/liaison/blob/main/docs/schemas/evidence-1.json",
		"extension_types": []string{"property-extension"},
	})
}

// identities are the author, if named, the publisher and the cited sources.
func (g *graph) identities() {
	if g.opt.AuthorName != "" && g.opt.Author != "" {
		o := g.sdo("identity", "author", object{"id": g.opt.Author, "name": g.opt.AuthorName, "identity_class": "organization"})
		g.refs = append(g.refs, g.add(o))
	}
	if g.a.Publisher != "" {
		g.refs = append(g.refs, g.add(g.sdo("identity", "publisher", object{
			"name": g.a.Publisher, "identity_class": "organization", "description": "Publisher of the captured page.",
		})))
	}
	for _, s := range g.a.Sources {
		g.refs = append(g.refs, g.add(g.sdo("identity", "source "+s.Name, object{
			"name": s.Name, "identity_class": "organization", "description": "Source cited by the page.",
		})))
	}
}

// capture is what was observed: the bytes, the links on them and the counters
// of the site.
func (g *graph) capture() stix.ID {
	hashes := object{"hashes": object{"SHA-256": g.digest}}
	file := g.add(g.sco("file", hashes, object{"size": len(g.raw), "mime_type": "text/plain"}))
	observed := []stix.ID{file}
	seen := map[string]bool{}
	for _, l := range g.a.Links {
		if !seen[l.URL] {
			seen[l.URL] = true
			observed = append(observed, g.add(g.sco("url", object{"value": l.URL}, nil)))
		}
	}
	data := g.add(g.sdo("observed-data", "capture", object{
		"first_observed": g.at, "last_observed": g.at, "number_observed": 1, "object_refs": observed,
		"extensions": g.extension(object{"capture": g.captureRecord(), "counters": g.counters()}),
	}))
	g.refs = append(g.refs, append(observed, data)...)
	return data
}

// extension is the evidence extension with the members that hold something.
func (g *graph) extension(members object) object {
	ext := object{"extension_type": "property-extension"}
	for k, v := range members {
		if list, ok := v.([]object); ok && len(list) == 0 {
			continue
		}
		ext[k] = v
	}
	return object{string(ExtEvidence): ext}
}

func (g *graph) captureRecord() object {
	c := object{"method": "text", "captured_at": g.at, "sha256": g.digest, "size": len(g.raw)}
	if g.opt.Name != "" {
		c["name"] = g.opt.Name
	}
	return c
}

func (g *graph) counters() []object {
	var list []object
	for _, c := range g.a.Counters {
		list = append(list, object{"kind": string(c.Kind), "value": c.Value, "basis": c.Basis, "span": span(c.Span)})
	}
	return list
}

// span is a place in the page: bytes [start, end) of the captured file.
func span(s Span) object {
	return object{"line": s.Line, "start": s.Start, "end": s.End, "exact": s.Exact}
}

func (g *graph) report(captured stix.ID) stix.ID {
	r := g.sdo("report", "", object{
		"name": g.a.Title, "report_types": []string{"open-source-report"}, "object_refs": g.refs,
		"external_references": g.references(), "extensions": g.extension(object{"extraction": g.extraction()}),
		"published": g.at,
	})
	if g.a.Title == "" {
		r["name"] = "Page without a title"
	}
	if !g.published.Instant.IsZero() {
		r["published"] = g.published.Instant.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if g.a.Lede != "" {
		r["description"] = g.a.Lede
	}
	if g.a.Language != "" {
		r["lang"] = g.a.Language
	}
	if labels := g.labels(); len(labels) > 0 {
		r["labels"] = labels
	}
	return g.add(r)
}

func (g *graph) labels() []string {
	var labels []string
	for _, t := range g.a.Tags {
		labels = append(labels, t.Text)
	}
	return labels
}

// references name the page by its digest, for it has no address of its own
// here, and the sources it cites.
func (g *graph) references() []object {
	page := object{"source_name": "captured page", "description": "the page as pasted; it carries no address of its own", "hashes": object{"SHA-256": g.digest}}
	if g.a.Publisher != "" {
		page["source_name"] = g.a.Publisher
	}
	list := []object{page}
	for _, s := range g.a.Sources {
		list = append(list, object{"source_name": s.Name, "description": "source named by the page: " + s.Cue})
	}
	return list
}

// extraction says how the findings were made, each with its span.
func (g *graph) extraction() object {
	e := object{"engine": Engine, "body": spans(g.a.Body), "left_out": leftOut(g.a), "left_out_lines": len(g.a.Related) + len(g.a.Promo) + len(g.a.Chrome)}
	put := func(name string, s Span) {
		if s.Found() {
			e[name] = span(s)
		}
	}
	w := g.a.Where
	put("title", w.Title)
	put("lede", w.Lede)
	put("publisher", w.Publisher)
	put("author", w.Author)
	put("credit", w.Credit)
	put("caption", w.Caption)
	if w.PublisherBasis != "" {
		e["publisher_basis"] = w.PublisherBasis
	}
	e["published_from"] = "capture"
	if p := g.published; p.Found() {
		e["published_from"] = "page"
		e["published"] = object{
			"span": span(p.Span), "local": p.Local, "zone": p.Zone, "zone_assumed": p.Assumed, "zone_basis": p.Basis, "precision": p.Precision,
		}
	}
	var sources []object
	for _, s := range g.a.Sources {
		sources = append(sources, object{"name": s.Name, "cue": s.Cue, "identity_ref": g.id("identity", "source "+s.Name), "span": span(s.Span)})
	}
	if sources != nil {
		e["sources"] = sources
	}
	var tags []object
	for _, t := range g.a.Tags {
		tags = append(tags, object{"text": t.Text, "certainty": string(t.Certainty), "span": span(t.Span)})
	}
	if tags != nil {
		e["tags"] = tags
	}
	return e
}

func spans(blocks []Block) []object {
	list := []object{}
	for _, b := range blocks {
		list = append(list, object{"line": b.Line, "start": b.Start, "end": b.End})
	}
	return list
}

// maxLeftOut bounds the lines that are listed as left out; left_out_lines
// counts them all.
const maxLeftOut = 1000

func leftOut(a *Article) []object {
	list := []object{}
	for _, blocks := range [][]Block{a.Related, a.Promo, a.Chrome} {
		for _, b := range blocks {
			if len(list) < maxLeftOut {
				list = append(list, object{"line": b.Line, "start": b.Start, "end": b.End, "reason": b.Reason})
			}
		}
	}
	return list
}

// note holds the paragraphs, verbatim.
func (g *graph) note(report stix.ID) stix.ID {
	var text []string
	for _, b := range g.a.Body {
		text = append(text, b.Text)
	}
	n := g.sdo("note", "", object{
		"content": strings.Join(text, "\n\n"), "object_refs": []stix.ID{report},
		"extensions": g.extension(object{"sha256": g.digest, "paragraphs": spans(g.a.Body)}),
	})
	if g.a.Title != "" {
		n["abstract"] = g.a.Title
	}
	if g.a.Language != "" {
		n["lang"] = g.a.Language
	}
	return g.add(n)
}
