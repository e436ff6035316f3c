package stix_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// The ids of STIX 2.1 §7.2.1.4, and of markings of our own.
const (
	white      = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
	greenTLP1  = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
	amberTLP1  = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
	redTLP1    = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
	statement  = "marking-definition--aaaaaaaa-0000-4000-8000-000000000001"
	acs        = "marking-definition--aaaaaaaa-0000-4000-8000-000000000002"
	ownAmber   = "marking-definition--aaaaaaaa-0000-4000-8000-000000000003"
	ownStrict  = "marking-definition--aaaaaaaa-0000-4000-8000-000000000004"
	purple     = "marking-definition--aaaaaaaa-0000-4000-8000-000000000005"
	namedRed   = "marking-definition--aaaaaaaa-0000-4000-8000-000000000006"
	namedClear = "marking-definition--aaaaaaaa-0000-4000-8000-000000000007"
	elsewhere  = "marking-definition--aaaaaaaa-0000-4000-8000-000000000009"
)

// shelf is what resolve finds, given the definitions posted.
type shelf map[stix.ID]*stix.Object

func (s shelf) resolve(id stix.ID) (*stix.Object, bool) {
	o, ok := s[id]
	return o, ok
}

// define puts a marking-definition on the shelf.
func (s shelf) define(t testing.TB, id, more string) {
	s[stix.ID(id)] = parse(t, `{"type":"marking-definition","spec_version":"2.1","id":"`+id+`","created":"2026-01-01T00:00:00.000Z",`+more+`}`)
}

func ordinaryShelf(t testing.TB) shelf {
	s := shelf{}
	s.define(t, statement, `"definition_type":"statement","definition":{"statement":"Copyright 2026, a desk"}`)
	s.define(t, acs, `"extensions":{"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce":{"extension_type":"property-extension","identifier":"isa:guide.1"}}`)
	s.define(t, ownAmber, `"definition_type":"tlp","definition":{"tlp":"amber"}`)
	s.define(t, ownStrict, `"definition_type":"statement","definition":{"statement":"custom"},"x_opencti_definition_type":"TLP","x_opencti_definition":"TLP:AMBER+STRICT"`)
	s.define(t, purple, `"definition_type":"tlp","definition":{"tlp":"purple"}`)
	s.define(t, namedRed, `"name":"TLP:RED","definition_type":"statement","definition":{"statement":"no further"}`)
	s.define(t, namedClear, `"name":"TLP:CLEAR","definition_type":"statement","definition":{"statement":"anybody"}`)
	for _, o := range stix.TLPMarkings() {
		s[o.ID()] = o
	}
	return s
}

// marked returns an object with markings.
func marked(t testing.TB, ids ...string) *stix.Object {
	b, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) == 0 {
		return parse(t, identity(""))
	}
	return parse(t, identity(`"object_marking_refs":`+string(b)))
}

