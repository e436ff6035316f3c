package stix

import (
	"fmt"
	"iter"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// BuildBundle returns a bundle (STIX 2.1 §8) with the bytes of the objects as they are.
func BuildBundle(id ID, objects []*Object) []byte {
	b := append([]byte(`{"type":"bundle","id":`), quoted(string(id))...)
	return append(appendObjects(b, true, objectBytes(objects)), '}')
}

// AppendEnvelope appends a TAXII envelope (TAXII 2.1 §3.7) to dst, with the bytes of the
// objects as they are. An empty next and an empty list are left out, as is more if it is
// false.
func AppendEnvelope(dst []byte, objects iter.Seq[[]byte], more bool, next string) []byte {
	dst = append(dst, '{')
	start := len(dst)
	if more {
		dst = append(dst, `"more":true`...)
	}
	if next != "" {
		dst = append(comma(dst, len(dst) > start), `"next":`...)
		dst = append(dst, quoted(next)...)
	}
	return append(appendObjects(dst, len(dst) > start, objects), '}')
}

// BuildEnvelope returns a TAXII envelope with the objects.
func BuildEnvelope(objects []*Object, more bool, next string) []byte {
	return AppendEnvelope(nil, objectBytes(objects), more, next)
}

// appendObjects appends the member objects, unless there are none.
func appendObjects(b []byte, after bool, objects iter.Seq[[]byte]) []byte {
	count := 0
	for object := range objects {
		if count == 0 {
			b = append(comma(b, after), `"objects":[`...)
		}
		b = append(comma(b, count > 0), object...)
		count++
	}
	if count > 0 {
		b = append(b, ']')
	}
	return b
}

func comma(b []byte, needed bool) []byte {
	if needed {
		b = append(b, ',')
	}
	return b
}

func objectBytes(objects []*Object) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, o := range objects {
			if !yield(o.raw) {
				return
			}
		}
	}
}

// quoted returns s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func quoted(s string) []byte {
	b, _ := jsontext.AppendQuote(nil, s)
	return b
}

// SplitBundle returns objects in parts, in their order, each as full as it can be: the
// bundle that [BuildBundle] makes of a part is no larger than lim.BodyBytes and has no more
// than lim.Objects objects. An object that is too large even alone is refused with an
// [*Error] that points to it.
func SplitBundle(objects []*Object, lim Limits) ([][]*Object, error) {
	lim = lim.withDefaults()
	const frame = len(`{"type":"bundle","id":"bundle--","objects":[]}`) + uuidLen
	var parts [][]*Object
	start, size := 0, frame
	for i, o := range objects {
		if frame+len(o.raw) > lim.BodyBytes {
			return nil, &Error{"/objects/" + strconv.Itoa(i), CodeTooLarge, fmt.Sprintf("a bundle of this object alone is larger than %d bytes", lim.BodyBytes)}
		}
		if i > start && (size+1+len(o.raw) > lim.BodyBytes || i-start == lim.Objects) {
			parts = append(parts, objects[start:i:i])
			start, size = i, frame
		}
		if i > start {
			size++ // a comma
		}
		size += len(o.raw)
	}
	if start < len(objects) {
		parts = append(parts, objects[start:])
	}
	return parts, nil
}
