package taxii_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/taxii"
)

func TestA11A12E3AMalformedParameterIsNamed(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 1)
	for query, name := range map[string]string{
		"limit=0":                                 "limit",
		"limit=00":                                "limit",
		"limit=-1":                                "limit",
		"limit=+1":                                "limit",
		"limit=abc":                               "limit",
		"limit=1.5":                               "limit",
		"limit=":                                  "limit",
		"limit=1&limit=1":                         "limit",
		"limit=1&limit=100":                       "limit",
		"limit=0x10":                              "limit",
		"limit=%D9%A1":                            "limit", // an Arabic one
		"added_after=":                            "added_after",
		"added_after=yesterday":                   "added_after",
		"added_after=2026-01-01":                  "added_after",
		"added_after=2026-01-01T00:00:00":         "added_after",
		"added_after=2026-01-01T00:00:00.Z":       "added_after",
		"added_after=2026-01-01T00:00:00.1xZ":     "added_after",
		"added_after=2026-01-01T24:00:00Z":        "added_after",
		"added_after=2026-02-30T00:00:00Z":        "added_after",
		"added_after=2026-01-01 00:00:00Z":        "added_after",
		"added_after=2026-01-01T00:00:00%2B09:00": "added_after",
		"added_after=2026-01-01T00:00:00-00:00":   "added_after",
		"added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z": "added_after",
		"added_after=2026-01-01T00:00:00." + strings.Repeat("1", 99) + "Z":  "added_after",
		"next=":                       "next",
		"next=AAAA":                   "next",
		"next=%00":                    "next",
		"next=a&next=a":               "next",
		"match[id]=a&match[id]=b":     "match[id]",
		"match%5Bid%5D=a&match[id]=b": "match[id]",
		"match[type]=":                "match[type]",
		"match[type]=note,,report":    "match[type]",
		"match[type]=" + strings.Repeat("a,", taxii.MaxMatchValues) + "a": "match[type]",
		"match[spec_version]=2.1&match[spec_version]=2.0":                 "match[spec_version]",
		"match[version]=":                             "match[version]",
		"match[version]=newest":                       "match[version]",
		"match[version]=LAST":                         "match[version]",
		"match[version]=2026":                         "match[version]",
		"match[version]=all,last":                     "match[version]",
		"match[version]=first,all":                    "match[version]",
		"match[version]=all,2026-01-01T00:00:00Z":     "match[version]",
		"match[version]=all,all":                      "match[version]",
		"match[version]=last,last":                    "match[version]",
		"match[version]=first,first,last":             "match[version]",
		"match[version]=last&match[version]=last":     "match[version]",
		"limit=%zz":                                   "query",
		"limit=1;added_after=2026-01-01T00:00:00.00Z": "query",
	} {
		for _, of := range []string{objectsOf, manifestOf, objectsOf + noteID(0) + "/", objectsOf + noteID(0) + "/versions/"} {
			var m taxii.ErrorMessage
			s.ask(of + "?" + query).want(400).into(&m)
			if !strings.HasPrefix(m.Description, "parameter "+name+": ") {
				t.Errorf("%s: %q does not name %s", query, m.Description, name)
			}
		}
	}
}

func TestD10LenientTimestampsAreRead(t *testing.T) {
	for given, want := range map[string]string{
		"2026-01-02T03:04:05.123456Z":      "2026-01-02T03:04:05.123456Z",
		"2026-01-02T03:04:05Z":             "2026-01-02T03:04:05.000000Z",
		"2026-01-02T03:04:05.1Z":           "2026-01-02T03:04:05.100000Z",
		"2026-01-02T03:04:05.123Z":         "2026-01-02T03:04:05.123000Z",
		"2026-01-02T03:04:05.123456789Z":   "2026-01-02T03:04:05.123456Z",
		"2026-01-02T03:04:05+00:00":        "2026-01-02T03:04:05.000000Z",
		"2026-01-02T03:04:05%2B00:00":      "2026-01-02T03:04:05.000000Z",
		"2026-01-02T03:04:05.999999+00:00": "2026-01-02T03:04:05.999999Z",
		"0001-01-01T00:00:00Z":             "0001-01-01T00:00:00.000000Z",
		"9999-12-31T23:59:59.999999Z":      "9999-12-31T23:59:59.999999Z",
	} {
		q, err := taxii.ParseQuery("added_after="+given, 10)
		if err != nil || q.AddedAfter != want {
			t.Errorf("%s: %q, %v; want %s", given, q.AddedAfter, err, want)
		}
	}
}

