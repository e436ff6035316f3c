package stix_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// object is one of a type with what its category requires, and the members given.
func object(typ, members string) string {
	return `{"type":"` + typ + `","spec_version":"2.1","id":"` + typ + `--` + uuid + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",` + members + `}`
}

// observable is an object without versions.
func observable(typ, members string) string {
	return `{"type":"` + typ + `","spec_version":"2.1","id":"` + typ + `--` + uuid + `",` + members + `}`
}

// saidOf returns where findings of a code are, with their messages.
func saidOf(t *testing.T, in, code string) (said []string) {
	t.Helper()
	for _, f := range parse(t, in).Findings() {
		if f.Code == code {
			said = append(said, f.Pointer+": "+f.Message)
		}
	}
	return said
}

// TestLegalNeighboursOfWhatIsWrong: each rule refuses what breaks it and nothing beside it.
func TestLegalNeighboursOfWhatIsWrong(t *testing.T) {
	const indicator = `"name":"a","description":"b","indicator_types":["unknown"],"pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z",`
	traffic := func(protocols, extension string) string {
		return observable("network-traffic", `"src_ref":"ipv4-addr--`+uuid+`","protocols":[`+protocols+`],"extensions":{`+extension+`}`)
	}
	const request = `"http-request-ext":{"request_method":"get","request_value":"/"}`
	for name, c := range map[string]struct{ in, code, at string }{
		"a leap second":                         {object("campaign", `"name":"a","first_seen":"2016-12-31T23:59:60Z"`), stix.FindInstant, ""},
		"a second 60 at noon":                   {object("campaign", `"name":"a","first_seen":"2016-12-31T12:00:60Z"`), stix.FindInstant, "/first_seen"},
		"a reference to cve without number":     {object("vulnerability", `"name":"a","external_references":[{"source_name":"cve","url":"https://cve.org"}]`), stix.FindForm, ""},
		"a reference to CVE without number":     {object("vulnerability", `"name":"a","external_references":[{"source_name":"CVE","url":"https://cve.org"}]`), stix.FindForm, ""},
		"a number that is no CVE":               {object("vulnerability", `"name":"a","external_references":[{"source_name":"x","external_id":"1"},{"source_name":"cve","external_id":"2026-1"}]`), stix.FindForm, "/external_references/1/external_id"},
		"a CVE of a source in capitals":         {object("vulnerability", `"name":"a","external_references":[{"source_name":"CVE","external_id":"CVE-2026-12345"}]`), stix.FindForm, "/external_references/0/source_name"},
		"a CAPEC":                               {object("attack-pattern", `"name":"a","external_references":[{"source_name":"capec","external_id":"CAPEC-550"}]`), stix.FindForm, ""},
		"a hash under a name of one's own":      {observable("file", `"hashes":{"sha-256":"own","md5":"own"}`), stix.FindHash, ""},
		"a SHA-256 that is none":                {observable("file", `"hashes":{"SHA-256":"own"}`), stix.FindHash, "/hashes/SHA-256"},
		"a size of 1.0":                         {observable("file", `"name":"a","size":1.0`), stix.FindKind, ""},
		"a size of 1.5e1":                       {observable("file", `"name":"a","size":1.5e1`), stix.FindKind, ""},
		"a size of 10e-1":                       {observable("file", `"name":"a","size":10e-1`), stix.FindKind, ""},
		"a size of 0.0":                         {observable("file", `"name":"a","size":0.0e-7`), stix.FindKind, ""},
		"a size of 1.5":                         {observable("file", `"name":"a","size":1.5`), stix.FindKind, "/size"},
		"a size of 1.55e1":                      {observable("file", `"name":"a","size":1.55e1`), stix.FindKind, "/size"},
		"a size of 1e-1":                        {observable("file", `"name":"a","size":1e-1`), stix.FindKind, "/size"},
		"a size below 1 by a digit":             {observable("file", `"name":"a","size":0.99999999999999999999`), stix.FindKind, "/size"},
		"a size of -1.0":                        {observable("file", `"name":"a","size":-1.0`), stix.FindRange, "/size"},
		"a country in small letters":            {object("location", `"country":"th"`), stix.FindFormShould, ""},
		"a country in capitals":                 {object("location", `"country":"TH"`), stix.FindFormShould, ""},
		"a country that does not exist":         {object("location", `"country":"zz"`), stix.FindFormShould, "/country"},
		"a country of three letters":            {object("location", `"country":"tha"`), stix.FindFormShould, "/country"},
		"a region within a region":              {object("location", `"region":"south-eastern-asia"`), stix.FindVocabulary, ""},
		"a region of one's own":                 {object("location", `"region":"the-moon"`), stix.FindVocabulary, "/region"},
		"a pattern that STIX forbids":           {object("indicator", indicator+`"pattern":"[file:name = 'a'] WITHIN 0 SECONDS"`), stix.FindForbidden, "/pattern"},
		"a pattern hardly meant":                {object("indicator", indicator+`"pattern":"[file:name = 'a'] START t'2026-01-02T00:00:00Z' STOP t'2026-01-01T00:00:00Z'"`), stix.FindDoubtful, "/pattern"},
		"a pattern hardly meant breaks nothing": {object("indicator", indicator+`"pattern":"[file:name = 'a'] START t'2026-01-02T00:00:00Z' STOP t'2026-01-01T00:00:00Z'"`), stix.FindForbidden, ""},
		"a pattern":                             {object("indicator", indicator+`"pattern":"[file:name = 'a'] WITHIN 1 SECONDS"`), stix.FindForbidden, ""},
		"a hash in a pattern that is none":      {object("indicator", indicator+`"pattern":"[file:hashes.'SHA-256' = 'abc']"`), stix.FindPattern, "/pattern"},
		"an extension and its protocol":         {traffic(`"tcp","http"`, request), stix.FindRecommended, ""},
		"http is not https":                     {traffic(`"tcp","https"`, request), stix.FindRecommended, "/protocols"},
		"icmp is not icmp6":                     {traffic(`"icmp6"`, `"icmp-ext":{"icmp_type_hex":"08","icmp_code_hex":"00"}`), stix.FindRecommended, "/protocols"},
		"a request of one's own":                {traffic(`"tcp"`, `"foo-request-ext":{"a":1}`), stix.FindRecommended, ""},
	} {
		said := saidOf(t, c.in, c.code)
		if c.at == "" && len(said) > 0 || c.at != "" && (len(said) != 1 || !strings.HasPrefix(said[0], c.at+": ")) {
			t.Errorf("%s: %s %q, want it at %q", name, c.code, said, c.at)
		}
	}
}

