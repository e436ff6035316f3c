package intake

import (
	"fmt"
	"slices"
	"strings"
)

// The weights of a line in the sum. A full paragraph is worth about ten short
// lines; one line that can only be chrome is worth more than a paragraph.
const (
	perWord      = 0.25
	wordsCounted = 60
	shortPenalty = 6
	chromeWeight = 16
	goodChars    = 80
	nearChars    = 25
	proseStops   = 0.2
)

// findBody finds the run of lines with the greatest sum of scores.
func (p *page) findBody() error {
	for _, l := range p.lines {
		l.score = l.weight()
	}
	p.smooth()
	p.from, p.to = greatestRun(p.lines)
	if p.to == p.from {
		return fmt.Errorf("%w in %d lines: a page needs at least one full sentence below its title; was only the head of the page copied?", ErrNoBody, len(p.lines))
	}
	p.reach()
	return nil
}

// weight scores a line by itself.
func (l *line) weight() float64 {
	switch l.label {
	case noLabel:
	case isRelated, isPromo, isEarlier, isCredit, isNumber, isShare, isSource:
		return -shortPenalty
	default:
		return -chromeWeight
	}
	words := perWord * float64(min(l.words, wordsCounted))
	prose := l.words > 0 && float64(l.stops)/float64(l.words) >= proseStops
	switch {
	case l.chars >= goodChars && (l.terminal || prose):
		return words
	case l.chars >= nearChars && l.terminal:
		return words
	case l.chars >= goodChars:
		return 0
	}
	return -shortPenalty
}

// smooth forgives short lines between two paragraphs: headings and answers.
func (p *page) smooth() {
	good := func(i int) bool {
		return i >= 0 && i < len(p.lines) && p.lines[i].score > 0 && p.lines[i].chars >= goodChars
	}
	for i, l := range p.lines {
		if l.label == noLabel && l.score < 0 && good(i-1) && good(i+1) {
			l.score = -1
		}
	}
}

// greatestRun returns the run with the greatest sum above zero, the first of
// equals.
func greatestRun(lines []*line) (from, to int) {
	best, sum, start := 0.0, 0.0, 0
	for i, l := range lines {
		if sum <= 0 {
			sum, start = 0, i
		}
		if sum += l.score; sum > best {
			best, from, to = sum, start, i+1
		}
	}
	return from, to
}

// reach takes in prose just outside the run that a photo or a label cut off:
// a paragraph at most two lines away, with nothing between but such lines.
func (p *page) reach() {
	for {
		i := p.to
		for i < len(p.lines) && i < p.to+3 && slices.Contains([]label{isCredit, isRelated, isPromo, isShare}, p.lines[i].label) {
			i++
		}
		if i == len(p.lines) || i == p.to || i > p.to+2 || p.lines[i].score < perWord*20 {
			return
		}
		p.to = i + 1
	}
}

// trimTail moves what trails the text out of it: the teaser of an earlier
// article and the headlines behind it.
func (p *page) trimTail() {
	run := p.lines[p.from:p.to]
	last := len(run)
	for i := len(run) - 1; i > 0; i-- {
		l := run[i]
		if l.place != unplaced || l.label != noLabel && l.label != isEarlier {
			continue
		}
		if l.label != isEarlier && l.terminal {
			break
		}
		last = i
	}
	for _, l := range run[last:] {
		switch {
		case l.place != unplaced:
		case l.label == isEarlier:
			p.put(l, inRelated, isEarlier.reason())
		case l.label == noLabel && l.words >= 4:
			p.put(l, inRelated, "headline below the text")
		case l.label == noLabel:
			p.put(l, inChrome, "below the text")
		}
	}
	for _, l := range run[:last] {
		if l.label == isEarlier { // inside the text it is a paragraph like others
			l.label = noLabel
		}
	}
	p.cutTeaser()
}

// cutTeaser handles teasers of earlier articles that the run did not take in:
// everything unlabelled from the first of them up to the next label is related.
func (p *page) cutTeaser() {
	teasing := false
	for i, l := range p.lines {
		switch {
		case l.label == isEarlier && l.place != inBody:
			teasing = true
		case l.label != noLabel && l.label != isRelated:
			teasing = false
		case teasing && l.label == noLabel && l.place == unplaced && !p.inRun(i) && l.words >= 3:
			p.put(l, inRelated, "behind a teaser")
		}
	}
}

// stems returns the first letters of the words of s that carry meaning: enough
// to recognise a word in another case or number.
func stems(s string) map[string]bool {
	const stem = 5
	m := map[string]bool{}
	for w := range strings.FieldsFuncSeq(fold(s), func(r rune) bool { return notLetter(r) && r != '\'' }) {
		r := []rune(w)
		switch {
		case len(r) > 0 && wide(r[0]):
			for i := 0; i+1 < len(r); i++ {
				m[string(r[i:i+2])] = true
			}
		case len(r) >= 4:
			m[string(r[:min(len(r), stem)])] = true
		}
	}
	return m
}

// covered is the share of the stems in a that are in b.
func covered(a, b map[string]bool) float64 {
	n := 0
	for s := range a {
		if b[s] {
			n++
		}
	}
	return float64(n) / float64(max(1, len(a)))
}
