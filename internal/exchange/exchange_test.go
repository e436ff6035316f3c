package exchange_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/exchange"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// open is a charter whose area takes what nobody marked, as GREEN.
var open = desktest.Charter{Alias: "open", Names: []string{"Japan"}, Terms: liaison.Programme{
	Name: "Open", Kind: liaison.KindPartnership, Ceiling: stix.Green, AcceptUnmarked: true, Areas: []liaison.Area{"cyber", "space"},
}}

// room is tokyo's exchange over a real desk. A party's name is its token.
type room struct {
	*exchange.Room
	office *desktest.Office
}

func newRoom(t *testing.T, change ...func(*exchange.Config)) *room {
	t.Helper()
	return newRoomOn(t, desktest.Options{}, change...)
}

func newRoomOn(t *testing.T, opt desktest.Options, change ...func(*exchange.Config)) *room {
	t.Helper()
	office := desktest.New(t, desktest.Tokyo, opt)
	enact(t, office)
	return newRoomOf(t, office, change...)
}

// enact brings the charters of the rooms.
func enact(t *testing.T, office *desktest.Office) {
	t.Helper()
	office.Found(t, "register", "itpp", "bulletin")
	b := desk.Batch{Collection: open.Collection(liaison.Charter), Items: desktest.Items(open.Objects()...)}
	if out, err := office.Desk.Accept(t.Context(), registry.Operator(desktest.Tokyo), b); err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("%+v %v", out, err)
	}
}

