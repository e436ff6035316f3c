package taxii

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
)

// ErrNoProgress is a server that says more follows and leads nowhere new.
var ErrNoProgress = errors.New("the server says more follows but does not lead on")

// maxEmptyPages bounds how many pages in a row may hold nothing and say more.
const maxEmptyPages = 100

// Objects reads the pages of a collection that q leads to, oldest first, until
// the server has no more. It follows next with the filters unchanged; without
// next it goes on from X-TAXII-Date-Added-Last. An object comes twice only if
// the server sends it twice. It ends with the first error.
func (c *Client) Objects(ctx context.Context, root, collection string, q Query) iter.Seq2[Envelope, error] {
	from := endpoint{c, root, collection, "objects", ""}
	return pages(ctx, from, q, func(e *Envelope, h http.Header) position {
		e.AddedFirst, e.AddedLast = dates(h)
		return position{e.More, e.Next, e.AddedLast, len(e.Objects)}
	})
}

// Manifest reads the pages of a collection's manifest, as Objects does.
func (c *Client) Manifest(ctx context.Context, root, collection string, q Query) iter.Seq2[Manifest, error] {
	from := endpoint{c, root, collection, "manifest", ""}
	return pages(ctx, from, q, func(m *Manifest, h http.Header) position {
		m.AddedFirst, m.AddedLast = dates(h)
		return position{m.More, "", m.AddedLast, len(m.Objects)}
	})
}

// Versions reads the pages of the versions of one object, as Objects does.
func (c *Client) Versions(ctx context.Context, root, collection, object string, q Query) iter.Seq2[Versions, error] {
	from := endpoint{c, root, collection, "objects", object}
	return pages(ctx, from, q, func(v *Versions, h http.Header) position {
		v.AddedFirst, v.AddedLast = dates(h)
		return position{v.More, "", v.AddedLast, len(v.Versions)}
	})
}

func dates(h http.Header) (first, last string) {
	return h.Get("X-TAXII-Date-Added-First"), h.Get("X-TAXII-Date-Added-Last")
}

// position is where a page leaves its reader.
type position struct {
	more  bool
	next  string
	last  string // X-TAXII-Date-Added-Last
	count int
}

// endpoint is what is read page by page.
type endpoint struct {
	client     *Client
	root       string
	collection string
	kind       string // objects or manifest
	object     string // whose versions; "" for the whole collection
}

func (e endpoint) address() string {
	if e.object == "" {
		return under(e.root, "collections", e.collection, e.kind)
	}
	return under(e.root, "collections", e.collection, e.kind, e.object, "versions")
}

// pages reads an endpoint until it says that nothing follows. read completes a
// page from its headers and says where it ends.
func pages[P any](ctx context.Context, from endpoint, q Query, read func(*P, http.Header) position) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		w := walk{params: q.Values()}
		for {
			var page P
			header, err := from.client.get(ctx, from.address(), w.params, &page)
			if errors.Is(err, ErrNotFound) && from.isEmpty(ctx, w.pages) {
				return
			}
			if err != nil {
				yield(page, err)
				return
			}
			at := read(&page, header)
			if !yield(page, nil) || !at.more {
				return
			}
			if err := w.advance(at); err != nil {
				yield(*new(P), fmt.Errorf("%s: %w", from.address(), err))
				return
			}
		}
	}
}

// isEmpty reports whether a 404 is how an older server says that there is
// nothing: the collection itself is there. An object that was never found is
// missing.
func (e endpoint) isEmpty(ctx context.Context, read int) bool {
	if e.object != "" && read == 0 {
		return false
	}
	_, err := e.client.Collection(ctx, e.root, e.collection)
	return err == nil
}

// walk keeps the parameters of the next request and what shows that it leads on.
type walk struct {
	params url.Values
	pages  int // read so far
	empty  int // in a row
}

func (w *walk) advance(at position) error {
	w.pages++
	if at.count > 0 {
		w.empty = 0
	} else if w.empty++; w.empty > maxEmptyPages {
		return fmt.Errorf("%w: %d empty pages", ErrNoProgress, w.empty)
	}
	if at.next != "" {
		if at.next == w.params.Get("next") {
			return fmt.Errorf("%w: the same next again", ErrNoProgress)
		}
		w.params.Set("next", at.next)
		return nil
	}
	return w.advanceByDate(at.last)
}

func (w *walk) advanceByDate(last string) error {
	t, err := ParseTimestamp(last)
	if err != nil {
		return fmt.Errorf("%w: no next, and X-TAXII-Date-Added-Last %.60q: %w", ErrNoProgress, last, err)
	}
	before, err := ParseTimestamp(w.params.Get("added_after"))
	if err == nil && !t.After(before) {
		return fmt.Errorf("%w: X-TAXII-Date-Added-Last stays at %s", ErrNoProgress, FormatTimestamp(t))
	}
	w.params.Del("next")
	w.params.Set("added_after", FormatTimestamp(t))
	return nil
}
