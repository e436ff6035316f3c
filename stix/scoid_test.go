package stix_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// An idRow is an observable without its id, and the id it should have.
type idRow struct {
	Source     string         `json:"source"`
	Object     jsontext.Value `json:"object"`
	InSource   string         `json:"id_in_source"`
	ExpectedID stix.ID        `json:"expected_id"`
}

func (r idRow) withID(t *testing.T, id string) *stix.Object {
	return parse(t, `{"id":"`+id+`",`+string(r.Object)[1:])
}

func TestDeterministicIDsAgreeWithOtherPrograms(t *testing.T) {
	for _, file := range []string{"sco-ids-spec.jsonl", "sco-ids-real.jsonl"} {
		n, follow := 0, 0
		for _, r := range rows[idRow](t, filepath.Join(shared(t), "corpora", "stix", file)) {
			n++
			o := r.withID(t, r.InSource)
			id, ok := stix.DeterministicSCOID(o)
			if !ok || id != r.ExpectedID {
				t.Errorf("%s: %s, %t, want %s for %s", r.Source, id, ok, r.ExpectedID, r.Object)
			}
			want := stix.SCOIDDiffers
			if o.ID() == r.ExpectedID {
				want = stix.SCOIDFollows
				follow++
			}
			if got := stix.CheckSCOID(o); got != want {
				t.Errorf("%s: verdict %d, want %d", o.ID(), got, want)
			}
		}
		t.Logf("%s: %d rows, %d of the sources follow the rule", file, n, follow)
	}
}

func TestTheVerdictOnAnID(t *testing.T) {
	const v5, v4 = "7a67ad68-c296-5b45-877a-901c4725ccff", "3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f"
	const versions = `,"created":"2026-01-02T03:04:05.000Z","modified":"2026-01-02T03:04:05.000Z"`
	for in, want := range map[string]stix.SCOIDVerdict{
		`{"type":"url","id":"url--` + v5 + `","value":"https://example.org/"}`:                           stix.SCOIDFollows,
		`{"type":"url","id":"url--` + strings.ToUpper(v5) + `","value":"https://example.org/"}`:          stix.SCOIDFollows,
		`{"type":"url","id":"url--` + v5 + `","value":"https:\/\/example.org\u002f"}`:                    stix.SCOIDFollows,
		`{"type":"url","id":"url--` + v5 + `","value":"https://example.org/a"}`:                          stix.SCOIDDiffers,
		`{"type":"url","id":"url--` + v4 + `","value":"https://example.org/"}`:                           stix.SCOIDDiffers,
		`{"type":"url","id":"url--` + v5 + `","value":"https://example.org/"` + versions + `}`:           stix.SCOIDVersioned,
		`{"type":"url","id":"url--` + v4 + `","value":"https://example.org/"` + versions + `}`:           stix.SCOIDDiffers,
		`{"type":"url","id":"url--` + v4 + `","value":null}`:                                             stix.SCOIDFollows,
		`{"type":"process","id":"process--` + v4 + `","pid":1}`:                                          stix.SCOIDFollows,
		`{"type":"process","id":"process--` + strings.ToUpper(v4) + `","pid":1}`:                         stix.SCOIDFollows,
		`{"type":"process","id":"process--` + v5 + `","pid":1}`:                                          stix.SCOIDNotRandom,
		`{"type":"process","id":"process--` + strings.Replace(v4, "-9b7f", "-cb7f", 1) + `","pid":1}`:    stix.SCOIDNotRandom,
		`{"type":"file","id":"file--` + v5 + `","hashes":{},"size":3}`:                                   stix.SCOIDNotRandom,
		`{"type":"note","id":"note--` + v5 + `","value":"https://example.org/"}`:                         stix.SCOIDFree,
		`{"type":"x-a","id":"x-a--` + v5 + `","extensions":{"x":{"extension_type":"new-sco"}},"name":1}`: stix.SCOIDFree,
	} {
		o := parse(t, in)
		if got := stix.CheckSCOID(o); got != want {
			t.Errorf("%s: verdict %d, want %d", in, got, want)
		}
	}
}

