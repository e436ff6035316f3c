package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/relay"
)

type peerCmd struct {
	Add  peerAddCmd  `cmd:"" help:"Accept a neighbour's card after comparing its fingerprint with its operator."`
	List peerListCmd `cmd:"" help:"Show the neighbours: connected, what is followed, the last trouble."`
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
	if _, err := office.LoadConfig(a.Dir); err != nil {
		return err
	}
	if err := c.confirm(a, card); err != nil {
		return err
	}
	if _, err := office.AddPeer(a.Dir, string(note)); err != nil {
		return err
	}
	a.say("%s is a neighbour now. Its operator adds your card too: liaison office card", card.Office)
	return nil
}

func (c *peerAddCmd) confirm(a *app, card *office.Card) error {
	if c.Fingerprint != "" {
		if strings.Join(strings.Fields(c.Fingerprint), "") != strings.ReplaceAll(card.Fingerprint(), " ", "") {
			return fmt.Errorf("the card of %s has the fingerprint %s, not %s: do not use it, ask its operator", card.Office, card.Fingerprint(), c.Fingerprint)
		}
		return nil
	}
	if f, ok := a.in.(*os.File); !ok || !isTerminal(f) {
		return fmt.Errorf("the card of %s has the fingerprint %s: compare it with its operator, then repeat with --fingerprint", card.Office, card.Fingerprint())
	}
	fmt.Fprintf(a.err, "Card of %s, reached at %q\nfingerprint %s\nDid its operator tell you the same fingerprint? [yes/no] ", card.Office, card.Address, card.Fingerprint())
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return errors.New("not confirmed: the card is not used")
	}
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type peerListCmd struct{}

func (c *peerListCmd) Run(a *app) error {
	var list []relay.PeerStatus
	if err := a.call("peer/list", struct{}{}, &list); err != nil {
		return err
	}
	return a.show(list, func() {
		for _, p := range list {
			a.say("%s", peerLine(p))
		}
		if len(list) == 0 {
			a.say("no neighbours (liaison peer add)")
		}
	})
}

func peerLine(p relay.PeerStatus) string {
	line := fmt.Sprintf("%-28s not connected", p.Office)
	if p.Connected != 0 {
		line = fmt.Sprintf("%-28s connected since %s, follows %d collections", p.Office, p.Connected, len(p.Follows))
	}
	if p.Error != "" {
		line += fmt.Sprintf("\n  since %s: %s", p.Since, p.Error)
	}
	for _, f := range p.Follows {
		if f.Error != "" {
			line += fmt.Sprintf("\n  collection %s at %d: %s", f.Collection, f.Size, f.Error)
		}
	}
	return line
}
