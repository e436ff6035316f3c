package stix_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

func TestABodyIsAnEnvelopeABundleAnObjectOrLines(t *testing.T) {
	good := identity("")
	for _, c := range []struct {
		in   string
		kind stix.EnvelopeKind
		want int
	}{
		{`{}`, stix.TAXIIEnvelope, 0},
		{` { "objects" : [ ] } `, stix.TAXIIEnvelope, 0},
		{`{"more":true,"next":"zz"}`, stix.TAXIIEnvelope, 0},
		{`{"objects":[` + good + ` , ` + good + `],"more":true,"next":"zz","x":[{"y":1}]}`, stix.TAXIIEnvelope, 2},
		{`{"type":"bundle","id":"bundle--` + uuid + `"}`, stix.Bundle, 0},
		{`{"objects":[` + good + `],"id":"bundle--` + uuid + `","type":"bundle"}`, stix.Bundle, 1},
		{`{"type":"bundle","spec_version":"2.0","objects":[` + good + `]}`, stix.Bundle, 1},
		{good, stix.SingleObject, 1},
		{"\n" + good + "\n", stix.SingleObject, 1},
		{identity(`"objects":[{"x":1}]`), stix.SingleObject, 1},
		{identity(`"objects":{"0":{"type":"file"}}`), stix.SingleObject, 1},
		{good + "\n" + good + "\r\n\n" + good, stix.Lines, 3},
	} {
		e, err := stix.ParseEnvelope([]byte(c.in), stix.DefaultLimits())
		if err != nil || e.Kind != c.kind || len(e.Objects) != c.want {
			t.Errorf("%s: %v with %d objects, want %v with %d (%v)", c.in, e.Kind, len(e.Objects), c.kind, c.want, err)
			continue
		}
		for _, item := range e.Objects {
			if item.Err != nil || item.Object.ID() != "identity--"+uuid || !strings.Contains(c.in, string(item.Raw)) {
				t.Errorf("%s: %+v", c.in, item)
			}
		}
	}
}

func TestOneBadElementNeverSpoilsTheRest(t *testing.T) {
	good := identity("")
	for _, bad := range []struct{ in, code, pointer string }{
		{`1`, stix.CodeNotObject, ""},
		{`"a"`, stix.CodeNotObject, ""},
		{`null`, stix.CodeNotObject, ""},
		{`[]`, stix.CodeNotObject, ""},
		{`[[{}]]`, stix.CodeNotObject, ""},
		{`{}`, stix.CodeNoType, "/type"},
		{`{"type":"bundle","objects":[]}`, stix.CodeBundle, "/type"},
		{`{"a":1,"a":{"b":["}",2]}}`, stix.CodeDuplicateName, "/a"},
		{`{"a":"\ud800","b":"x"}`, stix.CodeLoneSurrogate, "/a"},
		{`{"a\udc00":{}}`, stix.CodeLoneSurrogate, ""},
		{`{"a":` + nested(5000) + `}`, stix.CodeTooDeep, "/a" + strings.Repeat("/0", 63)},
		{identity(`"x_v":"` + strings.Repeat("a", 1<<20) + `"`), stix.CodeTooLarge, ""},
		{identity(`"id":"identity--` + uuid + `"`), stix.CodeDuplicateName, "/id"},
	} {
		e, err := stix.ParseEnvelope([]byte(`{"objects":[`+good+`,`+bad.in+"\t,"+good+`]}`), stix.DefaultLimits())
		if err != nil || len(e.Objects) != 3 || e.Objects[0].Err != nil || e.Objects[2].Err != nil {
			t.Errorf("%.60s: %d objects, %v", bad.in, len(e.Objects), err)
			continue
		}
		item := e.Objects[1]
		if item.Object != nil || item.Err == nil || item.Err.Code != bad.code || item.Err.Pointer != bad.pointer || string(item.Raw) != bad.in {
			t.Errorf("%.60s: %v, want %s at %q", bad.in, item.Err, bad.code, bad.pointer)
		}
	}
}