func TestWithoutAContributingPropertyThereIsNoDeterministicID(t *testing.T) {
	for _, in := range []string{
		`{"type":"url","id":"url--` + uuid + `"}`,
		`{"type":"url","id":"url--` + uuid + `","value":null}`,
		`{"type":"file","id":"file--` + uuid + `","hashes":{},"size":3}`,
		`{"type":"process","id":"process--` + uuid + `","pid":1}`,
		`{"type":"note","id":"note--` + uuid + `","value":"a"}`,
	} {
		if id, ok := stix.DeterministicSCOID(parse(t, in)); ok || id != "" {
			t.Errorf("%s: %s", in, id)
		}
	}
}

func TestOneHashContributes(t *testing.T) {
	for hashes, chosen := range map[string]string{
		`{"SHA-512":"4","SHA-256":"3","SHA-1":"2","MD5":"1"}`: `{"MD5":"1"}`,
		`{"SHA-512":"4","SHA-256":"3","SHA-1":"2"}`:           `{"SHA-1":"2"}`,
		`{"SSDEEP":"5","SHA-512":"4","SHA-256":"3"}`:          `{"SHA-256":"3"}`,
		`{"SSDEEP":"5","SHA-512":"4","AAA":"6"}`:              `{"SHA-512":"4"}`,
		`{"TLSH":"7","SSDEEP":"5"}`:                           `{"SSDEEP":"5"}`,
		`{"SSDEEP":"5","TLSH":"7"}`:                           `{"SSDEEP":"5"}`,
		`{"md5":"1","SHA3-256":"8"}`:                          `{"SHA3-256":"8"}`,
		`{"\u004dD5":"\u0031","SHA-1":"2"}`:                   `{"MD5":"1"}`,
	} {
		o := parse(t, `{"type":"file","id":"file--`+uuid+`","hashes":`+hashes+`,"name":"a"}`)
		want := stix.SCOID("file", []byte(`{"hashes":`+chosen+`,"name":"a"}`))
		if got, ok := stix.DeterministicSCOID(o); !ok || got != want {
			t.Errorf("%s: %s, want that of %s", hashes, got, chosen)
		}
	}
}

func TestTheIDIsThatOfTheCanonicalProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key, values := jsonValues(3).Draw(t, "key"), jsonValues(3).Draw(t, "values")
		if key == "null" || values == "null" {
			t.Skip("null is no value")
		}
		o, err := stix.Parse([]byte(`{"values":`+values+`,"x_a":1,"type":"windows-registry-key","key":`+key+`,"id":"windows-registry-key--`+uuid+`"}`), stix.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		jcs, err := stix.Canonical([]byte(`{"values":` + values + `,"key":` + key + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := stix.DeterministicSCOID(o); !ok || got != stix.SCOID("windows-registry-key", jcs) {
			t.Fatalf("%s is not the id of %s", got, jcs)
		}
	})
}

func BenchmarkCheckSCOID(b *testing.B) {
	for name, in := range map[string]string{
		"ipv4-addr": `{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"198.51.100.3"}`,
		"file": `{"type":"file","spec_version":"2.1","id":"file--` + uuid + `","hashes":{"SHA-1":"46aba99aa7158e4609aaa72b50990842fd22ae86",` +
			`"MD5":"8764605c6f388c89096b534d33565802"},"size":35,"name":"oui","parent_directory_ref":"directory--34cb1a7c-55ec-412a-8684-ba4a88d83a45"}`,
	} {
		o := parse(b, in)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stix.CheckSCOID(o)
			}
		})
	}
}

func BenchmarkDeterministicSCOID(b *testing.B) {
	o := parse(b, `{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"198.51.100.3"}`)
	b.ReportAllocs()
	for b.Loop() {
		stix.DeterministicSCOID(o)
	}
}
