package taxii

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Defaults and limits of a Handler.
const (
	DefaultPageLimit        = 1000
	DefaultMaxContentLength = 10 << 20 // bytes
	MaxURLBytes             = 32 << 10 // path and query
)

// Config says how a Handler presents itself. Zero fields have defaults.
type Config struct {
	Title       string // of discovery and API root; "TAXII 2.1"
	Description string
	Contact     string

	PageLimit        int   // entries of a page at most; DefaultPageLimit
	MaxContentLength int64 // bytes of a body, after inflation; DefaultMaxContentLength

	// OpenDiscovery lets clients without credentials read discovery, the API
	// root and the list of collections the Backend shows them. Otherwise they
	// reach public collections only by their own addresses.
	OpenDiscovery bool

	Realm string       // of the 401; the Title
	Log   *slog.Logger // for errors answered with a 500; discarded if nil
}

// Handler serves one API root. It is safe for concurrent use.
type Handler struct {
	backend Backend
	config  Config
	table   []route
	buffers sync.Pool                                                         // of *[]byte
	zips    sync.Pool                                                         // of *gzip.Writer
	known   struct{ nosniff, contentType, vary, noStore, challenge []string } // header values, never changed
}

// NewHandler returns a handler over b. It serves the paths of Routes whole, so
// it is to be registered without http.StripPrefix.
func NewHandler(b Backend, c Config) *Handler {
	h := &Handler{backend: b, config: c.withDefaults(), table: routes()}
	realm := string(quoted(nil, h.config.Realm))
	h.known.nosniff = []string{"nosniff"}
	h.known.contentType = []string{MediaType}
	h.known.vary = []string{"Accept, Accept-Encoding, Authorization"}
	h.known.noStore = []string{"no-store"}
	h.known.challenge = []string{"Basic realm=" + realm + `, charset="UTF-8"`, "Bearer realm=" + realm}
	return h
}

