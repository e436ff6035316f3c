package office

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// DecodeTOML reads TOML into a struct whose fields are texts, lists and
// booleans. A key is known by its exact name; an unknown one, or a value of
// another type, is an error that names the line of path.
func DecodeTOML(path, text string, into any) error {
	values := map[string]any{}
	meta, err := toml.Decode(text, &values)
	var parse toml.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("%s:%d: %s", path, parse.Position.Line, strings.TrimSuffix(parse.Message, "."))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	want := keysOf(into)
	for _, key := range meta.Keys() {
		typ, ok := want[key.String()]
		if !ok {
			return fmt.Errorf("%s:%d: unknown key %q", path, lineOf(text, key), strings.Join(key, "."))
		}
		if !typ.holds(values[key[0]]) {
			return fmt.Errorf("%s:%d: %s: want %s", path, lineOf(text, key), key, typ.words)
		}
	}
	if _, err := toml.Decode(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// valueType is a type of value and how people are told of it.
type valueType struct {
	words string
	holds func(any) bool
}

var valueTypes = map[reflect.Kind]valueType{
	reflect.String: {`a text in quotes, such as "value"`, isText},
	reflect.Bool:   {"true or false", func(v any) bool { _, ok := v.(bool); return ok }},
	reflect.Slice:  {`a list of texts, such as ["one", "two"]`, isTexts},
}

func isText(v any) bool { _, ok := v.(string); return ok }

func isTexts(v any) bool {
	list, ok := v.([]any)
	return ok && !slices.ContainsFunc(list, func(v any) bool { return !isText(v) })
}

// keysOf returns the keys of a struct, by the names in its tags.
func keysOf(into any) map[string]valueType {
	keys := map[string]valueType{}
	t := reflect.TypeOf(into).Elem()
	for i := range t.NumField() {
		keys[t.Field(i).Tag.Get("toml")] = valueTypes[t.Field(i).Type.Kind()]
	}
	return keys
}

// lineOf finds the line on which a key is set: the first that cannot be left
// out, read line by line, if the text shall set it. A value may span lines.
func lineOf(text string, key toml.Key) int {
	line, end := 1, 0
	for i, l := range strings.SplitAfter(text, "\n") {
		end += len(l)
		meta, err := toml.Decode(text[:end], &map[string]any{})
		if err != nil {
			continue
		}
		if meta.IsDefined(key...) {
			return line
		}
		line = i + 2
	}
	return 1
}
