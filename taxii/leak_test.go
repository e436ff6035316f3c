package taxii_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison/taxii"
)

// TestC4EveryMissingThingIsTheSame404 compares whole answers: a path nobody
// serves, a collection that is not there, one that is hidden, an object, a status.
func TestC4EveryMissingThingIsTheSame404(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(secret, 0, 3)
	var others taxii.Status
	s.post(secret, envelope(note(9, 0)), "Authorization: Bearer marko-token").want(202).into(&others)
	want := s.ask("GET /taxii2/root/collections/" + absent + "/").want(404).transcript()
	if strings.Contains(want, absent) {
		t.Error("the 404 repeats the request")
	}
	var requests []string
	for _, tail := range []string{"", "objects/", "manifest/", "objects/" + noteID(1) + "/", "objects/" + noteID(1) + "/versions/"} {
		for _, collection := range []string{absent, secret, "secret", "garbage", "SECRET", "CYBER", "..", "%2e%2e", "a%2Fb", "%00"} {
			for _, method := range []string{"GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"} {
				requests = append(requests, method+" /taxii2/root/collections/"+collection+"/"+tail)
			}
			requests = append(requests, "GET /taxii2/root/collections/"+collection+"/"+tail+"?limit=abc&added_after=no&next=no")
		}
	}
	requests = append(requests,
		"GET /", "GET /taxii", "GET /taxii2/other/", "GET /taxii2/root/other/", "DELETE /taxii2/other/collections/",
		"GET /taxii2//root/", "GET //taxii2/root/", "GET /taxii2/root/collections//objects/", "GET /taxii2/root/./",
		"GET /taxii2/root/status/"+absent+"/", "GET /taxii2/root/status/"+others.ID+"/", "GET /taxii2/root/status/",
		"GET /taxii2/root/collections/"+cyber+"/objects/"+noteID(1)+"/",
		"GET /taxii2/root/collections/"+cyber+"/objects/"+noteID(1)+"/versions/",
		"GET /taxii2/root/collections/"+cyber+"/objects/"+noteID(77)+"/?match[version]=all",
		"GET /taxii2/root/collections/"+cyber+"/objects/%2e%2e/",
		"GET /taxii2/root/collections/"+cyber+"/nothing/",
	)
	for _, request := range requests {
		if got := s.ask(request).transcript(); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", request, got, want)
		}
	}
	if got := s.ask("GET /taxii2/root/collections/"+secret+"/objects/", "Accept: text/html").transcript(); got != want {
		t.Errorf("406 for a hidden collection:\n%s", got)
	}
}

func TestTheWordsOfAnErrorStayInside(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fail = errors.New("pq: relation of programme Walrus is on fire")
	seen := map[string]bool{}
	for _, a := range []*answer{
		s.ask("GET /taxii2/root/collections/").want(500),
		s.ask(objectsOf).want(500),
		s.ask(manifestOf).want(500),
		s.post(cyber, envelope(note(1, 0))).want(500),
	} {
		var m taxii.ErrorMessage
		a.into(&m)
		if strings.Contains(a.transcript(), "Walrus") || m.ErrorID == "" || seen[m.ErrorID] {
			t.Errorf("%s: %s", a.request, a.Body)
		}
		if !strings.Contains(s.log.String(), "reference="+m.ErrorID) {
			t.Errorf("reference %s is not in the log", m.ErrorID)
		}
		seen[m.ErrorID] = true
	}
	if !strings.Contains(s.log.String(), "Walrus") || strings.Contains(s.log.String(), "hana-token") {
		t.Errorf("log:\n%s", s.log)
	}
}

