package intake

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// findTags reads tag lines. Tags printed apart are taken as they are; tags that
// lost the space between them are split where case or script changes (certain)
// and where a list of common tag words allows it (guessed).
func (p *page) findTags() {
	vocabulary := lexicon()
	for _, l := range p.body() {
		for w := range strings.FieldsFuncSeq(l.fold, func(r rune) bool { return notLetter(r) && r != '\'' && r != '-' }) {
			if utf8.RuneCountInString(w) >= 5 && vocabulary[w] == 0 {
				vocabulary[w] = fromPage
			}
		}
	}
	for _, l := range p.lines {
		if l.label != isTags || l.place != unplaced {
			continue
		}
		p.put(l, inTags, isTags.reason())
		_, n := heads().at(l.fold)
		for _, s := range l.tagItems(foldedPrefix(l.Exact, n)) {
			if len(p.art.Tags) >= maxTags || len(s.Exact) > longestTag {
				continue
			}
			p.art.Tags = append(p.art.Tags, splitGlued(s, vocabulary)...)
		}
	}
}

// Limits of what is read as tags: their number, and the bytes of a run of
// glued ones.
const (
	maxTags    = 100
	longestTag = 400
)

const tagMarks = "#＃:：·•|/,;、，"

// tagItems returns the tags that the line itself sets apart.
func (l *line) tagItems(from int) []Span {
	rest := l.Exact[from:]
	cut := func(r rune) bool { return strings.ContainsRune(",;|•·、，/\t#＃", r) }
	if !strings.ContainsFunc(strings.TrimLeft(rest, tagMarks+" \u00a0"), cut) {
		if from == 0 { // one of a list, each on a line of its own
			return []Span{l.trimmed(0, len(l.Exact), tagMarks)}
		}
		return l.spacedItems(from)
	}
	var items []Span
	start := from
	add := func(end int) {
		if s := l.trimmed(start, end, tagMarks); s.Exact != "" {
			items = append(items, s)
		}
	}
	for i, r := range rest {
		if cut(r) {
			add(from + i)
			start = from + i + utf8.RuneLen(r)
		}
	}
	add(len(l.Exact))
	return items
}

// spacedItems splits at spaces where nothing else separates: a word that
// begins with a small letter belongs to the one before it.
func (l *line) spacedItems(from int) []Span {
	whole := l.trimmed(from, len(l.Exact), tagMarks)
	if whole.Exact == "" {
		return nil
	}
	from = whole.Start - l.Start
	var items []Span
	start := from
	fields := strings.FieldsFunc(whole.Exact, blank)
	for i, pos := 0, from; i < len(fields); i++ {
		at := pos + strings.Index(l.Exact[pos:], fields[i])
		first, _ := utf8.DecodeRuneInString(fields[i])
		if i > 0 && (unicode.IsUpper(first) || wide(first)) && !known(l.Exact[start:at+len(fields[i])]) {
			items = append(items, l.trimmed(start, at, tagMarks))
			start = at
		}
		pos = at + len(fields[i])
	}
	return append(items, l.trimmed(start, from+len(whole.Exact), tagMarks))
}

// splitGlued splits one item. An item with a space in it was set by a person
// and is split only where the case changes inside a word.
func splitGlued(s Span, vocabulary map[string]origin) []Tag {
	var tags []Tag
	for _, part := range splitCase(s, vocabulary) {
		cuts := segment(part.Exact, vocabulary)
		if len(cuts) == 0 {
			tags = append(tags, Tag{Text: part.Exact, Certainty: Certain, Span: part})
			continue
		}
		from := 0
		for _, to := range append(cuts, len(part.Exact)) {
			sub := Span{Line: part.Line, Start: part.Start + from, End: part.Start + to, Exact: part.Exact[from:to]}
			tags = append(tags, Tag{Text: sub.Exact, Certainty: Guessed, Span: sub})
			from = to
		}
	}
	return tags
}

