package intake

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// findTitle chooses among the lines above the text: what repeats, what stands
// above the date, what speaks of the same things as the text.
func (p *page) findTitle() {
	text, copies := p.bodyStems(), p.countCopies()
	best, index := 0.0, -1
	for i, l := range p.lines[:p.from] {
		if s := p.titleScore(i, l, text, copies); s > best {
			best, index = s, i
		}
	}
	if index < 0 {
		p.titleInRun()
		return
	}
	p.setTitle(p.lines[index])
}

func (p *page) bodyStems() map[string]bool {
	const enough = 64 << 10
	var b strings.Builder
	for _, l := range p.body() {
		if b.Len() < enough {
			b.WriteString(strings.ToValidUTF8(l.Exact[:min(len(l.Exact), enough)], ""))
			b.WriteByte(' ')
		}
	}
	return stems(b.String())
}

const (
	shortestTitle = 12
	longestTitle  = 300
)

func (p *page) titleScore(i int, l *line, text map[string]bool, c copies) float64 {
	if l.label != noLabel || l.chars < shortestTitle || utf8.RuneCountInString(l.Exact) > longestTitle || l.words < 2 {
		return 0
	}
	own := stems(l.Exact)
	score := 1 + 4*covered(own, text)*min(1, float64(len(own))/4) + float64(i)/float64(4*p.from)
	if l.chars >= 30 {
		score++
	}
	if l.terminal && !strings.HasSuffix(l.Exact, "?") && !strings.HasSuffix(l.Exact, "!") {
		score -= 2
	}
	if c.has(l) {
		score += 3
	}
	for _, next := range p.lines[i+1 : min(i+4, len(p.lines))] {
		if next.label == isDate || next.label == isByline {
			score++
			break
		}
	}
	return score
}

// copies counts, by their letters, the lines that may be copies of the title,
// and what stands before the site's name in them.
type copies struct {
	whole, before map[string]int
}

func (p *page) countCopies() copies {
	c := copies{map[string]int{}, map[string]int{}}
	for _, l := range p.lines {
		if len(l.Exact) > 4*longestTitle {
			continue
		}
		c.whole[letters(l.Exact)]++
		for _, sep := range suffixSeparators() {
			if i := strings.LastIndex(l.Exact, sep); i > 0 && len(l.Exact)-i < 120 {
				c.before[letters(l.Exact[:i])]++
			}
		}
	}
	return c
}

// suffixSeparators stand between a title and the name of the site.
func suffixSeparators() []string {
	return []string{" - ", " – ", " — ", " | ", " :: ", " · ", "｜", " « ", " » "}
}

// has reports whether another line has the same letters as l.
func (c copies) has(l *line) bool {
	key := letters(l.Exact)
	return c.whole[key] > 1 || c.before[key] > 0
}

// sameLine reports whether b repeats a: the same letters, whatever became of
// apostrophes and dashes, perhaps with the name of the site behind them.
func sameLine(a, b string) (same bool, suffix string) {
	x, y := letters(a), letters(b)
	if x == "" || x == y {
		return x == y && x != "", ""
	}
	if !strings.HasPrefix(y, x) || len(y)-len(x) > 60 || utf8.RuneCountInString(x) < shortestTitle {
		return false, ""
	}
	for _, sep := range suffixSeparators() {
		if i := strings.LastIndex(b, sep); i > 0 && letters(b[:i]) == x {
			return true, strings.TrimSpace(b[i+len(sep):])
		}
	}
	return false, ""
}

func (p *page) setTitle(l *line) {
	// Of two copies the first without the site's name is the title; the others
	// are dropped as repetitions (the picture's alternative text is often one).
	p.title = l
	p.put(l, inTitle, "")
	p.art.Title, p.art.Where.Title = l.Exact, l.Span
	for _, other := range p.lines {
		if other == l || other.place != unplaced || len(other.Exact) > 4*longestTitle {
			continue
		}
		if same, suffix := sameLine(l.Exact, other.Exact); same {
			p.put(other, inChrome, "repeats the title")
			if suffix != "" && p.suffix == "" {
				p.suffix = suffix
			}
		}
	}
}

// titleInRun takes the first line of the run for the title if it looks like
// one and text is left below it.
func (p *page) titleInRun() {
	body := p.body()
	if len(body) < 2 {
		return
	}
	if l := body[0]; !l.terminal && l.chars >= shortestTitle && utf8.RuneCountInString(l.Exact) <= longestTitle {
		p.setTitle(l)
	}
}