// TestAPatternThatTheReferencesTakeIsNotRefused: strict mode follows them, and says what the
// specification forbids.
func TestAPatternThatTheReferencesTakeIsNotRefused(t *testing.T) {
	o := parse(t, object("indicator", `"pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","pattern":"[file:name = 'a'] WITHIN 0 SECONDS"`))
	if f, refused := stix.Strict.Refuses(o.Findings()); refused {
		t.Errorf("refused for %+v", f)
	}
	if !slices.ContainsFunc(o.Findings(), func(f stix.Finding) bool { return f.Code == stix.FindForbidden && f.Level == stix.KnownDefect }) {
		t.Errorf("%+v do not say that it is forbidden", o.Findings())
	}
}

// TestAWholeNumberIsReadHoweverItIsWritten: a view says what the finding does.
func TestAWholeNumberIsReadHoweverItIsWritten(t *testing.T) {
	for text, want := range map[string]int64{"15": 15, "15.0": 15, "1.5e1": 15, "150e-1": 15, "1.55e1": 0, "1e300": 0} {
		f, ok := stix.AsFile(parse(t, observable("file", `"name":"a","size":`+text)))
		if !ok || f.Size() != want {
			t.Errorf("%s is read as %d, want %d", text, f.Size(), want)
		}
	}
}