// splitCase cuts where a small letter or a digit meets a capital (ЯпонияКитай),
// where a word begins behind capitals (НАТОЯпония), and where the script
// changes (АСЕАНJapan).
func splitCase(s Span, vocabulary map[string]origin) []Span {
	if vocabulary[fold(s.Exact)] == common || mixedCaseName(s.Exact) {
		return []Span{s}
	}
	runes := []rune(s.Exact)
	var parts []Span
	start, pos, acronym := 0, 0, 0
	cut := func(at int) {
		parts = append(parts, Span{Line: s.Line, Start: s.Start + start, End: s.Start + at, Exact: s.Exact[start:at]})
		start = at
	}
	for i, r := range runes {
		end := pos + utf8.RuneLen(r)
		switch {
		case i == 0 || !boundary(runes, i):
		case acronymEnds(runes, i) && vocabulary[fold(s.Exact[acronym:end])] == common:
			cut(end) // NATOsummit: the capitals are a word by themselves
		default:
			cut(pos)
		}
		if !unicode.IsUpper(r) {
			acronym = end
		}
		pos = end
	}
	if start < len(s.Exact) {
		cut(len(s.Exact))
	}
	return parts
}

// acronymEnds reports whether runes[i] is the last of several capitals.
func acronymEnds(runes []rune, i int) bool {
	return unicode.IsUpper(runes[i]) && unicode.IsUpper(runes[i-1])
}

// mixedCaseName knows the shape of iPhone, eBay, YouTube and McDonald alone on
// their own: one word of Latin letters with no more than two capitals.
func mixedCaseName(s string) bool {
	upper := 0
	for _, r := range s {
		switch {
		case r > unicode.MaxASCII || !unicode.IsLetter(r):
			return false
		case unicode.IsUpper(r):
			upper++
		}
	}
	return upper <= 2 && utf8.RuneCountInString(s) <= 10
}

// boundary reports whether a word begins at runes[i], inside a run of letters.
func boundary(runes []rune, i int) bool {
	a, b := runes[i-1], runes[i]
	switch {
	case !unicode.IsLetter(a) || !unicode.IsLetter(b):
		return false
	case script(a) != script(b):
		return !eastAsian(a) || !eastAsian(b)
	case unicode.IsLower(a) && unicode.IsUpper(b):
		return true
	}
	return unicode.IsUpper(a) && unicode.IsUpper(b) && i+1 < len(runes) && unicode.IsLower(runes[i+1]) && i > 1 && unicode.IsUpper(runes[i-2])
}

func eastAsian(r rune) bool { return wide(r) || r == 'ー' }

func script(r rune) int {
	switch {
	case unicode.Is(unicode.Cyrillic, r):
		return 1
	case unicode.Is(unicode.Latin, r):
		return 2
	case unicode.Is(unicode.Hangul, r):
		return 3
	case eastAsian(r):
		return 4
	}
	return 0
}

// segment cuts a run of letters into as few known words as possible and
// returns where; nil if it is a known word or cannot be covered whole. A word
// that is known only from the page costs more: it may be an inflected form.
func segment(s string, vocabulary map[string]origin) []int {
	const longest = 200
	low := fold(s)
	if len(low) != len(s) || len(s) > longest || vocabulary[low] != 0 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && r != '\'' }) {
		return nil
	}
	cost := make([]int, len(s)+1)
	prev := make([]int, len(s)+1)
	for end := 1; end <= len(s); end++ {
		for start := range end {
			o := vocabulary[low[start:end]]
			if o == 0 || start > 0 && cost[start] == 0 {
				continue
			}
			if c := cost[start] + int(o); cost[end] == 0 || c < cost[end] {
				cost[end], prev[end] = c, start
			}
		}
	}
	if cost[len(s)] == 0 {
		return nil
	}
	var cuts []int
	for at := prev[len(s)]; at > 0; at = prev[at] {
		cuts = append([]int{at}, cuts...)
	}
	return cuts
}

// origin says where a tag word is from; its value is what using it costs.
type origin int

const (
	common   origin = 2
	fromPage origin = 3
)

// words is built on first use and never changed.
var words = sync.OnceValue(func() map[string]origin {
	m := map[string]origin{}
	for _, list := range []string{tagCountries, tagPlaces, tagTopicsUK, tagTopicsRU, tagTopicsEN} {
		for w := range strings.SplitSeq(strings.ReplaceAll(list, "\n", ","), ",") {
			if w = fold(w); w != "" {
				m[w] = common
			}
		}
	}
	return m
})

// known reports a tag word, or a name of several words.
func known(s string) bool { return words()[fold(s)] != 0 }

// lexicon returns a copy of the tag words, for a page to add its own to.
func lexicon() map[string]origin {
	m := make(map[string]origin, len(words()))
	for w, o := range words() {
		m[w] = o
	}
	return m
}
