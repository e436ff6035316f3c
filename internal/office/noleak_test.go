package office_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/exchange"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
	"pgregory.net/rapid"
)

// What a party observes depends only on the entries of collections it may
// read and on its own acts. Two worlds run the same script; one of them also
// holds acts the observer, Korea, may not see. Every answer Korea gets must be
// the same bytes in both: status, headers and body.

const (
	observed = "community.disinformation"  // Korea reads and writes
	hiddenA  = "members.drafts"            // Korea is no party
	hiddenB  = "nato-japan-directed.cyber" // nor here
	canary   = "zq7canary"
	left     = "left.cyber"                           // Korea reads and writes until it leaves
	unknown  = "9f2c1d7e-0000-4000-8000-000000000000" // no collection
)

// base is an office folder that every world starts from.
type base struct {
	dir          string
	neighbourKey ed25519.PrivateKey // of its relay
	begin        time.Time
	token        map[string]string // by party name
	collections  map[string]string // alias -> id
	neighbour    liaison.Office
	left         liaison.Programme // version 1
	korea        liaison.Party
	worlds       int
	released     map[string]int // acts accepted in all worlds, by kind of step
}

func newBase(t *testing.T) *base {
	t.Helper()
	b := &base{dir: filepath.Join(t.TempDir(), "base"), begin: time.Now(), token: map[string]string{}, collections: map[string]string{}, released: map[string]int{}, neighbour: "canberra.example.org"}
	ctx := t.Context()
	must(t, demo.Prepare(ctx, b.dir, office.Config{}))
	b.meetNeighbour(t)
	o, err := office.Open(ctx, b.dir, office.Options{})
	must(t, err)
	defer o.Close()
	must(t, o.Work(ctx, func(ctx context.Context) error {
		return errors.Join(b.addAccounts(ctx, o), b.addLeft(ctx, o))
	}))
	programmes, err := o.Operator().Programmes(ctx, struct{}{})
	must(t, err)
	for _, p := range programmes {
		for area, id := range p.Collection {
			b.collections[p.Alias+"."+area] = id
		}
	}
	return b
}

func (b *base) addAccounts(ctx context.Context, o *office.Office) error {
	parties, err := o.Operator().Parties(ctx, struct{}{})
	if err != nil {
		return err
	}
	for _, p := range parties {
		acc := registry.Account{Name: p.Name, By: p.ID, Roles: []registry.AccountRole{registry.MayRead, registry.MayWrite}}
		if err := o.Accounts.Put(ctx, acc, ""); err != nil {
			return err
		}
		if b.token[p.Name], err = o.Accounts.NewToken(ctx, p.Name, 0); err != nil {
			return err
		}
	}
	return nil
}

// addLeft adds the programme that Korea leaves. NATO issues it, so that hq signs
// its versions.
func (b *base) addLeft(ctx context.Context, o *office.Office) error {
	parties, err := o.Operator().Parties(ctx, struct{}{})
	if err != nil {
		return err
	}
	begin := liaison.InstantOf(b.begin.Add(-time.Hour))
	b.left = liaison.Programme{
		Name: "Left", Alias: "left", Kind: liaison.KindDirected, Ceiling: stix.Red, Areas: []liaison.Area{"cyber"},
		Version: 1, InForce: begin, AfterExpiry: liaison.AfterReadable, Nonce: liaison.H([]byte("left")), Transit: []liaison.Office{"tokyo.example.org"},
	}
	for _, p := range parties {
		switch p.Name {
		case "NATO":
			b.left.Issuer = p.ID
			fallthrough
		case "Japan", "Korea":
			b.left.Parties = append(b.left.Parties, liaison.Participant{Ref: p.ID, Role: liaison.RoleParticipant, Since: begin})
		}
		if p.Name == "Korea" {
			b.korea = p.ID
		}
	}
	b.left = *liaison.NewProgramme(stix.NewID("programme", uuid.NewSHA1(uuid.NameSpaceOID, []byte("left"))), b.left, begin)
	return enact(ctx, o, &b.left)
}

// enact signs a version with the office's key and adds it to its charter.
func enact(ctx context.Context, o *office.Office, p *liaison.Programme) error {
	signed, err := office.SignObject(liaison.JCS(p), o.Keys.ActSigner())
	if err != nil {
		return err
	}
	_, err = o.Operator().AddControl(ctx, office.ControlRequest{Objects: []jsontext.Value{signed}})
	return err
}

