package taxii_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// memory is a faithful small Backend: collections with an order and dates of
// their own, sealed cursors, statuses only their owner reads.
type memory struct {
	mu          sync.Mutex
	now         func() time.Time
	key         []byte
	accounts    []*account
	collections []*shelf
	statuses    map[string]owned
	pending     bool  // Add leaves statuses pending until the next look
	fail        error // what Objects, Add and Collections answer, if set
}

type account struct {
	name, password, token string
	read, write           []string // collection ids
	withdraws             []string // collections into which Add takes what it adds, and nothing shows them
}

type shelf struct {
	taxii.Collection
	entries []entry
}

type entry struct {
	taxii.Entry
	spec string
}

type owned struct {
	by     *account
	status taxii.Status
}

// The collections and accounts every test starts with.
const (
	open   = "11111111-1111-4111-8111-111111111111" // public, alias "open"
	cyber  = "22222222-2222-4222-8222-222222222222" // alias "cyber"
	secret = "33333333-3333-4333-8333-333333333333" // alias "secret"
	drop   = "44444444-4444-4444-8444-444444444444" // hana may write and not read
	absent = "55555555-5555-4555-8555-555555555555"
)

func newMemory() *memory {
	m := &memory{now: time.Now, key: []byte("a key of this test"), statuses: map[string]owned{}}
	for _, c := range [][2]string{{open, "open"}, {cyber, "cyber"}, {secret, "secret"}, {drop, "drop"}} {
		m.collections = append(m.collections, &shelf{Collection: taxii.Collection{ID: c[0], Alias: c[1], Title: "Notes: " + c[1]}})
	}
	m.accounts = []*account{
		{name: "", read: []string{open}},
		{name: "hana", password: "correct horse", token: "hana-token", read: []string{open, cyber}, write: []string{cyber, drop}},
		{name: "marko", password: "battery", token: "marko-token", read: []string{open, cyber, secret}, write: []string{open, cyber, secret}},
	}
	return m
}

func (m *memory) Authenticate(_ context.Context, c taxii.Credentials) (taxii.Principal, error) {
	for _, a := range m.accounts {
		if c.Anonymous() && a.name == "" || c.Token != "" && c.Token == a.token ||
			c.User != "" && c.User == a.name && c.Password == a.password {
			return a, nil
		}
	}
	return nil, fmt.Errorf("account %q: %w", c.User, taxii.ErrUnauthorized)
}

func (m *memory) Collections(_ context.Context, p taxii.Principal) ([]taxii.Collection, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []taxii.Collection
	for _, s := range m.collections {
		if c, ok := s.seenBy(p.(*account)); ok {
			all = append(all, c)
		}
	}
	return all, m.fail
}

func (m *memory) Collection(_ context.Context, p taxii.Principal, idOrAlias string) (taxii.Collection, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.collections {
		if c, ok := s.seenBy(p.(*account)); ok && (c.ID == idOrAlias || c.Alias == idOrAlias) {
			return c, nil
		}
	}
	return taxii.Collection{}, fmt.Errorf("collection %q: %w", idOrAlias, taxii.ErrNotFound)
}

func (s *shelf) seenBy(a *account) (taxii.Collection, bool) {
	c := s.Collection
	c.CanRead, c.CanWrite = slices.Contains(a.read, c.ID), slices.Contains(a.write, c.ID)
	return c, c.CanRead || c.CanWrite
}

func (m *memory) shelf(id string) *shelf {
	i := slices.IndexFunc(m.collections, func(s *shelf) bool { return s.ID == id })
	return m.collections[i]
}

// cursor is what next seals: where a page ended, and for whom and what.
type cursor struct {
	By, Collection, Match string
	After                 string
}

func (m *memory) seal(c cursor) string {
	b, _ := json.Marshal(c)
	mac := hmac.New(sha256.New, m.key)
	mac.Write(b)
	return base64.RawURLEncoding.EncodeToString(append(mac.Sum(nil), b...))
}

