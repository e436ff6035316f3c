package stix

import (
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// These walk bytes that a scanner has checked and compacted: there is no white space
// between tokens, and no error can occur.

// objectMembers yields the names and values of a JSON object, nothing for other values.
func objectMembers(v jsontext.Value) iter.Seq2[string, jsontext.Value] {
	return func(yield func(string, jsontext.Value) bool) {
		for name, value := range objectFields(v) {
			if !yield(string(name), value) {
				return
			}
		}
	}
}

// objectFields is objectMembers without a copy of names where there are no escapes.
func objectFields(v jsontext.Value) iter.Seq2[[]byte, jsontext.Value] {
	return func(yield func([]byte, jsontext.Value) bool) {
		if v.Kind() != '{' {
			return
		}
		for i := 1; v[i] != '}'; {
			colon := stringEnd(v, i)
			end := valueEnd(v, colon+1)
			if !yield(unquoteBytes(v[i:colon]), v[colon+1:end:end]) {
				return
			}
			i = afterComma(v, end)
		}
	}
}

// arrayElements yields the elements of a JSON array, nothing for other values.
func arrayElements(v jsontext.Value) iter.Seq2[int, jsontext.Value] {
	return func(yield func(int, jsontext.Value) bool) {
		if v.Kind() != '[' {
			return
		}
		for i, n := 1, 0; v[i] != ']'; n++ {
			end := valueEnd(v, i)
			if !yield(n, v[i:end:end]) {
				return
			}
			i = afterComma(v, end)
		}
	}
}

func afterComma(v []byte, i int) int {
	if v[i] == ',' {
		i++
	}
	return i
}

// valueEnd returns the index after the value that starts at i.
func valueEnd(v []byte, i int) int {
	for depth := 0; i < len(v); {
		switch v[i] {
		case '"':
			i = stringEnd(v, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':':
			i++
			continue
		default:
			i = scalarEnd(v, i)
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// scalarEnd returns the index after the number or literal that starts at i.
func scalarEnd(v []byte, i int) int {
	for i < len(v) && v[i] != ',' && v[i] != '}' && v[i] != ']' {
		i++
	}
	return i
}

// stringEnd returns the index after the string that starts at i.
func stringEnd(v []byte, i int) int {
	for i++; v[i] != '"'; i++ {
		if v[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// stringOf returns the text of a JSON string; ok is false for other values.
func stringOf(v jsontext.Value) (text string, ok bool) {
	if v.Kind() != '"' {
		return "", false
	}
	return unquote(v), true
}

// textOf is stringOf without a copy where there are no escapes: the text is part of v, which
// nobody may change.
func textOf(v jsontext.Value) (text string, ok bool) {
	b, ok := bytesOf(v)
	return view(b), ok
}

// bytesOf is stringOf without a copy where there are no escapes.
func bytesOf(v jsontext.Value) (text []byte, ok bool) {
	if v.Kind() != '"' {
		return nil, false
	}
	return unquoteBytes(v), true
}

// memberOf returns the value of one member of a JSON object, nil if it has none.
func memberOf(v jsontext.Value, name string) jsontext.Value {
	for n, value := range objectFields(v) {
		if string(n) == name {
			return value
		}
	}
	return nil
}

// stringAt returns the string that is a member of a JSON object, "" if there is none.
func stringAt(v jsontext.Value, name string) string {
	text, _ := stringOf(memberOf(v, name))
	return text
}
