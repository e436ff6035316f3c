package taxii

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/liaison-office/liaison/stix"
)

// The errors a Backend answers with and a Client returns; callers branch on
// them with errors.Is. Wrapped text stays on this side of the wire.
var (
	ErrBadRequest      = errors.New("bad request")
	ErrBadNext         = errors.New("next cannot be used")
	ErrUnauthorized    = errors.New("unauthorized")
	ErrForbidden       = errors.New("forbidden")
	ErrNotFound        = errors.New("not found")
	ErrTooLarge        = errors.New("content too large")
	ErrUnprocessable   = errors.New("unprocessable content")
	ErrTooManyRequests = errors.New("too many requests")
	ErrUnavailable     = errors.New("service unavailable")
	ErrGone            = errors.New("gone")

	errMethod      = errors.New("method not allowed")
	errNoAccept    = errors.New("not acceptable")
	errURI         = errors.New("URI too long")
	errContentType = errors.New("unsupported media type")
	errInternal    = errors.New("internal server error")

	// errNoObject is an object that is not in a collection the principal reads:
	// ErrNotFound in every byte, but no reason to ask for credentials.
	errNoObject = &Refusal{Err: ErrNotFound}
)

// Refusal is an error with words for the client. Description and Details are
// shown to it, so they say nothing it may not know; for ErrNotFound,
// ErrUnauthorized and ErrBadNext, which have one text, they are not shown.
type Refusal struct {
	Err         error // one of this package's
	Description string
	Details     map[string]string
	RetryAfter  time.Duration // for ErrTooManyRequests and ErrUnavailable
}

func (r *Refusal) Error() string {
	if r.Description == "" {
		return r.Err.Error()
	}
	return r.Err.Error() + ": " + r.Description
}

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }

// answers is the one table of errors, statuses and words for people.
var answers = [...]struct {
	err    error
	status int
	title  string
	words  string
}{
	{ErrBadNext, 400, "Bad Request", "parameter next: not a token this query can continue from"},
	{ErrBadRequest, 400, "Bad Request", ""},
	{ErrUnauthorized, 401, "Unauthorized", "valid credentials are needed: HTTP Basic or a Bearer token"},
	{ErrForbidden, 403, "Forbidden", "the collection does not allow this"},
	{ErrNotFound, 404, "Not Found", ""},
	{errMethod, 405, "Method Not Allowed", ""},
	{errNoAccept, 406, "Not Acceptable", "this server answers with " + MediaType},
	{ErrTooLarge, 413, "Content Too Large", "the body is larger than the API root's max_content_length"},
	{errURI, 414, "URI Too Long", ""},
	{errContentType, 415, "Unsupported Media Type", "want Content-Type: " + MediaType + ", and gzip or no Content-Encoding"},
	{ErrUnprocessable, 422, "Unprocessable Content", ""},
	{ErrTooManyRequests, 429, "Too Many Requests", ""},
	{ErrUnavailable, 503, "Service Unavailable", ""},
	{ErrGone, 410, "Gone", ""},
	{errInternal, 500, "Internal Server Error", "the log of the server has this number"},
}

// defaultRetryAfter is what a 429 or 503 says when its error names no time.
const defaultRetryAfter = 5 * time.Second

// messageOf returns what a client is told of err and when it may come back.
func messageOf(err error) (int, ErrorMessage, time.Duration) {
	row := answers[len(answers)-1]
	for _, a := range answers {
		if errors.Is(err, a.err) {
			row = a
			break
		}
	}
	m := ErrorMessage{Title: row.title, Description: row.words, HTTPStatus: strconv.Itoa(row.status)}
	retry := time.Duration(0)
	if row.status == http.StatusTooManyRequests || row.status == http.StatusServiceUnavailable {
		retry = defaultRetryAfter
	}
	if row.err == ErrNotFound || row.err == ErrUnauthorized || row.err == ErrBadNext {
		return row.status, m, retry
	}
	var parameter *ParameterError
	var refusal *Refusal
	switch {
	case errors.As(err, &parameter):
		m.Description = parameter.Error()
	case errors.As(err, &refusal):
		if refusal.Description != "" {
			m.Description = refusal.Description
		}
		m.Details = refusal.Details
		if refusal.RetryAfter > 0 && retry > 0 {
			retry = refusal.RetryAfter
		}
	}
	return row.status, m, retry
}

// errorOf returns the sentinel of an HTTP status, for clients; nil for one that
// has none.
func errorOf(status int) error {
	for _, a := range answers {
		if a.status == status && a.err != ErrBadNext {
			return a.err
		}
	}
	return nil
}

// ofBody turns a parser's error about a request's body into a refusal.
func ofBody(err error) error {
	var bad *stix.Error
	var refusal *Refusal
	if !errors.As(err, &bad) || errors.As(err, &refusal) {
		return err
	}
	words := bad.Reason
	if bad.Pointer != "" {
		words = "at " + bad.Pointer + ": " + words
	}
	if bad.Code == stix.CodeTooLarge || bad.Code == stix.CodeTooMany {
		return &Refusal{Err: ErrTooLarge, Description: words}
	}
	return &Refusal{Err: ErrBadRequest, Description: words}
}

// ofContext turns an ended context into overload: whoever still listens may
// come back.
func ofContext(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Refusal{Err: ErrUnavailable}
	}
	return err
}
