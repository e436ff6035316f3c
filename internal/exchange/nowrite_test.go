package exchange_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/exchange"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/taxii"
)

// disk is a store whose disk can fill up or fail, as an engine tells of it.
type disk struct {
	store.Store
	full   atomic.Bool
	fails  atomic.Bool // the next commit: done, with the reply lost
	broken atomic.Bool
	away   atomic.Bool
}

func (d *disk) View(ctx context.Context, fn func(store.View) error) error {
	if d.away.Load() {
		return errors.Join(store.ErrAway, errors.New("/srv/office/store: ECONNREFUSED"))
	}
	return d.Store.View(ctx, fn)
}

func (d *disk) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	switch {
	case d.away.Load():
		return errors.Join(store.ErrAway, errors.New("/srv/office/store: ECONNREFUSED"))
	case d.full.Load():
		return errors.Join(store.ErrFull, errors.New("/srv/office/store: ENOSPC"))
	case d.broken.Load():
		return store.ErrBroken
	case d.fails.Load():
		d.broken.Store(true)
		return errors.Join(d.Store.Update(ctx, lock, fn), store.ErrBroken, errors.New("/srv/office/store: EIO"))
	}
	return d.Store.Update(ctx, lock, fn)
}

// TestAnOfficeThatCannotWriteSaysSoAndIsRead: every write is answered 503 in
// words, every read as before. A full disk needs no restart.
func TestAnOfficeThatCannotWriteSaysSoAndIsRead(t *testing.T) {
	d := &disk{}
	r := newRoomOn(t, desktest.Options{Wrap: func(s store.Store) store.Store { d.Store = s; return d }}, loggedIn)
	c := open.Collection("cyber")
	r.post(t, c, note(1))
	d.full.Store(true)
	r.refuses(t, c, note(2))
	r.refuses(t, c, note(2))
	r.reads(t, c, note(1))
	d.full.Store(false)
	r.post(t, c, note(2))
	r.reads(t, c, note(1), note(2))

	status := r.post(t, c, note(2)).ID
	d.fails.Store(true)
	r.refuses(t, c, note(3))
	d.fails.Store(false)
	r.refuses(t, c, note(4))
	r.reads(t, c, note(1), note(2), note(3)) // its outcome was unknown: it was written
	for _, path := range []string{"/taxii2/", taxii.RootPath, taxii.RootPath + "collections/", taxii.RootPath + "status/" + status + "/"} {
		if w := r.do("Japan", "GET", path, nil); w.Code != http.StatusOK {
			t.Errorf("GET %s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestAnOfficeWhoseDatabaseIsAwaySaysSo: nothing can be read or written, which is
// another answer than that there is nothing.
func TestAnOfficeWhoseDatabaseIsAwaySaysSo(t *testing.T) {
	d := &disk{}
	r := newRoomOn(t, desktest.Options{Wrap: func(s store.Store) store.Store { d.Store = s; return d }}, loggedIn)
	c := open.Collection("cyber")
	status := r.post(t, c, note(1)).ID
	d.away.Store(true)
	r.refuses(t, c, note(2))
	for _, path := range []string{taxii.RootPath + "collections/", objects(c), objects(c) + "?limit=1", taxii.RootPath + "status/" + status + "/", exchange.ReceiptPath(c, 0)} {
		w := r.do("Japan", "GET", path, nil)
		if m := decode[taxii.ErrorMessage](t, w); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || internals.MatchString(w.Body.String()) {
			t.Errorf("GET %s: %d %v %+v", path, w.Code, w.Header(), m)
		}
	}
	d.away.Store(false)
	r.reads(t, c, note(1))
}

// loggedIn keeps the viewer of each token: making one writes an account.
func loggedIn(cfg *exchange.Config) {
	logIn, viewers := cfg.Authenticate, map[string]desk.Viewer{}
	cfg.Authenticate = func(ctx context.Context, c taxii.Credentials) (desk.Viewer, bool, error) {
		if v, ok := viewers[c.Token]; ok {
			return v, true, nil
		}
		v, ok, err := logIn(ctx, c)
		viewers[c.Token] = v
		return v, ok, err
	}
}

var internals = regexp.MustCompile(`(?i)srv|store/|ENOSPC|EIO|journal|sqlite|commit`)

func (r *room) refuses(t *testing.T, c liaison.CollectionID, object string) {
	t.Helper()
	w := r.do("Japan", "POST", objects(c), envelope(object))
	m := decode[taxii.ErrorMessage](t, w)
	if w.Code != http.StatusServiceUnavailable || m.HTTPStatus != "503" || w.Header().Get("Retry-After") == "" ||
		!strings.Contains(m.Description, "nothing of this request was acknowledged: send it again later") {
		t.Errorf("POST: %d %v %+v", w.Code, w.Header(), m)
	}
	if said := internals.FindString(w.Body.String()); said != "" {
		t.Errorf("the client reads %q: %s", said, w.Body)
	}
}

func (r *room) reads(t *testing.T, c liaison.CollectionID, want ...string) {
	t.Helper()
	w := r.do("Japan", "GET", objects(c), nil)
	if w.Code != http.StatusOK || len(decode[page](t, w).Objects) != len(want) {
		t.Errorf("GET: %d %s, want %d objects", w.Code, w.Body, len(want))
	}
}
