package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/backup"
)

type storeCmd struct {
	Backup  backupCmd  `cmd:"" help:"Write everything the store holds into one file, while the office works."`
	Restore restoreCmd `cmd:"" help:"Put a backup into the empty store of this office, and check every hash."`
	Check   fsckCmd    `cmd:"" help:"Check every hash, signature and index, and name what is wrong (as fsck does)."`
	Stats   statsCmd   `cmd:"" help:"Count what the store holds and the room it takes."`
	Compact compactCmd `cmd:"" help:"Give back the room of what was removed."`
	Migrate migrateCmd `cmd:"" help:"Bring the schema of the database up to date, as every start does."`
}

type backupCmd struct {
	File  string `arg:"" help:"The file to write; - for standard output."`
	Force bool   `help:"Replace a file that is there."`
}

func (c *backupCmd) Help() string {
	return `The file is one instant: everything acknowledged before it was begun, from SQLite or PostgreSQL alike. It is
read back while it is written, and appears when it is whole. It holds what was exchanged and the hashes of
passwords, so its mode is 0600; it holds no private key, no pin and no anchor: keep copies of keys/ elsewhere.`
}

// backedUp is what a backup holds.
type backedUp struct {
	File string `json:"file,omitzero"`
	backup.Header
	backup.Summary
	SHA256 string `json:"sha256"`
}

func (c *backupCmd) Run(a *app) error {
	if err := c.mayWrite(); err != nil {
		return err
	}
	p := newProgress(a)
	defer p.clear()
	var r backedUp
	err := a.writeTo(c.File, func(w io.Writer) error {
		in, sum, err := office.Backup(a.ctx, a.Dir, a.options(), versionNow(), w, p.tell)
		if err == nil {
			r = backedUp{c.File, in.Header, sum, in.SHA256()}
		}
		return err
	})
	if err == nil && c.File != "-" {
		err = syncFolder(c.File)
	}
	p.clear()
	if err != nil {
		return err
	}
	if c.File == "-" {
		a.note("%s", r.text())
		return nil
	}
	return a.show(r, func() { a.say("%s: %s", c.File, r.text()) })
}

// mayWrite says why the backup cannot be written there. Nothing but an older
// backup is ever replaced: a file of the office itself might be named.
func (c *backupCmd) mayWrite() error {
	switch {
	case c.File == "":
		return &usageError{"name the file to write, or - for standard output"}
	case c.File == "-":
		return nil
	}
	info, err := os.Stat(c.File)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder: name a file in it", c.File)
	case !c.Force:
		return fmt.Errorf("%s is there already: name another file, or repeat with --force", c.File)
	case !info.Mode().IsRegular() || info.Size() == 0:
		return nil
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	if !backup.Is(f) {
		return fmt.Errorf("%s is no backup, and --force replaces nothing else: name another file", c.File)
	}
	return nil
}

func (r *backedUp) text() string {
	return fmt.Sprintf("%s as of %s: %d collections, %d entries, %d states; SHA-256 %s",
		r.Office, r.At, r.Collections, r.Entries, r.States, r.SHA256)
}

// tell shows how far a backup or restore is.
func (p *progress) tell(s backup.Summary) {
	p.objects, p.bytes = int(s.Entries), int64(s.Bytes)
	p.show(time.Now())
}

