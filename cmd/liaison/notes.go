package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/intake"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/stix"
)

type intakeCmd struct {
	File   string `arg:"" help:"The page as text, or - for standard input."`
	At     string `placeholder:"TIME" help:"When it was captured, such as 2026-11-23T14:20:00Z; default: now."`
	Author string `help:"Id of the identity the note is created by."`
	TLP    string `default:"CLEAR" help:"Marking of everything in the note."`
	Out    string `short:"o" help:"Write the bundle to this file."`
}

func (c *intakeCmd) Run(a *app) error {
	at, err := parseInstant(c.At)
	if err != nil {
		return &usageError{"--at " + err.Error()}
	}
	if c.At == "" {
		at = nowInstant()
	}
	tlp, err := stix.ParseTLP(c.TLP)
	if err != nil {
		return &usageError{"--tlp: " + err.Error()}
	}
	if c.Author != "" && stix.ID(c.Author).Type() != "identity" {
		return &usageError{fmt.Sprintf("--author %.100q is not the id of an identity", c.Author)}
	}
	raw, err := a.read(c.File)
	if err != nil {
		return err
	}
	article, err := intake.ReadText(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	bundle, err := article.Bundle(raw, intake.Options{At: at.Time(), Author: stix.ID(c.Author), Marking: tlp, Name: base(c.File)})
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if c.Out != "" {
		if err := a.write(c.Out, append(bundle, '\n')); err != nil {
			return err
		}
	}
	if a.JSON {
		return a.write("", append(bundle, '\n'))
	}
	var page strings.Builder
	if err := article.WriteText(&page); err != nil {
		return err
	}
	a.say("%s", strings.TrimRight(page.String(), "\n"))
	return nil
}

func base(file string) string {
	if file == "-" {
		return ""
	}
	return filepath.Base(file)
}

type validateCmd struct {
	Files []string `arg:"" help:"Objects, bundles, envelopes or JSON lines; - for standard input."`
	Mode  string   `enum:"admit,strict" default:"admit" help:"What an office's validation is set to: admit or strict."`
}

// validated is what is said of one object, or of a file nothing of which can
// be read.
type validated struct {
	File     string         `json:"file"`
	Place    string         `json:"place,omitzero"` // of the object in the file
	ID       string         `json:"id,omitzero"`
	Refused  bool           `json:"refused"`
	Pointer  string         `json:"pointer,omitzero"` // into the object
	Reason   string         `json:"reason,omitzero"`
	Findings []stix.Finding `json:"findings,omitzero"`
}

func (c *validateCmd) Run(a *app) error {
	all := []validated{}
	refused, unreadable := 0, 0
	for _, f := range c.Files {
		b, err := a.read(f)
		if err != nil {
			return err
		}
		env, err := stix.ParseEnvelope(b, stix.DefaultLimits())
		if bad := (*stix.Error)(nil); errors.As(err, &bad) {
			all = append(all, validated{File: f, Refused: true, Pointer: bad.Pointer, Reason: bad.Reason})
			unreadable++
			continue
		}
		for i, it := range env.Objects {
			all = append(all, c.judge(f, pointer(env, i, ""), it))
			if all[len(all)-1].Refused {
				refused++
			}
		}
	}
	err := a.show(all, func() { a.showValidated(all, refused, unreadable) })
	if err == nil && refused+unreadable > 0 {
		err = errSaid
	}
	return err
}

func (c *validateCmd) judge(file, where string, it stix.Item) validated {
	v := validated{File: file, Place: where}
	if it.Err != nil {
		v.Refused, v.Pointer, v.Reason = true, it.Err.Pointer, it.Err.Reason
		return v
	}
	v.ID, v.Findings = string(it.Object.ID()), it.Object.Findings()
	for _, f := range v.Findings {
		if c.Mode == "strict" && f.Level == stix.Must && !v.Refused {
			v.Refused, v.Pointer, v.Reason = true, f.Pointer, f.Message
		}
	}
	return v
}

// found is a finding and the objects that have it.
type found struct {
	stix.Finding
	where []string
}

// maxWhere bounds the objects that are named for one finding.
const maxWhere = 3

// showValidated names every refusal, then each finding once with its objects.
// A file nothing of which can be read holds no objects to count.
func (a *app) showValidated(all []validated, refused, unreadable int) {
	var groups []*found
	for _, v := range all {
		if v.Refused && (v.Place != "" || v.ID != "" || v.Pointer != "") {
			a.say("%s %s%s: refused: %s", v.File, strings.TrimSpace(v.Place+v.Pointer), of(v.ID), v.Reason)
		} else if v.Refused {
			a.say("%s: refused: %s", v.File, v.Reason)
		}
		for _, f := range v.Findings {
			i := slices.IndexFunc(groups, func(g *found) bool { return g.Code == f.Code && g.Level == f.Level && g.Message == f.Message })
			if i < 0 {
				i, groups = len(groups), append(groups, &found{Finding: f})
			}
			groups[i].where = append(groups[i].where, v.ID+" "+f.Pointer)
		}
	}
	slices.SortStableFunc(groups, func(x, y *found) int { return int(x.Level) - int(y.Level) })
	for _, g := range groups {
		g.print(a)
	}
	if objects := len(all) - unreadable; objects > 0 || unreadable == 0 {
		a.say("%d objects: %d would be refused", objects, refused)
	}
}

func of(id string) string {
	if id == "" {
		return ""
	}
	return " of " + id
}

func (g *found) print(a *app) {
	a.say("%s: %s (%s, %s)", g.Level, g.Message, g.Code, g.Section)
	for i, w := range g.where {
		if i == maxWhere {
			a.say("  and %d more", len(g.where)-maxWhere)
			return
		}
		a.say("  %s", w)
	}
}

type explainCmd struct {
	File       string `arg:"" help:"The object, as JSON; - for standard input."`
	Party      string `xor:"who" help:"The party, by name or id: this or --account."`
	Account    string `xor:"who" help:"An account of this office, for its party: this or --party."`
	For        string `help:"The party that Party acts for."`
	Collection string `required:"" help:"Programme alias and area, such as itpp.disinformation, or an id."`
}

// Help completes the help text.
func (explainCmd) Help() string {
	return "Who would release it is said by one of --party and --account."
}

func (c *explainCmd) Run(a *app) error {
	if c.Party == "" && c.Account == "" {
		return &usageError{"one of --party and --account is needed: who would release it"}
	}
	raw, err := a.read(c.File)
	if err != nil {
		return err
	}
	env, err := stix.ParseEnvelope(raw, stix.DefaultLimits())
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if len(env.Objects) == 0 {
		return fmt.Errorf("%s holds no object", c.File)
	}
	list := []explained{}
	for i, it := range env.Objects {
		if it.Err != nil {
			return fmt.Errorf("%s: %s%s", c.File, place(pointer(env, i, it.Err.Pointer)), it.Err.Reason)
		}
		e, err := c.one(a, it.Object)
		if err != nil {
			return err
		}
		list = append(list, e)
	}
	return a.show(list, func() {
		for _, e := range list {
			e.print(a)
		}
	})
}

// explained is the decision on one object.
type explained struct {
	Object stix.ID `json:"object"`
	office.ExplainReply
}

func (c *explainCmd) one(a *app, o *stix.Object) (explained, error) {
	e := explained{Object: o.ID()}
	err := a.call("explain", office.ExplainRequest{
		Account: c.Account, Party: c.Party, For: c.For, Collection: c.Collection, Object: jsontext.Value(o.Bytes()),
	}, &e.ExplainReply)
	return e, err
}

func (e *explained) print(a *app) {
	word := "refused"
	if e.Allowed {
		word = "allowed"
	}
	clause := ""
	if e.Clause != "" {
		clause = ", clause " + e.Clause
	}
	a.say("%s: %s by rule %s%s: %s", e.Object, word, e.Rule, clause, e.Reason)
}

type heldCmd struct{}

func (c *heldCmd) Run(a *app) error {
	var list []desk.UndeliveredAct
	if err := a.call("undelivered", struct{}{}, &list); err != nil {
		return err
	}
	slices.SortFunc(list, func(x, y desk.UndeliveredAct) int { return cmp.Compare(x.At, y.At) })
	return a.show(list, func() {
		for _, u := range list {
			a.say("%s %-8s at %s by rule %s: act %s in %s %s", u.At, u.Status, u.Office, u.Rule, u.Act, u.Collection, u.Reason)
		}
		if len(list) == 0 {
			a.say("nothing is held, waits or was refused")
		}
	})
}
