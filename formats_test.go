package liaison_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"pgregory.net/rapid"
)

// vectorJCS returns the texts of a group of vectors by what they are.
func vectorJCS(t testing.TB, group string) map[string]string {
	out := map[string]string{}
	for _, v := range vectors[[]struct {
		What string
		JCS  string
	}](t, group) {
		out[v.What] = v.JCS
	}
	return out
}

// badText is a canonical text made bad by one replacement.
type badText struct{ from, to, want string }

func TestAnActThatBreaksTheFormatIsRefused(t *testing.T) {
	acts := vectorJCS(t, "acts")
	plain, erases := acts["plain"], acts["erases the first"]
	for _, c := range []badText{
		{`"v":"act/1"`, `"v":"act/2"`, "want \"act/1\""},
		{`"v":"act/1"`, `"v":"act/1","w":1`, `"w"`},
		{`{"accepted"`, `{ "accepted"`, "canonical form"},
		{`"label":"TLP:AMBER"`, `"label":""`, "canonical form"},
		{`"label":"TLP:AMBER"`, `"label":"tlp:amber"`, "amber"},
		{`"office":"seoul.example.org"`, `"office":"Seoul.example.org"`, "DNS label"},
		{`"office":"seoul.example.org"`, `"office":"localhost"`, "two or more labels"},
		{`"by":"identity--`, `"by":"indicator--`, "not an identity"},
		{`"by":"identity--`, `"for":"identity--","by":"identity--`, "canonical"},
		{`"accepted":"2026-03-02T08:15:30.000001Z"`, `"accepted":"1970-01-01T00:00:00.000000Z"`, "no instant"},
		{`30.000001Z"`, `30.0000010Z"`, "not an instant"},
		{`30.000001Z"`, `30.000001+00:00"`, "not an instant"},
		{`"commit":"`, `"commit":null,"x":"`, "/commit is null"},
		{`"under":"`, `"under":"A`, "32 bytes"},
	} {
		checkBad(t, plain, c, func(b []byte) error { _, err := liaison.ParseAct(b); return err })
	}
	for _, c := range []badText{
		{`"erases":"`, `"commit":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=","erases":"`, "exactly one of commit and erases"},
		{`"office"`, `"label":"TLP:RED","office"`, "label belongs"},
	} {
		checkBad(t, erases, c, func(b []byte) error { _, err := liaison.ParseAct(b); return err })
	}
	approved := acts["approved by a second person"]
	checkBad(t, approved, badText{`"by":"identity--`, `"by":"report--`, "approved wants by"},
		func(b []byte) error { _, err := liaison.ParseAct(b); return err })
}

// checkBad applies the replacement to the first place and wants a refusal.
func checkBad(t *testing.T, good string, c badText, parse func([]byte) error) {
	t.Helper()
	if err := parse([]byte(good)); err != nil {
		t.Fatalf("%s: %v", good, err)
	}
	bad := strings.Replace(good, c.from, c.to, 1)
	if bad == good {
		t.Fatalf("%s is not in %s", c.from, good)
	}
	if err := parse([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
		t.Errorf("%s for %s: %v, want …%s…", c.to, c.from, err, c.want)
	}
}

func TestALeafThatBreaksTheFormatIsRefused(t *testing.T) {
	leaves := vectorJCS(t, "leaves")
	parse := func(b []byte) error { _, err := liaison.ParseLeaf(b); return err }
	for what, c := range map[string]badText{
		"an object at its first door":                 {`"kind":"object"`, `"kind":"thing"`, "unknown kind"},
		"an object by relay":                          {`"index":17`, `"index":9007199254740992`, "beyond 2^53-1"},
		"an erasure":                                  {`"kind":"erasure"`, `"kind":"closed"`, "counts belongs to closed"},
		"a new generation opens":                      {`"kind":"opened"`, `"kind":"object"`, "names an act"},
		"a deadline for no party":                     {`"counts":[]`, `"counts":null`, "/counts is null"},
		"a deadline at which two acts count":          {`"kind":"closed"`, `"kind":"object"`, "counts belongs to closed"},
		"another act for an object that is here":      {`/1"}`, `/01"}`, "generation"},
		"an object by relay, from the first leaf":     {`"origin":"seoul`, `"origin":"seoul/x`, "office/collection/generation"},
		"the identity of another object that is here": {`"v":"leaf/1"`, `"v":"leaf/2"`, "leaf/1"},
	} {
		checkBad(t, leaves[what], c, parse)
	}
	if err := parse(make([]byte, liaison.MaxLeafBytes+1)); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("a leaf over the limit: %v", err)
	}
}