// leave removes Korea from the programme, in both worlds.
func (w *world) leave(t tester) {
	if w.gone {
		return
	}
	next := w.left
	next.Version, next.Genesis, next.Modified = 2, liaison.H(liaison.JCS(w.left)), liaison.InstantOf(w.clock()).String()
	next.InForce = liaison.InstantOf(w.clock())
	next.Parties = slices.DeleteFunc(slices.Clone(next.Parties), func(q liaison.Participant) bool { return q.Ref == w.korea })
	must(t, enact(context.Background(), w.office, &next))
	w.gone = true
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is one copy of the office with its own clock.
type world struct {
	*base
	t      tester
	office *office.Office
	end    context.CancelFunc
	done   chan error

	began time.Time // in a bubble: when its time began to count

	mu    sync.Mutex
	now   time.Time
	count map[string]int // status ids made, by principal

	next, status string // what the observer was given
	gone         bool   // Korea has left
	apart        string // two answers that tell a hidden collection from none
	transcript   []string
}

// tester is what of a test the worlds need.
type tester interface {
	Helper()
	Fatal(...any)
}

func (b *base) world(t tester, dir string) *world {
	must(t, os.CopyFS(dir, os.DirFS(b.dir)))
	w := &world{base: b, t: t, now: b.begin.Add(time.Minute), count: map[string]int{}, done: make(chan error, 1)}
	var err error
	w.office, err = office.Open(context.Background(), dir, office.Options{
		Now:   w.clock,
		Salt:  func(c liaison.CollectionID, i uint64) liaison.Hash { return liaison.H(c[:], fmt.Appendf(nil, "%d", i)) },
		NewID: w.statusID,
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan struct{})
	go func() {
		w.done <- w.office.Work(ctx, func(ctx context.Context) error { close(started); <-ctx.Done(); return nil })
	}()
	<-started
	w.end = cancel
	return w
}

// clock is the office's time: what the script made of it, or in a bubble what
// passed there.
func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.began.IsZero() {
		return w.now.Add(time.Since(w.began))
	}
	return w.now
}

func (w *world) statusID(principal string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count[principal]++
	return statusID(principal, w.count[principal])
}

func statusID(principal string, n int) string {
	return uuid.NewHash(sha256.New(), uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", principal, n), 4).String()
}

func (w *world) close(t tester) {
	w.end()
	must(t, errors.Join(<-w.done, w.office.Close()))
}

// do answers a request in the name of a party; "" is nobody.
func (w *world) do(party, method, path string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	if party != "" {
		r.Header.Set("Authorization", "Bearer "+w.token[party])
	}
	r.Header.Set("Accept", taxii.MediaType)
	r.Header.Set("Content-Type", taxii.MediaType)
	rec := httptest.NewRecorder()
	w.office.Exchange.ServeHTTP(rec, r)
	return rec
}

func (w *world) collection(alias string) string {
	if id, ok := w.collections[alias]; ok {
		return id
	}
	return alias
}

// note returns an object of a family of ids; hidden ones carry the canary.
func note(n, version int, hidden bool, tlp stix.TLP) []byte {
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "noleak %d", n))
	text := "open text"
	if hidden {
		text = canary
	}
	return fmt.Appendf(nil, `{"objects":[{"type":"note","spec_version":"2.1","id":"note--%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:%02d.000Z","object_marking_refs":["%s"],"content":"%s %d","object_refs":["note--%s"]}]}`,
		id, version, tlp.Marking(), text, version, id)
}

// withdrawal returns the withdrawn version of a note that said what one of its
// versions said.
func withdrawal(n, text, version int, hidden bool) []byte {
	said := note(n, text, hidden, stix.Green)
	said = bytes.Replace(said, fmt.Appendf(nil, `"modified":"2026-01-01T00:00:%02d`, text), fmt.Appendf(nil, `"modified":"2026-01-01T00:00:%02d`, version), 1)
	return bytes.Replace(said, []byte(`"content"`), []byte(`"revoked":true,"content"`), 1)
}

