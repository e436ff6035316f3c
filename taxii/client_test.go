package taxii_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liaison-office/liaison/taxii"
)

// client is hana's, of a real server over TLS.
func client(t *testing.T, h http.Handler) *taxii.Client {
	t.Helper()
	web := httptest.NewTLSServer(h)
	t.Cleanup(web.Close)
	return &taxii.Client{Base: address(t, web.URL+"/taxii2/"), HTTP: web.Client(), Credentials: taxii.Credentials{User: "hana", Password: "correct horse"}}
}

func address(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAnAnalystReadsAndWritesOverTLS(t *testing.T) {
	s := newServer(t, taxii.Config{PageLimit: 4, Title: "Liaison office"})
	c := client(t, s.handler)
	ctx := t.Context()
	d, err := c.Discovery(ctx)
	if err != nil || d.Title != "Liaison office" {
		t.Fatalf("discovery %+v, %v", d, err)
	}
	root, err := c.APIRoot(ctx, d.Default)
	if err != nil || root.MaxContentLength != taxii.DefaultMaxContentLength {
		t.Fatalf("API root %+v, %v", root, err)
	}
	all, err := c.Collections(ctx, d.Default)
	if err != nil || !slices.Equal(ids(all), []string{open, cyber, drop}) {
		t.Fatalf("collections %+v, %v", all, err)
	}
	one, err := c.Collection(ctx, d.Default, "cyber")
	if err != nil || one.ID != cyber || !one.CanWrite {
		t.Fatalf("collection %+v, %v", one, err)
	}
	var notes []string
	for n := range 11 {
		notes = append(notes, note(n, 0))
	}
	status, err := c.Add(ctx, d.Default, "cyber", envelope(notes...))
	if err != nil || status.SuccessCount != 11 {
		t.Fatalf("status %+v, %v", status, err)
	}
	if again, err := c.Status(ctx, d.Default, status.ID); err != nil || again.SuccessCount != 11 {
		t.Fatalf("status %+v, %v", again, err)
	}
	var got []string
	for page, err := range c.Objects(ctx, d.Default, cyber, taxii.Query{Match: taxii.Match{Type: []string{"note"}}}) {
		if err != nil || len(page.Objects) > 4 || page.AddedLast == "" {
			t.Fatalf("page %+v, %v", page, err)
		}
		for _, o := range page.Objects {
			got = append(got, string(o))
		}
	}
	if !slices.Equal(got, notes) {
		t.Errorf("read %q", got)
	}
	var records []string
	for page, err := range c.Manifest(ctx, d.Default, cyber, taxii.Query{Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Objects {
			records = append(records, r.ID)
		}
	}
	if !slices.Equal(records, noteIDs(0, 11)) {
		t.Errorf("manifest %v", records)
	}
	for page, err := range c.Versions(ctx, d.Default, cyber, noteID(3), taxii.Query{}) {
		if err != nil || !slices.Equal(page.Versions, []string{"2026-01-01T00:00:00.000Z"}) {
			t.Errorf("versions %+v, %v", page, err)
		}
	}
}

func TestAClientLearnsWhyItWasRefused(t *testing.T) {
	s := newServer(t, taxii.Config{})
	c := client(t, s.handler)
	_, err := c.Collection(t.Context(), taxii.RootPath, secret)
	if !errors.Is(err, taxii.ErrNotFound) {
		t.Errorf("hidden collection: %v", err)
	}
	_, err = c.Add(t.Context(), taxii.RootPath, cyber, []byte(`{"objects":[`))
	var refused *taxii.ResponseError
	if !errors.Is(err, taxii.ErrBadRequest) || !errors.As(err, &refused) || refused.Message.Description == "" || !strings.Contains(err.Error(), refused.Message.Description) {
		t.Errorf("malformed envelope: %v", err)
	}
	s.memory.fail = &taxii.Refusal{Err: taxii.ErrUnavailable, RetryAfter: 7 * time.Second}
	_, err = c.Add(t.Context(), taxii.RootPath, cyber, envelope(note(1, 0)))
	if !errors.Is(err, taxii.ErrUnavailable) || !errors.As(err, &refused) || refused.RetryAfter != 7*time.Second {
		t.Errorf("overload: %v", err)
	}
	c.Credentials.Password = "wrong"
	if _, err := c.Discovery(t.Context()); !errors.Is(err, taxii.ErrUnauthorized) {
		t.Errorf("wrong password: %v", err)
	}
	for _, err := range c.Objects(t.Context(), taxii.RootPath, cyber, taxii.Query{}) {
		if !errors.Is(err, taxii.ErrUnauthorized) {
			t.Errorf("objects: %v", err)
		}
	}
}

func TestG2PlainHTTPIsRefusedUnlessAllowed(t *testing.T) {
	web := httptest.NewServer(newServer(t, taxii.Config{}).handler)
	defer web.Close()
	c := &taxii.Client{Base: address(t, web.URL+"/taxii2/"), Credentials: taxii.Credentials{Token: "hana-token"}}
	if _, err := c.Discovery(t.Context()); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("plain http: %v", err)
	}
	c.AllowHTTP = true
	if _, err := c.Discovery(t.Context()); err != nil {
		t.Errorf("allowed: %v", err)
	}
	for _, base := range []string{"file:///etc/passwd", "ftp://hq.example.org/", "taxii2/"} {
		c.Base = address(t, base)
		if _, err := c.Discovery(t.Context()); err == nil {
			t.Errorf("%s was asked", base)
		}
	}
}

func TestG3EveryRequestSaysWhatItSpeaks(t *testing.T) {
	var seen []*http.Request
	s := newServer(t, taxii.Config{})
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r)
		s.handler.ServeHTTP(w, r)
	}))
	c.UserAgent = "office/7"
	if _, err := c.Discovery(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Add(t.Context(), taxii.RootPath, cyber, envelope(note(1, 0))); err != nil {
		t.Fatal(err)
	}
	for _, r := range seen {
		if r.Header.Get("Accept") != taxii.MediaType || r.Header.Get("User-Agent") != "office/7" || r.TLS.Version < 0x303 {
			t.Errorf("%s: %v", r.Method, r.Header)
		}
	}
	if seen[1].Header.Get("Content-Type") != taxii.MediaType {
		t.Errorf("POST: %v", seen[1].Header)
	}
}

