package stix_test

import (
	"fmt"

	"github.com/liaison-office/liaison/stix"
)

func ExampleAsIndicator() {
	o, err := stix.Parse([]byte(`{
		"type": "indicator", "spec_version": "2.1", "id": "indicator--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f",
		"created": "2026-03-01T10:00:00.000Z", "modified": "2026-03-01T10:00:00.000Z",
		"pattern": "[domain-name:value = 'mirror.example']", "pattern_type": "stix", "valid_from": "2026-03-01T00:00:00Z",
		"indicator_types": ["malicious-activity"], "confidence": 0,
		"kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": "resource-development"}],
		"external_references": [{"source_name": "acme", "external_id": "A-17"}]
	}`), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	indicator, ok := stix.AsIndicator(o)
	if !ok {
		fmt.Println(o.Type(), "is no indicator")
		return
	}
	fmt.Println(indicator.PatternType(), indicator.Pattern(), "from", indicator.ValidFrom())
	for phase := range indicator.KillChainPhases() {
		fmt.Println(phase.KillChainName(), phase.PhaseName())
	}
	for reference := range indicator.ExternalReferences() { // a common property: o has it too
		fmt.Println(reference.SourceName(), reference.ExternalID(), reference.Has("url"))
	}
	fmt.Println(indicator.Confidence(), indicator.Has("confidence"), indicator.ValidUntil() == "", indicator.Has("valid_until"))
	// Output:
	// stix [domain-name:value = 'mirror.example'] from 2026-03-01T00:00:00Z
	// mitre-attack resource-development
	// acme A-17 false
	// 0 true true false
}

func ExampleAsWindowsPEBinaryExt() {
	o, err := stix.Parse([]byte(`{
		"type": "file", "id": "file--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f", "size": 4096,
		"hashes": {"MD5": "0cc175b9c0f1b6a831c399e269772661", "SHA-1": "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"},
		"extensions": {"windows-pebinary-ext": {
			"pe_type": "dll", "number_of_symbols": 7,
			"optional_header": {"magic_hex": "0b01"},
			"sections": [{"name": ".text", "entropy": 6.2}, {"name": ".rsrc", "entropy": 7.9}]
		}}
	}`), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	file, _ := stix.AsFile(o)
	for algorithm, hash := range file.Hashes() {
		fmt.Println(algorithm, hash)
	}
	pe, ok := stix.AsWindowsPEBinaryExt(o)
	fmt.Println(ok, pe.PEType(), pe.NumberOfSymbols(), pe.OptionalHeader().MagicHex())
	for section := range pe.Sections() {
		fmt.Println(section.Name(), section.Entropy())
	}
	// Output:
	// MD5 0cc175b9c0f1b6a831c399e269772661
	// SHA-1 86f7e437faa5a7fce15d1ddcb9eaeaea377667b8
	// true dll 7 0b01
	// .text 6.2
	// .rsrc 7.9
}

// Software has a version of its own, beside the version that every object has.
func ExampleAsSoftware() {
	o, err := stix.Parse([]byte(`{
		"type": "software", "id": "software--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f", "name": "Word", "vendor": "Microsoft", "version": "2002"
	}`), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	software, _ := stix.AsSoftware(o)
	fmt.Printf("%s %s %s, version of the object: %q\n", software.Vendor(), software.Name(), software.VersionProperty(), software.Version())
	// Output: Microsoft Word 2002, version of the object: ""
}

func ExampleTypes() {
	for t := range stix.Types() {
		for _, p := range t.Properties {
			if p.Kind == stix.Float {
				fmt.Println(t.Name, t.Section, p.Name, p.Min, p.Max)
			}
		}
	}
	// Output:
	// location §4.10 latitude -90 90
	// location §4.10 longitude -180 180
	// location §4.10 precision 0 0
	// windows-pe-section-type §6.7.6 entropy 0 0
}
