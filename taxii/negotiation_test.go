package taxii_test

import (
	"strings"
	"testing"

	"github.com/liaison-office/liaison/taxii"
)

// TestA4toA7AcceptIsReadAsMediaRanges asks every endpoint with every Accept.
func TestA4toA7AcceptIsReadAsMediaRanges(t *testing.T) {
	served := []string{
		"none",
		"application/taxii+json;version=2.1",
		"application/taxii+json; version=2.1",
		"application/taxii+json ; version=2.1",
		`application/taxii+json;version="2.1"`,
		"APPLICATION/TAXII+JSON; Version=2.1",
		"application/taxii+json;charset=utf-8;version=2.1",
		"application/taxii+json",
		"*/*",
		"application/*",
		"text/html, application/taxii+json;version=2.1;q=0.1",
		"application/taxii+json;version=2.0, application/taxii+json;version=2.1",
		"text/html;level=\"a,b\", */*;q=0.1",
		"application/taxii+json;q=0, application/taxii+json;version=2.1",
		"garbage, ;;, application/taxii+json",
		", ,application/taxii+json;version=2.1,",
	}
	refused := []string{
		"text/html",
		"application/json",
		"application/taxii+json;version=2.0",
		"application/taxii+json;version=9.9",
		"application/vnd.oasis.taxii+json; version=2.0",
		"application/taxii+json;version=2.1;q=0",
		"*/*, application/taxii+json;q=0",
		"application/taxii+json;version=2.1;q=0, */*;q=1",
		"application/taxii+json;q=2",
		"application/taxii+json;q=NaN",
		`text/html;x="application/taxii+json, application/taxii+json"`,
		"nonsense",
	}
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 1)
	for _, path := range readable(s) {
		for _, accept := range served {
			s.ask("GET "+path, "Accept: "+accept).want(200)
		}
		for _, accept := range refused {
			s.ask("GET "+path, "Accept: "+accept).want(406)
		}
		s.ask("GET "+path, "Accept: text/html", "Accept: application/taxii+json").want(200)
	}
}

// readable is a path of every route that can be read, each with something there.
func readable(s *server) []string {
	s.t.Helper()
	var status taxii.Status
	s.post(cyber, envelope(note(0, 0))).want(202).into(&status)
	var paths []string
	for _, rt := range taxii.Routes() {
		if rt.Method == "GET" {
			paths = append(paths, strings.NewReplacer("{collection}", cyber, "{object}", noteID(0), "{status}", status.ID).Replace(rt.Pattern))
		}
	}
	return paths
}

func TestA8A9ContentTypeIsReadAsAMediaType(t *testing.T) {
	s := newServer(t, taxii.Config{})
	for contentType, want := range map[string]int{
		"application/taxii+json;version=2.1":                202,
		"application/taxii+json; version=2.1":               202,
		"application/taxii+json":                            202,
		"Application/TAXII+json ;Version=\"2.1\"":           202,
		"application/taxii+json;charset=utf-8":              202,
		"application/taxii+json;version=2.0":                415,
		"application/vnd.oasis.taxii+json":                  415,
		"application/stix+json;version=2.1":                 415,
		"application/json":                                  415,
		"text/plain":                                        415,
		"none":                                              415,
		"application/taxii+json;version=2.1;version=2.0":    415,
		"application/taxii+json, application/taxii+json":    415,
		"application/taxii+json;version=2.1\" ; garbage=\"": 415,
	} {
		s.post(cyber, envelope(note(0, 0)), "Content-Type: "+contentType).want(want)
	}
	s.send("POST /taxii2/root/collections/"+cyber+"/objects/", string(envelope(note(0, 0)))).want(415)
}

