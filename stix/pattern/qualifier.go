package pattern

import "strings"

// qualifiers reads the qualifiers behind e. An observation has one of each type at most
// (§9.5.1); behind a group a second one counts as applied to what stands before it.
func (p *parser) qualifiers(at int, e ObservationExpression, grouped bool) ObservationExpression {
	var all []Qualifier
	var seen qualifierKind
	for k := p.qualifierKind(); k != 0; k = p.qualifierKind() {
		if seen&k != 0 && !grouped {
			p.unexpected("no second qualifier of this type on one observation expression (§9.5.1)")
			return nil
		}
		seen |= k
		if q := p.qualifier(k); p.tree != nil {
			all = append(all, q)
		}
	}
	if seen == 0 {
		return e
	}
	return p.tree.newQualified(at, e, all)
}

// qualifierKind returns the kind of qualifier that the token at hand begins, or 0.
func (p *parser) qualifierKind() qualifierKind {
	switch p.tok.kind {
	case withinWord:
		return withinKind
	case repeatsWord:
		return repeatsKind
	case startWord:
		return startStopKind
	}
	return 0
}

func (p *parser) qualifier(k qualifierKind) Qualifier {
	at := p.tok.start
	p.next()
	switch k {
	case withinKind:
		return p.within(at)
	case repeatsKind:
		return p.repeats(at)
	}
	return p.startStop(at)
}

func (p *parser) within(at int) Qualifier {
	const words = "a number of seconds greater than 0 (§9.5.1)"
	p.positive(words)
	seconds := p.constant(numberKind, words)
	p.expect(secondsWord, "SECONDS")
	if p.tree == nil {
		return nil
	}
	return &Within{at, seconds}
}

func (p *parser) repeats(at int) Qualifier {
	const words = "a whole number of times, at least 1 (§9.5.1)"
	p.positive(words)
	if p.text() == "0" {
		p.unexpected(words)
	}
	times := p.constant(1<<Integer, words)
	p.expect(timesWord, "TIMES")
	if p.tree == nil {
		return nil
	}
	return &Repeats{at, times}
}

// positive fails for a number with a minus sign.
func (p *parser) positive(words string) {
	if numberKind.has(p.tok.constantKind()) && strings.HasPrefix(p.text(), "-") {
		p.unexpected(words)
	}
}

func (p *parser) startStop(at int) Qualifier {
	const words = "a timestamp: t'...' (§9.5.1)"
	start := p.constant(1<<Timestamp, words)
	p.expect(stopWord, "STOP")
	stop := p.constant(1<<Timestamp, words)
	if p.tree == nil {
		return nil
	}
	return &StartStop{at, start, stop}
}