func TestG4UnknownPropertiesAreKept(t *testing.T) {
	c := client(t, answers(`{"title":"x","api_roots":["https://other.example.org/a/"],"x_office":{"b":1}}`))
	d, err := c.Discovery(t.Context())
	if err != nil || string(d.Other) != `{"x_office":{"b":1}}` || len(d.APIRoots) != 1 {
		t.Errorf("discovery %+v, %v", d, err)
	}
}

// answers serves its bodies one after the other; the last one stays.
func answers(bodies ...string) http.Handler {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", taxii.MediaType)
		fmt.Fprint(w, bodies[min(n, len(bodies)-1)])
		n++
	})
}

func TestCredentialsGoNowhereElse(t *testing.T) {
	leaked := ""
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked += r.Header.Get("Authorization")
		w.Header().Set("Content-Type", taxii.MediaType)
		fmt.Fprint(w, `{"title":"x"}`)
	}))
	defer other.Close()
	c := client(t, http.RedirectHandler(other.URL+"/taxii2/", http.StatusFound))
	if _, err := c.Discovery(t.Context()); err == nil || !strings.Contains(err.Error(), "redirected to another host") {
		t.Errorf("redirect elsewhere: %v", err)
	}
	if _, err := c.APIRoot(t.Context(), other.URL+"/root/"); err != nil {
		t.Errorf("API root elsewhere: %v", err)
	}
	if leaked != "" {
		t.Errorf("another host got %q", leaked)
	}
}

func TestARedirectAtHomeIsFollowed(t *testing.T) {
	s := newServer(t, taxii.Config{})
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old/" {
			http.Redirect(w, r, taxii.DiscoveryPath, http.StatusPermanentRedirect)
			return
		}
		s.handler.ServeHTTP(w, r)
	}))
	c.Base.Path = "/old/"
	if d, err := c.Discovery(t.Context()); err != nil || d.Default != taxii.RootPath {
		t.Errorf("discovery %+v, %v", d, err)
	}
	c = client(t, http.RedirectHandler("/again/", http.StatusFound))
	if _, err := c.Discovery(t.Context()); err == nil || !strings.Contains(err.Error(), "redirects") {
		t.Errorf("a circle: %v", err)
	}
}

func TestAnAnswerIsReadWithinBounds(t *testing.T) {
	c := client(t, answers(`{"title":"`+strings.Repeat("x", 100_000)+`"}`))
	c.MaxResponse = 1000
	if _, err := c.Discovery(t.Context()); err == nil || !strings.Contains(err.Error(), "longer than 1000 bytes") {
		t.Errorf("long body: %v", err)
	}
	login := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>log in</html>") }))
	if _, err := login.Discovery(t.Context()); err == nil || !strings.Contains(err.Error(), "text/html") {
		t.Errorf("login page: %v", err)
	}
	twice := client(t, answers(`{"title":"x","title":"y"}`))
	if _, err := twice.Discovery(t.Context()); err == nil {
		t.Error("a duplicate member was read")
	}
}

// paged serves pages of a collection as a list of answers to queries.
func paged(t *testing.T, page func(q url.Values) (body, last string)) *taxii.Client {
	return client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, last := page(r.URL.Query())
		w.Header().Set("Content-Type", taxii.MediaType)
		if last != "" {
			w.Header().Set("X-TAXII-Date-Added-Last", last)
		}
		fmt.Fprint(w, body)
	}))
}

