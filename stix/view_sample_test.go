package stix_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// sample makes a value for a property: one that no other property of the object has, where
// its kind has so many.
func sample(p *stix.Property, n int) any {
	one := func(i int) any {
		switch p.Kind {
		case stix.Boolean:
			return true
		case stix.Integer:
			return n<<45 + i - 2
		case stix.Float:
			return float64(n) + 0.25
		case stix.Timestamp:
			return fmt.Sprintf("2026-03-01T09:%02d:00.%dZ", n, i)
		case stix.Identifier:
			return fmt.Sprintf("identity--%08x-7c1d-4b52-9f0a-1a2b3c4d5e6f", 100*n+i)
		case stix.Hashes:
			return map[string]any{"MD5": fmt.Sprint(n), "SHA-256": "ab"}
		case stix.Dictionary, stix.Container:
			return map[string]any{"a": n, "b c": "x", "é": []any{p.Name}}
		case stix.Structure:
			return sampleOf(p.Of)
		}
		return fmt.Sprintf("%s %d \"é\"\\", p.Name, i)
	}
	if p.List {
		return []any{one(0), one(1), one(2)}
	}
	return one(0)
}

// sampleOf makes a JSON object with every property of a type.
func sampleOf(typ *stix.Type) map[string]any {
	o := map[string]any{}
	for i, p := range typ.Properties {
		if p.Kind != stix.Reserved && p.Kind != stix.Extensions {
			o[p.Name] = sample(&p, i)
		}
	}
	if typ.Category != stix.Part {
		marking := "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
		o["type"], o["id"] = typ.Name, typ.Name+"--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b"
		o["object_marking_refs"] = []any{marking}
		o["granular_markings"] = []any{map[string]any{"lang": "uk", "marking_ref": marking, "selectors": []any{"name", "labels.[0]"}}}
		o["extensions"] = sampleExtensions()
	}
	return o
}

// sampleExtensions has every predefined extension, and one that is not.
func sampleExtensions() map[string]any {
	all := map[string]any{"extension-definition--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b": map[string]any{"extension_type": "property-extension"}}
	for typ := range stix.Types() {
		if typ.Category == stix.Part && viewOf[typ.Name] != nil {
			all[typ.Name] = sampleOf(typ)
		}
	}
	return all
}

func parseMap(t *testing.T, o map[string]any) *stix.Object {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	object, err := stix.Parse(b, stix.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", o["type"], err)
	}
	return object
}
