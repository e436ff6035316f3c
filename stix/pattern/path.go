package pattern

import "strings"

// A Path addresses a property of an object (§9.7): file:hashes.'SHA-256'.
type Path struct {
	At    int    // offset in bytes
	Type  string // of the object on which the path starts
	Steps []Step // at least one; the first one is a property
}

// StepKind is the kind of a step.
type StepKind uint8

// The kinds of steps.
const (
	Property StepKind = iota + 1 // a property, a key of a dictionary, a property of a referenced object
	Index                        // one element of a list
	Every                        // any element of a list: [*]
)

// A Step leads from a value to one inside it.
type Step struct {
	At   int // offset in bytes
	Kind StepKind
	Name string // of a property or key, without apostrophes and escapes; the digits of an index
}

// String prints the path as a pattern has it.
func (o Path) String() string { return string(o.append(nil)) }

// Words of what is expected where a path is read.
const (
	pathWords = "an object path, which begins with an object type such as file"
	nameWords = "the name of a property; in apostrophes if it has other characters than letters, digits and _ or is a keyword (§9.7)"
	listWords = "the number of a list element, from 0, or * (§9.7.2)"
)

// path reads an object path.
func (p *parser) path() Path {
	path := Path{At: p.tok.start, Type: p.text()}
	if p.tok.kind != name && p.tok.kind != hyphenName {
		p.unexpected(pathWords)
		return path
	}
	p.next()
	p.expect(colon, "the colon between object type and property")
	p.parent, p.key = "", ""
	steps := p.tree.addStep(p.tree.startSteps(), p.property())
	for p.tok.kind == dot || p.tok.kind == leftBracket {
		steps = p.tree.addStep(steps, p.step())
	}
	path.Steps = p.tree.takeSteps(steps)
	return path
}

// step reads any step but the first, which has no dot before it.
func (p *parser) step() Step {
	if p.tok.kind == leftBracket {
		return p.index()
	}
	p.next()
	return p.property()
}

func (p *parser) property() Step {
	s := Step{At: p.tok.start, Kind: Property, Name: p.text()}
	switch {
	case p.tok.kind != name && p.tok.kind != stringLiteral, s.Name == "":
		p.unexpected(nameWords)
		return s
	case p.tok.kind == stringLiteral && p.tree != nil:
		s.Name = unescape(s.Name)
	}
	p.parent, p.key = p.key, s.Name
	p.next()
	return s
}

func (p *parser) index() Step {
	s := Step{At: p.tok.start, Kind: Index}
	p.next()
	s.Name = p.text()
	switch {
	case p.tok.kind == asterisk:
		s.Kind, s.Name = Every, ""
	case p.tok.kind != integerLiteral || strings.HasPrefix(s.Name, "-"):
		p.unexpected(listWords)
	}
	p.next()
	p.expect(rightBracket, "the bracket that closes the number of a list element")
	p.parent, p.key = "", ""
	return s
}
