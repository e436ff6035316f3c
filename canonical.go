package liaison

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// JCS returns the canonical JSON (RFC 8785) of v, one of this package's own
// values. Panics if v cannot be encoded: a programming error.
func JCS(v any) []byte {
	if e, ok := v.(encoder); ok {
		space := spaces.Get().(*[]byte)
		defer spaces.Put(space)
		if b, ok := e.appendJCS((*space)[:0]); ok {
			*space = b
			return slices.Clone(b) // of the right size
		}
	}
	return jcs(v)
}

// spaces are what JCS writes in, before it knows how long the text is.
var spaces = sync.Pool{New: func() any { return new([]byte) }}

// jcs is JCS for any value, by reflection.
func jcs(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("liaison: encode %T: %v", v, err))
	}
	raw := jsontext.Value(b)
	if err := raw.Canonicalize(); err != nil {
		panic(fmt.Sprintf("liaison: canonicalize %T: %v", v, err))
	}
	return raw
}

// ParseJCS decodes b into v and refuses unknown members, duplicate names and
// bytes that are not the canonical form of what was decoded.
func ParseJCS(b []byte, v any) error {
	if err := parseStrict(b, v); err != nil {
		return err
	}
	if string(JCS(v)) != string(b) {
		return fmt.Errorf("not in canonical form (RFC 8785)")
	}
	return nil
}

// parseStrict decodes b into v and refuses unknown members, duplicate names,
// trailing data and what checkValues refuses. White space is allowed: for files
// people edit or mail.
func parseStrict(b []byte, v any) error {
	err := checkValues(b)
	if err == nil {
		err = json.Unmarshal(b, v, json.RejectUnknownMembers(true))
	}
	return plainly(err)
}

// plainly says what is wrong with a JSON text, and where, to people who do not
// know this program's types.
func plainly(err error) error {
	var form *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case errors.As(err, &form):
		return fmt.Errorf("not strict JSON at byte %d: %w", form.ByteOffset, form.Err)
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &meaning):
		return fmt.Errorf("%w %q at %s", json.ErrUnknownName, meaning.JSONPointer.LastToken(), meaning.JSONPointer)
	case errors.As(err, &meaning) && meaning.Err != nil:
		return fmt.Errorf("%s: %w", orWhole(meaning.JSONPointer), meaning.Err)
	case errors.As(err, &meaning):
		return fmt.Errorf("%s: %s is not what belongs there", orWhole(meaning.JSONPointer), kindName(meaning.JSONKind))
	}
	return err
}

func orWhole(p jsontext.Pointer) string { return cmp.Or(string(p), "the whole") }

func kindName(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	}
	return "true, false or null"
}

// maxExact is the largest integer that every JSON reader keeps (RFC 7493 §2.2).
const maxExact = 1<<53 - 1

// checkValues refuses null, since what is absent is left out, and numbers
// beyond maxExact: JCS writes those as the nearest double, so two different
// texts would be hashed alike.
func checkValues(b []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(b))
	for {
		tok, err := dec.ReadToken()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case tok.Kind() == 'n' && dec.StackPointer() == "":
			return errors.New("null is no object")
		case tok.Kind() == 'n':
			return fmt.Errorf("%s is null: leave it out", dec.StackPointer())
		case tok.Kind() != '0':
			continue
		}
		if f, err := tok.Float(); err != nil || math.Abs(f) > maxExact {
			return fmt.Errorf("%s: %.40s is beyond 2^53-1", orWhole(dec.StackPointer()), tok)
		}
	}
}
