package stix_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

const noteID = "note--11111111-1111-4111-8111-111111111111"

func noteOf(t *testing.T, modified, members string) *stix.Object {
	t.Helper()
	return parse(t, `{"type":"note","spec_version":"2.1","id":"`+noteID+`","created":"2026-01-01T00:00:00.000Z","modified":"`+modified+`",`+members+`}`)
}

func TestOneVersionHasOneContent(t *testing.T) {
	var g stix.Gathering
	for _, o := range []*stix.Object{
		noteOf(t, "2026-01-01T00:00:00.000Z", `"content":"one","lang":"en"`),
		noteOf(t, "2026-01-01T00:00:00.000Z", `"lang":"en","content":"one"`),       // in another order
		noteOf(t, "2026-01-01T00:00:00.0Z", `"content":"\u006fne","lang":"en"`+``), // other digits are other contents
		noteOf(t, "2026-01-02T00:00:00.000Z", `"content":"two"`),                   // a later version
	} {
		err := g.Add(o)
		if wanted := o.Modified() == "2026-01-01T00:00:00.0Z"; (err != nil) != wanted {
			t.Errorf("%s: %v", o.Bytes(), err)
		}
	}
	var bad *stix.Error
	if err := g.Add(noteOf(t, "2026-01-02T00:00:00.000Z", `"content":"other"`)); !errors.As(err, &bad) || bad.Code != stix.CodeSameVersion {
		t.Errorf("other contents of one version: %v", err)
	}
	for _, name := range []string{"a", "b"} {
		if err := g.Add(parse(t, `{"type":"software","id":"software--11111111-1111-4111-8111-111111111111","name":"`+name+`"}`)); err != nil {
			t.Errorf("an object without a version: %v", err)
		}
	}
}

func TestATranslationMirrorsItsObject(t *testing.T) {
	for contents, want := range map[string]string{
		`{"uk":{"content":"так"}}`:                      "",
		`{"uk":{"authors":["","Олена"]}}`:               "",
		`{"uk":{"external_references":[""]}}`:           "",
		`{"uk":{"nothing":1,"confidence":"x"}}`:         "", // such keys are ignored
		`{"uk":{"content":["так"]}}`:                    "/contents/uk/content: expected a string as in the object that this translates, found a list",
		`{"uk":{"authors":"Олена"}}`:                    "/contents/uk/authors: expected a list as in the object that this translates, found a string",
		`{"uk":{"authors":["Олена"]}}`:                  "/contents/uk/authors: expected as many elements as the list that this translates has, 2, found 1",
		`{"uk":{"authors":["Олена",2]}}`:                "/contents/uk/authors/1: expected a string as in the object that this translates, found a number",
		`{"uk":{"external_references":[{"url":true}]}}`: "/contents/uk/external_references/0/url: expected a string as in the object that this translates, found true or false",
	} {
		original := noteOf(t, "2026-01-01T00:00:00.000Z", `"content":"yes","confidence":5,"authors":["A","B"],"external_references":[{"source_name":"s","url":"https://example.org/"}]`)
		translation := translationOf(t, "2026-01-01T00:00:00.000Z", contents)
		for _, order := range [][]*stix.Object{{original, translation}, {translation, original}} {
			if got := gathered(t, order); got != want {
				t.Errorf("%s: %q, want %q", contents, got, want)
			}
		}
	}
}

func TestATranslationIsComparedWithTheVersionItNames(t *testing.T) {
	first := noteOf(t, "2026-01-01T00:00:00.000Z", `"content":"yes","authors":["A"]`)
	second := noteOf(t, "2026-01-02T00:00:00.000Z", `"content":"yes","authors":["A","B"]`)
	contents := `{"uk":{"authors":["Олена"]}}`
	for at, faulty := range map[string]bool{"2026-01-01T00:00:00.000Z": false, "2026-01-02T00:00:00.000Z": true, "2026-01-03T00:00:00.000Z": false, "": true} {
		translation := translationOf(t, at, contents)
		for _, order := range [][]*stix.Object{{second, first, translation}, {first, second, translation}} {
			if got := gathered(t, order); (got != "") != faulty {
				t.Errorf("translation of %q: %q", at, got)
			}
		}
	}
}

