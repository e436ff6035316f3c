package office

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// DecodeTOML reads TOML into a struct whose fields are texts, numbers, lists,
// booleans and tables, which are structs of the same kind. A key is known by its
// exact name; an unknown one, or a value of another type, is an error that names
// the line of path.
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
		if !typ.holds(valueAt(values, key)) {
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
	reflect.Int:    {"a whole number, such as 1000", func(v any) bool { _, ok := v.(int64); return ok }},
	reflect.Struct: {"a table of keys and values", func(v any) bool { _, ok := v.(map[string]any); return ok }},
	reflect.Bool:   {"true or false", func(v any) bool { _, ok := v.(bool); return ok }},
	reflect.Slice:  {`a list of texts, such as ["one", "two"]`, isTexts},
}

func isText(v any) bool { _, ok := v.(string); return ok }

func isTexts(v any) bool {
	list, ok := v.([]any)
	return ok && !slices.ContainsFunc(list, func(v any) bool { return !isText(v) })
}

// valueAt returns the value of a key that may lie in a table.
func valueAt(values map[string]any, key toml.Key) (v any) {
	v = values
	for _, k := range key {
		table, _ := v.(map[string]any)
		v = table[k]
	}
	return v
}

// keysOf returns the keys of a struct, by the names in its tags; those of a
// table follow its own name and a dot.
func keysOf(into any) map[string]valueType {
	keys := map[string]valueType{}
	addKeys(keys, "", reflect.TypeOf(into).Elem())
	return keys
}

func addKeys(keys map[string]valueType, table string, t reflect.Type) {
	for f := range t.Fields() {
		name := table + f.Tag.Get("toml")
		keys[name] = valueTypes[f.Type.Kind()]
		if f.Type.Kind() == reflect.Struct {
			addKeys(keys, name+".", f.Type)
		}
	}
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
