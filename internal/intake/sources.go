package intake

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// namePattern is the name of a publisher or source: quoted, or capitalised
// words with the small words that join them.
const (
	quotedName  = `[«"“„『「‘'《][^»"”“』」’'》\n]{2,60}[»"”“』」’'》]`
	capitalWord = `(?:[dlDL]['’])?\p{Lu}[\p{L}\p{N}&'’+-]*(?:\.[\p{L}\p{N}]+)*`
	capitalName = capitalWord + `(?:` + sp + `(?:(?:of|the|and|für|de|du|la|le|von|der)` + sp + `)?` + capitalWord + `){0,4}`
	anyName     = `(` + quotedName + `|` + capitalName + `)`
	ownName     = `((?:[^.,|–—;\n]|\.\p{L}){2,60})`
	siteName    = `(` + quotedName + `|(?:[\p{L}\p{N}-]+\.)+\p{L}{2,10}|` + capitalName + `)`
)

// publisherForm is what sites print about themselves; the first group of re is
// the name.
type publisherForm struct {
	basis string
	re    *regexp.Regexp
}

// publisherForms are compiled on first use; the first that fits decides.
var publisherForms = sync.OnceValue(func() []publisherForm {
	const (
		imprint = "imprint"
		channel = "promotion of its channel"
		rights  = "copyright notice"
		network = `(?i:telegram|телеграм\p{L}*|viber|вайбер\p{L}*|whatsapp|facebook|фейсбу\p{L}*|google|instagram|twitter|youtube|bluesky|linkedin|x\b)`
	)
	form := func(basis, re string) publisherForm { return publisherForm{basis, regexp.MustCompile(re)} }
	return []publisherForm{
		form(imprint, `^(?i:видання|издание|publisher|herausgeber|éditeur|wydawca)[:：]`+sp+`*`+siteName),
		form(channel, `(?i:новини|новости|news|updates|nachrichten|actualités|wiadomości)`+sp+`(?i:від|от|from|by|von|de|od)`+sp+siteName+sp+`(?i:в|у|на|on|in|auf|bei|sur|w|na)`+sp+network),
		form(channel, `(?i:читайте|підпис\p{L}+|слідкуй\p{L}*|стежте|долуч\p{L}+|приєдн\p{L}+|подпис\p{L}+|следите|присоедин\p{L}+)`+sp+`(?:\p{Ll}+`+sp+`){0,4}`+siteName+sp+`(?i:в|у|на)`+sp+network),
		form(channel, `(?i:follow|join|read|like|find|get)`+sp+siteName+sp+`(?i:on|in|via)`+sp+network),
		form(channel, `(?i:folgen sie|suivez|obserwuj|śledź)`+sp+siteName+sp+`(?i:auf|bei|sur|w|na|en)`+sp),
		form(channel, `^([\p{L}\p{N}・ー]{2,20}?)(?:の?公式|をフォロー|のLINE|のX)`),
		form(channel, `^([\p{Hangul}\p{N}A-Za-z]{2,20}?)(?:을|를)?`+sp+`(?:구독|네이버|카카오|텔레그램|공식)`),
		form(rights, `(?:©|ⓒ|(?i:copyright))`+sp+`*(?:[\d–-]{4,9},?`+sp+`*)?([\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}ー]{2,20})`),
		form(rights, `(?:©|ⓒ|\((?i:c|с)\)|(?i:copyright))`+sp+`*(?:©|ⓒ)?`+sp+`*(?:[\d–-]{4,9},?`+sp+`*)?(?i:by )?`+ownName),
	}
})

// findPublisher reads whose page it is from what the site says about itself: a
// channel to follow, a copyright line, the end of a repeated title, a line at
// the top that comes again elsewhere.
func (p *page) findPublisher() {
	for _, form := range publisherForms() {
		for _, l := range p.lines {
			if l.place == inBody || l.place == unplaced && l.label == noLabel || l.chars > 400 {
				continue
			}
			if m := form.re.FindStringSubmatchIndex(l.Exact); m != nil {
				s := l.trimmed(m[2], m[3], "«»\"“”„『』「」《》.,")
				if !genericName(s.Exact) {
					p.setPublisher(s, form.basis)
					return
				}
			}
		}
	}
	p.publisherAbove()
}

func (p *page) setPublisher(s Span, basis string) {
	p.art.Publisher, p.art.Where.Publisher, p.art.Where.PublisherBasis = s.Exact, s, basis
}

// genericName reports capitalised words that are no names of publishers.
func genericName(s string) bool {
	low := fold(s)
	return !strings.ContainsFunc(s, unicode.IsLetter) || utf8.RuneCountInString(s) < 2 || strings.Contains(" all rights reserved all rights усі права захищено всі права захищено все права защищены tous droits réservés alle rechte vorbehalten telegram facebook google news us our the наш наші нас усі всі все права права захищено getty images ", " "+low+" ")
}