func TestA10APathWithoutItsLastSlashIsServed(t *testing.T) {
	s := newServer(t, taxii.Config{})
	for _, path := range readable(s) {
		with, without := s.ask("GET "+path).want(200), s.ask("GET "+strings.TrimSuffix(path, "/")).want(200)
		if with.transcript() != without.transcript() {
			t.Errorf("%s: differs without the slash", path)
		}
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	s := newServer(t, taxii.Config{})
	for _, path := range readable(s) {
		get, head := s.ask("GET "+path).want(200), s.ask("HEAD "+path).want(200)
		if get.Header.Get("Content-Length") != head.Header.Get("Content-Length") {
			t.Errorf("%s: other length for HEAD", path)
		}
	}
}

func TestA17NoOrBadCredentialsAreOneAnswer(t *testing.T) {
	s := newServer(t, taxii.Config{Realm: `The "office"`})
	first := s.ask("GET /taxii2/", "Authorization: none").want(401)
	challenges := first.Header.Values("WWW-Authenticate")
	if len(challenges) != 2 || !strings.HasPrefix(challenges[0], `Basic realm="The \"office\""`) || !strings.HasPrefix(challenges[1], "Bearer ") {
		t.Errorf("challenges %q", challenges)
	}
	paths := append(readable(s), "/", "/taxii2/none/", "/taxii2/root/collections/"+absent+"/", "/taxii2/root/collections/"+secret+"/objects/")
	for _, path := range paths {
		for _, line := range []string{
			"none", "Bearer wrong", "Bearer ", "Basic ", "Basic !!!", "Basic aGFuYTp3cm9uZw==", "Basic bm9ib2R5OmNvcnJlY3QgaG9yc2U=",
			"Digest username=hana", "Negotiate abc", "hana-token", "Bearer",
		} {
			for _, method := range []string{"GET", "POST", "DELETE", "PUT"} {
				got := s.ask(method+" "+path, "Authorization: "+line)
				if got.transcript() != first.transcript() {
					t.Fatalf("%s %s with %q:\n%s\nnot the one 401:\n%s", method, path, line, got.transcript(), first.transcript())
				}
			}
		}
	}
	twice := s.ask("GET /taxii2/", "Authorization: Bearer hana-token", "Authorization: none")
	twice.want(401)
}

func TestA18BasicAndBearerAreTheSameAccount(t *testing.T) {
	s := newServer(t, taxii.Config{})
	basic := s.ask("GET /taxii2/root/collections/", "Authorization: Basic aGFuYTpjb3JyZWN0IGhvcnNl").want(200)
	lower := s.ask("GET /taxii2/root/collections/", "Authorization: bearer hana-token").want(200)
	if basic.transcript() != lower.transcript() {
		t.Error("Basic and Bearer differ")
	}
	if got := basic.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q for an authenticated client", got)
	}
}

func TestAnonymousReadsPublicCollectionsAndNothingElse(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(open, 0, 2)
	for _, path := range []string{"/", "/objects/", "/manifest/", "/objects/" + noteID(1) + "/", "/objects/" + noteID(1) + "/versions/"} {
		s.ask("GET /taxii2/root/collections/"+open+path, "Authorization: none").want(200)
		s.ask("GET /taxii2/root/collections/open"+path, "Authorization: none").want(200)
	}
	s.ask("GET /taxii2/root/collections/"+open+"/objects/"+noteID(7)+"/", "Authorization: none").want(404)
	s.ask("GET /taxii2/root/collections/", "Authorization: none").want(401)
	s.ask("GET /taxii2/root/collections/"+cyber+"/objects/", "Authorization: none").want(401)
	s.post(open, envelope(note(3, 0)), "Authorization: none").want(401)
}

func TestOpenDiscoveryShowsAnonymousWhatIsPublic(t *testing.T) {
	s := newServer(t, taxii.Config{OpenDiscovery: true})
	s.ask("GET /taxii2/", "Authorization: none").want(200)
	s.ask("GET /taxii2/root/", "Authorization: none").want(200)
	var list taxii.Collections
	s.ask("GET /taxii2/root/collections/", "Authorization: none").want(200).into(&list)
	if len(list.Collections) != 1 || list.Collections[0].ID != open {
		t.Errorf("anonymous sees %+v", list)
	}
	s.ask("GET /taxii2/root/status/"+absent+"/", "Authorization: none").want(401)
	s.ask("GET /taxii2/other/", "Authorization: none").want(401)
}
