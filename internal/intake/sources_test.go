package intake

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSourcesAreOutletsNotSpeakers: who is cited for the report, not who is
// quoted in it.
func TestSourcesAreOutletsNotSpeakers(t *testing.T) {
	for text, want := range map[string]string{
		"Рада вирішила відкрити причал.Про це повідомляє Harbour Wire.":                        "Harbour Wire",
		"Про це пише видання «Маяк» з посиланням на Coastal Post.":                             "Маяк|Coastal Post",
		"Як передає агентство «Маяк-Інформ», причал відкриють навесні.":                        "Маяк-Інформ",
		"Об этом сообщает Harbour Wire. По словам мэра, причал откроют весной.":                "Harbour Wire",
		"За словами посла Івана Коваля, причал відкриють навесні, - повідомляє він.":           "",
		"Мер повідомив Івану Ковалю, що причал відкриють.":                                     "",
		"За даними ООН, причал відкриють навесні, як повідомляють у раді.":                     "",
		"The pier opens in spring, Reuters reported. According to President Smith, it is new.": "Reuters",
		"The pier opens in spring, according to the Coastal Ledger. The mayor agreed.":         "Coastal Ledger",
		"The mayor, citing Harbour Wire, said so, and told Coastal News about it.":             "Harbour Wire|Coastal News",
		"Der Steg öffnet im Frühjahr, wie die Küstenzeitung berichtet.":                        "",
		"Der Steg öffnet im Frühjahr, berichtet die Küsten Zeitung.":                           "Küsten Zeitung",
		"Laut Bürgermeister Müller öffnet der Steg im Frühjahr.":                               "",
		"みなと通信によると、桟橋は春に開く。町長によると費用は足りる。":                                                      "みなと通信",
		"해안통신에 따르면 부두는 봄에 연다. 시장에 따르면 비용은 충분하다.":                                               "해안통신",
	} {
		raw := []byte("The pier opens\n\n" + text + " " + strings.Repeat("And more of it. ", 3))
		p := newPage(raw)
		l := p.lines[1]
		p.sourcesIn(l)
		var got []string
		for _, s := range p.art.Sources {
			got = append(got, s.Name)
			if s.Exact != s.Name || string(raw[s.Start:s.End]) != s.Name {
				t.Errorf("%s: %q is not at its span", text, s.Name)
			}
		}
		if d := cmp.Diff(want, strings.Join(got, "|")); d != "" {
			t.Errorf("%s\n%s", text, d)
		}
	}
}

// TestThePublisherIsWhatTheSiteSaysOfItself.
func TestThePublisherIsWhatTheSiteSaysOfItself(t *testing.T) {
	const text = "The pier opens in spring\n\nThe council said on the evening of the meeting that the pier would open in the spring of next year.\n\n"
	for line, want := range map[string]string{
		"Новини від Приклад.net в Telegram. Підписуйтесь на наш канал https://t.me/pryklad": "Приклад.net",
		"Follow Coastal Ledger on Telegram": "Coastal Ledger",
		"© 2019–2026 Прибережний вісник. Усі права захищено":         "Прибережний вісник",
		"Copyright © 2026, Coastal Ledger Ltd. All rights reserved.": "Coastal Ledger Ltd",
		"© 2026. All rights reserved.":                               "",
		"저작권자 ⓒ 해안일보 무단전재 및 재배포 금지":                                  "해안일보",
		"© 2026 みなと新聞":                                               "みなと新聞",
		"The pier opens in spring | Coastal Ledger":                  "Coastal Ledger",
		"Підписуйтесь на наш канал https://t.me/pryklad":             "",
	} {
		a, err := ReadText([]byte(text + line + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if a.Publisher != want {
			t.Errorf("%s: publisher %q, want %q", line, a.Publisher, want)
		}
	}
}

// TestAddressesAreKeptAsPrintedAndNoneIsMadeUp.
func TestAddressesAreKeptAsPrintedAndNoneIsMadeUp(t *testing.T) {
	p := newPage([]byte("See https://a.example/x?y=1, (http://b.example/) and t.me/c, c.example or https:// and https://a.example/x?y=1.\nhttps://d.example/港へ"))
	p.findLinks()
	var got []string
	for _, l := range p.art.Links {
		got = append(got, l.URL)
	}
	if d := cmp.Diff([]string{"https://a.example/x?y=1", "http://b.example/", "https://d.example/"}, got); d != "" {
		t.Error(d)
	}
}
