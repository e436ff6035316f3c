package pattern

import "iter"

// A Pattern is a pattern that was read (a pattern expression, §9.4).
type Pattern struct {
	Source     string // the text as it came
	Expression ObservationExpression
}

// Place returns the line and the column of a byte of Source, as in [Error].
func (p *Pattern) Place(at int) (line, column int) { return place(p.Source, at) }

// An ObservationExpression (§9.5) is an *[Observation], *[Observations] or *[Qualified].
type ObservationExpression interface {
	Offset() int // in bytes of Source
	append(b []byte) []byte
}

// An Observation matches one observation: [file:size = 25536].
type Observation struct {
	At         int // of the bracket
	Comparison ComparisonExpression
}

// Observations are two or more observation expressions with one operator between them (§9.5.2).
// What was grouped by parentheses is an operand of its own, even with the same operator.
type Observations struct {
	At       int // of the first operand or its parenthesis
	Operator ObservationOperator
	Operands []ObservationExpression
}

// A Qualified is an observation expression with the qualifiers behind it (§9.5.1), in their
// order. It has one of each type at most; only a group may have more, which is a finding.
type Qualified struct {
	At         int // of the operand or its parenthesis
	Operand    ObservationExpression
	Qualifiers []Qualifier
}

// Offset implements [ObservationExpression].
func (o *Observation) Offset() int { return o.At }

// Offset implements [ObservationExpression].
func (o *Observations) Offset() int { return o.At }

// Offset implements [ObservationExpression].
func (o *Qualified) Offset() int { return o.At }

// A Qualifier (§9.5.1) is a *[Within], *[Repeats] or *[StartStop].
type Qualifier interface {
	Offset() int // in bytes of Source
	append(b []byte) []byte
	kind() qualifierKind
}

type qualifierKind uint8

const (
	withinKind qualifierKind = 1 << iota
	repeatsKind
	startStopKind
)

// Within: all observations in a window of so many seconds.
type Within struct {
	At      int
	Seconds Constant // integer or float, not negative
}

// Repeats: so many different observations.
type Repeats struct {
	At    int
	Times Constant // integer, at least 1
}

// StartStop: observed at Start or later, and before Stop.
type StartStop struct {
	At          int
	Start, Stop Constant // timestamps
}

// Offset implements [Qualifier].
func (q *Within) Offset() int { return q.At }

// Offset implements [Qualifier].
func (q *Repeats) Offset() int { return q.At }

// Offset implements [Qualifier].
func (q *StartStop) Offset() int { return q.At }

func (*Within) kind() qualifierKind    { return withinKind }
func (*Repeats) kind() qualifierKind   { return repeatsKind }
func (*StartStop) kind() qualifierKind { return startStopKind }

// A ComparisonExpression (§9.6) is a *[Comparison] or *[Comparisons].
type ComparisonExpression interface {
	Offset() int // in bytes of Source
	append(b []byte) []byte
}

// A Comparison compares a property with a constant: file:size = 25536.
type Comparison struct {
	At       int
	Path     Path
	Not      bool // negated: file:size NOT = 25536, NOT EXISTS file:size
	Operator ComparisonOperator
	Constant Constant   // of every operator but In and Exists
	Set      []Constant // of In
}

// Comparisons are two or more comparison expressions with one operator between them (§9.6).
// What was grouped by parentheses is an operand of its own, even with the same operator.
type Comparisons struct {
	At       int // of the first operand or its parenthesis
	Operator BooleanOperator
	Operands []ComparisonExpression
}

// Offset implements [ComparisonExpression].
func (c *Comparison) Offset() int { return c.At }

// Offset implements [ComparisonExpression].
func (c *Comparisons) Offset() int { return c.At }

// Observations yields the bracketed observations from left to right.
func (p *Pattern) Observations() iter.Seq[*Observation] {
	return func(yield func(*Observation) bool) { eachObservation(p.Expression, yield) }
}

func eachObservation(e ObservationExpression, yield func(*Observation) bool) bool {
	switch e := e.(type) {
	case *Observation:
		return yield(e)
	case *Qualified:
		return eachObservation(e.Operand, yield)
	case *Observations:
		for _, o := range e.Operands {
			if !eachObservation(o, yield) {
				return false
			}
		}
	}
	return true
}

// Comparisons yields the comparisons of one observation from left to right.
func (o *Observation) Comparisons() iter.Seq[*Comparison] {
	return func(yield func(*Comparison) bool) { eachComparison(o.Comparison, yield) }
}

func eachComparison(e ComparisonExpression, yield func(*Comparison) bool) bool {
	switch e := e.(type) {
	case *Comparison:
		return yield(e)
	case *Comparisons:
		for _, c := range e.Operands {
			if !eachComparison(c, yield) {
				return false
			}
		}
	}
	return true
}
