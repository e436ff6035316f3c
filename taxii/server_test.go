package taxii_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/liaison-office/liaison/taxii"
)

// reporter is what testing.T and rapid.T have in common and these tests use.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// server is a handler over a memory, with the log it writes.
type server struct {
	t       reporter
	memory  *memory
	handler http.Handler
	log     *bytes.Buffer
}

func newServer(t reporter, c taxii.Config) *server {
	s := &server{t: t, memory: newMemory(), log: &bytes.Buffer{}}
	c.Log = slog.New(slog.NewTextHandler(s.log, nil))
	s.handler = taxii.NewHandler(s.memory, c)
	return s
}

// ask is a request: method and path, then "Header: value" lines. Without an
// Authorization line it is hana's; "Authorization: none" sends none.
func (s *server) ask(request string, lines ...string) *answer { return s.send(request, "", lines...) }

// post posts an envelope as hana.
func (s *server) post(collection string, body []byte, lines ...string) *answer {
	lines = append([]string{"Content-Type: " + taxii.MediaType}, lines...)
	return s.send("POST /taxii2/root/collections/"+collection+"/objects/", string(body), lines...)
}

func (s *server) send(request, body string, lines ...string) *answer {
	s.t.Helper()
	method, target, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, "https://hq.example.org"+strings.ReplaceAll(target, " ", "%20"), strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer hana-token")
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Authorization" || name == "Content-Type" {
			r.Header.Del(name)
		}
		if value != "none" {
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	a := &answer{t: s.t, request: request, Status: w.Code, Header: w.Header(), Body: w.Body.String()}
	a.check()
	return a
}

type answer struct {
	t       reporter
	request string
	Status  int
	Header  http.Header
	Body    string
}

// check holds every answer of every test to what all of them promise (A3, A13).
func (a *answer) check() {
	a.t.Helper()
	if got := a.Header.Get("Content-Type"); got != taxii.MediaType {
		a.t.Errorf("%.200s: content type %q", a.request, got)
	}
	if got := a.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		a.t.Errorf("%.200s: X-Content-Type-Options %q", a.request, got)
	}
	if a.Header.Get("Content-Length") != strconv.Itoa(len(a.Body)) {
		a.t.Errorf("%.200s: Content-Length %q of %d bytes", a.request, a.Header.Get("Content-Length"), len(a.Body))
	}
	if a.Status < 400 {
		return
	}
	var m taxii.ErrorMessage
	a.into(&m)
	if m.Title == "" || m.HTTPStatus != strconv.Itoa(a.Status) {
		a.t.Errorf("%.200s: error body %s with status %d", a.request, a.Body, a.Status)
	}
}

// want fails the test unless the status is as said.
func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Errorf("%.200s: status %d, want %d: %.300s", a.request, a.Status, status, a.Body)
	}
	return a
}

// into decodes the body, strictly: a member that TAXII does not know fails.
func (a *answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.Body), v, json.RejectUnknownMembers(true)); err != nil {
		a.t.Fatalf("%.200s: %v in %.300s", a.request, err, a.Body)
	}
}

func (a *answer) envelope() taxii.Envelope {
	a.t.Helper()
	var e taxii.Envelope
	a.want(200).into(&e)
	e.AddedFirst, e.AddedLast = a.Header.Get("X-TAXII-Date-Added-First"), a.Header.Get("X-TAXII-Date-Added-Last")
	return e
}

// ids are the ids of the objects of an envelope, in order.
func (a *answer) ids() []string {
	a.t.Helper()
	var ids []string
	for _, o := range a.envelope().Objects {
		ids = append(ids, idOf(a.t, o))
	}
	return ids
}

func idOf(t reporter, o jsontext.Value) string {
	t.Helper()
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(o, &v); err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// transcript is all a client can see of an answer.
func (a *answer) transcript() string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(a.Status) + "\n")
	a.Header.Write(&b)
	return b.String() + "\n" + a.Body
}

const (
	objectsOf  = "GET /taxii2/root/collections/" + cyber + "/objects/"
	manifestOf = "GET /taxii2/root/collections/" + cyber + "/manifest/"
)
