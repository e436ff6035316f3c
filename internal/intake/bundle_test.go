package intake

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

func bundleOf(t fataler, raw []byte, opt Options) []byte {
	a, err := ReadText(raw)
	if err != nil {
		t.Fatalf("%v", err)
	}
	b, err := a.Bundle(raw, opt)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b
}

const author stix.ID = "identity--5a2b6a3e-9d2f-4a0e-8a35-0d5e0a9d7c11"

// TestTheInstantOfCaptureChangesTimestampsOnly for any instant.
func TestTheInstantOfCaptureChangesTimestampsOnly(t *testing.T) {
	raw := SamplePage()
	const form = "2006-01-02T15:04:05.000Z"
	want := bundleOf(t, raw, Options{At: captured})
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1_000_000_000, 4_000_000_000).Draw(t, "at"), 0).UTC()
		got := bundleOf(t, raw, Options{At: at})
		got = bytes.ReplaceAll(got, []byte(at.Format(form)), []byte(captured.Format(form)))
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Fatalf("more than timestamps changed:\n%s", d)
		}
	})
}

// TestOtherBytesAreAnotherNote: one byte more gives other ids, save for the
// objects that are the same everywhere.
func TestOtherBytesAreAnotherNote(t *testing.T) {
	raw := SamplePage()
	seen := map[stix.ID]bool{}
	for _, o := range objects(t, bundleOf(t, raw, Options{At: captured})) {
		seen[o.ID()] = true
	}
	for _, o := range objects(t, bundleOf(t, append(raw, '\n'), Options{At: captured})) {
		same := o.ID() == ExtEvidence || o.ID() == projectIdentity || o.Type() == "marking-definition" || o.Type() == "url"
		if seen[o.ID()] != same {
			t.Errorf("%s: in both bundles: %v", o.ID(), seen[o.ID()])
		}
	}
}

// TestWhatIsTheSameEverywhereIsTheSameBytes: two notes in one collection must
// not conflict over the definition of the extension.
func TestWhatIsTheSameEverywhereIsTheSameBytes(t *testing.T) {
	constant := func(opt Options) map[stix.ID]string {
		m := map[stix.ID]string{}
		for _, o := range objects(t, bundleOf(t, SamplePage(), opt)) {
			if o.ID() == ExtEvidence || o.ID() == projectIdentity {
				m[o.ID()] = string(o.Bytes())
			}
		}
		return m
	}
	one := constant(Options{At: captured})
	two := constant(Options{At: captured.Add(time.Hour), Author: author, AuthorName: "Desk", Marking: stix.Amber, Name: "x"})
	if d := cmp.Diff(one, two); d != "" || len(one) != 2 {
		t.Errorf("%d constants:\n%s", len(one), d)
	}
}

// TestTheOfficersChoicesAreInEveryObject: marking and author; nothing dangles.
func TestTheOfficersChoicesAreInEveryObject(t *testing.T) {
	list := objects(t, bundleOf(t, SamplePage(), Options{At: captured, Author: author, AuthorName: "Desk", Marking: stix.Amber}))
	ids := map[stix.ID]bool{}
	for _, o := range list {
		ids[o.ID()] = true
	}
	for _, o := range list {
		for _, ref := range o.Refs() {
			if !ids[ref] {
				t.Errorf("%s refers to %s, which the bundle does not hold", o.ID(), ref)
			}
		}
		if o.Type() == "marking-definition" || o.ID() == ExtEvidence || o.ID() == projectIdentity {
			continue
		}
		if l := stix.LabelOf(o, nil); l.TLP != stix.Amber {
			t.Errorf("%s is labelled %v", o.ID(), l.TLP)
		}
		if !o.IsSCO() && o.CreatedByRef() != author {
			t.Errorf("%s is by %q", o.ID(), o.CreatedByRef())
		}
	}
}

