package intake

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tagWords are words that stand alone as tags, and country names, for cutting
// glued tags where neither case nor script changes.
func tagWords() map[string]bool {
	return set(`нато оон ес єс сша росія россия україна украина китай японія япония корея індія индия тайвань іран иран ізраїль израиль франція франция німеччина германия польща польша литва латвія латвия естонія эстония австралія австралия британія британия канада туреччина турция грузія грузия молдова білорусь беларусь
		загроза угроза загрози угрозы офіс офис війна война мир безпека безопасность оборона армія армия флот політика политика економіка экономика вибори выборы президент уряд правительство парламент міністр министр дипломатія дипломатия переговори переговоры санкції санкции саміт саммит зустріч встреча партнерство співпраця сотрудничество альянс союз
		дезінформація дезинформация пропаганда фейк фейки фейкі кібератака кибератака кіберзагрози киберугрозы кібербезпека кибербезопасность хакери хакеры інтернет интернет соцмережі соцсети новини новости світ мир азія азия європа европа космос технології технологии наука культура спорт суспільство общество ракети ракеты дрони дроны
		nato un eu usa russia ukraine china japan korea india taiwan iran israel france germany poland lithuania latvia estonia australia britain canada turkey war peace threat threats office security defence defense army navy politics economy elections president government parliament minister diplomacy talks sanctions summit partnership alliance disinformation propaganda fake cyber cyberattack hackers internet asia europe space technology science news world`)
}

// findTags reads the lines of tags. A line that only holds the label has
// handed it on to the short lines below it.
func (p *page) findTags() {
	for _, l := range p.lines {
		if l.label != isTags || l.place != unplaced {
			continue
		}
		p.put(l, inTags, isTags.reason())
		start := 0
		if _, labelled := heads().at(strings.TrimLeft(l.fold, "#＃ ")); labelled > 0 {
			start = tagStart(l.Exact)
		}
		p.art.Tags = append(p.art.Tags, splitTags(l, start)...)
	}
}

// tagStart is where the tags begin: behind the colon of the label, or behind
// its word.
func tagStart(s string) int {
	if strings.HasPrefix(s, "#") || strings.HasPrefix(s, "＃") {
		return 0
	}
	if i := strings.IndexAny(s, ":：="); i >= 0 && i < 60 {
		_, n := utf8.DecodeRuneInString(s[i:])
		return i + n
	}
	if i := strings.IndexAny(s, " \u00a0\t"); i >= 0 {
		return i
	}
	return len(s)
}

// splitTags cuts at separators; a part that holds several tags glued together
// is cut by case and script, then by words.
func splitTags(l *line, start int) []Tag {
	var tags []Tag
	separator := func(r rune) bool { return strings.ContainsRune(",;、，|·•#＃/\t", r) }
	i := start
	for i < len(l.Exact) {
		j := strings.IndexFunc(l.Exact[i:], separator)
		if j < 0 {
			j = len(l.Exact) - i
		}
		if s := l.trimmed(i, i+j, ".…"); s.Exact != "" {
			tags = append(tags, cutGlued(l, s.Start-l.Start, s.End-l.Start)...)
		}
		_, n := utf8.DecodeRuneInString(l.Exact[min(i+j, len(l.Exact)):])
		i += j + max(n, 1)
	}
	return tags
}

// cutGlued cuts l.Exact[from:to) where a lower-case letter meets a capital,
// where an acronym meets a word, and where the script changes.
func cutGlued(l *line, from, to int) []Tag {
	text := l.Exact[from:to]
	if strings.ContainsFunc(text, unicode.IsSpace) {
		return []Tag{{Text: text, Certainty: Certain, Span: l.sub(from, to)}}
	}
	cuts := append(caseCuts(text), len(text))
	var tags []Tag
	begin := 0
	for _, c := range cuts {
		tags = append(tags, cutWords(l, from+begin, from+c)...)
		begin = c
	}
	return tags
}

func caseCuts(s string) []int {
	runes := []rune(s)
	offsets := make([]int, 0, len(runes))
	for i := range s {
		offsets = append(offsets, i)
	}
	var cuts []int
	for i := 1; i < len(runes); i++ {
		a, b := runes[i-1], runes[i]
		switch {
		case unicode.IsLower(a) && unicode.IsUpper(b):
			cuts = append(cuts, offsets[i])
		case i >= 2 && unicode.IsUpper(runes[i-2]) && unicode.IsUpper(a) && unicode.IsLower(b):
			cuts = append(cuts, offsets[i-1]) // NATOJapan: before the J
		}
	}
	return cuts
}

// cutWords cuts a run of letters into known words, if it is made of them
// altogether and is not one itself.
func cutWords(l *line, from, to int) []Tag {
	text := l.Exact[from:to]
	whole := []Tag{{Text: text, Certainty: Certain, Span: l.sub(from, to)}}
	words := tagWords()
	lower := strings.ToLower(text)
	if len(lower) != len(text) || words[lower] {
		return whole
	}
	ends := segment(lower, words)
	if len(ends) < 2 {
		return whole
	}
	var tags []Tag
	begin := 0
	for _, end := range ends {
		tags = append(tags, Tag{Text: text[begin:end], Certainty: Guessed, Span: l.sub(from+begin, from+end)})
		begin = end
	}
	return tags
}

// segment returns the ends of the fewest known words that make up s; nil if
// there are none.
func segment(s string, words map[string]bool) []int {
	const longest = 60 // bytes of a word
	best := make([][]int, len(s)+1)
	best[0] = []int{}
	for end := 1; end <= len(s); end++ {
		for begin := max(0, end-longest); begin < end; begin++ {
			if best[begin] == nil || !words[s[begin:end]] {
				continue
			}
			if best[end] == nil || len(best[begin])+1 < len(best[end]) {
				best[end] = append(append([]int{}, best[begin]...), end)
			}
		}
	}
	return best[len(s)]
}
