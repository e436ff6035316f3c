// Command bench measures an office beside the limits of the same machine in
// the same run: writing through the desk beside raw SQLite inserts of the rows that
// it made, in commits of the size that it made (rows.go), and on PostgreSQL by one process and by
// three; ranges of the store beside a bare SELECT of the same rows, on both engines; the longest
// pause of a reader; durable POST beside raw inserts of the objects, pages of 1000 objects beside
// a server that answers the same bytes from memory; reading of STIX beside a scan of
// the tokens of the same bytes.
//
// Every side runs in a process of its own; the code that makes the
// denominators is in raw.go and servers.go. Nothing is asserted: it prints what
// it measured, with the machine and the date.
//
// It does not compare with other products, and it keeps nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Objects     int `default:"10000" help:"Objects in the collection."`
	Connections int `default:"4" help:"Connections that POST."`
	Size        int `default:"700" help:"Bytes of an object."`
	Seconds     int `default:"3" help:"Seconds for each reading measurement."`

	Rounds       int    `default:"3" help:"Rounds of writing through the desk; the one in the middle is printed."`
	Only         string `enum:",writing,ranges,pauses,reading,stix" default:"" help:"Measure only this: writing, ranges, pauses, reading or stix."`
	Entries      int    `default:"100000" help:"Entries of the log in which ranges are read; the target is for 1000000."`
	PauseSeconds int    `default:"10" help:"Seconds in which the longest pause of a reader is looked for."`
	Profile      string `help:"File for a CPU profile of the office's side."`

	Role       string `hidden:"" enum:",office,raw,memory,stix,desk,rows,ranges" default:""`
	Collection string `hidden:"" default:"community.disinformation"`
	Group      int    `hidden:"" default:"100"`
	Postgres   string `hidden:""`
	Dir        string `hidden:""`
	File       string `hidden:""`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("bench"), kong.Description("Figures of an office beside the limits of this machine."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context) error {
	if min(o.Objects, o.Connections, o.Size, o.Seconds) < 1 {
		return errors.New("every number must be at least 1")
	}
	switch o.Role {
	case "office":
		return serveOffice(ctx, o.Dir)
	case "raw":
		return rawStore(o)
	case "desk":
		return acceptDesk(ctx, o)
	case "ranges":
		return readRanges(ctx, o)
	case "rows":
		return insertRows(o)
	case "memory":
		return serveMemory(ctx, o.File)
	case "stix":
		return readSTIX(o)
	}
	return o.measure(ctx)
}

// measure runs every pair and prints one row for each.
func (o *options) measure(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "liaison-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%s, %s, %d CPUs, Go %s; %d objects of %d bytes\n\n", time.Now().UTC().Format("2006-01-02"),
		machine(), runtime.NumCPU(), strings.TrimPrefix(runtime.Version(), "go"), o.Objects, o.Size)
	fmt.Printf("%-34s %14s %22s %8s   %s\n", "what", "ours", "limit in this run", "ratio", "server CPU")
	for _, part := range []struct {
		name    string
		measure func(ctx context.Context, dir string) error
	}{
		{"writing", o.writing}, {"writing", o.databases}, {"ranges", o.ranges}, {"pauses", o.pauses}, {"posts", o.posts}, {"reading", o.pages}, {"stix", o.stixHeaded},
	} {
		if o.Only != "" && part.name != o.Only && !(part.name == "posts" && o.Only == "reading") {
			continue // pages are read of what was posted
		}
		if err := part.measure(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) stixHeaded(ctx context.Context, _ string) error {
	fmt.Println("\nSTIX on one core, by CPU time, beside a scan of the JSON tokens of the same bytes:")
	return o.stix(ctx)
}

func row(what, unit string, ours, limit float64, cpu string) {
	fmt.Printf("%-34s %8.0f %-5s %14.0f %-7s %8.2f   %s\n", what, ours, unit, limit, unit, ours/limit, cpu)
}

func machine() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for l := range strings.SplitSeq(string(b), "\n") {
		if name, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// child starts this program again in a role, in a process of its own.
func child(ctx context.Context, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	return cmd, nil
}
