package taxii

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Limits of a Client.
const (
	DefaultMaxResponse = 64 << 20 // bytes of a body, after inflation
	maxErrorBody       = 64 << 10
	maxRedirects       = 5
)

// Client asks TAXII 2.1 servers. Its fields are not changed while it is used;
// it is then safe for concurrent use.
//
// Roots are named as discovery names them: absolute or relative to Base.
// Credentials are shown to the scheme, host and port of Base and to no other;
// a redirect elsewhere is an error.
type Client struct {
	Base        *url.URL     // the discovery URL, such as https://hq.example.org/taxii2/
	HTTP        *http.Client // http.DefaultClient if nil
	Credentials Credentials
	UserAgent   string // name/version (TAXII 2.1 §8.5); "liaison-taxii/1" if empty
	AllowHTTP   bool   // plain http is refused otherwise (TAXII 2.1 §8.5.1)
	MaxResponse int64  // bytes of a body, after inflation; DefaultMaxResponse if 0
}

// ResponseError is an answer that is no success. errors.Is finds ErrNotFound,
// ErrUnauthorized and the like by its status.
type ResponseError struct {
	Status     int
	Message    ErrorMessage  // zero if the server sent none that can be read
	RetryAfter time.Duration // 0 if the server named none
}

func (e *ResponseError) Error() string {
	text := "server answered " + strconv.Itoa(e.Status)
	if e.Message.Title != "" {
		text += " " + e.Message.Title
	}
	if e.Message.Description != "" {
		text += ": " + e.Message.Description
	}
	if e.Message.ErrorID != "" {
		text += " (reference " + e.Message.ErrorID + ")"
	}
	return text
}

// Unwrap returns the error of this package with that status, or nil.
func (e *ResponseError) Unwrap() error { return errorOf(e.Status) }

// Discovery reads the discovery resource at Base.
func (c *Client) Discovery(ctx context.Context) (Discovery, error) {
	var d Discovery
	_, err := c.get(ctx, "", nil, &d)
	return d, err
}

// APIRoot reads the API root resource.
func (c *Client) APIRoot(ctx context.Context, root string) (APIRoot, error) {
	var r APIRoot
	_, err := c.get(ctx, root, nil, &r)
	return r, err
}

// Collections lists the collections of an API root.
func (c *Client) Collections(ctx context.Context, root string) ([]Collection, error) {
	var list Collections
	_, err := c.get(ctx, under(root, "collections"), nil, &list)
	return list.Collections, err
}

// Collection reads one collection by id or alias.
func (c *Client) Collection(ctx context.Context, root, collection string) (Collection, error) {
	var one Collection
	_, err := c.get(ctx, under(root, "collections", collection), nil, &one)
	return one, err
}

// Add posts an envelope. The status it returns may be Pending: see Await.
func (c *Client) Add(ctx context.Context, root, collection string, envelope []byte) (Status, error) {
	var s Status
	r, err := c.request(ctx, http.MethodPost, under(root, "collections", collection, "objects"), nil, envelope)
	if err != nil {
		return s, err
	}
	_, err = c.do(r, &s)
	return s, err
}

// Status reads a status resource.
func (c *Client) Status(ctx context.Context, root, id string) (Status, error) {
	var s Status
	_, err := c.get(ctx, under(root, "status", id), nil, &s)
	return s, err
}

// Bounds of the pause between two looks at a pending status.
const (
	minPoll = 200 * time.Millisecond
	maxPoll = 10 * time.Second
)

