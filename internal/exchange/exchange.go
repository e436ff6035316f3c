// Package exchange is the room for tools: it serves the desk's collections as
// TAXII 2.1 and hands out receipts.
//
// # Invariants
//
//   - Every request is answered through the desk's three verbs with the viewer
//     that authentication made; nothing is cached across viewers.
//   - Unknown and forbidden are the same bytes.
//   - next is sealed: it carries principal, collection, filter, position and
//     expiry, and opens for none but the same principal, collection and filter.
//   - A status id is random and opens for its own principal only.
//
// # What it does not do
//
// It knows no wire format (package taxii does), no store, and makes no viewer:
// the office hands it an authenticator.
package exchange

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// Desk is what the room asks of the desk.
type Desk interface {
	Accept(context.Context, desk.Viewer, desk.Batch) ([]desk.Outcome, error)
	Read(context.Context, desk.Viewer, desk.Query) (*desk.Page, error)
	Collections(context.Context, desk.Viewer) ([]desk.Collection, error)
}

// Config is what the room needs. Zero values of the optional fields work.
type Config struct {
	Desk Desk
	// Authenticate makes the viewer for credentials; anonymous ones make the
	// viewer of nobody. ok false is the answer to all others.
	Authenticate func(ctx context.Context, c taxii.Credentials) (v desk.Viewer, ok bool, err error)
	Office       liaison.Office
	CursorKey    [32]byte // seals next; the same key after a restart keeps them valid
	Log          *slog.Logger

	Limits stix.Limits      // optional: stix.DefaultLimits
	Now    func() time.Time // optional: time.Now
	// NewID makes the id of a status for a principal; optional: random UUIDv4.
	NewID func(principal string) string
}

// Room serves the exchange. Its methods may be called concurrently.
type Room struct {
	Config
	taxii *taxii.Handler
	seal  *sealer
}

// New returns the room.
func New(cfg Config) *Room {
	if cfg.Limits == (stix.Limits{}) {
		cfg.Limits = stix.DefaultLimits()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = func(string) string { return uuid.NewString() }
	}
	r := &Room{Config: cfg, seal: newSealer(cfg.CursorKey, cfg.Now)}
	r.taxii = taxii.NewHandler(r, taxii.Config{
		Title: "liaison office " + string(cfg.Office), PageLimit: desk.MaxPage,
		MaxContentLength: int64(cfg.Limits.BodyBytes), Log: cfg.Log,
	})
	return r
}

// Routes lists every route of the room.
func Routes() []taxii.Route {
	return append(taxii.Routes(), taxii.Route{Method: http.MethodGet, Pattern: ReceiptPattern})
}

// ServeHTTP serves TAXII, receipts, and one 404 for everything else.
func (r *Room) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet && isReceipt(req.URL.Path) {
		if err := r.serveReceipt(w, req); err != nil {
			r.taxii.Refuse(w, req, err)
		}
		return
	}
	r.taxii.ServeHTTP(w, req)
}

// Authenticate implements taxii.Backend.
func (r *Room) Authenticate(ctx context.Context, c taxii.Credentials) (taxii.Principal, error) {
	v, ok, err := r.Config.Authenticate(ctx, c)
	if err == nil && !ok {
		err = taxii.ErrUnauthorized
	}
	return v, wire(err)
}

// Collections implements taxii.Backend.
func (r *Room) Collections(ctx context.Context, p taxii.Principal) ([]taxii.Collection, error) {
	list, err := r.Desk.Collections(ctx, viewer(p))
	if err != nil {
		return nil, wire(err)
	}
	out := make([]taxii.Collection, len(list))
	for i, c := range list {
		out[i] = resource(c)
	}
	return out, nil
}

// Collection implements taxii.Backend.
func (r *Room) Collection(ctx context.Context, p taxii.Principal, idOrAlias string) (taxii.Collection, error) {
	list, err := r.Desk.Collections(ctx, viewer(p))
	if err != nil {
		return taxii.Collection{}, wire(err)
	}
	for _, c := range list {
		if c.ID.String() == idOrAlias || c.Alias == idOrAlias {
			return resource(c), nil
		}
	}
	return taxii.Collection{}, taxii.ErrNotFound
}

