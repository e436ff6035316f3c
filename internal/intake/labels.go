package intake

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// label is what the words at the head of a line say about it.
type label uint8

const (
	noLabel    label = iota
	isNumber         // a bare number
	isEdition        // the switch to an edition in another language
	isDate           // date, perhaps with byline
	isByline         // who wrote it
	isCredit         // who made the photo
	isTags           // tags, keywords
	isRelated        // links to other articles
	isEarlier        // teaser "as reported earlier"
	isPromo          // subscribe, follow, advertising
	isMistake        // how to report a mistake
	isComments       // link to the readers' comments
	isCounter        // number with the word for what it counts
	isRights         // copyright and terms
	isShare          // buttons to share
	isNav            // menu, breadcrumb, log in
	isSource         // "Source: …"
	labelCount       // number of labels
)

// reasons says to a person why a line was left out of the article.
func (k label) reason() string {
	return [labelCount]string{
		isNumber: "bare number", isEdition: "edition switch", isDate: "date line", isByline: "byline",
		isCredit: "photo credit", isTags: "tags", isRelated: "link to another article",
		isEarlier: "teaser of an earlier article", isPromo: "promotion", isMistake: "how to report a mistake",
		isComments: "link to comments", isCounter: "counter", isRights: "copyright notice",
		isShare: "share buttons", isNav: "menu", isSource: "source line",
	}[k]
}

