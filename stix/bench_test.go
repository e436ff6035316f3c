package stix_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// indicator returns an object of about 700 bytes, the n-th of its kind.
func indicator(n int) []byte {
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-7c1d-4b52-9f0a-1a2b3c4d5e6f",`+
		`"created_by_ref":"identity--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b","created":"2026-03-01T09:%02d:12.345Z",`+
		`"modified":"2026-03-02T10:00:00.000Z","name":"Mirror site no. %d of a known network","description":"The page copies the layout of a `+
		`regional newspaper and replaces its leading article. First seen by an analyst of the desk; registered two days earlier.",`+
		`"indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'mirror-%d.example']","pattern_type":"stix",`+
		`"valid_from":"2026-03-01T00:00:00Z","labels":["mirror","press"],"confidence":70,`+
		`"object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}`, n, n%60, n, n)
}

func BenchmarkParse(b *testing.B) {
	const count = 1000
	var objects [][]byte
	size := 0
	for n := range count {
		objects = append(objects, indicator(n))
		size += len(objects[n])
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, object := range objects {
			if _, err := stix.Parse(object, stix.DefaultLimits()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)*count/b.Elapsed().Seconds(), "objects/s")
}

func BenchmarkParseEnvelope(b *testing.B) {
	var objects []*stix.Object
	for n := range 1000 {
		o, err := stix.Parse(indicator(n), stix.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		objects = append(objects, o)
	}
	body := stix.BuildEnvelope(objects, false, "")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		e, err := stix.ParseEnvelope(body, stix.DefaultLimits())
		if err != nil || e.Objects[0].Err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCanonical(b *testing.B) {
	object := indicator(1)
	b.SetBytes(int64(len(object)))
	for b.Loop() {
		if _, err := stix.Canonical(object); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLabelOf(b *testing.B) {
	o, err := stix.Parse(indicator(1), stix.DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		stix.LabelOf(o, nil)
	}
}

func BenchmarkParseAndValidate(b *testing.B) {
	const count = 1000
	var objects [][]byte
	size := 0
	for n := range count {
		objects = append(objects, indicator(n))
		size += len(objects[n])
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, object := range objects {
			o, err := stix.Parse(object, stix.DefaultLimits())
			if err != nil {
				b.Fatal(err)
			}
			if f := o.Findings(); len(f) > 0 {
				b.Fatal(f)
			}
		}
	}
	b.ReportMetric(float64(b.N)*count/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkRealObjects parses and validates ATT&CK for mobile, where it is at hand.
func BenchmarkRealObjects(b *testing.B) {
	body := readFile(b, filepath.Join(shared(b), "corpora", "attack", "mobile-attack-17.1.json.gz"))
	e, err := stix.ParseEnvelope(body, roomy)
	if err != nil {
		b.Fatal(err)
	}
	size := 0
	for _, item := range e.Objects {
		size += len(item.Raw)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	findings := 0
	for b.Loop() {
		for _, item := range e.Objects {
			o, err := stix.Parse(item.Raw, stix.DefaultLimits())
			if err != nil {
				b.Fatal(err)
			}
			findings += len(o.Findings())
		}
	}
	b.ReportMetric(float64(b.N*len(e.Objects))/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric(float64(findings)/float64(b.N*len(e.Objects)), "findings/object")
}
