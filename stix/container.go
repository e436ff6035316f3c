package stix

import "fmt"

// container checks the deprecated dictionary of observables in observed-data (§2.13).
// Inside, references are names of the same dictionary.
func (v *validator) container(i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "an object of cyber-observable objects")
	}
	if v.raw[i+1] == '}' {
		v.here(FindEmptyDict, "§2.13", "the dictionary has at least one object")
		return i + 2
	}
	v.here(FindDeprecated, "§4.14", "objects is deprecated: expected object_refs")
	local := map[string]bool{}
	for key := range objectMembers(v.raw[i:valueEnd(v.raw, i)]) {
		local[key] = true
	}
	return v.each(i, func(_ []byte, i int) int { return v.contained(local, i) })
}

// contained checks one object of a container: it is a cyber-observable object whose
// references are resolved inside.
func (v *validator) contained(local map[string]bool, i int) int {
	if v.raw[i] != '{' {
		return v.wrongKind(i, "a cyber-observable object")
	}
	end := valueEnd(v.raw, i)
	body := v.raw[i:end]
	typ := stringAt(body, "type")
	t := typesByName[typ]
	switch {
	case typ == "":
		v.find(FindMissing, "type", "§2.13", "type is required, and missing")
		return end
	case t == nil:
		return end
	case t.Category != SCO:
		v.find(FindRefType, "type", "§2.13", "expected the type of a cyber-observable object, found "+quoteShort(typ))
		return end
	}
	for name, value := range objectMembers(body) {
		if p := t.Property(name); p != nil && p.Kind == Identifier {
			v.localRefs(local, p, name, value)
		}
	}
	return end
}

// localRefs wants every reference to name an object of the container.
func (v *validator) localRefs(local map[string]bool, p *Property, name string, value []byte) {
	check := func(ref []byte) {
		key, ok := stringOf(ref)
		if ok && !local[key] && idFault(key) != "" {
			v.find(FindRef, name, "§2.13", fmt.Sprintf("no object of this container is called %s", quoteShort(key)))
		}
	}
	if !p.List {
		check(value)
		return
	}
	for _, ref := range arrayElements(value) {
		check(ref)
	}
}
