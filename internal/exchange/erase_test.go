package exchange_test

import (
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/exchange"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/taxii"
)

// Who may read the collection is told that an object was erased, and keeps its
// proof; all others get the answer of a collection that does not exist. A status
// counts what it no longer names.
func TestTheReceiptOfAnErasedActStays(t *testing.T) {
	r := newRoom(t)
	c := open.Collection("cyber")
	status := r.post(t, c, note(1), note(2))
	path := exchange.ReceiptPath(c, 0)
	proof, err := liaison.ParseReceipt(r.do("Japan", "GET", path, nil).Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.office.Desk.Accept(t.Context(), r.office.As(t, "Japan"), desk.Batch{Collection: c, Items: []desk.Item{{Erases: proof.Act.Hash()}}})
	if err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("%+v %v", out, err)
	}
	for _, index := range []uint64{0, out[0].Index} {
		w := r.do("Japan", "GET", exchange.ReceiptPath(c, index), nil)
		kept, err := liaison.ParseReceipt(w.Body.Bytes())
		if err != nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if _, err := ledger.VerifyReceipt(kept, desktest.Pin()); err != nil {
			t.Error(err)
		}
	}
	if w := r.do("Japan", "GET", path+"?object=1", nil); w.Code != 410 || !strings.Contains(w.Body.String(), "without object=1") {
		t.Errorf("with the object: %d %s", w.Code, w.Body)
	}
	for _, party := range []string{"India", ""} {
		got := r.do(party, "GET", path+"?object=1", nil)
		none := r.do(party, "GET", exchange.ReceiptPath(liaison.CollectionOf(liaison.Hash{}, "x", 1), 0)+"?object=1", nil)
		if got.Code != none.Code || got.Body.String() != none.Body.String() {
			t.Errorf("%q: %d %s, and of none %d %s", party, got.Code, got.Body, none.Code, none.Body)
		}
	}
	w := r.do("Japan", "GET", taxii.RootPath+"status/"+status.ID+"/", nil)
	now := decode[taxii.Status](t, w)
	if now.SuccessCount != 2 || now.TotalCount != 2 || len(now.Successes) != 1 || now.Successes[0].ID != string(desktest.ID("note", "2")) {
		t.Errorf("%s", w.Body)
	}
	id := string(desktest.ID("note", "1"))
	for _, path := range []string{"", id + "/", id + "/versions/", "?match[version]=all"} {
		if w := r.do("Japan", "GET", objects(c)+path, nil); strings.Contains(w.Body.String(), `"id":"`+id) || strings.Contains(w.Body.String(), `"content":"1"`) {
			t.Errorf("%s shows it: %s", path, w.Body)
		}
	}
}
