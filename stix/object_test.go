package stix_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// identity returns an object that is right, with more members at the end.
func identity(more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"type":"identity","spec_version":"2.1","id":"identity--` + uuid + `","created":"2026-01-01T00:00:00.000Z",` +
		`"modified":"2026-01-02T00:00:00.000Z","name":"Desk"` + more + `}`
}

func parse(t testing.TB, s string) *stix.Object {
	t.Helper()
	o, err := stix.Parse([]byte(s), stix.DefaultLimits())
	if err != nil {
		t.Fatalf("%.200s: %v", s, err)
	}
	return o
}

// nested returns depth arrays inside each other.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestAnObjectKeepsItsBytes(t *testing.T) {
	const in = "\n { \"x_b\" : [ 1.0 , -0 , 1E2 , 9007199254740993 ] , \"type\":\"x-thing\"\t,\r\n \"id\" : \"x-thing--" + uuid +
		"\" , \"x_a\" : { \"\\u0041 \\/ \" : \"\\u00e9 \u00e9 <\u2028>\" , \"\":{ } } }\n "
	const want = `{"x_b":[1.0,-0,1E2,9007199254740993],"type":"x-thing","id":"x-thing--` + uuid +
		`","x_a":{"\u0041 \/ ":"\u00e9 ` + "\u00e9 <\u2028>" + `","":{}}}`
	o := parse(t, in)
	if string(o.Bytes()) != want {
		t.Errorf("bytes are\n%s, want\n%s", o.Bytes(), want)
	}
	if again := parse(t, want); string(again.Bytes()) != want {
		t.Errorf("compact bytes changed: %s", again.Bytes())
	}
}

