package stix_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// A versionRow is one call of the OASIS library and what it did.
type versionRow struct {
	Case        string         `json:"case"`
	Op          string         `json:"op"`
	Object      jsontext.Value `json:"object"`
	Changes     jsontext.Value `json:"changes"`
	Expect      jsontext.Value `json:"expect"`
	ExpectError string         `json:"expect_error"`
}

// changes decodes the changes. allow_custom is no property but an order to that library:
// with false it refuses results with custom properties.
func (r versionRow) changes(t *testing.T) (changes []stix.Change, refuseCustom bool) {
	t.Helper()
	each(t, r.Changes, func(name string, v jsontext.Value) {
		if name == "allow_custom" {
			refuseCustom = string(v) == "false"
			return
		}
		changes = append(changes, stix.Change{Name: name, Value: v})
	})
	return changes, refuseCustom
}

// each calls f for the members of a JSON object.
func each(t testing.TB, object []byte, f func(name string, v jsontext.Value)) {
	t.Helper()
	d := jsontext.NewDecoder(strings.NewReader(string(object)))
	if _, err := d.ReadToken(); err != nil {
		t.Fatal(err)
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		text := name.String()
		v, err := d.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		f(text, v.Clone())
	}
}

var errCustom = errors.New("a custom property is left")

func (r versionRow) run(t *testing.T) (*stix.Object, error) {
	o, err := stix.Parse(r.Object, stix.DefaultLimits())
	if err != nil {
		return nil, err
	}
	if r.Op == "revoke" {
		return stix.Revoke(o, noon)
	}
	changes, refuseCustom := r.changes(t)
	next, err := stix.NewVersion(o, noon, changes...)
	if err == nil && refuseCustom {
		each(t, next.Bytes(), func(name string, _ jsontext.Value) {
			if strings.HasPrefix(name, "x_") {
				err = errCustom
			}
		})
	}
	return next, err
}

func TestVersionsAgreeWithTheOASISLibrary(t *testing.T) {
	sentinels := map[string]error{
		"InvalidValueError": stix.ErrNotLater, "ObjectNotVersionableError": stix.ErrNotVersionable,
		"RevokeError": stix.ErrRevoked, "ExtraPropertiesError": errCustom,
	}
	n := 0
	for _, r := range rows[versionRow](t, filepath.Join(shared(t), "corpora", "stix", "versioning-ops.jsonl")) {
		n++
		next, err := r.run(t)
		if r.ExpectError != "" {
			want := sentinels[r.ExpectError]
			if r.ExpectError == "TypeNotVersionableError" && r.Object.Kind() == '{' {
				want = stix.ErrNotVersionable
			}
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: %v, want %s", r.Case, err, r.ExpectError)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", r.Case, err)
		} else if got, want := contents(t, next.Bytes()), contents(t, r.Expect); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", r.Case, got, want)
		}
	}
	t.Logf("%d rows", n)
}

const aNote = `{"type":"note","spec_version":"2.1","id":"note--` + uuid + `","created_by_ref":"identity--` + uuid + `",` +
	`"created":"2026-01-02T03:04:05.000Z","modified":"2026-01-02T03:04:05.000Z","content":"a"}`

func TestWhatAllVersionsShareDoesNotChange(t *testing.T) {
	o := parse(t, aNote)
	for _, c := range []stix.Change{
		{Name: "type", Value: jsontext.Value(`"report"`)},
		{Name: "id", Value: jsontext.Value(`"note--` + strings.Replace(uuid, "3", "4", 1) + `"`)},
		{Name: "created", Value: jsontext.Value(`"2026-01-02T03:04:05.0000Z"`)},
		{Name: "created_by_ref", Value: jsontext.Value(`"identity--` + strings.Replace(uuid, "3", "4", 1) + `"`)},
		{Name: "created_by_ref"},
		{Name: "created_by_ref", Value: jsontext.Value("null")},
		{Name: "modified"},
	} {
		later := stix.Change{Name: "modified", Value: jsontext.Value(`"2027-01-01T00:00:00.000Z"`)}
		if _, err := stix.NewVersion(o, noon, c); !errors.Is(err, stix.ErrUnmodifiable) {
			t.Errorf("%s = %s: %v", c.Name, c.Value, err)
		}
		if _, err := stix.NewVersion(o, noon, later, c); c.Name != "modified" && !errors.Is(err, stix.ErrUnmodifiable) {
			t.Errorf("with modified, %s = %s: %v", c.Name, c.Value, err)
		}
	}
	same := stix.Change{Name: "created_by_ref", Value: jsontext.Value(`"identity--` + uuid + `"`)}
	if _, err := stix.NewVersion(o, noon, same); err != nil {
		t.Errorf("to say the same is a change: %v", err)
	}
	anonymous := parse(t, strings.Replace(aNote, `"created_by_ref":"identity--`+uuid+`",`, "", 1))
	if _, err := stix.NewVersion(anonymous, noon, same); !errors.Is(err, stix.ErrUnmodifiable) {
		t.Errorf("an anonymous object got a creator: %v", err)
	}
}