// headWords are words that open a line, by label. A trailing "=" asks for a
// colon, a dash or the end of the line after them.
func headWords() map[label][]string {
	return map[label][]string{
		isCredit: split(`фото:|фото =|фото /|фото –|фото -|світлина:|ілюстрація:|иллюстрация:|снимок:|photo:|photo by |photos:|photo credit|photograph:|image:|image credit|picture:|foto:|foto: |bild:|bildquelle|photo :|image :|crédit photo|crédits photo|crédit :|zdjęcie:|fot. |fot.:|fot:|写真:|写真：|写真=|写真＝|写真提供|画像:|画像：|画像提供|撮影:|撮影：|撮影=|撮影＝|사진:|사진=|사진 =|사진제공|/사진|[사진`),
		isTags:   split(`теги:|тэги:|тег:|теги=|тэги=|мітки:|мітки=|метки:|метки=|ключові слова|ключевые слова|теми:|темы:|сюжети:|сюжеты:|tags:|tags=|tagged:|tagged in|topics:|keywords:|schlagwörter|schlagworte|stichwörter|themen:|tags :|mots-clés|mots clés|thèmes :|thèmes:|tagi:|tagi=|słowa kluczowe|タグ:|タグ：|タグ=|関連タグ|キーワード:|キーワード：|キーワード=|関連キーワード|태그:|태그=|키워드:|키워드=|관련 태그|관련키워드`),
		isRelated: split(`читайте також|читайте ще|читати також|дивіться також|див. також|за темою|до теми|по темі|схожі новини|інші новини|останні новини|новини за темою|матеріали за темою|популярне=|популярні новини|головні новини|топ новин|вибір редакції|більше новин|` +
			`читайте также|читайте ещё|читайте еще|смотрите также|см. также|по теме|похожие новости|другие новости|последние новости|новости по теме|материалы по теме|популярное=|самое читаемое|главные новости|выбор редакции|больше новостей|` +
			`read more|read also|also read|read next|see also|related=|related articles|related stories|related news|related topics|more on this|more on|more from|most read|most popular|recommended=|recommended for|you may also|you might also|latest news|latest stories|top stories|trending=|up next|editor's pick|editors' pick|don't miss|what to read next|` +
			`関連記事|関連ニュース|関連リンク|あわせて読みたい|合わせて読みたい|おすすめ|人気記事|アクセスランキング|ランキング=|最新ニュース|こちらもおすすめ|次の記事|前の記事|` +
			`관련기사|관련 기사|관련뉴스|관련 뉴스|많이 본|인기기사|인기 기사|인기뉴스|추천기사|추천 기사|이 시각|주요뉴스|주요 뉴스|최신기사|함께 본|다른 기사|` +
			`mehr zum thema|lesen sie auch|lesen sie mehr|auch interessant|weitere artikel|weitere themen|weitere meldungen|meistgelesen|das könnte sie|das könnte dich|siehe auch|mehr dazu|verwandte artikel|neueste artikel|` +
			`à lire aussi|lire aussi|à lire également|voir aussi|sur le même sujet|sur le même thème|les plus lus|articles liés|nos articles|à découvrir|les dernières actualités|` +
			`czytaj także|czytaj też|czytaj również|czytaj więcej|zobacz także|zobacz też|zobacz również|przeczytaj|polecamy|polecane=|najczęściej czytane|powiązane|najnowsze=`),
		isEarlier: split(`раніше повідомлялося|раніше повідомлялось|раніше ми повідомляли|раніше ми писали|раніше стало відомо|як повідомлялося раніше|як повідомлялось|як раніше|нагадаємо|нагадуємо|` +
			`ранее сообщалось|ранее мы сообщали|ранее мы писали|ранее стало известно|как сообщалось ранее|как сообщалось|напомним|напоминаем|` +
			`earlier, it was reported|as previously reported|as reported earlier|previously, we reported|earlier we reported|wie berichtet|zuvor hatten wir|pour rappel|rappelons que|przypomnijmy|wcześniej informowaliśmy|jak informowaliśmy|前回の記事|앞서 본지`),
		isPromo: split(`підписуйтесь|підписуйтеся|підпишіться|підписатися|підписка=|передплат|слідкуйте за|стежте за|долучайтесь|долучайтеся|приєднуйтесь|приєднуйтеся|читайте нас|наш telegram|наш телеграм|наш канал|новини від|новини у telegram|завантажуйте|завантажити додаток|підтримайте нас|підтримати нас|підтримати редакцію|реклама=|на правах реклами|` +
			`подписывайтесь|подпишитесь|подписаться|подписка=|следите за нами|следите за новостями|присоединяйтесь|читайте нас|наш telegram|наш телеграм|новости от|скачайте|поддержите нас|поддержать редакцию|реклама=|на правах рекламы|` +
			`follow us|follow the|subscribe|sign up|join our|join us|get our|get the latest|download the|download our|support us|support our|donate|newsletter|our newsletter|advertisement|sponsored|paid content|promoted|click here to|listen to this|` +
			`公式x|公式line|lineで|xでフォロー|フォローする|フォローして|メルマガ|メールマガジン|無料登録|会員登録|有料会員|購読|チャンネル登録|アプリを|広告=|pr=|[pr]|スポンサー|` +
			`구독|뉴스레터|카카오톡|채널 추가|네이버에서|텔레그램 채널|앱 다운로드|앱을 다운|광고=|제보는|제보하기|▶|` +
			`abonnieren|jetzt abonnieren|folgen sie|newsletter|anzeige=|werbung=|jetzt herunterladen|melden sie sich|` +
			`abonnez-vous|s'abonner|suivez|suivez-nous|inscrivez-vous|recevez|publicité=|téléchargez|soutenez|` +
			`zapisz się|subskrybuj|obserwuj|polub nas|reklama=|pobierz aplikację|dołącz do|wesprzyj|śledź nas`),
		isMistake: split(`якщо ви помітили|якщо ви знайшли|якщо ви побачили|помітили помилку|знайшли помилку|побачили помилку|повідомити про помилку|если вы заметили|если вы нашли|если вы обнаружили|нашли ошибку|заметили ошибку|увидели ошибку|сообщить об ошибке|` +
			`if you notice a|if you spot|if you have found|if you find a|if you see a|spotted a|spotted an|found a mistake|found an error|found a typo|see a typo|report an error|report a mistake|report a typo|report a correction|noticed a mistake|誤りを|記事の誤り|誤字|間違いを|内容に誤り|오탈자|오류신고|오류 신고|기사 오류|기사오류|잘못된 정보|fehler gefunden|haben sie einen fehler|fehler melden|fehler entdeckt|une erreur|vous avez repéré|signaler une erreur|une faute|znalazłeś błąd|widzisz błąd|zgłoś błąd|zauważyłeś błąd`),
		isComments: split(`читати коментарі|коментарі=|усі коментарі|всі коментарі|залишити коментар|залиште коментар|додати коментар|написати коментар|коментувати|обговорити|переглянути коментарі|читать комментарии|комментарии=|все комментарии|оставить комментарий|добавить комментарий|написать комментарий|комментировать|обсудить|comments=|leave a comment|leave a reply|view comments|view all comments|read comments|read all comments|show comments|post a comment|add a comment|join the conversation|join the discussion|コメントを書く|コメントを見る|コメントする|コメント一覧|コメント=|댓글쓰기|댓글 쓰기|댓글 보기|댓글보기|댓글 달기|댓글=|의견 쓰기|kommentare=|kommentar schreiben|kommentieren|kommentare lesen|kommentare anzeigen|alle kommentare|commentaires=|commenter|laisser un commentaire|lire les commentaires|voir les commentaires|réagir|réagissez|komentarze=|skomentuj|dodaj komentarz|zobacz komentarze|czytaj komentarze`),
		isRights:   split(`©|(c) 20|(с) 20|ⓒ|copyright|all rights reserved|всі права захищено|усі права захищено|все права защищены|передрук|при цитуванні|при використанні матеріалів|використання матеріалів|при использовании материалов|при цитировании|перепечатка|無断転載|無断複写|本サイトに掲載|무단전재|무단 전재|저작권자|<저작권자|alle rechte vorbehalten|tous droits réservés|toute reproduction|wszelkie prawa|terms of use|terms and conditions|terms of service|privacy policy|політика конфіденційності|политика конфиденциальности|угода користувача|пользовательское соглашение|правила користування|про нас=|о нас=|контакти=|контакты=|about us|contact us|impressum|datenschutz|mentions légales|politique de confidentialité|polityka prywatności|プライバシー|利用規約|お問い合わせ|会社概要|개인정보|이용약관|청소년보호`),
		isNav:      split(`skip to|перейти до|перейти к|menu=|меню=|головна=|главная=|home=|log in=|login=|sign in=|увійти=|вхід=|войти=|вход=|search=|пошук=|поиск=|cookies=|we use cookies|this website uses|this site uses|ми використовуємо cookie|мы используем cookie|wir verwenden cookies|nous utilisons des cookies|ホーム=|トップ=|ログイン|会員登録=|検索=|本文へ|メニュー=|トップページ|홈=|로그인|회원가입|본문 바로가기|검색=|전체메뉴|기사검색|startseite=|anmelden=|suche=|zum inhalt|accueil=|connexion=|se connecter|rechercher=|recherche=|aller au contenu|strona główna|zaloguj|szukaj=|до змісту|наверх=|нагору=|вгору=|back to top|to top|ページの先頭|ページトップ|맨위로|nach oben=|haut de page|do góry=|слухати|прослухати|listen=|print=|font size|文字サイズ|글자크기|글자 크기|가나다라`),
		isSource:   split(`джерело:|джерела:|источник:|источники:|source:|sources:|quelle:|quellen:|source :|źródło:|źródła:|出典:|出典：|情報源|출처:|출처=`),
		isByline:   split(`текст:|автор:|автори:|авторы:|автор=|автор |журналіст:|журналист:|by |written by|author:|reporter:|autor:|autorin:|tekst:|text:|von |par |文:|文：|文・|文＝|取材:|取材：|기자=`),
	}
}