// No value of these types has two texts, and reading what was written gives
// the value.
func TestEveryNameHasOneSpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var genesis liaison.Hash
		copy(genesis[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "genesis"))
		area := liaison.Area(rapid.StringMatching(`[a-z0-9]{1,20}`).Draw(t, "area"))
		c := liaison.CollectionOf(genesis, area, rapid.Uint32Min(1).Draw(t, "epoch"))
		o := liaison.Origin{Office: "tokyo.example.org", Collection: c, Generation: rapid.Uint32Min(1).Draw(t, "generation")}
		if got, err := liaison.ParseOrigin(o.String()); err != nil || got != o {
			t.Fatalf("%s: %v, %v", o, got, err)
		}
		if _, err := liaison.ParseCollectionID(strings.ToUpper(c.String())); err == nil && strings.ToUpper(c.String()) != c.String() {
			t.Fatalf("%s is read in upper case", c)
		}
		at := liaison.InstantOf(time.UnixMicro(rapid.Int64Range(-1e15, 1e16).Draw(t, "at")))
		if got, err := liaison.ParseInstant(at.String()); !at.IsZero() && (err != nil || got != at) {
			t.Fatalf("%s: %v, %v", at, got, err)
		}
		if got, err := liaison.ParseHash(genesis.String()); err != nil || got != genesis {
			t.Fatalf("%s: %v", genesis, err)
		}
	})
}

func TestHashesHaveOneSpelling(t *testing.T) {
	good := liaison.H().String()
	for _, s := range []string{"", good[:43], good + "=", good[:42] + "V=", good[:20] + "\n" + good[20:], strings.Replace(good, "+", "-", 1)} {
		if s == good {
			t.Fatal("nothing was changed")
		}
		if _, err := liaison.ParseHash(s); err == nil {
			t.Errorf("%q is read as a hash", s)
		}
	}
}

func TestCollectionsAreUUIDsAndNeverShared(t *testing.T) {
	seen := map[liaison.CollectionID]bool{}
	for _, area := range []liaison.Area{"a", "ab", "abc"} {
		for epoch := range uint32(50) {
			c := liaison.CollectionOf(liaison.H(), area, epoch+1)
			if seen[c] || c.String()[14] != '4' || !strings.ContainsRune("89ab", rune(c.String()[19])) {
				t.Errorf("%s", c)
			}
			seen[c] = true
		}
	}
}

func TestWhatIsNotUnderstoodInControlDataIsRefused(t *testing.T) {
	programme := func(b []byte) error { _, err := liaison.ParseProgramme(b); return err }
	p := vectors[[]struct{ Unsigned string }](t, "programmes")
	for _, c := range []badText{
		{`"areas":`, `"audience":[],"areas":`, `"audience"`},
		{`"ceiling":"TLP:AMBER+STRICT"`, `"ceiling":null`, "/ceiling is null"},
		{`"kind":"partnership"`, `"kind":"secret"`, "/kind"},
		{`"spec_version":"2.1"`, `"spec_version":"2.0"`, "/spec_version"},
		{`"version":1`, `"version":2`, "/genesis"},
		{`"version":1`, `"version":1.5`, "version"},
		{`"version":1`, `"version":9007199254740993`, "beyond 2^53-1"},
		{`"role":"participant"`, `"role":"owner"`, "/parties/0/role"},
		{`"until":"2030-`, `"until":"2020-`, "/parties/1/until"},
		{`"until":"2030-01-01T00:00:00.000000Z"`, `"until":"1970-01-01T00:00:00.000000Z"`, "no instant"},
		{`"areas":["cyber"`, `"areas":["charter"`, "/areas/0"},
		{`"comment":["tokyo`, `"comment":["paris`, "/comment/0"},
		{`"alias":"east-north"`, `"alias":"East"`, "/alias"},
	} {
		checkBad(t, p[0].Unsigned, c, programme)
	}
}

// A small programme makes no office count for a minute: an epoch is listed
// once, and its number is bounded by the version and by constants.
func TestEpochsAreBounded(t *testing.T) {
	programme := func(b []byte) error { _, err := liaison.ParseProgramme(b); return err }
	second := vectors[[]struct{ Unsigned string }](t, "programmes")[1].Unsigned
	for _, c := range []badText{
		{`{"area":"cyber","number":2}`, `{"area":"charter","number":2}`, `/epochs/1: "charter" is listed twice`},
		{`{"area":"cyber","number":2}`, `{"area":"cyber","number":3}`, "/epochs/1/number is 3 in version 2"},
		{`{"area":"cyber","number":2}`, `{"area":"cyber","number":1}`, "/epochs/1"},
		{`{"area":"cyber","number":2}`, `{"area":"space","number":2}`, "/epochs/1"},
		{`{"area":"cyber","number":2}`, `{"area":"cyber","number":1001}`, "the limit is 1000"},
	} {
		checkBad(t, second, c, programme)
	}
	later := strings.Replace(second, `"version":2`, `"version":2000`, 1)
	var areas, epochs []string
	for i := range 6 {
		areas, epochs = append(areas, fmt.Sprintf(`"a%d"`, i)), append(epochs, fmt.Sprintf(`{"area":"a%d","number":1000}`, i))
	}
	with := func(n int) string {
		s := regexp.MustCompile(`"areas":\[[^]]*\]`).ReplaceAllString(later, `"areas":[`+strings.Join(areas, ",")+`]`)
		return regexp.MustCompile(`"epochs":\[[^]]*\]`).ReplaceAllString(s, `"epochs":[`+strings.Join(epochs[:n], ",")+`]`)
	}
	if err := programme([]byte(with(5))); err != nil {
		t.Error(err)
	}
	if err := programme([]byte(with(6))); err == nil || !strings.Contains(err.Error(), "add up to 6000, the limit is 5000") {
		t.Errorf("six areas of 1000 epochs: %v", err)
	}
}

