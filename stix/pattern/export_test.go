package pattern

// Work returns the bytes looked at and the nodes handled by Parse and by Check.
func Work(text string) (parse, check int) {
	b := newBuilder()
	p := parser{lexer: lexer{src: text}, tree: &b}
	p.pattern()
	q := parser{lexer: lexer{src: text}}
	q.pattern()
	return p.steps + b.work, q.steps
}
