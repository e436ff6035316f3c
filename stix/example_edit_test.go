package stix_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

// campaign is an object as somebody else wrote it.
func campaign() *stix.Object {
	o, err := stix.Parse([]byte(`{
		"type": "campaign", "spec_version": "2.1", "id": "campaign--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f",
		"created": "2026-03-01T10:00:00.000Z", "modified": "2026-03-01T10:00:00.000Z",
		"name": "Mirror pages", "x_score": 1.0, "aliases": ["Mirrors", "Doubles"]
	}`), stix.DefaultLimits())
	if err != nil {
		panic(err)
	}
	return o
}

var march = time.Date(2026, 3, 5, 9, 30, 0, 0, time.UTC)

const (
	green = stix.ID("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb")
	amber = stix.ID("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421")
)

func ExampleEdit() {
	o, err := stix.Edit(campaign(),
		stix.Change{Name: "name", Value: jsontext.Value(`"Mirror sites"`)},
		stix.Change{Name: "aliases"}, // goes away
		stix.Change{Name: "confidence", Value: jsontext.Value("80")})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, rest, _ := strings.Cut(string(o.Bytes()), `"modified"`)
	fmt.Println(rest)
	// Output: :"2026-03-01T10:00:00.000Z","name":"Mirror sites","x_score":1.0,"confidence":80}
}

func ExampleNewVersion() {
	first := campaign()
	second, err := stix.NewVersion(first, march, stix.Change{Name: "name", Value: jsontext.Value(`"Mirror sites"`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	late := march.Add(-time.Hour) // a clock that is behind
	third, err := stix.NewVersion(second, late)
	fmt.Println(first.Version(), second.Version(), third.Version(), err)

	_, err = stix.NewVersion(first, march, stix.Change{Name: "created_by_ref", Value: jsontext.Value(`"identity--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f"`)})
	fmt.Println(errors.Is(err, stix.ErrUnmodifiable))
	// Output:
	// 2026-03-01T10:00:00.000Z 2026-03-05T09:30:00.000Z 2026-03-05T09:30:00.001Z <nil>
	// true
}

func ExampleRevoke() {
	revoked, err := stix.Revoke(campaign(), march)
	fmt.Println(revoked.Revoked(), revoked.Version(), err)
	_, err = stix.NewVersion(revoked, march.Add(time.Hour))
	fmt.Println(err)
	// Output:
	// true 2026-03-05T09:30:00.000Z <nil>
	// new version of campaign--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f: object is revoked
}

func ExampleDeterministicSCOID() {
	o, err := stix.Parse([]byte(`{"type": "file", "id": "file--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f", "size": 25536,
		"name": "foo.dll", "hashes": {"SHA-256": "fe90a7e910cb3a4739bed9180e807e93fa70c90f25a8915476f5e4bfbac681db"}}`), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stix.DeterministicSCOID(o))
	fmt.Println(stix.CheckSCOID(o) == stix.SCOIDDiffers)
	// Output:
	// file--949eb97a-da1e-5292-8959-03c4249dc9f3 true
	// true
}

func ExampleSelect() {
	for _, selector := range []string{"aliases.[1]", "aliases", "aliases.[2]", "name.first"} {
		if v, ok := stix.Select(campaign(), selector); ok {
			fmt.Println(selector, "is", v)
		} else {
			fmt.Println(selector, "names nothing")
		}
	}
	// Output:
	// aliases.[1] is "Doubles"
	// aliases is ["Mirrors","Doubles"]
	// aliases.[2] names nothing
	// name.first names nothing
}

func ExampleMissingSelectors() {
	fmt.Println(stix.MissingSelectors(campaign(), []string{"name", "aliases.[7]", "aliases.[0]", "title"}))
	// Output: [aliases.[7] title]
}

func ExampleAddMarkings() {
	o, err := stix.AddMarkings(campaign(), march, green)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stix.LabelOf(o, nil).TLP, "since", o.Version())
	same, err := stix.AddMarkings(o, march.Add(time.Hour), green)
	fmt.Println(same == o, err)
	// Output:
	// TLP:GREEN since 2026-03-05T09:30:00.000Z
	// true <nil>
}

func ExampleAddGranular() {
	o, err := stix.AddGranular(campaign(), march, []string{"name", "aliases.[0]"}, stix.Mark{Ref: amber}, stix.Mark{Lang: "en"})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, _ := o.Property("granular_markings")
	fmt.Println(v)
	// Output: [{"marking_ref":"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421","selectors":["aliases.[0]","name"]},{"lang":"en","selectors":["aliases.[0]","name"]}]
}

func ExampleGranularMarks() {
	o, err := stix.AddGranular(campaign(), march, []string{"aliases"}, stix.Mark{Ref: amber})
	if err != nil {
		fmt.Println(err)
		return
	}
	alone, _ := stix.GranularMarks(o, []string{"aliases.[0]"}, stix.Reach{})
	inherited, _ := stix.GranularMarks(o, []string{"aliases.[0]"}, stix.Reach{Inherited: true})
	_, err = stix.GranularMarks(o, []string{"title"}, stix.Reach{})
	fmt.Println(len(alone), inherited[0].Ref == amber, errors.Is(err, stix.ErrInvalidSelector))
	// Output: 0 true true
}

func ExampleClearGranular() {
	o, err := stix.AddGranular(campaign(), march, []string{"name"}, stix.Mark{Ref: amber}, stix.Mark{Lang: "en"})
	if err != nil {
		fmt.Println(err)
		return
	}
	o, err = stix.ClearGranular(o, march, []string{"name"}, stix.LangMark)
	if err != nil {
		fmt.Println(err)
		return
	}
	left, err := stix.IsMarked(o, []string{"name"}, stix.Reach{}, stix.Mark{Ref: amber})
	fmt.Println(left, err)
	_, err = stix.RemoveGranular(o, march, []string{"name"}, stix.Mark{Ref: green})
	fmt.Println(errors.Is(err, stix.ErrMarkingNotFound))
	// Output:
	// true <nil>
	// true
}
