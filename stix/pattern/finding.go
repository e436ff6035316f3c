package pattern

import (
	"slices"
	"strings"
)

// Codes of findings. A code never changes its meaning.
const (
	FindObjectTypes    = "object-types"     // AND over comparisons that no one object type can meet
	FindQualifier      = "second-qualifier" // a second qualifier of one type on a group
	FindWindow         = "empty-window"     // WITHIN 0 SECONDS
	FindInterval       = "empty-interval"   // STOP is not later than START
	FindInstant        = "no-such-instant"  // a day that its month does not have, or no leap second
	FindSet            = "set-types"        // constants of several types in one set
	FindEmptySet       = "empty-set"        // IN ()
	FindAddressOperand = "not-an-address"   // ISSUBSET or ISSUPERSET on another property than an address
	FindName           = "name"             // an object type or a property whose name STIX does not allow
	FindMore           = "more-findings"    // the limit of findings was reached
)

// A Finding is something wrong with a pattern that was admitted all the same.
type Finding struct {
	Offset, Line, Column int    // as in [Error]
	Code                 string // one of the Find constants
	Must                 bool   // breaks a MUST of STIX 2.1; otherwise lawful and hardly meant
	Message              string // for people
	Section              string // of STIX 2.1
}

// Findings says what is wrong with a pattern that was parsed, and at most a hundred of it.
func (p *Pattern) Findings() []Finding {
	r := reviewer{pattern: p}
	r.observations(p.Expression)
	return r.findings
}

// Review tells what [Parse] and [Pattern.Findings] would, without keeping the tree: a valid
// pattern without findings allocates nothing. The error is an *[Error].
func Review(text string) ([]Finding, error) {
	b := builders.Get().(*builder)
	defer b.release()
	p := parser{lexer: lexer{src: text}, tree: b}
	e := p.pattern()
	if p.err != nil {
		return nil, p.err
	}
	b.tree.pattern = Pattern{text, e}
	return b.tree.pattern.Findings(), nil
}

type reviewer struct {
	pattern  *Pattern
	findings []Finding
}

func (r *reviewer) find(at int, code, section, message string) {
	if len(r.findings) == maxFindings {
		return
	}
	if len(r.findings) == maxFindings-1 {
		code, section, message = FindMore, "", "there are more findings than are listed"
	}
	line, column := r.pattern.Place(at)
	must := code != FindInterval && code != FindMore
	r.findings = append(r.findings, Finding{at, line, column, code, must, message, section})
}

func (r *reviewer) observations(e ObservationExpression) {
	switch e := e.(type) {
	case *Observation:
		r.observation(e)
	case *Observations:
		for _, o := range e.Operands {
			r.observations(o)
		}
	case *Qualified:
		r.observations(e.Operand)
		if q := e.repeated(); q != nil {
			r.find(q.Offset(), FindQualifier, "§9.5.1", "an observation expression has no more than one qualifier of a type")
		}
		for _, q := range e.Qualifiers {
			r.qualifier(q)
		}
	}
}

func (r *reviewer) qualifier(q Qualifier) {
	switch q := q.(type) {
	case *Within:
		if strings.Trim(q.Seconds.Text, "0.") == "" {
			r.find(q.Seconds.At, FindWindow, "§9.5.1", "a window of 0 seconds holds no observation")
		}
	case *StartStop:
		r.instant(q.Start)
		r.instant(q.Stop)
		if !before(q.Start.Text, q.Stop.Text) {
			r.find(q.At, FindInterval, "§9.5.1", "STOP is not later than START: no observation is between them")
		}
	}
}

func (r *reviewer) instant(c Constant) {
	if c.Kind == Timestamp && !realInstant(c.Text) {
		r.find(c.At, FindInstant, "§2.16", "the calendar has no "+c.Text)
	}
}

func (r *reviewer) observation(o *Observation) {
	first, mixed := "", false
	for c := range o.Comparisons() {
		r.comparison(c)
		if first == "" {
			first = c.Path.Type
		}
		mixed = mixed || c.Path.Type != first
	}
	if mixed && hasAnd(o.Comparison) {
		r.types(o.Comparison)
	}
}

