// Command faults breaks offices on purpose and says whether they kept what they
// promised (package fault): a table of fault × count × acknowledged × lost ×
// duplicated × receipts that fail × time.
//
//	make faults                                what is run for each change
//	make faults FAULTS="--long"                what is run for a release
//	make faults FAULTS="--only kill --seed 7"  one fault again
//
// It is built with the tag faults, which puts points and failing disks into the
// office that it breaks. It does nothing to other processes of this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/internal/fault"
)

type options struct {
	Only     []string       `help:"Run these faults alone."`
	Count    map[string]int `help:"How often a fault strikes: --count kill=20."`
	Long     bool           `help:"As often as for a release."`
	Seed     uint64         `help:"Decides what is random; default: the time."`
	Dir      string         `help:"Serve offices in a folder below this one; default: the temporary one."`
	Oracle   string         `help:"Folder for what clients know; default: one on another file system."`
	Markdown bool           `help:"Print the table as Markdown."`
	JSON     bool           `name:"json" help:"Print results as JSON."`
	List     bool           `help:"List the faults."`

	Serve string `hidden:"" help:"Serve the office of this folder."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("faults"), kong.Description("Breaks offices on purpose: nothing acknowledged is lost."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context) error {
	switch {
	case o.Serve != "":
		return fault.Serve(ctx, o.Serve)
	case o.List:
		for _, f := range fault.Faults() {
			fmt.Printf("%-20s %s\n", f.Name, f.About)
		}
		return nil
	case o.Seed == 0:
		o.Seed = uint64(time.Now().UnixNano())
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "seed %d\n", o.Seed)
	results, err := fault.Run(ctx, fault.Options{
		Seed: o.Seed, Only: o.Only, Counts: o.Count, Long: o.Long, Dir: o.Dir, Oracle: o.Oracle,
		Serve: []string{self, "--serve"}, Log: os.Stderr,
	})
	return errors.Join(err, o.print(results), verdict(results))
}

func (o *options) print(results []*fault.Result) error {
	switch {
	case o.JSON:
		return json.MarshalWrite(os.Stdout, results)
	case o.Markdown:
		return fault.Markdown(os.Stdout, results)
	}
	return fault.Table(os.Stdout, results)
}

// verdict is an error if a promise was broken, and in CI if a fault was not made.
func verdict(results []*fault.Result) error {
	for _, r := range results {
		switch {
		case r.Broken():
			return fmt.Errorf("%s: a promise was broken; again with --only %s --seed %d", r.Fault, r.Fault, r.Seed)
		case r.NotRun != "" && os.Getenv("CI") == "true":
			return fmt.Errorf("%s was not run: %s", r.Fault, r.NotRun)
		}
	}
	return nil
}
