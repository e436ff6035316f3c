package stix_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

const selectable = `{"type":"x-part","id":"x-part--` + uuid + `","a":333,"c":[17,"list value",{"g":"nested","h":[]}],"name":"n","":1,` +
	`"x":{"y":["hello",88],"z":{"foo1":"bar","fo\u006f2":65,"SHA-256":"h","":2,"[0]":3,"p.q":4}},"\u0064ef":{"i":null},"e":{},"a-b":{"c":1}}`

func TestASelectorNamesWhatIsThere(t *testing.T) {
	o := parse(t, selectable)
	for selector, want := range map[string]string{
		"a": "333", "c.[0]": "17", "c.[2]": `{"g":"nested","h":[]}`, "c.[2].g": `"nested"`, "c.[2].h": "[]", "x.y.[1]": "88",
		"x.z.foo1": `"bar"`, "x.z.foo2": "65", "x.z.SHA-256": `"h"`, "def.i": "null", "e": "{}", "id": `"x-part--` + uuid + `"`, "a-b.c": "1",
		"": "", ".": "", "b": "", "a.b": "", "a.[0]": "", "c.f": "", "c.[3]": "", "c.[2].i": "", "c.[-1]": "", "c.[01]": "", "c.[]": "", "c.[": "",
		"c[0]": "", "c.0": "", "c.[0": "", "c.[0]]": "", "c.[0].": "", ".c": "", "c..[0]": "", "c.[ 0]": "", "c.[99999999999999999999]": "",
		"x.[0]": "", "x.z.": "", "x.z.[0]": "", "x.z.p.q": "", "x.z.p": "", "c.[2].h.[0]": "", "e.a": "", "name.[0]": "", "A": "", "[0]": "",
		"x.z.fo\\u006f2": "", "c.[0].a": "",
	} {
		v, ok := stix.Select(o, selector)
		if ok != (want != "") || string(v) != want {
			t.Errorf("%q: %s, %t, want %s", selector, v, ok, want)
		}
		if missing := stix.MissingSelectors(o, []string{selector}); len(missing) == 0 != ok {
			t.Errorf("%q: selected %t, but missing are %q", selector, ok, missing)
		}
	}
}

// anObject draws an object with members of some depth.
func anObject() *rapid.Generator[*stix.Object] {
	return rapid.Custom(func(t *rapid.T) *stix.Object {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab][ab\-]{0,2}`), 0, 5, rapid.ID[string]).Draw(t, "names")
		members := []string{`"type":"x-part"`, `"id":"x-part--` + uuid + `"`, `"created":"2026-01-02T03:04:05.000Z"`}
		for _, name := range names {
			members = append(members, quote(name)+":"+jsonValues(3).Draw(t, "value"))
		}
		o, err := stix.Parse([]byte("{"+join(rapid.Permutation(members).Draw(t, "order"))+"}"), stix.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		return o
	})
}

// paths returns selectors for all parts of v that can be selected.
func paths(prefix string, v jsontext.Value) (all []string) {
	d := jsontext.NewDecoder(strings.NewReader(string(v)))
	if kind := v.Kind(); kind != '{' && kind != '[' {
		return nil
	}
	d.ReadToken()
	for n := 0; d.PeekKind() != '}' && d.PeekKind() != ']'; n++ {
		component := fmt.Sprintf("[%d]", n)
		if v.Kind() == '{' {
			name, _ := d.ReadToken()
			component = name.String()
		}
		value, _ := d.ReadValue()
		if strings.ContainsAny(component, ".") || component == "" || v.Kind() == '{' && component[0] == '[' {
			continue
		}
		all = append(all, prefix+component)
		all = append(all, paths(prefix+component+".", value.Clone())...)
	}
	return all
}

func TestEveryPartCanBeSelected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anObject().Draw(t, "object")
		all := paths("", o.Bytes())
		for _, selector := range all {
			if _, ok := stix.Select(o, selector); !ok {
				t.Fatalf("%q selects nothing", selector)
			}
		}
		if missing := stix.MissingSelectors(o, all); len(missing) > 0 {
			t.Fatalf("missing %q", missing)
		}
	})
}

func TestManySelectorsAreResolvedAsEachAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anObject().Draw(t, "object")
		some := rapid.OneOf(rapid.SampledFrom(append(paths("", o.Bytes()), "b")), rapid.StringMatching(`[ab\-]{0,2}(\.([ab\-]?|\[[0-2]\])){0,3}`))
		selectors := rapid.SliceOf(some).Draw(t, "selectors")
		missing := stix.MissingSelectors(o, selectors)
		for _, s := range selectors {
			if _, ok := stix.Select(o, s); ok == slices.Contains(missing, s) {
				t.Fatalf("%q: selected %t, missing are %q", s, ok, missing)
			}
		}
	})
}

func FuzzSelect(f *testing.F) {
	f.Add(selectable, "x.z.foo2")
	f.Add(selectable, "c.[2].g")
	f.Add(selectable, "..[0].")
	f.Add(`{"type":"a","id":"a--`+uuid+`","b":[[{"c":"\"]}"}]]}`, "b.[0].[0].c")
	f.Fuzz(func(t *testing.T, object, selector string) {
		o, err := stix.Parse([]byte(object), stix.DefaultLimits())
		if err != nil {
			return
		}
		v, ok := stix.Select(o, selector)
		if ok && !v.IsValid() {
			t.Fatalf("%q selects %q", selector, v)
		}
		if missing := stix.MissingSelectors(o, []string{selector}); len(missing) == 0 != ok {
			t.Fatalf("%q: selected %t, missing %q", selector, ok, missing)
		}
	})
}

func BenchmarkSelect(b *testing.B) {
	o := parse(b, string(indicator(1)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := stix.Select(o, "labels.[1]"); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkMissingSelectors(b *testing.B) {
	few := parse(b, string(indicator(1)))
	b.Run("three", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			stix.MissingSelectors(few, []string{"description", "labels.[1]", "name"})
		}
	})
	var selectors []string
	for n := range 20_000 {
		selectors = append(selectors, fmt.Sprintf("list.[%d]", 100_000+n))
	}
	many := parse(b, `{"type":"x-a","id":"x-a--`+uuid+`","list":[`+strings.Repeat("1,", 200_000)+`1]}`)
	b.Run("hostile", func(b *testing.B) {
		for b.Loop() {
			stix.MissingSelectors(many, selectors)
		}
	})
}