func TestAnObjectDoesNotShareTheCallersBytes(t *testing.T) {
	b := []byte(identity(""))
	o, err := stix.Parse(b, stix.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if string(o.Bytes()) != identity("") || o.ID() != "identity--"+uuid {
		t.Error("the object changed with the buffer it was read from")
	}
}

func TestCommonPropertiesAreReadAsWritten(t *testing.T) {
	const author = "identity--11111111-2222-4333-8444-555555555555"
	const other = "marking-definition--99999999-2222-4333-8444-555555555555"
	o := parse(t, identity(`"created_by_ref":"`+author+`","revoked":true,"lang":"uk","x_n":{"a":[1,2]},`+
		`"object_marking_refs":["`+string(stix.Green.Marking())+`","`+other+`"],`+
		`"granular_markings":[{"selectors":["name"],"marking_ref":"`+string(stix.Red.Marking())+`"},{"selectors":["x_n.a","x_n.a.[0]"],"lang":"ja"}],`+
		`"extensions":{"extension-definition--`+uuid+`":{"extension_type":"toplevel-property-extension","x_y":[{"z":1}]}}`))
	if o.ID() != "identity--"+uuid || o.Type() != "identity" || o.SpecVersion() != "2.1" || o.Lang() != "uk" || !o.Revoked() || o.IsSCO() {
		t.Errorf("id %s, type %s, spec_version %s, lang %s, revoked %t, SCO %t", o.ID(), o.Type(), o.SpecVersion(), o.Lang(), o.Revoked(), o.IsSCO())
	}
	if o.Created() != "2026-01-01T00:00:00.000Z" || o.Modified() != "2026-01-02T00:00:00.000Z" || o.Version() != o.Modified() || o.CreatedByRef() != author {
		t.Errorf("created %s, modified %s, version %s, by %s", o.Created(), o.Modified(), o.Version(), o.CreatedByRef())
	}
	if !slices.Equal(o.MarkingRefs(), []stix.ID{stix.Green.Marking(), other}) {
		t.Error("markings", o.MarkingRefs())
	}
	g := o.Granular()
	if len(g) != 2 || g[0].MarkingRef != stix.Red.Marking() || g[1].Lang != "ja" || !slices.Equal(g[1].Selectors, []string{"x_n.a", "x_n.a.[0]"}) {
		t.Errorf("granular markings %+v", g)
	}
	if v, ok := o.Property("x_n"); !ok || string(v) != `{"a":[1,2]}` {
		t.Errorf("x_n is %s, %t", v, ok)
	}
	if v, ok := o.Extension("extension-definition--" + uuid); !ok || string(v) != `{"extension_type":"toplevel-property-extension","x_y":[{"z":1}]}` {
		t.Errorf("extension is %s, %t", v, ok)
	}
	if _, ok := o.Property("X_N"); ok {
		t.Error("names match in another case")
	}
	if len(o.Findings()) > 0 {
		t.Error(o.Findings())
	}
}

func TestAnEscapedNameIsTheNameItSpells(t *testing.T) {
	o := parse(t, `{"\u0074ype":"url","i\u0064":"\u0075rl--`+uuid+`","value":"x","object_marking\u005frefs":["`+string(stix.Red.Marking())+`"]}`)
	if o.Type() != "url" || o.ID() != "url--"+uuid || !slices.Equal(o.MarkingRefs(), []stix.ID{stix.Red.Marking()}) || len(o.Refs()) != 1 {
		t.Errorf("type %s, id %s, markings %v, refs %v", o.Type(), o.ID(), o.MarkingRefs(), o.Refs())
	}
}

func TestTheVersionFallsBackFromModifiedToCreatedToNothing(t *testing.T) {
	marking := parse(t, `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--`+uuid+`","created":"2026-01-01T00:00:00.000Z","definition_type":"statement","definition":{"statement":"ours"}}`)
	url := parse(t, `{"type":"url","id":"url--7a67ad68-c296-5b45-877a-901c4725ccff","value":"https://example.org/"}`)
	if marking.Version() != marking.Created() || url.Version() != "" {
		t.Errorf("versions %q and %q", marking.Version(), url.Version())
	}
	if len(marking.Findings()) > 0 || len(url.Findings()) > 0 {
		t.Error(marking.Findings(), url.Findings())
	}
}

func TestObservablesAreKnownByTypeAndByExtension(t *testing.T) {
	for typ, more := range map[string]string{"x509-certificate": `,"subject":"x"`, "x-channel": `,"topic":"x","extensions":{"extension-definition--` + uuid + `":{"extension_type":"new-sco"}}`} {
		o := parse(t, `{"type":"`+typ+`","id":"`+typ+`--`+uuid+`"`+more+`}`)
		if !o.IsSCO() || len(o.Findings()) > 0 {
			t.Errorf("%s: SCO %t, findings %v", typ, o.IsSCO(), o.Findings())
		}
	}
}

func TestRefsAreFoundAtAnyDepthOnceAndInOrder(t *testing.T) {
	id := func(n int) string { return fmt.Sprintf("identity--%08d-2222-4333-8444-555555555555", n) }
	o := parse(t, identity(`"x_ref":"`+id(1)+`","object_refs":["`+id(2)+`","`+id(1)+`"],"x_deep":[{"a_ref":"`+id(3)+`","b_refs":[[],"`+id(4)+`"]}],`+
		`"x_no":"`+id(5)+`","x_bad_ref":"nobody","object_marking_refs":["`+string(stix.Clear.Marking())+`"],"c_ref\u0073":["\u0069`+id(6)[1:]+`"]`))
	want := []stix.ID{stix.ID(id(1)), stix.ID(id(2)), stix.ID(id(3)), stix.ID(id(4)), stix.Clear.Marking(), stix.ID(id(6))}
	if got := o.Refs(); !slices.Equal(got, want) {
		t.Errorf("refs\n%v, want\n%v", got, want)
	}
}

func TestWhatCannotBeStoredRoutedOrLabelledIsRefused(t *testing.T) {
	const marking = "marking-definition--" + uuid
	for _, c := range []struct{ name, in, code, pointer string }{
		{"nothing", "", stix.CodeNotJSON, ""},
		{"white space", " \n", stix.CodeNotJSON, ""},
		{"truncated", identity("")[:60], stix.CodeNotJSON, "/id"},
		{"trailing data", identity("") + "{}", stix.CodeNotJSON, ""},
		{"comment", "/**/" + identity(""), stix.CodeNotJSON, ""},
		{"NaN", identity(`"x_v":NaN`), stix.CodeNotJSON, "/x_v"},
		{"leading zero", identity(`"x_v":01`), stix.CodeNotJSON, "/x_v"},
		{"no digits after the point", identity(`"x_v":1.`), stix.CodeNotJSON, "/x_v"},
		{"plus", identity(`"x_v":+1`), stix.CodeNotJSON, "/x_v"},
		{"trailing comma", identity(`"x_v":[1,]`), stix.CodeNotJSON, "/x_v/1"},
		{"trailing comma in an object", identity(`"x_v":{"a":1,}`), stix.CodeNotJSON, "/x_v/a"},
		{"single quotes", identity(`'x':1`), stix.CodeNotJSON, "/name"},
		{"control character", identity("\"x_v\":\"\n\""), stix.CodeNotJSON, "/x_v"},
		{"bad escape", identity(`"x_v":"\x41"`), stix.CodeNotJSON, "/x_v"},
		{"short escape", identity(`"x_v":"\u41`), stix.CodeNotJSON, "/x_v"},
		{"byte order mark", "\ufeff" + identity(""), stix.CodeNotJSON, ""},
		{"bad UTF-8", identity("\"x_v\":[\"a\xffb\"]"), stix.CodeBadUTF8, "/x_v/0"},
		{"surrogate in UTF-8", identity("\"x_v\":\"\xed\xa0\x80\""), stix.CodeBadUTF8, "/x_v"},
		{"overlong UTF-8", identity("\"x_v\":\"\xc0\xaf\""), stix.CodeBadUTF8, "/x_v"},
		{"high surrogate alone", identity(`"x_v":"\ud83d"`), stix.CodeLoneSurrogate, "/x_v"},
		{"low surrogate alone", identity(`"x_v":"\udc00"`), stix.CodeLoneSurrogate, "/x_v"},
		{"surrogates the wrong way round", identity(`"x_v":"\ude00\ud83d"`), stix.CodeLoneSurrogate, "/x_v"},
		{"surrogate in a name", identity(`"x_\ud83d":1`), stix.CodeLoneSurrogate, ""},
		{"duplicate", identity(`"id":"identity--22222222-2222-4222-8222-222222222222"`), stix.CodeDuplicateName, "/id"},
		{"duplicate in disguise", identity(`"n\u0061me":"x"`), stix.CodeDuplicateName, "/name"},
		{"duplicate deep inside", identity(`"x_v":[{"a/~":1,"b":{},"a/~":2}]`), stix.CodeDuplicateName, "/x_v/0/a~1~0"},
		{"duplicate among many", identity(`"x_v":{` + manyNames(500) + `,"n77":0}`), stix.CodeDuplicateName, "/x_v/n77"},
		{"too deep", identity(`"x_v":` + nested(64)), stix.CodeTooDeep, "/x_v" + strings.Repeat("/0", 63)},
		{"much too deep", strings.Repeat("[", 1_000_000), stix.CodeTooDeep, strings.Repeat("/0", 64)},
		{"too large", identity(`"x_v":"` + strings.Repeat("a", 1<<20) + `"`), stix.CodeTooLarge, ""},
		{"array", "[]", stix.CodeNotObject, ""},
		{"null", "null", stix.CodeNotObject, ""},
		{"string", `"a"`, stix.CodeNotObject, ""},
		{"number", "1", stix.CodeNotObject, ""},
		{"no type", `{"id":"identity--` + uuid + `"}`, stix.CodeNoType, "/type"},
		{"type is a number", `{"type":1,"id":"identity--` + uuid + `"}`, stix.CodeNoType, "/type"},
		{"empty type", `{"type":"","id":"identity--` + uuid + `"}`, stix.CodeNoType, "/type"},
		{"bundle", `{"type":"bundle","id":"bundle--` + uuid + `"}`, stix.CodeBundle, "/type"},
		{"no id", `{"type":"identity"}`, stix.CodeNoID, "/id"},
		{"null id", `{"type":"identity","id":null}`, stix.CodeNoID, "/id"},
		{"malformed id", `{"type":"identity","id":"identity--1"}`, stix.CodeBadID, "/id"},
		{"NUL in id", `{"type":"identity","id":"identity--` + uuid[:35] + `\u0000"}`, stix.CodeBadID, "/id"},
		{"other type in id", `{"type":"identity","id":"malware--` + uuid + `"}`, stix.CodeTypeMismatch, "/id"},
		{"type in capitals", `{"type":"Identity","id":"Identity--` + uuid + `"}`, stix.CodeBadID, "/id"},
		{"created is no instant", `{"type":"url","id":"url--` + uuid + `","created":"yesterday"}`, stix.CodeBadInstant, "/created"},
		{"modified is a number", `{"type":"url","id":"url--` + uuid + `","modified":1767225600}`, stix.CodeBadInstant, "/modified"},
		{"modified has no zone", `{"type":"url","id":"url--` + uuid + `","modified":"2026-01-01T00:00:00.0"}`, stix.CodeBadInstant, "/modified"},
		{"modified of many digits", `{"type":"url","id":"url--` + uuid + `","modified":"2026-01-01T00:00:00.` + strings.Repeat("0", 300) + `Z"}`, stix.CodeBadInstant, "/modified"},
		{"marking is no list", identity(`"object_marking_refs":"` + marking + `"`), stix.CodeBadMarking, "/object_marking_refs"},
		{"marking is no string", identity(`"object_marking_refs":[{}]`), stix.CodeBadMarking, "/object_marking_refs/0"},
		{"marking is an identity", identity(`"object_marking_refs":["` + marking + `","identity--` + uuid + `"]`), stix.CodeBadMarking, "/object_marking_refs/1"},
		{"marking is of a type as long", identity(`"object_marking_refs":["x` + marking[1:] + `"]`), stix.CodeBadMarking, "/object_marking_refs/0"},
		{"granular markings are no list", identity(`"granular_markings":{}`), stix.CodeBadMarking, "/granular_markings"},
		{"granular marking is no object", identity(`"granular_markings":["x"]`), stix.CodeBadMarking, "/granular_markings/0"},
		{"granular marking_ref is an identity", identity(`"granular_markings":[{"marking_ref":"identity--` + uuid + `"}]`), stix.CodeBadMarking, "/granular_markings/0/marking_ref"},
		{"marks itself", `{"type":"marking-definition","id":"` + marking + `","object_marking_refs":["` + marking + `"]}`, stix.CodeSelfMarking, "/object_marking_refs/0"},
		{"marks a part of itself", `{"type":"marking-definition","id":"` + marking + `","granular_markings":[{"marking_ref":"` + marking + `","selectors":["name"]}]}`, stix.CodeSelfMarking, "/granular_markings/0/marking_ref"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := stix.Parse([]byte(c.in), stix.DefaultLimits())
			var bad *stix.Error
			if !errors.As(err, &bad) {
				t.Fatalf("admitted: %v, %v", o, err)
			}
			if bad.Code != c.code || bad.Pointer != c.pointer || len(bad.Reason) > 400 {
				t.Errorf("%s at %q, want %s at %q: %s", bad.Code, bad.Pointer, c.code, c.pointer, bad.Reason)
			}
		})
	}
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(`"n%d":%d`, i, i)
	}
	return join(names)
}

