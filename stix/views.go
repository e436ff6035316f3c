package stix

import (
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

//go:generate go run ../tools/views

// The views are generated from the tables in schema.go; what they share is here. All read the
// bytes of the object where they are. A view copies nothing but texts with escapes.

// A PartView is a JSON object inside an object: a sub-type or a predefined extension. The
// views of parts embed it. The zero value is a part that is absent.
type PartView struct{ raw jsontext.Value }

// Bytes returns the part as it was written, without insignificant white space; nil if it is
// absent.
func (p PartView) Bytes() []byte { return p.raw }

// Has reports that the part has a member of that name, of whatever kind.
func (p PartView) Has(name string) bool { return p.at(name) != nil }

// Property returns the value of a member as written, without insignificant white space.
func (p PartView) Property(name string) (v jsontext.Value, ok bool) {
	v = p.at(name)
	return v, v != nil
}

func (p PartView) at(name string) (value jsontext.Value) {
	eachMember(p.raw, func(n string, v jsontext.Value) bool {
		if n == name {
			value = v
		}
		return value == nil
	})
	return value
}

// Has reports that the object has a top-level property of that name, of whatever kind. It
// tells a property that is absent from one that is zero, empty or of the wrong kind.
func (o *Object) Has(name string) bool { return o.at(name) != nil }

// at returns the value of a top-level member, nil if there is none.
func (o *Object) at(name string) jsontext.Value {
	hash := hashName(name)
	for i := range o.members {
		if m := &o.members[i]; m.hash == hash && string(m.in(o.raw)) == name {
			return jsontext.Value(m.value.of(o.raw))
		}
	}
	return nil
}

// viewAs makes the view of an object of that type. There may be no object: an [Item] that was
// refused has none.
func viewAs[T ~struct{ *Object }](o *Object, typ string) (view T, ok bool) {
	if o == nil || o.typ != typ {
		return view, false
	}
	return T{o}, true
}

// extensionAs makes the view of a predefined extension of an object.
func extensionAs[T ~struct{ PartView }](o *Object, name string) (view T, ok bool) {
	if o == nil {
		return view, false
	}
	p := asPart(asPart(o.at("extensions")).at(name))
	return T{p}, p.raw != nil
}

// The values of properties, by kind. A value of another kind is the zero value.

func asPart(v jsontext.Value) PartView {
	if v.Kind() != '{' {
		return PartView{}
	}
	return PartView{v}
}

func asID(v jsontext.Value) ID {
	text, ok := textOf(v)
	if !ok || idFault(text) != "" {
		return ""
	}
	return ID(text)
}

func asInteger(v jsontext.Value) int64 {
	if v.Kind() != '0' {
		return 0
	}
	if n, err := strconv.ParseInt(view(v), 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(view(v), 64)
	if err != nil || !isWhole(v) || math.Abs(f) > maxInteger {
		return 0
	}
	return int64(f)
}

func asFloat(v jsontext.Value) float64 {
	if v.Kind() != '0' {
		return 0
	}
	f, err := strconv.ParseFloat(view(v), 64)
	if err != nil {
		return 0
	}
	return f
}

// Lists and dictionaries. Elements of another kind are left out.

func eachText(v jsontext.Value, yield func(string) bool) {
	for _, e := range arrayElements(v) {
		if text, ok := textOf(e); ok && !yield(text) {
			return
		}
	}
}

func eachID(v jsontext.Value, yield func(ID) bool) {
	for _, e := range arrayElements(v) {
		if id := asID(e); id != "" && !yield(id) {
			return
		}
	}
}

func eachPart(v jsontext.Value, yield func(PartView) bool) {
	for _, e := range arrayElements(v) {
		if e.Kind() == '{' && !yield(PartView{e}) {
			return
		}
	}
}

func eachHash(v jsontext.Value, yield func(name, hash string) bool) {
	eachMember(v, func(name string, e jsontext.Value) bool {
		hash, ok := textOf(e)
		return !ok || yield(name, hash)
	})
}

// eachMember is objectMembers without a copy of the names.
func eachMember(v jsontext.Value, yield func(name string, value jsontext.Value) bool) {
	if v.Kind() != '{' {
		return
	}
	for i := 1; v[i] != '}'; {
		colon := stringEnd(v, i)
		end := valueEnd(v, colon+1)
		name, _ := textOf(v[i:colon])
		if !yield(name, v[colon+1:end:end]) {
			return
		}
		i = afterComma(v, end)
	}
}