// address returns an object without a version: an answer could say when it was
// accepted.
func address(n int, revoked bool) []byte {
	return fmt.Appendf(nil, `{"objects":[{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--%s","value":"198.51.100.7","object_marking_refs":["%s"],"revoked":%v}]}`,
		uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "noleak %d", n)), stix.Green.Marking(), revoked)
}

// step is one line of a script. Limit is also the version of a withdrawal.
type step struct {
	Kind    string
	N, V    int
	Where   string
	Version string
	Limit   int
}

// visible steps happen in both worlds, hidden ones in the second only, and
// the observer asks in both.
func (w *world) play(s step) {
	switch s.Kind {
	case "tick":
		w.mu.Lock()
		w.now = w.now.Add(time.Duration(s.N) * time.Millisecond)
		w.mu.Unlock()
	case "visible":
		w.release(s, "NATO", observed, false)
	case "hidden":
		w.release(s, "NATO", hiddenA, true)
	case "hidden directed":
		w.release(s, "Japan", hiddenB, true)
	case "leave":
		w.leave(w.t)
	case "visible left":
		w.release(s, "NATO", left, false)
	case "hidden left", "hidden withdrawn", "hidden equal":
		w.hiddenLeft(s)
	case "visible erased":
		w.erase(s, "NATO", observed)
	case "hidden erased":
		w.erase(s, "NATO", hiddenA)
	case "hidden left erased":
		if w.gone {
			w.erase(s, "NATO", left)
		}
	case "hidden refused":
		w.do("Japan", "POST", objects(w.collection(hiddenA)), note(s.N, s.V, true, stix.Green))
		w.do("NATO", "GET", objects(w.collection(hiddenA)), nil)
	default:
		w.observe(s)
	}
}

// hiddenLeft is what NATO releases after Korea has left; before, Korea would see
// it.
func (w *world) hiddenLeft(s step) {
	if !w.gone {
		return
	}
	body := note(s.N, s.V, true, stix.Green)
	switch s.Kind {
	case "hidden withdrawn":
		body = withdrawal(s.N, s.V, s.Limit, true)
	case "hidden equal":
		body = withdrawal(s.N, s.V, s.Limit, false)
	}
	w.tally(s.Kind, w.do("NATO", "POST", objects(w.collection(left)), body))
}

// erase lets a party erase its last act for a note in a collection; one that is
// not there, if it has none.
func (w *world) erase(s step, party, alias string) string {
	acc, err := w.office.Accounts.Get(context.Background(), party)
	must(w.t, err)
	act := liaison.H([]byte("absent"))
	c, err := liaison.ParseCollectionID(w.collection(alias))
	must(w.t, err)
	must(w.t, w.office.Journal.View(context.Background(), func(v store.View) error {
		return v.Find(c, noteID(s.N), store.Proof, func(e *store.Entry) error {
			a, err := liaison.ParseAct(bytes.Clone(e.Act))
			if err == nil && a.Owner() == acc.By {
				act = e.ActHash
			}
			return err
		})
	}))
	outcomes, err := w.office.Desk.Accept(context.Background(), registry.LoggedIn(acc, w.office.Config.Office),
		desk.Batch{Collection: c, Items: []desk.Item{{Erases: act}}})
	for _, o := range outcomes {
		if o.Status == desk.Accepted {
			w.released[s.Kind]++
		}
	}
	said, encodeErr := json.Marshal(outcomes, json.Deterministic(true))
	must(w.t, encodeErr)
	return fmt.Sprintf("erase %s %s\n%s %v", alias, noteID(s.N), said, err)
}

// release posts an object and counts, by the kind of step, those accepted: a
// script whose acts are refused would show nothing.
func (w *world) release(s step, party, collection string, hidden bool) {
	rec := w.do(party, "POST", objects(w.collection(collection)), note(s.N, s.V, hidden, stix.Green))
	w.tally(s.Kind, rec)
}

func (w *world) tally(kind string, rec *httptest.ResponseRecorder) {
	if rec.Code == http.StatusAccepted && strings.Contains(rec.Body.String(), `"success_count":1`) {
		w.released[kind]++
	}
}

func objects(c string) string { return taxii.RootPath + "collections/" + c + "/objects/" }

