package pattern

import (
	"strconv"
	"unicode/utf8"
)

// A parser reads tokens and hands what they mean to its builder, which may be nil.
type parser struct {
	lexer
	tree  *builder
	depth int // parentheses that are open

	// The last two names of the path read last, if nothing stands between them: they tell a hash.
	parent, key string
}

// Parse reads a pattern. The error is an *[Error].
func Parse(text string) (*Pattern, error) {
	b := newBuilder()
	p := parser{lexer: lexer{src: text}, tree: &b}
	e := p.pattern()
	if p.err != nil {
		return nil, p.err
	}
	b.tree.pattern = Pattern{text, e}
	return &b.tree.pattern, nil
}

// Check tells what [Parse] would, without making a tree. The error is an *[Error].
func Check(text string) error {
	p := parser{lexer: lexer{src: text}}
	p.pattern()
	if p.err != nil {
		return p.err
	}
	return nil
}

// Words of what is expected between expressions.
const (
	patternWords = "an observation expression in brackets, or a parenthesis before one (§9.5)"
	afterPattern = "AND, OR, FOLLOWEDBY, a qualifier (WITHIN, REPEATS, START) or the end of the pattern"
	afterGroup   = "AND, OR, FOLLOWEDBY, a qualifier (WITHIN, REPEATS, START) or a closing parenthesis"
)

func (p *parser) pattern() ObservationExpression {
	switch {
	case len(p.src) > MaxBytes:
		p.fail(MaxBytes, "more", "a pattern of at most "+strconv.Itoa(MaxBytes)+" bytes")
	case !utf8.ValidString(p.src):
		p.fail(invalidUTF8(p.src), "a byte that is not UTF-8", "Unicode text (§9.4)")
	}
	p.next()
	e := p.observations(FollowedBy)
	p.expect(end, afterPattern)
	return e
}

func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return len(s)
}

// unexpected fails at the token at hand.
func (p *parser) unexpected(expected string) {
	switch found := p.src[p.tok.start:p.tok.end]; {
	case p.tok.kind == end:
		p.failAt(p.tok.start, expected)
	case p.tok.kind.keyword():
		p.fail(p.tok.start, "the keyword "+found, expected)
	default:
		p.fail(p.tok.start, quoteShort(found), expected)
	}
}

// accept steps over a token if it is the one at hand.
func (p *parser) accept(k kind) bool {
	if p.tok.kind != k || p.err != nil {
		return false
	}
	p.next()
	return true
}

// expect steps over a token that must be at hand.
func (p *parser) expect(k kind, expected string) {
	if !p.accept(k) {
		p.unexpected(expected)
	}
}

// open steps over an opening parenthesis.
func (p *parser) open() {
	if p.depth++; p.depth > MaxDepth {
		p.fail(p.tok.start, "one more open parenthesis", "at most "+strconv.Itoa(MaxDepth)+" of them")
	}
	p.next()
}

// close steps over a closing one.
func (p *parser) close(expected string) {
	p.depth--
	p.expect(rightParen, expected)
}

// observations reads observation expressions joined by op or anything stronger (§9.5.3).
func (p *parser) observations(op ObservationOperator) ObservationExpression {
	if op > ObservationAnd {
		return p.qualified()
	}
	at, mark := p.tok.start, p.tree.markObservations()
	first := p.observations(op + 1)
	if p.tok.kind != op.token() {
		return first
	}
	p.tree.pushObservation(first)
	for p.accept(op.token()) {
		p.tree.pushObservation(p.observations(op + 1))
	}
	return p.tree.joinObservations(at, op, mark)
}

// qualified reads an observation or a group, with its qualifiers.
func (p *parser) qualified() ObservationExpression {
	at, grouped := p.tok.start, p.tok.kind == leftParen
	if !grouped {
		return p.qualifiers(at, p.observation(), false)
	}
	p.open()
	e := p.observations(FollowedBy)
	p.close(afterGroup)
	return p.qualifiers(at, e, true)
}

// observation reads comparisons in brackets.
func (p *parser) observation() ObservationExpression {
	at := p.tok.start
	p.expect(leftBracket, patternWords)
	e := p.comparisons(Or)
	p.expect(rightBracket, "AND, OR or the bracket that closes the observation expression")
	return p.tree.newObservation(at, e)
}

// comparisons reads comparison expressions joined by op or anything stronger (§9.5.3).
func (p *parser) comparisons(op BooleanOperator) ComparisonExpression {
	if op > And {
		return p.comparison()
	}
	at, mark := p.tok.start, p.tree.markComparisons()
	first := p.comparisons(op + 1)
	if p.tok.kind != op.token() {
		return first
	}
	p.tree.pushComparison(first)
	for p.accept(op.token()) {
		p.tree.pushComparison(p.comparisons(op + 1))
	}
	return p.tree.joinComparisons(at, op, mark)
}
