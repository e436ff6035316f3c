package pattern

// String prints the pattern: the same for every spelling of one tree, with no parentheses and
// apostrophes but those that are needed. It may be longer than the source: blanks stand between
// all parts.
func (p *Pattern) String() string {
	return string(p.Expression.append(make([]byte, 0, len(p.Source)+len(p.Source)/8)))
}

func (o *Observation) append(b []byte) []byte {
	return append(o.Comparison.append(append(b, '[')), ']')
}

func (o *Observations) append(b []byte) []byte {
	for i, e := range o.Operands {
		if i > 0 {
			b = append(append(append(b, ' '), o.Operator.String()...), ' ')
		}
		inner, joined := e.(*Observations)
		b = appendGroup(b, e, joined && inner.Operator <= o.Operator)
	}
	return b
}

func (o *Qualified) append(b []byte) []byte {
	_, simple := o.Operand.(*Observation)
	b = appendGroup(b, o.Operand, !simple || o.repeated() != nil)
	for _, q := range o.Qualifiers {
		b = q.append(append(b, ' '))
	}
	return b
}

// repeated returns the first qualifier of a type that stood before it, or nil.
func (o *Qualified) repeated() Qualifier {
	var seen qualifierKind
	for _, q := range o.Qualifiers {
		if seen&q.kind() != 0 {
			return q
		}
		seen |= q.kind()
	}
	return nil
}

// appendGroup prints an expression, in parentheses if they are needed.
func appendGroup(b []byte, e interface{ append([]byte) []byte }, needed bool) []byte {
	if !needed {
		return e.append(b)
	}
	return append(e.append(append(b, '(')), ')')
}

func (q *Within) append(b []byte) []byte {
	return append(q.Seconds.append(append(b, "WITHIN "...)), " SECONDS"...)
}

func (q *Repeats) append(b []byte) []byte {
	return append(q.Times.append(append(b, "REPEATS "...)), " TIMES"...)
}

func (q *StartStop) append(b []byte) []byte {
	b = q.Start.append(append(b, "START "...))
	return q.Stop.append(append(b, " STOP "...))
}

func (c *Comparisons) append(b []byte) []byte {
	for i, e := range c.Operands {
		if i > 0 {
			b = append(append(append(b, ' '), c.Operator.String()...), ' ')
		}
		inner, joined := e.(*Comparisons)
		b = appendGroup(b, e, joined && inner.Operator <= c.Operator)
	}
	return b
}

func (c *Comparison) append(b []byte) []byte {
	if c.Operator == Exists {
		if c.Not {
			b = append(b, "NOT "...)
		}
		return c.Path.append(append(b, "EXISTS "...))
	}
	b = append(c.Path.append(b), ' ')
	if c.Not {
		b = append(b, "NOT "...)
	}
	b = append(append(b, c.Operator.String()...), ' ')
	if c.Operator == In {
		return appendSet(b, c.Set)
	}
	return c.Constant.append(b)
}

func appendSet(b []byte, set []Constant) []byte {
	b = append(b, '(')
	for i, c := range set {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = c.append(b)
	}
	return append(b, ')')
}

func (c Constant) append(b []byte) []byte {
	switch c.Kind {
	case Hex:
		b = append(b, 'h')
	case Binary:
		b = append(b, 'b')
	case Timestamp:
		b = append(b, 't')
	case Integer, Float, Boolean:
		return append(b, c.Text...)
	}
	return append(append(append(b, '\''), c.Text...), '\'')
}

func (o Path) append(b []byte) []byte {
	b = append(append(b, o.Type...), ':')
	for i, s := range o.Steps {
		if i > 0 && s.Kind == Property {
			b = append(b, '.')
		}
		b = s.append(b)
	}
	return b
}

func (s Step) append(b []byte) []byte {
	switch {
	case s.Kind == Every:
		return append(b, "[*]"...)
	case s.Kind == Index:
		return append(append(append(b, '['), s.Name...), ']')
	case plainName(s.Name):
		return append(b, s.Name...)
	}
	return append(appendEscaped(append(b, '\''), s.Name), '\'')
}

// plainName tells whether a name needs no apostrophes.
func plainName(s string) bool {
	for i := range len(s) {
		if class := classes[s[i]]; class&letter == 0 && (i == 0 || class&digit == 0) {
			return false
		}
	}
	return s != "" && wordKind(s, false) == name
}
