package stix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// decode is what encoding/json makes of an object.
func decode(t *testing.T, b []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	return o
}

// promised is what a view promises to say of a value that encoding/json has decoded.
func promised(p *stix.Property, v any) any {
	if !p.List {
		one, _ := promisedOne(p, v)
		return one
	}
	all := []any{}
	list, _ := v.([]any)
	for _, e := range list {
		if one, ok := promisedOne(p, e); ok {
			all = append(all, one)
		}
	}
	return all
}

// promisedOne does so for one value; ok is false if it is of another kind.
func promisedOne(p *stix.Property, v any) (one any, ok bool) {
	switch p.Kind {
	case stix.Boolean:
		b, ok := v.(bool)
		return b, ok
	case stix.Integer:
		n, _ := v.(json.Number)
		whole, ok := new(big.Rat).SetString(n.String())
		if !ok || !whole.IsInt() || !whole.Num().IsInt64() {
			return int64(0), false
		}
		return whole.Num().Int64(), true
	case stix.Float:
		n, _ := v.(json.Number)
		f, err := n.Float64()
		if err != nil {
			return 0.0, false
		}
		return f, true
	case stix.Identifier:
		text, _ := v.(string)
		id, err := stix.ParseID(text)
		return string(id), err == nil
	case stix.Structure, stix.Dictionary, stix.Container, stix.Extensions:
		m, ok := v.(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		return m, ok
	case stix.Hashes:
		texts := map[string]any{}
		m, ok := v.(map[string]any)
		for name, hash := range m {
			if text, isText := hash.(string); isText {
				texts[name] = text
			}
		}
		return texts, ok
	}
	text, ok := v.(string)
	return text, ok
}

// A view as reflection sees it, with the type that it views and what it should say.
type checkedView struct {
	typ  *stix.Type
	view reflect.Value
	want map[string]any
}

// method finds the method for a property by its letters alone. A longer name in -Property
// comes first: without it, the name is a method of the object.
func (c checkedView) method(property string) (reflect.Value, bool) {
	key := methodKey{c.view.Type(), property}
	i, known := methodAt[key]
	if !known {
		i = methodOf(c.view.Type(), property)
		methodAt[key] = i
	}
	if i < 0 {
		return reflect.Value{}, false
	}
	return c.view.Method(i), true
}

type methodKey struct {
	view     reflect.Type
	property string
}

// methodAt remembers what methodOf has found: there are thousands of objects.
var methodAt = map[methodKey]int{}

func methodOf(view reflect.Type, property string) int {
	letters := strings.ReplaceAll(property, "_", "")
	switch property {
	case "object_marking_refs":
		letters = "MarkingRefs"
	case "granular_markings":
		letters = "Granular"
	}
	for _, want := range []string{letters + "property", letters} {
		for i := range view.NumMethod() {
			if strings.EqualFold(view.Method(i).Name, want) {
				return i
			}
		}
	}
	return -1
}

func (c checkedView) has(name string) bool {
	return c.view.MethodByName("Has").Call([]reflect.Value{reflect.ValueOf(name)})[0].Bool()
}

// check compares every method with what it should return, parts included.
func (c checkedView) check(t *testing.T, path string) {
	t.Helper()
	for _, p := range c.typ.Properties {
		if p.Kind == stix.Reserved {
			continue
		}
		v, there := c.want[p.Name]
		at := path + "/" + p.Name
		if c.has(p.Name) != there {
			t.Errorf("%s: Has says %t", at, !there)
		}
		m, ok := c.method(p.Name)
		if !ok {
			t.Errorf("%s: no method of %v reads it", at, c.view.Type())
			continue
		}
		got := m.Call(nil)[0]
		if p.Kind == stix.Structure && p.Name != "granular_markings" {
			checkParts(t, at, &p, got, v)
		} else if got, want := plain(t, got), promised(&p, v); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", at, got, want)
		}
	}
}

// checkParts goes on into the parts that a property has.
func checkParts(t *testing.T, at string, p *stix.Property, got reflect.Value, v any) {
	t.Helper()
	if !p.List {
		m, _ := promised(p, v).(map[string]any)
		checkedView{p.Of, got, m}.check(t, at)
		return
	}
	want := promised(p, v).([]any)
	n := 0
	for part := range got.Seq() {
		if n < len(want) {
			checkedView{p.Of, part, want[n].(map[string]any)}.check(t, fmt.Sprintf("%s/%d", at, n))
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%s: %d parts, want %d", at, n, len(want))
	}
}

// plain turns what a method returns into what encoding/json would have decoded.
func plain(t *testing.T, v reflect.Value) any {
	t.Helper()
	switch all := v.Interface().(type) {
	case []stix.GranularMarking:
		return plainMarkings(all)
	case []stix.ID:
		return plainList(reflect.ValueOf(slices.Values(all)))
	}
	switch {
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() != reflect.Func:
		return v.Interface()
	case v.Type().CanSeq2():
		return plainMembers(t, v)
	}
	return plainList(v)
}

func plainList(seq reflect.Value) any {
	all := []any{}
	for e := range seq.Seq() {
		all = append(all, e.String())
	}
	return all
}

func plainMembers(t *testing.T, seq reflect.Value) any {
	t.Helper()
	all := map[string]any{}
	for name, e := range seq.Seq2() {
		if e.Kind() == reflect.String {
			all[name.String()] = e.String()
		} else {
			all[name.String()] = decodeValue(t, e.Bytes())
		}
	}
	return all
}

func decodeValue(t *testing.T, b []byte) any {
	t.Helper()
	return decode(t, fmt.Appendf(nil, `{"v":%s}`, b))["v"]
}

func plainMarkings(all []stix.GranularMarking) any {
	list := []any{}
	for _, g := range all {
		m := map[string]any{}
		if g.Lang != "" {
			m["lang"] = g.Lang
		}
		if g.MarkingRef != "" {
			m["marking_ref"] = string(g.MarkingRef)
		}
		if g.Selectors != nil {
			selectors := []any{}
			for _, s := range g.Selectors {
				selectors = append(selectors, s)
			}
			m["selectors"] = selectors
		}
		list = append(list, m)
	}
	return list
}

// viewsOf returns the view of an object and of each of its predefined extensions.
func viewsOf(t *testing.T, o *stix.Object, want map[string]any) []checkedView {
	t.Helper()
	var all []checkedView
	extensions, _ := want["extensions"].(map[string]any)
	for name, as := range viewOf {
		typ := stix.TypeNamed(name)
		wanted, there := want, o.Type() == name
		if typ.Category == stix.Part {
			wanted, there = extensions[name].(map[string]any)
		}
		out := reflect.ValueOf(as).Call([]reflect.Value{reflect.ValueOf(o)})
		if out[1].Bool() != there {
			t.Errorf("%s: a view of it as %s: %t", o.ID(), name, !there)
		}
		if there {
			all = append(all, checkedView{typ, out[0], wanted})
		}
	}
	return all
}