func split(s string) []string { return strings.Split(s, "|") }

// wordTrie finds the label whose opening word is the longest at the head of a
// line.
type wordTrie struct {
	byFirst map[rune][]headWord
}

type headWord struct {
	text   string
	strict bool
	label  label
}

// heads is built on first use from headWords and never changed.
var heads = sync.OnceValue(func() wordTrie {
	t := wordTrie{map[rune][]headWord{}}
	words := headWords()
	for k := noLabel; k < labelCount; k++ {
		for _, w := range words[k] {
			text, strict := strings.CutSuffix(w, "=")
			if strings.HasSuffix(w, " =") || strings.HasPrefix(w, "写真=") || strings.HasPrefix(w, "撮影=") || strings.HasPrefix(w, "사진=") {
				text, strict = w, false
			}
			first, _ := utf8.DecodeRuneInString(text)
			t.byFirst[first] = append(t.byFirst[first], headWord{text, strict, k})
		}
	}
	return t
})

// at returns the label of the longest word at the head of s and its length.
func (t wordTrie) at(s string) (label, int) {
	best, k := 0, noLabel
	first, _ := utf8.DecodeRuneInString(s)
	for _, w := range t.byFirst[first] {
		if len(w.text) > best && strings.HasPrefix(s, w.text) && w.fits(s[len(w.text):]) {
			best, k = len(w.text), w.label
		}
	}
	return k, best
}

