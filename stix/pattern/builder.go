package pattern

import "sync"

// A builder makes the nodes of a tree. Nodes of one kind share slabs. A nil builder makes
// nothing: then the parser only checks.
type builder struct {
	tree *firstSlab

	observations []ObservationExpression // operands of the operators being read
	comparisons  []ComparisonExpression
	work         int

	simple     slab[Observation]
	comparison slab[Comparison]
	steps      slab[Step]
	constants  slab[Constant]
	qualified  slab[Qualified]
	joinedO    slab[Observations]
	joinedC    slab[Comparisons]
	operandsO  slab[ObservationExpression]
	operandsC  slab[ComparisonExpression]
}

// firstSlab holds what nearly every pattern needs, in one allocation.
type firstSlab struct {
	pattern     Pattern
	observation [1]Observation
	comparison  [2]Comparison
	steps       [4]Step
}

func newBuilder() (b builder) {
	b.tree = new(firstSlab)
	b.simple.whole = b.tree.observation[:]
	b.comparison.whole = b.tree.comparison[:]
	b.steps.whole = b.tree.steps[:]
	b.simple.reset()
	b.comparison.reset()
	b.steps.reset()
	return b
}

// builders are kept for [Review], which needs its tree for a moment only.
var builders = sync.Pool{New: func() any { b := newBuilder(); return &b }}

// maxKept bounds the values of one kind in a builder that is kept.
const maxKept = 1 << 10

// release gives a builder back whose tree nobody needs any more.
func (b *builder) release() {
	if max(b.simple.size, b.comparison.size, b.steps.size, b.constants.size, b.qualified.size, b.joinedO.size,
		b.joinedC.size, b.operandsO.size, b.operandsC.size, cap(b.observations), cap(b.comparisons)) > maxKept {
		return
	}
	b.observations, b.comparisons, b.work = b.observations[:0], b.comparisons[:0], 0
	b.simple.reset()
	b.comparison.reset()
	b.steps.reset()
	b.constants.reset()
	b.qualified.reset()
	b.joinedO.reset()
	b.joinedC.reset()
	b.operandsO.reset()
	b.operandsC.reset()
	builders.Put(b)
}

// A slab hands out values of one kind. Each new one is twice as large as the one before.
type slab[T any] struct {
	free  []T
	whole []T // the newest, from its beginning
	size  int
}

// reset hands the newest slab out again.
func (s *slab[T]) reset() { s.free = s.whole }

func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		s.grow(n)
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}

// one stores a single value.
func (s *slab[T]) one(v T) *T {
	place := &s.take(1)[0]
	*place = v
	return place
}

func (s *slab[T]) grow(n int) {
	s.size = max(2*s.size, n, 4)
	s.whole = make([]T, s.size)
	s.free = s.whole
}

// start opens a run of unknown length, to which the caller appends until he calls keep.
func (s *slab[T]) start() []T {
	if len(s.free) == 0 {
		s.grow(1)
	}
	return s.free[:0]
}

// keep closes a run. One that outgrew the slab has an array of its own by then.
func (s *slab[T]) keep(run []T) []T {
	if len(run) > 0 && &run[0] == &s.free[0] {
		s.free = s.free[len(run):]
	}
	return run[:len(run):len(run)]
}

func (b *builder) startSteps() []Step {
	if b == nil {
		return nil
	}
	return b.steps.start()
}

func (b *builder) addStep(steps []Step, s Step) []Step {
	if b == nil {
		return nil
	}
	return append(steps, s)
}

func (b *builder) takeSteps(steps []Step) []Step {
	if b == nil {
		return nil
	}
	return b.steps.keep(steps)
}

func (b *builder) startSet() []Constant {
	if b == nil {
		return nil
	}
	return b.constants.start()
}

func (b *builder) addConstant(set []Constant, c Constant) []Constant {
	if b == nil {
		return nil
	}
	return append(set, c)
}

func (b *builder) takeSet(set []Constant) []Constant {
	if b == nil {
		return nil
	}
	return b.constants.keep(set)
}

func (b *builder) newComparison(c *Comparison) ComparisonExpression {
	if b == nil {
		return nil
	}
	return b.comparison.one(*c)
}

func (b *builder) newObservation(at int, c ComparisonExpression) ObservationExpression {
	if b == nil {
		return nil
	}
	return b.simple.one(Observation{at, c})
}

func (b *builder) newQualified(at int, e ObservationExpression, all []Qualifier) ObservationExpression {
	if b == nil {
		return nil
	}
	return b.qualified.one(Qualified{at, e, all})
}

// markObservations returns where the operands of an operator will begin.
func (b *builder) markObservations() int {
	if b == nil {
		return 0
	}
	return len(b.observations)
}

func (b *builder) pushObservation(e ObservationExpression) {
	if b != nil {
		b.observations = append(b.observations, e)
	}
}

// joinObservations makes a node of the operands since mark.
func (b *builder) joinObservations(at int, op ObservationOperator, mark int) ObservationExpression {
	if b == nil {
		return nil
	}
	operands := b.operandsO.take(len(b.observations) - mark)
	b.work += copy(operands, b.observations[mark:])
	b.observations = b.observations[:mark]
	return b.joinedO.one(Observations{at, op, operands})
}

// markComparisons returns where the operands of an operator will begin.
func (b *builder) markComparisons() int {
	if b == nil {
		return 0
	}
	return len(b.comparisons)
}

func (b *builder) pushComparison(e ComparisonExpression) {
	if b != nil {
		b.comparisons = append(b.comparisons, e)
	}
}

// joinComparisons makes a node of the operands since mark.
func (b *builder) joinComparisons(at int, op BooleanOperator, mark int) ComparisonExpression {
	if b == nil {
		return nil
	}
	operands := b.operandsC.take(len(b.comparisons) - mark)
	b.work += copy(operands, b.comparisons[mark:])
	b.comparisons = b.comparisons[:mark]
	return b.joinedC.one(Comparisons{at, op, operands})
}
