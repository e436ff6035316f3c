package intake

import (
	"bufio"
	"compress/gzip"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/internal/corpora"
)

// realPage is a page of the corpus with what people took from it.
type realPage struct {
	Path  string  `json:"html_path"`
	Lang  string  `json:"lang"`
	Title string  `json:"expected_title"`
	Text  string  `json:"expected_text"`
	Share float64 `json:"oracle_text_in_page"`
	raw   []byte
}

// realPages returns every page of which the text is known, up to most, evenly
// over the corpus.
func realPages(t *testing.T, most int) []realPage {
	dir := corpora.Path(t, "corpora", "articles")
	f, err := os.Open(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []realPage
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var p realPage
		if err := json.Unmarshal(lines.Bytes(), &p); err == nil && len(p.Text) > 500 && p.Share > 0.9 {
			all = append(all, p)
		}
	}
	step := max(1, len(all)/most)
	var pages []realPage
	for i := 0; i < len(all); i += step {
		p := all[i]
		if p.raw = unzip(t, filepath.Join(dir, p.Path)); p.raw != nil {
			pages = append(pages, p)
		}
	}
	return pages
}

func unzip(t *testing.T, path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		t.Logf("%s: %v", path, err)
		return nil
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Logf("%s: %v", path, err)
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(z, 8<<20))
	if err != nil {
		t.Logf("%s: %v", path, err)
	}
	return b
}

var (
	hidden    = regexp.MustCompile(`(?is)<(script|style|noscript|template|svg|head|iframe|select)\b.*?</(?:script|style|noscript|template|svg|head|iframe|select)\s*>|<!--.*?-->`)
	breaks    = regexp.MustCompile(`(?i)</?(?:p|div|br|li|ul|ol|h[1-6]|tr|td|th|table|section|article|header|footer|nav|aside|main|figure|figcaption|blockquote|form|button|label|option|dd|dt|dl|hr|title|time)\b[^>]*>`)
	tags      = regexp.MustCompile(`<[^>]*>`)
	shinglers = regexp.MustCompile(`[\p{L}\p{N}]+`)
)

// asPasted is the page as a browser would copy it, roughly: without tags.
func asPasted(page []byte) []byte {
	s := strings.ReplaceAll(strings.ToValidUTF8(string(page), ""), "\x00", "")
	s = strings.NewReplacer("\r", " ", "\n", " ").Replace(hidden.ReplaceAllString(s, " "))
	s = html.UnescapeString(tags.ReplaceAllString(breaks.ReplaceAllString(s, "\n"), ""))
	return []byte(strings.ReplaceAll(s, "\x00", ""))
}

// shingles are the 4-grams of the words of a text; one sign is a word where
// words are not set apart.
func shingles(s string) map[string]int {
	var words []string
	for _, w := range shinglers.FindAllString(s, -1) {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }) {
			words = append(words, strings.Split(w, "")...)
			continue
		}
		words = append(words, w)
	}
	m := map[string]int{}
	for i := 0; i+4 <= len(words); i++ {
		m[strings.Join(words[i:i+4], " ")]++
	}
	return m
}

func overlap(a, b map[string]int) (n int) {
	for s, count := range a {
		n += min(count, b[s])
	}
	return n
}

func total(m map[string]int) (n int) {
	for _, c := range m {
		n += c
	}
	return n
}

// TestRealPagesAreReadAndTheFiguresPrinted says how well the method does on
// pages nobody here wrote. It asserts no figure, only that spans are true.
func TestRealPagesAreReadAndTheFiguresPrinted(t *testing.T) {
	pages := realPages(t, 40)
	var precision, recall, raw float64
	read, titles, languages, known := 0, 0, 0, 0
	var spent time.Duration
	for _, p := range pages {
		text := asPasted(p.raw)
		start := time.Now()
		a, err := ReadText(text)
		spent += time.Since(start)
		want := shingles(p.Text)
		raw += f1(shingles(string(text)), want)
		if err != nil {
			t.Logf("%s: %v", p.Path, err)
			continue
		}
		checkSpans(t, text, a)
		read++
		got := shingles(a.Lede + "\n" + strings.Join(texts(a.Body), "\n"))
		both := float64(overlap(got, want))
		precision += both / float64(max(1, total(got)))
		recall += both / float64(max(1, total(want)))
		if p.Title != "" && letters(a.Title) == letters(p.Title) {
			titles++
		}
		if lang, _, _ := strings.Cut(strings.TrimSuffix(p.Lang, "?"), "-"); strings.Contains(reported, lang) && lang != "" {
			known++
			if lang == a.Language {
				languages++
			} else {
				t.Logf("%s: language %q, read as %q", p.Path, lang, a.Language)
			}
		}
		if f := f1(got, want); f < 0.5 {
			t.Logf("%s: F1 %.2f", p.Path, f)
		}
	}
	n := float64(len(pages))
	pr, re := precision/n, recall/n
	t.Logf("%d pages, %d read in %v: precision %.3f, recall %.3f, F1 %.3f (all of the page: %.3f); %d titles exact; language right on %d of %d",
		len(pages), read, spent.Round(time.Millisecond), pr, re, 2*pr*re/(pr+re), raw/n, titles, languages, known)
}

func f1(got, want map[string]int) float64 {
	both := 2 * float64(overlap(got, want))
	return both / float64(max(1, total(got)+total(want)))
}
