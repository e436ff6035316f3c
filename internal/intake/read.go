package intake

import (
	"errors"
	"fmt"
)

// ErrNoBody is wrapped by ReadText where a page has no text of an article.
var ErrNoBody = errors.New("no text of an article found")

// ReadText finds the article in a page pasted as plain text: UTF-8, with or
// without byte order mark, lines ending in LF, CR LF or CR, at most MaxBytes.
// It is deterministic and reads no clock. The error names the line or byte and
// says what to do; it wraps ErrNoBody where the page is only a title or a menu.
func ReadText(raw []byte) (*Article, error) {
	if err := check(raw); err != nil {
		return nil, err
	}
	p := newPage(raw)
	if err := p.findBody(); err != nil {
		return nil, err
	}
	p.findTitle()
	p.findDate()
	p.findPhoto()
	p.findLede()
	p.trimTail()
	p.findTags()
	p.findCounters()
	p.findByline()
	p.findPublisher()
	if err := p.setPublished(); err != nil {
		return nil, fmt.Errorf("line %d: %w", p.dateline.Line, err)
	}
	if err := p.checkSize(); err != nil {
		return nil, err
	}
	p.findSources()
	p.findLinks()
	p.settle()
	return p.art, nil
}

// place is where a line belongs. Every line ends in exactly one.
type place uint8

const (
	unplaced place = iota
	inBody
	inTitle
	inLede
	inDate
	inByline
	inCredit
	inCaption
	inTags
	inCounter
	inRelated
	inPromo
	inChrome
)

// page is the state of one reading.
type page struct {
	art      *Article
	lines    []*line
	lang     string
	from, to int // the run of the article: lines[from:to]
	title    *line
	dateline *line
	suffix   string // what a repeated title has behind it: often the site's name
	spacing  *bool  // answer of spaced
	rights   int    // index of the first copyright notice below the run
}

func newPage(raw []byte) *page {
	p := &page{art: &Article{}, lines: splitLines(raw)}
	lang, stops := readLanguage(p.lines)
	p.lang, p.art.Language = lang, lang
	for i, l := range p.lines {
		l.index = i
		l.countStops(stops)
		l.label = l.read()
		if k := l.label; k == noLabel || k == isByline || k == isNav || k == isNumber {
			if l.date = l.readDateline(lang); l.date != nil {
				l.label = isDate
			}
		}
	}
	p.listsUnderLabels()
	return p
}

// listsUnderLabels carries a label that stands alone on its line ("Read also:",
// "Tags:") to the short lines below it.
func (p *page) listsUnderLabels() {
	const longest = 12
	for i, l := range p.lines {
		if l.label != isRelated && l.label != isTags || !l.alone() {
			continue
		}
		for j := i + 1; j < len(p.lines) && j <= i+longest; j++ {
			next := p.lines[j]
			tooLong := next.words > 4 || next.chars > 40
			if l.label == isRelated {
				tooLong = next.chars > 180
			}
			apart := l.label == isRelated && next.gap && j == i+1
			if next.label != noLabel || next.terminal || apart || tooLong || next.gap && j > i+1 && !p.lines[j-1].gap && l.label == isTags {
				break
			}
			next.label = l.label
		}
	}
}

// alone reports a label line that holds nothing but the label.
func (l *line) alone() bool {
	_, n := heads().at(l.fold)
	return n > 0 && letters(l.fold[n:]) == "" || l.words <= 4 && (l.Exact[len(l.Exact)-1] == ':' || l.label == isRelated && l.chars < 30)
}

// put files a line, once.
func (p *page) put(l *line, at place, reason string) {
	if l.place == unplaced {
		l.place, l.reason = at, reason
	}
}

// inRun reports whether lines[i] is inside the run of the article.
func (p *page) inRun(i int) bool { return p.from <= i && i < p.to }

// body returns the lines that are text of the article as far as is known.
func (p *page) body() []*line {
	var body []*line
	for _, l := range p.lines[p.from:p.to] {
		if l.place == unplaced && l.label == noLabel || l.place == inBody {
			body = append(body, l)
		}
	}
	return body
}

// checkSize refuses a text that no note could carry, before it is searched.
func (p *page) checkSize() error {
	n := 0
	for _, l := range p.body() {
		n += len(l.Exact)
	}
	if n > MaxTextBytes {
		return fmt.Errorf("the text of the article has %d bytes, the limit is %d: paste one article, not a book", n, MaxTextBytes)
	}
	return nil
}

// settle files every line that has no place yet and fills the lists.
func (p *page) settle() {
	p.rights = len(p.lines)
	for i := len(p.lines) - 1; i >= p.to; i-- {
		if p.lines[i].label == isRights {
			p.rights = i
		}
	}
	for i, l := range p.lines {
		if l.place == unplaced {
			p.settleLine(i, l)
		}
		p.list(l)
	}
}

func (p *page) settleLine(i int, l *line) {
	switch {
	case l.label == isRelated || l.label == isEarlier:
		p.put(l, inRelated, l.label.reason())
	case l.label == isPromo:
		p.put(l, inPromo, l.label.reason())
	case l.label != noLabel:
		p.put(l, inChrome, l.label.reason())
	case p.inRun(i):
		p.put(l, inBody, "")
	case i < p.from:
		p.put(l, inChrome, "above the text")
	case l.words >= 4 && !l.terminal && i < p.rights:
		p.put(l, inRelated, "headline below the text")
	default:
		p.put(l, inChrome, "below the text")
	}
}

func (p *page) list(l *line) {
	b := Block{Span: l.Span, Text: l.Exact, Reason: l.reason}
	switch l.place {
	case inBody:
		b.Reason = ""
		p.art.Body = append(p.art.Body, b)
	case inRelated:
		p.art.Related = append(p.art.Related, b)
	case inPromo:
		p.art.Promo = append(p.art.Promo, b)
	case inChrome:
		p.art.Chrome = append(p.art.Chrome, b)
	}
}
