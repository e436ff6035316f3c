package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/taxii"
)

type initCmd struct {
	Office    string `required:"" placeholder:"NAME" help:"DNS name of the office, such as tokyo.example.org."`
	Authority string `required:"" type:"existingfile" placeholder:"FILE" help:"The pinned authority (authority.pin)."`
	Exchange  string `placeholder:"HOST:PORT" help:"Where TAXII listens (default 127.0.0.1:6100)."`
	Relay     string `placeholder:"HOST:PORT" help:"Where neighbours connect (default 127.0.0.1:6101)."`
	Address   string `placeholder:"HOST:PORT" help:"The relay's address as neighbours see it."`
	Store     string `placeholder:"DATABASE" help:"The PostgreSQL database of the store, as postgres://user@host/database (default: SQLite in the folder)."`
	Anchor    string `placeholder:"DIR" help:"Folder or PostgreSQL database that keeps the newest checkpoint of each log (default: anchor in the folder)."`
}

func (c *initCmd) Run(a *app) error {
	pin, err := readPin(c.Authority)
	if err != nil {
		return err
	}
	name, err := liaison.ParseOffice(c.Office)
	if err != nil {
		return err
	}
	cfg := office.Config{Office: name, Exchange: c.Exchange, Relay: c.Relay, Address: c.Address, Store: office.Place(c.Store), Anchor: office.Place(c.Anchor)}
	if err := office.Init(a.Dir, cfg, pin); err != nil {
		return err
	}
	return a.show(map[string]string{"office": c.Office, "dir": a.Dir}, func() {
		a.say("Office %s is ready in %s. Next: liaison --dir %s office card", name, a.Dir, a.Dir)
	})
}

func readPin(file string) (ledger.Pin, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return ledger.Pin{}, err
	}
	pin, err := ledger.ParsePin(string(text))
	if err != nil {
		return pin, fmt.Errorf("%s: %w", file, err)
	}
	return pin, nil
}

type serveCmd struct{}

func (c *serveCmd) Run(a *app) error {
	o, err := office.OpenToServe(a.ctx, a.Dir, office.Options{Log: a.log(slog.LevelInfo)})
	if err != nil {
		return err
	}
	defer o.Close()
	if err := o.Listen(); err != nil {
		return err
	}
	exchange, relay := o.Addresses()
	s := served{o.Config.Office, "http://" + exchange + taxii.DiscoveryPath, relay, o.StoreName()}
	if err := a.show(s, func() {
		a.say("%s serves TAXII at %s and its neighbours at %s, from the store %s; Ctrl-C ends it", s.Office, s.TAXII, s.Relay, s.Store)
	}); err != nil {
		o.Log.Warn("the office serves all the same", "err", err) // on a full disk too
	}
	return o.Run(a.ctx)
}

// served says where a running office is.
type served struct {
	Office liaison.Office `json:"office"`
	TAXII  string         `json:"taxii"` // discovery URL
	Relay  string         `json:"relay"` // host:port
	Store  string         `json:"store"` // where it is
}

type demoCmd struct {
	Once   bool   `help:"End after the last step; the exit status says whether every step held."`
	Folder string `type:"path" help:"A folder for it; default: a new temporary one."`
}

func (c *demoCmd) Run(a *app) error {
	err := demo.Run(a.ctx, demo.Options{
		Dir: c.Folder, Once: c.Once, Out: a.out, JSON: a.JSON, Program: os.Args[0], Log: a.log(slog.LevelWarn),
	})
	if a.ctx.Err() != nil && !c.Once {
		return nil // the user ended it
	}
	return err
}

type fsckCmd struct{}

func (c *fsckCmd) Run(a *app) error {
	var r office.FsckReply
	if err := a.call("fsck", struct{}{}, &r); err != nil {
		return err
	}
	err := a.show(r, func() { a.sayProblems(&r) })
	if err == nil && len(r.Problems) > 0 {
		err = errSaid
	}
	return err
}

type versionCmd struct{}

func (c *versionCmd) Run(a *app) error {
	v := versionNow()
	return a.show(map[string]string{"version": v}, func() { a.say("liaison %s", v) })
}

// versionNow is the version of this program.
func versionNow() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" && version == "development" {
		return info.Main.Version
	}
	return version
}

type officeCmd struct {
	Card   cardCmd         `cmd:"" help:"Print this office's card: name, address and public keys, signed by itself."`
	Object officeObjectCmd `cmd:"" help:"Write the object that introduces an office, for the authority to sign, from its card."`
	Route  routeCmd        `cmd:"" help:"Write the object that says through which neighbours an office is reached."`
	Add    addCmd          `cmd:"" help:"Add signed office, route and authority objects to a programme's charter."`
}

type cardCmd struct{}

func (c *cardCmd) Run(a *app) error {
	var r office.CardReply
	if err := a.call("card", struct{}{}, &r); err != nil {
		return err
	}
	return a.show(r, func() {
		fmt.Fprint(a.out, r.Card)
		a.note("fingerprint: %s", r.Fingerprint)
		if r.Address == "" {
			a.note("no address: this office dials and is not dialled; address = \"host:port\" in %s changes that", office.ConfigFile)
		}
	})
}

type officeObjectCmd struct {
	Card string `arg:"" help:"The office's card."`
	Out  string `short:"o" help:"Write here instead of standard output."`
}

func (c *officeObjectCmd) Run(a *app) error {
	note, err := a.read(c.Card)
	if err != nil {
		return err
	}
	card, err := office.ParseCard(string(note))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Card, err)
	}
	now := nowInstant()
	var keys []liaison.OfficeKey
	for _, use := range []liaison.KeyUse{liaison.UseLog, liaison.UseWitness, liaison.UseAct, liaison.UseRelay} {
		keys = append(keys, liaison.OfficeKey{Use: use, Key: card.Keys[use], From: now})
	}
	var addresses []string
	if card.Address != "" {
		addresses = []string{card.Address}
	}
	return a.write(c.Out, append(liaison.JCS(liaison.NewOfficeObject(newID("office"), card.Office, keys, addresses, now)), '\n'))
}

type routeCmd struct {
	Office  string   `required:"" help:"The office that is reached."`
	Through []string `required:"" help:"Its neighbours."`
	Out     string   `short:"o" help:"Write here instead of standard output."`
}

func (c *routeCmd) Run(a *app) error {
	var through []liaison.Office
	for _, t := range c.Through {
		through = append(through, liaison.Office(t))
	}
	b := liaison.JCS(liaison.NewRoute(newID("route"), liaison.Office(c.Office), through, nowInstant()))
	if _, err := liaison.ParseRoute(b); err != nil {
		return err
	}
	return a.write(c.Out, append(b, '\n'))
}