// syncFolder makes the name of a file durable.
func syncFolder(file string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return nil
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

type restoreCmd struct {
	File    string `arg:"" help:"The backup; - for standard input."`
	NewKeys bool   `help:"The keys of this office were changed since the backup, or are lost."`
}

func (c *restoreCmd) Help() string {
	return `The store is the one that liaison.toml names, SQLite or PostgreSQL, whichever the backup was made from. It must
be empty; one that an interrupted restore has left is restored again. Afterwards nothing is accepted or signed until the
neighbours were asked what they have of this office: see docs/operations.md.`
}

func (c *restoreCmd) Run(a *app) error {
	in, err := a.reader(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	p := newProgress(a)
	defer p.clear()
	r, err := office.Restore(a.ctx, a.Dir, a.options(), in, c.NewKeys, p.tell)
	p.clear()
	if errors.Is(err, backup.ErrDamaged) || errors.Is(err, backup.ErrCut) {
		err = fmt.Errorf("%s: %w", c.File, err)
	}
	if err != nil {
		return err
	}
	err = a.show(r, func() {
		a.say("%s is restored as of %s into %s: %d collections, %d entries, %d states", r.Office, r.Backup, r.Store,
			r.Content.Collections, r.Content.Entries, r.Content.States)
		a.sayProblems(&r.FsckReply)
		for _, text := range r.Outside {
			a.say("to be found out when the office serves: %s", text)
		}
	})
	if err == nil && len(r.Problems) > 0 {
		err = errSaid
	}
	return err
}

type statsCmd struct{}

func (c *statsCmd) Run(a *app) error {
	var r office.StatsReply
	if err := a.call("store/stats", struct{}{}, &r); err != nil {
		return err
	}
	return a.show(r, func() { a.sayStats(&r) })
}

func (a *app) sayStats(r *office.StatsReply) {
	a.say("%s: %s, schema %d", r.Store, r.Engine, r.Schema)
	a.sayRoom(&r.Room)
	a.say("%-36s %10s %10s %8s %8s %10s %10s", "collection", "entries", "objects", "hidden", "erased", "objects", "in all")
	for _, n := range r.Collections {
		a.sayCount(r.Names[n.ID], &n)
	}
	a.sayCount("all", &r.All)
	a.say("%-36s %10d %*s", "states", r.States, 50, size(int64(r.StateBytes)))
}

func (a *app) sayCount(name string, n *store.CollectionCount) {
	if name == "" {
		name = n.ID
	}
	a.say("%-36s %10d %10d %8d %8d %10s %10s", name, n.Entries, n.Objects, n.Hidden, n.Erased, size(int64(n.ObjectBytes)), size(int64(n.Bytes)))
}

func (a *app) sayRoom(r *store.Room) {
	all := int64(0)
	for _, f := range r.Files {
		a.say("  %-20s %10s", f.Name, size(f.Bytes))
		all += f.Bytes
	}
	free := ""
	if r.Free >= 0 {
		free = ", of which free " + size(r.Free)
	}
	a.say("  %-20s %10s%s", "in all", size(all), free)
}

// size writes bytes for people.
func size(n int64) string {
	if n < 10<<10 {
		return fmt.Sprintf("%d B", n)
	}
	unit := "KiB"
	f := float64(n) / (1 << 10)
	for _, next := range []string{"MiB", "GiB", "TiB"} {
		if f < 1<<10 {
			break
		}
		f, unit = f/(1<<10), next
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

type compactCmd struct {
	Rewrite bool `help:"Write the tables anew, so that the files become smaller; others wait (PostgreSQL; SQLite always does)."`
	Serving bool `help:"Do it though the office serves and accepts nothing until it is done."`
}

func (c *compactCmd) Run(a *app) error {
	var r office.CompactReply
	if err := a.call("store/compact", office.CompactRequest{Rewrite: c.Rewrite, Serving: c.Serving}, &r); err != nil {
		return err
	}
	return a.show(r, func() { a.say("%s before, %s now", size(filesOf(&r.Before)), size(filesOf(&r.After))) })
}

func filesOf(r *store.Room) (all int64) {
	for _, f := range r.Files {
		all += f.Bytes
	}
	return all
}

type migrateCmd struct {
	Show bool `help:"Say what would be done, and do nothing."`
}

func (c *migrateCmd) Run(a *app) error {
	r, err := office.Migrate(a.ctx, a.Dir, a.options(), c.Show)
	if err != nil {
		return err
	}
	return a.show(r, func() {
		switch {
		case r.From == r.Newest:
			a.say("%s: schema %d, up to date", r.Store, r.From)
		case c.Show && r.From == 0:
			a.say("%s: there is no store yet; it would be made, with schema %d", r.Store, r.Newest)
		case c.Show:
			a.say("%s: schema %d; the next start, or liaison store migrate, brings it to %d", r.Store, r.From, r.Newest)
		default:
			a.say("%s: schema %d, was %d", r.Store, r.To, r.From)
		}
	})
}

// sayProblems prints what a check has found.
func (a *app) sayProblems(r *office.FsckReply) {
	for _, text := range slices.Concat(r.Problems, r.Notes) {
		a.say("%s", text)
	}
	if len(r.Problems) == 0 {
		a.say("%d collections, %d entries: healthy", r.Collections, r.Entries)
	} else {
		a.say("%d collections, %d entries: %d problems", r.Collections, r.Entries, len(r.Problems))
	}
}