// unseal returns where to go on, if c is what s was sealed for.
func (m *memory) unseal(s string, c cursor) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) < sha256.Size {
		return "", taxii.ErrBadNext
	}
	var was cursor
	if err := json.Unmarshal(raw[sha256.Size:], &was); err != nil {
		return "", taxii.ErrBadNext
	}
	c.After = was.After
	if was != c || m.seal(c) != s {
		return "", taxii.ErrBadNext
	}
	return was.After, nil
}

func (m *memory) Objects(_ context.Context, p taxii.Principal, collection string, q taxii.Query) (taxii.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return taxii.Page{}, m.fail
	}
	by := p.(*account)
	at := cursor{By: by.name, Collection: collection, Match: q.Match.Key()}
	after := q.AddedAfter
	if q.Next != "" {
		from, err := m.unseal(q.Next, at)
		if err != nil {
			return taxii.Page{}, err
		}
		after = max(after, from)
	}
	var page taxii.Page
	for _, e := range matching(m.shelf(collection).entries, q.Match) {
		if e.Added <= after {
			continue
		}
		if len(page.Entries) == q.Limit {
			at.After = page.Entries[q.Limit-1].Added
			page.More, page.Next = true, m.seal(at)
			break
		}
		if q.WithoutBytes {
			e.Bytes = nil
		}
		page.Entries = append(page.Entries, e.Entry)
	}
	return page, nil
}

// matching is match[...] spelled out, slowly.
func matching(all []entry, m taxii.Match) []entry {
	var found []entry
	for _, e := range all {
		typ, _, _ := strings.Cut(e.ID, "--")
		if oneOf(m.ID, e.ID) && oneOf(m.Type, typ) && oneOf(m.SpecVersion, e.spec) {
			found = append(found, e)
		}
	}
	if len(m.SpecVersion) == 0 {
		found = slices.DeleteFunc(slices.Clone(found), func(e entry) bool {
			return slices.ContainsFunc(found, func(o entry) bool { return o.ID == e.ID && o.spec > e.spec })
		})
	}
	var kept []entry
	for _, e := range found {
		if versionWanted(found, e, m.Version) {
			kept = append(kept, e)
		}
	}
	return kept
}

func oneOf(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }

func versionWanted(found []entry, e entry, wanted []string) bool {
	older, newer := false, false
	for _, o := range found {
		if o.ID == e.ID {
			c, _ := stix.CompareInstants(o.Version, e.Version)
			older, newer = older || c < 0, newer || c > 0
		}
	}
	for _, w := range wanted {
		switch w {
		case taxii.VersionAll:
			return true
		case taxii.VersionFirst:
			if !older {
				return true
			}
		case taxii.VersionLast:
			if !newer {
				return true
			}
		default:
			if c, err := stix.CompareInstants(w, e.Version); err == nil && c == 0 {
				return true
			}
		}
	}
	return false
}

