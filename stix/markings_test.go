package stix_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// noon is later than every instant in the data.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// A markingRow is one call of the OASIS library and what it did.
type markingRow struct {
	Case        string           `json:"case"`
	Op          string           `json:"op"`
	Object      map[string]any   `json:"object"`
	Args        []jsontext.Value `json:"args"`
	Kwargs      map[string]any   `json:"kwargs"`
	Expect      jsontext.Value   `json:"expect"`
	ExpectError string           `json:"expect_error"`
}

// markingID gives an id to a marking that the rows name "7" or "m9".
func markingID(name string) stix.ID {
	if id, err := stix.ParseID(name); err == nil {
		return id
	}
	return stix.DeterministicID("marking-definition", [16]byte{1}, name)
}

// object makes an object of a row's: with ids for markings, and with a type and an id if
// it has none.
func (r markingRow) object(t *testing.T) *stix.Object {
	t.Helper()
	if r.Object["type"] == nil {
		r.Object["type"], r.Object["id"], r.Object["created"] = "x-part", "x-part--"+uuid, "2016-04-06T20:03:00.000Z"
	}
	if refs, ok := r.Object["object_marking_refs"].([]any); ok {
		for i := range refs {
			refs[i] = string(markingID(refs[i].(string)))
		}
	}
	for _, g := range r.granular() {
		if ref, ok := g["marking_ref"].(string); ok {
			g["marking_ref"] = string(markingID(ref))
		}
	}
	b, err := json.Marshal(r.Object)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(b))
}

func (r markingRow) granular() (all []map[string]any) {
	list, _ := r.Object["granular_markings"].([]any)
	for _, g := range list {
		all = append(all, g.(map[string]any))
	}
	return all
}

// mark reads a marking as the library takes it: what the object knows as a language is one.
func (r markingRow) mark(name string) stix.Mark {
	if slices.ContainsFunc(r.granular(), func(g map[string]any) bool { return g["lang"] == name }) {
		return stix.Mark{Lang: name}
	}
	return stix.Mark{Ref: markingID(name)}
}

// arg returns an argument by position or by name, null if it is not given.
func (r markingRow) arg(i int, name string) jsontext.Value {
	if i < len(r.Args) {
		return r.Args[i]
	}
	if v, ok := r.Kwargs[name]; ok {
		b, _ := json.Marshal(v)
		return b
	}
	return jsontext.Value("null")
}

// list reads a string, an object with an id, or a list of them; given is false for null.
func list(t *testing.T, v jsontext.Value) (all []string, given bool) {
	t.Helper()
	var e any
	if err := json.Unmarshal(v, &e); err != nil {
		t.Fatal(err)
	}
	elements, isList := e.([]any)
	if !isList && e != nil {
		elements = []any{e}
	}
	for _, e := range elements {
		if o, ok := e.(map[string]any); ok {
			e = o["id"]
		}
		all = append(all, e.(string))
	}
	return all, e != nil
}

func (r markingRow) marks(t *testing.T) (marks []stix.Mark, refs []stix.ID) {
	names, _ := list(t, r.arg(0, "marking"))
	for _, name := range names {
		m := r.mark(name)
		marks, refs = append(marks, m), append(refs, m.Ref)
	}
	return marks, refs
}

func (r markingRow) reach(first int) stix.Reach {
	reach := stix.Reach{
		Inherited:   string(r.arg(first, "inherited")) == "true",
		Descendants: string(r.arg(first+1, "descendants")) == "true",
	}
	if r.Kwargs["lang"] == false {
		reach.Kind = stix.RefMark
	}
	if r.Kwargs["marking_ref"] == false {
		reach.Kind = stix.LangMark
	}
	return reach
}

// read answers get_markings and is_marked.
func (r markingRow) read(t *testing.T, o *stix.Object) (got any, err error) {
	if r.Op == "get_markings" {
		selectors, _ := list(t, r.arg(0, "selectors"))
		return r.get(o, selectors)
	}
	marks, refs := r.marks(t)
	if selectors, given := list(t, r.arg(1, "selectors")); given {
		return stix.IsMarked(o, selectors, r.reach(2), marks...)
	}
	if len(refs) == 0 {
		return len(o.MarkingRefs()) > 0, nil
	}
	return slices.ContainsFunc(refs, func(ref stix.ID) bool { return slices.Contains(o.MarkingRefs(), ref) }), nil
}