func TestAnObjectIsReadOnceForAllItsTranslations(t *testing.T) {
	names := make([]string, 2000)
	for i := range names {
		names[i] = fmt.Sprintf(`"k%d":"x"`, i)
	}
	var g stix.Gathering
	add := func(o *stix.Object) {
		if err := g.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	add(noteOf(t, "2026-01-01T00:00:00.000Z", `"content":"yes","x_d":{`+strings.Join(names, ",")+`},`+strings.Join(names, ",")))
	const translations = 200
	for i := range translations {
		at := fmt.Sprintf("2026-01-01T00:00:00.%03dZ", i)
		add(parse(t, strings.ReplaceAll(string(translationOf(t, "", `{"uk":{"x_d":{"k1999":1},"k1999":"так"}}`).Bytes()), `"modified":"2026-01-01T00:00:00.000Z"`, `"modified":"`+at+`"`)))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found := 0
	for range g.Findings() {
		found++
	}
	runtime.ReadMemStats(&after)
	if found != translations {
		t.Errorf("%d findings of %d", found, translations)
	}
	if size := after.TotalAlloc - before.TotalAlloc; size > 4<<20 {
		t.Errorf("%d translations of one object took %d bytes", translations, size)
	}
}

func translationOf(t *testing.T, modified, contents string) *stix.Object {
	t.Helper()
	at := ""
	if modified != "" {
		at = `"object_modified":"` + modified + `",`
	}
	return parse(t, `{"type":"language-content","spec_version":"2.1","id":"language-content--11111111-1111-4111-8111-111111111111","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","object_ref":"`+noteID+`",`+at+`"contents":`+contents+`}`)
}

// gathered returns what a gathering of objects finds, in a line.
func gathered(t *testing.T, objects []*stix.Object) string {
	t.Helper()
	var g stix.Gathering
	for _, o := range objects {
		if err := g.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	var all []string
	for o, f := range g.Findings() {
		if o.Type() != "language-content" || f.Code != stix.FindLanguage {
			t.Errorf("%s: %+v", o.ID(), f)
		}
		all = append(all, f.Pointer+": "+f.Message)
	}
	return strings.Join(all, "; ")
}

func TestWhatABodyRefersToAndDoesNotHold(t *testing.T) {
	const held, absent = "identity--11111111-1111-4111-8111-111111111111", "identity--22222222-2222-4222-8222-222222222222"
	var r stix.References
	for i, ref := range []string{held, absent, absent, absent, absent} {
		r.Add(parse(t, fmt.Sprintf(`{"type":"note","id":"note--00000000-0000-4000-8000-00000000000%d","object_refs":["%s"],"object_marking_refs":["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]}`, i, ref)))
	}
	r.Add(parse(t, `{"type":"identity","id":"`+held+`"}`)) // later than who refers to it
	missing, ok := r.Missing()
	if !ok || len(missing) != 1 || missing[0].ID != absent || len(missing[0].From) != 3 {
		t.Errorf("%v %v, want %s with its first three", missing, ok, absent)
	}
}

func TestABundleIsToldWhatIsWrongWithItself(t *testing.T) {
	const good = `"id":"bundle--11111111-1111-4111-8111-111111111111"`
	for head, want := range map[string]string{
		`"type":"bundle",` + good:          "",
		`"type":"bundle"`:                  "this bundle has no id: expected bundle--UUID",
		`"type":"bundle","id":7`:           "the id of this bundle is no text: expected bundle--UUID",
		`"type":"bundle","id":"bundle--1"`: `the id of this bundle, "bundle--1", is not a type, two hyphens and a UUID`,
		`"type":"bundle","id":"report--11111111-1111-4111-8111-111111111111"`: `the id of this bundle is that of an object of type "report": expected bundle--UUID`,
		`"more":false`: "", // an envelope has no id
	} {
		body := `{` + head + `,"objects":[{"type":"identity","id":"identity--11111111-1111-4111-8111-111111111111"}]}`
		e, err := stix.ParseEnvelope([]byte(body), stix.DefaultLimits())
		if err != nil || len(e.Objects) != 1 || e.Objects[0].Err != nil {
			t.Fatalf("%s: %v, its objects are read", body, err)
		}
		var got string
		for _, f := range e.Findings {
			got += f.Message
			if f.Code != stix.FindBundleID || f.Level != stix.Must || f.Pointer != "/id" {
				t.Errorf("%+v", f)
			}
		}
		if got != want || (e.ID != "") != strings.Contains(head, good) {
			t.Errorf("%s: %q (id %q), want %q", head, got, e.ID, want)
		}
		s := stix.NewStream(strings.NewReader(body), stix.Limits{})
		for _, err := range s.Items() {
			if err != nil || !s.Listed() {
				t.Errorf("%s: %v, listed %v", head, err, s.Listed())
			}
		}
		if !slices.Equal(s.Findings(), e.Findings) || s.ID() != e.ID {
			t.Errorf("%s: a stream finds %v", head, s.Findings())
		}
	}
}
