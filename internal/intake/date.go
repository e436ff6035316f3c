package intake

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones do not depend on the machine
)

// stamp is a date as printed: its place in the line, and what it says.
type stamp struct {
	start, end        int // byte offsets in line.Exact
	year, month, day  int
	hour, minute, sec int
	precision         string // second, minute or day
	zone              string // as resolved from the page; "" if it prints none
	zoneText          string // as printed
	weight            int    // how much it looks like the publication date
}

// months maps month names, as far as they are unmistakable, to their numbers.
func months() map[string]int {
	names := []string{
		`січня січ січень january jan januar jänner janvier janv stycznia styczeń января янв январь`,
		`лютого лют лютий february feb februar février févr fév lutego luty февраля фев февраль`,
		`березня бер березень march mar märz mär mars marca marzec марта мар март`,
		`квітня кві квіт квітень april apr avril avr kwietnia kwiecień апреля апр апрель`,
		`травня тра трав травень may mai maja maj мая май`,
		`червня чер черв червень june jun juni juin czerwca czerwiec июня июн июнь`,
		`липня лип липень july jul juli juillet juil lipca lipiec июля июл июль`,
		`серпня сер серп серпень august aug août sierpnia sierpień sie августа авг август`,
		`вересня вер верес вересень september sept sep septembre września wrzesień wrz сентября сен сент сентябрь`,
		`жовтня жов жовт жовтень october oct oktober okt octobre października październik paź октября окт октябрь`,
		`листопада лис лист листопад november nov novembre listopada listopad lis ноября ноя нояб ноябрь`,
		`грудня гру груд грудень december dec dezember dez décembre déc grudnia grudzień gru декабря дек декабрь`,
	}
	m := map[string]int{}
	for i, line := range names {
		for n := range strings.FieldsSeq(line) {
			m[n] = i + 1
		}
	}
	return m
}

// dateForms is the grammar of dates and times, compiled on first use.
type dateForms struct {
	months                             map[string]int
	dayMonth, monthDay, cjk, era       *regexp.Regexp
	iso, dotted, slashed               *regexp.Regexp
	clock, clockCJK, clockFR, clockUhr *regexp.Regexp
	zone, offset, published, updated   *regexp.Regexp
}

const sp = `[\s\p{Z}]`

var forms = sync.OnceValue(func() *dateForms {
	return &dateForms{
		months:    months(),
		dayMonth:  regexp.MustCompile(`(?i)\b(\d{1,2})(?:er|st|nd|rd|th)?\.?` + sp + `*(?:of` + sp + `+)?(\p{L}{3,12})\.?,?` + sp + `+(\d{4})(?:` + sp + `*(?:року|года|р\.|г\.|r\.|г|р)(?:` + sp + `|[,;|]|$))?`),
		monthDay:  regexp.MustCompile(`(?i)(\p{L}{3,12})\.?` + sp + `+(\d{1,2})(?:st|nd|rd|th)?,` + sp + `*(\d{4})`),
		cjk:       regexp.MustCompile(`(\d{4})` + sp + `*[年년]` + sp + `*(\d{1,2})` + sp + `*[月월]` + sp + `*(\d{1,2})` + sp + `*[日일]`),
		era:       regexp.MustCompile(`(令和|平成)(\d{1,2}|元)年(\d{1,2})月(\d{1,2})日`),
		iso:       regexp.MustCompile(`\b(\d{4})([-./])(\d{1,2})([-./])(\d{1,2})(?:T|\b)`),
		dotted:    regexp.MustCompile(`\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b`),
		slashed:   regexp.MustCompile(`\b(\d{1,2})[/-](\d{1,2})[/-](\d{4})\b`),
		clock:     regexp.MustCompile(`(?i)\b([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?:` + sp + `*([ap])\.?m\b\.?)?`),
		clockCJK:  regexp.MustCompile(`(午前|午後|오전|오후)?` + sp + `*(\d{1,2})` + sp + `*(?:[時시]` + sp + `*(?:(\d{1,2})` + sp + `*[分분])?|:(\d{2}))`),
		clockFR:   regexp.MustCompile(`\b([01]?\d|2[0-3])` + sp + `?h` + sp + `?([0-5]\d)?\b`),
		clockUhr:  regexp.MustCompile(`\b([01]?\d|2[0-3])[.:]([0-5]\d)` + sp + `*Uhr`),
		zone:      regexp.MustCompile(`^[\s\p{Z},(\[]*(UTC|GMT|Z|EEST|EET|MSK|МСК|мск|JST|KST|CEST|CET|MESZ|MEZ|BST|EDT|EST|CDT|CST|MDT|MST|PDT|PST|ET|за київським часом|київський час|за Києвом|по киевскому времени|по Киеву|по московскому времени|Kyiv time|Tokyo time|Seoul time|London time|日本時間|한국시간)(?:[^\p{L}]|$)`),
		offset:    regexp.MustCompile(`^[\s\p{Z},(\[]*(?:UTC|GMT)?` + sp + `*([+−-])(\d{1,2})(?::?([0-5]\d))?(?:[^\d]|$)`),
		published: regexp.MustCompile(`(?i)опубліковано|опубликовано|дата публікації|дата публикации|publish|posted|veröffentlicht|erschienen|publié|opublikowano|data publikacji|公開|配信|掲載|投稿|입력|등록|기사입력|승인|작성|송고`),
		updated:   regexp.MustCompile(`(?i)оновлено|обновлено|updated|modified|aktualisiert|mis à jour|modifié|aktualizacja|zaktualizowano|更新|수정|최종수정`),
	}
})

