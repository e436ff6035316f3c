package pattern

// Words of what is expected in a comparison.
const (
	operatorWords = "a comparison operator: =, !=, <, <=, >, >=, IN, LIKE, MATCHES, ISSUBSET or ISSUPERSET, perhaps with one NOT before it (§9.6.1)"
	anyWords      = "a constant: a string in apostrophes, a number, true, false, t'...', h'...' or b'...' (§9.2)"
	orderWords    = "a constant that has an order: any but true and false (§9.6.1)"
	textWords     = "a string in apostrophes (§9.6.1)"
)

// comparison reads one comparison, or a group of them in parentheses.
func (p *parser) comparison() ComparisonExpression {
	if p.tok.kind == leftParen {
		p.open()
		e := p.comparisons(Or)
		p.close("AND, OR or a closing parenthesis")
		return e
	}
	c := Comparison{At: p.tok.start}
	if p.tok.kind == notWord || p.tok.kind == existsWord {
		p.exists(&c)
	} else {
		p.compare(&c)
	}
	return p.tree.newComparison(&c)
}

// exists reads EXISTS and its path, perhaps with NOT before it.
func (p *parser) exists(c *Comparison) {
	c.Operator = Exists
	c.Not = p.accept(notWord)
	p.expect(existsWord, "EXISTS; before any other operator NOT stands behind the object path (§9.6.1)")
	c.Path = p.path()
}

// compare reads path, operator and constant.
func (p *parser) compare(c *Comparison) {
	c.Path = p.path()
	c.Not = p.accept(notWord)
	c.Operator = comparisonOperators[p.tok.kind]
	if c.Operator == 0 {
		p.unexpected(operatorWords)
	}
	p.next()
	switch c.Operator {
	case Equal, NotEqual:
		c.Constant = p.constant(anyKind, anyWords)
		p.checkDigest(c.Constant)
	case Less, LessOrEqual, Greater, GreaterOrEqual:
		c.Constant = p.constant(orderedKind, orderWords)
	case In:
		c.Set = p.set()
	case Like, Matches:
		c.Constant = p.constant(1<<String, textWords)
	case IsSubset, IsSuperset:
		c.Constant = p.constant(1<<String, textWords)
		p.checkAddress(c)
	}
}

// set reads the constants of IN.
func (p *parser) set() []Constant {
	p.expect(leftParen, "a set of constants in parentheses (§9.6.1)")
	set := p.tree.startSet()
	if p.accept(rightParen) {
		return p.tree.takeSet(set)
	}
	for more := true; more; more = p.accept(comma) {
		c := p.constant(anyKind, anyWords)
		p.checkDigest(c)
		set = p.tree.addConstant(set, c)
	}
	p.expect(rightParen, "a comma or the parenthesis that closes the set")
	return p.tree.takeSet(set)
}
