package taxii_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liaison-office/liaison/taxii"
)

// follow reads page after page with step(answer) giving the next query.
func (s *server) follow(of string, query string, step func(taxii.Envelope) string) (all []string) {
	s.t.Helper()
	for range 1000 {
		a := s.ask(of + query)
		all = append(all, a.ids()...)
		e := a.envelope()
		if !e.More {
			return all
		}
		query = step(e)
	}
	s.t.Fatal("paging never ends")
	return nil
}

func noteIDs(first, last int) (ids []string) {
	for n := first; n < last; n++ {
		ids = append(ids, noteID(n))
	}
	return ids
}

func TestD1D2D5PagingByNextIsCompleteAndInOrder(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 25)
	got := s.follow(objectsOf, "?limit=4", func(e taxii.Envelope) string {
		if len(e.Objects) != 4 || e.AddedFirst >= e.AddedLast {
			t.Errorf("a page of %d from %s to %s", len(e.Objects), e.AddedFirst, e.AddedLast)
		}
		return "?limit=4&next=" + url.QueryEscape(e.Next)
	})
	if !slices.Equal(got, noteIDs(0, 25)) {
		t.Errorf("got %v", got)
	}
}

func TestD2TheDateHeadersSpeakOfThisPage(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 9)
	var m taxii.Manifest
	s.ask(manifestOf).want(200).into(&m)
	for i := range 7 {
		after := "?limit=2&added_after=" + m.Objects[i].DateAdded
		for _, of := range []string{objectsOf, manifestOf} {
			a := s.ask(of + after).want(200)
			first, last := a.Header.Get("X-TAXII-Date-Added-First"), a.Header.Get("X-TAXII-Date-Added-Last")
			if first != m.Objects[i+1].DateAdded || last != m.Objects[i+2].DateAdded {
				t.Errorf("%s: %s to %s", a.request, first, last)
			}
		}
		one := s.ask(objectsOf + m.Objects[i].ID + "/versions/")
		if got := one.Header.Get("X-TAXII-Date-Added-Last"); got != m.Objects[i].DateAdded {
			t.Errorf("versions: %s", got)
		}
	}
}

func TestD3NothingFoundIsAnEmptyObjectWithoutDates(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 3)
	for _, request := range []string{
		objectsOf + "?added_after=2999-01-01T00:00:00Z",
		manifestOf + "?added_after=2999-01-01T00:00:00Z",
		objectsOf + "?match[type]=malware",
		objectsOf + "?match[type]=a'%20OR%201=1--",
		objectsOf + noteID(1) + "/?added_after=2999-01-01T00:00:00Z",
		objectsOf + noteID(1) + "/?match[version]=1999-01-01T00:00:00Z",
		objectsOf + noteID(1) + "/?match[spec_version]=2.0",
		objectsOf + noteID(1) + "/versions/?added_after=2999-01-01T00:00:00Z",
	} {
		a := s.ask(request).want(200)
		if a.Body != "{}" || a.Header.Values("X-TAXII-Date-Added-First") != nil || a.Header.Values("X-TAXII-Date-Added-Last") != nil {
			t.Errorf("%s: %s", request, a.transcript())
		}
	}
}

func TestD4D11NeverMoreThanTheLimitOrTheCap(t *testing.T) {
	s := newServer(t, taxii.Config{PageLimit: 5})
	s.memory.fill(cyber, 0, 7)
	for query, want := range map[string]int{"": 5, "?limit=3": 3, "?limit=5": 5, "?limit=1000000000": 5} {
		a := s.ask(objectsOf + query)
		e := a.envelope()
		if len(e.Objects) != want || !e.More || e.Next == "" {
			t.Errorf("%q: %d objects, more %v", query, len(e.Objects), e.More)
		}
		var m taxii.Manifest
		s.ask(manifestOf + query).want(200).into(&m)
		if len(m.Objects) != want || !m.More {
			t.Errorf("manifest %q: %d records, more %v", query, len(m.Objects), m.More)
		}
	}
	s.memory.fill(drop, 0, 5)
	s.memory.accounts[1].read = append(s.memory.accounts[1].read, drop)
	a := s.ask("GET /taxii2/root/collections/" + drop + "/objects/")
	if e := a.envelope(); len(e.Objects) != 5 || strings.Contains(a.Body, "more") || strings.Contains(a.Body, "next") {
		t.Errorf("a page that holds all: %.200s", a.Body)
	}
}