// datelineRest is how many letters a dateline may hold beside its date.
const datelineRest = 70

// readDateline returns the date of a line that is little more than a date, with
// a byline or the word "published"; nil for prose that mentions a date.
func (l *line) readDateline(lang string) *stamp {
	if len(l.Exact) > 400 || l.label == isRights {
		return nil
	}
	all := findDates(l.Exact, lang)
	if len(all) == 0 {
		return nil
	}
	rest := l.chars
	for _, s := range all {
		rest -= len(letters(l.Exact[s.start:s.end]))
	}
	if rest > datelineRest || rest > 30 && l.terminal {
		return nil
	}
	best := all[0]
	for _, s := range all {
		if s.weight > best.weight {
			best = s
		}
	}
	return best
}

// findDates returns the dates in text, weighed by the words before them.
func findDates(text, lang string) []*stamp {
	f := forms()
	var found []*stamp
	add := func(m []int, year, month, day int) {
		s := &stamp{start: m[0], end: m[1], year: year, month: month, day: day, precision: "day"}
		if !s.valid() {
			return
		}
		for _, other := range found {
			if s.start < other.end && other.start < s.end {
				return
			}
		}
		found = append(found, s)
	}
	num := func(m []int, i int) int { n, _ := strconv.Atoi(text[m[2*i]:m[2*i+1]]); return n }
	str := func(m []int, i int) string { return text[m[2*i]:m[2*i+1]] }
	for _, m := range f.dayMonth.FindAllStringSubmatchIndex(text, -1) {
		m[1] = m[0] + len(strings.TrimRight(text[m[0]:m[1]], " ,;|\u00a0\u202f\t"))
		add(m, num(m, 3), f.months[fold(str(m, 2))], num(m, 1))
	}
	for _, m := range f.monthDay.FindAllStringSubmatchIndex(text, -1) {
		add(m, num(m, 3), f.months[fold(str(m, 1))], num(m, 2))
	}
	for _, m := range f.cjk.FindAllStringSubmatchIndex(text, -1) {
		add(m, num(m, 1), num(m, 2), num(m, 3))
	}
	for _, m := range f.era.FindAllStringSubmatchIndex(text, -1) {
		add(m, eraYear(str(m, 1), str(m, 2)), num(m, 3), num(m, 4))
	}
	for _, m := range f.iso.FindAllStringSubmatchIndex(text, -1) {
		if str(m, 2) == str(m, 4) {
			add(m, num(m, 1), num(m, 3), num(m, 5))
		}
	}
	for _, m := range f.dotted.FindAllStringSubmatchIndex(text, -1) {
		if versionNumber.MatchString(text[m[1]:]) {
			continue
		}
		add(m, num(m, 3), num(m, 2), num(m, 1))
	}
	for _, m := range f.slashed.FindAllStringSubmatchIndex(text, -1) {
		day, month, ok := slashOrder(num(m, 1), num(m, 2), lang)
		if ok {
			add(m, num(m, 3), month, day)
		}
	}
	for i, s := range found {
		s.readClock(text, bounds(found, i, len(text)))
		s.weigh(text, bounds(found, i, len(text)))
	}
	return found
}

// versionNumber goes on where a dotted date ends: 1.2.2023.4.
var versionNumber = regexp.MustCompile(`^\.\d`)

// bounds returns the stretch of text around found[i] that no other date claims.
func bounds(found []*stamp, i, length int) [2]int {
	lo, hi := 0, length
	for j, other := range found {
		switch {
		case j == i:
		case other.end <= found[i].start:
			lo = max(lo, other.end)
		case other.start >= found[i].end:
			hi = min(hi, other.start)
		}
	}
	return [2]int{lo, hi}
}

func (s *stamp) valid() bool {
	if s.year < 1990 || s.year > 2100 || s.month < 1 || s.month > 12 || s.day < 1 {
		return false
	}
	return time.Date(s.year, time.Month(s.month), s.day, 0, 0, 0, 0, time.UTC).Day() == s.day
}