func TestTheLabelIsTheStrictestOfIDAndDefinition(t *testing.T) {
	s := ordinaryShelf(t)
	id := func(l stix.TLP) string { return string(l.Marking()) }
	for _, c := range []struct {
		name           string
		markings       []string
		want           stix.TLP
		unknown, other []stix.ID
	}{
		{"no marking", nil, stix.Unmarked, nil, nil},
		{"TLP 2 CLEAR", []string{id(stix.Clear)}, stix.Clear, nil, nil},
		{"TLP 2 GREEN", []string{id(stix.Green)}, stix.Green, nil, nil},
		{"TLP 2 AMBER", []string{id(stix.Amber)}, stix.Amber, nil, nil},
		{"TLP 2 AMBER+STRICT", []string{id(stix.AmberStrict)}, stix.AmberStrict, nil, nil},
		{"TLP 2 RED", []string{id(stix.Red)}, stix.Red, nil, nil},
		{"TLP 1 WHITE", []string{white}, stix.Clear, nil, nil},
		{"TLP 1 GREEN", []string{greenTLP1}, stix.Green, nil, nil},
		{"TLP 1 AMBER", []string{amberTLP1}, stix.Amber, nil, nil},
		{"TLP 1 RED", []string{redTLP1}, stix.Red, nil, nil},
		{"RED written in capitals", []string{"marking-definition--E828B379-4E03-4974-9AC4-E53A884C97C1"}, stix.Red, nil, nil},
		{"OpenCTI's AMBER+STRICT, by id", []string{"marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"}, stix.AmberStrict, nil, nil},
		{"several levels", []string{id(stix.Clear), redTLP1, id(stix.Green)}, stix.Red, nil, nil},
		{"a statement alone", []string{statement}, stix.Unmarked, nil, []stix.ID{statement}},
		{"a statement and GREEN", []string{statement, id(stix.Green)}, stix.Green, nil, []stix.ID{statement}},
		{"ACS", []string{acs}, stix.Unmarked, nil, []stix.ID{acs}},
		{"another id, AMBER by definition", []string{ownAmber}, stix.Amber, nil, nil},
		{"another id, AMBER+STRICT by OpenCTI's properties", []string{ownStrict}, stix.AmberStrict, nil, nil},
		{"nobody knows it", []string{elsewhere, id(stix.Clear)}, stix.Clear, []stix.ID{elsewhere}, nil},
		{"a level that TLP does not have", []string{purple}, stix.Unmarked, []stix.ID{purple}, nil},
		{"RED by name alone", []string{namedRed}, stix.Red, nil, []stix.ID{namedRed}},
		{"CLEAR by name alone", []string{namedClear}, stix.Unmarked, nil, []stix.ID{namedClear}},
		{"CLEAR by name, GREEN by id", []string{namedClear, id(stix.Green)}, stix.Green, nil, []stix.ID{namedClear}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := stix.LabelOf(marked(t, c.markings...), s.resolve)
			if l.TLP != c.want || l.Marked != (c.want != stix.Unmarked) || !slices.Equal(l.Unknown, c.unknown) || !slices.Equal(l.Other, c.other) {
				t.Errorf("%+v, want %v", l, c.want)
			}
		})
	}
}

func TestADefinitionUnderAKnownIDCanTightenAndNeverLoosen(t *testing.T) {
	for _, c := range []struct {
		name, id, definition string
		want                 stix.TLP
	}{
		{"OpenCTI's CLEAR under the id of WHITE", white, `"name":"TLP:CLEAR","definition_type":"tlp","definition":{"tlp":"clear"}`, stix.Clear},
		{"WHITE as it was", white, `"name":"TLP:WHITE","definition_type":"tlp","definition":{"tlp":"white"}`, stix.Clear},
		{"RED redefined as clear", redTLP1, `"definition_type":"tlp","definition":{"tlp":"clear"}`, stix.Red},
		{"RED redefined as a statement", redTLP1, `"definition_type":"statement","definition":{"statement":"public"}`, stix.Red},
		{"RED redefined by TLP 2's extension", string(stix.Red.Marking()), `"extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"clear"}}`, stix.Red},
		{"CLEAR tightened to red", white, `"definition_type":"tlp","definition":{"tlp":"red"}`, stix.Red},
		{"CLEAR tightened by name", white, `"name":"TLP:GREEN","definition_type":"tlp","definition":{"tlp":"white"}`, stix.Green},
		{"two definitions that differ", white, `"definition_type":"tlp","definition":{"tlp":"white"},"extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"amber+strict"}}`, stix.AmberStrict},
		{"CLEAR with a level nobody knows", white, `"definition_type":"tlp","definition":{"tlp":"purple"}`, stix.Clear},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shelf{}
			s.define(t, c.id, c.definition)
			if l := stix.LabelOf(marked(t, c.id), s.resolve); l.TLP != c.want || len(l.Unknown) > 0 {
				t.Errorf("%+v, want %v", l, c.want)
			}
		})
	}
}

func TestGranularMarkingsCountAsTheStrictest(t *testing.T) {
	o := parse(t, identity(`"object_marking_refs":["`+white+`"],"granular_markings":[{"selectors":["name"],"marking_ref":"`+redTLP1+`"},`+
		`{"selectors":["name"],"lang":"ja"},{"selectors":["type"],"marking_ref":"`+statement+`"}]`))
	l := stix.LabelOf(o, ordinaryShelf(t).resolve)
	if l.TLP != stix.Red || !slices.Equal(l.Other, []stix.ID{statement}) || len(l.Unknown) > 0 {
		t.Errorf("%+v", l)
	}
}