// generators makes a request of the observer for every route of the program.
// A route without one fails the test.
var generators = map[taxii.Route]func(w *world, s step) (path string, body []byte){
	{Method: "GET", Pattern: "/taxii2/"}:      func(*world, step) (string, []byte) { return "/taxii2/", nil },
	{Method: "GET", Pattern: "/taxii2/root/"}: func(*world, step) (string, []byte) { return "/taxii2/root/", nil },
	{Method: "GET", Pattern: "/taxii2/root/status/{status}/"}: func(w *world, s step) (string, []byte) {
		if s.V > 0 { // a status of NATO's, hidden from Korea whatever it is about
			return "/taxii2/root/status/" + statusID("account:NATO", s.N) + "/", nil
		}
		return "/taxii2/root/status/" + w.status + "/", nil
	},
	{Method: "GET", Pattern: "/taxii2/root/collections/"}: func(*world, step) (string, []byte) { return "/taxii2/root/collections/", nil },
	{Method: "GET", Pattern: "/taxii2/root/collections/{collection}/"}: func(w *world, s step) (string, []byte) {
		return "/taxii2/root/collections/" + w.collection(s.Where) + "/", nil
	},
	{Method: "GET", Pattern: "/taxii2/root/collections/{collection}/manifest/"}: func(w *world, s step) (string, []byte) {
		return strings.Replace(objects(w.collection(s.Where)), "/objects/", "/manifest/", 1) + s.query(""), nil
	},
	{Method: "GET", Pattern: "/taxii2/root/collections/{collection}/objects/"}: func(w *world, s step) (string, []byte) {
		return objects(w.collection(s.Where)) + s.query(w.next), nil
	},
	{Method: "POST", Pattern: "/taxii2/root/collections/{collection}/objects/"}: func(w *world, s step) (string, []byte) {
		return objects(w.collection(s.Where)), note(s.N, s.V, false, stix.Green)
	},
	{Method: "GET", Pattern: "/taxii2/root/collections/{collection}/objects/{object}/"}: func(w *world, s step) (string, []byte) {
		return objects(w.collection(s.Where)) + noteID(s.N) + "/" + s.query(""), nil
	},
	{Method: "GET", Pattern: "/taxii2/root/collections/{collection}/objects/{object}/versions/"}: func(w *world, s step) (string, []byte) {
		return objects(w.collection(s.Where)) + noteID(s.N) + "/versions/", nil
	},
	{Method: "GET", Pattern: exchange.ReceiptPattern}: func(w *world, s step) (string, []byte) {
		return fmt.Sprintf("/receipts/%s/%d/?object=1", w.collection(s.Where), s.N), nil
	},
}

func noteID(n int) string {
	return "note--" + uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "noleak %d", n)).String()
}

func (s step) query(next string) string {
	q := fmt.Sprintf("?limit=%d", s.Limit)
	if s.Version != "" {
		q += "&match[version]=" + s.Version
	}
	if next != "" && s.V == 0 {
		q += "&next=" + next
	}
	return q
}

// observe asks and writes down the whole answer.
func (w *world) observe(s step) {
	switch s.Kind {
	case "relay":
		w.record(s, w.frames())
		return
	case "erase":
		w.record(s, w.erase(s, "Korea", s.Where))
		return
	}
	method, path, body := w.request(s)
	party := "Korea"
	if s.N == 9 {
		party = "" // nobody asks too
	}
	rec := w.do(party, method, path, body)
	w.tellApart(s, rec, party, method, path, body)
	w.learn(rec)
	kind := "observer"
	if own, _, _ := strings.Cut(s.Kind, " "); w.gone && s.Where == left && (own == "withdraw" || own == "address") {
		kind = own
	}
	w.tally(kind, rec)
	w.record(s, fmt.Sprintf("%s %s\n%d\n%s\n%s", method, path, rec.Code, headers(rec.Header()), rec.Body))
}

// request returns what the observer asks: of a route, or one of its
// withdrawals.
func (w *world) request(s step) (method, path string, body []byte) {
	switch s.Kind {
	case "withdraw":
		return "POST", objects(w.collection(s.Where)), withdrawal(s.N, s.V, s.Limit, false)
	case "address":
		return "POST", objects(w.collection(s.Where)), address(s.N, s.V > 0)
	}
	method, pattern, _ := strings.Cut(s.Kind, " ")
	path, body = generators[taxii.Route{Method: method, Pattern: pattern}](w, s)
	return method, path, body
}