func (m *memory) Add(_ context.Context, p taxii.Principal, collection string, body []byte) (taxii.Status, error) {
	envelope, err := stix.ParseEnvelope(body, stix.DefaultLimits())
	if err != nil {
		return taxii.Status{}, fmt.Errorf("the envelope: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return taxii.Status{}, m.fail
	}
	if a := p.(*account); !slices.Contains(a.write, collection) && !slices.Contains(a.withdraws, collection) {
		if slices.Contains(a.read, collection) {
			return taxii.Status{}, taxii.ErrForbidden
		}
		return taxii.Status{}, taxii.ErrNotFound
	}
	s := taxii.Status{ID: newUUID(), Status: taxii.Complete, RequestTimestamp: taxii.FormatTimestamp(m.now())}
	for _, item := range envelope.Objects {
		if item.Err != nil {
			s.Failures = append(s.Failures, taxii.StatusDetail{ID: "unreadable", Message: item.Err.Error()})
			continue
		}
		detail := taxii.StatusDetail{ID: string(item.Object.ID()), Version: item.Object.Version()}
		if m.append(collection, item.Object, &detail) {
			s.Successes = append(s.Successes, detail)
		} else {
			s.Failures = append(s.Failures, detail)
		}
	}
	s.SuccessCount, s.FailureCount = len(s.Successes), len(s.Failures)
	s.TotalCount = len(envelope.Objects)
	m.statuses[s.ID] = owned{p.(*account), s}
	if m.pending {
		return asPending(s), nil
	}
	return s, nil
}

// append adds an object unless it is there; false if it is there otherwise.
func (m *memory) append(collection string, o *stix.Object, detail *taxii.StatusDetail) bool {
	s := m.shelf(collection)
	added := taxii.FormatTimestamp(m.now())
	if n := len(s.entries); n > 0 && added <= s.entries[n-1].Added {
		t, _ := taxii.ParseTimestamp(s.entries[n-1].Added)
		added = taxii.FormatTimestamp(t.Add(time.Microsecond))
	}
	detail.Version = cmp.Or(detail.Version, added)
	for _, e := range s.entries {
		if e.ID == detail.ID && (e.Version == detail.Version || o.Version() == "") {
			detail.Version = e.Version
			if !bytes.Equal(e.Bytes, o.Bytes()) {
				detail.Message = "another object with this id and version is here"
			}
			return bytes.Equal(e.Bytes, o.Bytes())
		}
	}
	s.entries = append(s.entries, entry{
		Entry: taxii.Entry{ID: detail.ID, Version: detail.Version, Added: added, Bytes: o.Bytes()},
		spec:  cmp.Or(o.SpecVersion(), "2.1"),
	})
	return true
}

// asPending is s before any of its objects was dealt with.
func asPending(s taxii.Status) taxii.Status {
	p := taxii.Status{ID: s.ID, Status: taxii.Pending, RequestTimestamp: s.RequestTimestamp}
	p.TotalCount, p.PendingCount = s.TotalCount, s.TotalCount
	p.Pendings = slices.Concat(s.Successes, s.Failures)
	return p
}

func (m *memory) Status(_ context.Context, p taxii.Principal, id string) (taxii.Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o, ok := m.statuses[id]; ok && o.by == p.(*account) {
		return o.status, nil
	}
	return taxii.Status{}, taxii.ErrNotFound
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// note is a STIX note of our own, number n in its version v (0 and up).
func note(n, v int) string {
	return fmt.Sprintf(`{"type":"note","spec_version":"2.1","id":"note--%08x-0000-4000-8000-000000000000",`+
		`"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-%02dT00:00:00.000Z",`+
		`"content":"note %d, version %d","object_refs":["identity--a0000000-0000-4000-8000-000000000000"]}`, n, v+1, n, v)
}

func noteID(n int) string { return fmt.Sprintf("note--%08x-0000-4000-8000-000000000000", n) }

func envelope(objects ...string) []byte {
	return []byte(`{"objects":[` + strings.Join(objects, ",") + `]}`)
}

// fill adds notes first to last-1 to a collection, as somebody who may.
func (m *memory) fill(collection string, first, last int) {
	for n := first; n < last; n++ {
		if _, err := m.Add(context.Background(), &account{name: "filler", write: []string{collection}}, collection, envelope(note(n, 0))); err != nil {
			panic(err)
		}
	}
}

// joined is a memory whose pages come in one piece.
type joined struct{ *memory }

func (j joined) Objects(ctx context.Context, p taxii.Principal, collection string, q taxii.Query) (taxii.Page, error) {
	page, err := j.memory.Objects(ctx, p, collection, q)
	var all [][]byte
	for i := range page.Entries {
		all = append(all, page.Entries[i].Bytes)
		page.Entries[i].Bytes = nil
	}
	if len(all) > 0 {
		page.Joined = bytes.Join(all, []byte(","))
	}
	return page, err
}