func TestMarkingsDeepInsideOnlyTighten(t *testing.T) {
	inside := func(id string) string { return `"x_objects":{"0":{"object_marking_refs":["` + id + `"]}}` }
	for _, c := range []struct {
		more    string
		want    stix.TLP
		unknown int
	}{
		{inside(white), stix.Unmarked, 0},
		{inside(redTLP1), stix.Red, 0},
		{inside(elsewhere), stix.Unmarked, 1},
		{inside(greenTLP1) + `,"object_marking_refs":["` + white + `"]`, stix.Green, 0},
		{inside(white) + `,"object_marking_refs":["` + redTLP1 + `"]`, stix.Red, 0},
	} {
		if l := stix.LabelOf(parse(t, identity(c.more)), nil); l.TLP != c.want || len(l.Unknown) != c.unknown {
			t.Errorf("%s: %+v, want %v", c.more, l, c.want)
		}
	}
}

func TestWithoutAResolverOnlyKnownIDsAreUnderstood(t *testing.T) {
	l := stix.LabelOf(marked(t, statement, redTLP1), nil)
	if l.TLP != stix.Red || !slices.Equal(l.Unknown, []stix.ID{statement}) || l.Other != nil {
		t.Errorf("%+v", l)
	}
}

func TestAMarkingThatIsNoMarkingDefinitionIsUnknown(t *testing.T) {
	s := shelf{elsewhere: parse(t, identity(`"definition_type":"tlp","definition":{"tlp":"clear"}`))}
	if l := stix.LabelOf(marked(t, elsewhere), s.resolve); l.Marked || !slices.Equal(l.Unknown, []stix.ID{elsewhere}) {
		t.Errorf("%+v", l)
	}
}

func TestOneMoreMarkingNeverLoosens(t *testing.T) {
	s := ordinaryShelf(t)
	ids := []string{white, greenTLP1, amberTLP1, redTLP1, statement, acs, ownAmber, ownStrict, purple, namedRed, namedClear, elsewhere}
	rapid.Check(t, func(r *rapid.T) {
		some := rapid.SliceOfDistinct(rapid.SampledFrom(ids), rapid.ID[string]).Draw(r, "markings")
		more := append(slices.Clone(some), rapid.SampledFrom(ids).Draw(r, "one more"))
		before, after := stix.LabelOf(marked(t, some...), s.resolve), stix.LabelOf(marked(t, more...), s.resolve)
		if after.TLP < before.TLP || len(after.Unknown) < len(before.Unknown) {
			r.Fatalf("%+v became %+v", before, after)
		}
	})
}

func TestLevelsAreWrittenInOneForm(t *testing.T) {
	for level := stix.Unmarked; level <= stix.Red; level++ {
		text, err := level.MarshalText()
		var back stix.TLP
		if err != nil || back.UnmarshalText(text) != nil || back != level || string(text) != level.String() {
			t.Errorf("%v became %q and %v (%v)", level, text, back, err)
		}
	}
	var l stix.TLP
	for _, text := range []string{"TLP:WHITE", "tlp:red", "RED", " TLP:RED"} {
		if l.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is accepted as %v", text, l)
		}
	}
	if _, err := stix.TLP(9).MarshalText(); err == nil {
		t.Error("a level that does not exist is written")
	}
}

