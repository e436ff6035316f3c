package main

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

// Bounds of what is printed for people; the rest is counted.
const (
	maxRefusals = 20 // of one file
	maxMessages = 4  // of one code
	maxExamples = 3  // of one message
	maxMissing  = 20 // of one file
	maxFiles    = 3  // named for one code
)

// maxKept bounds the messages of one code that are told apart.
const maxKept = 1000

// A report gathers what validation says: for programs it goes out at once, for people it is
// grouped. It does not grow with the number of objects.
type report struct {
	a        *app
	mode     stix.Mode
	progress *progress
	rows     rows
	files    []*tally
	all      tally
	groups   map[string]*group // by code

	unreadable, skips int
}

// A tally counts the objects of a file, or of all.
type tally struct {
	name             string
	objects, refused int
	found, admitted  int  // with findings; those of them that are not refused
	must             int  // that break a MUST and are not refused
	broken           bool // nothing of the file would be taken
}

func newReport(a *app, mode stix.Mode, p *progress) *report {
	return &report{a: a, mode: mode, progress: p, rows: rows{out: bufio.NewWriterSize(a.out, 64<<10)}, groups: map[string]*group{}}
}

// say prints a line where no line of progress is. What others wrote adds no lines to it.
func (r *report) say(format string, args ...any) {
	r.progress.clear()
	r.a.say(format, oneLine(args)...)
}

// oneLine takes line breaks out of texts.
func oneLine(args []any) []any {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = strings.ReplaceAll(text, "\n", "\ufffd")
		}
	}
	return args
}

func (r *report) begin(file string) { r.files = append(r.files, &tally{name: file}) }

func (r *report) file() *tally { return r.files[len(r.files)-1] }

// object reports an object.
func (r *report) object(v validated) error {
	t := r.file()
	t.objects++
	if v.Refused {
		t.refused++
	}
	if len(v.Findings) > 0 {
		t.found++
		if !v.Refused {
			t.admitted++
		}
	}
	if _, broken := stix.Strict.Refuses(v.Findings); broken && !v.Refused {
		t.must++
	}
	if r.a.JSON {
		return r.rows.add(v)
	}
	if v.Refused && t.refused <= maxRefusals {
		r.say("%s %s%s: refused: %s", v.File, strings.TrimSpace(v.Place+v.Pointer), of(v.ID), v.Reason)
	}
	r.group(v, t.objects)
	return nil
}

func of(id string) string {
	if id == "" {
		return ""
	}
	return " of " + id
}

// beside reports findings that only show beside other objects, or about a bundle.
func (r *report) beside(v validated) error {
	if r.a.JSON {
		return r.rows.add(v)
	}
	r.group(v, 0)
	return nil
}

// broken reports a file of which nothing would be taken.
func (r *report) broken(v validated) error {
	t := r.file()
	r.unreadable++
	t.broken, v.Refused = true, true
	if t.refused, t.admitted, t.must = t.objects, 0, 0; r.a.JSON {
		return r.rows.add(v)
	}
	r.say("%s: refused: %s", strings.TrimSpace(v.File+" "+v.Pointer), v.Reason)
	if t.objects > 0 {
		r.say("  with %s before that place: an office takes nothing of a broken file", count(t.objects, "object"))
	}
	return nil
}

// skipped reports a file of a folder that holds no STIX.
func (r *report) skipped(v validated) error {
	r.files = r.files[:len(r.files)-1]
	if r.skips++; r.a.JSON {
		return r.rows.add(v)
	}
	r.say("%s: skipped: %s", v.File, v.Reason)
	return nil
}