func walkAll(t *testing.T, c *taxii.Client, q taxii.Query) (objects int, failure error) {
	t.Helper()
	for page, err := range c.Objects(t.Context(), taxii.RootPath, cyber, q) {
		if err != nil {
			return objects, err
		}
		objects += len(page.Objects)
	}
	return objects, nil
}

func TestG6WithoutNextTheDateLeadsOn(t *testing.T) {
	var asked []string
	c := paged(t, func(q url.Values) (string, string) {
		asked = append(asked, q.Encode())
		if len(asked) == 3 {
			return `{"objects":[{"id":"c"}]}`, "2026-01-03T00:00:00.000000Z"
		}
		return `{"more":true,"objects":[{"id":"a"}]}`, fmt.Sprintf("2026-01-0%dT00:00:00.5Z", len(asked))
	})
	n, err := walkAll(t, c, taxii.Query{Limit: 1, Match: taxii.Match{ID: []string{"x"}}})
	if n != 3 || err != nil {
		t.Errorf("%d objects, %v", n, err)
	}
	want := []string{
		"limit=1&match%5Bid%5D=x",
		"added_after=2026-01-01T00%3A00%3A00.500000Z&limit=1&match%5Bid%5D=x",
		"added_after=2026-01-02T00%3A00%3A00.500000Z&limit=1&match%5Bid%5D=x",
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
}

func TestG6AServerThatLeadsNowhereIsLeft(t *testing.T) {
	count := 0
	for name, page := range map[string]func(url.Values) (string, string){
		"same next": func(url.Values) (string, string) { return `{"more":true,"next":"a","objects":[{}]}`, "" },
		"same date": func(url.Values) (string, string) {
			return `{"more":true,"objects":[{}]}`, "2026-01-01T00:00:00.000000Z"
		},
		"no date":     func(url.Values) (string, string) { return `{"more":true,"objects":[{}]}`, "" },
		"odd date":    func(url.Values) (string, string) { return `{"more":true,"objects":[{}]}`, "Mon, 2 Jan 2026" },
		"empty pages": func(url.Values) (string, string) { count++; return fmt.Sprintf(`{"more":true,"next":"%d"}`, count), "" },
	} {
		if n, err := walkAll(t, paged(t, page), taxii.Query{}); !errors.Is(err, taxii.ErrNoProgress) || n > 2 {
			t.Errorf("%s: %d objects, %v", name, n, err)
		}
	}
	if count > 200 {
		t.Errorf("%d empty pages were asked for", count)
	}
}

func TestG7A404ForNothingIsNothing(t *testing.T) {
	s := newServer(t, taxii.Config{})
	old := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/objects/") {
			http.NotFound(w, r)
			return
		}
		s.handler.ServeHTTP(w, r)
	}))
	if n, err := walkAll(t, old, taxii.Query{}); n != 0 || err != nil {
		t.Errorf("%d objects, %v", n, err)
	}
	for _, err := range client(t, s.handler).Objects(t.Context(), taxii.RootPath, secret, taxii.Query{}) {
		if !errors.Is(err, taxii.ErrNotFound) {
			t.Errorf("a collection that is not there: %v", err)
		}
	}
}

// direct carries requests to a handler without a network, for tests of time.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestG5APendingStatusIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, taxii.Config{})
		s.memory.pending = true
		looks, done := 0, time.Now().Add(time.Minute)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/status/") {
				looks++
				if looks == 3 {
					w.Header().Set("Retry-After", "20")
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				if time.Now().Before(done) {
					w.Header().Set("Content-Type", taxii.MediaType)
					fmt.Fprintf(w, `{"id":%q,"status":"pending","total_count":1,"success_count":0,"failure_count":0,"pending_count":1}`, path.Base(r.URL.Path))
					return
				}
			}
			s.handler.ServeHTTP(w, r)
		})
		c := &taxii.Client{Base: address(t, "https://hq.example.org/taxii2/"), HTTP: &http.Client{Transport: direct{h}}, Credentials: taxii.Credentials{Token: "hana-token"}}
		posted, err := c.Add(t.Context(), taxii.RootPath, cyber, envelope(note(1, 0)))
		if err != nil || posted.Status != taxii.Pending || posted.PendingCount != 1 {
			t.Fatalf("posted %+v, %v", posted, err)
		}
		final, err := c.Await(t.Context(), taxii.RootPath, posted)
		if err != nil || final.Status != taxii.Complete || final.SuccessCount != 1 || looks > 15 {
			t.Errorf("final %+v, %v after %d looks", final, err, looks)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		done = time.Now().Add(time.Hour)
		if _, err := c.Await(ctx, taxii.RootPath, posted); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an hour's wait in half a minute: %v", err)
		}
	})
}
