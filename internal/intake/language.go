package intake

import (
	"strings"
	"unicode"
)

// A language is what is known of one: its stop words and letters that others
// do not have.
type language struct {
	code  string
	own   string // letters that speak for it
	never string // letters it does not have
	stops map[string]bool
}

// languages returns the languages with an alphabet, in a fixed order. Spanish,
// Italian, Portuguese, Dutch and Bulgarian are known only so that they are not taken for
// another: readLanguage reports them as uncertain.
func languages() []language {
	return []language{
		{"uk", "їєґі", "ыэёъ", set(`і й та в у на з із зі до що не як за для про це від по але або його її їх він вона вони ми ви я ти який яка яке які також було був була були буде бути є при над під через після між цього цей ця ці того той та то так вже ще лише тільки коли де якщо чи щоб тому себе свою свої своє має може можна потрібно без серед понад проти раніше тим усі всі нас йому словами`)},
		{"ru", "ыэёъ", "їєґі", set(`и в на с со из к ко что не как за для про это от по но или его её ее их он она они мы вы я ты который которая которое которые также было был была были будет быть при над под через после между этого этот эта эти того тот та то так уже ещё еще лишь только когда где если ли чтобы поэтому себя свою свои свое имеет может можно нужно без среди более против ранее тем все нас ему словам о об у до а же бы`)},
		{"bg", "ъ", "ыэёїєґі", set(`и в на с със от за че не се да е са ще по като до но или той тя те ние което който която които това тази този тези бе беше бяха при след през между без както още само когато където ако`)},
		{"en", "", "äöüßąćęłńśźżéèêàç", set(`the of and to in a is that for on was with as it by at from be are an this which or were has have had not but his her its their they he she we you i who will would said also been more than when there about into over after before between could may can if so such no out up all one new other what`)},
		{"de", "äöüß", "ąćęłńśźżéèêàç", set(`der die das und in den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sei ich wir ihr ihre seine kann keine wenn dieser diese`)},
		{"fr", "éèêàçùœ", "äößąćęłńśźż", set(`de la le et les des en un une du que qui dans est pour par sur au aux avec ne pas ce se il elle ils elles plus son sa ses cette ces mais ou où été être a ont sont comme tout nous vous leur leurs d l qu n s c j y deux selon entre après avant sans sous fait aussi ainsi`)},
		{"pl", "ąćęłńśźż", "äößéèêàç", set(`i w z na do się nie to że jest o jak za od po przez dla ale czy oraz przy być był była było były będzie są ze tym tego ten ta te które który która także już tylko może co jego jej ich również został została między po przed bez we pod nad gdy kiedy jeśli roku tej`)},
		{"es", "ñ¿¡", "äößąćęłńśźżèêàç", set(`de la el que en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy hasta desde está`)},
		{"it", "", "äößąćęłńśźżêç", set(`di e il la che in a per un è del una della con non i le si da dei sono al nel alla più ha lo anche come gli delle ma dal o ad se su questo suo sua essere stato tra dopo`)},
		{"pt", "ãõ", "äößąćęłńśźżè", set(`de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso`)},
		{"nl", "", "ąćęłńśźżßç", set(`de het een en van in is dat op te voor met die zijn aan niet er om ook als bij maar door over uit naar heeft hij ze zij nog dan wordt was worden deze dit tot of meer`)},
	}
}

// reported are the languages readLanguage names.
const reported = "uk ru en ja ko de fr pl"

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// readLanguage returns the language of the page: by script, then by letters
// and stop words. Long lines decide: menus are often in several languages.
// The code is "" when the evidence is thin; stops are those of the best guess.
func readLanguage(lines []*line) (code string, stops map[string]bool) {
	text := sample(lines, 60)
	if len(text) < 200 {
		text = sample(lines, 0)
	}
	if code := byScript(text); code != "" {
		return code, nil
	}
	best, second := 0.0, 0.0
	var guess language
	for _, l := range languages() {
		switch s := l.likeness(text); {
		case s > best:
			guess, best, second = l, s, best
		case s > second:
			second = s
		}
	}
	if best < 0.12 || best < second*1.1 || !strings.Contains(reported, guess.code) {
		return "", guess.stops
	}
	return guess.code, guess.stops
}

// sample joins lines of at least chars letters, up to 64 KiB.
func sample(lines []*line, chars int) string {
	const enough = 64 << 10
	var b strings.Builder
	for _, l := range lines {
		if l.chars >= chars && b.Len() < enough {
			b.WriteString(l.fold[:min(len(l.fold), enough)])
			b.WriteByte(' ')
		}
	}
	return strings.ToValidUTF8(b.String(), "")
}

// byScript knows the languages that a script gives away.
func byScript(text string) string {
	var kana, han, hangul, all int
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		}
		if unicode.IsLetter(r) {
			all++
		}
	}
	switch {
	case hangul*3 > all:
		return "ko"
	case (kana+han)*3 > all && kana*8 > han:
		return "ja"
	}
	return ""
}

// likeness is the share of stop words among the words of text, plus the share
// of words with letters of its own, minus that of words with letters it lacks.
func (l language) likeness(text string) float64 {
	words, sum := 0, 0.0
	for w := range strings.FieldsFuncSeq(text, notLetter) {
		words++
		switch {
		case strings.ContainsAny(w, l.never):
			sum--
		case strings.ContainsAny(w, l.own):
			sum += 0.5
		}
		if l.stops[w] {
			sum++
		}
	}
	if words < 5 {
		return 0
	}
	return sum / float64(words)
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }

// countStops counts the words of l that carry no meaning by themselves: prose
// has many, menus and lists of names have few.
func (l *line) countStops(stops map[string]bool) {
	if stops == nil {
		l.stops = l.countParticles()
		return
	}
	for w := range strings.FieldsFuncSeq(l.fold, notLetter) {
		if stops[w] {
			l.stops++
		}
	}
}

// countParticles does the same for Japanese and Korean, where particles are
// written together with the words.
func (l *line) countParticles() (n int) {
	if strings.ContainsFunc(l.fold, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
		for w := range strings.FieldsSeq(l.fold) {
			w = strings.TrimRight(w, ".,\"”’'")
			for _, end := range []string{"은", "는", "이", "가", "을", "를", "의", "에", "에서", "으로", "로", "와", "과", "도", "고", "며", "다", "한"} {
				if len(w) > len(end) && strings.HasSuffix(w, end) {
					n++
					break
				}
			}
		}
		return n
	}
	for _, r := range l.fold {
		if strings.ContainsRune("はがをにでとのもへ", r) {
			n++
		}
	}
	return n
}
