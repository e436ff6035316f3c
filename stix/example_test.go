package stix_test

import (
	"fmt"

	"github.com/liaison-office/liaison/stix"
)

func ExampleParse() {
	o, err := stix.Parse([]byte(`{
		"type": "note", "spec_version": "2.1", "id": "note--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f",
		"created": "2026-03-02T10:00:00.000Z", "modified": "2026-03-01T10:00:00.000Z",
		"content": "seen again", "object_refs": ["url--0c8b5e2f-1a3d-4b6c-8d9e-7f6a5b4c3d2e"], "x_count": 1.0
	}`), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	count, _ := o.Property("x_count")
	fmt.Println(o.Type(), "as of", o.Version(), "refers to", o.Refs()[0], "with", count)
	for _, f := range o.Findings() {
		fmt.Println(f.Level, f.Pointer, f.Message)
	}
	// Output:
	// note as of 2026-03-01T10:00:00.000Z refers to url--0c8b5e2f-1a3d-4b6c-8d9e-7f6a5b4c3d2e with 1.0
	// must /modified modified is the same as created or later
	// should /x_count STIX 2.1 has no such property, and no extension in the object defines it
}

func ExampleLabelOf() {
	o, err := stix.Parse([]byte(`{
		"type": "url", "id": "url--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f", "value": "https://example.org/",
		"object_marking_refs": [
			"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
			"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
		]
	}`), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stix.LabelOf(o, nil).TLP) // WHITE of TLP 1 and AMBER of TLP 2
	// Output: TLP:AMBER
}

func ExampleCompareInstants() {
	order, err := stix.CompareInstants("2026-01-01T09:00:00.10+09:00", "2026-01-01T00:00:00.1Z")
	fmt.Println(order, err)
	// Output: 0 <nil>
}

func ExampleCanonical() {
	jcs, err := stix.Canonical([]byte(`{"b": 1.0, "a": 9007199254740993}`))
	fmt.Println(string(jcs), err)
	// Output: {"a":9007199254740993,"b":1} <nil>
}

func ExampleSCOID() {
	fmt.Println(stix.SCOID("url", []byte(`{"value":"https://example.org/"}`)))
	// Output: url--7a67ad68-c296-5b45-877a-901c4725ccff
}
