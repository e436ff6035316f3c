package stix_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// A spelled member is a name and a value as they are written.
type spelled struct{ name, text, value string }

func (m spelled) String() string { return m.text + ":" + m.value }

// spelledMembers draws members whose names and values have more than one spelling.
func spelledMembers() *rapid.Generator[[]spelled] {
	return rapid.Custom(func(t *rapid.T) []spelled {
		members := []spelled{{"type", `"t\u0079pe"`, `"x-part"`}, {"id", `"id"`, `"x-part--` + uuid + `"`}}
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-c\x{e9}"\\]{1,3}`), 0, 6, rapid.ID[string]).Draw(t, "names")
		for _, name := range names {
			text := quote(name)
			if rapid.Bool().Draw(t, "escaped") {
				text = strings.Replace(text, "a", `\u0061`, 1)
			}
			members = append(members, spelled{name, text, jsonValues(2).Draw(t, "value")})
		}
		return rapid.Permutation(members).Draw(t, "order")
	})
}

func written(members []spelled) string {
	var parts []string
	for _, m := range members {
		parts = append(parts, m.String())
	}
	return "{" + join(parts) + "}"
}

func TestAnEditTouchesNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := spelledMembers().Draw(t, "members")
		o, err := stix.Parse([]byte(written(members)), stix.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		var changes []stix.Change
		var want []spelled
		change := func(name string) (value string, changed bool) {
			if name == "type" || name == "id" || rapid.Bool().Draw(t, "keep") {
				return "", false
			}
			value = rapid.OneOf(rapid.Just(""), jsonValues(2)).Draw(t, "new value")
			changes = append(changes, stix.Change{Name: name, Value: jsontext.Value(value)})
			return value, true
		}
		for _, m := range members {
			value, changed := change(m.name)
			if changed {
				m.value = value
			}
			if !changed || value != "" && value != "null" {
				want = append(want, m)
			}
		}
		for _, name := range []string{"new", `n"w`} {
			if value, changed := change(name); changed && value != "" && value != "null" {
				want = append(want, spelled{name, quote(name), value})
			}
		}
		edited, err := stix.Edit(o, changes...)
		if err != nil {
			t.Fatal(err)
		}
		if string(edited.Bytes()) != written(want) || string(o.Bytes()) != written(members) {
			t.Fatalf("%s became %s, want %s", o.Bytes(), edited.Bytes(), written(want))
		}
	})
}

func TestWhatIsSetIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anObject().Draw(t, "object")
		name, value := rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "name"), jsonValues(2).Draw(t, "value")
		edited, err := stix.Edit(o, stix.Change{Name: name, Value: jsontext.Value(value)})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := edited.Property(name); ok == (value == "null") || ok && string(got) != value {
			t.Fatalf("%s set to %s is %s", name, value, got)
		}
		removed, err := stix.Edit(edited, stix.Change{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := removed.Property(name); ok {
			t.Fatalf("%s was removed: %s", name, removed.Bytes())
		}
		if again, err := stix.Edit(removed, stix.Change{Name: name}); err != nil || again != removed {
			t.Fatalf("nothing changed, and it is not the same object (%v)", err)
		}
	})
}

func TestAChangeThatIsNoneIsRefused(t *testing.T) {
	o := parse(t, identity(""))
	for _, changes := range [][]stix.Change{
		{{Name: "name", Value: jsontext.Value(`"a","id":"b"`)}},
		{{Name: "name", Value: jsontext.Value(`"a","x_more":"b"`)}},
		{{Name: "name", Value: jsontext.Value(`"a"}{`)}},
		{{Name: "name", Value: jsontext.Value(`nonsense`)}},
		{{Name: "name", Value: jsontext.Value(`{"a":1,"a":2}`)}},
		{{Name: "name", Value: jsontext.Value(`"` + "\xff" + `"`)}},
		{{Name: "name", Value: jsontext.Value(`"\ud800"`)}},
		{{Name: "na\xffme", Value: jsontext.Value(`1`)}},
		{{Name: "name", Value: jsontext.Value(`"a"`)}, {Name: "name", Value: jsontext.Value(`"b"`)}},
		{{Name: "new", Value: jsontext.Value(`"a"`)}, {Name: "new"}},
	} {
		if edited, err := stix.Edit(o, changes...); err == nil || !strings.Contains(err.Error(), string(o.ID())) {
			t.Errorf("%v: %v, %v", changes, edited, err)
		}
	}
}

func TestAnEditMakesNoObjectThatWouldBeRefused(t *testing.T) {
	o := parse(t, identity(""))
	for code, c := range map[string]stix.Change{
		stix.CodeNoType:       {Name: "type"},
		stix.CodeTypeMismatch: {Name: "type", Value: jsontext.Value(`"note"`)},
		stix.CodeBadID:        {Name: "id", Value: jsontext.Value(`"a"`)},
		stix.CodeBadInstant:   {Name: "modified", Value: jsontext.Value(`"yesterday"`)},
		stix.CodeBadMarking:   {Name: "object_marking_refs", Value: jsontext.Value(`["a"]`)},
	} {
		var bad *stix.Error
		if _, err := stix.Edit(o, c); !errors.As(err, &bad) || bad.Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestALargeObjectCanBeRevoked(t *testing.T) {
	big := fmt.Sprintf(`"description":%q`, strings.Repeat("a", stix.DefaultObjectBytes))
	o, err := stix.Parse([]byte(identity(big)), stix.Limits{ObjectBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if revoked, err := stix.Revoke(o, noon); err != nil || !revoked.Revoked() {
		t.Error(err)
	}
}

func BenchmarkNewVersion(b *testing.B) {
	o := parse(b, string(indicator(1)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stix.NewVersion(o, noon, stix.Change{Name: "confidence", Value: jsontext.Value("80")}); err != nil {
			b.Fatal(err)
		}
	}
}