func TestWhatIsWrongButSafeIsAdmittedWithAFinding(t *testing.T) {
	const sdo = `{"type":"identity","name":"Desk","id":"identity--` + uuid + `"`
	for _, c := range []struct{ name, in, code, pointer string }{
		{"no spec_version", sdo + `,"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindSpecVersion, "/spec_version"},
		{"spec_version 2.0", sdo + `,"spec_version":"2.0","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindSpecVersion, "/spec_version"},
		{"spec_version is a number", sdo + `,"spec_version":2.1,"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindKind, "/spec_version"},
		{"no created", sdo + `,"spec_version":"2.1","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindMissing, "/created"},
		{"no modified", sdo + `,"spec_version":"2.1","created":"2026-01-01T00:00:00.000Z"}`, stix.FindMissing, "/modified"},
		{"modified before created", sdo + `,"spec_version":"2.1","created":"2026-01-02T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindOrder, "/modified"},
		{"offset", sdo + `,"spec_version":"2.1","created":"2026-01-01T00:00:00.000+09:00","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindInstant, "/created"},
		{"leap second within a month", sdo + `,"spec_version":"2.1","created":"2016-12-30T23:59:60.000Z","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindInstant, "/created"},
		{"24:00", sdo + `,"spec_version":"2.1","created":"2016-12-31T24:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindInstant, "/created"},
		{"whole seconds", sdo + `,"spec_version":"2.1","created":"2016-12-31T23:00:00Z","modified":"2026-01-01T00:00:00.000Z"}`, stix.FindPrecision, "/created"},
		{"upper-case UUID", strings.Replace(identity(""), uuid, strings.ToUpper(uuid), 1), stix.FindUUIDCase, "/id"},
		{"ID beside id", identity(`"ID":"identity--22222222-2222-4222-8222-222222222222"`), stix.FindNameCase, "/ID"},
		{"markings in another case", identity(`"Object_marking_refs":["` + string(stix.Red.Marking()) + `"]`), stix.FindNameCase, "/Object_marking_refs"},
		{"name with a space", identity(`"x y":1`), stix.FindName, "/x y"},
		{"integer beyond 2^53", identity(`"x_v":[0,9007199254740993]`), stix.FindNumber, "/x_v/1"},
		{"number beyond a double", identity(`"x_v":1e999`), stix.FindNumber, "/x_v"},
		{"number that vanishes", identity(`"x_v":1e-999`), stix.FindNumber, "/x_v"},
		{"ref to nobody", identity(`"x_ref":"nobody"`), stix.FindRef, "/x_ref"},
		{"refs to nobody", identity(`"x_refs":["identity--` + uuid + `","nobody"]`), stix.FindRef, "/x_refs/1"},
		{"ref among numbers to nobody", identity(`"x_refs":[7,"nobody"]`), stix.FindRef, "/x_refs/1"},
		{"ref of a part to nobody", `{"type":"process","id":"process--` + uuid + `","extensions":{"windows-service-ext":{"service_dll_refs":["nobody"]}}}`, stix.FindRef, "/extensions/windows-service-ext/service_dll_refs/0"},
		{"made by malware", identity(`"created_by_ref":"malware--` + uuid + `"`), stix.FindRefType, "/created_by_ref"},
		{"made by a number", identity(`"created_by_ref":7`), stix.FindKind, "/created_by_ref"},
		{"revoked in words", identity(`"revoked":"true"`), stix.FindKind, "/revoked"},
		{"confidence in words", identity(`"confidence":"high"`), stix.FindKind, "/confidence"},
		{"language is a list", identity(`"lang":["en"]`), stix.FindKind, "/lang"},
		{"empty labels", identity(`"labels":[]`), stix.FindEmptyList, "/labels"},
		{"empty markings", identity(`"object_marking_refs":[]`), stix.FindEmptyList, "/object_marking_refs"},
		{"granular marking of nothing", identity(`"granular_markings":[{"lang":"uk"}]`), stix.FindMissing, "/granular_markings/0/selectors"},
		{"granular marking with nothing", identity(`"granular_markings":[{"selectors":["name"]}]`), stix.FindGranular, "/granular_markings/0"},
		{"extensions are a list", identity(`"extensions":[]`), stix.FindKind, "/extensions"},
		{"extension is a string", identity(`"extensions":{"a/b":"c"}`), stix.FindKind, "/extensions/a~1b"},
		{"extension redefines the id", identity(`"extensions":{"extension-definition--` + uuid + `":{"extension_type":"toplevel-property-extension","id":"x"}}`), stix.FindExtension, "/extensions/extension-definition--" + uuid + "/id"},
		{"versioned marking", `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--` + uuid + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","definition_type":"statement","definition":{"statement":"x"}}`, stix.FindUnversioned, "/modified"},
		{"text that runs backwards", identity("\"description\":\"invoice\u202etxt.exe\""), stix.FindInvisible, "/description"},
		{"text that runs backwards, escaped", identity(`"description":"invoice\u202etxt.exe"`), stix.FindInvisible, "/description"},
		{"tag characters", identity("\"labels\":[\"\U000e0061\"]"), stix.FindInvisible, "/labels/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parse(t, c.in)
			f := slices.DeleteFunc(o.Findings(), func(f stix.Finding) bool { return f.Code == stix.FindCustom })
			if len(f) != 1 || f[0].Code != c.code || f[0].Pointer != c.pointer || f[0].Message == "" || f[0].Level == 0 {
				t.Errorf("findings %+v, want one %s at %s", f, c.code, c.pointer)
			}
			if string(o.Bytes()) != c.in {
				t.Errorf("bytes changed: %s", o.Bytes())
			}
		})
	}
}

func TestWhatIsProhibitedIsFoundAndItsNeighbourIsNot(t *testing.T) {
	const definition = "extension-definition--" + uuid
	const head = `"spec_version":"2.1","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",`
	extended := func(body string) string { return identity(`"extensions":{"` + definition + `":` + body + `}`) }
	report := func(id string) string {
		return `{"type":"report","id":"report--` + uuid + `",` + head + `"name":"r","report_types":["malware"],"published":"2026-01-01T00:00:00Z","object_refs":["` + id + `"]}`
	}
	translation := func(id, contents string) string {
		return `{"type":"language-content","id":"language-content--` + uuid + `",` + head + `"object_ref":"` + id + `","contents":` + contents + `}`
	}
	statement := func(definition string) string {
		return `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--` + uuid + `","created":"2026-01-01T00:00:00.000Z","definition_type":"statement","definition":` + definition + `}`
	}
	novel := func(more string) string {
		return `{"type":"x-novel","id":"x-novel--` + uuid + `",` + head + more + `}`
	}
	certificate := func(more string) string {
		return `{"type":"x509-certificate","id":"x509-certificate--` + uuid + `",` + more + `}`
	}
	extensions := `"extensions":{"` + definition + `":{"extension_type":"property-extension","rank":1}}`
	const identityID, bundleID = "identity--" + uuid, "bundle--" + uuid
	for _, c := range []struct{ name, wrong, right, code, pointer string }{
		{"name in an extension", extended(`{"extension_type":"property-extension","Rank":1}`), extended(`{"extension_type":"property-extension","rank":1,"id":"x"}`), stix.FindName, "/extensions/" + definition + "/Rank"},
		{"empty list in an extension", extended(`{"extension_type":"property-extension","ranks":[]}`), extended(`{"extension_type":"property-extension","ranks":["[]"]}`), stix.FindEmptyList, "/extensions/" + definition + "/ranks"},
		{"empty list of one's own", identity(`"x_list":[]`), identity(`"x_list":[""]`), stix.FindEmptyList, "/x_list"},
		{"empty dictionary of one's own", identity(`"x_list":{}`), identity(`"x_list":{"a":"{}"}`), stix.FindEmptyDict, "/x_list"},
		{"emptiness further inside", identity(`"x_list":{"a":[1,{"b":{}}]}`), identity(`"x_list":{"a":[1,{"b":{"c":1}}]}`), stix.FindEmptyDict, "/x_list/a/1/b"},
		{"translation of nothing", translation(identityID, `{"de":{}}`), translation(identityID, `{"de":{"name":"x"}}`), stix.FindEmptyDict, "/contents/de"},
		{"report on a bundle", report(bundleID), report(identityID), stix.FindRefType, "/object_refs/0"},
		{"translation of a bundle", translation(bundleID, `{"de":{"name":"x"}}`), translation("x-novel--"+uuid, `{"de":{"name":"x"}}`), stix.FindRefType, "/object_ref"},
		{"statement that is a number", statement(`{"statement":5}`), statement(`{"statement":"5"}`), stix.FindKind, "/definition/statement"},
		{"new type that is none", identity(`"rank":1,"extensions":{"` + definition + `":{"extension_type":"new-sdo"}}`), novel(`"rank":1,"extensions":{"` + definition + `":{"extension_type":"new-sdo"}}`), stix.FindCustom, "/rank"},
		{"new type without a property", novel(`"extensions":{"` + definition + `":{"extension_type":"new-sdo"}}`), novel(`"extensions":{"` + definition + `":{"extension_type":"new-sdo","rank":1}}`), stix.FindAtLeast, ""},
		{"certificate of nothing", certificate(extensions), certificate(`"subject":"x",` + extensions), stix.FindAtLeast, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := func(f stix.Finding) bool {
				return f.Code == stix.FindCustom && c.code != f.Code || f.Code == stix.FindRecommended
			}
			wrong := slices.DeleteFunc(parse(t, c.wrong).Findings(), own)
			if len(wrong) != 1 || wrong[0].Code != c.code || wrong[0].Pointer != c.pointer {
				t.Errorf("findings %+v, want one %s at %q", wrong, c.code, c.pointer)
			}
			if right := slices.DeleteFunc(parse(t, c.right).Findings(), own); len(right) > 0 {
				t.Errorf("what is right has findings %+v", right)
			}
		})
	}
}

// TestAKeyOfADictionaryIsNoProperty: only properties end in _ref to refer to something.
// In dictionaries and extensions an id under such a name still counts as a reference.
func TestAKeyOfADictionaryIsNoProperty(t *testing.T) {
	const other = "identity--99999999-2222-4333-8444-555555555555"
	for name, in := range map[string]string{
		"environment variables": `{"type":"process","id":"process--` + uuid + `","environment_variables":{"git_ref":"refs/heads/main","by_ref":"` + other + `"}}`,
		"translation": `{"type":"language-content","spec_version":"2.1","id":"language-content--` + uuid + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",` +
			`"object_ref":"` + other + `","contents":{"de":{"see_ref":"siehe dort"}}}`,
		"property extension":             identity(`"extensions":{"extension-definition--` + uuid + `":{"extension_type":"property-extension","git_ref":"main","by_refs":["` + other + `","b"]}}`),
		"inside a property of one's own": identity(`"x_build":{"git_ref":"main","by_ref":"` + other + `"}`),
	} {
		o := parse(t, in)
		for _, f := range o.Findings() {
			if f.Code != stix.FindCustom {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if refs := o.Refs(); !slices.Equal(refs, []stix.ID{other}) {
			t.Errorf("%s: refers to %v", name, refs)
		}
	}
}

func TestManyFindingsAreCutWithAWord(t *testing.T) {
	f := parse(t, identity(`"x_v":[`+strings.Repeat("1e999,", 5000)+`0]`)).Findings()
	if len(f) != 100 || f[98].Code != stix.FindNumber || f[99].Code != stix.FindMore {
		t.Errorf("%d findings, the last %+v", len(f), f[len(f)-1])
	}
}

func TestLimitsAreTheCallers(t *testing.T) {
	in := []byte(identity(`"x_v":[[0]]`))
	for _, c := range []struct {
		lim  stix.Limits
		code string
	}{
		{stix.Limits{ObjectBytes: len(in), Depth: 3}, ""},
		{stix.Limits{ObjectBytes: len(in) - 1}, stix.CodeTooLarge},
		{stix.Limits{Depth: 2}, stix.CodeTooDeep},
	} {
		_, err := stix.Parse(append([]byte("   "), in...), c.lim)
		var bad *stix.Error
		if errors.As(err, &bad) != (c.code != "") || c.code != "" && bad.Code != c.code {
			t.Errorf("%+v: %v, want %q", c.lim, err, c.code)
		}
	}
}

func TestCompactionIsWhatRemovingSpaceWouldGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := identity(`"x_v":` + jsonValues(3).Draw(t, "value"))
		spaced := jsontext.Value(in)
		if err := spaced.Indent(); err != nil {
			t.Fatal(err)
		}
		// Indent keeps strings and numbers as they are.
		for _, body := range []string{in, string(spaced)} {
			o, err := stix.Parse([]byte(body), stix.DefaultLimits())
			if err != nil || string(o.Bytes()) != in {
				t.Fatalf("%s became %v (%v)", body, o, err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(identity(`"x_v":[1e2,-0,"\u00e9",{"a_ref":"identity--` + uuid + `"}]`)))
	f.Add([]byte(identity(`"object_marking_refs":["` + string(stix.Red.Marking()) + `"],"granular_markings":[{"selectors":["a"],"lang":"uk"}]`)))
	f.Add([]byte(identity(`"extensions":{"extension-definition--` + uuid + `":{"extension_type":"new-sco"}}`)))
	f.Add([]byte("{\"a\":\"\\ud83d\\ude00\xff\""))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := stix.Parse(b, stix.Limits{ObjectBytes: 1 << 16})
		if err != nil {
			var bad *stix.Error
			if !errors.As(err, &bad) || bad.Code == "" || bad.Reason == "" {
				t.Fatalf("%v is no proper refusal", err)
			}
			return
		}
		want := jsontext.Value(bytes.Clone(b))
		if err := want.Compact(); err != nil || !bytes.Equal(want, o.Bytes()) {
			t.Fatalf("%q became %q (%v)", b, o.Bytes(), err)
		}
		if _, err := stix.Canonical(o.Bytes()); err != nil {
			t.Fatalf("admitted, but: %v", err)
		}
		again, err := stix.Parse(o.Bytes(), stix.Limits{})
		if err != nil || !bytes.Equal(again.Bytes(), o.Bytes()) || len(again.Findings()) != len(o.Findings()) {
			t.Fatalf("reading it again: %v", err)
		}
		stix.LabelOf(o, nil)
		for _, id := range o.Refs() {
			if id.Type() == "" {
				t.Fatalf("malformed ref %q", id)
			}
		}
	})
}