// publisherAbove tries the site's name behind a repeated title, then a short
// line above the title that is also the name in a domain or comes again below.
func (p *page) publisherAbove() {
	for _, l := range p.lines {
		if p.suffix != "" && l.reason == "repeats the title" && strings.HasSuffix(l.Exact, p.suffix) {
			i := len(l.Exact) - len(p.suffix)
			p.setPublisher(l.sub(i, len(l.Exact)), "behind the repeated title")
			return
		}
	}
	for i, l := range p.lines[:min(len(p.lines), mastheadLines)] {
		if p.title == nil || l.Start >= p.title.Start {
			return
		}
		if l.label == noLabel && l.words <= 5 && l.chars >= 3 && l.chars <= 40 && (hostName.MatchString(l.Exact) || p.comesAgain(i)) {
			p.setPublisher(l.Span, "line above the title that comes again below")
			return
		}
	}
}

// mastheadLines are the lines at the top that may hold the site's name.
const mastheadLines = 30

// comesAgain reports whether a short line is named again outside the article.
func (p *page) comesAgain(i int) bool {
	name := letters(p.lines[i].Exact)
	for j, l := range p.lines {
		if j != i && !p.inRun(j) && l.Start > p.title.Start && l.chars < 400 && strings.Contains(letters(l.Exact), name) {
			return true
		}
	}
	return false
}

// sourceForm is a way to name a source. Weak ones ("according to …") also name
// people and ministries: there the name must look like that of a medium.
type sourceForm struct {
	re   *regexp.Regexp
	weak bool
}

var sourceForms = sync.OnceValue(func() []sourceForm {
	strong := []string{
		`(?i:повідомля(?:є|ють)|повідомил[аио]|повідомив|пиш(?:е|уть)|переда(?:є|ють)|передає|інформу(?:є|ють)|з посиланням на|із посиланням на|йдеться у матеріалі|йдеться в матеріалі|розповіда(?:є|ють))` + sp + `(?:(?:видання|агентство|агенція|агенцію|агентства|газета|газету|телеканал|портал|сайт|медіа|журнал|радіо|часопис)` + sp + `)?` + anyName,
		`(?i:сообща(?:ет|ют)|сообщил[аио]?|пиш(?:ет|ут)|переда(?:е|ё)т|передают|информирует|со ссылкой на|рассказывает)` + sp + `(?:(?:издание|агентство|газета|газету|телеканал|портал|сайт|журнал|радио)` + sp + `)?` + anyName,
		`(?:(?i:reported by|first reported by|as reported by|reports from|citing|told|cited by|published by|writes)` + sp + `)(?:the` + sp + `)?` + anyName,
		anyName + sp + `(?:(?:first|newspaper|news agency|agency|magazine|daily)` + sp + `)?(?:reported|reports)(?:[^\p{L}]|$)`,
		`(?:wie|so)` + sp + `(?:(?:die|der|das|aus)` + sp + `)?` + anyName + sp + `(?:berichtet(?:e)?|meldet(?:e)?|schreibt)`,
		`(?i:berichtet(?:e)?|meldet(?:e)?|schreibt|unter Berufung auf)` + sp + `(?:(?:die|der|das|den|Zeitung|Nachrichtenagentur|Sender)` + sp + `){0,2}` + anyName,
		`(?i:rapporte|écrit|annonce|indique|citant|selon l'agence|selon le journal|selon le quotidien)` + sp + `(?:(?:le|la|les|l'agence|le quotidien|le journal)` + sp + `)?` + anyName,
		`(?i:podaje|informuje|pisze|donosi|powołując się na)` + sp + `(?:(?:agencja|dziennik|portal|gazeta)` + sp + `)?` + anyName,
		`([\p{Han}\p{Katakana}\p{Hiragana}ー・A-Za-z]{2,24}?(?:新聞|通信|テレビ|放送|タイムズ|ニュース|ポスト|アジア|紙|誌|電子版))(?:は|が|によると|によれば|の報道|が伝え|が報じ)`,
		`([\p{Hangul}A-Za-z]{1,16}(?:신문|일보|통신|방송|뉴스|타임스|포스트|아시아|매체))(?:은|는|이|가|에 따르면|의 보도|을 인용|를 인용)`,
		`『([^』]{2,30})』(?:は|が|によると)(?:[^。]{0,40})(?:報じ|伝え)`,
	}
	weak := []string{
		`(?i:за даними|за інформацією|як повідомляє|по данным|по информации)` + sp + anyName,
		`(?i:according to|seen by|obtained by)` + sp + `(?:the` + sp + `)?` + anyName,
		`(?i:laut|nach Angaben von|selon|d'après|według)` + sp + `(?:(?:der|dem|le|la|les)` + sp + `)?` + anyName,
	}
	var forms []sourceForm
	for _, s := range strong {
		forms = append(forms, sourceForm{regexp.MustCompile(s), false})
	}
	for _, s := range weak {
		forms = append(forms, sourceForm{regexp.MustCompile(s), true})
	}
	return forms
})

// Limits of the search for sources.
const (
	sourceLineBytes = 16 << 10
	maxSources      = 20
)

