package taxii_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/taxii"
)

// versioned is a server with note 1 in three versions, note 2 in one, and an
// observable without any.
func versioned(t *testing.T) *server {
	s := newServer(t, taxii.Config{})
	s.post(cyber, envelope(note(1, 0), note(2, 0), note(1, 1), note(1, 2),
		`{"type":"domain-name","spec_version":"2.1","id":"domain-name--00000000-0000-5000-8000-000000000000","value":"example.org"}`)).want(202)
	return s
}

func contents(a *answer) (texts []string) {
	a.t.Helper()
	for _, o := range a.envelope().Objects {
		_, text, _ := strings.Cut(string(o), `"content":"`)
		text, _, _ = strings.Cut(text, `"`)
		texts = append(texts, text)
	}
	return texts
}

func TestE1E2E4VersionsAreChosenAsAsked(t *testing.T) {
	s := versioned(t)
	of := objectsOf + "?match[type]=note"
	for query, want := range map[string][]string{
		"":                                     {"note 2, version 0", "note 1, version 2"},
		"&match[version]=last":                 {"note 2, version 0", "note 1, version 2"},
		"&match[version]=first":                {"note 1, version 0", "note 2, version 0"},
		"&match[version]=first,last":           {"note 1, version 0", "note 2, version 0", "note 1, version 2"},
		"&match[version]=all":                  {"note 1, version 0", "note 2, version 0", "note 1, version 1", "note 1, version 2"},
		"&match[version]=2026-01-02T00:00:00Z": {"note 1, version 1"},
		"&match[version]=2026-01-02T00:00:00.000000000Z": {"note 1, version 1"},
		"&match[version]=2026-01-02T09:00:00%2B09:00":    {"note 1, version 1"},
		"&match[version]=2026-01-02T09:00:00 09:00,last": {"note 2, version 0", "note 1, version 1", "note 1, version 2"},
		"&match[version]=2026-01-02T00:00:00.0000001Z":   nil,
	} {
		if got := contents(s.ask(of + query)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

func TestD13D14EveryManifestRecordLeadsToItsObject(t *testing.T) {
	s := versioned(t)
	var m taxii.Manifest
	s.ask(manifestOf + "?match[version]=all").want(200).into(&m)
	if len(m.Objects) != 5 {
		t.Fatalf("manifest %+v", m)
	}
	for _, r := range m.Objects {
		if r.MediaType != taxii.STIXMediaType || r.DateAdded == "" {
			t.Errorf("record %+v", r)
		}
		got := s.ask(fmt.Sprintf("%s?match[id]=%s&match[version]=%s", objectsOf, r.ID, r.Version)).ids()
		if !slices.Equal(got, []string{r.ID}) {
			t.Errorf("record %+v leads to %v", r, got)
		}
	}
}

func TestE5E7FieldsAreAndedValuesOredUnknownFieldsIgnored(t *testing.T) {
	s := versioned(t)
	domain := "domain-name--00000000-0000-5000-8000-000000000000"
	for query, want := range map[string][]string{
		"?match[type]=domain-name":                                       {domain},
		"?match[type]=domain-name,malware":                               {domain},
		"?match[type]=domain-name,note":                                  {noteID(2), noteID(1), domain},
		"?match[id]=" + noteID(1) + "," + noteID(2):                      {noteID(2), noteID(1)},
		"?match[id]=" + noteID(1) + "," + domain + "&match[type]=note":   {noteID(1)},
		"?match[id]=" + noteID(1) + "&match[type]=domain-name":           nil,
		"?match[foo]=x&match[foo]=y&order=password%20desc&user_id=marko": {noteID(2), noteID(1), domain},
		"?match[spec_version]=2.1&match[type]=note":                      {noteID(2), noteID(1)},
		"?match[spec_version]=2.0":                                       nil,
	} {
		if got := s.ask(objectsOf + query).ids(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

func TestE8AnObjectIsServedByItsId(t *testing.T) {
	s := versioned(t)
	of := objectsOf + noteID(1) + "/"
	for query, want := range map[string][]string{
		"":                    {"note 1, version 2"},
		"?match[version]=all": {"note 1, version 0", "note 1, version 1", "note 1, version 2"},
		"?match[id]=" + noteID(2) + "&match[type]=malware": {"note 1, version 2"},
		"?match[version]=all&limit=2":                      {"note 1, version 0", "note 1, version 1"},
	} {
		if got := contents(s.ask(of + query)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

func TestE9VersionsListsTheVersionsOfOneObject(t *testing.T) {
	s := versioned(t)
	of := objectsOf + noteID(1) + "/versions/"
	all := []string{"2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"}
	for query, want := range map[string][]string{"": all, "?match[version]=last": all, "?match[id]=" + noteID(2): all, "?limit=2": all[:2]} {
		var v taxii.Versions
		a := s.ask(of + query).want(200)
		a.into(&v)
		if !slices.Equal(v.Versions, want) || v.More != (len(want) < len(all)) || a.Header.Get("X-TAXII-Date-Added-First") == "" {
			t.Errorf("%q: %s", query, a.transcript())
		}
	}
}
