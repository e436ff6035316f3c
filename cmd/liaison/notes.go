package main

import (
	"bytes"
	"fmt"
	"os"
	"time"

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
	at := time.Now()
	if c.At != "" {
		var err error
		if at, err = time.Parse(time.RFC3339Nano, c.At); err != nil {
			return fmt.Errorf("--at %q is not an instant such as 2026-11-23T14:20:00Z", c.At)
		}
	}
	tlp, err := stix.ParseTLP(c.TLP)
	if err != nil {
		return err
	}
	raw, err := a.read(c.File)
	if err != nil {
		return err
	}
	article, err := intake.ReadText(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	bundle, err := article.Bundle(raw, intake.Options{At: at, Author: stix.ID(c.Author), Marking: tlp, Name: base(c.File)})
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if c.Out != "" {
		if err := os.WriteFile(c.Out, append(bundle, '\n'), 0o600); err != nil {
			return err
		}
	}
	if a.JSON {
		return a.write("", append(bundle, '\n'))
	}
	return article.WriteText(a.out)
}

func base(file string) string {
	if file == "-" {
		return ""
	}
	return file[bytes.LastIndexByte([]byte(file), os.PathSeparator)+1:]
}

type validateCmd struct {
	Files []string `arg:"" help:"Objects, bundles, envelopes or JSON lines; - for standard input."`
	Mode  string   `enum:"admit,strict" default:"admit" help:"What an office's validation is set to: admit or strict."`
}

// validated is what is said of one object.
type validated struct {
	File     string         `json:"file"`
	ID       string         `json:"id,omitzero"`
	Refused  bool           `json:"refused"`
	Pointer  string         `json:"pointer,omitzero"`
	Reason   string         `json:"reason,omitzero"`
	Findings []stix.Finding `json:"findings,omitzero"`
}

func (c *validateCmd) Run(a *app) error {
	var all []validated
	for _, f := range c.Files {
		b, err := a.read(f)
		if err != nil {
			return err
		}
		env, err := stix.ParseEnvelope(b, stix.DefaultLimits())
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		for _, it := range env.Objects {
			all = append(all, c.judge(f, it))
		}
	}
	refused := 0
	for _, v := range all {
		if v.Refused {
			refused++
		}
	}
	err := a.show(all, func() {
		for _, v := range all {
			v.print(a)
		}
		a.say("%d objects: %d would be refused", len(all), refused)
	})
	if err == nil && refused > 0 {
		err = errSaid
	}
	return err
}

func (c *validateCmd) judge(file string, it stix.Item) validated {
	v := validated{File: file}
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

func (v *validated) print(a *app) {
	if v.Refused {
		a.say("%s %s: refused: %s: %s", v.File, v.ID, v.Pointer, v.Reason)
	}
	for _, f := range v.Findings {
		a.say("%s %s: %s %s at %s: %s", v.File, v.ID, f.Level, f.Code, f.Pointer, f.Message)
	}
}

type explainCmd struct {
	File       string `arg:"" help:"The object, as JSON; - for standard input."`
	Party      string `xor:"who" required:"" help:"The party, by name or id."`
	Account    string `xor:"who" required:"" help:"An account of this office."`
	For        string `help:"The party that Party acts for."`
	Collection string `required:"" help:"Programme alias and area, such as itpp.disinformation, or an id."`
}

func (c *explainCmd) Run(a *app) error {
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
	for _, it := range env.Objects {
		if it.Err != nil {
			return fmt.Errorf("%s: %w", c.File, it.Err)
		}
		if err := c.one(a, it.Object); err != nil {
			return err
		}
	}
	return nil
}

func (c *explainCmd) one(a *app, o *stix.Object) error {
	var r office.ExplainReply
	err := a.call("explain", office.ExplainRequest{
		Account: c.Account, Party: c.Party, For: c.For, Collection: c.Collection, Object: jsontext.Value(o.Bytes()),
	}, &r)
	if err != nil {
		return err
	}
	return a.show(r, func() {
		word := "refused"
		if r.Allowed {
			word = "allowed"
		}
		a.say("%s: %s by rule %s, clause %s: %s", o.ID(), word, r.Rule, r.Clause, r.Reason)
	})
}

type heldCmd struct{}

func (c *heldCmd) Run(a *app) error {
	var list []desk.UndeliveredAct
	if err := a.call("undelivered", struct{}{}, &list); err != nil {
		return err
	}
	return a.show(list, func() {
		for _, u := range list {
			a.say("%s %-8s at %s by rule %s: act %s in %s %s", u.At, u.Status, u.Office, u.Rule, u.Act, u.Collection, u.Reason)
		}
		if len(list) == 0 {
			a.say("nothing is held, waits or was refused")
		}
	})
}