func TestModifiedGivenIsAnInstantOfSTIXAndLater(t *testing.T) {
	o := parse(t, strings.Replace(aNote, `"modified":"2026-01-02T03:04:05.000Z"`, `"modified":"2026-01-02T03:04:05.0001Z"`, 1))
	for _, c := range []struct {
		modified string
		ok       bool
		later    bool
	}{
		{`"2026-01-02T03:04:05.00010001Z"`, true, true},
		{`"2026-01-02T03:04:05.0001Z"`, false, false},
		{`"2026-01-02T03:04:05.000100Z"`, false, false},
		{`"2026-01-02T03:04:05.000Z"`, false, false},
		{`"2027-01-02T03:04:05Z"`, false, true},
		{`"2027-01-02T03:04:05.000+09:00"`, false, true},
		{`"tomorrow"`, false, true},
		{`"`, false, true},
		{`7`, false, true},
		{` "2027-01-02T03:04:05.000Z"`, false, true},
	} {
		next, err := stix.NewVersion(o, noon, stix.Change{Name: "modified", Value: jsontext.Value(c.modified)})
		if (err == nil) != c.ok || errors.Is(err, stix.ErrNotLater) == c.later {
			t.Errorf("%s: %v", c.modified, err)
		}
		if c.ok && err == nil && `"`+next.Modified()+`"` != c.modified {
			t.Errorf("%s became %s", c.modified, next.Modified())
		}
	}
}

func TestANewVersionIsLaterWhateverTheClockSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old := instants().Draw(t, "old")
		o, err := stix.Parse([]byte(strings.Replace(aNote, `"modified":"2026-01-02T03:04:05.000Z"`, `"modified":"`+old+`"`, 1)), stix.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(rapid.Int64Range(17e8, 18e8).Draw(t, "now"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns"))
		next, err := stix.NewVersion(o, now, stix.Change{Name: "content", Value: jsontext.Value(`"b"`)})
		if err != nil {
			t.Fatal(err)
		}
		for _, before := range []string{o.Modified(), o.Created()} {
			if order, err := stix.CompareInstants(next.Modified(), before); err != nil || order <= 0 {
				t.Fatalf("%s is not later than %s (%v)", next.Modified(), before, err)
			}
		}
		for _, f := range next.Findings() {
			if f.Pointer == "/modified" {
				t.Fatalf("modified %s: %s", next.Modified(), f.Message)
			}
		}
	})
}

func TestTheInstantOfTheCallerIsKeptWhole(t *testing.T) {
	o := parse(t, aNote)
	for ns, want := range map[int]string{
		0: "2030-01-02T12:00:00.000Z", 120e6: "2030-01-02T12:00:00.120Z", 1e3: "2030-01-02T12:00:00.000001Z", 1: "2030-01-02T12:00:00.000000001Z",
	} {
		now := time.Date(2030, 1, 2, 21, 0, 0, ns, time.FixedZone("", 9*3600))
		if next, err := stix.NewVersion(o, now); err != nil || next.Modified() != want {
			t.Errorf("%s: %v, %v", want, next, err)
		}
	}
}

func TestTwoVersionsAtOneInstantAreInOrder(t *testing.T) {
	first, err := stix.NewVersion(parse(t, aNote), noon)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := stix.NewVersion(first, noon); err != nil || second.Modified() != "2030-01-02T12:00:00.001Z" {
		t.Errorf("%v, %v", second, err)
	}
}

func TestNothingIsLaterThanTheLastInstant(t *testing.T) {
	o := parse(t, strings.Replace(aNote, `"modified":"2026-01-02T03:04:05.000Z"`, `"modified":"9999-12-31T23:59:59.9999Z"`, 1))
	if _, err := stix.NewVersion(o, noon); !errors.Is(err, stix.ErrNotLater) {
		t.Error(err)
	}
}

func TestAnObservableHasVersionsOnlyIfItSaysSo(t *testing.T) {
	for members, want := range map[string]error{
		``:                                      stix.ErrNotVersionable,
		`,"created":"2026-01-02T03:04:05.000Z"`: stix.ErrNotVersionable,
		`,"created":"2026-01-02T03:04:05.000Z","modified":"2026-01-02T03:04:05.000Z"`: nil,
	} {
		o := parse(t, `{"type":"url","id":"url--`+uuid+`","value":"https://example.org/"`+members+`}`)
		if _, err := stix.Revoke(o, noon); !errors.Is(err, want) {
			t.Errorf("%s: %v", members, err)
		}
	}
}

func TestARevokedObjectHasNoLaterVersion(t *testing.T) {
	revoked, err := stix.Revoke(parse(t, aNote), noon)
	if err != nil || !revoked.Revoked() {
		t.Fatal(revoked, err)
	}
	want := strings.Replace(aNote, `"modified":"2026-01-02T03:04:05.000Z"`, `"modified":"2030-01-02T12:00:00.000Z"`, 1)
	if want = want[:len(want)-1] + `,"revoked":true}`; string(revoked.Bytes()) != want {
		t.Errorf("%s, want %s", revoked.Bytes(), want)
	}
	if _, err := stix.NewVersion(revoked, noon.Add(time.Hour), stix.Change{Name: "revoked", Value: jsontext.Value("false")}); !errors.Is(err, stix.ErrRevoked) {
		t.Error(err)
	}
}
