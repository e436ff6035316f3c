package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/relay"
)

type peerCmd struct {
	Add    peerAddCmd    `cmd:"" help:"Accept a neighbour's card after comparing its fingerprint with its operator."`
	List   peerListCmd   `cmd:"" help:"Show the neighbours: connected, what is followed or stopped and why, the last trouble."`
	Resume peerResumeCmd `cmd:"" help:"Follow a collection again that was stopped, once the neighbour's operator has explained why."`
}

type peerAddCmd struct {
	Card        string `arg:"" help:"The neighbour's card."`
	Fingerprint string `help:"The fingerprint its operator told you. Without it you are asked."`
}

func (c *peerAddCmd) Run(a *app) error {
	note, err := a.read(c.Card)
	if err != nil {
		return err
	}
	card, err := office.ParseCard(string(note))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Card, err)
	}
	cfg, err := office.LoadConfig(a.Dir)
	if err != nil {
		return err
	}
	if card.Office == cfg.Office {
		return fmt.Errorf("%s is this office's own card: the neighbour's is wanted", c.Card)
	}
	if err := c.confirm(a, card); err != nil {
		return err
	}
	if _, err := office.AddPeer(a.Dir, string(note)); err != nil {
		return err
	}
	return a.show(map[string]string{"office": string(card.Office), "fingerprint": card.Fingerprint()}, func() {
		a.say("%s is a neighbour now. Its operator adds your card too: liaison office card", card.Office)
	})
}

func (c *peerAddCmd) confirm(a *app, card *office.Card) error {
	if c.Fingerprint != "" {
		if !sameFingerprint(c.Fingerprint, card.Fingerprint()) {
			return fmt.Errorf("the card of %s has the fingerprint %s, not %s: do not use it, ask its operator", card.Office, card.Fingerprint(), c.Fingerprint)
		}
		return nil
	}
	if _, ok := a.terminal(); !ok {
		return fmt.Errorf("the card of %s has the fingerprint %s: compare it with its operator, then repeat with --fingerprint", card.Office, card.Fingerprint())
	}
	if card.Address == "" {
		a.note("Card of %s, which dials and is not dialled", card.Office)
	} else {
		a.note("Card of %s, reached at %s", card.Office, card.Address)
	}
	a.note("fingerprint %s", card.Fingerprint())
	answer, err := a.ask("Did its operator tell you the same fingerprint? [yes/no]", shown)
	if err == nil && !strings.EqualFold(strings.TrimSpace(answer), "yes") {
		err = errors.New("not confirmed: the card is not used")
	}
	return err
}

// sameFingerprint compares without spaces, colons and case.
func sameFingerprint(x, y string) bool {
	plain := strings.NewReplacer(" ", "", ":", "", "\t", "", "\u00a0", "")
	return strings.EqualFold(plain.Replace(x), plain.Replace(y))
}

type peerListCmd struct{}

func (c *peerListCmd) Run(a *app) error {
	var list []relay.PeerStatus
	if err := a.call("peer/list", struct{}{}, &list); err != nil {
		return err
	}
	var logs office.LogsReply
	if err := a.call("log/list", struct{}{}, &logs); err != nil {
		return err
	}
	return a.show(list, func() {
		for _, p := range list {
			a.say("%s", peerLine(p))
		}
		if len(list) == 0 {
			a.say("no neighbours (liaison peer add)")
		}
		if n := len(logs.Stopped); n > 0 || logs.Restored != 0 {
			a.say("in %d of this office's logs nothing is accepted or signed: liaison log list", n)
		}
	})
}

func peerLine(p relay.PeerStatus) string {
	line := fmt.Sprintf("%-28s not connected", p.Office)
	if p.Connected != 0 {
		line = fmt.Sprintf("%-28s connected since %s, follows %d collections", p.Office, p.Connected, len(p.Follows))
	}
	if p.Error != "" && p.Since == 0 {
		line += "\n  " + p.Error
	} else if p.Error != "" {
		line += fmt.Sprintf("\n  since %s: %s", p.Since, p.Error)
	}
	for _, f := range p.Follows {
		if f.Fork != nil {
			line += fmt.Sprintf("\n  collection %s at %d: not followed since %s: %s: %s\n    the evidence, both signed checkpoints, is in forks/; when its operator has explained it: liaison peer resume %s %s",
				f.Collection, f.Size, f.Fork.At, f.Fork.Reason, f.Fork.Detail, p.Office, f.Collection)
		} else if f.Error != "" {
			line += fmt.Sprintf("\n  collection %s at %d: %s", f.Collection, f.Size, f.Error)
		}
	}
	return line
}

type peerResumeCmd struct {
	Office     string `arg:"" help:"The neighbour."`
	Collection string `arg:"" help:"Id of the collection, which peer list prints."`
}

func (c *peerResumeCmd) Run(a *app) error {
	id, err := liaison.ParseCollectionID(c.Collection)
	if err != nil {
		return &usageError{err.Error()}
	}
	var done struct{}
	if err := a.call("peer/resume", office.ResumeRequest{Office: liaison.Office(c.Office), Collection: id}, &done); err != nil {
		return err
	}
	return a.show(map[string]string{"office": c.Office, "resumed": c.Collection}, func() {
		a.say("collection %s of %s is followed again; the evidence stays in forks/", c.Collection, c.Office)
	})
}
