package taxii

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Where discovery is (TAXII 2.1 §4.1: fixed) and the one API root.
const (
	DiscoveryPath = "/taxii2/"
	RootPath      = "/taxii2/root/"
)

// Route is a method and a path pattern that the handler serves. Segments in
// braces stand for any text: {collection}, {object}, {status}.
type Route struct{ Method, Pattern string }

// Routes lists every route of a Handler, in the order of the specification.
func Routes() []Route {
	var all []Route
	for _, rt := range routes() {
		for _, m := range rt.methods {
			all = append(all, Route{m.name, rt.pattern})
		}
	}
	return all
}

type route struct {
	pattern  string
	segments []string
	methods  []method
	open     bool // answers without credentials where Config.OpenDiscovery says so
}

type method struct {
	name  string
	write bool
	serve func(*Handler, *exchange) error
}

// routes builds the table the handler dispatches by.
func routes() []route {
	read := func(f func(*Handler, *exchange) error) []method {
		return []method{{name: http.MethodGet, serve: f}, {name: http.MethodHead, serve: f}}
	}
	const collection = RootPath + "collections/{collection}/"
	table := []route{
		{pattern: DiscoveryPath, open: true, methods: read((*Handler).discovery)},
		{pattern: RootPath, open: true, methods: read((*Handler).root)},
		{pattern: RootPath + "status/{status}/", methods: read((*Handler).status)},
		{pattern: RootPath + "collections/", open: true, methods: read((*Handler).collections)},
		{pattern: collection, methods: read((*Handler).collection)},
		{pattern: collection + "manifest/", methods: read((*Handler).manifest)},
		{pattern: collection + "objects/", methods: append(read((*Handler).objects),
			method{name: http.MethodPost, write: true, serve: (*Handler).add})},
		{pattern: collection + "objects/{object}/", methods: read((*Handler).object)},
		{pattern: collection + "objects/{object}/versions/", methods: read((*Handler).versions)},
	}
	for i := range table {
		table[i].segments = segmentsOf(table[i].pattern)
	}
	return table
}

// segmentsOf splits a path; the slash at its end does not count.
func segmentsOf(path string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
}

// names are what the braces of a pattern stood for.
type names struct{ collection, object, status string }

// match returns the route of a path as it came, percent-encoding and all, so
// that an encoded slash stays inside its segment. nil if there is none.
func match(table []route, escapedPath string) (*route, names) {
	if !strings.HasPrefix(escapedPath, "/") {
		return nil, names{}
	}
	got := segmentsOf(escapedPath)
	for i := range table {
		if n, ok := table[i].match(got); ok {
			return &table[i], n
		}
	}
	return nil, names{}
}

func (rt *route) match(got []string) (n names, ok bool) {
	if len(got) != len(rt.segments) {
		return n, false
	}
	for i, want := range rt.segments {
		into := n.of(want)
		if into == nil && got[i] != want {
			return n, false
		}
		if into == nil {
			continue
		}
		text, err := url.PathUnescape(got[i])
		if err != nil || text == "" {
			return n, false
		}
		*into = text
	}
	return n, true
}

// of returns where the text of a segment in braces goes; nil for plain segments.
func (n *names) of(segment string) *string {
	switch segment {
	case "{collection}":
		return &n.collection
	case "{object}":
		return &n.object
	case "{status}":
		return &n.status
	}
	return nil
}

// method returns how the route serves a method; nil if it does not.
func (rt *route) method(name string) *method {
	i := slices.IndexFunc(rt.methods, func(m method) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return &rt.methods[i]
}

// allow is the value of the Allow header.
func (rt *route) allow() string {
	var all []string
	for _, m := range rt.methods {
		all = append(all, m.name)
	}
	return strings.Join(all, ", ")
}