func (r *reviewer) comparison(c *Comparison) {
	r.names(&c.Path)
	r.instant(c.Constant)
	switch c.Operator {
	case In:
		r.set(c)
	case IsSubset, IsSuperset:
		if !c.Path.address() {
			r.find(c.Path.At, FindAddressOperand, "§9.6.1", c.Operator.String()+" compares the value of an ipv4-addr or ipv6-addr, not "+quoteShort(c.Path.String()))
		}
	}
}

// set looks at the constants of IN. Integers and floats count as one type: they compare with the
// same types of STIX (§9.2).
func (r *reviewer) set(c *Comparison) {
	if len(c.Set) == 0 {
		r.find(c.At, FindEmptySet, "§9.6.1", "a set without constants holds nothing")
	}
	for _, each := range c.Set {
		r.instant(each)
		if first := c.Set[0].Kind; each.Kind != first && !(numberKind.has(each.Kind) && numberKind.has(first)) {
			r.find(each.At, FindSet, "§9.6.1", "the set mixes "+first.String()+" and "+each.Kind.String()+"; its constants must be of one type")
			return
		}
	}
}

// address tells whether the path leads to the value of an address, as far as its text says.
func (o *Path) address() bool {
	last := len(o.Steps) - 1
	if last < 0 || o.Steps[last].Kind != Property || o.Steps[last].Name != "value" {
		return false
	}
	for _, s := range o.Steps[:last] {
		if strings.HasSuffix(s.Name, "_ref") || strings.HasSuffix(s.Name, "_refs") {
			return true
		}
	}
	return o.Type == "ipv4-addr" || o.Type == "ipv6-addr"
}

// names judges the object type and the first property, which are names of STIX (§3.1). What
// follows may be the key of a dictionary or the property of another object, and a key has more freedom.
func (r *reviewer) names(path *Path) {
	if !validName(path.Type, '-') {
		r.find(path.At, FindName, "§3.1", "an object type has 3 to 250 small letters, digits and hyphens: "+quoteShort(path.Type))
	}
	for i, s := range path.Steps {
		switch {
		case s.Kind != Property:
		case i == 0 && !validName(s.Name, '_'):
			r.find(s.At, FindName, "§3.1", "a property has 3 to 250 small letters, digits and _ in its name: "+quoteShort(s.Name))
		case i > 0 && !validKey(s.Name):
			r.find(s.At, FindName, "§2.3", "a key has 1 to 250 ASCII letters, digits, - and _: "+quoteShort(s.Name))
		}
	}
}

const longestName = 250

// validName holds a name to small letters, digits and one separator, with a letter first (§3.1).
func validName(s string, separator byte) bool {
	for i := range len(s) {
		c := s[i]
		small := c >= 'a' && c <= 'z'
		if !small && (i == 0 || classes[c]&digit == 0 && c != separator) {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= longestName
}

// validKey holds the key of a dictionary to its characters (§2.3).
func validKey(s string) bool {
	for i := range len(s) {
		if classes[s[i]]&(letter|digit) == 0 && s[i] != '-' {
			return false
		}
	}
	return s != "" && len(s) <= longestName
}

// hasAnd reports an AND: without one, object types may differ as they like.
func hasAnd(e ComparisonExpression) bool {
	c, joined := e.(*Comparisons)
	return joined && (c.Operator == And || slices.ContainsFunc(c.Operands, hasAnd))
}

// types returns the object types that can meet e, and finds each AND that none can: all its
// operands have to hold for one object (§9.5). nil stands for any, where that was said already.
func (r *reviewer) types(e ComparisonExpression) map[string]bool {
	c, joined := e.(*Comparisons)
	if !joined {
		return map[string]bool{e.(*Comparison).Path.Type: true}
	}
	all := r.types(c.Operands[0])
	for _, o := range c.Operands[1:] {
		other := r.types(o)
		switch {
		case all == nil || other == nil:
			all = nil
		case c.Operator == Or:
			all = union(all, other)
		default:
			if all = common(all, other); len(all) == 0 {
				r.find(o.Offset(), FindObjectTypes, "§9.5", "no object has the types on both sides of this AND; types that differ are joined by OR")
				all = nil
			}
		}
	}
	return all
}

// union adds b to a. What an operand costs here, it cost to be read.
func union(a, b map[string]bool) map[string]bool {
	for t := range b {
		a[t] = true
	}
	return a
}

// common keeps of a what b has too.
func common(a, b map[string]bool) map[string]bool {
	for t := range a {
		if !b[t] {
			delete(a, t)
		}
	}
	return a
}