func TestAnAreaHasUpTo63Bytes(t *testing.T) {
	if _, err := liaison.ParseArea(strings.Repeat("a", liaison.MaxAreaBytes)); err != nil {
		t.Error(err)
	}
	if _, err := liaison.ParseArea(strings.Repeat("a", liaison.MaxAreaBytes+1)); err == nil {
		t.Error("an area that is longer is taken")
	}
}

func TestSignaturesAreNoPartOfWhatIsSigned(t *testing.T) {
	s := vectors[[]struct{ Unsigned, Object string }](t, "signed")
	for i, v := range s {
		a, err := liaison.Unsigned([]byte(v.Object))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := liaison.Unsigned(a); err != nil || string(a) != v.Unsigned || string(b) != v.Unsigned {
			t.Errorf("%d: %s", i, a)
		}
		bad := strings.Replace(v.Object, `"extension_type":"property-extension","signatures"`, `"extension_type":"x","signatures"`, 1)
		if _, _, err := liaison.SignedText([]byte(bad)); err == nil || !strings.Contains(err.Error(), "extension_type") {
			t.Errorf("%d: what no signature covers may change: %v", i, err)
		}
	}
}

func TestReceiptsSayWhereTheyAreWrong(t *testing.T) {
	r := vectors[[]struct{ Receipt jsontext.Value }](t, "receipts")[0].Receipt
	good := string(liaison.JCS(r))
	parse := func(b []byte) error { _, err := liaison.ParseReceipt(b); return err }
	for _, c := range []badText{
		{`"v":"receipt/1"`, `"v":"receipt/2"`, "receipt/1"},
		{`"v":"receipt/1"`, `"v":"receipt/1","note":""`, `"note"`},
		{`"kind":"object"`, `"kind":"objects"`, "hops/0: leaf: unknown kind"},
		{`"object":{`, `"object":null,"o":{`, "/object is null"},
		{`"size":2`, `"size":-2`, "size"},
		{`"act":{`, `"act":{"v":"act/1",`, "duplicate"},
	} {
		checkBad(t, good, c, parse)
	}
}

// What is read is what is written: no text but the canonical one is read, so
// two readers never hash different bytes.
func FuzzAct(f *testing.F) {
	for _, text := range vectorJCS(f, "acts") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if a, err := liaison.ParseAct([]byte(in)); err == nil && string(liaison.JCS(a)) != in {
			t.Errorf("%q is written as %q", in, liaison.JCS(a))
		}
	})
}

func FuzzLeaf(f *testing.F) {
	for _, text := range vectorJCS(f, "leaves") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if l, err := liaison.ParseLeaf([]byte(in)); err == nil && string(liaison.JCS(l)) != in {
			t.Errorf("%q is written as %q", in, liaison.JCS(l))
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add("tokyo.example.org/f3fc1a97-f84d-4d66-b9a8-2c5ab22676d8/2", "2026-03-02T08:15:30.250000Z")
	f.Fuzz(func(t *testing.T, origin, instant string) {
		if o, err := liaison.ParseOrigin(origin); err == nil && o.String() != origin {
			t.Errorf("%q is written as %q", origin, o)
		}
		if i, err := liaison.ParseInstant(instant); err == nil && !i.IsZero() && i.String() != instant {
			t.Errorf("%q is written as %q", instant, i)
		}
	})
}

// Whatever a control object says, signing it does not change what is signed.
func FuzzControl(f *testing.F) {
	for _, v := range vectors[[]struct{ Object string }](f, "signed") {
		f.Add(v.Object)
	}
	f.Fuzz(func(t *testing.T, in string) {
		text, _, err := liaison.SignedText([]byte(in))
		if err != nil {
			return
		}
		signed, err := liaison.WithSignatures([]byte(in), "— k AAAAAAA=")
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		if again, _, err := liaison.SignedText(signed); err != nil || again != text {
			t.Errorf("%q is signed as %q, then as %q (%v)", in, text, again, err)
		}
	})
}

func ExampleCollectionOf() {
	genesis, _ := liaison.ParseHash("aPoqtOPp8dUrzfhNkIjxAS19zlJ8Y3MBzzLsZJacPiQ=")
	fmt.Println(liaison.CollectionOf(genesis, "cyber", 1))
	fmt.Println(liaison.CollectionOf(genesis, "cyber", 2))
	// Output:
	// 3438acbe-d98b-4285-a74f-8ee4509650aa
	// 2a5a0d3d-fa2e-4e19-86fd-781ac18f5d63
}