// findDate chooses the dateline: near the title, with a time, not "updated".
func (p *page) findDate() {
	best := -100
	for i, l := range p.lines {
		if l.date == nil {
			continue
		}
		score := l.date.weight
		switch {
		case p.title != nil && l.Start > p.title.Start && i <= p.from:
			score += 3
		case i > p.to:
			score -= 2
		}
		if score > best {
			best, p.dateline = score, l
		}
	}
	if p.dateline == nil {
		p.dateInsideHead()
		return
	}
	p.put(p.dateline, inDate, "")
}

// dateInsideHead finds a date in a byline that is longer than a dateline is.
func (p *page) dateInsideHead() {
	for _, l := range p.lines[:p.from] {
		if l.place != unplaced || l.chars > 200 || l.terminal && l.label == noLabel {
			continue
		}
		if found := findDates(l.Exact, p.lang); len(found) > 0 && l.label != isRights && l.label != isRelated {
			l.date, p.dateline = found[0], l
			p.put(l, inDate, "")
			return
		}
	}
}

// setPublished resolves the dateline.
func (p *page) setPublished() (err error) {
	if p.dateline != nil {
		p.art.Published, err = p.dateline.date.published(p.dateline, p.lang, siteHost(p.art.Publisher))
	}
	return err
}

// siteHost returns a publisher's name if it is the name of a site.
func siteHost(name string) string {
	if hostName.MatchString(name) {
		return strings.ToLower(name)
	}
	return ""
}

var hostName = regexp.MustCompile(`^(?:[\p{L}\d-]+\.)+\p{L}{2,10}$`)

// creditBehind finds a photo credit at the end of a caption.
var creditBehind = regexp.MustCompile(`^(.{10,400}?)[\s.(\[|/–—-]+(?:Фото|Світлина|Photo|Photograph|Image|Foto|Bild|Crédit|Zdjęcie|写真|撮影|画像|사진)(?: by|提供|제공)?\s*[:=：＝]?\s*([\p{Lu}\p{Lo}"«@][^)\]]{1,60})[)\]]?\.?$`)

// findPhoto finds the first photo's credit and caption. Those of further
// photos inside the text are taken out of it.
func (p *page) findPhoto() {
	for i, l := range p.lines {
		switch {
		case l.place != unplaced:
		case l.label == isCredit:
			p.credit(i, l)
		case l.label == noLabel && l.chars < 240 && i < p.to:
			p.captionWithCredit(l)
		}
	}
}

func (p *page) credit(i int, l *line) {
	_, n := heads().at(l.fold)
	name := l.Exact[foldedPrefix(l.Exact, n):]
	span := l.trimmed(len(l.Exact)-len(name), len(l.Exact), ":=：＝/[]()")
	caption := p.captionBeside(i)
	if p.art.Credit != "" || i >= p.to+2 {
		p.put(l, inChrome, "credit of another photo")
		if caption != nil && i < p.to {
			p.put(caption, inChrome, "caption of another photo")
		}
		return
	}
	p.put(l, inCredit, "")
	p.art.Credit, p.art.Where.Credit = span.Exact, span
	if caption != nil {
		s := caption.trimmed(0, len(caption.Exact), captionMarks)
		p.put(caption, inCaption, "")
		p.art.Caption, p.art.Where.Caption = s.Exact, s
	}
}

// foldedPrefix returns the length in s of the prefix that is n bytes in fold(s).
func foldedPrefix(s string, n int) int {
	for i := range s {
		if len(fold(s[:i]+"."))-1 >= n { // the point keeps a space at the end
			return i
		}
	}
	return len(s)
}

// captionBeside returns the line that describes the photo: on the next line,
// else on the line before, else short and apart.
func (p *page) captionBeside(i int) *line {
	at := func(j int) *line {
		if j < 0 || j >= len(p.lines) || p.lines[j].place != unplaced || p.lines[j].label != noLabel || p.lines[j].chars > 250 {
			return nil
		}
		return p.lines[j]
	}
	spaced := p.spaced()
	if next := at(i + 1); next != nil && spaced && !next.gap {
		return next
	}
	if prev := at(i - 1); prev != nil && spaced && !p.lines[i].gap {
		return prev
	}
	const headline = 200
	if prev := at(i - 1); prev != nil && prev.chars < headline && (!prev.terminal || i-1 < p.from) && prev.words >= 3 && (!p.inRun(i-1) || prev.score <= 0) {
		return prev
	}
	if next := at(i + 1); next != nil && next.chars < headline && !next.terminal && next.words >= 3 && i+1 < p.to {
		return next
	}
	return nil
}

// spaced reports a page whose paragraphs stand apart by blank lines while other
// lines do not: there, lines without a gap belong together.
func (p *page) spaced() bool {
	if p.spacing == nil {
		spaced := p.countSpaces()
		p.spacing = &spaced
	}
	return *p.spacing
}

