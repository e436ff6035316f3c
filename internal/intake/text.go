package intake

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes what was read for a person: the facts, the text, and what
// was left out with the reason.
func (a *Article) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", orNone(a.Title), strings.Repeat("=", min(72, max(8, len([]rune(a.Title))))))
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", name, value)
		}
	}
	fact("published", a.when())
	fact("publisher", joinBasis(a.Publisher, a.Where.PublisherBasis))
	fact("author", a.Author)
	fact("language", a.Language)
	fact("photo", strings.TrimPrefix(a.Caption+" / "+a.Credit, " / "))
	fact("tags", a.tagLine())
	for _, s := range a.Sources {
		fact("cites", fmt.Sprintf("%s (%q, line %d)", s.Name, s.Cue, s.Line))
	}
	for _, c := range a.Counters {
		fact(string(c.Kind), fmt.Sprintf("%d (%s)", c.Value, c.Basis))
	}
	if a.Lede != "" {
		fmt.Fprintf(&b, "\n%s\n", a.Lede)
	}
	for _, p := range a.Body {
		fmt.Fprintf(&b, "\n%4d  %s\n", p.Line, p.Text)
	}
	fmt.Fprintf(&b, "\n%d paragraphs. Left out:\n", len(a.Body))
	for _, blocks := range [][]Block{a.Related, a.Promo, a.Chrome} {
		for _, l := range blocks {
			fmt.Fprintf(&b, "%4d  %-28s %s\n", l.Line, l.Reason, shorten(l.Text))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orNone(s string) string {
	if s == "" {
		return "(no title)"
	}
	return s
}

func joinBasis(value, basis string) string {
	if value == "" || basis == "" {
		return value
	}
	return value + " (" + basis + ")"
}

// when says local time, zone and whether the zone is assumed.
func (a *Article) when() string {
	p := a.Published
	if p.Instant.IsZero() {
		return ""
	}
	zone := p.Zone
	if p.Assumed {
		zone += ", assumed: " + p.Basis
	}
	return fmt.Sprintf("%s %s (%q)", p.Local, zone, p.Text)
}

func (a *Article) tagLine() string {
	var list []string
	for _, t := range a.Tags {
		text := t.Text
		if t.Certainty == Guessed {
			text += "?"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func shorten(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