// TestD7D12PagingByAddedAfterLosesNothing adds all objects within one instant.
func TestD7D12PagingByAddedAfterLosesNothing(t *testing.T) {
	s := newServer(t, taxii.Config{})
	instant := time.Date(2026, 5, 3, 14, 30, 0, 0, time.UTC)
	s.memory.now = func() time.Time { return instant }
	s.memory.fill(cyber, 0, 23)
	got := s.follow(objectsOf, "?limit=3", func(e taxii.Envelope) string { return "?limit=3&added_after=" + e.AddedLast })
	if !slices.Equal(got, noteIDs(0, 23)) {
		t.Errorf("objects: %v", got)
	}
	var records []string
	for after := ""; ; {
		var m taxii.Manifest
		a := s.ask(manifestOf + "?limit=3" + after).want(200)
		a.into(&m)
		for _, r := range m.Objects {
			records = append(records, r.ID)
		}
		if !m.More {
			break
		}
		after = "&added_after=" + a.Header.Get("X-TAXII-Date-Added-Last")
	}
	if !slices.Equal(records, noteIDs(0, 23)) {
		t.Errorf("manifest: %v", records)
	}
}

// TestD8 does as OpenCTI 5 did: next, and added_after moved along with it.
func TestD8NextWithAMovingAddedAfterNeitherLosesNorLoops(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 11)
	got := s.follow(objectsOf, "?limit=2", func(e taxii.Envelope) string {
		return "?limit=2&next=" + url.QueryEscape(e.Next) + "&added_after=" + e.AddedLast
	})
	if !slices.Equal(got, noteIDs(0, 11)) {
		t.Errorf("got %v", got)
	}
}

func TestD9AddedAfterIsExclusive(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 3)
	last := s.ask(objectsOf).envelope().AddedLast
	if a := s.ask(objectsOf + "?added_after=" + last).want(200); a.Body != "{}" {
		t.Errorf("after the last: %s", a.Body)
	}
}

func TestNextIsBoundToWhomAndWhatItWasMadeFor(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 5)
	s.memory.fill(open, 0, 5)
	next := url.QueryEscape(s.ask(objectsOf + "?limit=2").envelope().Next)
	want := s.ask(objectsOf + "?next=AAAA").want(400).transcript()
	elsewhere := "GET /taxii2/root/collections/" + open + "/objects/"
	for _, a := range []*answer{
		s.ask(elsewhere + "?next=" + next),
		s.ask(objectsOf + "?match[type]=malware&next=" + next),
		s.ask(objectsOf + "?match[version]=all&next=" + next),
		s.ask(objectsOf+"?next="+next, "Authorization: Bearer marko-token"),
		s.ask(objectsOf + "?next=" + next[:len(next)-3]),
		s.ask(objectsOf + noteID(1) + "/?next=" + next),
	} {
		if a.transcript() != want {
			t.Errorf("%s: %s", a.request, a.transcript())
		}
	}
	for range 2 { // a page that was lost can be asked for again
		if got := s.ask(objectsOf + "?match[version]=last&limit=2&next=" + next).ids(); !slices.Equal(got, noteIDs(2, 4)) {
			t.Errorf("got %v", got)
		}
	}
}

// TestD6 mixes limits, next and added_after at will while others write: with
// every version asked for, each is returned exactly once, in the order added.
func TestD6AnyMixOfPagingReturnsEachVersionOnceInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newServer(t, taxii.Config{PageLimit: rapid.IntRange(1, 9).Draw(t, "cap")})
		instant := time.Date(2026, 5, 3, 14, 30, 0, 0, time.UTC)
		s.memory.now = func() time.Time { return instant }
		latest := map[int]int{}
		write := func(label string) {
			for range rapid.IntRange(0, 6).Draw(t, label) {
				n := rapid.IntRange(0, 9).Draw(t, "note")
				s.post(cyber, envelope(note(n, latest[n]))).want(202)
				latest[n]++
			}
			instant = instant.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "µs")) * time.Microsecond)
		}
		write("written before")
		var got []string
		next, after := "", ""
		for pages := 0; ; pages++ {
			query := fmt.Sprintf("?match[version]=all&limit=%d", rapid.IntRange(1, 9).Draw(t, "limit"))
			useNext := next != "" && rapid.Bool().Draw(t, "by next")
			if useNext {
				query += "&next=" + url.QueryEscape(next)
			}
			if after != "" && (!useNext || rapid.Bool().Draw(t, "and added_after")) {
				query += "&added_after=" + after
			}
			e := s.ask(objectsOf + query).envelope()
			for _, o := range e.Objects {
				got = append(got, string(o))
			}
			if e.AddedLast != "" {
				after = e.AddedLast
			}
			next = e.Next
			if !e.More && pages > 5 {
				break
			}
			if pages < 5 {
				write("written between")
			}
		}
		var want []string
		for _, e := range s.memory.shelf(cyber).entries {
			want = append(want, string(e.Bytes))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("read %d, there are %d:\n%s\nwant\n%s", len(got), len(want), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
