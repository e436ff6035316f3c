// Command liaison is the software of a liaison office: it runs an office, signs
// and adds agreements, takes in pages, sends and reads notes, and proves what
// was exchanged.
//
// Every command that concerns an office works on the folder named by --dir,
// whether the office serves or not. Errors are one line on standard error that
// says what failed, why, and where it can what to do, with --json an object
// with command and error; the exit status is 1, or 2 for a command line that
// cannot be read. Results go to standard output, everything else to standard
// error; what others wrote is printed without control characters.
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
	"slices"
	"strings"
	"syscall"
	"unicode"

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
	Log     logCmd     `cmd:"" group:"Your office" help:"This office's own logs: which are stopped, and how they go on."`
	Store   storeCmd   `cmd:"" group:"Your office" help:"The database: back it up, restore it, check, count, compact and migrate it."`
	Fsck    fsckCmd    `cmd:"" group:"Your office" help:"Check every hash, signature and index of the store, and name what is wrong."`
	Version versionCmd `cmd:"" group:"Your office" help:"Print the version."`

	Authority authorityCmd `cmd:"" group:"Agreements and parties" help:"The alliance's keys: make them, sign with them."`
	Party     partyCmd     `cmd:"" group:"Agreements and parties" help:"Parties: write their object, add it to a charter, list them."`
	Programme programmeCmd `cmd:"" group:"Agreements and parties" help:"Partnership programmes: write, add, list."`
	Explain   explainCmd   `cmd:"" group:"Agreements and parties" help:"Say whether a party may release an object, and which clause decides. Does nothing."`
	Held      heldCmd      `cmd:"" group:"Agreements and parties" help:"List acts that were held, wait or were refused, here or further on."`

	Intake   intakeCmd   `cmd:"" group:"Notes" help:"Turn a news page pasted as text into a STIX note graph."`
	Validate validateCmd `cmd:"" group:"Notes" help:"Say what an office would refuse, and what it would remark."`
	Upgrade  upgradeCmd  `cmd:"" group:"Notes" help:"Convert STIX 2.0 to a bundle of STIX 2.1."`
	Submit   submitCmd   `cmd:"" group:"Notes" help:"Release STIX objects into a collection, over TAXII."`
	Erase    eraseCmd    `cmd:"" group:"Notes" help:"Erase an object: at this office by its operator, or for all by the party that released it."`
	Pull     pullCmd     `cmd:"" group:"Notes" help:"List collections, or read one, over TAXII."`

	Receipt receiptCmd `cmd:"" group:"Proof" help:"Write the receipt of an entry: a proof that needs no office to check."`
	Verify  verifyCmd  `cmd:"" group:"Proof" help:"Check a receipt with the pinned authority alone."`
}

// app is what every command gets.
type app struct {
	globals
	ctx context.Context
	out *result
	err io.Writer
	in  io.Reader
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main with its surroundings handed in.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	var c cli
	results := &result{w: out}
	exit := -1
	parser, err := kong.New(&c, kong.Name("liaison"), kong.UsageOnError(),
		kong.Description("The software of a liaison office: notes released under a programme, carried office by office, provable afterwards."),
		kong.Writers(results, errs), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		panic(err) // the command line is declared wrongly
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	k, err := parser.Parse(args)
	a := &app{globals: c.globals, ctx: ctx, out: results, err: errs, in: in}
	if results.err != nil {
		return a.fail("help", results.err)
	}
	if exit >= 0 {
		return exit // help was asked for
	}
	if err != nil {
		a.JSON = slices.Contains(args, "--json")
		a.complain("", fmt.Sprintf("%v (liaison --help)", err))
		return 2
	}
	if err = k.Run(a); err == nil {
		err = results.err
	}
	if err != nil {
		return a.fail(commandOf(k), err)
	}
	return 0
}

// result is where results go. It remembers the first error, so that printing
// need not be asked and no command whose result is lost ends well.
type result struct {
	w   io.Writer
	err error
}

func (r *result) Write(b []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.w.Write(b)
	if err != nil {
		r.err = fmt.Errorf("the result could not be written to standard output: %w", err)
	}
	return n, r.err
}

// commandOf returns the words of the chosen command, such as "account add".
func commandOf(k *kong.Context) string {
	var words []string
	for n := k.Selected(); n != nil && n.Type == kong.CommandNode; n = n.Parent {
		words = append(words, n.Name)
	}
	slices.Reverse(words)
	return strings.Join(words, " ")
}

// fail says in one line which command failed and why. A call whose arguments
// do not go together is a wrong command line.
func (a *app) fail(command string, err error) int {
	var wrong *usageError
	switch {
	case a.ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	case errors.Is(err, errSaid):
		return 1
	}
	why := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	a.complain(command, strings.TrimPrefix(why, command+": "))
	if errors.As(err, &wrong) {
		return 2
	}
	return 1
}

// complain prints one line on standard error: what failed and why; for
// programs a JSON object.
func (a *app) complain(command, why string) {
	if a.JSON {
		b, err := json.Marshal(errorLine{command, why}, jsontext.AllowInvalidUTF8(true))
		if err == nil {
			fmt.Fprintf(a.err, "%s\n", b)
			return
		}
	}
	if command != "" {
		why = command + ": " + why
	}
	a.note("liaison: %s", why)
}

// errorLine is an error for programs.
type errorLine struct {
	Command string `json:"command,omitzero"` // empty: the command line was not understood
	Error   string `json:"error"`
}

// usageError is arguments that do not go together.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

// errSaid ends a command that has printed what is wrong.
var errSaid = errors.New("said")

// log returns a logger to standard error for what is at least level; -v wants
// everything.
func (a *app) log(level slog.Level) *slog.Logger {
	if a.Verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// call runs an operation on the office of --dir.
func (a *app) call(name string, request, reply any) error {
	return office.Call(a.ctx, a.Dir, name, a.options(), request, reply)
}

// options open the office for a command.
func (a *app) options() office.Options { return office.Options{Log: a.log(slog.LevelWarn)} }

// show prints v as JSON if asked for, otherwise lets text print it for people.
// The error says that it was not written.
func (a *app) show(v any, text func()) error {
	if !a.JSON {
		text()
		return a.out.err
	}
	b, err := json.Marshal(v, jsontext.Multiline(true), json.Deterministic(true))
	if err == nil {
		_, err = fmt.Fprintf(a.out, "%s\n", b)
	}
	return err
}

// say prints a line of the result.
func (a *app) say(format string, args ...any) { fmt.Fprintln(a.out, clean(format, args...)) }

// note prints a line beside the result.
func (a *app) note(format string, args ...any) { fmt.Fprintln(a.err, clean(format, args...)) }

// clean formats text for a terminal: what others wrote cannot steer it, nor
// change the direction of reading.
func clean(format string, args ...any) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprintf(format, args...))
}
