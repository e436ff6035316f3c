package stix_test

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

// A world20 is a bundle of STIX 2.0 with every type that changed, invented.
const world20 = `{"type":"bundle","id":"bundle--` + uuid + `","spec_version":"2.0","objects":[
{"type":"identity","id":"identity--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","name":"Desk","identity_class":"organization","labels":["Doctors","press"],"sectors":["government-national"]},
{"type":"indicator","id":"indicator--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","labels":["press","malicious-activity","mirror","benign"],"pattern":"[file:created < t'2017-01-01T00:00:00Z']","valid_from":"2017-01-01T00:00:00Z",
 "granular_markings":[{"selectors":["labels.[3]","pattern","labels.[2]"],"marking_ref":"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"},{"marking_ref":"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82","selectors":["labels"]}]},
{"type":"malware","id":"malware--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","name":"Gamma","labels":["trojan"],"x_family_of":7},
{"type":"malware","id":"malware--1f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","name":"Delta","labels":["strange"],"is_family":false},
{"type":"threat-actor","id":"threat-actor--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","name":"Crew","labels":["spy"],"roles":["agent"]},
{"type":"tool","id":"tool--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","name":"Probe","labels":["remote-access"]},
{"type":"report","id":"report--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","name":"Week","published":"2017-01-01T00:00:00Z","labels":["campaign","weekly"],"object_refs":["malware--` + uuid + `"]},
{"type":"marking-definition","id":"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed","created":"2017-01-20T00:00:00.000Z","definition_type":"tlp","definition":{"tlp":"red"}},
{"type":"relationship","id":"relationship--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","relationship_type":"uses","source_ref":"threat-actor--` + uuid + `","target_ref":"malware--` + uuid + `"},
{"type":"x-custom","id":"x-custom--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","x_v":[1,2.50]},
{"type":"observed-data","id":"observed-data--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z","first_observed":"2017-01-01T00:00:00Z","last_observed":"2017-01-01T00:00:00Z","number_observed":3,
 "object_marking_refs":["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
 "objects":{
 "0":{"type":"file","name":"a.exe","created":"2017-01-01T00:00:00Z","accessed":"2017-01-02T00:00:00Z","is_encrypted":false,"hashes":{"ssdeep":"3:abc:def"},"parent_directory_ref":"1","extensions":{"archive-ext":{"contains_refs":["5"],"version":"2"}}},
 "1":{"type":"directory","path":"C:\\Temp","contains_refs":["0"]},
 "2":{"type":"process","pid":77,"name":"a","created":"2017-01-03T00:00:00Z","binary_ref":"0","parent_ref":"3","arguments":["-x"]},
 "3":{"type":"process","pid":78,"child_refs":["2"]},
 "4":{"type":"email-message","is_multipart":false,"from_ref":"6","subject":"Hello","additional_header_fields":{"X-Mailer":"m","Reply-To":["a","b"]}},
 "5":{"type":"file","name":"b.txt"},
 "6":{"type":"email-addr","value":"jane@example.com"},
 "7":{"type":"network-traffic","dst_ref":"8","protocols":["tcp","http"],"extensions":{"http-request-ext":{"request_method":"get","request_value":"/","request_header":{"Host":"example.com"}}}},
 "8":{"type":"ipv4-addr","value":"198.51.100.7"},
 "9":{"type":"user-account","user_id":"7","password_last_changed":"2017-01-01T00:00:00Z"},
 "10":{"type":"windows-registry-key","key":"HKEY_LOCAL_MACHINE\\System","modified":"2017-01-01T00:00:00Z"}
 }}
]}`

// objectsOf reads the objects of a bundle that a test relies on.
func objectsOf(t testing.TB, body []byte) (objects []*stix.Object) {
	t.Helper()
	e, err := stix.ParseEnvelope(body, roomy)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range e.Objects {
		if item.Err != nil {
			t.Fatal(item.Err)
		}
		objects = append(objects, item.Object)
	}
	return objects
}

// leaves counts the strings, numbers and literals of objects, but for local references in
// observed-data and spec_version, which have no meaning of their own.
func leaves(t testing.TB, objects []*stix.Object) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, o := range objects {
		d := jsontext.NewDecoder(bytes.NewReader(o.Bytes()))
		for d.PeekKind() > 0 {
			token, err := d.ReadToken()
			if err != nil {
				t.Fatal(err)
			}
			kind, n := d.StackIndex(d.StackDepth())
			pointer := string(d.StackPointer())
			if strings.ContainsRune(`{}[]`, rune(token.Kind())) || kind == '{' && n%2 == 1 || pointer == "/spec_version" ||
				strings.HasPrefix(pointer, "/objects/") && strings.Contains(pointer, "_ref") {
				continue
			}
			all[token.String()]++
		}
	}
	return all
}

