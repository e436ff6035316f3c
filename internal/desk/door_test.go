package desk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/stix"
)

// TestMain makes a founded office for each name once; tests open copies.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "desk")
	if err != nil {
		panic(err)
	}
	founded = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var founded string // set by TestMain

// alone opens one office that knows the whole alliance.
func alone(t *testing.T, name liaison.Office, opt Options) *Office {
	t.Helper()
	base := filepath.Join(founded, string(name))
	if _, err := os.Stat(base); err != nil {
		o := Open(t, name, base, Options{})
		o.Found(t)
		o.Close()
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
		t.Fatal(err)
	}
	o := Open(t, name, dir, opt)
	t.Cleanup(func() { o.Close() })
	return o
}

func accept(o *Office, v desk.Viewer, b desk.Batch) ([]desk.Outcome, error) {
	return o.Desk.Accept(context.Background(), v, b)
}

func TestUnknownAndForbiddenAreOneError(t *testing.T) {
	o := alone(t, Seoul, Options{})
	none := liaison.CollectionOf(liaison.H([]byte("none")), "cyber", 1)
	roleless := Account("Japan")
	roleless.Name, roleless.Roles = "roleless", nil
	for name, v := range map[string]desk.Viewer{
		"Korea": o.As(t, "Korea"), "India": o.As(t, "India"), "nobody": registry.Nobody(), "without roles": o.PutAccount(t, roleless),
		"an embassy by itself": o.As(t, "Denmark"), "a neighbour": registry.Neighbour(Tokyo),
	} {
		for _, c := range []liaison.CollectionID{none, Collection("itpp", "cyber"), Collection("itpp", liaison.Charter), Collection("directed", "cyber")} {
			for _, what := range []desk.What{desk.Objects, desk.Versions, desk.Receipts} {
				if _, err := o.Desk.Read(context.Background(), v, desk.Query{What: what, Collection: c}); !errors.Is(err, desk.ErrNotFound) {
					t.Errorf("%s reads %d of %s: %v", name, what, c, err)
				}
			}
			if name == "a neighbour" {
				continue
			}
			for _, dry := range []bool{false, true} {
				_, err := accept(o, v, desk.Batch{Collection: c, DryRun: dry, Items: Items(note("n", 1, stix.Clear))})
				if !errors.Is(err, desk.ErrNotFound) {
					t.Errorf("%s writes into %s, dry run %v: %v", name, c, dry, err)
				}
			}
		}
	}
	for _, what := range []desk.What{desk.Log, desk.Offers, desk.Position, desk.Outbox, desk.Undelivered} {
		if _, err := o.Desk.Read(context.Background(), o.As(t, "Japan"), desk.Query{What: what, Collection: Collection("itpp", "cyber")}); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("an account asks for %d: %v", what, err)
		}
	}
	operator := registry.Operator(Seoul)
	for _, q := range []desk.Query{{}, {What: desk.Versions}, {What: desk.Receipts, WithObject: true}, {What: desk.Log}} {
		q.Collection = Collection("itpp", "cyber")
		if _, err := o.Desk.Read(context.Background(), operator, q); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("an operator looks at contents, %d: %v", q.What, err)
		}
	}
}