// TestEveryMarkingIsReadOnce: reading takes time, and a sender chooses how many there are.
func TestEveryMarkingIsReadOnce(t *testing.T) {
	const count = stix.MaxMarkings / 2
	var refs, parts, inside []string
	var want []stix.ID
	for i := range count {
		id := fmt.Sprintf("marking-definition--%08d-2222-4333-8444-555555555555", i)
		want = append(want, stix.ID(id))
		refs = append(refs, `"`+id+`"`)
		parts = append(parts, `{"selectors":["name"],"marking_ref":"`+id+`"}`)
		inside = append(inside, `"x_`+strconv.Itoa(i)+`":{"object_marking_refs":["`+id+`"]}`)
	}
	all := strings.Join(refs, ",")
	o := parse(t, identity(`"object_marking_refs":[`+all+`,`+all+`],"granular_markings":[`+strings.Join(parts, ",")+`],`+strings.Join(inside, ",")))
	asked := 0
	l := stix.LabelOf(o, func(stix.ID) (*stix.Object, bool) { asked++; return nil, false })
	if asked != count || !slices.Equal(l.Unknown, want) {
		t.Errorf("asked %d times for %d markings; %d unknown", asked, count, len(l.Unknown))
	}
}

func TestLevelsAreReadAsPeopleWriteThem(t *testing.T) {
	for in, want := range map[string]stix.TLP{
		"TLP:CLEAR": stix.Clear, "white": stix.Clear, "TLP:White": stix.Clear, "green": stix.Green, " amber ": stix.Amber,
		"tlp:amber+strict": stix.AmberStrict, "RED": stix.Red,
	} {
		if got, err := stix.ParseTLP(in); got != want || err != nil {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "TLP:", "AMBER STRICT", "purple", "TLP:TLP:RED"} {
		if got, err := stix.ParseTLP(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestTheDefinitionsOfTLPMeanWhatTheySay(t *testing.T) {
	all := stix.TLPMarkings()
	if len(all) != 5 {
		t.Fatalf("%d definitions", len(all))
	}
	for i, o := range all {
		want := stix.Clear + stix.TLP(i)
		l := stix.LabelOf(marked(t, string(o.ID())), shelf{o.ID(): o}.resolve)
		if o.ID() != want.Marking() || l.TLP != want || len(o.Findings()) > 0 || !stix.IsTLPDefinition(o) {
			t.Errorf("%s: %+v, want %v, findings %v", o.ID(), l, want, o.Findings())
		}
	}
	if stix.Unmarked.Marking() != "" {
		t.Error("there is a marking for no marking")
	}
}

func TestOnlyADefinitionThatSaysNothingElseIsPublicKnowledge(t *testing.T) {
	for more, want := range map[string]bool{
		`"name":"TLP:CLEAR","definition_type":"tlp","definition":{"tlp":"clear"}`: true,
		`"definition_type":"tlp","definition":{"tlp":"white"}`:                    true,
		`"definition":"secret","extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"clear"}}`: false,
		`"extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"secret","tlp_2_0":"clear"}}`:                                   false,
		`"definition_type":"tlp","definition":{"tlp":"white","note":"secret"}`:                                                                                        false,
		`"definition_type":"tlp","definition":{"tlp":"red"}`:                                                                                                          false,
		`"definition_type":"statement","definition":{"statement":"secret"}`:                                                                                           false,
		`"name":"secret","definition_type":"tlp","definition":{"tlp":"white"}`:                                                                                        false,
		`"x_note":"secret","definition_type":"tlp","definition":{"tlp":"white"}`:                                                                                      false,
		`"extensions":{"x":{}},"definition_type":"tlp","definition":{"tlp":"white"}`:                                                                                  false,
		`"lang":"uk","definition_type":"tlp","definition":{"tlp":"white"}`:                                                                                            false,
		`"object_marking_refs":["` + redTLP1 + `"],"definition_type":"tlp","definition":{"tlp":"white"}`:                                                              false,
	} {
		s := shelf{}
		s.define(t, white, more)
		if got := stix.IsTLPDefinition(s[white]); got != want {
			t.Errorf("%s: %t", more, got)
		}
	}
	if stix.IsTLPDefinition(parse(t, identity(""))) {
		t.Error("an identity is a definition of TLP")
	}
}

func TestRealCampaignsMarkedClearAreClear(t *testing.T) {
	for _, path := range bundles(t, filepath.Join(shared(t), "corpora", "fimi", "viginum")) {
		e, err := stix.ParseEnvelope(readFile(t, path), roomy)
		if err != nil {
			t.Fatal(err)
		}
		s := shelf{}
		for _, item := range e.Objects {
			s[item.Object.ID()] = item.Object
		}
		labels := map[string]int{}
		for _, item := range e.Objects {
			l := stix.LabelOf(item.Object, s.resolve)
			labels[l.TLP.String()]++
			if l.TLP > stix.Clear || len(l.Unknown) > 0 {
				t.Errorf("%s: %+v", item.Object.ID(), l)
			}
		}
		t.Logf("%s: %v", filepath.Base(path), labels)
	}
}

func TestMoreMarkingsThanAnybodyNeedsAreRefused(t *testing.T) {
	list := func(n int, element string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + "]"
	}
	green := `"` + string(stix.Green.Marking()) + `"`
	for _, c := range []struct {
		more    string
		refused bool
	}{
		{`"object_marking_refs":` + list(stix.MaxMarkings, green), false},
		{`"object_marking_refs":` + list(stix.MaxMarkings+1, green), true},
		{`"granular_markings":` + list(stix.MaxMarkings, "{}"), false},
		{`"granular_markings":` + list(stix.MaxMarkings+1, "{}"), true},
		{`"granular_markings":[{"lang":"uk","selectors":` + list(stix.MaxSelectors, `"name"`) + `}]`, false},
		{`"granular_markings":[{"lang":"uk","selectors":` + list(stix.MaxSelectors/2, `"name"`) + `},{"lang":"ja","selectors":` + list(stix.MaxSelectors/2+1, `"name"`) + `}]`, true},
	} {
		_, err := stix.Parse([]byte(identity(c.more)), stix.DefaultLimits())
		var bad *stix.Error
		if refused := errors.As(err, &bad); refused != c.refused || refused && (bad.Code != stix.CodeBadMarking || bad.Pointer == "") {
			t.Errorf("%.60s…: %v", c.more, err)
		}
	}
}

// TestNoPlaceHidesAMarking: a marking that stands where none belongs can only tighten.
func TestNoPlaceHidesAMarking(t *testing.T) {
	red := `"` + string(stix.Red.Marking()) + `"`
	for _, more := range []string{
		`"granular_markings":[{"selectors":["name"],"x":{"marking_ref":` + red + `}}]`,
		`"granular_markings":[{"selectors":["name"],"object_marking_refs":[` + red + `]}]`,
		`"x_y":{"object_marking_refs":[1,` + red + `]}`,
		`"x_y":{"object_marking_refs":[null,` + red + `]}`,
		`"x_y":{"object_marking_refs":[[` + red + `]]}`,
		`"x_y":{"object_marking_refs":{"a":` + red + `}}`,
		`"x_y":{"object_marking_refs":[{"a":[{"b":` + red + `}]}]}`,
		`"x_y":[{"marking_ref":` + red + `}]`,
		`"marking_ref":` + red,
	} {
		o := parse(t, identity(`"object_marking_refs":["`+string(stix.Clear.Marking())+`"],`+more))
		if l := stix.LabelOf(o, nil); l.TLP != stix.Red {
			t.Errorf("%s reads %v", more, l.TLP)
		}
		if alone := stix.LabelOf(parse(t, identity(more)), nil); alone.TLP != stix.Red {
			t.Errorf("%s alone reads %v", more, alone.TLP)
		}
	}
}

func TestANameOfALevelIsReadWithSpaces(t *testing.T) {
	const id = "marking-definition--99999999-2222-4333-8444-555555555555"
	for _, name := range []string{"TLP:RED", " TLP:RED", "TLP: RED", "tlp :red "} {
		definition := parse(t, `{"type":"marking-definition","spec_version":"2.1","id":"`+id+`","created":"2026-01-01T00:00:00.000Z","name":"`+name+`","definition_type":"tlp","definition":{"tlp":"clear"}}`)
		o := parse(t, identity(`"object_marking_refs":["`+id+`"]`))
		if l := stix.LabelOf(o, func(stix.ID) (*stix.Object, bool) { return definition, true }); l.TLP != stix.Red {
			t.Errorf("%q reads %v", name, l.TLP)
		}
	}
}