func eraYear(era, n string) int {
	year, err := strconv.Atoi(n)
	if err != nil {
		year = 1
	}
	if era == "平成" {
		return 1988 + year
	}
	return 2018 + year
}

// slashOrder decides 03/05/2023: day first everywhere but in English, where
// nobody can know unless one number is greater than 12.
func slashOrder(a, b int, lang string) (day, month int, ok bool) {
	switch {
	case a > 12:
		return a, b, true
	case b > 12:
		return b, a, true
	}
	return a, b, lang != "en" && lang != "" || a == b
}

// readClock looks for a time close behind the date, else close before it.
func (s *stamp) readClock(text string, within [2]int) {
	const near = 24
	after := text[s.end:min(within[1], s.end+3*near, len(text))]
	if i, j, ok := s.clockIn(after); ok && len([]rune(after[:i])) <= near {
		s.end += j
		s.readZone(text[s.end:within[1]])
		return
	}
	from := max(within[0], s.start-2*near)
	for from < s.start && text[from]&0xc0 == 0x80 {
		from++
	}
	before := text[from:s.start]
	if i, j, ok := s.clockIn(before); ok && len([]rune(before[j:])) <= near {
		s.readZone(before[j:])
		s.start = from + i
	}
}

// clockIn finds the first time in text and sets it.
func (s *stamp) clockIn(text string) (start, end int, ok bool) {
	f := forms()
	if m := f.clockUhr.FindStringSubmatchIndex(text); m != nil {
		return m[0], m[1], s.setClock(text, m, 1, 2, -1)
	}
	if m := f.clockCJK.FindStringSubmatchIndex(text); m != nil && (m[2] >= 0 || m[8] < 0) {
		minute := 3
		if m[8] >= 0 {
			minute = 4
		}
		ok := s.setClock(text, m, 2, minute, -1)
		if ok && m[2] >= 0 {
			half := text[m[2]:m[3]]
			ok = s.halfDay(half == "午後" || half == "오후")
		}
		i := m[1] - len(strings.TrimLeftFunc(text[m[0]:m[1]], blank))
		return i, m[1], ok
	}
	if m := f.clock.FindStringSubmatchIndex(text); m != nil {
		ok := s.setClock(text, m, 1, 2, 3)
		if ok && m[8] >= 0 {
			ok = s.halfDay(strings.EqualFold(text[m[8]:m[9]], "p"))
		}
		return m[0], m[1], ok
	}
	if m := f.clockFR.FindStringSubmatchIndex(text); m != nil {
		return m[0], m[1], s.setClock(text, m, 1, 2, -1)
	}
	return 0, 0, false
}

func (s *stamp) setClock(text string, m []int, hour, minute, sec int) bool {
	get := func(i int) int {
		if i < 0 || m[2*i] < 0 {
			return 0
		}
		n, _ := strconv.Atoi(text[m[2*i]:m[2*i+1]])
		return n
	}
	s.hour, s.minute, s.sec = get(hour), get(minute), get(sec)
	s.precision = "minute"
	if sec >= 0 && m[2*sec] >= 0 {
		s.precision = "second"
	}
	if s.hour > 23 || s.minute > 59 {
		s.hour, s.minute, s.sec, s.precision = 0, 0, 0, "day"
		return false
	}
	return true
}

// halfDay applies a.m. and p.m.; an hour beyond 12 keeps its own meaning.
func (s *stamp) halfDay(pm bool) bool {
	switch {
	case pm && s.hour < 12:
		s.hour += 12
	case !pm && s.hour == 12:
		s.hour = 0
	}
	return true
}

// printedZone resolves a zone as pages print it. Abbreviations that name an
// offset resolve to that offset, others to the place.
func printedZone(text string) string {
	switch text {
	case "UTC", "GMT", "Z":
		return "UTC"
	case "EET", "EEST", "за київським часом", "київський час", "за Києвом", "по киевскому времени", "по Киеву", "Kyiv time":
		return "Europe/Kyiv"
	case "MSK", "МСК", "мск", "по московскому времени":
		return "Europe/Moscow"
	case "JST", "日本時間", "Tokyo time":
		return "Asia/Tokyo"
	case "KST", "한국시간", "Seoul time":
		return "Asia/Seoul"
	case "London time":
		return "Europe/London"
	case "CET", "MEZ":
		return "+01:00"
	case "CEST", "MESZ":
		return "+02:00"
	case "BST":
		return "+01:00"
	case "ET":
		return "America/New_York"
	case "EST", "CDT":
		return "-05:00"
	case "EDT":
		return "-04:00"
	case "CST", "MDT":
		return "-06:00"
	case "MST", "PDT":
		return "-07:00"
	case "PST":
		return "-08:00"
	}
	return ""
}