// TestTheNoteHoldsTheParagraphsVerbatim: content is the bytes of the ranges,
// joined by an empty line.
func TestTheNoteHoldsTheParagraphsVerbatim(t *testing.T) {
	for name, raw := range pages(t) {
		for _, o := range objects(t, bundleOf(t, raw, Options{At: captured})) {
			if o.Type() != "note" {
				continue
			}
			var note struct {
				Content    string `json:"content"`
				Extensions map[stix.ID]struct {
					Paragraphs []struct{ Start, End int } `json:"paragraphs"`
				} `json:"extensions"`
			}
			if err := json.Unmarshal(o.Bytes(), &note, json.MatchCaseInsensitiveNames(true)); err != nil {
				t.Fatal(err)
			}
			var parts []string
			for _, p := range note.Extensions[ExtEvidence].Paragraphs {
				parts = append(parts, string(raw[p.Start:p.End]))
			}
			if d := cmp.Diff(strings.Join(parts, "\n\n"), note.Content); d != "" || len(parts) == 0 {
				t.Errorf("%s: %d paragraphs\n%s", name, len(parts), d)
			}
		}
	}
}

// TestAnAssumedZoneCanBeReplacedAndAPrintedOneCannot.
func TestAnAssumedZoneCanBeReplacedAndAPrintedOneCannot(t *testing.T) {
	const text = "\n\nThe council said on the evening of the meeting that the pier would open in the spring of next year.\n"
	for _, c := range []struct{ date, want string }{
		{"3 May 2023, 14:30", `"published":"2023-05-03T02:30:00.000Z"`},
		{"3 May 2023, 14:30 UTC", `"published":"2023-05-03T14:30:00.000Z"`},
	} {
		raw := []byte("The pier opens in spring\n" + c.date + text)
		b := bundleOf(t, raw, Options{At: captured, Zones: map[string]string{"en": "Pacific/Auckland"}})
		if !bytes.Contains(b, []byte(c.want)) {
			t.Errorf("%s: the bundle lacks %s", c.date, c.want)
		}
	}
	raw := []byte("The pier opens in spring\n3 May 2023, 14:30" + text)
	a, err := ReadText(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Bundle(raw, Options{At: captured, Zones: map[string]string{"en": "Auckland"}}); err == nil || !strings.Contains(err.Error(), "IANA") {
		t.Errorf("an unknown zone: %v", err)
	}
}

// TestAPageWithoutADateIsPublishedAsCaptured, and says so.
func TestAPageWithoutADateIsPublishedAsCaptured(t *testing.T) {
	raw := []byte("The pier opens in spring\n\nThe council said on the evening of the meeting that the pier would open in the spring of next year.\n")
	b := string(bundleOf(t, raw, Options{At: captured}))
	if !strings.Contains(b, `"published":"2026-11-23T14:20:00.000Z"`) || !strings.Contains(b, `"published_from":"capture"`) {
		t.Error(b)
	}
}

func TestChoicesThatCannotBeAreRefused(t *testing.T) {
	raw := SamplePage()
	a, err := ReadText(raw)
	if err != nil {
		t.Fatal(err)
	}
	for want, opt := range map[string]Options{
		"instant of capture":       {},
		"not the id of an":         {At: captured, Author: "note--5a2b6a3e-9d2f-4a0e-8a35-0d5e0a9d7c11"},
		"has a name but no id":     {At: captured, AuthorName: "Desk"},
		"no TLP level":             {At: captured, Marking: 9},
		"not the bytes the articl": {At: captured, Name: "other bytes"},
	} {
		page := raw
		if opt.Name != "" {
			page = append([]byte(" "), raw...)
		}
		if _, err := a.Bundle(page, opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestALongTextIsRefusedWithItsSize instead of an object nobody can store, and
// before it is searched for what is in it.
func TestALongTextIsRefusedWithItsSize(t *testing.T) {
	raw := []byte("The pier opens in spring\n\n" + strings.Repeat("The council said on the evening of the meeting that the pier would open next year.\n", MaxTextBytes/80))
	if a, err := ReadText(raw); err == nil || !strings.Contains(err.Error(), "the limit is 524288") {
		t.Errorf("%d paragraphs, error %v", len(a.Body), err)
	}
	p := newPage(raw[:MaxTextBytes-1000])
	if err := p.findBody(); err != nil {
		t.Fatal(err)
	}
	if err := p.checkSize(); err != nil {
		t.Errorf("a text within the limit: %v", err)
	}
}