// tellApart asks for a hidden collection once more, as for one that does not
// exist: the answers are the same, or the observer knows which exist.
func (w *world) tellApart(s step, rec *httptest.ResponseRecorder, party, method, path string, body []byte) {
	apart := s.Where == hiddenA || s.Where == hiddenB || s.Where == left && w.gone && rec.Code != http.StatusAccepted
	if !apart || !strings.Contains(path, w.collection(s.Where)) {
		return
	}
	absent := w.do(party, method, strings.Replace(path, w.collection(s.Where), unknown, 1), body)
	if absent.Code != rec.Code || headers(absent.Header()) != headers(rec.Header()) || absent.Body.String() != rec.Body.String() {
		w.apart = fmt.Sprintf("%s %s\nis answered\n%d %s%s\nand without the collection\n%d %s%s", method, path,
			rec.Code, headers(rec.Header()), rec.Body, absent.Code, headers(absent.Header()), absent.Body)
	}
}

func (w *world) record(s step, answer string) { w.transcript = append(w.transcript, answer) }

func headers(h http.Header) string {
	var b strings.Builder
	if err := h.Write(&b); err != nil {
		panic(err)
	}
	return b.String()
}

// learn keeps what the observer can use in its next requests.
func (w *world) learn(rec *httptest.ResponseRecorder) {
	var got struct {
		ID   string `json:"id"`
		Next string `json:"next"`
	}
	if json.Unmarshal(rec.Body.Bytes(), &got) != nil {
		return
	}
	if rec.Code == http.StatusAccepted {
		w.status = got.ID
	}
	w.next = got.Next
}

// frames is what a neighbour that serves a party of the observed programme and
// no other is sent: the offers, and the pages of every collection there is,
// asked for by their ids.
func (w *world) frames() string {
	var b strings.Builder
	v := registry.Neighbour(w.neighbour)
	queries := []desk.Query{{What: desk.Offers}, {What: desk.Outbox}}
	for _, alias := range slices.Sorted(keys(w.collections)) {
		c, err := liaison.ParseCollectionID(w.collections[alias])
		if err != nil {
			panic(err)
		}
		queries = append(queries, desk.Query{What: desk.Log, Collection: c})
	}
	for _, q := range queries {
		page, err := w.office.Desk.Read(context.Background(), v, q)
		raw, encodeErr := json.Marshal(page, json.Deterministic(true))
		fmt.Fprintf(&b, "%v %v %v\n%s\n", q.What, err, encodeErr, raw)
	}
	return b.String()
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func genStep(kinds []string) *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		return step{
			Kind:    rapid.SampledFrom(kinds).Draw(t, "kind"),
			N:       rapid.IntRange(0, 9).Draw(t, "n"),
			V:       rapid.IntRange(0, 2).Draw(t, "v"),
			Where:   rapid.SampledFrom([]string{observed, left, left, hiddenA, hiddenB, "bulletin.disinformation", "community.charter", "members.charter", unknown}).Draw(t, "where"),
			Version: rapid.SampledFrom([]string{"", "all", "first", "last"}).Draw(t, "version"),
			Limit:   rapid.IntRange(1, 3).Draw(t, "limit"),
		}
	})
}

func TestEveryRouteHasAGenerator(t *testing.T) {
	for _, r := range exchange.Routes() {
		if r.Method == http.MethodHead {
			continue // answered by the same code as GET, without the body
		}
		if _, ok := generators[r]; !ok {
			t.Errorf("%s %s has no generator: what it shows is not tested", r.Method, r.Pattern)
		}
	}
}

