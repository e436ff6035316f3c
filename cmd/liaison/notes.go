package main

import (
	"cmp"
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