func TestWhoReadsAndMayNotWriteIsToldSo(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	reader := Account("Japan")
	reader.Name, reader.Roles = "reader", []registry.AccountRole{registry.MayRead}
	v := o.PutAccount(t, reader)
	for name, c := range map[string]liaison.CollectionID{"an area": Collection("itpp", "cyber"), "a charter": Collection("itpp", liaison.Charter)} {
		if _, err := accept(o, v, desk.Batch{Collection: c, Items: Items(note("n", 1, stix.Clear))}); !errors.Is(err, desk.ErrReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := accept(o, o.As(t, "Japan"), desk.Batch{Collection: Collection("itpp", liaison.Charter), Items: Items(Party("India"))}); !errors.Is(err, desk.ErrReadOnly) {
		t.Errorf("an account writes into a charter: %v", err)
	}
	list, err := o.Desk.Collections(context.Background(), v)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, c := range list {
		if c.CanWrite {
			t.Errorf("%s says can_write", c.Alias)
		}
	}
}

func TestARevokedAccountIsOutAtOnce(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	c := Collection("itpp", "cyber")
	changes := map[string]func(*registry.Account){
		"disabled": func(a *registry.Account) { a.Disabled = true },
		"changed":  func(a *registry.Account) { a.Version++ },
	}
	for name, change := range changes {
		v := o.As(t, "Japan")
		a := Account("Japan")
		change(&a)
		o.PutAccount(t, a)
		_, err1 := o.Desk.Read(context.Background(), v, desk.Query{Collection: c})
		_, err2 := accept(o, v, desk.Batch{Collection: c, Items: Items(note("n", 1, stix.Clear))})
		_, err3 := o.Desk.Collections(context.Background(), v)
		if !errors.Is(err1, desk.ErrRevoked) || !errors.Is(err2, desk.ErrRevoked) || !errors.Is(err3, desk.ErrRevoked) {
			t.Errorf("%s: %v, %v, %v", name, err1, err2, err3)
		}
	}
	if _, err := o.Desk.Read(context.Background(), registry.LoggedIn(registry.Account{Name: "never", By: PartyID("Japan")}, Tokyo), desk.Query{Collection: c}); !errors.Is(err, desk.ErrRevoked) {
		t.Errorf("an account without record: %v", err)
	}
}

func TestLeavingAProgrammeEndsReadingAtOnce(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	itpp := CharterOf("itpp")
	o.Enact(t, "itpp", itpp.Amend(func(p *liaison.Programme) { p.Parties[1].Until = At(2 * time.Hour) }))
	for _, step := range []struct {
		after time.Duration
		want  error
	}{{time.Hour, nil}, {time.Hour - time.Microsecond, nil}, {time.Microsecond, desk.ErrNotFound}} {
		o.Clock.Move(step.after)
		if _, err := o.Read(t, "Japan", desk.Query{Collection: itpp.Collection("cyber")}); !errors.Is(err, step.want) {
			t.Errorf("at %s: %v", o.Clock.Now(), err)
		}
	}
	if list, err := o.Desk.Collections(context.Background(), o.As(t, "Japan")); err != nil || strings.Contains(fmt.Sprint(list), "ITPP") {
		t.Errorf("%v %v", list, err)
	}
}

func TestADryRunExplainsAndStoresNothing(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c := Collection("itpp", "cyber")
	as := func(party string) *registry.Account { a := Account(party); return &a }
	for _, k := range []struct {
		as     string
		object []byte
		status desk.Status
		rule   release.Rule
		clause string
	}{
		{"Denmark for NATO", note("n", 1, stix.Green), desk.Accepted, release.RuleRole, "ITPP v1 /parties/0"},
		{"Korea", note("n", 1, stix.Green), desk.Refused, release.RuleParty, "ITPP v1 /parties"},
		{"Denmark for NATO", note("n", 1, stix.Red), desk.Refused, release.RuleRed, "ITPP v1 /kind"},
		{"Denmark for NATO", note("n", 1, stix.Unmarked), desk.Refused, release.RuleUnmarked, "ITPP v1 /accept_unmarked"},
	} {
		out, err := accept(o, registry.Operator(Seoul), desk.Batch{Collection: c, DryRun: true, As: as(k.as), Items: Items(k.object)})
		if err != nil || out[0].Status != k.status || out[0].Decision.Rule != k.rule || out[0].Decision.Clause != k.clause || out[0].Decision.Reason == "" {
			t.Errorf("%s: %+v %v", k.as, out, err)
		}
	}
	own, err := accept(o, o.As(t, "Denmark for NATO"), desk.Batch{Collection: c, DryRun: true, Status: "s", Items: Items(note("n", 1, stix.Green), note("m", 1, stix.Red))})
	if err != nil || own[0].Status != desk.Accepted || own[1].Status != desk.Refused {
		t.Errorf("%+v %v", own, err)
	}
	if n := o.Size(t, c); n != 0 {
		t.Errorf("%d leaves after dry runs", n)
	}
	if _, err := o.Read(t, "Denmark for NATO", desk.Query{What: desk.Statuses, Status: "s"}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("a dry run kept a status: %v", err)
	}
}

func TestAStatusOpensForItsOwnerOnly(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	c := Collection("community", "cyber")
	bad := desk.Item{Err: &stix.Error{Pointer: "/id", Reason: "no"}, Raw: []byte(`{"id":"x--` + strings.Repeat("ü", 300) + `","modified":"y"}`)}
	b := desk.Batch{Collection: c, Status: "one", Items: append(Items(note("n", 1, stix.Clear), note("n", 1, stix.Red)), bad)}
	want, err := accept(o, o.As(t, "Japan"), b)
	if err != nil {
		t.Fatal(err)
	}
	page, err := o.Read(t, "Japan", desk.Query{What: desk.Statuses, Status: "one"})
	if err != nil || page.Collection != c || len(page.Outcomes) != 3 {
		t.Fatalf("%+v %v", page, err)
	}
	for i, got := range page.Outcomes {
		w := want[i]
		if got.Status != w.Status || got.ID != w.ID || got.Version != w.Version || got.Reason != w.Reason || got.Pointer != w.Pointer || got.Index != w.Index {
			t.Errorf("%d: kept %+v, answered %+v", i, got, w)
		}
	}
	if id := page.Outcomes[2].ID; !utf8.ValidString(id) || len(id) > 200 || page.Outcomes[2].Version != "y" {
		t.Errorf("%q %q", id, page.Outcomes[2].Version)
	}
	for _, other := range []string{"Korea", ""} {
		if _, err := o.Read(t, other, desk.Query{What: desk.Statuses, Status: "one"}); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

func FuzzHeadOf(f *testing.F) {
	for _, s := range []string{"", "{}", `{"id":1}`, `{"id":"a","id":"b"}`, `{"id":"` + strings.Repeat("é", 200) + `"`, "{\"id\":\"\xff\"}", `{"created":"x","modified":"y"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		id, version := desk.HeadOf(b)
		if len(id) > 200 || len(version) > 200 || !utf8.ValidString(id+version) {
			t.Errorf("%q %q", id, version)
		}
	})
}

func TestOneBadObjectNeverSpoilsTheRest(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	out := o.Post(t, "Japan", Collection("itpp", "cyber"),
		note("a", 1, stix.Clear), []byte("[]"), note("b", 1, stix.Red), note("a", 1, stix.Clear), note("a", 1, stix.Green), note("c", 1, stix.Amber, `"created_by_ref":"`+string(PartyID("NATO"))+`"`), note("d", 1, stix.Green))
	want := []struct {
		status  desk.Status
		pointer string
	}{{desk.Accepted, ""}, {desk.Refused, ""}, {desk.Refused, "/object_marking_refs"}, {desk.Duplicate, ""}, {desk.Refused, "/modified"}, {desk.Refused, ""}, {desk.Accepted, ""}}
	for i, w := range want {
		if out[i].Status != w.status || out[i].Pointer != w.pointer || (w.status == desk.Refused) == (out[i].Reason == "") {
			t.Errorf("%d: %+v, want %+v", i, out[i], w)
		}
	}
	if n := o.Size(t, Collection("itpp", "cyber")); n != 2 {
		t.Errorf("%d leaves", n)
	}
}

// statement is a marking definition that says a sentence.
func statement(name string, markings ...stix.ID) []byte {
	refs := ""
	for _, m := range markings {
		refs = fmt.Sprintf(`"object_marking_refs":["%s"],`, m)
	}
	return fmt.Appendf(nil, `{"type":"marking-definition","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z",%s"definition_type":"statement","definition":{"statement":"%s"}}`, ID("marking-definition", name), refs, name)
}

func markedBy(name string, markings ...stix.ID) []byte {
	refs := make([]string, len(markings))
	for i, m := range markings {
		refs[i] = `"` + string(m) + `"`
	}
	return note(name, 1, stix.Unmarked, `"object_marking_refs":[`+strings.Join(refs, ",")+`]`)
}

func TestAMarkingNobodyKnowsIsRefusedAndOneOfTheBatchIsKnown(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	c := Collection("itpp", "cyber")
	terms := ID("marking-definition", "terms")
	out := o.Post(t, "Japan", c, markedBy("a", stix.Green.Marking(), terms))
	if out[0].Status != desk.Refused || out[0].Pointer != "/object_marking_refs" || out[0].Decision.Rule != release.RuleUnknown {
		t.Errorf("unknown: %+v", out[0])
	}
	// Unmarked itself, the definition may not enter, and nothing it marks.
	out = o.Post(t, "Japan", c, markedBy("a", stix.Green.Marking(), terms), statement("terms"))
	if out[0].Status != desk.Refused || out[1].Status != desk.Refused || out[1].Decision.Rule != release.RuleUnmarked {
		t.Errorf("with a definition that is refused: %+v", out)
	}
	out = o.Post(t, "Japan", c, markedBy("a", stix.Green.Marking(), terms), statement("terms", stix.Green.Marking()))
	if out[0].Status != desk.Accepted || out[1].Status != desk.Accepted || out[1].Index > out[0].Index {
		t.Errorf("with its definition, after it: %+v", out)
	}
	if out = o.Post(t, "Japan", c, markedBy("b", stix.Green.Marking(), terms)); out[0].Status != desk.Accepted {
		t.Errorf("later: %+v", out)
	}
	if out = o.Post(t, "Japan", Collection("community", "cyber"), markedBy("b", stix.Green.Marking(), terms)); out[0].Status != desk.Refused {
		t.Errorf("where the audience does not have the definition: %+v", out)
	}
}

func TestUnmarkedObjectsEnterWhereTheProgrammeSaysSoAndCountAsItsCeiling(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	own := note("n", 1, stix.Unmarked, `"created_by_ref":"`+string(PartyID("Japan"))+`"`)
	for alias, want := range map[string]desk.Status{"trial": desk.Accepted, "itpp": desk.Refused, "community": desk.Refused} {
		if out := o.Post(t, "Japan", Collection(alias, "cyber"), own); out[0].Status != want {
			t.Errorf("%s: %+v", alias, out[0])
		}
	}
	r := receipt(t, o, "Japan", Collection("trial", "cyber"), 0)
	if r.Act.Label != stix.Amber {
		t.Errorf("counts as %s", r.Act.Label)
	}
}

func TestFindingsAreToldAndRefuseInStrictModeOnly(t *testing.T) {
	wrong := note("n", 1, stix.Clear, `"Bad Name":1`)
	for validation, want := range map[stix.Mode]desk.Status{stix.Admit: desk.Accepted, stix.Strict: desk.Refused} {
		o := alone(t, Tokyo, Options{Validation: validation})
		out := o.Post(t, "Japan", Collection("itpp", "cyber"), wrong, note("good", 1, stix.Clear))
		if out[0].Status != want || len(out[0].Found) == 0 || out[1].Status != desk.Accepted {
			t.Errorf("%s: %+v", validation, out)
		}
		o = alone(t, Tokyo, Options{Validation: validation, Except: []string{"itpp.cyber"}})
		if other := o.Post(t, "Japan", Collection("itpp", "cyber"), wrong); other[0].Status == want {
			t.Errorf("an exception from %s: %+v", validation, other)
		}
		if validation == stix.Strict && (out[0].Pointer == "" || out[0].Reason == "") {
			t.Errorf("%+v", out[0])
		}
	}
}

func TestAnEmbassyActsForAPartyAndTheActSaysSo(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c := Collection("itpp", "cyber")
	o.Post(t, "Denmark for NATO", c, note("n", 1, stix.Green))
	r := receipt(t, o, "Denmark for NATO", c, 0)
	if r.Act.By != PartyID("Denmark") || r.Act.For != PartyID("NATO") || r.Act.Office != Seoul || r.Act.Accepted != r.Hops[0].Leaf.Added {
		t.Errorf("%+v", r.Act)
	}
	o.Clock.Move(366 * 24 * time.Hour)
	if _, err := o.Read(t, "Denmark for NATO", desk.Query{Collection: c}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("after the mandate: %v", err)
	}
}

func TestWhatIsPublicIsReadByNobody(t *testing.T) {
	o := alone(t, HQ, Options{})
	c := Collection("bulletin", "disinformation")
	o.Post(t, "NATO", c, note("n", 1, stix.Clear))
	for _, party := range []string{"", "India", "Korea"} {
		page, err := o.Read(t, party, desk.Query{Collection: c})
		if err != nil || len(page.Entries) != 1 {
			t.Errorf("%q: %v", party, err)
		}
	}
	list, err := o.Desk.Collections(context.Background(), registry.Nobody())
	if err != nil || len(list) != 1 {
		t.Errorf("nobody sees %+v %v", list, err)
	}
	if _, err := accept(o, registry.Nobody(), desk.Batch{Collection: c, Items: Items(note("m", 1, stix.Clear))}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("nobody writes: %v", err)
	}
	if _, err := accept(o, o.As(t, "India"), desk.Batch{Collection: c, Items: Items(note("m", 1, stix.Clear))}); !errors.Is(err, desk.ErrReadOnly) {
		t.Errorf("a stranger writes: %v", err)
	}
}

func TestAliasesAreUniqueInTheViewersList(t *testing.T) {
	o := alone(t, HQ, Options{})
	twin := CharterOf("itpp")
	p := twin.Version1()
	p.ID, p.Nonce = ID("programme", "twin"), liaison.H([]byte("twin"))
	raw := SignProgramme(p)
	under, err := liaison.Under(raw)
	if err != nil {
		t.Fatal(err)
	}
	charter := liaison.CollectionOf(under, liaison.Charter, 1)
	out, err := accept(o, registry.Operator(HQ), desk.Batch{Collection: charter, Items: Items(raw, Party("NATO"), Party("Japan"))})
	if err != nil || out[0].Status != desk.Accepted {
		t.Fatal(out, err)
	}
	for _, party := range []string{"NATO", "Japan", "Korea"} {
		list, err := o.Desk.Collections(context.Background(), o.As(t, party))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, c := range list {
			if seen[c.Alias] || c.Alias == "" {
				t.Errorf("%s: alias %q is there twice", party, c.Alias)
			}
			seen[c.Alias] = true
			if party == "Korea" && strings.Contains(c.Alias+c.Title, "itpp") {
				t.Errorf("Korea sees %s", c.Alias)
			}
		}
		if party == "Korea" && !seen["trial.cyber"] {
			t.Errorf("%v", seen)
		}
	}
}

func TestABatchTakesEveryVersionOfAnObject(t *testing.T) {
	o := New(t, Tokyo, Options{})
	o.Found(t)
	v, c := o.As(t, "Japan"), Collection("itpp", "cyber")
	var list [][]byte
	for i := range 250 {
		list = append(list, bytes.Replace(note("n", i%50, stix.Green), []byte(`.000Z","object`), fmt.Appendf(nil, `.%03dZ","object`, i/50), 1))
	}
	out, err := accept(o, v, desk.Batch{Collection: c, Items: Items(list...)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range out {
		if out[i].Status != desk.Accepted {
			t.Fatalf("version %d: %+v", i, out[i])
		}
	}
	page, err := o.Desk.Read(t.Context(), v, desk.Query{What: desk.Objects, Collection: c})
	if err != nil || len(page.Entries) != 1 || page.Entries[0].Version != "2026-01-01T00:00:49.004Z" {
		t.Errorf("%+v, %v", page, err)
	}
}
