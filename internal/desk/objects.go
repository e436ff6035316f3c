package desk

import (
	"slices"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// Filter narrows a page as TAXII 2.1 §3.4 says: values of one field are
// alternatives, fields combine. The zero Filter shows the newest version of
// every object.
type Filter struct {
	IDs          []string
	Types        []string
	Versions     []string // first, last, all, or instants
	SpecVersions []string
}

// plain reports that the filter shows what is in sight and nothing else, so
// that a page is one contiguous read.
func (f *Filter) plain() bool {
	return len(f.IDs) == 0 && len(f.Types) == 0 && len(f.SpecVersions) == 0 &&
		(len(f.Versions) == 0 || (len(f.Versions) == 1 && f.Versions[0] == "last"))
}

func (d *Desk) readObjects(s store.View, q Query, page *Page) error {
	from, limit, err := start(s, q)
	if err != nil {
		return err
	}
	if d.pages == nil || !q.Filter.plain() || q.WithoutBytes {
		return d.readEntries(s, q, from, limit, page)
	}
	k := pageKey{q.Collection, from, limit}
	ok, keep, err := d.pages.find(s, k, page)
	if ok || err != nil {
		return err
	}
	if err := d.readEntries(s, q, from, limit, page); err != nil || !keep {
		return err
	}
	return d.pages.keep(s, k, page)
}

func (d *Desk) readEntries(s store.View, q Query, from uint64, limit int, page *Page) (err error) {
	p := pager{s: s, q: &q, page: page, limit: limit}
	page.Entries = make([]Entry, 0, min(limit, MaxPage))
	if !q.WithoutBytes {
		page.buffer, _ = d.buffers.Get().(*[]byte)
		if page.buffer == nil {
			page.buffer = new([]byte)
		}
		page.Joined, page.buffers = (*page.buffer)[:0], &d.buffers
	}
	if len(q.Filter.IDs) > 0 {
		err = findAll(s, q, from, p.take)
	} else {
		err = s.Range(q.Collection, from, store.MaxEntries, store.Bytes, p.take)
	}
	p.cut()
	if err == nil && page.More {
		page.Generation, err = generation(s, q.Collection)
	}
	return err
}

func generation(s store.View, c liaison.CollectionID) (uint32, error) {
	pos, err := s.Position(c)
	return max(pos.Generation, 1), err
}

// pager collects the entries of a page: their bytes into one buffer, as they
// will be sent.
type pager struct {
	s     store.View
	q     *Query
	page  *Page
	limit int
	ends  []int // of each entry's bytes in page.Joined
}

func (p *pager) take(e *store.Entry) error {
	show, err := shows(p.s, p.q.Collection, &p.q.Filter, e)
	if err != nil || !show {
		return err
	}
	page := p.page
	if len(page.Entries) == p.limit {
		page.More, page.Next = true, e.Index
		return store.Stop
	}
	page.Entries = append(page.Entries, Entry{Index: e.Index, Added: e.Added, ID: e.ID, Version: e.Version, Type: e.Type})
	if p.q.WithoutBytes {
		return nil
	}
	if len(page.Joined) > 0 {
		page.Joined = append(page.Joined, ',')
	}
	page.Joined = append(page.Joined, e.Bytes...)
	p.ends = append(p.ends, len(page.Joined))
	return nil
}

// cut gives each entry its part of the buffer, which no longer moves.
func (p *pager) cut() {
	begin := 0
	for i, end := range p.ends {
		p.page.Entries[i].Bytes = p.page.Joined[begin:end:end]
		begin = end + 1
	}
}

// findAll walks the entries of the filter's ids in index order.
func findAll(s store.View, q Query, from uint64, take func(*store.Entry) error) error {
	var indexes []uint64
	ids := slices.Clone(q.Filter.IDs)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		err := s.Find(q.Collection, id, store.Meta, func(e *store.Entry) error {
			if e.Index >= from {
				indexes = append(indexes, e.Index)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(indexes)
	for _, i := range indexes {
		stopped := false
		err := s.Range(q.Collection, i, i+1, store.Bytes, func(e *store.Entry) error {
			err := take(e)
			stopped = err == store.Stop
			return err
		})
		if err != nil || stopped {
			return err
		}
	}
	return nil
}

func start(s store.View, q Query) (from uint64, limit int, err error) {
	limit = q.Limit
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	if from = q.From; q.Generation != 0 {
		g, err := generation(s, q.Collection)
		if err != nil {
			return 0, 0, err
		}
		if g != q.Generation { // entries that followed From were lost; those that came since are later
			from, q.AddedAfter = 0, max(q.AddedAfter, q.Seen)
		}
	}
	if !q.AddedAfter.IsZero() {
		after, err := s.IndexAfter(q.Collection, q.AddedAfter)
		if err != nil {
			return 0, 0, err
		}
		from = max(from, after)
	}
	return from, limit, nil
}

// shows reports whether an entry matches the filter.
func shows(s store.View, c liaison.CollectionID, f *Filter, e *store.Entry) (bool, error) {
	if e.ID == "" || len(e.Bytes) == 0 {
		return false, nil
	}
	if f.plain() {
		return !e.Hidden, nil
	}
	if len(f.Types) > 0 && !slices.Contains(f.Types, e.Type) {
		return false, nil
	}
	if len(f.IDs) > 0 && !slices.Contains(f.IDs, e.ID) {
		return false, nil
	}
	if len(f.SpecVersions) > 0 && !specVersion(f.SpecVersions, e.Bytes) {
		return false, nil
	}
	return showsVersion(s, c, f.Versions, e)
}

func specVersion(want []string, object []byte) bool {
	o, err := stix.Parse(slices.Clone(object), stix.DefaultLimits())
	if err != nil {
		return false
	}
	v := o.SpecVersion()
	if v == "" {
		v = "2.1"
	}
	return slices.Contains(want, v)
}

// showsVersion applies match[version]. Of several acts for one version only
// the winner is ever shown.
func showsVersion(s store.View, c liaison.CollectionID, versions []string, e *store.Entry) (bool, error) {
	if len(versions) == 0 {
		return !e.Hidden, nil
	}
	lost, err := lost(s, c, e)
	if err != nil || lost {
		return false, err
	}
	for _, v := range versions {
		switch v {
		case "all":
			return true, nil
		case "last":
			if !e.Hidden {
				return true, nil
			}
		case "first":
			if first, err := isFirst(s, c, e); err != nil || first {
				return first, err
			}
		default:
			if cmp, err := stix.CompareInstants(v, e.Version); err == nil && cmp == 0 {
				return true, nil
			}
		}
	}
	return false, nil
}

// lost reports whether an entry lost to another act for the same version: that
// one hides it, not a later version. Of an object that does not say its version,
// another act for the same contents is no version of its own.
func lost(s store.View, c liaison.CollectionID, e *store.Entry) (lost bool, err error) {
	if !e.Hidden {
		return false, nil
	}
	part := store.Meta
	if e.Kind == liaison.KindAgain {
		part = store.Bytes
	}
	err = s.Range(c, e.By, e.By+1, part, func(o *store.Entry) error {
		lost = compareVersions(o, e) == 0 || part == store.Bytes && journal.Equal(o.Bytes, e.Bytes)
		return nil
	})
	return lost, err
}

// isFirst reports whether no entry of the object has an earlier version.
func isFirst(s store.View, c liaison.CollectionID, e *store.Entry) (first bool, err error) {
	first = true
	err = s.Find(c, e.ID, store.Bytes, func(o *store.Entry) error {
		if compareVersions(o, e) >= 0 {
			return nil
		}
		if lost, err := lost(s, c, o); err != nil || lost {
			return err
		}
		first = false
		return store.Stop
	})
	return first, err
}

func compareVersions(a, b *store.Entry) int {
	order, err := stix.CompareInstants(a.Version, b.Version)
	if err != nil {
		return strings.Compare(a.Version, b.Version)
	}
	return order
}