func (p *page) countSpaces() bool {
	apart, tight := 0, 0
	for _, l := range p.body() {
		if l.gap {
			apart++
		}
	}
	for _, l := range p.lines[1:] {
		if !l.gap {
			tight++
		}
	}
	return apart*2 > len(p.body()) && tight > 0
}

// captionMarks are what sites put before a caption.
const captionMarks = "([▲△▼▽■□◀▶◆●"

func (p *page) captionWithCredit(l *line) {
	m := creditBehind.FindStringSubmatchIndex(l.Exact)
	if m == nil {
		return
	}
	if p.art.Credit != "" {
		p.put(l, inChrome, "caption of another photo")
		return
	}
	caption, credit := l.trimmed(m[2], m[3], captionMarks), l.trimmed(m[4], m[5], "")
	p.put(l, inCaption, "")
	p.art.Caption, p.art.Where.Caption = caption.Exact, caption
	p.art.Credit, p.art.Where.Credit = credit.Exact, credit
}

// Limits of a lede: one or two sentences that the text then says at length.
const (
	ledeChars     = 320
	ledeSentences = 2
	ledeCovered   = 0.6
)

// findLede finds the summary above the text: a sentence between title and
// date or photo, else the first paragraph if the following ones repeat it.
func (p *page) findLede() {
	if p.title == nil {
		return
	}
	if l := p.ledeAbove(); l != nil {
		p.setLede(l)
		return
	}
	body := p.body()
	if len(body) < 4 {
		return
	}
	first := body[0]
	var rest strings.Builder
	for _, l := range body[1:min(len(body), 60)] {
		rest.WriteString(strings.ToValidUTF8(l.Exact[:min(len(l.Exact), 4<<10)], "") + " ")
	}
	if first.chars <= ledeChars && first.terminal && sentences(first.Exact) <= ledeSentences &&
		covered(stems(first.Exact), stems(rest.String())) >= ledeCovered {
		p.setLede(first)
	}
}

// ledeAbove returns a sentence between the title and the first date, byline,
// photo or counter below it.
func (p *page) ledeAbove() *line {
	var candidate *line
	for _, l := range p.lines {
		if l.Start <= p.title.Start || l.place == inChrome || l.place == inCaption {
			continue
		}
		switch {
		case l.place == inDate || l.place == inCredit || l.label == isByline || l.label == isNumber || l.label == isCounter || l.label == isShare:
			return candidate
		case l.place == unplaced && l.label == noLabel && candidate == nil && l.chars >= 40 && l.chars < 500 && (l.terminal || l.words > 9):
			candidate = l
		default:
			return nil
		}
	}
	return nil
}

func (p *page) setLede(l *line) {
	p.put(l, inLede, "")
	p.art.Lede, p.art.Where.Lede = l.Exact, l.Span
}

var sentenceEnd = regexp.MustCompile(`[.!?…][»"”)]*\s*\p{Lu}|[。！？]`)

// sentences counts the sentences of s; a full stop need not be followed by a
// space, for pages lose them where a link was.
func sentences(s string) int {
	n := len(sentenceEnd.FindAllStringIndex(s, -1))
	if strings.HasSuffix(s, "。") {
		return n
	}
	return n + 1
}

// Limits of what is read as counters; a page has a handful.
const (
	maxBare     = 6
	maxCounters = 20
)

// findCounters reads counters with a word, and bare numbers about the head of
// the article.
func (p *page) findCounters() {
	var bare []Counter
	for i, l := range p.lines {
		switch {
		case l.place != unplaced:
		case (l.label == isCounter || l.label == isComments) && len(p.art.Counters) < maxCounters:
			p.wordedCounters(l)
		case l.label == isNumber && p.besideHead(i) && len(bare) < maxBare:
			if n, ok := readCount(l.Exact); ok {
				bare = append(bare, Counter{Kind: CountUnknown, Value: n, Basis: "bare number beside the head of the article", Span: l.Span})
				p.put(l, inCounter, "")
			}
		}
	}
	p.nameBare(bare)
	for i := range p.art.Counters {
		c := &p.art.Counters[i]
		switch {
		case c.Kind == CountComments && p.art.Comments == nil:
			p.art.Comments = &c.Value
		case c.Kind == CountViews && p.art.Views == nil:
			p.art.Views = &c.Value
		}
	}
}

// besideHead reports lines between the title and the text, or right behind a
// date or title.
func (p *page) besideHead(i int) bool {
	l := p.lines[i]
	if p.title != nil && l.Start < p.title.Start {
		return p.dateline != nil && l.Start > p.dateline.Start
	}
	return i < p.from || p.dateline != nil && i-4 <= p.dateline.index && i > p.dateline.index
}

