package intake

import "testing"

// TestTheLanguageIsReadOrLeftOpen: neighbours are not taken for each other,
// and a language that is not known is not guessed.
func TestTheLanguageIsReadOrLeftOpen(t *testing.T) {
	for want, texts := range map[string][]string{
		"uk": {"Рада громади вирішила, що новий причал відкриють навесні, а кошти на нього зібрали самі мешканці.", "Її план схвалили, але роботи почнуться не раніше, ніж за рік."},
		"ru": {"Совет общины решил, что новый причал откроют весной, а деньги на него собрали сами жители.", "Этот план одобрили, но работы начнутся не раньше чем через год."},
		"en": {"The council decided that the new pier would open in spring, and that the residents had paid for it."},
		"ja": {"町の議会は新しい桟橋を春に開くことを決めた。費用は住民が集めた。"},
		"ko": {"마을 의회는 새 부두를 봄에 열기로 했으며 비용은 주민들이 모았다."},
		"de": {"Der Rat beschloss, dass der neue Steg im Frühjahr öffnet und dass die Bewohner ihn bezahlt haben."},
		"fr": {"Le conseil a décidé que le nouveau quai ouvrirait au printemps et que les habitants l'avaient payé."},
		"pl": {"Rada zdecydowała, że nowe molo zostanie otwarte wiosną, a pieniądze na nie zebrali mieszkańcy."},
		"": {
			"Общинският съвет реши, че новият кей ще бъде отворен през пролетта, а парите са събрани от жителите на града.",
			"El consejo decidió que el nuevo muelle se abriría en primavera y que los vecinos lo habían pagado con su dinero.",
			"市议会决定新码头将于春季开放，费用由居民筹集。",
			"12345 67890", "Lorem",
		},
	} {
		for _, text := range texts {
			if got, _ := readLanguage(splitLines([]byte(text))); got != want {
				t.Errorf("%q is read as %q, want %q", text, got, want)
			}
		}
	}
}
