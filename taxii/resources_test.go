package taxii_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/liaison-office/liaison/taxii"
)

func TestB1B2DiscoveryNamesItsAPIRoot(t *testing.T) {
	s := newServer(t, taxii.Config{Title: "Liaison office", Contact: "duty@example.org"})
	var d taxii.Discovery
	a := s.ask("GET /taxii2/", "Host: evil.example", "X-Forwarded-Host: evil.example").want(200)
	a.into(&d)
	if d.Title != "Liaison office" || d.Contact != "duty@example.org" || !slices.Contains(d.APIRoots, d.Default) {
		t.Errorf("discovery %+v", d)
	}
	if strings.Contains(a.Body, "evil") || strings.Contains(a.Body, "hq.example.org") {
		t.Errorf("links come from the request: %s", a.Body)
	}
	s.ask("GET " + d.Default).want(200)
}

func TestB3B4TheAPIRootStatesVersionAndLimit(t *testing.T) {
	s := newServer(t, taxii.Config{MaxContentLength: 12345})
	var r taxii.APIRoot
	s.ask("GET /taxii2/root/").want(200).into(&r)
	if r.Title == "" || !slices.Contains(r.Versions, "application/taxii+json;version=2.1") || r.MaxContentLength != 12345 {
		t.Errorf("API root %+v", r)
	}
}

func TestC1C3CollectionsAreThePrincipalsOwn(t *testing.T) {
	s := newServer(t, taxii.Config{})
	var hers, his taxii.Collections
	first := s.ask("GET /taxii2/root/collections/").want(200)
	first.into(&hers)
	s.ask("GET /taxii2/root/collections/", "Authorization: Bearer marko-token").want(200).into(&his)
	if got := ids(hers.Collections); !slices.Equal(got, []string{open, cyber, drop}) {
		t.Errorf("hana sees %v", got)
	}
	if got := ids(his.Collections); !slices.Equal(got, []string{open, cyber, secret}) {
		t.Errorf("marko sees %v", got)
	}
	for _, c := range hers.Collections {
		if c.CanRead != (c.ID != drop) || c.CanWrite != (c.ID != open) || !slices.Equal(c.MediaTypes, []string{taxii.STIXMediaType}) {
			t.Errorf("collection %+v", c)
		}
	}
	for range 5 {
		if s.ask("GET /taxii2/root/collections/").transcript() != first.transcript() {
			t.Error("another order, another answer")
		}
	}
	s.memory.collections = nil
	if got := s.ask("GET /taxii2/root/collections/").want(200).Body; got != "{}" {
		t.Errorf("no collections: %s", got)
	}
}

func ids(all []taxii.Collection) (ids []string) {
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestC2TheAliasServesInEveryPath(t *testing.T) {
	s := newServer(t, taxii.Config{})
	for _, path := range readable(s) {
		alias := strings.Replace(path, cyber, "cyber", 1)
		if s.ask("GET "+path).want(200).transcript() != s.ask("GET "+alias).want(200).transcript() {
			t.Errorf("%s and %s differ", path, alias)
		}
	}
	s.post("cyber", envelope(note(5, 0))).want(202)
	s.ask("GET /taxii2/root/collections/%63yber/").want(200)
	s.ask("GET /taxii2/root/collections/CYBER/").want(404)
}

func TestC5C6ReadingAndWritingAreSeparateRights(t *testing.T) {
	s := newServer(t, taxii.Config{})
	base := "GET /taxii2/root/collections/" + drop + "/"
	s.ask(base).want(200)
	for _, tail := range []string{"objects/", "manifest/", "objects/" + noteID(1) + "/", "objects/" + noteID(1) + "/versions/"} {
		s.ask(base + tail).want(403)
	}
	s.post(drop, envelope(note(1, 0))).want(202)
	s.post(open, envelope(note(1, 0))).want(403)
}

func TestB8B9StatusIsItsOwnersAndAddsUp(t *testing.T) {
	s := newServer(t, taxii.Config{})
	var posted, read taxii.Status
	a := s.post(cyber, envelope(note(1, 0), `{"type":"note"}`, note(2, 0))).want(202)
	a.into(&posted)
	b := s.ask("GET /taxii2/root/status/" + posted.ID + "/").want(200)
	b.into(&read)
	if a.Body != b.Body {
		t.Errorf("the status changed after complete:\n%s\n%s", a.Body, b.Body)
	}
	if read.TotalCount != 3 || read.SuccessCount != 2 || read.FailureCount != 1 || len(read.Successes) != 2 || len(read.Failures) != 1 || read.Pendings != nil {
		t.Errorf("status %s", b.Body)
	}
	if got := read.Successes[0]; got.ID != noteID(1) || got.Version != "2026-01-01T00:00:00.000Z" {
		t.Errorf("success %+v", got)
	}
	s.ask("GET /taxii2/root/status/"+posted.ID+"/", "Authorization: Bearer marko-token").want(404)
	for _, name := range []string{`"success_count":`, `"failure_count":`, `"pending_count":0`, `"total_count":3`} {
		if !strings.Contains(b.Body, name) {
			t.Errorf("%s is missing in %s", name, b.Body)
		}
	}
}

func TestA15EveryTimestampHasSixDecimals(t *testing.T) {
	s := newServer(t, taxii.Config{})
	stamp := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)
	var status taxii.Status
	s.post(cyber, envelope(note(1, 0), note(2, 0))).want(202).into(&status)
	var m taxii.Manifest
	a := s.ask(manifestOf).want(200)
	a.into(&m)
	stamps := []string{status.RequestTimestamp, a.Header.Get("X-TAXII-Date-Added-First"), a.Header.Get("X-TAXII-Date-Added-Last")}
	for _, r := range m.Objects {
		stamps = append(stamps, r.DateAdded)
	}
	for _, text := range stamps {
		if !stamp.MatchString(text) {
			t.Errorf("timestamp %q", text)
		}
	}
}

func TestG1CustomPropertiesOfABackendAreServed(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.shelf(cyber).Other = jsontext.Value(`{"x_programme":"itpp"}`)
	a := s.ask("GET /taxii2/root/collections/" + cyber + "/").want(200)
	if !strings.Contains(a.Body, `"x_programme":"itpp"`) {
		t.Errorf("collection %s", a.Body)
	}
	s.memory.shelf(cyber).Other = jsontext.Value(`[]`)
	s.ask("GET /taxii2/root/collections/" + cyber + "/").want(500)
}

func TestRoutesListsWhatIsServed(t *testing.T) {
	s := newServer(t, taxii.Config{})
	listed := map[string]bool{}
	fill := strings.NewReplacer("{collection}", cyber, "{object}", noteID(0), "{status}", absent)
	for _, rt := range taxii.Routes() {
		listed[rt.Method+" "+rt.Pattern] = true
		a := s.ask(rt.Method + " " + fill.Replace(rt.Pattern))
		if a.Status == 405 {
			t.Errorf("%v is listed and refused", rt)
		}
	}
	for _, rt := range taxii.Routes() {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			a := s.ask(method + " " + fill.Replace(rt.Pattern))
			if served := a.Status != 405; served != listed[method+" "+rt.Pattern] {
				t.Errorf("%s %s: listed %v, answered %d", method, rt.Pattern, listed[method+" "+rt.Pattern], a.Status)
			}
		}
	}
}