func (r markingRow) get(o *stix.Object, selectors []string) (got map[stix.Mark]bool, err error) {
	marks, err := stix.GranularMarks(o, selectors, r.reach(1))
	got = map[stix.Mark]bool{}
	for _, m := range marks {
		got[m] = true
	}
	if len(got) != len(marks) {
		return nil, errors.New("a mark is returned twice")
	}
	return got, err
}

// expected decodes what read should return.
func (r markingRow) expected(t *testing.T) any {
	if r.Op == "is_marked" {
		return string(r.Expect) == "true"
	}
	want := map[stix.Mark]bool{}
	names, _ := list(t, r.Expect)
	for _, name := range names {
		want[r.mark(name)] = true
	}
	return want
}

func (r markingRow) write(t *testing.T, o *stix.Object) (*stix.Object, error) {
	at := 1
	if r.Op == "clear_markings" {
		at = 0
	}
	selectors, granular := list(t, r.arg(at, "selectors"))
	if r.Op == "clear_markings" {
		if granular {
			return stix.ClearGranular(o, noon, selectors, stix.AnyMark)
		}
		return stix.ClearMarkings(o, noon)
	}
	marks, refs := r.marks(t)
	switch {
	case r.Op == "add_markings" && granular:
		return stix.AddGranular(o, noon, selectors, marks...)
	case r.Op == "remove_markings" && granular:
		return stix.RemoveGranular(o, noon, selectors, marks...)
	case r.Op == "set_markings" && granular:
		return stix.SetGranular(o, noon, selectors, stix.AnyMark, marks...)
	case r.Op == "add_markings":
		return stix.AddMarkings(o, noon, refs...)
	case r.Op == "remove_markings":
		return stix.RemoveMarkings(o, noon, refs...)
	case r.Op == "set_markings":
		return stix.SetMarkings(o, noon, refs...)
	}
	t.Fatalf("unknown operation %s", r.Op)
	return nil, nil
}

// contents decodes an object without modified, which is the time of the call.
func contents(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "modified")
	return m
}

func TestMarkingsAgreeWithTheOASISLibrary(t *testing.T) {
	sentinels := map[string]error{"InvalidSelectorError": stix.ErrInvalidSelector, "MarkingNotFoundError": stix.ErrMarkingNotFound}
	count := map[string]int{}
	for i, r := range rows[markingRow](t, filepath.Join(shared(t), "corpora", "stix", "markings-ops.jsonl")) {
		count[r.Op]++
		o := r.object(t)
		var got, want any
		var err error
		if r.Op == "get_markings" || r.Op == "is_marked" {
			if got, err = r.read(t, o); r.ExpectError == "" {
				want = r.expected(t)
			}
		} else {
			var changed *stix.Object
			if changed, err = r.write(t, o); err == nil && r.ExpectError == "" {
				got, want = contents(t, changed.Bytes()), contents(t, r.Expect)
			}
		}
		switch {
		case r.ExpectError != "" && !errors.Is(err, sentinels[r.ExpectError]):
			t.Errorf("row %d, %s: error is %v, want %s", i, r.Case, err, r.ExpectError)
		case r.ExpectError == "" && (err != nil || !reflect.DeepEqual(got, want)):
			t.Errorf("row %d, %s: %v, want %v (%v)", i, r.Case, got, want, err)
		}
	}
	t.Log(count)
}

var markingPool = []stix.ID{markingID("a"), markingID("b"), markingID("c"), markingID("d")}

func drawRefs(t *rapid.T, label string) []stix.ID {
	return rapid.SliceOfN(rapid.SampledFrom(markingPool), 0, 5).Draw(t, label)
}