// lost returns what is in before more often than in after.
func lost(t testing.TB, before, after []*stix.Object) (values []string) {
	there := leaves(t, after)
	for value, n := range leaves(t, before) {
		if there[value] < n {
			values = append(values, value)
		}
	}
	return values
}

func upgraded(t testing.TB, objects []*stix.Object) ([]*stix.Object, []stix.UpgradeNote) {
	t.Helper()
	after, notes, err := stix.Upgrade(objects)
	if err != nil {
		t.Fatal(err)
	}
	return after, notes
}

func TestAnUpgradeLosesNoValueAndLeavesNothingThatBreaksSTIX21(t *testing.T) {
	before := objectsOf(t, []byte(world20))
	after, notes := upgraded(t, before)
	// Selectors follow their labels, and markers of places are no values.
	for _, value := range lost(t, before, after) {
		if !strings.HasPrefix(value, "labels") {
			t.Errorf("lost: %s", value)
		}
	}
	for _, o := range after {
		for _, f := range o.Findings() {
			if f.Level == stix.Must {
				t.Errorf("%s: %s %s: %s", o.ID(), f.Code, f.Pointer, f.Message)
			}
		}
		if o.SpecVersion() != "2.1" {
			t.Errorf("%s is of %q", o.ID(), o.SpecVersion())
		}
	}
	if len(after) != len(before)+11 {
		t.Errorf("%d objects became %d", len(before), len(after))
	}
	for _, n := range notes {
		t.Log(n)
	}
}

// property returns a property of the upgraded object with an id.
func property(after []*stix.Object, id stix.ID, name string) string {
	for _, o := range after {
		if o.ID() == id {
			v, _ := o.Property(name)
			return string(v)
		}
	}
	return "no such object"
}

func TestWhatAnUpgradeChanges(t *testing.T) {
	after, _ := upgraded(t, objectsOf(t, []byte(world20)))
	for _, c := range []struct{ typ, name, want string }{
		{"identity", "roles", `["Doctors","press"]`},
		{"identity", "labels", ``},
		{"identity", "sectors", `["government-national"]`},
		{"indicator", "indicator_types", `["malicious-activity","benign"]`},
		{"indicator", "labels", `["press","mirror"]`},
		{"indicator", "pattern_type", `"stix"`},
		{"indicator", "pattern_version", `"2.0"`},
		{"indicator", "modified", `"2017-01-01T00:00:00.000Z"`},
		{"indicator", "granular_markings", `[{"selectors":["indicator_types.[1]","pattern","labels.[1]"],"marking_ref":"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"},` +
			`{"marking_ref":"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82","selectors":["indicator_types","labels"]}]`},
		{"malware", "malware_types", `["trojan"]`},
		{"malware", "is_family", `true`},
		{"malware", "x_family_of", `7`},
		{"threat-actor", "threat_actor_types", `["spy"]`},
		{"threat-actor", "roles", `["agent"]`},
		{"tool", "tool_types", `["remote-access"]`},
		{"report", "report_types", `["campaign"]`},
		{"report", "labels", `["weekly"]`},
		{"x-custom", "x_v", `[1,2.50]`},
		{"observed-data", "objects", ``},
	} {
		if got := property(after, stix.ID(c.typ+"--"+uuid), c.name); got != c.want {
			t.Errorf("%s of %s is %s, want %s", c.name, c.typ, got, c.want)
		}
	}
	if got := property(after, "malware--1f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f", "is_family"); got != "false" {
		t.Errorf("is_family that was there became %s", got)
	}
}

