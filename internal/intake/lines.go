package intake

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxBytes bounds a page of text.
const MaxBytes = 2 << 20

// check refuses what is not a page of text, and says what to do about it.
func check(raw []byte) error {
	switch {
	case len(raw) > MaxBytes:
		return fmt.Errorf("the page has %d bytes, the limit is %d: paste one article, not a whole site", len(raw), MaxBytes)
	case bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")):
		return fmt.Errorf("byte 0: this is UTF-16: convert it first, as with iconv -f UTF-16 -t UTF-8")
	case bytes.HasPrefix(raw, []byte("%PDF-")):
		return fmt.Errorf("byte 0: this is a PDF: copy its text and paste that")
	}
	if i := bytes.IndexByte(raw, 0); i >= 0 {
		return fmt.Errorf("line %d, byte %d: NUL byte: this is a binary file, not text: paste the text of the page", lineAt(raw, i), i)
	}
	if i := invalidUTF8(raw); i >= 0 {
		return fmt.Errorf("line %d, byte %d: not UTF-8 (byte 0x%02x): convert it first, as with iconv -f WINDOWS-1251 -t UTF-8", lineAt(raw, i), i, raw[i])
	}
	text := bytes.TrimSpace(trimBOM(raw))
	if len(strings.TrimFunc(string(text), blank)) == 0 {
		return fmt.Errorf("the page is empty: paste the text of the article")
	}
	if isHTML(text) {
		return fmt.Errorf("line %d: this is HTML source: open it in a browser, copy the text of the page and paste that", lineAt(raw, len(raw)-len(text)))
	}
	if (text[0] == '{' || text[0] == '[') && jsontext.Value(text).IsValid() {
		return fmt.Errorf("line %d: this is JSON: paste the text of a page", lineAt(raw, len(raw)-len(text)))
	}
	return nil
}

func trimBOM(raw []byte) []byte { return bytes.TrimPrefix(raw, []byte("\ufeff")) }

func isHTML(text []byte) bool {
	head := bytes.ToLower(text[:min(len(text), 16)])
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

func invalidUTF8(raw []byte) int {
	for i := 0; i < len(raw); {
		if raw[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// lineAt returns the number of the line that holds byte i.
func lineAt(raw []byte, i int) int {
	n := 1
	for j := 0; j < i; j++ {
		if raw[j] == '\n' || raw[j] == '\r' && (j+1 == len(raw) || raw[j+1] != '\n') {
			n++
		}
	}
	return n
}

// blank reports runes that are trimmed from the ends of a line: white space of
// every width, and the marks that have none.
func blank(r rune) bool {
	switch r {
	case '\ufeff', '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\u00ad':
		return true
	}
	return unicode.IsSpace(r) || unicode.IsControl(r)
}

// line is a line of the page that is not blank, with its features.
type line struct {
	Span
	index    int    // among the lines that are not blank
	fold     string // lower case, single spaces, plain apostrophes
	gap      bool   // a blank line stands above
	chars    int    // letters and digits; one of Chinese, Japanese or Korean counts as two and a half
	words    int
	stops    int  // stop words of the page's language
	terminal bool // ends like a sentence
	label    label
	date     *stamp // the date a dateline carries
	score    float64
	place    place
	reason   string
}

// splitLines returns the lines that are not blank. Lines end with LF, CR LF or
// CR; offsets count the raw bytes, a byte order mark included.
func splitLines(raw []byte) []*line {
	var lines []*line
	number, gap := 0, false
	for pos := len(raw) - len(trimBOM(raw)); pos < len(raw); {
		end, next := lineEnd(raw, pos)
		number++
		if l := newLine(raw, number, pos, end); l != nil {
			l.gap = gap
			lines = append(lines, l)
			gap = false
		} else {
			gap = true
		}
		pos = next
	}
	return lines
}

func lineEnd(raw []byte, pos int) (end, next int) {
	i := bytes.IndexAny(raw[pos:], "\r\n")
	if i < 0 {
		return len(raw), len(raw)
	}
	end = pos + i
	if raw[end] == '\r' && end+1 < len(raw) && raw[end+1] == '\n' {
		return end, end + 2
	}
	return end, end + 1
}

func newLine(raw []byte, number, start, end int) *line {
	s := string(raw[start:end])
	left := strings.TrimLeftFunc(s, blank)
	start += len(s) - len(left)
	text := strings.TrimRightFunc(left, blank)
	if text == "" {
		return nil
	}
	l := &line{Span: Span{Line: number, Start: start, End: start + len(text), Exact: text}}
	l.fold = fold(text)
	l.measure()
	return l
}

// measure counts what does not depend on the language.
func (l *line) measure() {
	var chars float64
	for _, r := range l.Exact {
		switch {
		case wide(r):
			chars += 2.5
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			chars++
		}
	}
	l.chars = int(chars)
	l.words = len(strings.Fields(l.fold))
	if spaceless(l.Exact) {
		l.words = l.chars / 6
	}
	l.terminal = closes(l.Exact)
}

// wide reports letters of scripts that say in one sign what others say in
// several letters.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// spaceless reports text in a script without spaces between words.
func spaceless(s string) bool {
	n, all := 0, 0
	for _, r := range s {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			n++
		}
		if unicode.IsLetter(r) {
			all++
		}
	}
	return n*3 > all
}

// closes reports whether s ends as sentences do.
func closes(s string) bool {
	s = strings.TrimRight(s, "\"'”’»«“)]）」』】 \u00a0")
	r, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune(".!?…。！？;:：", r)
}

// sub returns the span of l.Exact[i:j].
func (l *line) sub(i, j int) Span {
	return Span{Line: l.Line, Start: l.Start + i, End: l.Start + j, Exact: l.Exact[i:j]}
}

// trimmed narrows [i,j) of l.Exact by the runes in cut and by white space.
func (l *line) trimmed(i, j int, cut string) Span {
	drop := func(r rune) bool { return blank(r) || strings.ContainsRune(cut, r) }
	s := l.Exact[i:j]
	left := strings.TrimLeftFunc(s, drop)
	i += len(s) - len(left)
	return l.sub(i, i+len(strings.TrimRightFunc(left, drop)))
}

// fold lowers s for comparison: one space between words, one kind of apostrophe.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case blank(r):
			space = b.Len() > 0
			continue
		case strings.ContainsRune("’ʼ`´‘", r):
			r = '\''
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// letters keeps only the letters and digits of s, in lower case: two lines
// with the same letters are the same line set differently.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
