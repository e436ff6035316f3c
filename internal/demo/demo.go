// Package demo shows the whole of liaison on one machine: three offices, an
// alliance with its programmes, and one note from a real-looking page that
// travels seoul -> tokyo -> hq and is proved at headquarters.
//
// # Invariants
//
//   - Nothing is simulated: three offices with their own keys, stores and
//     listeners know each other over TCP only, and every step goes through the
//     doors that users have: TAXII, the operator's operations, a proof in a file.
//   - Every step prints one line with what it did and how long it took, and the
//     first step that does not hold ends the demonstration with an error.
//   - Agreements, parties' accounts and the page are samples and say so.
//
// # What it does not do
//
// It is no test: those are beside the packages. It keeps nothing: every run
// has a new folder.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/stix"
)

// Options change how the demonstration runs.
type Options struct {
	Dir     string    // a folder for it; empty: a new temporary one
	Once    bool      // end after the last step instead of serving
	Out     io.Writer // where the lines go
	JSON    bool      // a JSON object a line, for programs
	Program string    // what a reader types for the program; empty: liaison
	Log     *slog.Logger
	Now     func() time.Time // optional: time.Now
}

// patience bounds how long a step waits for the relay.
const patience = 30 * time.Second

// demo is one run.
type demo struct {
	Options
	dir      string
	later    string // alias of a programme that is signed and not added
	alliance *alliance
	offices  map[liaison.Office]*office.Office

	// What the steps hand on.
	bundle     []byte
	collection string // alias of the current partnership's disinformation collection
	id         string // its id
	report     string // id of the note's report
	assessment string
	receipt    string // path of the receipt at seoul
}

// Run shows everything and then, unless Once, serves until ctx ends.
func Run(ctx context.Context, opt Options) error {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	opt.Program = cmp.Or(opt.Program, "liaison")
	d := &demo{Options: opt, offices: map[liaison.Office]*office.Office{}}
	if err := d.folder(); err != nil {
		return err
	}
	defer d.close()
	return d.run(ctx)
}

func (d *demo) folder() (err error) {
	if d.dir = d.Options.Dir; d.dir == "" {
		d.dir, err = os.MkdirTemp("", "liaison-demo-")
		return err
	}
	if entries, err := os.ReadDir(d.dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: the demonstration wants a folder of its own", d.dir)
	}
	return os.MkdirAll(d.dir, 0o700)
}

func (d *demo) close() {
	for _, o := range d.offices {
		if err := o.Close(); err != nil {
			d.Log.Error("office not closed", "err", err)
		}
	}
	if d.Options.Dir == "" {
		os.RemoveAll(d.dir)
	}
}

func (d *demo) run(ctx context.Context) error {
	d.hello()
	if err := d.step("offices", d.setUp); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	failed := make(chan error, len(d.offices))
	for _, o := range d.offices {
		wg.Go(func() { failed <- o.Run(ctx) })
	}
	err := d.tell(ctx)
	if err == nil && !d.Once {
		d.goodbye()
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	cancel()
	wg.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}

// tell runs the steps of the story.
func (d *demo) tell(ctx context.Context) error {
	steps := []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"alliance", d.signAlliance},
		{"accounts", d.addAccounts},
		{"a intake", d.takeIn},
		{"b release", d.releaseNote},
		{"b refusal", d.refuseKorea},
		{"c relay", d.followNote},
		{"c assessment", d.assess},
		{"d reading", d.readBoth},
		{"e no leak", d.askAsIndia},
		{"f proof", d.prove},
		{"f forgery", d.forge},
	}
	for _, s := range steps {
		if err := d.step(s.name, func() (string, error) { return s.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// step does one step and prints its line.
func (d *demo) step(name string, do func() (string, error)) error {
	begin := time.Now()
	what, err := do()
	d.tellStep(name, what, time.Since(begin), err)
	if err != nil {
		return fmt.Errorf("demo: %s: %w", name, err)
	}
	return nil
}

// setUp makes three offices, each with a folder, keys and a store of its own,
// and lets neighbours exchange their cards.
func (d *demo) setUp() (string, error) {
	var err error
	if d.alliance, err = found(d.dir, d.Now()); err != nil {
		return "", err
	}
	for _, name := range []liaison.Office{hq, tokyo, seoul} {
		if d.offices[name], err = d.open(name); err != nil {
			return "", err
		}
	}
	for _, pair := range [][2]liaison.Office{{seoul, tokyo}, {tokyo, hq}} {
		if err := d.introduce(pair[0], pair[1]); err != nil {
			return "", err
		}
	}
	return "hq, tokyo and seoul started; seoul's only neighbour is tokyo, and tokyo's other one is hq", nil
}

func (d *demo) open(name liaison.Office) (*office.Office, error) {
	dir := filepath.Join(d.dir, string(name))
	cfg := office.Config{Office: name, Exchange: "127.0.0.1:0", Relay: "127.0.0.1:0"}
	if err := office.Init(dir, cfg, d.alliance.pin); err != nil {
		return nil, err
	}
	o, err := office.Open(context.Background(), dir, office.Options{Log: d.Log, Now: d.Now})
	if err != nil {
		return nil, err
	}
	return o, o.Listen()
}

// introduce hands each office the other's card. Only the outer one is told an
// address, so it dials.
func (d *demo) introduce(outer, inner liaison.Office) error {
	_, address := d.offices[inner].Addresses()
	if _, err := office.AddPeer(d.offices[outer].Dir, d.offices[inner].Keys.SignedCard(address)); err != nil {
		return err
	}
	_, err := office.AddPeer(d.offices[inner].Dir, d.offices[outer].Keys.SignedCard(""))
	return err
}

// signAlliance lets hq add what the authority signed, and waits until the
// offices that need it have it.
func (d *demo) signAlliance(ctx context.Context) (string, error) {
	list, err := d.addCharters(ctx)
	if err != nil {
		return "", err
	}
	objects := 0
	for _, c := range list {
		objects += len(c.objects)
	}
	if err := d.awaitCharters(ctx, list); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d programmes, %d signed objects (2 of 3 keys) released at hq and carried to tokyo and seoul", len(list), objects), nil
}

// addCharters signs the sample programmes and adds them at hq.
func (d *demo) addCharters(ctx context.Context) ([]charter, error) {
	op := d.offices[hq].Operator()
	ids := map[string]stix.ID{}
	list := charters()
	for i := range list {
		c := &list[i]
		if err := d.alliance.write(c, d.offices[hq].Keys.ActSigner(), ids); err != nil {
			return nil, err
		}
		if c.alias == "register" {
			more, err := d.alliance.register(d.offices)
			if err != nil {
				return nil, err
			}
			c.objects = append(c.objects, more...)
		}
		if c.alias == d.later {
			continue
		}
		if _, err := op.AddControl(ctx, c.request()); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (c *charter) request() office.ControlRequest {
	return office.ControlRequest{Programme: c.alias, Objects: c.objects}
}