func TestObservablesOfAnUpgradeFollowTheRulesOfIDs(t *testing.T) {
	before := objectsOf(t, []byte(world20))
	after, _ := upgraded(t, before)
	again, _ := upgraded(t, before)
	byType := map[string]*stix.Object{}
	for i, o := range after {
		if !bytes.Equal(o.Bytes(), again[i].Bytes()) {
			t.Errorf("%s differs the second time", o.ID())
		}
		if !o.IsSCO() {
			continue
		}
		byType[o.Type()] = o
		if v := stix.CheckSCOID(o); v != stix.SCOIDFollows {
			t.Errorf("%s: verdict %d", o.ID(), v)
		}
		if stix.LabelOf(o, nil).TLP != stix.Amber {
			t.Errorf("%s is not marked like the observed-data it was in", o.ID())
		}
	}
	c := stix.ClosureOf(after, "observed-data--"+uuid)
	if len(c.Objects) != 12 || len(c.Missing) != 0 {
		t.Errorf("observed-data reaches %d objects, missing %v", len(c.Objects), c.Missing)
	}
	for _, w := range []struct{ typ, name, want string }{
		{"directory", "path", `"C:\\Temp"`},
		{"network-traffic", "dst_ref", `"` + string(byType["ipv4-addr"].ID()) + `"`},
		{"email-message", "additional_header_fields", `{"X-Mailer":["m"],"Reply-To":["a","b"]}`},
		{"user-account", "credential_last_changed", `"2017-01-01T00:00:00Z"`},
		{"windows-registry-key", "modified_time", `"2017-01-01T00:00:00Z"`},
	} {
		if v, _ := byType[w.typ].Property(w.name); string(v) != w.want {
			t.Errorf("%s of %s is %s, want %s", w.name, w.typ, v, w.want)
		}
	}
}

func TestObservablesThatCannotLeaveTheirContainerStayAsTheyAre(t *testing.T) {
	form := `{"type":"observed-data","id":"observed-data--%s","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z",` +
		`"first_observed":"2017-01-01T00:00:00Z","last_observed":"2017-01-01T00:00:00Z","number_observed":1,"objects":%s%s}`
	const red = `"marking_ref":"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"`
	for _, c := range []struct{ objects, more, why string }{
		{`{"0":{"type":"x-thing","x_v":1}}`, ``, `"0" is of type "x-thing", which STIX 2.1 does not have`},
		{`{"0":{"type":"file","name":"a","parent_directory_ref":"7"}}`, ``, `parent_directory_ref refers to "7", which is not there`},
		{`{"0":{"type":"file","name":"a","extensions":{"archive-ext":{"contains_refs":["0"]}}}}`, ``, "its id would depend on itself"},
		{`{"0":{"type":"file","name":"a"},"1":{"type":"file","name":"a","size":3}}`, ``, "and other contents"},
		{`{"0":{"type":"file","name":"a","created":"2017-01-01T00:00:00Z","ctime":"2017-01-01T00:00:00Z"}}`, ``, "has both created and ctime"},
		{`{"0":{"type":"file","name":"a","id":"7"}}`, ``, "has id"},
		{`{"0":{"type":"process","name":"a"}}`, ``, "would break STIX 2.1"},
		{`{}`, ``, "it holds nothing"},
		{`[]`, ``, "it holds nothing"},
		{`{"0":7}`, ``, "is of type"},
		{`{"0":{"type":"file","name":"a"}}`, `,"granular_markings":[{"selectors":["objects.0.name"],` + red + `}]`, "granular markings mark parts of it"},
		{`{"0":{"type":"file","name":"a"}}`, `,"object_refs":["file--` + uuid + `"]`, "object_refs is there already"},
	} {
		o := parse(t, fmt.Sprintf(form, uuid, c.objects, c.more))
		after, notes := upgraded(t, []*stix.Object{o})
		if len(after) != 1 || property(after, o.ID(), "objects") != c.objects {
			t.Errorf("%s became %s", c.objects, after[0].Bytes())
		}
		if last := notes[len(notes)-1].Text; !strings.HasPrefix(last, "stays: ") || !strings.Contains(last, c.why) {
			t.Errorf("%s: %s, want %q", c.objects, last, c.why)
		}
	}
}

func TestObservablesSeenTwiceAreOneObjectIfTheyAreTheSame(t *testing.T) {
	form := `{"type":"observed-data","id":"observed-data--%s","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z",` +
		`"first_observed":"2017-01-01T00:00:00Z","last_observed":"2017-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":"url","value":"https://example.org/"%s}}%s}`
	const other = "1f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f"
	const red = `,"object_marking_refs":["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]`
	first := parse(t, fmt.Sprintf(form, uuid, "", ""))
	for _, c := range []struct {
		second string
		want   int
	}{
		{fmt.Sprintf(form, other, "", ""), 3},
		{fmt.Sprintf(form, other, `,"x_v":1`, ""), 3}, // the second keeps its container
		{fmt.Sprintf(form, other, "", red), 3},        // nor does a mark come off
	} {
		after, _ := upgraded(t, []*stix.Object{first, parse(t, c.second)})
		if len(after) != c.want {
			t.Errorf("%s: %d objects", c.second, len(after))
		}
		kept := property(after, "observed-data--"+other, "objects") != ""
		if same := c.second == fmt.Sprintf(form, other, "", ""); kept == same {
			t.Errorf("%s: container kept: %v", c.second, kept)
		}
	}
}