func TestErrorsAreAnsweredByOneTable(t *testing.T) {
	s := newServer(t, taxii.Config{})
	for _, c := range []struct {
		err        error
		status     int
		retryAfter string
		contains   string
	}{
		{taxii.ErrBadRequest, 400, "", "Bad Request"},
		{fmt.Errorf("token of hana: %w", taxii.ErrBadNext), 400, "", "parameter next"},
		{&taxii.Refusal{Err: taxii.ErrBadRequest, Description: "no objects"}, 400, "", "no objects"},
		{taxii.ErrForbidden, 403, "", "Forbidden"},
		{taxii.ErrTooLarge, 413, "", "max_content_length"},
		{&taxii.Refusal{Err: taxii.ErrUnprocessable, Details: map[string]string{"/objects/0": "why"}}, 422, "", "/objects/0"},
		{&taxii.Refusal{Err: taxii.ErrTooManyRequests, RetryAfter: 1500 * time.Millisecond}, 429, "2", ""},
		{taxii.ErrTooManyRequests, 429, "5", ""},
		{fmt.Errorf("busy: %w", &taxii.Refusal{Err: taxii.ErrUnavailable, RetryAfter: time.Minute}), 503, "60", ""},
		{http.ErrHandlerTimeout, 500, "", "error_id"},
	} {
		s.memory.fail = c.err
		a := s.ask(objectsOf).want(c.status)
		if a.Header.Get("Retry-After") != c.retryAfter || !strings.Contains(a.Body, c.contains) || strings.Contains(a.Body, "hana") {
			t.Errorf("%v: %s", c.err, a.transcript())
		}
	}
	s.memory.fail = &taxii.Refusal{Err: taxii.ErrNotFound, Description: "expelled on Monday"}
	if got := s.ask(objectsOf).transcript(); got != s.ask("GET /nowhere").transcript() {
		t.Errorf("a 404 with words: %s", got)
	}
}

func TestOtherMethodsAreRefusedWithAllow(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 1)
	for _, method := range []string{"PUT", "PATCH", "TRACE", "OPTIONS", "DELETE", "BREW"} {
		for _, path := range readable(s) {
			a := s.ask(method+" "+path, "X-HTTP-Method-Override: GET").want(405)
			want := "GET, HEAD"
			if strings.HasSuffix(path, "/objects/") {
				want = "GET, HEAD, POST"
			}
			if a.Header.Get("Allow") != want {
				t.Errorf("%s %s: Allow %q", method, path, a.Header.Get("Allow"))
			}
		}
	}
	here, gone := noteID(0), noteID(99)
	objects := "DELETE /taxii2/root/collections/" + cyber + "/objects/"
	if s.ask(objects+here+"/").transcript() != s.ask(objects+gone+"/").transcript() {
		t.Error("DELETE tells whether an object is there")
	}
	if got := s.ask(objectsOf, "X-HTTP-Method-Override: DELETE").ids(); len(got) != 1 {
		t.Errorf("the override was obeyed: %v", got)
	}
}

// TestAWriteIntoWhatIsHiddenIsAnsweredAlikeWhateverIsSent: only Add knows who
// withdraws its own, so such a write goes as far as Add; nobody else learns
// from a malformed one that there is a collection.
func TestAWriteIntoWhatIsHiddenIsAnsweredAlikeWhateverIsSent(t *testing.T) {
	s := newServer(t, taxii.Config{MaxContentLength: 4096})
	s.memory.accounts[1].withdraws = []string{secret}
	for name, k := range map[string]struct {
		body  string
		lines []string
	}{
		"no JSON":           {body: "{"},
		"no envelope":       {body: "[]"},
		"media type":        {body: "{}", lines: []string{"Content-Type: text/html"}},
		"accept":            {body: "{}", lines: []string{"Accept: text/html"}},
		"gzip that is none": {body: "{}", lines: []string{"Content-Encoding: gzip"}},
		"too large":         {body: strings.Repeat(" ", 5000)},
	} {
		want := s.post(absent, []byte(k.body), k.lines...).want(404).transcript()
		if got := s.post(secret, []byte(k.body), k.lines...).transcript(); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
		s.post(open, []byte(k.body), k.lines...).want(403) // read, and not written
		s.post(secret, []byte(k.body), append(k.lines, "Authorization: none")...).want(401)
	}
	s.post(secret, envelope(note(1, 0))).want(202)
	s.ask("GET /taxii2/root/collections/" + secret + "/objects/").want(404)
}
