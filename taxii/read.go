package taxii

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// objects serves a page of a collection (TAXII 2.1 §5.4).
func (h *Handler) objects(x *exchange) error {
	q, err := h.query(x)
	if err != nil {
		return err
	}
	p, err := h.page(x, q)
	if err != nil {
		return err
	}
	return h.envelope(x, p)
}

// object serves the versions of one object (TAXII 2.1 §5.6).
func (h *Handler) object(x *exchange) error {
	q, err := h.query(x)
	if err != nil {
		return err
	}
	p, err := h.pageOf(x, q)
	if err != nil {
		return err
	}
	return h.envelope(x, p)
}

// versions lists the versions of one object (TAXII 2.1 §5.8).
func (h *Handler) versions(x *exchange) error {
	q, err := h.query(x)
	if err != nil {
		return err
	}
	q.Match.Version, q.WithoutBytes = []string{VersionAll}, true
	p, err := h.pageOf(x, q)
	if err != nil {
		return err
	}
	list := Versions{More: p.More, Versions: make([]string, len(p.Entries))}
	for i, e := range p.Entries {
		list.Versions[i] = e.Version
	}
	return h.records(x, p, list)
}

// manifest describes a page of a collection (TAXII 2.1 §5.3).
func (h *Handler) manifest(x *exchange) error {
	q, err := h.query(x)
	if err != nil {
		return err
	}
	q.WithoutBytes = true
	p, err := h.page(x, q)
	if err != nil {
		return err
	}
	list := Manifest{More: p.More, Objects: make([]ManifestRecord, len(p.Entries))}
	for i, e := range p.Entries {
		list.Objects[i] = ManifestRecord{ID: e.ID, DateAdded: e.Added, Version: e.Version, MediaType: e.mediaType()}
	}
	return h.records(x, p, list)
}

// query reads the parameters of a request that reads a collection.
func (h *Handler) query(x *exchange) (Query, error) {
	if !x.collection.CanRead {
		return Query{}, ErrForbidden
	}
	return ParseQuery(x.r.URL.RawQuery, h.config.PageLimit)
}

// page asks the backend, and notes what is to be released after the answer.
func (h *Handler) page(x *exchange, q Query) (Page, error) {
	p, err := h.backend.Objects(x.r.Context(), x.principal, x.collection.ID, q)
	if p.Release != nil {
		x.releases = append(x.releases, p.Release)
	}
	return p, err
}

// pageOf is a page of the object in the path; match[id] and match[type] have
// no meaning there and are ignored. An empty page is a 404 unless the object is
// there and the rest of the query passed it over.
func (h *Handler) pageOf(x *exchange, q Query) (Page, error) {
	q.Match.ID, q.Match.Type = []string{x.names.object}, nil
	p, err := h.page(x, q)
	if err != nil || len(p.Entries) > 0 || p.More {
		return p, err
	}
	whole, err := h.page(x, Query{
		Limit: 1, WithoutBytes: true,
		Match: Match{ID: q.Match.ID, Version: []string{VersionAll}},
	})
	if err == nil && len(whole.Entries) == 0 && !whole.More {
		err = errNoObject
	}
	return p, err
}

// added sets the headers that say when the first and the last entry of this
// page were added (TAXII 2.1 §3.2). An empty page has none.
func added(x *exchange, p Page) {
	if n := len(p.Entries); n > 0 {
		x.w.Header()["X-Taxii-Date-Added-First"] = []string{p.Entries[0].Added}
		x.w.Header()["X-Taxii-Date-Added-Last"] = []string{p.Entries[n-1].Added}
	}
}

// records sends a manifest or a list of versions.
func (h *Handler) records(x *exchange, p Page, list any) error {
	b, err := encode(list)
	if err != nil {
		return err
	}
	added(x, p)
	return h.parts(x, b)
}

// envelope sends the bytes of a page's objects (TAXII 2.1 §3.7).
func (h *Handler) envelope(x *exchange, p Page) error {
	added(x, p)
	if len(p.Entries) == 0 {
		return h.parts(x, opening(p), []byte("}"))
	}
	if p.Joined != nil {
		return h.parts(x, opening(p), p.Joined, []byte("]}"))
	}
	buffer := h.buffer(joinedSize(p))
	defer h.release(buffer)
	*buffer = append(*buffer, opening(p)...)
	for i, e := range p.Entries {
		if i > 0 {
			*buffer = append(*buffer, ',')
		}
		*buffer = append(*buffer, e.Bytes...)
	}
	*buffer = append(*buffer, "]}"...)
	return h.parts(x, *buffer)
}

// opening is an envelope up to its first object, or up to its last brace when
// it has none.
func opening(p Page) []byte {
	b := []byte{'{'}
	if p.More {
		b = append(b, `"more":true,`...)
	}
	if p.More && p.Next != "" {
		b = append(b, `"next":`...)
		b, _ = jsontext.AppendQuote(b, p.Next)
		b = append(b, ',')
	}
	if len(p.Entries) > 0 {
		return append(b, `"objects":[`...)
	}
	if len(b) > 1 {
		b = b[:len(b)-1]
	}
	return b
}

func joinedSize(p Page) int {
	size := 64 + len(p.Next)
	for _, e := range p.Entries {
		size += len(e.Bytes) + 1
	}
	return size
}

// parts sends a body that lies in several places, each in one Write so that
// large ones pass every buffer by. Long ones are compressed for who asks.
func (h *Handler) parts(x *exchange, parts ...[]byte) error {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if size >= minGzip && acceptsGzip(x.r.Header["Accept-Encoding"]) {
		return h.zipped(x, parts)
	}
	h.head(x, http.StatusOK, size)
	for _, part := range parts {
		if _, err := x.w.Write(part); err != nil {
			return nil // the client is gone, or asked for the head only
		}
	}
	return nil
}