// fits checks what follows an opening word: not the middle of a longer word,
// and for a strict one a colon, a dash or nothing.
func (w headWord) fits(rest string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	if w.strict {
		return rest == "" || strings.ContainsRune(":：|►»>", next) || strings.HasPrefix(rest, " (") || strings.HasPrefix(rest, " -") || strings.HasPrefix(rest, " –")
	}
	last, _ := utf8.DecodeLastRuneInString(w.text)
	return rest == "" || !unicode.IsLetter(last) || wide(last) || !unicode.IsLetter(next) || strings.HasSuffix(w.text, "передплат")
}

// proseLength is the length from which a line is read as prose although it
// opens with a label word that prose may open with too.
const proseLength = 160

// read returns the label of l.
func (l *line) read() label {
	s := strings.TrimLeft(l.fold, "•·-–—*►▶▸→>»▪●■□◆◇★☆👉✅📌🔔【[（( ")
	switch {
	case bareNumber.MatchString(l.fold):
		return isNumber
	case edition(l.Exact):
		return isEdition
	case l.chars < 300 && mistakeKeys.MatchString(l.fold):
		return isMistake
	case shareOnly(l.fold):
		return isShare
	}
	k, n := heads().at(s)
	if n == 0 && s != l.fold {
		k, n = heads().at(l.fold)
		s = l.fold
	}
	if k == isByline && (l.terminal || l.words > 8) && !strings.ContainsAny(s[:n], ":：") {
		k = noLabel
	}
	if ambiguous(k) && l.chars > proseLength && l.terminal {
		k = noLabel
	}
	if k == isRelated && (promoShort.MatchString(l.fold) || promoLine.MatchString(l.fold)) {
		return isPromo
	}
	if k != noLabel {
		return k
	}
	return l.readWhole()
}

// ambiguous reports labels whose words also open sentences.
func ambiguous(k label) bool {
	return k == isRelated || k == isPromo || k == isComments || k == isNav || k == isByline || k == isMistake || k == isRights
}

// readWhole knows lines by all of what they hold.
func (l *line) readWhole() label {
	short := l.chars < 140
	switch {
	case short && hashtags(l.fold):
		return isTags
	case l.chars < 260 && (promoLine.MatchString(l.fold) || !l.terminal && short && promoShort.MatchString(l.fold) || urlShare(l.Exact) > 0.4):
		return isPromo
	case short && counterLine.MatchString(l.fold):
		return isCounter
	case short && rightsLine.MatchString(l.fold):
		return isRights
	case short && readingTime.MatchString(l.fold):
		return isNav
	case short && breadcrumb(l.Exact):
		return isNav
	}
	return noLabel
}

var (
	bareNumber  = regexp.MustCompile(`^[+]?\d{1,3}(?:[ ,.]?\d{3})*(?:[.,]\d)?[kкмm]?$`)
	mistakeKeys = regexp.MustCompile(`ctrl\s*\+\s*(?:enter|ввод)|(?:誤り|間違い).{0,20}(?:報告|お知らせ|ご連絡|指摘)|오류.{0,12}(?:신고|제보)`)
	promoLine   = regexp.MustCompile(`(?:підписуй|підпиші|слідкуйте|стежте|читайте нас|долучай|приєднуй|подписывай|подпишит|следите за|присоединяй|follow us|follow our|subscribe to|join us|join our|フォロー|登録|購読|구독|팔로우|folgen sie|abonnieren sie|abonnez|suivez|rejoignez|subskrybuj|obserwuj|zapisz się|dołącz).{0,80}(?:` + network + `|канал|channel|チャンネル|公式|채널|kanal|kanał|chaîne)`)
	promoShort  = regexp.MustCompile(`(?:новин|новост|news|follow|join|find us|nachrichten|actualités|wiadomości|читайте|читай|ニュース|뉴스).{0,60}(?:` + network + `)|구독하기|구독 신청|알림 ?받기`)
	rightsLine  = regexp.MustCompile(`©|ⓒ|all rights reserved|無断(?:転載|複製)|무단\s?전재|права захищен|права защищен|alle rechte|tous droits|wszelkie prawa`)
	readingTime = regexp.MustCompile(`^(?:час читання|время чтения|reading time|lesezeit|temps de lecture|czas czytania)?[: ]*(?:~|≈|ca\. )?\d{1,3}[ -]?(?:хв|хвилин\p{L}*|мин|минут\p{L}*|min|mins|minute|minutes|minuten|分|분)\.?(?: читання| чтения| read| reading| de lecture| lesezeit| czytania|で読める)?$`)
	counterLine = regexp.MustCompile(`^(?:` + number + `\s*(?:` + viewWords + `|` + commentWords + `)|(?:` + viewWords + `|` + commentWords + `)\s*[:：(\s]\s*` + number + `\s*\)?)(?:[\s,|•·/;–-]+(?:` + number + `\s*(?:` + viewWords + `|` + commentWords + `)|(?:` + viewWords + `|` + commentWords + `)\s*[:：(\s]\s*` + number + `\s*\)?))?$`)
)

