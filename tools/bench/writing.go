package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/pgserver"
)

// leastRaw is how many rows a second raw inserts must reach for a run to count:
// below it the machine is too busy, or its disk too slow, to say anything.
const leastRaw = 25_000

// pair is what one round measured: the desk, and the limits of the same rows.
type pair struct {
	accepted
	inserted
}

// writing measures the desk of an office beside raw inserts of the same rows in
// commits of the same size, in turn; the round in the middle is printed.
func (o *options) writing(ctx context.Context, dir string) error {
	var pairs []pair
	for n := range o.Rounds {
		p, err := o.writingOnce(ctx, filepath.Join(dir, fmt.Sprintf("desk-%d", n)))
		if err != nil {
			return err
		}
		pairs = append(pairs, *p)
	}
	slices.SortFunc(pairs, func(a, b pair) int { return int(1e6 * (a.rate()/a.Whole - b.rate()/b.Whole)) })
	p := pairs[len(pairs)/2]
	row(fmt.Sprintf("desk, SQLite, commits of %.0f", p.group()), "obj/s", p.rate(), p.Whole, p.words())
	row("  beside the objects' rows alone", "obj/s", p.rate(), p.Plain, fmt.Sprintf("of %d rounds %.2f to %.2f, %.2f to %.2f alone", len(pairs),
		pairs[0].rate()/pairs[0].Whole, pairs[len(pairs)-1].rate()/pairs[len(pairs)-1].Whole, lowest(pairs), highest(pairs)))
	if p.Whole < leastRaw {
		fmt.Printf("  this run does not count: raw inserts reached %.0f rows/s, want %d\n", p.Whole, leastRaw)
	}
	return nil
}

func (p *accepted) words() string {
	return fmt.Sprintf("%.1f µs an object; an envelope %.1f ms, 99 %% %.1f ms", p.CPU, p.P50, p.P99)
}

func lowest(pairs []pair) (least float64) {
	least = 1e9
	for _, p := range pairs {
		least = min(least, p.rate()/p.Plain)
	}
	return least
}

func highest(pairs []pair) (most float64) {
	for _, p := range pairs {
		most = max(most, p.rate()/p.Plain)
	}
	return most
}

func (o *options) writingOnce(ctx context.Context, dir string) (*pair, error) {
	if err := demo.Prepare(ctx, dir, loopback()); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p := new(pair)
	as, err := o.desks(ctx, []string{dir}, []string{demo.SampleCollection})
	if err != nil {
		return nil, err
	}
	p.accepted = *as[0]
	cmd, err := child(ctx, append(o.sizes(), "--role=rows", "--dir="+dir, fmt.Sprintf("--group=%.0f", p.group()))...)
	if err != nil {
		return nil, err
	}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("raw inserts: %w", err)
	}
	return p, json.Unmarshal(out, &p.inserted)
}

func loopback() office.Config {
	return office.Config{Exchange: "127.0.0.1:0", Relay: "127.0.0.1:0"}
}

func (o *options) sizes() []string {
	return []string{fmt.Sprintf("--objects=%d", o.Objects), fmt.Sprintf("--size=%d", o.Size), fmt.Sprintf("--connections=%d", o.Connections)}
}

// desks runs a desk in a process of its own for each folder, all at once.
func (o *options) desks(ctx context.Context, dirs, collections []string) ([]*accepted, error) {
	running := make([]*running, len(dirs))
	for i := range dirs {
		args := append(o.sizes(), "--role=desk", "--dir="+dirs[i], "--collection="+collections[i])
		if o.Profile != "" {
			args = append(args, "--profile="+o.Profile)
		}
		r, err := startRunning(ctx, args)
		if err != nil {
			return nil, err
		}
		defer r.stop()
		running[i] = r
	}
	for _, r := range running {
		if _, err := io.WriteString(r.in, "begin\n"); err != nil {
			return nil, err
		}
	}
	var list []*accepted
	for _, r := range running {
		a := new(accepted)
		out, err := io.ReadAll(r.out)
		if err == nil {
			err = json.Unmarshal(out, a)
		}
		if err != nil {
			return nil, fmt.Errorf("desk: %w", err)
		}
		list = append(list, a)
	}
	return list, nil
}

// running is a child that said "ready".
type running struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startRunning(ctx context.Context, args []string) (*running, error) {
	cmd, err := child(ctx, args...)
	if err != nil {
		return nil, err
	}
	r := &running{cmd: cmd}
	if r.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if line, err := r.out.ReadString('\n'); strings.TrimSpace(line) != "ready" {
		r.stop()
		return nil, fmt.Errorf("%v said %q: %w", args, line, err)
	}
	return r, nil
}

// stop ends the child, if it has not ended.
func (r *running) stop() {
	r.in.Close()
	r.cmd.Process.Kill()
	r.cmd.Wait()
}

// databases measures desks whose store is a PostgreSQL that syncs: one process,
// and three at once on collections of their own.
func (o *options) databases(ctx context.Context, dir string) error {
	server, err := pgserver.New(ctx, pgserver.Config{Durable: true})
	if errors.Is(err, pgserver.ErrAbsent) {
		fmt.Println("desk, PostgreSQL: not measured:", err)
		return nil
	}
	if err != nil {
		return err
	}
	defer server.Close()
	for n, collections := range [][]string{
		{"community.disinformation"},
		{"community.disinformation", "community.cyber", "itpp.cyber"},
	} {
		url, err := server.Database(ctx)
		if err != nil {
			return err
		}
		dirs, err := processes(ctx, filepath.Join(dir, fmt.Sprintf("pg-%d", n)), url, len(collections))
		if err != nil {
			return err
		}
		list, err := o.desks(ctx, dirs, collections)
		if err != nil {
			return err
		}
		fmt.Printf("%-34s %8.0f %-5s %41s %s\n", fmt.Sprintf("desk, PostgreSQL, %d process(es)", len(dirs)), together(list), "obj/s", "", list[0].words())
	}
	return nil
}

// together is objects a second of desks that began and ended at about the same time.
func together(list []*accepted) float64 {
	begun, ended, objects := list[0].Begun, list[0].Ended, 0
	for _, a := range list {
		objects += a.Objects
		if a.Begun.Before(begun) {
			begun = a.Begun
		}
		if a.Ended.After(ended) {
			ended = a.Ended
		}
	}
	return float64(objects) / ended.Sub(begun).Seconds()
}

// processes makes the sample office on a database, with a folder for each of its
// processes.
func processes(ctx context.Context, dir, url string, count int) (dirs []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	cfg := loopback()
	cfg.Store, cfg.Anchor = office.Place(url), office.Place(filepath.Join(dir, "anchor"))
	for n := range count {
		dirs = append(dirs, filepath.Join(dir, fmt.Sprintf("process-%d", n)))
	}
	if err := demo.Prepare(ctx, dirs[0], cfg); err != nil {
		return nil, err
	}
	for _, d := range dirs[1:] {
		if err := copyFolder(d, dirs[0]); err != nil {
			return nil, err
		}
	}
	return dirs, nil
}

// copyFolder copies files, and leaves sockets.
func copyFolder(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case d.IsDir():
			return os.MkdirAll(name, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(name, b, 0o600)
	})
}