// nameBare tells two bare numbers apart: who comments has viewed.
func (p *page) nameBare(bare []Counter) {
	if len(bare) == 2 && p.art.Counters == nil {
		less, more := &bare[0], &bare[1]
		if more.Value < less.Value {
			less, more = more, less
		}
		const basis = "one of two bare numbers beside the head of the article: the smaller is read as comments, the greater as views"
		less.Kind, less.Basis = CountComments, basis
		more.Kind, more.Basis = CountViews, basis
	}
	p.art.Counters = append(p.art.Counters, bare...)
}

var (
	countedViews    = regexp.MustCompile(`(?i)(?:(` + number + `)\s*(?:` + viewWords + `)|(?:` + viewWords + `)\s*[:：(\s]\s*(` + number + `))`)
	countedComments = regexp.MustCompile(`(?i)(?:(` + number + `)\s*(?:` + commentWords + `)|(?:` + commentWords + `)\s*[:：(\s]\s*(` + number + `))`)
)

func (p *page) wordedCounters(l *line) {
	found := false
	for _, f := range []struct {
		re   *regexp.Regexp
		kind CounterKind
	}{{countedComments, CountComments}, {countedViews, CountViews}} {
		m := f.re.FindStringSubmatchIndex(l.Exact)
		if m == nil {
			continue
		}
		i, j := m[2], m[3]
		if i < 0 {
			i, j = m[4], m[5]
		}
		if n, ok := readCount(l.Exact[i:j]); ok {
			p.art.Counters = append(p.art.Counters, Counter{Kind: f.kind, Value: n, Basis: "printed with its word", Span: l.sub(i, j)})
			found = true
		}
	}
	if found {
		p.put(l, inCounter, "")
	}
}

// readCount reads 423, 1 234, 1,234, 12.5k.
func readCount(s string) (int, bool) {
	s = fold(s)
	factor := 1.0
	for _, suffix := range []string{"k", "к", "m", "м"} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			s, factor = rest, map[string]float64{"k": 1e3, "к": 1e3, "m": 1e6, "м": 1e6}[suffix]
		}
	}
	if factor > 1 {
		f, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", "."), 64)
		return int(f * factor), err == nil
	}
	n, err := strconv.Atoi(strings.NewReplacer(" ", "", ",", "", ".", "", "+", "").Replace(s))
	return n, err == nil
}

// findByline reads who wrote the article, from the dateline or a line of its
// own above the text.
func (p *page) findByline() {
	for i, l := range p.lines {
		if i >= p.from+2 && l.place != inDate {
			break
		}
		switch {
		case l.place == inDate:
			p.bylineBeside(l)
		case l.label == isByline && l.place == unplaced:
			_, n := heads().at(l.fold)
			p.setAuthor(l.trimmed(foldedPrefix(l.Exact, n), len(l.Exact), ":：,;|·•–—-()"))
			p.put(l, inByline, "")
		}
	}
	if p.art.Author == "" {
		p.reporterLine()
	}
}

// bylineBeside reads "Text: Name, date".
func (p *page) bylineBeside(l *line) {
	k, n := heads().at(l.fold)
	if k != isByline || l.date.start < n {
		return
	}
	p.setAuthor(l.trimmed(foldedPrefix(l.Exact, n), l.date.start, ":：,;|·•–—-()"))
}

func (p *page) setAuthor(s Span) {
	if s.Exact != "" && len(s.Exact) < 120 && p.art.Author == "" && s.End > s.Start && letters(s.Exact) != "" {
		p.art.Author, p.art.Where.Author = s.Exact, s
	}
}

// reporterLines are bylines that end in the word for reporter.
var reporterLines = regexp.MustCompile(`^(?:[\[(【])?([\p{Hangul}]{2,5}(?: [\p{Hangul}]{2,5})?)\s*(?:선임)?기자[\])】]?(?:\s+\S+@\S+)?$|^(?:[\[(【])?([\p{Han}\p{Hiragana}\p{Katakana}・ 　]{2,16})記者[\])】]?$`)

func (p *page) reporterLine() {
	for _, l := range p.lines {
		if l.place != unplaced || l.label != noLabel || l.chars > 100 {
			continue
		}
		m := reporterLines.FindStringSubmatchIndex(l.Exact)
		if m == nil {
			continue
		}
		i, j := m[2], m[3]
		if i < 0 {
			i, j = m[4], m[5]
		}
		p.put(l, inByline, "")
		p.setAuthor(l.trimmed(i, j, ""))
		return
	}
}
