package taxii_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/liaison-office/liaison/taxii"
)

// TestAResourceBesideTheAPIRootIsRefusedAlike compares whole answers.
func TestAResourceBesideTheAPIRootIsRefusedAlike(t *testing.T) {
	s := newServer(t, taxii.Config{})
	for authorization, want := range map[string]*answer{
		"Bearer hana-token": s.ask("GET /taxii2/nowhere/").want(404),
		"none":              s.ask("GET /taxii2/nowhere/", "Authorization: none").want(401),
	} {
		r := httptest.NewRequest("GET", "/receipts/1/", nil)
		if authorization != "none" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		s.handler.(*taxii.Handler).Refuse(w, r, taxii.ErrNotFound)
		got := &answer{t: t, Status: w.Code, Header: w.Header(), Body: w.Body.String()}
		if got.transcript() != want.transcript() {
			t.Errorf("%s: %s\nwant %s", authorization, got.transcript(), want.transcript())
		}
	}
	r := httptest.NewRequest("GET", "/receipts/1/", nil)
	r.SetBasicAuth("hana", "correct horse")
	if c, err := taxii.CredentialsOf(r); err != nil || c.User != "hana" || c.Password != "correct horse" {
		t.Errorf("credentials %v, %v", c, err)
	}
}

// lent counts what a memory gave out and got back.
type lent struct {
	*memory
	out, back int
}

func (l *lent) Objects(ctx context.Context, p taxii.Principal, collection string, q taxii.Query) (taxii.Page, error) {
	page, err := l.memory.Objects(ctx, p, collection, q)
	l.out++
	page.Release = func() { l.back++ }
	return page, err
}

func TestEveryPageIsReleasedOnce(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 3)
	l := &lent{memory: s.memory}
	s.handler = taxii.NewHandler(l, taxii.Config{})
	for _, tail := range []string{"objects/", "manifest/", "objects/" + noteID(1) + "/", "objects/" + noteID(1) + "/versions/",
		"objects/" + noteID(9) + "/", "objects/?next=AAAA", "objects/?added_after=2999-01-01T00:00:00Z"} {
		s.ask("GET /taxii2/root/collections/" + cyber + "/" + tail)
		if l.out == 0 || l.out != l.back {
			t.Errorf("%s: %d pages given out, %d released", tail, l.out, l.back)
		}
	}
}
