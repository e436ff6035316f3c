package pattern_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/liaison-office/liaison/stix/pattern"
	"pgregory.net/rapid"
)

// exceptPositions compares trees without where their nodes stand.
var exceptPositions = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".At" }, cmp.Ignore())

type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// printsAndParsesBack holds a tree to its promise: what is printed has the same tree and prints
// the same again.
func printsAndParsesBack(t failer, p *pattern.Pattern) {
	t.Helper()
	printed := p.String()
	if len(printed) > pattern.MaxBytes {
		return
	}
	again, err := pattern.Parse(printed)
	if err != nil {
		t.Errorf("%q prints as %q: %v", p.Source, printed, err)
		return
	}
	if diff := cmp.Diff(p.Expression, again.Expression, exceptPositions); diff != "" {
		t.Errorf("%q prints as %q, which has another tree:\n%s", p.Source, printed, diff)
	}
	if again.String() != printed {
		t.Errorf("%q prints as %q and then as %q", p.Source, printed, again.String())
	}
}

// TestAGeneratedTreeIsWhatItsPrintParsesTo: no tree prints as another one, whatever its shape.
func TestAGeneratedTreeIsWhatItsPrintParsesTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pattern.Pattern{Expression: observations(t, 4)}
		printsAndParsesBack(t, p)
	})
}