// findSources reads which sources the text names for what it reports, in the
// order of the text, and those of a line "Source: …".
func (p *page) findSources() {
	for i, l := range p.lines {
		switch {
		case l.label == isSource && l.place == unplaced:
			_, n := heads().at(l.fold)
			p.addSource(l.trimmed(foldedPrefix(l.Exact, n), len(l.Exact), ":：=.,;«»\"“”"), "source line")
		case l.place == inLede || p.inRun(i) && l.place == unplaced && l.label == noLabel:
			p.sourcesIn(l)
		}
	}
}

func (p *page) sourcesIn(l *line) {
	text := l.Exact[:min(len(l.Exact), sourceLineBytes)]
	for _, f := range sourceForms() {
		for _, m := range f.re.FindAllStringSubmatchIndex(text, -1) {
			s := l.trimmed(m[2], m[3], "«»\"“”„‘’'『』「」《》.,")
			medium := looksLikeMedium(s.Exact)
			if f.weak && !medium || !f.weak && !medium && !l.foreignName(s, m) {
				continue
			}
			cue := strings.TrimSpace(strings.Replace(text[m[0]:m[1]], text[m[2]:m[3]], "…", 1))
			p.addSource(s, cue)
		}
	}
}

// foreignName reports a name that is quoted, or in Latin letters in a text that
// is not: what media are, and people quoted in the same way mostly are not.
func (l *line) foreignName(s Span, m []int) bool {
	first, _ := utf8.DecodeRuneInString(l.Exact[m[2]:])
	if strings.ContainsRune("«\"“„『「《", first) {
		return utf8.RuneCountInString(s.Exact) <= 40 && !strings.ContainsAny(s.Exact, ",!?")
	}
	initial, _ := utf8.DecodeRuneInString(s.Exact)
	return script(initial) == 2 && strings.ContainsFunc(l.Exact, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
}

var mediumWords = regexp.MustCompile(`(?i)\b(?:times|news|post|press|agency|asia|herald|journal|daily|tribune|gazette|chronicle|observer|guardian|telegraph|standard|review|magazine|radio|tv|wire|network|zeitung|nachrichten|kurier|presse|tageblatt|rundschau|spiegel|agentur|courrier|quotidien|dépêche|gazeta|dziennik|kurier|agencja|monitor|bulletin|today|online|weekly|mirror|echo|dispatch|ledger|reporter)\b|(?:新聞|通信|テレビ|放送|タイムズ|ニュース|ポスト|アジア|紙|誌|電子版)|(?:신문|일보|통신|방송|뉴스|타임스|포스트|아시아|매체)|новин|новост|газет|правда|вісник|вестник|известия|агентств|агенці|инфо|інформ|кур'єр|курьер|хвиля|тиждень|телекан|радіо|радио|\.\p{L}{2,5}$`)

// agencies are outlets that texts everywhere cite by a name that does not say
// that they are one.
var agencies = regexp.MustCompile(`^(?:Reuters|AFP|AP|dpa|DPA|PAP|ANSA|EFE|BBC|CNN|NHK|NPR|NYT|WSJ|FT|Bloomberg|Kyodo|Yonhap|Xinhua|TASS|Politico|Axios|Nikkei|Рейтер|Рейтерс|ТАСС|Интерфакс|Інтерфакс|УНІАН|УНИАН|Укрінформ|Укринформ)(?:$|[^\p{L}])`)

func looksLikeMedium(s string) bool { return mediumWords.MatchString(s) || agencies.MatchString(s) }

func (p *page) addSource(s Span, cue string) {
	if s.Exact == "" || len(s.Exact) > 160 || len(p.art.Sources) == maxSources || letters(s.Exact) == letters(p.art.Publisher) {
		return
	}
	for _, other := range p.art.Sources {
		if letters(other.Name) == letters(s.Exact) {
			return
		}
	}
	p.art.Sources = append(p.art.Sources, Source{Name: s.Exact, Cue: cue, Span: s})
}

var webLink = regexp.MustCompile(`https?://[^\s\p{Z}<>"'«»“”\x{3000}-\x{30ff}\x{4e00}-\x{9fff}\x{ac00}-\x{d7af}\x{ff00}-\x{ffef}]+`)

// maxLinks bounds the links kept of one page.
const maxLinks = 200

// findLinks keeps the URLs the page prints, each once, as printed. None is made
// up: a domain without a scheme is no URL.
func (p *page) findLinks() {
	seen := map[string]bool{}
	for _, l := range p.lines {
		for _, m := range webLink.FindAllStringIndex(l.Exact, maxLinks) {
			s := l.sub(m[0], m[0]+len(strings.TrimRight(l.Exact[m[0]:m[1]], ".,;:!?)]}…")))
			if host := strings.SplitN(s.Exact, "//", 2)[1]; host == "" || len(s.Exact) > 2048 || seen[s.Exact] || len(seen) == maxLinks {
				continue
			}
			seen[s.Exact] = true
			p.art.Links = append(p.art.Links, Link{URL: s.Exact, Span: s})
		}
	}
}