// Await asks for s again while it is Pending, with growing pauses, until it is
// Complete or ctx ends. A server that asks for patience gets it.
func (c *Client) Await(ctx context.Context, root string, s Status) (Status, error) {
	id := s.ID
	for pause := minPoll; s.Status == Pending; pause = min(pause*2, maxPoll) {
		if err := sleep(ctx, pause); err != nil {
			return s, fmt.Errorf("await status %s: %w", id, err)
		}
		fresh, err := c.Status(ctx, root, id)
		var busy *ResponseError
		switch {
		case err == nil:
			s = fresh
		case errors.As(err, &busy) && busy.RetryAfter > 0:
			pause = max(pause, busy.RetryAfter/2)
		default:
			return s, fmt.Errorf("await status %s: %w", id, err)
		}
	}
	if s.Status != Complete {
		return s, fmt.Errorf("await status %s: the server calls it %.40q", id, s.Status)
	}
	return s, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// under appends path segments to an API root, each escaped, and the last slash.
func under(root string, segments ...string) string {
	b := strings.TrimSuffix(root, "/") + "/"
	for _, s := range segments {
		b += url.PathEscape(s) + "/"
	}
	return b
}

func (c *Client) get(ctx context.Context, ref string, params url.Values, into any) (http.Header, error) {
	r, err := c.request(ctx, http.MethodGet, ref, params, nil)
	if err != nil {
		return nil, err
	}
	return c.do(r, into)
}

// request builds a request for a reference relative to Base.
func (c *Client) request(ctx context.Context, method, ref string, params url.Values, body []byte) (*http.Request, error) {
	if c.Base == nil {
		return nil, errors.New("taxii client: no base URL")
	}
	u, err := c.Base.Parse(ref)
	if err != nil {
		return nil, fmt.Errorf("taxii client: address %.200q: %w", ref, err)
	}
	if err := c.permitted(u); err != nil {
		return nil, err
	}
	u.RawQuery = params.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("taxii client: %w", err)
	}
	r.Header.Set("Accept", MediaType)
	r.Header.Set("User-Agent", c.userAgent())
	if method == http.MethodPost {
		r.Header.Set("Content-Type", MediaType)
	}
	if sameOrigin(u, c.Base) {
		c.authorize(r)
	}
	return r, nil
}

func (c *Client) permitted(u *url.URL) error {
	switch {
	case u.Host == "":
		return fmt.Errorf("taxii client: address %.200q has no host", u.Redacted())
	case u.Scheme == "https" || u.Scheme == "http" && c.AllowHTTP:
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("taxii client: %.200s is not https, and plain http is not allowed", u.Redacted())
	}
	return fmt.Errorf("taxii client: %.200s is not https", u.Redacted())
}

func (c *Client) userAgent() string {
	if c.UserAgent == "" {
		return "liaison-taxii/1"
	}
	return c.UserAgent
}

func (c *Client) authorize(r *http.Request) {
	switch {
	case c.Credentials.Token != "":
		r.Header.Set("Authorization", "Bearer "+c.Credentials.Token)
	case !c.Credentials.Anonymous():
		r.SetBasicAuth(c.Credentials.User, c.Credentials.Password)
	}
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// do sends r and decodes a success into into.
func (c *Client) do(r *http.Request, into any) (http.Header, error) {
	place := r.Method + " " + r.URL.Redacted()
	resp, err := c.transport().Do(r)
	if err != nil {
		return nil, fmt.Errorf("taxii client: %w", err) // a *url.Error names method and address
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, fmt.Errorf("%s: %w", place, responseError(resp))
	}
	b, err := c.read(resp)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the answer: %w", place, err)
	}
	return resp.Header, nil
}

// transport is HTTP with redirects kept to where the first request went.
func (c *Client) transport() *http.Client {
	kept := http.Client{}
	if c.HTTP != nil {
		kept = *c.HTTP
	}
	kept.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if !sameOrigin(r.URL, via[0].URL) {
			return fmt.Errorf("redirected to another host, %.100q", r.URL.Host)
		}
		return nil
	}
	return &kept
}

// read reads the body of a success. Servers disagree about the type of their
// JSON, so only what is plainly something else is refused: a page to log in at.
func (c *Client) read(resp *http.Response) ([]byte, error) {
	typ, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || !strings.HasSuffix(typ, "json") {
		return nil, fmt.Errorf("content type %.100q is not TAXII's %s", resp.Header.Get("Content-Type"), MediaType)
	}
	limit := c.MaxResponse
	if limit <= 0 {
		limit = DefaultMaxResponse
	}
	b, err := readAll(resp.Body, resp.ContentLength, limit)
	if errors.Is(err, ErrTooLarge) {
		return nil, fmt.Errorf("longer than %d bytes", limit)
	}
	return b, err
}

// responseError reads as much of an error as the server was able to say.
func responseError(resp *http.Response) *ResponseError {
	e := &ResponseError{Status: resp.StatusCode}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(min(seconds, 86400)) * time.Second
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	var m ErrorMessage
	if err == nil && json.Unmarshal(b, &m) == nil {
		e.Message = m
	}
	return e
}