func newRoomOf(t *testing.T, office *desktest.Office, change ...func(*exchange.Config)) *room {
	t.Helper()
	r := &room{office: office}
	var known sync.Map // viewers by their token
	cfg := exchange.Config{
		Desk: r.office.Desk, Office: desktest.Tokyo, CursorKey: [32]byte{1}, Log: slog.New(slog.DiscardHandler), Now: r.office.Clock.Now,
		Authenticate: func(_ context.Context, c taxii.Credentials) (desk.Viewer, bool, error) {
			if c.Anonymous() {
				return registry.Nobody(), true, nil
			}
			if c.Token != "Japan" && c.Token != "India" && c.Token != "Office Tokyo" {
				return desk.Viewer{}, false, nil
			}
			v, ok := known.Load(c.Token)
			if !ok {
				v, _ = known.LoadOrStore(c.Token, r.office.As(t, c.Token))
			}
			return v.(desk.Viewer), true, nil
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	r.Room = exchange.New(cfg)
	return r
}

func (r *room) do(party, method, path string, body []byte) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, path, bytes.NewReader(body))
	q.Header.Set("Accept", taxii.MediaType)
	q.Header.Set("Content-Type", taxii.MediaType)
	if party != "" {
		q.Header.Set("Authorization", "Bearer "+party)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

func objects(c liaison.CollectionID) string {
	return taxii.RootPath + "collections/" + c.String() + "/objects/"
}

func note(i int) string {
	return fmt.Sprintf(`{"type":"note","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","object_marking_refs":["%s"],"content":"%d","object_refs":["%s"]}`,
		desktest.ID("note", fmt.Sprint(i)), stix.Green.Marking(), i, desktest.ID("note", "x"))
}

func envelope(objects ...string) []byte {
	return []byte(`{"objects":[` + strings.Join(objects, ",") + `]}`)
}

func (r *room) post(t *testing.T, c liaison.CollectionID, list ...string) taxii.Status {
	t.Helper()
	w := r.do("Japan", "POST", objects(c), envelope(list...))
	if w.Code != http.StatusAccepted {
		t.Fatalf("POST: %d %s", w.Code, w.Body)
	}
	return decode[taxii.Status](t, w)
}

func decode[V any](t *testing.T, w *httptest.ResponseRecorder) (v V) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

// page is an envelope of TAXII.
type page struct {
	More    bool             `json:"more"`
	Next    string           `json:"next"`
	Objects []jsontext.Value `json:"objects"`
}

func TestAnObjectIsServedAsItWasPosted(t *testing.T) {
	r := newRoom(t)
	c := open.Collection("cyber")
	r.post(t, c, note(1), note(2), note(3))
	got := decode[page](t, r.do("Japan", "GET", objects(c), nil))
	if len(got.Objects) != 3 || got.More {
		t.Fatalf("%+v", got)
	}
	for i, o := range got.Objects {
		if string(o) != note(i+1) {
			t.Errorf("%s", o)
		}
	}
	for _, alias := range []string{"open.cyber", c.String()} {
		if w := r.do("Japan", "GET", taxii.RootPath+"collections/"+alias+"/", nil); w.Code != 200 || !strings.Contains(w.Body.String(), c.String()) {
			t.Errorf("%s: %d %s", alias, w.Code, w.Body)
		}
	}
}

func TestUnknownAndForbiddenAreTheSameBytes(t *testing.T) {
	r := newRoom(t)
	c, unknown := open.Collection("cyber"), liaison.CollectionOf(liaison.H(nil), "none", 1)
	r.post(t, c, note(1))
	paths := func(c liaison.CollectionID) []string {
		base := taxii.RootPath + "collections/" + c.String() + "/"
		return []string{base, base + "objects/", base + "manifest/", base + "objects/" + string(desktest.ID("note", "1")) + "/", base + "objects/" + string(desktest.ID("note", "1")) + "/versions/", exchange.ReceiptPath(c, 0), exchange.ReceiptPath(c, 7)}
	}
	for _, party := range []string{"India", ""} {
		want := r.do(party, "GET", paths(unknown)[0], nil)
		if code := map[string]int{"India": 404, "": 401}[party]; want.Code != code {
			t.Fatalf("%q: an unknown collection is %d", party, want.Code)
		}
		for i, p := range paths(c) {
			for _, path := range []string{p, paths(unknown)[i]} {
				if w := r.do(party, "GET", path, nil); w.Code != want.Code || w.Body.String() != want.Body.String() || fmt.Sprint(w.Header()) != fmt.Sprint(want.Header()) {
					t.Errorf("%q: %s\n%d %v %s\nwant\n%d %v %s", party, path, w.Code, w.Header(), w.Body, want.Code, want.Header(), want.Body)
				}
			}
		}
		for _, id := range []liaison.CollectionID{c, unknown} {
			if w := r.do(party, "POST", objects(id), envelope(note(2))); w.Code != want.Code || w.Body.String() != want.Body.String() {
				t.Errorf("%q: POST into %s: %d %s", party, id, w.Code, w.Body)
			}
		}
	}
	if w := r.do("wrong", "GET", objects(c), nil); w.Code != 401 {
		t.Errorf("wrong credentials: %d", w.Code)
	}
	if w := r.do("wrong", "GET", exchange.ReceiptPath(c, 0), nil); w.Code != 401 {
		t.Errorf("wrong credentials at a receipt: %d", w.Code)
	}
	if w := r.do("Japan", "POST", objects(open.Collection(liaison.Charter)), envelope(note(2))); w.Code != 403 {
		t.Errorf("a charter is read and not written: %d", w.Code)
	}
}

func TestNextIsSealedForOneReaderCollectionAndFilter(t *testing.T) {
	r := newRoom(t)
	c, other := open.Collection("cyber"), open.Collection("space")
	r.post(t, c, note(1), note(2), note(3))
	r.post(t, other, note(1), note(2), note(3))
	query := func(path, more string) string { return path + "?limit=1" + more }
	first := decode[page](t, r.do("Japan", "GET", query(objects(c), ""), nil))
	again := decode[page](t, r.do("Japan", "GET", query(objects(c), ""), nil))
	if !first.More || first.Next == "" || first.Next != again.Next {
		t.Fatalf("equal cursors are equal bytes: %q, %q", first.Next, again.Next)
	}
	second := decode[page](t, r.do("Japan", "GET", query(objects(c), "&next="+first.Next), nil))
	if len(second.Objects) != 1 || string(second.Objects[0]) != note(2) {
		t.Fatalf("%+v", second)
	}
	raw, err := base64.RawURLEncoding.DecodeString(first.Next)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	public := decode[page](t, r.do("Japan", "GET", query(objects(other), ""), nil))
	bad := map[string]string{
		"another collection's": query(objects(c), "&next="+public.Next),
		"another filter's":     query(objects(c), "&match[type]=note&next="+first.Next),
		"of one bit":           query(objects(c), "&next="+base64.RawURLEncoding.EncodeToString(raw)),
		"cut short":            query(objects(c), "&next="+first.Next[:len(first.Next)-4]),
		"empty base64":         query(objects(c), "&next=AAAA"),
		"no base64":            query(objects(c), "&next=!"),
		"padded":               query(objects(c), "&next="+first.Next+"="),
		"a number":             query(objects(c), "&next=1"),
	}
	want := r.do("Japan", "GET", bad["a number"], nil)
	if want.Code != 400 {
		t.Fatalf("%d %s", want.Code, want.Body)
	}
	for name, path := range bad {
		if w := r.do("Japan", "GET", path, nil); w.Code != 400 || w.Body.String() != want.Body.String() {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	r.office.Clock.Move(exchange.CursorLife + 2*time.Hour)
	if w := r.do("Japan", "GET", query(objects(c), "&next="+first.Next), nil); w.Code != 400 || w.Body.String() != want.Body.String() {
		t.Errorf("expired: %d %s", w.Code, w.Body)
	}
}

func TestNextOfAnotherReaderDoesNotOpen(t *testing.T) {
	r := newRoom(t)
	c := desktest.Collection("itpp", "cyber")
	for i := range 3 {
		r.post(t, c, note(i))
	}
	mine := decode[page](t, r.do("Japan", "GET", objects(c)+"?limit=1", nil))
	if w := r.do("Office Tokyo", "GET", objects(c)+"?limit=1&next="+mine.Next, nil); w.Code != 400 {
		t.Errorf("another reader of the collection: %d %s", w.Code, w.Body)
	}
	if w := r.do("Office Tokyo", "GET", objects(c)+"?limit=1", nil); w.Code != 200 {
		t.Errorf("that reader itself: %d %s", w.Code, w.Body)
	}
}

func TestAStatusIsForWhoPostedAndStaysTheSame(t *testing.T) {
	r := newRoom(t)
	w := r.do("Japan", "POST", objects(open.Collection("cyber")), envelope(note(1), `{"type":"note"}`, note(1)))
	posted := decode[taxii.Status](t, w)
	if posted.SuccessCount != 2 || posted.FailureCount != 1 || posted.TotalCount != 3 {
		t.Fatalf("%s", w.Body)
	}
	r.office.Clock.Move(time.Minute)
	path := taxii.RootPath + "status/" + posted.ID + "/"
	if got := r.do("Japan", "GET", path, nil); got.Code != 200 || got.Body.String() != w.Body.String() {
		t.Errorf("later: %d %s\nposted %s", got.Code, got.Body, w.Body)
	}
	none := r.do("Office Tokyo", "GET", taxii.RootPath+"status/9f2c1d7e-0000-4000-8000-000000000000/", nil)
	if got := r.do("Office Tokyo", "GET", path, nil); got.Code != 404 || got.Body.String() != none.Body.String() {
		t.Errorf("another's: %d %s", got.Code, got.Body)
	}
}

// TestEveryFailureNamesItsElement: what is refused is found by its place in the
// body, with or without an id, and the same way when the status is read later.
func TestEveryFailureNamesItsElement(t *testing.T) {
	r := newRoom(t)
	red := strings.Replace(note(2), string(stix.Green.Marking()), string(stix.Red.Marking()), 1)
	w := r.do("Japan", "POST", objects(open.Collection("cyber")), envelope(
		note(1), `7`, `null`, `[]`, `{}`, `{"type":"note"}`, `{"type":"note","id":"note--1"}`, `{"a":1,"a":2}`, `{"type":"note","x":"\ud800"}`, red,
	))
	posted := decode[taxii.Status](t, w)
	want := []string{"/objects/1", "/objects/2", "/objects/3", "/objects/4/type", "/objects/5/id", "/objects/6/id", "/objects/7/a", "/objects/8/x", "/objects/9/object_marking_refs"}
	if w.Code != 202 || posted.FailureCount != len(want) || posted.SuccessCount != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for i, f := range posted.Failures {
		var at struct {
			Pointer string `json:"x_pointer"`
		}
		if err := json.Unmarshal(f.Other, &at); err != nil {
			t.Fatal(err)
		}
		if at.Pointer != want[i] || !strings.HasPrefix(f.Message, want[i]+": ") || f.Message == want[i]+": " {
			t.Errorf("%q, %q: want the place %s and a reason", at.Pointer, f.Message, want[i])
		}
	}
	if got := r.do("Japan", "GET", taxii.RootPath+"status/"+posted.ID+"/", nil); got.Body.String() != w.Body.String() {
		t.Errorf("read later: %s\nposted: %s", got.Body, w.Body)
	}
}

func TestEverySuccessLeadsToItsReceipt(t *testing.T) {
	r := newRoom(t)
	c := open.Collection("cyber")
	status := r.post(t, c, note(1), note(2))
	for i, s := range status.Successes {
		var path struct {
			Receipt string `json:"x_receipt"`
		}
		if err := json.Unmarshal(s.Other, &path); err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{"", "?object=1"} {
			w := r.do("Japan", "GET", path.Receipt+query, nil)
			rec, err := liaison.ParseReceipt(w.Body.Bytes())
			if err != nil {
				t.Fatalf("%s: %d %v", path.Receipt, w.Code, err)
			}
			report, err := ledger.VerifyReceipt(rec, desktest.Pin())
			if err != nil || report.Object != (query != "") {
				t.Errorf("%+v %v", report, err)
			}
			if query != "" && string(rec.Object.Bytes) != note(i+1) {
				t.Errorf("%s", rec.Object.Bytes)
			}
		}
	}
	for _, path := range []string{"/receipts/", exchange.ReceiptPath(c, 2), "/receipts/" + c.String() + "/00/", "/receipts/" + c.String() + "/0", "/receipts//" + c.String() + "/0/", "/receipts/" + c.String() + "/-1/"} {
		if w := r.do("Japan", "GET", path, nil); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestBodiesOverTheLimitAreRefusedAndNothingIsStored(t *testing.T) {
	r := newRoom(t, func(c *exchange.Config) {
		c.Limits = stix.Limits{BodyBytes: 4096, Objects: 5, ObjectBytes: 1024, Depth: 10}
	})
	c := open.Collection("cyber")
	if w := r.do("Japan", "POST", objects(c), envelope(strings.Repeat(" ", 5000)+note(1))); w.Code != 413 {
		t.Errorf("over the body: %d %s", w.Code, w.Body)
	}
	if w := r.do("Japan", "POST", objects(c), envelope("1", "2", "3", "4", "5", "6")); w.Code < 400 || w.Code > 422 {
		t.Errorf("too many objects: %d %s", w.Code, w.Body)
	}
	if n := r.office.Size(t, c); n != 0 {
		t.Errorf("%d leaves", n)
	}
	large := strings.Replace(note(1), `"content":"1"`, `"content":"`+strings.Repeat("x", 1100)+`"`, 1)
	s := r.post(t, c, large, note(2))
	if s.FailureCount != 1 || s.SuccessCount != 1 || r.office.Size(t, c) != 1 {
		t.Errorf("an object over its limit: %+v", s)
	}
}

// decided says what a POST of each case of the catalogue answers, and how many
// leaves it adds. A comment says where admitting decides otherwise than the
// catalogue.
var decided = map[int]struct {
	status int
	leaves uint64
}{
	2: {400, 0}, 3: {400, 0}, 4: {400, 0}, 8: {202, 0},
	9:  {202, 1}, // a bundle is taken, always
	12: {400, 0}, 23: {400, 0}, 24: {400, 0},
	25: {202, 1}, 26: {202, 0}, 27: {202, 0}, 30: {202, 0},
	32: {202, 1}, 33: {202, 0}, 34: {202, 0},
	36: {202, 0}, // a failure with its reason: nothing is stored for nobody
	37: {202, 0}, 40: {202, 0},
	43: {202, 1}, // admitted with a finding: it can be ordered
	45: {202, 1},
	46: {202, 1}, // admitted with a finding: an offset can be ordered
	47: {202, 1}, // admitted with a finding: both instants can be ordered
	48: {202, 1}, 50: {202, 1}, 54: {202, 1}, 56: {202, 1}, 57: {202, 1}, 58: {202, 1}, 59: {202, 1}, 60: {202, 1}, 69: {202, 1},
}

func TestBadInputsOfTheCatalogueAtTheFirstDoor(t *testing.T) {
	raw, err := os.ReadFile(corpora.Path(t, "bad-inputs.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRoom(t)
	ran := 0
	for line := range bytes.Lines(raw) {
		var k struct {
			N                        int
			Level, Name, Kind, Input string
		}
		if err := json.Unmarshal(line, &k, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		if k.Kind != "literal" || k.Level != "envelope" && k.Level != "object" {
			continue
		}
		ran++
		want, ok := decided[k.N]
		if !ok {
			t.Errorf("%d %s: not decided", k.N, k.Name)
			continue
		}
		area := liaison.Area(fmt.Sprint("case-", k.N))
		c := caseCollection(t, r, area)
		w := r.do("Japan", "POST", objects(c), []byte(k.Input))
		if w.Code != want.status || r.office.Size(t, c) != want.leaves {
			t.Errorf("%d %s: %d, %d leaves, want %+v: %s", k.N, k.Name, w.Code, r.office.Size(t, c), want, w.Body)
		}
		if w.Code >= 400 {
			if e := decode[taxii.ErrorMessage](t, w); e.Title == "" || e.Description == "" || e.HTTPStatus != fmt.Sprint(w.Code) {
				t.Errorf("%d %s: no TAXII error that says why: %s", k.N, k.Name, w.Body)
			}
		}
		if w.Code == 202 && want.leaves == 0 && decode[taxii.Status](t, w).FailureCount == 0 {
			t.Errorf("%d %s: no failure is told: %s", k.N, k.Name, w.Body)
		}
		if want.leaves > 0 {
			echoed(t, r, c, k.N, k.Input)
		}
	}
	if ran != len(decided) {
		t.Errorf("%d cases ran of %d that are decided", ran, len(decided))
	}
}

// echoed: what was admitted is served byte for byte.
func echoed(t *testing.T, r *room, c liaison.CollectionID, n int, input string) {
	t.Helper()
	var in page
	if err := json.Unmarshal([]byte(input), &in, jsontext.AllowDuplicateNames(true)); err != nil {
		t.Fatal(err)
	}
	got := decode[page](t, r.do("Japan", "GET", objects(c), nil))
	if len(got.Objects) != 1 || string(got.Objects[0]) != string(in.Objects[0]) {
		t.Errorf("%d: served %s, posted %s", n, got.Objects, in.Objects)
	}
}

// caseCollection gives a case a collection of its own.
func caseCollection(t *testing.T, r *room, area liaison.Area) liaison.CollectionID {
	t.Helper()
	c := open
	c.Alias, c.Terms.Areas = string(area), []liaison.Area{"cyber"}
	b := desk.Batch{Collection: c.Collection(liaison.Charter), Items: desktest.Items(desktest.SignProgramme(c.Version1()))}
	if out, err := r.office.Desk.Accept(t.Context(), registry.Operator(desktest.Tokyo), b); err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("%+v %v", out, err)
	}
	return c.Collection("cyber")
}

// TestAStrictOfficeRefusesWhatBreaksAMustAndEveryOfficeTellsWhatItFound: with the place, the
// reason and the code, in the answer and when the status is read later.
func TestAStrictOfficeRefusesWhatBreaksAMustAndEveryOfficeTellsWhatItFound(t *testing.T) {
	wrong := strings.Replace(note(1), `"content":`, `"x_note":1,"confidence":700,"content":`, 1)
	hidden := strings.Replace(note(2), `"content":`, `"labels":["`+strings.Repeat("\u202e\",\"", 150)+`"],"confidence":"high","content":`, 1)
	for mode, want := range map[stix.Mode]int{stix.Admit: 3, stix.Strict: 1} {
		r := newRoomOn(t, desktest.Options{Validation: mode})
		w := r.do("Japan", "POST", objects(open.Collection("cyber")), envelope(wrong, hidden, note(3)))
		s := decode[taxii.Status](t, w)
		if w.Code != 202 || s.SuccessCount != want || s.FailureCount != 3-want {
			t.Fatalf("%s: %d %s", mode, w.Code, w.Body)
		}
		said := w.Body.String()
		if !strings.Contains(said, `{"code":"custom-property","level":"should","count":1,"pointer":"/x_note"}`) ||
			!strings.Contains(said, `{"code":"value-range","level":"must","count":1,"pointer":"/confidence"}`) {
			t.Errorf("%s: %s", mode, said)
		}
		if mode == stix.Strict && (!strings.Contains(said, `"x_pointer":"/objects/0/confidence","x_code":"value-range"`) ||
			!strings.Contains(said, `"x_pointer":"/objects/1/confidence","x_code":"wrong-kind"`)) {
			t.Errorf("no place and code: %s", said)
		}
		if later := r.do("Japan", "GET", taxii.RootPath+"status/"+s.ID+"/", nil); later.Body.String() != said {
			t.Errorf("read later: %s", later.Body)
		}
	}
}
