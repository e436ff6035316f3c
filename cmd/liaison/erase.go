package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/office"
)

type eraseCmd struct {
	Collection string `arg:"" help:"Programme alias and area, such as itpp.disinformation, or an id."`
	Object     string `arg:"" optional:"" help:"Id of the object: all acts for it that this office has."`
	Version    string `help:"Only those for this version."`
	Act        string `help:"Only this act, by its hash."`
	Reason     string `help:"Why it is erased at this office alone; it is kept, so it names no contents."`
	As         string `placeholder:"ACCOUNT" help:"Erase what this account's party released here, by acts of its own that go to all."`
	Yes        bool   `help:"Do not ask."`
}

func (c *eraseCmd) Help() string {
	return "Salt, id, version and contents are removed from the store of this office; the leaf, the act and every proof stay. " +
		"Without --as it is the operator who erases, at this office alone; with it, the party takes back what it released, for all."
}

func (c *eraseCmd) Run(a *app) error {
	r := office.EraseRequest{Collection: c.Collection, Object: c.Object, Version: c.Version, As: c.As, Preview: true}
	switch {
	case (c.Object == "") == (c.Act == ""), c.Object == "" && c.Version != "":
		return &usageError{"name an object, or an act with --act"}
	case (c.As == "") == (c.Reason == ""):
		return &usageError{"say --reason to erase at this office alone, or --as ACCOUNT to erase for all what its party released"}
	}
	if c.Act != "" {
		h, err := liaison.ParseHash(c.Act)
		if err != nil {
			return fmt.Errorf("--act: %w", err)
		}
		r.Acts = []liaison.Hash{h}
	}
	var found office.EraseReply
	if err := a.call("erase", r, &found); err != nil {
		return err
	}
	if err := c.confirm(a, found.Acts); err != nil {
		return err
	}
	r = office.EraseRequest{Collection: c.Collection, As: c.As, Reason: c.Reason}
	for _, act := range found.Acts {
		r.Acts = append(r.Acts, act.Act)
	}
	var done office.EraseReply
	if err := a.call("erase", r, &done); err != nil {
		return err
	}
	return a.show(done, func() { c.tell(a, done) })
}

// confirm shows what will go, without contents, and asks.
func (c *eraseCmd) confirm(a *app, acts []office.ErasedAct) error {
	if c.Yes {
		return nil
	}
	for _, e := range acts {
		a.note("entry %d: released by %s at %s on %s, %s, act %s", e.Index, e.Party, e.Office, e.Accepted, e.Label, e.Act)
	}
	where := "at this office, for good"
	if c.As != "" {
		where = "at every office that has it, for good"
	}
	answer, err := a.ask(fmt.Sprintf("Erase %d of these %s? [yes/no]", len(acts), where), shown)
	switch {
	case errors.Is(err, errNoTerminal):
		return fmt.Errorf("nobody is there to answer: repeat with --yes to erase %d of these %s", len(acts), where)
	case err == nil && !strings.EqualFold(strings.TrimSpace(answer), "yes"):
		err = errors.New("not confirmed: nothing is erased")
	}
	return err
}

func (c *eraseCmd) tell(a *app, done office.EraseReply) {
	for _, e := range done.Acts {
		did := "erased"
		if e.Status == desk.Duplicate {
			did = "was erased before"
		}
		line := fmt.Sprintf("entry %d: %s, act %s", e.Index, did, e.Act)
		if !e.Erasure.IsZero() {
			line += fmt.Sprintf(", by act %s", e.Erasure)
		}
		a.say("%s", line)
	}
	if done.Left != "" {
		a.say("nobody reads it any more; the files of the store are freed of it later (%s)", done.Left)
		return
	}
	a.say("no file of the store holds it any more. Backups made before do: docs/erasure.md says what to do about them")
}
