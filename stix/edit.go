package stix

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// A Change is what becomes of one top-level member: it gets Value, which is JSON, or it
// goes away if Value is empty or null. STIX writes no null: what has no value is left out.
type Change struct {
	Name  string
	Value jsontext.Value
}

func (c Change) removes() bool {
	v := bytes.Trim(c.Value, " \t\r\n")
	return len(v) == 0 || string(v) == "null"
}

// Edit returns o with the changes made. Every byte of what is not changed stays, in its
// place; new members come last, in the order given. It returns o itself if nothing changes.
//
// Edit knows nothing of versions: [NewVersion] does. The result is parsed like anything
// else, and an error that is an [*Error] says why it would be no acceptable object. Edit
// sets no limit of size: whoever accepts the result judges it under [Limits] of its own.
func Edit(o *Object, changes ...Change) (*Object, error) {
	if err := checkChanges(changes); err != nil {
		return nil, fmt.Errorf("edit %s: %w", o.id, err)
	}
	b := o.spliced(changes)
	if bytes.Equal(b, o.raw) {
		return o, nil
	}
	edited, err := Parse(b, Limits{ObjectBytes: len(b), Depth: maxSkipDepth})
	if err != nil {
		return nil, fmt.Errorf("edit %s: %w", o.id, err)
	}
	return edited, nil
}

// checkChanges wants each name once and each value to be one JSON value, so that nothing
// can slip in between the members.
func checkChanges(changes []Change) error {
	seen := make(map[string]bool, len(changes))
	for _, c := range changes {
		at := "/" + pointerToken(c.Name)
		if seen[c.Name] {
			return fmt.Errorf("%s: changed twice", at)
		}
		seen[c.Name] = true
		if _, err := jsontext.AppendQuote(nil, c.Name); err != nil {
			return fmt.Errorf("%s: name: %w", at, err)
		}
		if !c.removes() && !c.Value.IsValid() {
			return fmt.Errorf("%s: value is not one JSON value with names once each", at)
		}
	}
	return nil
}

// spliced returns the bytes of o with the changes made.
func (o *Object) spliced(changes []Change) []byte {
	size := len(o.raw)
	byName := make(map[string]Change, len(changes))
	for _, c := range changes {
		size += len(c.Name) + len(c.Value) + len(`,"":`)
		byName[c.Name] = c
	}
	b := append(make([]byte, 0, size), '{')
	for _, m := range o.members {
		c, changed := byName[string(m.in(o.raw))]
		if changed {
			delete(byName, c.Name) // it is no new member
		}
		switch {
		case !changed:
			b = append(comma(b, len(b) > 1), o.raw[m.span.start-1:m.value.end]...)
		case !c.removes():
			b = append(comma(b, len(b) > 1), o.raw[m.span.start-1:m.value.start]...)
			b = append(b, c.Value...)
		}
	}
	for _, c := range changes {
		if _, fresh := byName[c.Name]; !fresh || c.removes() {
			continue
		}
		b = append(comma(b, len(b) > 1), quoted(c.Name)...)
		b = append(append(b, ':'), c.Value...)
	}
	return append(b, '}')
}

func changeOf(changes []Change, name string) (Change, bool) {
	for _, c := range changes {
		if c.Name == name {
			return c, true
		}
	}
	return Change{}, false
}