const (
	number       = `\d{1,3}(?:[ ,.\x{a0}\x{202f}]?\d{3})*`
	network      = `telegram|телеграм|viber|вайбер|whatsapp|facebook|фейсбук|google news|google новин|instagram|twitter|youtube|t\.me/|newsletter|rss|카카오|네이버`
	viewWords    = `переглядів|перегляди|перегляд|переглянули|просмотров|просмотры|просмотра|просмотр|прочитали|прочтений|page views|views|view|reads|閲覧数|閲覧|ビュー|조회수|조회|aufrufe|mal gelesen|vues|lectures|wyświetleń|wyświetlenia|odsłon|odsłony`
	commentWords = `коментарів|коментарі|коментаря|коментар|комментариев|комментарии|комментария|комментарий|comments|comment|replies|コメント数|コメント|件のコメント|댓글수|댓글|의견|kommentare|kommentar|commentaires|commentaire|komentarzy|komentarze|komentarz`
)

// edition reports a line that only names languages: "RU", "УКР | РУС | ENG".
func edition(s string) bool {
	if len(s) > 60 {
		return false
	}
	n := 0
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		n++
		if !strings.Contains(" RU UA UK EN ENG RUS UKR УКР РУС АНГ УК РУ DE FR PL JP JA KR KO ES CN Українська Русский English Deutsch Français Polski Español Рус Укр Eng 日本語 한국어 中文 简体 繁體 ", " "+w+" ") {
			return false
		}
	}
	return n > 0
}

// shareOnly reports a line that only names networks and ways to share.
func shareOnly(s string) bool {
	if len(s) > 160 {
		return false
	}
	n := 0
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' }) {
		n++
		if !strings.Contains(" facebook twitter x telegram viber whatsapp linkedin pinterest reddit pocket instagram youtube tiktok threads bluesky messenger email e-mail mail print line copy link url share tweet поширити поділитися поділитись ділитися надіслати друк друкувати роздрукувати скопіювати копіювати посилання поделиться поделитесь отправить печать распечатать скопировать ссылку ссылка у в на фейсбук телеграм твіттер твиттер вайбер シェア シェアする ツイート ポスト はてブ リンクをコピー 印刷 공유 공유하기 카카오톡 페이스북 트위터 링크복사 인쇄 프린트 스크랩 teilen drucken merken kopieren partager imprimer envoyer copier le lien udostępnij drukuj kopiuj wyślij via on this article save ", " "+w+" ") {
			return false
		}
	}
	return n > 0
}

// hashtags reports a line of two or more words that all begin with #.
func hashtags(s string) bool {
	n := 0
	for w := range strings.FieldsSeq(s) {
		if !strings.HasPrefix(w, "#") && !strings.HasPrefix(w, "＃") {
			return false
		}
		n++
	}
	return n > 1 || strings.Count(s, "#") > 1
}

// breadcrumb reports short items between separators: Home / News / Politics.
func breadcrumb(s string) bool {
	for _, sep := range []string{" / ", " > ", " » ", " › ", " | ", " • ", " · ", " → ", "＞", "｜", " >> "} {
		parts := strings.Split(s, sep)
		if len(parts) < 3 {
			continue
		}
		long := 0
		for _, p := range parts {
			if len(strings.Fields(p)) > 3 || utf8.RuneCountInString(p) > 30 {
				long++
			}
		}
		if long <= len(parts)/3 {
			return true
		}
	}
	return false
}

// urlShare is the share of a line that is URLs.
func urlShare(s string) float64 {
	n := 0
	for _, m := range webLink.FindAllStringIndex(s, -1) {
		n += m[1] - m[0]
	}
	return float64(n) / float64(max(1, len(s)))
}
