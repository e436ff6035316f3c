// Command liaison is the software of a liaison office: it runs an office, signs
// and adds agreements, takes in pages, sends and reads notes, and proves what
// was exchanged.
//
// Every command that concerns an office works on the folder named by --dir,
// whether the office serves or not. Errors are one line on standard error that
// says what failed, why, and where it can what to do; the exit status is 1, or
// 2 for a command line that cannot be read.
//
// It does not decide anything itself: internal/office and the public packages
// do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/internal/office"
)

// version is set by release builds.
var version = "development"

type globals struct {
	Dir     string `short:"d" default:"." env:"LIAISON_DIR" type:"path" help:"Folder of the office."`
	JSON    bool   `help:"Print JSON for programs instead of text for people."`
	Verbose bool   `short:"v" help:"Log to standard error what the office does."`
}

type cli struct {
	globals

	Init    initCmd    `cmd:"" group:"Your office" help:"Make the folder of a new office: configuration, keys, pinned authority."`
	Serve   serveCmd   `cmd:"" group:"Your office" help:"Run the office: TAXII for its parties, the relay for its neighbours."`
	Demo    demoCmd    `cmd:"" group:"Your office" help:"Show three offices on this machine and one note that travels and is proved."`
	Office  officeCmd  `cmd:"" group:"Your office" help:"This office's card, and the signed objects that introduce offices."`
	Peer    peerCmd    `cmd:"" group:"Your office" help:"Neighbouring offices: confirm a card, see what is followed."`
	Account accountCmd `cmd:"" group:"Your office" help:"Who may log in here, for which party."`
	Fsck    fsckCmd    `cmd:"" group:"Your office" help:"Check every hash, signature and index of the store, and name what is wrong."`
	Version versionCmd `cmd:"" group:"Your office" help:"Print the version."`

	Authority authorityCmd `cmd:"" group:"Agreements and parties" help:"The alliance's keys: make them, sign with them."`
	Party     partyCmd     `cmd:"" group:"Agreements and parties" help:"Parties: write their object, add it to a charter, list them."`
	Programme programmeCmd `cmd:"" group:"Agreements and parties" help:"Partnership programmes: write, add, list."`
	Explain   explainCmd   `cmd:"" group:"Agreements and parties" help:"Say whether a party may release an object, and which clause decides. Does nothing."`
	Held      heldCmd      `cmd:"" group:"Agreements and parties" help:"List acts that were held, wait or were refused, here or further on."`

	Intake   intakeCmd   `cmd:"" group:"Notes" help:"Turn a news page pasted as text into a STIX note graph."`
	Validate validateCmd `cmd:"" group:"Notes" help:"Say what an office would refuse, and what it would remark."`
	Submit   submitCmd   `cmd:"" group:"Notes" help:"Release STIX objects into a collection, over TAXII."`
	Pull     pullCmd     `cmd:"" group:"Notes" help:"List collections, or read one, over TAXII."`

	Receipt receiptCmd `cmd:"" group:"Proof" help:"Write the receipt of an entry: a proof that needs no office to check."`
	Verify  verifyCmd  `cmd:"" group:"Proof" help:"Check a receipt with the pinned authority alone."`
}

// app is what every command gets.
type app struct {
	globals
	ctx context.Context
	out io.Writer
	err io.Writer
	in  io.Reader
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main with its surroundings handed in.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	exit := -1
	parser, err := kong.New(&c, kong.Name("liaison"), kong.UsageOnError(),
		kong.Description("The software of a liaison office: notes released under a programme, carried office by office, provable afterwards."),
		kong.Writers(out, errs), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		panic(err) // the command line is declared wrongly
	}
	k, err := parser.Parse(args)
	if exit >= 0 {
		return exit // help was asked for
	}
	if err != nil {
		fmt.Fprintf(errs, "liaison: %v (liaison --help)\n", err)
		return 2
	}
	a := &app{globals: c.globals, ctx: ctx, out: out, err: errs, in: in}
	if err := k.Run(a); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintf(errs, "liaison: %v\n", err)
		}
		return 1
	}
	return 0
}

// errSaid ends a command that has printed what is wrong.
var errSaid = errors.New("said")

func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	if a.Verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// call runs an operation on the office of --dir.
func (a *app) call(name string, request, reply any) error {
	return office.Call(a.ctx, a.Dir, name, office.Options{Log: a.log()}, request, reply)
}

// show prints v as JSON if asked for, otherwise lets text print it for people.
func (a *app) show(v any, text func()) error {
	if !a.JSON {
		text()
		return nil
	}
	b, err := json.Marshal(v, jsontext.Multiline(true), json.Deterministic(true))
	if err == nil {
		_, err = fmt.Fprintf(a.out, "%s\n", b)
	}
	return err
}

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// read reads a file, or standard input for "-".
func (a *app) read(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.in)
	}
	return os.ReadFile(name)
}

// write writes to a file, or to standard output for "" and "-".
func (a *app) write(name string, b []byte) error {
	if name == "" || name == "-" {
		_, err := a.out.Write(b)
		return err
	}
	return os.WriteFile(name, b, 0o600)
}