func TestABodyThatIsNotJSONIsRefusedWhole(t *testing.T) {
	good := identity("")
	for _, c := range []struct{ name, in, code string }{
		{"empty", "", stix.CodeNotJSON},
		{"white space", "  \n", stix.CodeNotJSON},
		{"array", "[]", stix.CodeBadEnvelope},
		{"array of objects", "[" + good + "]", stix.CodeBadEnvelope},
		{"null", "null", stix.CodeBadEnvelope},
		{"number", "12", stix.CodeBadEnvelope},
		{"string", `"objects"`, stix.CodeBadEnvelope},
		{"other JSON", `{"response":[]}`, stix.CodeBadEnvelope},
		{"byte order mark", "\ufeff{\"objects\":[]}", stix.CodeNotJSON},
		{"UTF-16", utf16le(`{"objects":[]}`), stix.CodeNotJSON},
		{"UTF-16 with a mark", "\xff\xfe" + utf16le(`{}`), stix.CodeNotJSON},
		{"objects is an object", `{"objects":{}}`, stix.CodeBadEnvelope},
		{"objects is null", `{"objects":null}`, stix.CodeBadEnvelope},
		{"objects of a bundle is null", `{"type":"bundle","objects":null}`, stix.CodeBadEnvelope},
		{"objects twice", `{"objects":[],"objects":[]}`, stix.CodeDuplicateName},
		{"objects twice, in disguise", `{"objects":[],"\u006fbjects":[]}`, stix.CodeDuplicateName},
		{"trailing data", `{"objects":[]} x`, stix.CodeNotJSON},
		{"two envelopes", "{\"objects\":[]}\n{\"objects\":[]}", stix.CodeNotJSON},
		{"two objects on a line", good + " " + good, stix.CodeNotJSON},
		{"a line that is no object", good + "\n1", stix.CodeNotJSON},
		{"comment", `{/* c */"objects":[]}`, stix.CodeNotJSON},
		{"NaN", `{"objects":[` + identity(`"x_v":NaN`) + `]}`, stix.CodeNotJSON},
		{"NaN after a duplicate", `{"objects":[{"a":1,"a":NaN}]}`, stix.CodeNotJSON},
		{"bad UTF-8", "{\"objects\":[" + identity("\"x_v\":\"\xff\"") + "]}", stix.CodeBadUTF8},
		{"bad UTF-8 after a duplicate", "{\"objects\":[{\"a\":1,\"a\":\"\xff\"}]}", stix.CodeBadUTF8},
		{"bad UTF-8 beside", "{\"x\":\"\xff\",\"objects\":[]}", stix.CodeBadUTF8},
		{"truncated", `{"objects":[` + good, stix.CodeNotJSON},
		{"truncated in an element", `{"objects":[` + good[:50], stix.CodeNotJSON},
		{"truncated in a string", `{"objects":["a\`, stix.CodeNotJSON},
		{"truncated in an escape", `{"objects":[{"a":1,"a":"\u12`, stix.CodeNotJSON},
		{"trailing comma", `{"objects":[` + good + `,]}`, stix.CodeNotJSON},
		{"trailing comma at the top", `{"objects":[],}`, stix.CodeNotJSON},
		{"no colon", `{"objects"[]}`, stix.CodeNotJSON},
		{"no comma", `{"objects":[1 2]}`, stix.CodeNotJSON},
		{"deep arrays", strings.Repeat("[", 10001) + strings.Repeat("]", 10001), stix.CodeTooDeep},
		{"deep arrays in an element", `{"objects":[{"a":` + nested(10001) + `}]}`, stix.CodeTooDeep},
		{"deep arrays beside", `{"x":` + nested(10001) + `}`, stix.CodeTooDeep},
		{"brackets that do not match", `{"objects":[[}]]}`, stix.CodeNotJSON},
		{"too many", `{"objects":[` + strings.Repeat("1,", 10_000) + `1]}`, stix.CodeTooMany},
		{"too large", strings.Repeat(" ", 10<<20) + `{"objects":[]}`, stix.CodeTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := stix.ParseEnvelope([]byte(c.in), stix.DefaultLimits())
			var bad *stix.Error
			if !errors.As(err, &bad) || bad.Code != c.code || len(e.Objects) > 0 || len(bad.Reason) > 300 {
				t.Errorf("%v with %d objects, want %s", err, len(e.Objects), c.code)
			}
		})
	}
}

func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func TestARefusedBodySaysAtWhichByte(t *testing.T) {
	_, err := stix.ParseEnvelope([]byte(`{"objects":[{"a":tru}]}`), stix.DefaultLimits())
	if want := "not JSON at byte 20"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q in it", err, want)
	}
	_, err = stix.ParseEnvelope([]byte(`{"objects":[1,{"a":1,"a":tru}]}`), stix.DefaultLimits())
	if want := "/objects/1: not JSON at byte 28"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q in it", err, want)
	}
}

func TestAsManyObjectsAsTheLimitSays(t *testing.T) {
	body := []byte(`{"objects":[1,2,3]}`)
	if e, err := stix.ParseEnvelope(body, stix.Limits{Objects: 3}); err != nil || len(e.Objects) != 3 {
		t.Errorf("%d objects, %v", len(e.Objects), err)
	}
	if _, err := stix.ParseEnvelope(body, stix.Limits{Objects: 2}); err == nil {
		t.Error("one object too many is accepted")
	}
}

func TestElementsDoNotShareBytes(t *testing.T) {
	e, err := stix.ParseEnvelope([]byte(`{"objects":[`+identity(`"x_v":1`)+`,`+identity(`"x_v":[2]`)+`,{"y":1,"id":2}]}`), stix.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := e.Objects[0].Object, e.Objects[1].Object; string(a.Bytes()) != identity(`"x_v":1`) || string(b.Bytes()) != identity(`"x_v":[2]`) {
		t.Errorf("%s\n%s", a.Bytes(), b.Bytes())
	} else if v, _ := a.Property("x_v"); string(v) != "1" {
		t.Errorf("x_v of the first is %s", v)
	}
}

func TestWhatIsBuiltIsReadAgain(t *testing.T) {
	var objects []*stix.Object
	for n := range 3 {
		objects = append(objects, parse(t, string(indicator(n))))
	}
	for count := range 4 {
		some := objects[:count]
		for _, c := range []struct {
			body string
			kind stix.EnvelopeKind
			want string // how it begins
		}{
			{string(stix.BuildBundle("bundle--"+uuid, some)), stix.Bundle, `{"type":"bundle","id":"bundle--` + uuid + `"`},
			{string(stix.BuildEnvelope(some, false, "")), stix.TAXIIEnvelope, `{`},
			{string(stix.BuildEnvelope(some, true, `a"b`)), stix.TAXIIEnvelope, `{"more":true,"next":"a\"b"`},
		} {
			e, err := stix.ParseEnvelope([]byte(c.body), stix.DefaultLimits())
			if err != nil || e.Kind != c.kind || len(e.Objects) != count || !strings.HasPrefix(c.body, c.want) || !jsontext.Value(c.body).IsValid() {
				t.Fatalf("%s: %v with %d objects, %v", c.body, e.Kind, len(e.Objects), err)
			}
			for i, item := range e.Objects {
				if !slices.Equal(item.Object.Bytes(), some[i].Bytes()) {
					t.Errorf("object %d became %s", i, item.Object.Bytes())
				}
			}
		}
	}
	if got := string(stix.BuildEnvelope(nil, false, "")); got != "{}" {
		t.Errorf("an empty envelope is %s", got)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(`{"objects":[` + identity("") + `,1,{"a":1,"a":2},{"b":"\ud800"}],"more":true}`))
	f.Add([]byte(`{"type":"bundle","objects":[` + identity("") + `]}`))
	f.Add([]byte(identity("") + "\n" + identity("")))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := stix.ParseEnvelope(b, stix.Limits{ObjectBytes: 1 << 12, Depth: 8, Objects: 16})
		loose := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
		if err != nil {
			var bad *stix.Error
			if !errors.As(err, &bad) || bad.Code == "" || bad.Reason == "" {
				t.Fatalf("%v is no proper refusal", err)
			}
			if bad.Code == stix.CodeNotJSON && jsontext.Value(b).IsValid() {
				t.Fatalf("%q is JSON, but: %v", b, err)
			}
			return
		}
		if e.Kind != stix.Lines && !jsontext.Value(b).IsValid(loose...) {
			t.Fatalf("%q is not JSON, but accepted", b)
		}
		for _, item := range e.Objects {
			if (item.Object == nil) == (item.Err == nil) || !jsontext.Value(item.Raw).IsValid(loose...) {
				t.Fatalf("%+v", item)
			}
		}
	})
}

func ExampleParseEnvelope() {
	body := `{"objects":[
		{"type":"url","id":"url--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f","value":"https://example.org/"},
		{"type":"url","id":"url-1"}
	]}`
	e, err := stix.ParseEnvelope([]byte(body), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range e.Objects {
		if item.Err != nil {
			fmt.Println("refused:", item.Err)
			continue
		}
		fmt.Println("admitted:", item.Object.ID())
	}
	// Output:
	// admitted: url--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f
	// refused: /id: id "url-1" is not a type, two hyphens and a UUID (malformed-id)
}