func resource(c desk.Collection) taxii.Collection {
	return taxii.Collection{
		ID: c.ID.String(), Alias: c.Alias, Title: c.Title, Description: c.Description,
		CanRead: c.CanRead, CanWrite: c.CanWrite, MediaTypes: []string{taxii.STIXMediaType},
	}
}

func viewer(p taxii.Principal) desk.Viewer {
	v, _ := p.(desk.Viewer) // the zero viewer is nobody
	return v
}

// wire maps the desk's errors to the protocol's.
func wire(err error) error {
	switch {
	case errors.Is(err, desk.ErrNotFound):
		return taxii.ErrNotFound
	case errors.Is(err, desk.ErrErased):
		return &taxii.Refusal{Err: taxii.ErrGone, Description: "the object was erased; without object=1 its receipt still proves that it was accepted"}
	case errors.Is(err, desk.ErrReadOnly):
		return taxii.ErrForbidden
	case errors.Is(err, desk.ErrRevoked):
		return taxii.ErrUnauthorized
	case errors.Is(err, desk.ErrAway):
		return &taxii.Refusal{
			Err: taxii.ErrUnavailable, RetryAfter: retryAway,
			Description: "the database of this office cannot be reached at the moment; nothing of this request was acknowledged: send it again later",
		}
	case errors.Is(err, desk.ErrNoWrite):
		return &taxii.Refusal{
			Err: taxii.ErrUnavailable, RetryAfter: retryWrite,
			Description: "this office cannot store anything at the moment; nothing of this request was acknowledged: send it again later",
		}
	}
	return err
}

// retryAway is when a client may try again while the database is away: a standby
// takes over within seconds.
const retryAway = 10 * time.Second

// retryWrite is when a client may try again to bring what could not be stored:
// a person has to see to the disk.
const retryWrite = time.Minute

// Objects implements taxii.Backend.
func (r *Room) Objects(ctx context.Context, p taxii.Principal, collection string, q taxii.Query) (taxii.Page, error) {
	c, err := liaison.ParseCollectionID(collection)
	if err != nil {
		return taxii.Page{}, taxii.ErrNotFound
	}
	query := desk.Query{Collection: c, Limit: q.Limit, WithoutBytes: q.WithoutBytes, Filter: desk.Filter{
		IDs: q.Match.ID, Types: q.Match.Type, Versions: q.Match.Version, SpecVersions: q.Match.SpecVersion,
	}}
	if q.AddedAfter != "" {
		if query.AddedAfter, err = liaison.ParseInstant(q.AddedAfter); err != nil {
			return taxii.Page{}, taxii.ErrBadRequest
		}
	}
	bound := cursorBinding(viewer(p).Principal(), collection, q.Match.Key())
	if q.Next != "" {
		at, err := r.seal.open(q.Next, bound)
		if err != nil {
			return taxii.Page{}, err
		}
		query.From, query.Generation, query.Seen = at.index, at.generation, at.seen
	}
	page, err := r.Desk.Read(ctx, viewer(p), query)
	if err != nil {
		return taxii.Page{}, wire(err)
	}
	return r.page(page, bound), nil
}

func (r *Room) page(page *desk.Page, bound string) taxii.Page {
	out := taxii.Page{Entries: make([]taxii.Entry, len(page.Entries)), Joined: page.Joined, More: page.More, Release: page.Release}
	if page.More {
		at := place{index: page.Next, generation: page.Generation}
		if n := len(page.Entries); n > 0 {
			at.seen = page.Entries[n-1].Added
		}
		out.Next = r.seal.seal(at, bound)
	}
	if n := len(page.Entries); n > 0 && page.Joined != nil {
		out.Entries[0].Added = page.Entries[0].Added.String()
		out.Entries[n-1].Added = page.Entries[n-1].Added.String()
		return out // the rest is in Joined
	}
	dates := dates(page.Entries)
	for i, e := range page.Entries {
		out.Entries[i] = taxii.Entry{ID: e.ID, Version: e.Version, Added: dates[i*dateLen : (i+1)*dateLen]}
	}
	return out
}

// dateLen is the length of every date: six decimals and Z.
const dateLen = len("2006-01-02T15:04:05.000000Z")

// dates joins the dates of a page: one string instead of a thousand.
func dates(entries []desk.Entry) string {
	b := make([]byte, 0, len(entries)*dateLen)
	for _, e := range entries {
		b = e.Added.Append(b)
	}
	return string(b)
}
