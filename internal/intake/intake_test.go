package intake

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

var captured = time.Date(2026, 11, 23, 14, 20, 0, 0, time.UTC)

// truth is what a careful analyst takes from the seed page, as far as this
// package goes.
type truth struct {
	Document struct {
		Language  string `json:"language"`
		Publisher struct{ Name string }
		Published time.Time `json:"published_utc"`
		Dateline  string    `json:"published_verbatim"`
		Comments  int       `json:"comments"`
		Views     int       `json:"views"`
		Title     string    `json:"title_verbatim"`
		Lede      string    `json:"lede_verbatim"`
		Photo     struct{ Credit, Caption string }
		Body      []string `json:"body_paragraphs_verbatim"`
		Related   []string `json:"related_verbatim"`
		Promo     []string `json:"promo_verbatim"`
		Chrome    []string `json:"chrome_verbatim"`
		Tags      []string `json:"tags"`
	} `json:"document"`
	Sources []struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	} `json:"sources_cited"`
}

func readTruth(t *testing.T, dir string) (truth, map[string]any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "seed", "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v truth
	var all map[string]any
	if err := json.Unmarshal(b, &v, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return v, all
}

// TestTheSeedPageSaysWhatItsTruthSays field by field.
func TestTheSeedPageSaysWhatItsTruthSays(t *testing.T) {
	dir := filepath.Dir(corpora.Path(t, "seed"))
	raw, err := os.ReadFile(filepath.Join(dir, "seed", "korrespondent-nato-tokyo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want, all := readTruth(t, dir)
	a, err := ReadText(raw)
	if err != nil {
		t.Fatal(err)
	}
	photo := all["document"].(map[string]any)["photo"].(map[string]any)
	equal := func(name string, got, want any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-truth +read):\n%s", name, d)
		}
	}
	d := want.Document
	equal("title", a.Title, d.Title)
	equal("lede", a.Lede, d.Lede)
	equal("publisher", a.Publisher, d.Publisher.Name)
	equal("language", a.Language, d.Language)
	equal("published", a.Published.Instant, d.Published)
	equal("published as printed", a.Published.Text, d.Dateline)
	equal("zone", a.Published.Zone, "Europe/Kyiv")
	equal("zone assumed", a.Published.Assumed, true)
	equal("photo credit", a.Credit, photo["credit"])
	equal("photo caption", a.Caption, photo["caption_verbatim"])
	equal("author", a.Author, "")
	equal("body", texts(a.Body), d.Body)
	equal("related", texts(a.Related), d.Related)
	equal("promo", texts(a.Promo), d.Promo)
	for _, line := range d.Chrome {
		if !slices.Contains(texts(a.Chrome), line) {
			t.Errorf("%q is not recognised as the site's", line)
		}
	}
	equal("tags", tagTexts(a), d.Tags)
	equal("sources", a.Sources[0].Name, want.Sources[0].Name)
	equal("number of named sources", len(a.Sources), 1)
	if a.Comments == nil || a.Views == nil || *a.Comments != d.Comments || *a.Views != d.Views {
		t.Errorf("counters: comments %v, views %v", a.Comments, a.Views)
	}
}

func texts(blocks []Block) []string {
	var list []string
	for _, b := range blocks {
		list = append(list, b.Text)
	}
	return list
}

func tagTexts(a *Article) []string {
	var list []string
	for _, t := range a.Tags {
		list = append(list, t.Text)
	}
	return list
}

// TestTheSeedBecomesAGraphWithoutAnAssertedTechnique: valid objects, nothing
// dangling, counters as observations, no technique.
func TestTheSeedBecomesAGraphWithoutAnAssertedTechnique(t *testing.T) {
	raw, err := os.ReadFile(corpora.Path(t, "seed", "korrespondent-nato-tokyo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	checkGraph(t, raw)
}

func checkGraph(t *testing.T, raw []byte) map[string]int {
	t.Helper()
	a, err := ReadText(raw)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := a.Bundle(raw, Options{At: captured})
	if err != nil {
		t.Fatal(err)
	}
	env, err := stix.ParseEnvelope(bundle, stix.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	count, ids := map[string]int{}, map[stix.ID]bool{}
	for _, it := range env.Objects {
		if it.Err != nil {
			t.Fatal(it.Err)
		}
		count[it.Object.Type()]++
		ids[it.Object.ID()] = true
		for _, f := range it.Object.Findings() {
			if f.Code == stix.FindUUIDVersion || f.Code == stix.FindVocabulary {
				continue // ids follow from the page, and no term says what an open source is
			}
			t.Errorf("%s: %s at %s: %s", it.Object.ID(), f.Code, f.Pointer, f.Message)
		}
		if l := stix.LabelOf(it.Object, nil); it.Object.Type() != "marking-definition" && l.TLP != stix.Clear {
			t.Errorf("%s is not marked", it.Object.ID())
		}
	}
	for _, it := range env.Objects {
		for _, ref := range it.Object.Refs() {
			if !ids[ref] {
				t.Errorf("%s refers to %s, which the bundle does not hold", it.Object.ID(), ref)
			}
		}
	}
	if count["attack-pattern"] > 0 || count["report"] != 1 || count["note"] != 1 || count["observed-data"] != 1 || count["file"] != 1 {
		t.Errorf("the graph holds %v", count)
	}
	return count
}

func pages(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(paths) < 4 {
		t.Fatalf("pages of our own: %v, %v", paths, err)
	}
	list := map[string][]byte{"demo-uk.txt": SamplePage()}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		list[filepath.Base(p)] = b
	}
	return list
}

// TestOurOwnPagesAreReadAsBefore compares what a person would be shown with
// files that a person has read.
func TestOurOwnPagesAreReadAsBefore(t *testing.T) {
	for name, raw := range pages(t) {
		t.Run(name, func(t *testing.T) {
			a, err := ReadText(raw)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := a.WriteText(&got); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", strings.TrimSuffix(name, ".txt")+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("(-before +now):\n%s", d)
			}
			checkSpans(t, raw, a)
			checkGraph(t, raw)
		})
	}
}

// fataler is what testing.T and rapid.T have in common.
type fataler interface{ Fatalf(string, ...any) }

// checkSpans reads every span again from the raw bytes.
func checkSpans(t fataler, raw []byte, a *Article) {
	spans := []Span{a.Where.Title, a.Where.Lede, a.Where.Publisher, a.Where.Author, a.Where.Credit, a.Where.Caption, a.Published.Span}
	for _, blocks := range [][]Block{a.Body, a.Related, a.Chrome, a.Promo} {
		for _, b := range blocks {
			spans = append(spans, b.Span)
		}
	}
	for _, x := range a.Tags {
		spans = append(spans, x.Span)
	}
	for _, x := range a.Sources {
		spans = append(spans, x.Span)
	}
	for _, x := range a.Counters {
		spans = append(spans, x.Span)
	}
	for _, x := range a.Links {
		spans = append(spans, x.Span)
	}
	for _, s := range spans {
		if s.Found() && (s.Start < 0 || s.End > len(raw) || s.Start > s.End || string(raw[s.Start:s.End]) != s.Exact) {
			t.Fatalf("span %+v is not what the page says there", s)
		}
	}
}

func TestTheSamePageGivesTheSameIdsAndWithAtTheSameBytes(t *testing.T) {
	raw := SamplePage()
	make := func(at time.Time) []byte {
		a, err := ReadText(raw)
		if err != nil {
			t.Fatal(err)
		}
		b, err := a.Bundle(raw, Options{At: at})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, two, later := make(captured), make(captured), make(captured.Add(time.Hour))
	if !bytes.Equal(one, two) {
		t.Error("the same page at the same instant gave other bytes")
	}
	if bytes.Equal(one, later) {
		t.Error("the instant of capture is not in the bundle")
	}
	if d := cmp.Diff(idsOf(t, one), idsOf(t, later)); d != "" {
		t.Errorf("ids depend on the instant:\n%s", d)
	}
}

func idsOf(t *testing.T, bundle []byte) (ids []stix.ID) {
	env, err := stix.ParseEnvelope(bundle, stix.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range env.Objects {
		ids = append(ids, it.Object.ID())
	}
	return ids
}

func TestWhatIsNoPageOfTextIsRefusedWithAdvice(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"empty":       {"", "the page is empty"},
		"blank":       {" \u00a0\n\t\r\n", "the page is empty"},
		"binary":      {"text\x00more", "line 1, byte 4: NUL byte"},
		"not UTF-8":   {"line\n\xcf\xf0\xe8\xe2\xb3\xf2", "line 2, byte 5: not UTF-8"},
		"UTF-16":      {"\xff\xfeh\x00", "this is UTF-16"},
		"PDF":         {"%PDF-1.7", "this is a PDF"},
		"HTML":        {"<!DOCTYPE html><p>x", "this is HTML source"},
		"JSON":        {`{"type":"note","content":"The council said that the pier would open."}`, "this is JSON"},
		"title only":  {"A headline without a text", "no text of an article"},
		"menu only":   {"Home / World / News\nSign in\nSearch\n", "no text of an article"},
		"two million": {strings.Repeat("a", MaxBytes+1), "the limit is"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadText([]byte(c.raw)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestLineEndingsAndAByteOrderMarkChangeNothingThatIsRead.
func TestLineEndingsAndAByteOrderMarkChangeNothingThatIsRead(t *testing.T) {
	plain, err := ReadText(SamplePage())
	if err != nil {
		t.Fatal(err)
	}
	raw := append([]byte("\ufeff"), bytes.ReplaceAll(SamplePage(), []byte("\n"), []byte("\r\n"))...)
	other, err := ReadText(raw)
	if err != nil {
		t.Fatal(err)
	}
	checkSpans(t, raw, other)
	if d := cmp.Diff(texts(plain.Body), texts(other.Body)); d != "" {
		t.Error(d)
	}
}

// TestEveryLineIsInOnePlace: part of the article, a finding, or left out.
func TestEveryLineIsInOnePlace(t *testing.T) {
	lines := strings.Split(string(SamplePage()), "\n")
	rapid.Check(t, func(t *rapid.T) {
		page := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(lines), 1, 40).Draw(t, "lines"), "\n"))
		a, err := ReadText(page)
		if err != nil {
			return
		}
		checkSpans(t, page, a)
		seen := map[int]int{}
		for _, blocks := range [][]Block{a.Body, a.Related, a.Chrome, a.Promo} {
			for _, b := range blocks {
				seen[b.Line]++
			}
		}
		for n, count := range seen {
			if count > 1 {
				t.Fatalf("line %d is in %d places", n, count)
			}
		}
	})
}

func TestGluedTagsAreCut(t *testing.T) {
	for text, want := range map[string][]string{
		"ТЕГИ: НАТОЯпонияКитайугрозаофис": {"НАТО", "Япония", "Китай", "угроза", "офис"},
		"Tags: NATOJapanSummit": {"NATO", "Japan", "Summit"},
		"Tags: ports, shipping": {"ports", "shipping"},
		"Теги: сайты-двойники":  {"сайты-двойники"},
		"#порт #кібербезпека":   {"порт", "кібербезпека"},
		"Tags: unknowable":      {"unknowable"},
	} {
		p := newPage([]byte(text))
		p.findTags()
		if d := cmp.Diff(want, tagTexts(p.art)); d != "" {
			t.Errorf("%s:\n%s", text, d)
		}
	}
}

func FuzzReadText(f *testing.F) {
	f.Add(SamplePage())
	f.Add([]byte("Title of a page\n\nText: 3 May 2026\nTags: aB\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := ReadText(raw)
		if err != nil {
			return
		}
		checkSpans(t, raw, a)
		if _, err := a.Bundle(raw, Options{At: captured}); err != nil {
			t.Fatal(err)
		}
	})
}