func TestMarkingsOfAnObjectAreASet(t *testing.T) {
	base := parse(t, `{"type":"note","spec_version":"2.1","id":"note--`+uuid+`","created":"2026-01-02T03:04:05.000Z","modified":"2026-01-02T03:04:05.000Z","content":"a"}`)
	must := func(o *stix.Object, err error) *stix.Object {
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	rapid.Check(t, func(t *rapid.T) {
		have, more := drawRefs(t, "have"), drawRefs(t, "more")
		o := must(stix.SetMarkings(base, noon, have...))
		if !sameSet(o.MarkingRefs(), have) {
			t.Fatalf("set %v, got %v", have, o.MarkingRefs())
		}
		added := must(stix.AddMarkings(o, noon, more...))
		if !sameSet(added.MarkingRefs(), append(have, more...)) {
			t.Fatalf("%v and %v: %v", have, more, added.MarkingRefs())
		}
		if (added == o) != sameSet(append(have, more...), have) {
			t.Fatal("a new version where nothing changed, or none where something did")
		}
		news := slices.DeleteFunc(more, func(ref stix.ID) bool { return slices.Contains(have, ref) })
		if removed := must(stix.RemoveMarkings(added, noon, news...)); !sameSet(removed.MarkingRefs(), have) {
			t.Fatalf("added and removed %v: %v, not %v", news, removed.MarkingRefs(), have)
		}
		if cleared := must(stix.ClearMarkings(added, noon)); len(cleared.MarkingRefs()) > 0 {
			t.Fatalf("cleared, and still %v", cleared.MarkingRefs())
		}
	})
}

func sameSet[T comparable](a, b []T) bool {
	in := func(b []T) func(T) bool { return func(x T) bool { return !slices.Contains(b, x) } }
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

func TestAMarkingThatIsNotThereIsNotRemoved(t *testing.T) {
	o, err := stix.AddMarkings(parse(t, aNote), noon, markingPool[0])
	if err != nil {
		t.Fatal(err)
	}
	if left, err := stix.RemoveMarkings(o, noon, markingPool[0], markingPool[1]); !errors.Is(err, stix.ErrMarkingNotFound) {
		t.Errorf("%v, %v", left, err)
	}
}

func TestWhatCannotBeAMarkingIsNotPutOn(t *testing.T) {
	o := parse(t, `{"type":"url","id":"url--`+uuid+`","value":"https://example.org/"}`)
	var bad *stix.Error
	if _, err := stix.AddMarkings(o, noon, "identity--"+uuid); !errors.As(err, &bad) || bad.Code != stix.CodeBadMarking {
		t.Error(err)
	}
	if _, err := stix.AddGranular(o, noon, []string{"value"}, stix.Mark{}); err == nil {
		t.Error("a mark that says nothing was put on")
	}
	if _, err := stix.AddGranular(o, noon, []string{"value"}, stix.Mark{Ref: markingPool[0], Lang: "uk"}); err == nil {
		t.Error("a mark of two kinds was put on")
	}
}

func TestMarkingAnObservableKeepsItsID(t *testing.T) {
	o := parse(t, `{"type":"url","id":"url--7a67ad68-c296-5b45-877a-901c4725ccff","value":"https://example.org/"}`)
	marked, err := stix.AddMarkings(o, noon, markingPool[0])
	if err != nil {
		t.Fatal(err)
	}
	if stix.CheckSCOID(marked) != stix.SCOIDFollows || marked.Modified() != "" || len(marked.MarkingRefs()) != 1 {
		t.Errorf("%s", marked.Bytes())
	}
}

func TestARevokedObjectIsNotMarkedAgain(t *testing.T) {
	o := parse(t, `{"type":"note","spec_version":"2.1","id":"note--`+uuid+`","created":"2026-01-02T03:04:05.000Z","modified":"2026-01-02T03:04:05.000Z","revoked":true}`)
	if _, err := stix.AddMarkings(o, noon, markingPool[0]); !errors.Is(err, stix.ErrRevoked) {
		t.Error(err)
	}
	if _, err := stix.AddGranular(o, noon, []string{"revoked"}, stix.Mark{Lang: "uk"}); !errors.Is(err, stix.ErrRevoked) {
		t.Error(err)
	}
}

func TestGranularMarkingsThatWouldBeLostAreNotRewritten(t *testing.T) {
	for _, entry := range []string{
		`{"marking_ref":"` + string(markingPool[0]) + `","selectors":["content"],"x_why":"a"}`,
		`{"marking_ref":"` + string(markingPool[0]) + `","lang":"uk","selectors":["content"]}`,
		`{"marking_ref":"` + string(markingPool[0]) + `","lang":"","selectors":["content"]}`,
		`{"selectors":["content"]}`,
		`{"lang":"uk","selectors":["content",1]}`,
		`{"lang":"uk"}`,
		`{"lang":"uk","selectors":"content"}`,
	} {
		o := parse(t, strings.Replace(`{"type":"note","spec_version":"2.1","id":"note--`+uuid+`","created":"2026-01-02T03:04:05.000Z",`+
			`"modified":"2026-01-02T03:04:05.000Z","content":"a","granular_markings":[?]}`, "?", entry, 1))
		if _, err := stix.AddGranular(o, noon, []string{"content"}, stix.Mark{Lang: "ja"}); !errors.Is(err, stix.ErrMalformedGranular) {
			t.Errorf("%s: %v", entry, err)
		}
	}
}