// readZone reads a zone printed right behind the time.
func (s *stamp) readZone(rest string) {
	f := forms()
	if m := f.offset.FindStringSubmatch(rest); m != nil && s.precision != "day" && (strings.HasPrefix(strings.TrimLeft(rest, " (["), "UTC") || strings.HasPrefix(strings.TrimLeft(rest, " (["), "GMT") || m[3] != "") {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi(m[3])
		sign := "+"
		if m[1] != "+" {
			sign = "-"
		}
		if hours <= 14 {
			s.zone, s.zoneText = fmt.Sprintf("%s%02d:%02d", sign, hours, minutes), strings.TrimSpace(m[0])
			return
		}
	}
	if m := f.zone.FindStringSubmatch(rest); m != nil {
		s.zone, s.zoneText = printedZone(m[1]), m[1]
	}
}

// weigh scores how much the words before and behind say "published".
func (s *stamp) weigh(text string, within [2]int) {
	f := forms()
	if s.precision != "day" {
		s.weight += 2
	}
	around := text[within[0]:s.start]
	if within[0] == 0 && strings.TrimSpace(around) == "" {
		around = text[s.end:within[1]]
		if f.updated.MatchString(around) && within[1] < len(text) {
			around = ""
		}
	}
	switch {
	case f.updated.MatchString(around):
		s.weight -= 4
	case f.published.MatchString(around):
		s.weight += 3
	}
}

// defaultZones is the zone most pages in a language mean when they print none.
// English has no such zone.
func defaultZones() map[string]string {
	return map[string]string{
		"uk": "Europe/Kyiv", "ru": "Europe/Moscow", "ja": "Asia/Tokyo", "ko": "Asia/Seoul",
		"de": "Europe/Berlin", "fr": "Europe/Paris", "pl": "Europe/Warsaw",
	}
}

// published makes the finding of a stamp on a line of the page.
func (s *stamp) published(l *line, lang, host string) (Published, error) {
	p := Published{Span: l.sub(s.start, s.end), Precision: s.precision}
	p.Text = p.Exact
	p.Local = fmt.Sprintf("%04d-%02d-%02d", s.year, s.month, s.day)
	switch s.precision {
	case "minute":
		p.Local += fmt.Sprintf("T%02d:%02d", s.hour, s.minute)
	case "second":
		p.Local += fmt.Sprintf("T%02d:%02d:%02d", s.hour, s.minute, s.sec)
	}
	p.Zone, p.Assumed, p.Basis = s.whereabouts(lang, host)
	return p, p.resolve()
}

// whereabouts chooses the zone: printed, else by the country of the site's own
// domain, else by language, else UTC.
func (s *stamp) whereabouts(lang, host string) (zone string, assumed bool, basis string) {
	if s.zone != "" {
		return s.zone, false, "printed on the page: " + s.zoneText
	}
	if z := hostZone(host); z != "" {
		return z, true, "the page prints no zone; its site's domain is " + host
	}
	if z := defaultZones()[lang]; z != "" {
		return z, true, "the page prints no zone; usual zone of pages in its language (" + lang + ")"
	}
	return "UTC", true, "the page prints no zone and its language has no usual one"
}

// hostZone knows country domains with one zone.
func hostZone(host string) string {
	i := strings.LastIndexByte(host, '.')
	if i < 0 {
		return ""
	}
	return map[string]string{
		"ua": "Europe/Kyiv", "by": "Europe/Minsk", "jp": "Asia/Tokyo", "kr": "Asia/Seoul", "de": "Europe/Berlin",
		"at": "Europe/Vienna", "ch": "Europe/Zurich", "fr": "Europe/Paris", "be": "Europe/Brussels", "pl": "Europe/Warsaw",
		"uk": "Europe/London", "lt": "Europe/Vilnius", "lv": "Europe/Riga", "ee": "Europe/Tallinn", "md": "Europe/Chisinau",
		"ge": "Asia/Tbilisi", "nz": "Pacific/Auckland", "sg": "Asia/Singapore", "in": "Asia/Kolkata",
	}[host[i+1:]]
}

// resolve computes Instant from Local and Zone.
func (p *Published) resolve() error {
	loc, err := zoneOf(p.Zone)
	if err != nil {
		return err
	}
	layout := map[string]string{"day": "2006-01-02", "minute": "2006-01-02T15:04", "second": "2006-01-02T15:04:05"}[p.Precision]
	t, err := time.ParseInLocation(layout, p.Local, loc)
	if err != nil {
		return fmt.Errorf("publication date %q: %w", p.Text, err)
	}
	p.Instant = t.UTC()
	return nil
}

func zoneOf(name string) (*time.Location, error) {
	if t, err := time.Parse("-07:00", name); err == nil {
		_, seconds := t.Zone()
		return time.FixedZone(name, seconds), nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("time zone %q is not known: use an IANA name such as Europe/Kyiv", name)
	}
	return loc, nil
}