// missing reports what a file refers to and does not hold. That is no fault: the others may
// have it.
func (r *report) missing(file string, refs *stix.References) error {
	list, ok := refs.Missing()
	if r.a.JSON {
		if len(list) == 0 {
			return nil
		}
		v := validated{File: file}
		for _, m := range list {
			v.Missing = append(v.Missing, missing{m.ID, m.From})
		}
		return r.rows.add(v)
	}
	switch {
	case !ok:
		r.say("%s: too many objects to follow what they refer to", file)
	case len(list) > 0:
		r.say("%s refers to %s that it does not hold (information, no fault: whoever reads it may have them)", file, count(len(list), "object"))
	}
	for i, m := range list {
		if i == maxMissing {
			r.say("  and %d more (--json lists all)", len(list)-i)
			break
		}
		r.say("  %s, from %s", m.ID, m.From[0])
	}
	return nil
}

// end prints what was gathered, and the verdict if every file was read.
func (r *report) end(others int, complete bool) error {
	for _, t := range r.files {
		r.all.objects, r.all.refused = r.all.objects+t.objects, r.all.refused+t.refused
		r.all.admitted, r.all.must = r.all.admitted+t.admitted, r.all.must+t.must
	}
	if r.a.JSON {
		return r.rows.end()
	}
	for _, t := range r.files {
		if t.refused > maxRefusals && !t.broken {
			r.say("%s: refused: %d more (--json lists all)", t.name, t.refused-maxRefusals)
		}
	}
	r.printGroups()
	if len(r.files) > 1 {
		r.say("files")
		for _, t := range r.files {
			r.say("  %s: %s", t.name, t.summary())
		}
	}
	if others > 0 {
		r.say("%s of other kinds skipped", count(others, "file"))
	}
	if complete && (r.all.objects > 0 || r.unreadable == 0) {
		r.say("%s", r.verdict())
	}
	return nil
}

// summary is a line on one file.
func (t *tally) summary() string {
	if t.broken {
		return "refused whole"
	}
	return fmt.Sprintf("%s, %d would be refused, %d with findings", count(t.objects, "object"), t.refused, t.found)
}

