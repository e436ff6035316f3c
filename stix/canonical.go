package stix

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical returns the JCS (RFC 8785) of b. Numbers outside I-JSON (integers beyond
// 2^53-1, magnitudes a double cannot hold) are not rounded: they stay as written, and
// [Object.Findings] reports them as [FindNumber]. Equal canonical forms are equal contents.
// An error says why b is not strict JSON.
func Canonical(b []byte) ([]byte, error) {
	v := jsontext.Value(b).Clone()
	if err := v.Format(jsontext.ReorderRawObjects(true)); err != nil {
		return nil, fmt.Errorf("canonical form: %w", err)
	}
	return canonicalNumbers(v), nil
}

// canonicalNumbers rewrites the numbers of compact JSON.
func canonicalNumbers(v []byte) []byte {
	out := make([]byte, 0, len(v)+len(v)/8)
	start := 0
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c == '"':
			i = stringEnd(v, i)
		case c == '-' || c >= '0' && c <= '9':
			n, whole := numberLen(v[i:])
			out = append(out, v[start:i]...)
			out = appendNumber(out, v[i:i+n], whole)
			i += n
			start = i
		default:
			i++
		}
	}
	return append(out, v[start:]...)
}

func appendNumber(out, text []byte, whole bool) []byte {
	if whole && len(text) <= 15 && text[0] != '-' || beyondIJSON(text) {
		return append(out, text...)
	}
	v := jsontext.Value(text).Clone()
	if err := v.Canonicalize(); err != nil {
		return append(out, text...)
	}
	return append(out, v...)
}