func TestWhatAPartyObservesDoesNotDependOnWhatItMayNotSee(t *testing.T) {
	b := newBase(t)
	observer := []string{"relay", "leave", "withdraw", "withdraw", "address", "erase"}
	for r := range generators {
		observer = append(observer, r.Method+" "+r.Pattern)
	}
	slices.Sort(observer)
	kinds := slices.Concat(observer, []string{"tick", "visible", "visible", "hidden", "hidden", "hidden directed", "hidden refused", "visible left", "hidden left", "hidden withdrawn", "hidden equal", "visible erased", "hidden erased", "hidden left erased"})
	rapid.Check(t, func(t *rapid.T) {
		script := rapid.SliceOfN(genStep(kinds), 4, 24).Draw(t, "script")
		b.twoWorlds(t, script)
	})
	for _, kind := range []string{"visible", "hidden", "hidden directed", "observer"} {
		if b.released[kind] == 0 {
			t.Errorf("no act of kind %q was accepted: the test shows nothing", kind)
		}
	}
}

// TestAnAnswerToAnOutsiderDependsOnItsOwnActsAlone: what Korea, which has left,
// withdraws meets every state that others can have brought about.
func TestAnAnswerToAnOutsiderDependsOnItsOwnActsAlone(t *testing.T) {
	b := newBase(t)
	const own, seen, hidden, absent = 1, 2, 3, 4
	post := "POST /taxii2/root/collections/{collection}/objects/"
	script := []step{{Kind: "visible left", N: seen, V: 1}, {Kind: post, N: own, V: 1, Where: left}, {Kind: post, N: seen, V: 2, Where: left}, {Kind: "address", N: own, Where: left}, {Kind: "address", N: seen, Where: left}}
	withdraw := func() {
		for _, n := range []int{absent, hidden, seen} {
			script = append(script, step{Kind: "erase", N: n, Where: left})
		}
		for _, n := range []int{absent, hidden, seen, own} {
			for version := range 4 {
				for text := range 3 {
					script = append(script, step{Kind: "withdraw", N: n, V: text, Limit: version, Where: left})
				}
			}
			script = append(script, step{Kind: "address", N: n, V: 1, Where: left}, step{Kind: "GET /taxii2/root/status/{status}/"})
		}
		for range 3 { // its own acts, the last one first, until there is none
			script = append(script, step{Kind: "erase", N: own, Where: left}, step{Kind: "GET /taxii2/root/status/{status}/"})
		}
	}
	for _, h := range []string{"hidden left", "hidden withdrawn", "hidden equal", "hidden left erased"} {
		whole := slices.Clone(script)
		script = append(script, step{Kind: "leave"})
		for n := own; n <= hidden; n++ {
			for version := range 4 {
				v := version % 3
				if h == "hidden left" {
					v = version
				}
				script = append(script, step{Kind: h, N: n, V: v, Limit: version})
			}
		}
		withdraw()
		b.twoWorlds(t, script)
		script = whole
	}
	withdraw() // before it leaves
	b.twoWorlds(t, append(script, step{Kind: "leave"}))
	for _, kind := range []string{"hidden left", "hidden withdrawn", "hidden equal", "hidden left erased", "withdraw", "address", "erase"} {
		if b.released[kind] == 0 {
			t.Errorf("no act of kind %q was accepted: the test shows nothing", kind)
		}
	}
}

// twoWorlds plays a script in both worlds and compares what Korea observed.
func (b *base) twoWorlds(t fataler, script []step) {
	t.Helper()
	var transcripts [2][]string
	for i := range transcripts {
		b.worlds++
		w := b.world(t, filepath.Join(filepath.Dir(b.dir), fmt.Sprintf("world-%d", b.worlds)))
		for _, s := range script {
			if i > 0 || !strings.HasPrefix(s.Kind, "hidden") {
				w.play(s)
			}
		}
		transcripts[i] = w.transcript
		w.close(t)
		if w.apart != "" {
			t.Fatalf("a hidden collection shows: %s", w.apart)
		}
		os.RemoveAll(w.office.Dir)
	}
	compare(t, transcripts[0], transcripts[1])
}

type fataler interface {
	tester
	Fatalf(string, ...any)
}

func compare(t interface{ Fatalf(string, ...any) }, without, with []string) {
	if len(without) != len(with) {
		t.Fatalf("%d answers without the hidden acts, %d with them", len(without), len(with))
	}
	for i := range without {
		if without[i] != with[i] {
			t.Fatalf("answer %d differs.\nwithout hidden acts:\n%s\nwith them:\n%s", i, without[i], with[i])
		}
		if strings.Contains(with[i], canary) {
			t.Fatalf("answer %d shows a hidden text:\n%s", i, with[i])
		}
	}
}
