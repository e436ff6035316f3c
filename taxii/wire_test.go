package taxii_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison/taxii"
)

// raw sends bytes to a listening server and returns the answers until the
// connection ends.
func raw(t *testing.T, address string, request io.Reader) (statuses []int) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	go func() { // ends with the request or the connection
		io.Copy(c, request)
		c.(*net.TCPConn).CloseWrite()
	}()
	r := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return statuses
		}
		statuses = append(statuses, resp.StatusCode)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Close {
			return statuses
		}
	}
}

func listening(t *testing.T, s *server) string {
	t.Helper()
	web := httptest.NewServer(s.handler)
	t.Cleanup(web.Close)
	return strings.TrimPrefix(web.URL, "http://")
}

const postHead = "POST /taxii2/root/collections/" + cyber + "/objects/ HTTP/1.1\r\nHost: hq\r\nAuthorization: Bearer hana-token\r\n" +
	"Content-Type: application/taxii+json;version=2.1\r\n"

func TestB5AChunkedBodyOverTheLimitEndsTheConnection(t *testing.T) {
	s := newServer(t, taxii.Config{MaxContentLength: 100_000})
	read := &counted{chunk: []byte("2710\r\n" + strings.Repeat(" ", 10_000) + "\r\n")}
	got := raw(t, listening(t, s), io.MultiReader(strings.NewReader(postHead+"Transfer-Encoding: chunked\r\n\r\n"), read))
	if len(got) != 1 || got[0] != 413 {
		t.Errorf("answers %v", got)
	}
}

// counted is an endless body of equal chunks.
type counted struct {
	chunk []byte
	rest  []byte
}

func (c *counted) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		c.rest = c.chunk
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func TestALyingLengthSmugglesNothing(t *testing.T) {
	s := newServer(t, taxii.Config{})
	body := string(envelope(note(1, 0)))
	address := listening(t, s)
	for name, request := range map[string]string{
		"shorter": postHead + "Content-Length: 10\r\n\r\n" + body + "\r\n\r\n",
		"both":    postHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n" + body,
		"two":     postHead + "Content-Length: 10\r\nContent-Length: 20\r\n\r\n" + body,
	} {
		for _, status := range raw(t, address, strings.NewReader(request)) {
			if status != 400 {
				t.Errorf("%s: answered %d", name, status)
			}
		}
	}
	if got := s.ask(objectsOf).ids(); got != nil {
		t.Errorf("stored %v", got)
	}
}

func TestALongURLIsRefusedAndNotLogged(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.ask(objectsOf + "?match[id]=" + strings.Repeat("a", 64<<10)).want(414)
	s.ask("GET /" + strings.Repeat("a", 64<<10)).want(414)
	s.ask("GET /"+strings.Repeat("a", 64<<10), "Authorization: none").want(401)
	if s.log.Len() > 0 {
		t.Errorf("logged %d bytes", s.log.Len())
	}
}

// FuzzRequest: whatever is asked by whomever, the answer is well formed, never
// a 5xx, and a stranger sees nothing of what is not public.
func FuzzRequest(f *testing.F) {
	for i, rt := range taxii.Routes() {
		f.Add(rt.Method, strings.NewReplacer("{collection}", cyber, "{object}", noteID(0)).Replace(rt.Pattern), "limit=1", "*/*", "Bearer hana-token", fmt.Sprint(i))
	}
	f.Add("POST", "/taxii2/root/collections/cyber/objects/", "", "", "Basic aGFuYTpjb3JyZWN0IGhvcnNl", string(envelope(note(0, 0))))
	f.Fuzz(func(t *testing.T, method, path, query, accept, authorization, body string) {
		r := &http.Request{Method: method, Header: http.Header{"Accept": {accept}, "Authorization": {authorization}, "Content-Type": {taxii.MediaType}}}
		r.Body = io.NopCloser(strings.NewReader(body))
		url, err := http.NewRequest("GET", "https://hq.example.org/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL = url.URL
		r.URL.Path, r.URL.RawQuery = path, query
		s := newServer(t, taxii.Config{PageLimit: 3})
		s.memory.fill(cyber, 0, 2)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		a := &answer{t: t, request: method + " " + path, Status: w.Code, Header: w.Header(), Body: w.Body.String()}
		a.check()
		known := strings.Contains(authorization, " ")
		if a.Status >= 500 || !known && a.Status != 401 {
			t.Fatalf("%s: %s", a.request, a.transcript())
		}
	})
}