func TestObjectsOfSTIX21AreNotTouched(t *testing.T) {
	in := []*stix.Object{
		parse(t, identity(`"labels":["press"]`)), parse(t, `{"type":"url","id":"url--`+uuid+`","value":"https://example.org/"}`),
		parse(t, `{"type":"note","spec_version":"3.0","id":"note--`+uuid+`"}`),
	}
	after, notes := upgraded(t, in)
	if !slices.Equal(in, after) || len(notes) > 0 {
		t.Errorf("%v, %v", after, notes)
	}
}

// wrongIn20 are defects of the real bundles that are as wrong in STIX 2.0.
var wrongIn20 = map[string]bool{
	stix.FindKind + " /identity_class": true, // a list in one identity
}

func TestRealBundlesOfSTIX20AreUpgraded(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora")
	paths := bundles(t, filepath.Join(dir, "reports", "unit42-stix20"))
	if more, err := filepath.Glob(filepath.Join(dir, "attack", "*2.0*.json.gz")); err == nil {
		paths = append(paths, more...)
	}
	found := map[string]int{}
	for _, path := range paths {
		before := objectsOf(t, readFile(t, path))
		after, notes := upgraded(t, before)
		if gone := lost(t, before, after); len(gone) > 0 {
			t.Errorf("%s lost %q", filepath.Base(path), gone)
		}
		for _, o := range after {
			for _, f := range o.Findings() {
				found[f.Level.String()+" "+f.Code]++
				if f.Level == stix.Must && !wrongIn20[f.Code+" "+f.Pointer] {
					t.Errorf("%s: %s: %s %s: %s", filepath.Base(path), o.ID(), f.Code, f.Pointer, f.Message)
				}
			}
		}
		done := map[string]int{}
		for _, n := range notes {
			done[n.Pointer+" "+n.Text]++
		}
		t.Logf("%s: %d objects became %d: %v", filepath.Base(path), len(before), len(after), done)
	}
	for _, code := range slices.Sorted(maps.Keys(found)) {
		t.Logf("%6d %s", found[code], code)
	}
}

func FuzzUpgrade(f *testing.F) {
	f.Add([]byte(world20))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := stix.ParseEnvelope(body, stix.DefaultLimits())
		if err != nil {
			return
		}
		var before []*stix.Object
		for _, item := range e.Objects {
			if item.Object != nil {
				before = append(before, item.Object)
			}
		}
		after, _, err := stix.Upgrade(before)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(body, []byte("granular_markings")) { // selectors change
			there := leaves(t, after)
			for value := range leaves(t, before) {
				if there[value] == 0 {
					t.Fatalf("lost: %s", value)
				}
			}
		}
		twice, _, err := stix.Upgrade(after)
		if err != nil || !slices.Equal(after, twice) {
			t.Fatalf("an upgrade of an upgrade changes something: %v", err)
		}
	})
}

func ExampleUpgrade() {
	e, err := stix.ParseEnvelope([]byte(`{"type":"bundle","id":"bundle--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f","spec_version":"2.0","objects":[
		{"type":"malware","id":"malware--0c8b5e2f-1a3d-4b6c-8d9e-7f6a5b4c3d2e","created":"2017-05-31T21:33:10.772Z",
		 "modified":"2017-05-31T21:33:10.772Z","name":"Gamma","labels":["trojan","press"]}
	]}`), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	objects, notes, err := stix.Upgrade([]*stix.Object{e.Objects[0].Object})
	if err != nil {
		fmt.Println(err)
		return
	}
	types, _ := objects[0].Property("malware_types")
	fmt.Println(objects[0].SpecVersion(), types)
	for _, n := range notes {
		fmt.Println(n.Pointer, n.Text)
	}
	// Output:
	// 2.1 ["trojan"]
	// /spec_version is 2.1
	// /labels to malware_types: trojan
	// /labels still labels, for malware-type-ov has no such term: press
	// /is_family is true: STIX 2.0 does not tell a family from a sample, and names no sample
}