func (c Config) withDefaults() Config {
	if c.Title == "" {
		c.Title = "TAXII 2.1"
	}
	if c.Realm == "" {
		c.Realm = c.Title
	}
	if c.PageLimit <= 0 {
		c.PageLimit = DefaultPageLimit
	}
	if c.MaxContentLength <= 0 {
		c.MaxContentLength = DefaultMaxContentLength
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// quoted appends s as a quoted-string of HTTP (RFC 9110 §5.6.4), with what
// cannot stand there left out.
func quoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range []byte(s) {
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		if c >= ' ' && c < 0x7f {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// exchange is one request on its way to its answer.
type exchange struct {
	w          http.ResponseWriter
	r          *http.Request
	names      names
	principal  Principal
	anonymous  bool
	collection Collection // set for routes that name one
	refusal    error      // of a write that only Add may allow; nil if there is no doubt
	releases   []func()   // of the pages the answer is made from
}

// ServeHTTP answers in the order that gives nothing away: who asks, then
// whether there is such a thing for them, then whether the request is well made.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{w: w, r: r}
	defer x.release()
	if err := h.serve(x); err != nil {
		h.refuse(x, err)
	}
}

func (x *exchange) release() {
	for _, f := range x.releases {
		f()
	}
}

func (h *Handler) serve(x *exchange) error {
	credentials, err := credentialsOf(x.r.Header)
	if err != nil {
		return err
	}
	x.anonymous = credentials.Anonymous()
	if x.principal, err = h.backend.Authenticate(x.r.Context(), credentials); err != nil {
		return err
	}
	rt, err := h.locate(x)
	if err != nil {
		return err
	}
	m := rt.method(x.r.Method)
	switch {
	case m == nil:
		x.w.Header().Set("Allow", rt.allow())
		return errMethod
	case !Accepts(x.r.Header["Accept"]):
		return x.refused(errNoAccept)
	}
	return m.serve(h, x)
}

// credentialsOf reads the Authorization header. A client that shows something
// unreadable is not anonymous: it is unauthorized.
func credentialsOf(header http.Header) (Credentials, error) {
	lines := header["Authorization"]
	if len(lines) == 0 {
		return Credentials{}, nil
	}
	if len(lines) > 1 {
		return Credentials{}, ErrUnauthorized
	}
	scheme, rest, _ := strings.Cut(lines[0], " ")
	var c Credentials
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		c.Token = strings.TrimSpace(rest)
	case strings.EqualFold(scheme, "Basic"):
		r := http.Request{Header: header}
		c.User, c.Password, _ = r.BasicAuth()
	}
	if c.Anonymous() {
		return Credentials{}, ErrUnauthorized
	}
	return c, nil
}

// locate finds the route of a request and the collection it names, as far as
// the principal may know of them.
func (h *Handler) locate(x *exchange) (*route, error) {
	if len(x.r.URL.EscapedPath())+len(x.r.URL.RawQuery) > MaxURLBytes {
		return nil, x.hidden(errURI)
	}
	rt, n := match(h.table, x.r.URL.EscapedPath())
	x.names = n
	switch {
	case rt == nil:
		return nil, x.hidden(ErrNotFound)
	case n.collection == "" && !(rt.open && h.config.OpenDiscovery):
		return rt, x.hidden(nil)
	case n.collection == "":
		return rt, nil
	}
	var err error
	x.collection, err = h.backend.Collection(x.r.Context(), x.principal, n.collection)
	return rt, x.undecided(rt, err)
}

// undecided lets a write go on as far as Add where it would be refused: only
// the body shows whether it withdraws what the principal itself once added,
// which stays its right (Backend.Add).
func (x *exchange) undecided(rt *route, err error) error {
	m := rt.method(x.r.Method)
	switch {
	case m == nil || !m.write || x.anonymous:
		return err
	case errors.Is(err, ErrNotFound):
		x.collection, x.refusal = Collection{ID: x.names.collection}, err
		return nil
	case err == nil && !x.collection.CanWrite:
		x.refusal = ErrForbidden
	}
	return err
}

// refused is err, or what is answered whatever else is wrong with the request.
func (x *exchange) refused(err error) error {
	status, _, _ := messageOf(ofContext(err))
	if x.refusal == nil || status >= http.StatusInternalServerError {
		return err
	}
	return x.refusal
}

// hidden is err for whoever showed credentials, and a 401 for all others.
func (x *exchange) hidden(err error) error {
	if x.anonymous {
		return ErrUnauthorized
	}
	return err
}

// seen turns an error about rights into the 401 of a client without credentials.
func (x *exchange) seen(err error) error {
	denied := errors.Is(err, ErrNotFound) && err != error(errNoObject) || errors.Is(err, ErrForbidden)
	if denied && x.anonymous {
		return ErrUnauthorized
	}
	return ofContext(err)
}

// refuse writes the answer for err.
func (h *Handler) refuse(x *exchange, err error) {
	err = x.seen(err)
	status, message, retry := messageOf(err)
	if status == http.StatusInternalServerError {
		message.ErrorID = rand.Text()[:12]
		h.config.Log.ErrorContext(x.r.Context(), "taxii request failed",
			"reference", message.ErrorID, "method", x.r.Method, "collection", x.collection.ID, "err", err)
	}
	header := x.w.Header()
	if status == http.StatusUnauthorized {
		header["Www-Authenticate"] = h.known.challenge
	}
	if retry > 0 {
		header.Set("Retry-After", strconv.Itoa(int((retry+time.Second-1)/time.Second)))
	}
	header["Cache-Control"] = h.known.noStore
	if err := h.resource(x, status, message); err != nil {
		panic(err) // an ErrorMessage of ours holds nothing that cannot be written
	}
}

// write sends a whole body of the TAXII media type.
func (h *Handler) write(x *exchange, status int, body []byte) {
	h.head(x, status, len(body))
	x.w.Write(body)
}

// head sends status and headers for a body of so many bytes.
func (h *Handler) head(x *exchange, status, length int) {
	header := x.w.Header()
	header["Content-Type"] = h.known.contentType
	header["Content-Length"] = []string{strconv.Itoa(length)}
	header["X-Content-Type-Options"] = h.known.nosniff
	header["Vary"] = h.known.vary
	if !x.anonymous {
		header["Cache-Control"] = h.known.noStore
	}
	x.w.WriteHeader(status)
}

// resource sends one of this package's resources.
func (h *Handler) resource(x *exchange, status int, v any) error {
	b, err := encode(v)
	if err == nil {
		h.write(x, status, b)
	}
	return err
}

// encode writes one of this package's resources. Only an Other that is no JSON
// object makes it fail.
func encode(resource any) ([]byte, error) {
	b, err := json.Marshal(resource, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", resource, err)
	}
	return b, nil
}

func (h *Handler) discovery(x *exchange) error {
	return h.resource(x, http.StatusOK, Discovery{
		Title: h.config.Title, Description: h.config.Description, Contact: h.config.Contact,
		Default: RootPath, APIRoots: []string{RootPath},
	})
}

func (h *Handler) root(x *exchange) error {
	return h.resource(x, http.StatusOK, APIRoot{
		Title: h.config.Title, Description: h.config.Description,
		Versions: []string{MediaType}, MaxContentLength: h.config.MaxContentLength,
	})
}

func (h *Handler) collections(x *exchange) error {
	all, err := h.backend.Collections(x.r.Context(), x.principal)
	if err != nil {
		return err
	}
	list := Collections{Collections: make([]Collection, len(all))}
	for i, c := range all {
		list.Collections[i] = c.withMediaTypes()
	}
	return h.resource(x, http.StatusOK, list)
}

func (h *Handler) collection(x *exchange) error {
	return h.resource(x, http.StatusOK, x.collection.withMediaTypes())
}

// withMediaTypes fills in the one media type there is when none is named.
func (c Collection) withMediaTypes() Collection {
	if len(c.MediaTypes) == 0 {
		c.MediaTypes = []string{STIXMediaType}
	}
	return c
}

func (h *Handler) status(x *exchange) error {
	s, err := h.backend.Status(x.r.Context(), x.principal, x.names.status)
	if err != nil {
		return err
	}
	return h.resource(x, http.StatusOK, s)
}