func pick[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

func observations(t *rapid.T, depth int) pattern.ObservationExpression {
	choice := 0
	if depth > 0 {
		choice = rapid.IntRange(0, 3).Draw(t, "observation expression")
	}
	switch choice {
	case 1:
		e := &pattern.Observations{Operator: pick(t, "observation operator", pattern.FollowedBy, pattern.ObservationOr, pattern.ObservationAnd)}
		for range rapid.IntRange(2, 4).Draw(t, "operands") {
			e.Operands = append(e.Operands, observations(t, depth-1))
		}
		return e
	case 2:
		e := &pattern.Qualified{Operand: observations(t, depth-1)}
		for range rapid.IntRange(1, 4).Draw(t, "qualifiers") {
			e.Qualifiers = append(e.Qualifiers, qualifier(t))
		}
		return e
	}
	return &pattern.Observation{Comparison: comparisons(t, depth)}
}

func qualifier(t *rapid.T) pattern.Qualifier {
	switch rapid.IntRange(0, 2).Draw(t, "qualifier") {
	case 0:
		return &pattern.Within{Seconds: pick(t, "seconds", number("5"), float("0.25"), number("0"), float(".0001"))}
	case 1:
		return &pattern.Repeats{Times: pick(t, "times", number("1"), number("9007199254740991"))}
	}
	return &pattern.StartStop{Start: instant(t), Stop: instant(t)}
}

func comparisons(t *rapid.T, depth int) pattern.ComparisonExpression {
	if depth == 0 || rapid.Bool().Draw(t, "single") {
		return comparison(t)
	}
	e := &pattern.Comparisons{Operator: pick(t, "boolean operator", pattern.Or, pattern.And)}
	for range rapid.IntRange(2, 4).Draw(t, "operands") {
		e.Operands = append(e.Operands, comparisons(t, depth-1))
	}
	return e
}

func comparison(t *rapid.T) pattern.ComparisonExpression {
	c := &pattern.Comparison{Path: path(t), Not: rapid.Bool().Draw(t, "not")}
	c.Operator = pattern.ComparisonOperator(rapid.IntRange(int(pattern.Equal), int(pattern.Exists)).Draw(t, "operator"))
	switch c.Operator {
	case pattern.Exists:
	case pattern.In:
		for range rapid.IntRange(1, 5).Draw(t, "members") {
			c.Set = append(c.Set, constant(t))
		}
	case pattern.IsSubset, pattern.IsSuperset:
		c.Constant = pattern.StringConstant(pick(t, "address", "198.51.100.0/24", "198.51.100.7", "2001:db8::/32", "::1"))
	case pattern.Like, pattern.Matches:
		c.Constant = text(t)
	case pattern.Equal, pattern.NotEqual:
		c.Constant = constant(t)
	default:
		c.Constant = pick(t, "ordered", number("-7"), text(t), instant(t))
	}
	return c
}

func path(t *rapid.T) pattern.Path {
	p := pattern.Path{Type: pick(t, "type", "file", "x-our-thing", "x_2", "NOT-a-keyword")}
	p.Steps = append(p.Steps, property(t))
	for range rapid.IntRange(0, 6).Draw(t, "steps") {
		p.Steps = append(p.Steps, pick(t, "step", property(t),
			pattern.Step{Kind: pattern.Every}, pattern.Step{Kind: pattern.Index, Name: pick(t, "index", "0", "17")}))
	}
	return p
}

func property(t *rapid.T) pattern.Step {
	name := pick(t, "known name", "name", "windows-pebinary-ext", "AND", "true", "t", "2nd", "a.b", "")
	if name == "" {
		name = rapid.StringN(1, 8, -1).Draw(t, "name")
	}
	return pattern.Step{Kind: pattern.Property, Name: name}
}

func number(s string) pattern.Constant { return pattern.Constant{Kind: pattern.Integer, Text: s} }
func float(s string) pattern.Constant  { return pattern.Constant{Kind: pattern.Float, Text: s} }

func text(t *rapid.T) pattern.Constant {
	return pattern.StringConstant(rapid.OneOf(rapid.String(), rapid.StringMatching(`['\\a]{0,6}`)).Draw(t, "text"))
}

func instant(t *rapid.T) pattern.Constant {
	return pattern.Constant{Kind: pattern.Timestamp, Text: pick(t, "instant",
		"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z", "2016-12-31T23:59:60Z", "2026-02-30T00:00:00.000000000001Z")}
}

func constant(t *rapid.T) pattern.Constant {
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		return text(t)
	case 1:
		return pattern.Constant{Kind: pattern.Boolean, Text: pick(t, "boolean", "true", "false")}
	case 2:
		return pattern.Constant{Kind: pattern.Hex, Text: rapid.StringMatching(`([0-9a-f]{2}){0,6}`).Draw(t, "hex")}
	case 3:
		return pattern.Constant{Kind: pattern.Binary, Text: pick(t, "binary", "", "ABI=", "AA\n==", "q\nrs+//+0")}
	case 4:
		return instant(t)
	case 5:
		return float(rapid.StringMatching(`-?(0|[1-9][0-9]{0,40})?\.[0-9]{1,40}`).Draw(t, "float"))
	}
	return number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,14})`).Draw(t, "integer"))
}

// TestPrecedenceIsThatOfTheSpecification: AND binds before OR, OR before FOLLOWEDBY, and a
// qualifier holds for what stands directly before it (§9.5.2, §9.5.3).
func TestPrecedenceIsThatOfTheSpecification(t *testing.T) {
	for text, same := range map[string]string{
		"[a:b = 1] OR [a:b = 2] AND [a:b = 3]":                                                          "[a:b = 1] OR ([a:b = 2] AND [a:b = 3])",
		"[a:b = 1] FOLLOWEDBY [a:b = 2] OR [a:b = 3]":                                                   "[a:b = 1] FOLLOWEDBY ([a:b = 2] OR [a:b = 3])",
		"[a:b = 1] AND [a:b = 2] FOLLOWEDBY [a:b = 3]":                                                  "([a:b = 1] AND [a:b = 2]) FOLLOWEDBY [a:b = 3]",
		"[a:b = 1] FOLLOWEDBY [a:b = 2] REPEATS 5 TIMES":                                                "[a:b = 1] FOLLOWEDBY ([a:b = 2] REPEATS 5 TIMES)",
		"[a:b = 1 OR a:b = 2 AND a:b = 3]":                                                              "[a:b = 1 OR (a:b = 2 AND a:b = 3)]",
		"[a:b = 1 AND a:b = 2 OR a:b = 3]":                                                              "[(a:b = 1 AND a:b = 2) OR a:b = 3]",
		"[a:b=1]OR[a:b=2]":                                                                              "((([a : b\u2003= 1]))) OR ([(a:'b' == 2)])",
		"[a:b != 1] WITHIN 5 SECONDS":                                                                   "([a:b <> 1]) WITHIN 5 SECONDS",
		"([a:b = 1] REPEATS 2 TIMES) WITHIN 5 SECONDS":                                                  "(([a:b = 1] REPEATS 2 TIMES)) WITHIN 5 SECONDS",
		"([a:b = 1]) REPEATS 2 TIMES REPEATS 3 TIMES":                                                   "(([a:b = 1])) REPEATS 2 TIMES REPEATS 3 TIMES",
		"[a:b = 1 AND (a:b = 2 AND a:b = 3)]":                                                           "[a:b = 1 AND ((a:b = 2) AND (a:b = 3))]",
		"([a:b = 1] FOLLOWEDBY [a:b = 2]) FOLLOWEDBY [a:b = 3]":                                         "(([a:b = 1]) FOLLOWEDBY [a:b = 2]) FOLLOWEDBY [a:b = 3]",
		"[a:b = 1 OR a:b = 2] AND [a:b = 3] START t'2026-01-01T00:00:00Z' STOP t'2027-01-01T00:00:00Z'": "[a:b = 1 OR a:b = 2] AND ([a:b = 3] START t'2026-01-01T00:00:00Z' STOP t'2027-01-01T00:00:00Z')",
	} {
		a, errA := pattern.Parse(text)
		b, errB := pattern.Parse(same)
		if errA != nil || errB != nil {
			t.Errorf("%q: %v, %q: %v", text, errA, same, errB)
			continue
		}
		if diff := cmp.Diff(a.Expression, b.Expression, exceptPositions); diff != "" {
			t.Errorf("%q is not read as %q:\n%s", text, same, diff)
		}
	}
}

// TestWhatParenthesesGroupIsAnOperand: associativity is kept, not flattened away.
func TestWhatParenthesesGroupIsAnOperand(t *testing.T) {
	for _, pair := range [][2]string{
		{"[a:b = 1] AND [a:b = 2] AND [a:b = 3]", "([a:b = 1] AND [a:b = 2]) AND [a:b = 3]"},
		{"([a:b = 1] OR [a:b = 2]) AND [a:b = 3]", "[a:b = 1] OR [a:b = 2] AND [a:b = 3]"},
		{"[(a:b = 1 OR a:b = 2) AND a:b = 3]", "[a:b = 1 OR a:b = 2 AND a:b = 3]"},
		{"([a:b = 1] AND [a:b = 2]) WITHIN 5 SECONDS", "[a:b = 1] AND [a:b = 2] WITHIN 5 SECONDS"},
	} {
		if a, b := mustParse(t, pair[0]), mustParse(t, pair[1]); cmp.Equal(a.Expression, b.Expression, exceptPositions) {
			t.Errorf("%q and %q have one tree", pair[0], pair[1])
		}
	}
}

// TestEveryNodeSaysWhereItStands: the offset of a node is that of its first character.
func TestEveryNodeSaysWhereItStands(t *testing.T) {
	const source = "\n ([file:a = 1]) OR [file:hashes.'MD5'[3].x = 'é' AND\n\tfile:size IN (1, 22)]\n REPEATS 3 TIMES WITHIN 4 SECONDS"
	p, err := pattern.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	at := func(offset int, want string, line, column int) {
		t.Helper()
		l, c := p.Place(offset)
		if !strings.HasPrefix(p.Source[offset:], want) || l != line || c != column {
			t.Errorf("%q stands at line %d, column %d; want %q at %d, %d", p.Source[offset:], l, c, want, line, column)
		}
	}
	or := p.Expression.(*pattern.Observations)
	at(or.At, "([file", 2, 2)
	at(or.Operands[0].Offset(), "[file", 2, 3)
	q := or.Operands[1].(*pattern.Qualified)
	at(q.At, "[file:hashes", 2, 20)
	and := q.Operand.(*pattern.Observation).Comparison.(*pattern.Comparisons)
	at(and.At, "file:hashes", 2, 21)
	first, second := and.Operands[0].(*pattern.Comparison), and.Operands[1].(*pattern.Comparison)
	at(first.Path.Steps[1].At, "'MD5'", 2, 33)
	at(first.Path.Steps[2].At, "[3]", 2, 38)
	at(first.Constant.At, "'é'", 2, 46)
	at(second.At, "file:size", 3, 2)
	at(second.Set[1].At, "22", 3, 19)
	at(q.Qualifiers[0].Offset(), "REPEATS", 4, 2)
	at(q.Qualifiers[1].(*pattern.Within).Seconds.At, "4", 4, 25)
}

// TestConstantsKeepTheirText: no digit, escape or line feed is changed.
func TestConstantsKeepTheirText(t *testing.T) {
	for _, literal := range []string{
		"0.10", "-0", "-0.0", ".5", "9007199254740991", "-9007199254740991", "123456789.123456789123456789000",
		`'it\'s C:\\temp'`, "'two\nlines'", "''", "b'AB\nI='", "h'00ff'", "h''", "b''", "t'2026-01-02T03:04:05.000Z'", "true",
	} {
		p := mustParse(t, "[x-thing:value="+literal+"]")
		if got, want := p.String(), "[x-thing:value = "+literal+"]"; got != want {
			t.Errorf("%s prints in %s", literal, got)
		}
	}
}

// TestConstantsGiveTheirValue: escapes, hexadecimal and base64 are undone on request.
func TestConstantsGiveTheirValue(t *testing.T) {
	p := mustParse(t, `[x-thing:value IN ('it\'s C:\\temp', '\\\\', 'plain', h'00ff', b'AP
8=')]`)
	set := p.Expression.(*pattern.Observation).Comparison.(*pattern.Comparison).Set
	for i, want := range []string{`it's C:\temp`, `\\`, "plain"} {
		if got := set[i].Value(); got != want || pattern.StringConstant(want).Text != set[i].Text {
			t.Errorf("%s is %q, want %q and back", set[i], got, want)
		}
	}
	for _, c := range set[3:] {
		if b, err := c.Bytes(); string(b) != "\x00\xff" || err != nil {
			t.Errorf("%s is %x, %v", c, b, err)
		}
	}
}

func mustParse(t *testing.T, text string) *pattern.Pattern {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return p
}

func TestAReviewWithoutFindingsAllocatesNothing(t *testing.T) {
	const text = "([ipv4-addr:value = '198.51.100.5' OR domain-name:value IN ('a.example', 'b.example')] FOLLOWEDBY [file:size > 5 AND file:name LIKE 'a%'])"
	if found, err := pattern.Review(text); err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = pattern.Review(text) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
