package exchange_test

import (
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/taxii"
)

// TestOnesOwnIsWithdrawnByTAXIIAfterTheTerm: where the collection is closed,
// only the withdrawal of one's own gets through, and everything else is the
// answer of a collection that does not exist.
func TestOnesOwnIsWithdrawnByTAXIIAfterTheTerm(t *testing.T) {
	r := newRoom(t)
	r.office.Found(t, "trial")
	withdrawn := func(i int) string {
		return strings.Replace(strings.Replace(note(i), `"modified":"2026-01-01`, `"modified":"2026-02-01`, 1), `"content"`, `"revoked":true,"content"`, 1)
	}
	readable, closed := desktest.Collection("itpp", "cyber"), desktest.Collection("trial", "cyber")
	none := liaison.CollectionOf(liaison.H(nil), "none", 1)
	r.post(t, readable, note(1))
	r.post(t, closed, note(1))
	r.office.Clock.Move(2 * 365 * 24 * time.Hour)
	for c, code := range map[liaison.CollectionID]int{readable: 403, closed: 404} {
		for what, body := range map[string][]byte{"a note": envelope(note(2)), "a change": envelope(note(1)), "no envelope": []byte("{")} {
			if w := r.do("Japan", "POST", objects(c), body); w.Code != code {
				t.Errorf("%s: %d %s", what, w.Code, w.Body)
			}
		}
	}
	w, unknown := r.do("Japan", "POST", objects(closed), envelope(withdrawn(2))), r.do("Japan", "POST", objects(none), envelope(withdrawn(2)))
	if w.Code != 404 || w.Body.String() != unknown.Body.String() {
		t.Errorf("what was never released: %d %s, in an unknown collection: %s", w.Code, w.Body, unknown.Body)
	}
	for c, receipt := range map[liaison.CollectionID]bool{readable: true, closed: false} {
		w := r.do("Japan", "POST", objects(c), envelope(withdrawn(1)))
		s := decode[taxii.Status](t, w)
		if w.Code != 202 || s.SuccessCount != 1 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "x_receipt") != receipt {
			t.Errorf("a receipt's index says how the log has grown: %s", w.Body)
		}
		if got := r.do("Japan", "GET", taxii.RootPath+"status/"+s.ID+"/", nil); got.Body.String() != w.Body.String() {
			t.Errorf("read later: %s", got.Body)
		}
	}
	if w := r.do("Japan", "GET", objects(closed), nil); w.Code != 404 {
		t.Errorf("it is read again: %d", w.Code)
	}
}
