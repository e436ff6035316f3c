package intake

import (
	"regexp"
	"slices"
	"strings"
)

// webLink finds URLs in text.
var webLink = regexp.MustCompile(`https?://[^\s<>"'“”«»()\[\]{}]+[^\s<>"'“”«»()\[\]{}.,;:!?]`)

// findLinks lists the addresses that the page prints.
func (p *page) findLinks() {
	for _, l := range p.lines {
		for _, m := range webLink.FindAllStringIndex(l.Exact, -1) {
			p.art.Links = append(p.art.Links, Link{URL: l.Exact[m[0]:m[1]], Span: l.sub(m[0], m[1])})
		}
	}
}

// name is one to four words that begin with a capital: an outlet, an agency.
const name = `(` + nameWord + `(?:[ \x{a0}]+(?:of |the |de |la )?` + nameWord + `){0,3})`

const nameWord = `\p{Lu}[\p{L}\d&'’-]*(?:\.[\p{L}\d]+)*`

// publisherForms find who publishes the page in what sites print about
// themselves. The first group is the name.
var publisherForms = []struct {
	basis string
	re    *regexp.Regexp
}{
	{"promotion of its channel", regexp.MustCompile(`(?:Новини|Новости) (?:від|от) ` + name + ` (?:в|у|in) (?:Telegram|Телеграм|Viber)`)},
	{"promotion of its channel", regexp.MustCompile(`(?:Follow|Join|Read) ` + name + ` (?:on|in) (?:Telegram|X|Facebook|Google News|WhatsApp)`)},
	{"promotion of its channel", regexp.MustCompile(`(?:Folgen Sie|Suivez|Obserwuj) ` + name + ` (?:auf|sur|na) `)},
	{"copyright notice", regexp.MustCompile(`(?:©|ⓒ|\([cс]\)|Copyright)\s*(?:\d{4}(?:\s*[-–]\s*\d{4})?[\s,]*)?(?:by )?` + name)},
	{"copyright notice", regexp.MustCompile(`(?:©|ⓒ|Copyright)\s*(?:\d{4}\s*)?([\p{Han}\p{Katakana}\p{Hiragana}\p{Hangul}ー]{2,20})`)},
}

func (p *page) findPublisher() {
	for _, form := range publisherForms {
		for _, l := range p.lines {
			m := form.re.FindStringSubmatchIndex(l.Exact)
			if m == nil || p.inRun(p.indexOf(l)) && l.label == noLabel {
				continue
			}
			s := l.trimmed(m[2], m[3], ".,")
			p.art.Publisher, p.art.Where.Publisher, p.art.Where.PublisherBasis = s.Exact, s, form.basis
			return
		}
	}
}

// sourceForms find whom the text names for what it reports: a verb of
// reporting and a name. Persons who say something are speakers, not sources of
// the report, so only verbs that outlets are used with stand here.
var sourceForms = []*regexp.Regexp{
	regexp.MustCompile(`(?:Про це (?:повідомляє|пише|повідомили в|повідомило|повідомив)|про це повідомляє|передає|з посиланням на) (?:видання |агентство |газета |телеканал )?[«"]?` + name),
	regexp.MustCompile(`(?:Об этом (?:сообщает|пишет|сообщили в|сообщило|сообщил)|об этом сообщает|передает|передаёт|со ссылкой на) (?:издание |агентство |газета |телеканал )?[«"]?` + name),
	regexp.MustCompile(`(?:according to (?:a report (?:by|in) )?|as reported by |first reported by |reported by )(?:the )?` + name),
	regexp.MustCompile(`(?:berichtet|meldet|meldete|berichtete) (?:die |der |das )?` + name),
	regexp.MustCompile(`(?:wie|so) (?:die |der |das )?` + name + ` (?:berichtet|berichtete|meldet|meldete)`),
	regexp.MustCompile(`(?:rapporte|selon le journal|indique le journal|d’après|d'après) (?:le |la |l’|l')?` + name),
	regexp.MustCompile(`(?:informuje|podaje|jak podała|jak podaje) ` + name),
	regexp.MustCompile(`([\p{Han}\p{Katakana}ー]{2,12}(?:通信|新聞|放送|ニュース))(?:によると|が報じた|は報じた|が伝えた)`),
	regexp.MustCompile(`([\p{Hangul}A-Za-z]{2,12}(?:통신|신문|일보|방송|뉴스))(?:에 따르면|가 보도|이 보도|은 보도|는 보도)`),
}

func (p *page) findSources() {
	seen, body := map[string]bool{}, p.body()
	for _, l := range p.lines {
		if l.place != inLede && !slices.Contains(body, l) {
			continue
		}
		for _, re := range sourceForms {
			for _, m := range re.FindAllStringSubmatchIndex(l.Exact, -1) {
				s := l.trimmed(m[2], m[3], ".,«»\"")
				if key := letters(s.Exact); !seen[key] && key != "" {
					seen[key] = true
					p.art.Sources = append(p.art.Sources, Source{Name: s.Exact, Cue: strings.TrimSpace(l.Exact[m[0]:m[2]]), Span: s})
				}
			}
		}
	}
}