func TestParametersAreReadAsMeant(t *testing.T) {
	last := []string{taxii.VersionLast}
	for raw, want := range map[string]taxii.Query{
		"":                                   {Limit: 50, Match: taxii.Match{Version: last}},
		"limit=7":                            {Limit: 7, Match: taxii.Match{Version: last}},
		"limit=007":                          {Limit: 7, Match: taxii.Match{Version: last}},
		"limit=51":                           {Limit: 50, Match: taxii.Match{Version: last}},
		"limit=1000000000":                   {Limit: 50, Match: taxii.Match{Version: last}},
		"limit=99999999999999999999999999":   {Limit: 50, Match: taxii.Match{Version: last}},
		"next=a%2Bb%20c":                     {Limit: 50, Next: "a+b c", Match: taxii.Match{Version: last}},
		"order=password&match[foo]=x&LIMIT=": {Limit: 50, Match: taxii.Match{Version: last}},
		"user_id=1&user_id=2":                {Limit: 50, Match: taxii.Match{Version: last}},
		"match[type]=note,report&match[id]=b,a,b": {Limit: 50, Match: taxii.Match{
			ID: []string{"b", "a", "b"}, Type: []string{"note", "report"}, Version: last}},
		"match[type]=a'%20OR%201=1--": {Limit: 50, Match: taxii.Match{Type: []string{"a' OR 1=1--"}, Version: last}},
		"match[version]=first,last":   {Limit: 50, Match: taxii.Match{Version: []string{"first", "last"}}},
		"match%5Bversion%5D=all":      {Limit: 50, Match: taxii.Match{Version: []string{"all"}}},
		"match[version]=2026-01-01T00:00:00.1234567Z,2026-01-01T09:00:00 09:00": {Limit: 50, Match: taxii.Match{
			Version: []string{"2026-01-01T00:00:00.1234567Z", "2026-01-01T09:00:00+09:00"}}},
		"match[spec_version]=2.0,2.1": {Limit: 50, Match: taxii.Match{Version: last, SpecVersion: []string{"2.0", "2.1"}}},
	} {
		got, err := taxii.ParseQuery(raw, 50)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", raw, got, err, want)
		}
	}
}

func TestEqualFiltersHaveOneKey(t *testing.T) {
	key := func(raw string) string {
		q, err := taxii.ParseQuery(raw, 1)
		if err != nil {
			t.Fatal(err)
		}
		return q.Match.Key()
	}
	if key("match[type]=a,b&match[id]=x") != key("match[id]=x,x&match[type]=b,a&limit=1") || key("") != key("match[version]=last") {
		t.Error("equal filters, different keys")
	}
	different := []string{"", "match[id]=a", "match[type]=a", "match[type]=a,b", "match[type]=a%20b", "match[id]=a&match[type]=b",
		"match[version]=all", "match[version]=first", "match[spec_version]=a", `match[type]=a"+"b`, "match[type]=a%0a"}
	seen := map[string]string{}
	for _, raw := range different {
		if other, ok := seen[key(raw)]; ok {
			t.Errorf("%q and %q have one key", raw, other)
		}
		seen[key(raw)] = raw
	}
}

// FuzzParseQuery: whatever comes, a query that was read means the same when
// written and read again, and stays within its bounds.
func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{
		"", "limit=1&added_after=2026-01-02T03:04:05.123456Z&next=abc",
		"match[id]=note--1,note--2&match[type]=note&match[version]=first,last&match[spec_version]=2.1",
		"match[version]=2026-01-01T00:00:00 09:00", "limit=0&limit=1", "added_after=2026-01-01T00:00:00+00:00", "%zz", "match%5bid%5d=%ff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := taxii.ParseQuery(raw, 100)
		if err != nil {
			var values url.Values
			if values, _ = url.ParseQuery(raw); len(values) == 0 && !strings.Contains(raw, "%") && !strings.Contains(raw, ";") {
				t.Fatalf("%q has no parameter and is refused: %v", raw, err)
			}
			return
		}
		if q.Limit < 1 || q.Limit > 100 || len(q.Match.Version) == 0 {
			t.Fatalf("%q: %+v", raw, q)
		}
		again, err := taxii.ParseQuery(q.Values().Encode(), 100)
		if err != nil || !reflect.DeepEqual(q, again) {
			t.Fatalf("%q: %+v, again %+v, %v", raw, q, again, err)
		}
	})
}

// FuzzAccepts: no header makes it fail, and adding the exact type never makes a
// server refuse what it served.
func FuzzAccepts(f *testing.F) {
	f.Add("text/html;q=0.5, */*;q=0.1")
	f.Add(`application/taxii+json;version="2.1";q=0`)
	f.Add("\"\\")
	f.Fuzz(func(t *testing.T, line string) {
		if taxii.Accepts([]string{line}) && !taxii.Accepts([]string{line, taxii.MediaType}) {
			t.Fatalf("%q is served, and not with the exact type beside it", line)
		}
	})
}

// FuzzParseTimestamp: what is read is written with six decimals and read again
// as the same.
func FuzzParseTimestamp(f *testing.F) {
	for _, seed := range []string{"2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05 00:00", "2026-01-02T03:04:05.Z", "20260-1-02T03:04:05Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := taxii.ParseTimestamp(s)
		if err != nil {
			return
		}
		text := taxii.FormatTimestamp(at)
		again, err := taxii.ParseTimestamp(text)
		if err != nil || !again.Equal(at) || len(text) != len(taxii.TimestampLayout) || text[:19] != s[:19] {
			t.Fatalf("%q is written %q and read %v, %v", s, text, again, err)
		}
	})
}
