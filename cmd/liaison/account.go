package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

type accountCmd struct {
	Add      accountAddCmd      `cmd:"" help:"Add or replace an account; its password is asked for, or made and shown once."`
	List     accountListCmd     `cmd:"" help:"List the accounts."`
	Password accountPasswordCmd `cmd:"" help:"Reset a password."`
	Token    accountTokenCmd    `cmd:"" help:"Make a Bearer token for an account; it is shown once."`
	Disable  accountDisableCmd  `cmd:"" help:"End an account's rights at once."`
	Enable   accountEnableCmd   `cmd:"" help:"Let a disabled account in again, with its password; its tokens stay ended."`
}

// newPassword is where a password comes from.
type newPassword struct {
	PasswordStdin bool `help:"Read the password from the first line of standard input."`
}

// password reads a password, asks for it at a terminal, or makes one.
func (c *newPassword) password(a *app) (text string, made bool, err error) {
	if _, err := office.LoadConfig(a.Dir); err != nil {
		return "", false, err // before anybody types
	}
	if c.PasswordStdin {
		text, err = a.passwordFromInput()
		return text, false, err
	}
	text, err = a.ask("New password (empty: one is made and shown):", hidden)
	if errors.Is(err, errNoTerminal) || err == nil && text == "" {
		return rand.Text(), true, nil
	}
	if err != nil {
		return "", false, err
	}
	again, err := a.ask("The same again:", hidden)
	if err == nil && again != text {
		err = errors.New("the two passwords differ")
	}
	return text, false, err
}

// tellPassword says that a password is set, and shows one that was made. If
// that is lost, nobody knows it, and the error says how to set another.
func (a *app) tellPassword(name, password string, made bool) error {
	v := map[string]string{"account": name}
	if made {
		v["password"] = password
	}
	err := a.show(v, func() {
		if made {
			a.say("%s: password %s (shown this once)", name, password)
		} else {
			a.say("%s: password set", name)
		}
	})
	if err != nil && made {
		err = fmt.Errorf("%w: nobody has seen the password that was made for %s; set another: liaison account password %s", err, name, name)
	}
	return err
}

type accountAddCmd struct {
	Name  string `arg:"" help:"Name of the account."`
	Party string `required:"" help:"The party it acts for, by name or id."`
	For   string `help:"The party that Party acts for here, by a signed mandate."`
	Roles string `default:"read" help:"read, write, release, chair, operate; separated by commas."`
	newPassword
}

func (c *accountAddCmd) Run(a *app) error {
	password, made, err := c.password(a)
	if err != nil {
		return err
	}
	r := office.AccountRequest{Name: c.Name, By: stix.ID(c.Party), For: stix.ID(c.For), Roles: c.Roles, Password: password}
	var acc registry.Account
	if err := a.call("account/add", r, &acc); err != nil {
		return err
	}
	return a.tellPassword(c.Name, password, made)
}

type accountListCmd struct{}

func (c *accountListCmd) Run(a *app) error {
	var list []registry.Account
	if err := a.call("account/list", struct{}{}, &list); err != nil {
		return err
	}
	return a.show(list, func() {
		for _, acc := range list {
			a.say("%s", accountLine(acc))
		}
	})
}

func accountLine(acc registry.Account) string {
	var roles []string
	for _, r := range acc.Roles {
		roles = append(roles, string(r))
	}
	line := fmt.Sprintf("%-20s %s %s", acc.Name, strings.Join(roles, ","), acc.By)
	if acc.For != "" {
		line += " for " + string(acc.For)
	}
	if acc.Disabled {
		line += " (disabled)"
	}
	return line
}

type accountPasswordCmd struct {
	Name string `arg:"" help:"Name of the account."`
	newPassword
}

func (c *accountPasswordCmd) Run(a *app) error {
	password, made, err := c.password(a)
	if err != nil {
		return err
	}
	var done struct{}
	if err := a.call("account/password", office.PasswordRequest{Name: c.Name, Password: password}, &done); err != nil {
		return err
	}
	return a.tellPassword(c.Name, password, made)
}

type accountTokenCmd struct {
	Name string        `arg:"" help:"Name of the account."`
	Life time.Duration `default:"2160h" help:"How long it is valid; 0 for ever."`
}

func (c *accountTokenCmd) Run(a *app) error {
	var r office.TokenReply
	if err := a.call("account/token", office.TokenRequest{Name: c.Name, LifeSeconds: int64(c.Life.Seconds())}, &r); err != nil {
		return err
	}
	err := a.show(r, func() { a.say("%s", r.Token) })
	if err != nil {
		err = fmt.Errorf("%w: nobody has seen the token that was made; make another", err)
	}
	return err
}

type accountDisableCmd struct {
	Name string `arg:"" help:"Name of the account."`
}

func (c *accountDisableCmd) Run(a *app) error {
	var done struct{}
	if err := a.call("account/disable", office.NameRequest{Name: c.Name}, &done); err != nil {
		return err
	}
	return a.show(map[string]string{"disabled": c.Name}, func() { a.say("%s is disabled", c.Name) })
}

type accountEnableCmd struct {
	Name string `arg:"" help:"Name of the account."`
}

func (c *accountEnableCmd) Run(a *app) error {
	var done struct{}
	if err := a.call("account/enable", office.NameRequest{Name: c.Name}, &done); err != nil {
		return err
	}
	return a.show(map[string]string{"enabled": c.Name}, func() { a.say("%s is enabled", c.Name) })
}
