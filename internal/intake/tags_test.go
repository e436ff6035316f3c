package intake

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTagsAreCutWhereTheyWereGlued and nowhere else; "?" marks a guess.
func TestTagsAreCutWhereTheyWereGlued(t *testing.T) {
	for text, want := range map[string]string{
		"ТЕГИ: НАТОЯпонияКитайугрозаофис":          "НАТО|Япония|Китай?|угроза?|офис?",
		"ТЕГИ:НАТО Япония Китай":                   "НАТО|Япония|Китай",
		"Теги: Південна Корея, Нова Зеландія":      "Південна Корея|Нова Зеландія",
		"Теги: Південна Корея саміт Японія":        "Південна Корея саміт|Японія",
		"Теги: кібербезпекадезінформація":          "кібербезпека?|дезінформація?",
		"Теги: кібербезпека":                       "кібербезпека",
		"Tags: YouTube, NATO, G7":                  "YouTube|NATO|G7",
		"Tags: UkraineNATOsummit":                  "Ukraine|NATO|summit",
		"Tags: АСЕАНJapan":                         "АСЕАН|Japan",
		"Tags: something unknown":                  "something unknown",
		"Теги: країна-агресор / #Світ":             "країна-агресор|Світ",
		"タグ：港、偽情報、海運":                              "港|偽情報|海運",
		"태그: 항구, 허위정보":                             "항구|허위정보",
		"Ключові слова: новини; політика; Україна": "новини|політика|Україна",
		"Tags: " + strings.Repeat("officewar", 60): "",
	} {
		raw := []byte(text)
		p := newPage(raw)
		p.findTags()
		var got []string
		for _, tag := range p.art.Tags {
			if tag.Text != string(raw[tag.Start:tag.End]) {
				t.Errorf("%s: %q is not at its span", text, tag.Text)
			}
			if tag.Certainty == Guessed {
				tag.Text += "?"
			}
			got = append(got, tag.Text)
		}
		if d := cmp.Diff(want, strings.Join(got, "|")); d != "" {
			t.Errorf("%s:\n%s", text, d)
		}
	}
}

// TestWordsOfThePageHelpToCutItsTags where no list knows them.
func TestWordsOfThePageHelpToCutItsTags(t *testing.T) {
	raw := []byte("Маяк на острові Ліра запрацював\n\nСмотритель сказав, що маяк запрацював учора ввечері, а причал відкриють за тиждень.\n\nТеги: причалмаяксмотритель\n")
	a, err := ReadText(raw)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"причалмаяксмотритель"}, tagTexts(a)); d != "" {
		t.Errorf("four letters are too few to cut by:\n%s", d)
	}
	a, err = ReadText([]byte(strings.ReplaceAll(string(raw), "маяксм", "см")))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"причал", "смотритель"}, tagTexts(a)); d != "" {
		t.Error(d)
	}
}