// verdict is the last line.
func (r *report) verdict() string {
	s := fmt.Sprintf("%s: %d would be refused", count(r.all.objects, "object"), r.all.refused)
	if r.all.admitted > 0 {
		s += fmt.Sprintf("; %d with findings would be admitted, unchanged, since they can be stored, routed and labelled safely", r.all.admitted)
	}
	if r.mode == stix.Admit && r.all.must > 0 {
		s += fmt.Sprintf(" (an office with validation = \"strict\" refuses %d of them, for breaking a MUST)", r.all.must)
	}
	return s
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// A group is a code of findings and the objects that have it.
type group struct {
	stix.Explanation
	objects  int
	last     [2]int // file and object counted last
	files    []string
	messages map[string]*told
	other    int // objects whose messages are not told apart
}

// told is one message and the objects of which it is said.
type told struct {
	text, section string
	count, order  int
	examples      []string
}

// explanations finds what a code means.
var explanations = func() map[string]stix.Explanation {
	m := map[string]stix.Explanation{}
	for e := range stix.Catalogue() {
		m[e.Code] = e
	}
	return m
}()

// group adds the findings of the n-th object of the file in hand.
func (r *report) group(v validated, n int) {
	for _, f := range v.Findings {
		g := r.groups[f.Code]
		if g == nil {
			g = &group{Explanation: explanations[f.Code], messages: map[string]*told{}}
			r.groups[f.Code] = g
		}
		g.add(f, v, [2]int{len(r.files), n})
	}
}

func (g *group) add(f stix.Finding, v validated, at [2]int) {
	if g.last != at || at[1] == 0 {
		g.objects++
	}
	if at[0] != g.last[0] {
		g.files = append(g.files, v.File)
	}
	g.last = at
	m := g.messages[f.Message]
	switch {
	case m == nil && len(g.messages) == maxKept:
		g.other++
		return
	case m == nil:
		m = &told{text: f.Message, section: f.Section, order: len(g.messages)}
		g.messages[f.Message] = m
	}
	if m.count++; len(m.examples) < maxExamples {
		m.examples = append(m.examples, strings.TrimSpace(v.ID+" "+f.Pointer))
	}
}

// words head the findings of a level.
func (r *report) words(level stix.Level) string {
	switch {
	case level == stix.Must && r.mode == stix.Strict:
		return "breaks a rule (MUST) of STIX 2.1; refused, for the mode is strict"
	case level == stix.Must:
		return "breaks a rule (MUST) of STIX 2.1; admitted, unless an office is set to strict"
	case level == stix.Should:
		return "goes against advice (SHOULD) of STIX 2.1; admitted by every office"
	}
	return "seen often, and likely to mislead a reader or a program; admitted by every office"
}

func (r *report) printGroups() {
	groups := slices.Collect(maps.Values(r.groups))
	slices.SortFunc(groups, func(x, y *group) int { return cmp.Or(cmp.Compare(x.Level, y.Level), cmp.Compare(x.Code, y.Code)) })
	level := stix.Level(0)
	for _, g := range groups {
		if g.Level != level {
			level = g.Level
			r.say("\n%s: %s", level, r.words(level))
		}
		r.print(g)
	}
	if len(groups) > 0 {
		r.say("")
	}
}

func (r *report) print(g *group) {
	r.say("  %s, %s: %s", g.Code, count(g.objects, "object"), g.Meaning)
	if len(r.files) > 1 {
		r.say("    in %s", g.in(r.folder()))
	}
	if g.Code == stix.FindLegacy {
		return // the meaning says it all, and every object of a file has it
	}
	list := slices.Collect(maps.Values(g.messages))
	slices.SortFunc(list, func(x, y *told) int { return cmp.Or(cmp.Compare(y.count, x.count), cmp.Compare(x.order, y.order)) })
	rest := g.other
	for _, m := range list[min(len(list), maxMessages):] {
		rest += m.count
	}
	for _, m := range list[:min(len(list), maxMessages)] {
		m.print(r)
	}
	if rest > 0 {
		r.say("    and %d more in other words (--json lists all)", rest)
	}
}

// in names the files of a group, without the folder that all files of the report are in.
func (g *group) in(folder string) string {
	var names []string
	for _, f := range g.files[:min(len(g.files), maxFiles)] {
		names = append(names, strings.TrimPrefix(f, folder))
	}
	s := strings.Join(names, ", ")
	if rest := len(g.files) - maxFiles; rest > 0 {
		s += " and " + count(rest, "more file")
	}
	return s
}

// folder is what the names of all files begin with, up to a separator.
func (r *report) folder() string {
	common := r.files[0].name
	for _, t := range r.files {
		n := 0
		for n < min(len(common), len(t.name)) && common[n] == t.name[n] {
			n++
		}
		common = common[:n]
	}
	return common[:strings.LastIndexByte(common, filepath.Separator)+1]
}

func (m *told) print(r *report) {
	r.say("    %s%s", m.text, inBrackets(m.section))
	for _, e := range m.examples {
		r.say("      %s", e)
	}
	if m.count > len(m.examples) {
		r.say("      and %d more", m.count-len(m.examples))
	}
}

// rows print a list for programs, an element on each line, without holding it.
type rows struct {
	out *bufio.Writer
	n   int
}

func (r *rows) add(v any) error {
	b, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
	if err != nil {
		return err
	}
	opening := ",\n"
	if r.n == 0 {
		opening = "[\n"
	}
	r.n++
	_, err = r.out.WriteString(opening + escaped(b))
	return err
}

func (r *rows) end() error {
	closing := "\n]\n"
	if r.n == 0 {
		closing = "[]\n"
	}
	r.out.WriteString(closing) // Flush returns the first error of all writes
	return r.out.Flush()
}

// escaped writes as escapes what could steer a terminal and JSON leaves as it is.
func escaped(b []byte) string {
	var out strings.Builder
	for _, r := range string(b) {
		if r > '~' && unicode.In(r, unicode.Cc, unicode.Bidi_Control) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func inBrackets(section string) string {
	if section == "" {
		return ""
	}
	return " (" + section + ")"
}
