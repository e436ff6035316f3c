package stix

import (
	"bytes"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// These read pieces of bytes that a scanner has checked already, so no error can occur.

// objectMembers yields the names and values of a JSON object, nothing for other values.
func objectMembers(v jsontext.Value) iter.Seq2[string, jsontext.Value] {
	return func(yield func(string, jsontext.Value) bool) {
		if v.Kind() != '{' {
			return
		}
		d := jsontext.NewDecoder(bytes.NewBuffer(v))
		if _, err := d.ReadToken(); err != nil {
			return
		}
		for d.PeekKind() == '"' {
			name, err := d.ReadToken()
			if err != nil {
				return
			}
			text := name.String()
			value, err := d.ReadValue()
			if err != nil || !yield(text, value.Clone()) {
				return
			}
		}
	}
}

// arrayElements yields the elements of a JSON array, nothing for other values.
func arrayElements(v jsontext.Value) iter.Seq2[int, jsontext.Value] {
	return func(yield func(int, jsontext.Value) bool) {
		if v.Kind() != '[' {
			return
		}
		d := jsontext.NewDecoder(bytes.NewBuffer(v))
		if _, err := d.ReadToken(); err != nil {
			return
		}
		for i := 0; d.PeekKind() != ']'; i++ {
			value, err := d.ReadValue()
			if err != nil || !yield(i, value.Clone()) {
				return
			}
		}
	}
}

// stringOf returns the text of a JSON string; ok is false for other values.
func stringOf(v jsontext.Value) (text string, ok bool) {
	if v.Kind() != '"' {
		return "", false
	}
	return unquote(v), true
}

// memberOf returns the value of one member of a JSON object, nil if it has none.
func memberOf(v jsontext.Value, name string) jsontext.Value {
	for n, value := range objectMembers(v) {
		if n == name {
			return value
		}
	}
	return nil
}

// stringAt returns the string at a path of member names, "" if there is none.
func stringAt(v jsontext.Value, path ...string) string {
	for _, name := range path {
		if v = memberOf(v, name); v == nil {
			return ""
		}
	}
	text, _ := stringOf(v)
	return text
}
