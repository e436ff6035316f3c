package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/backup"
)

// opBackup is the one operation of the socket whose answer is no JSON.
const opBackup = "store/backup"

// saidLater is where an answer that was begun says what became of it.
const saidLater = "Liaison-Error"

// Backup writes a backup of the office's store into w and reads it back as it
// goes by: when it returns without error, what w was given is whole. A serving
// office goes on serving, and writes it itself.
func Backup(ctx context.Context, dir string, opt Options, program string, w io.Writer, tell func(backup.Summary)) (*backup.Reader, backup.Summary, error) {
	through, end := io.Pipe()
	type checked struct {
		r   *backup.Reader
		sum backup.Summary
		err error
	}
	done := make(chan checked, 1)
	go func() {
		var c checked
		if c.r, c.err = backup.NewReader(through); c.err == nil {
			c.sum, c.err = c.r.Check(tell)
		}
		through.CloseWithError(errors.Join(c.err, io.ErrClosedPipe))
		done <- c
	}()
	err := writeBackup(ctx, dir, opt, program, io.MultiWriter(w, end))
	end.CloseWithError(err) // nil: the end
	c := <-done
	if err == nil {
		err = c.err
	}
	return c.r, c.sum, err
}

func writeBackup(ctx context.Context, dir string, opt Options, program string, w io.Writer) error {
	cfg, err := LoadConfig(dir)
	if err != nil {
		return err
	}
	opt.ReadOnly = cfg.hasHistory(dir)
	o, err := whenFree(ctx, opt, func() (*Office, error) {
		if conn, err := dialOperator(ctx, dir); err == nil {
			conn.Close()
			return nil, fetchBackup(ctx, dir, program, w)
		}
		return Open(ctx, dir, opt)
	})
	if o == nil {
		return err
	}
	return errors.Join(o.backup(ctx, program, w), o.Close())
}

// backup writes a backup of an open office's store.
func (o *Office) backup(ctx context.Context, program string, w io.Writer) error {
	now := liaison.InstantOf(o.now())
	h := backup.Header{Office: o.Config.Office, At: now, Program: program, Keys: map[string]liaison.Binary{}}
	for _, k := range o.Keys.Public(now) {
		h.Keys[string(k.Use)] = k.Key
	}
	if m, ok := o.Store.(store.Measurer); ok {
		room, err := m.Room(ctx)
		if err != nil {
			return err
		}
		h.Engine = room.Engine
	}
	_, err := backup.Write(ctx, o.Store, h, w, nil)
	return err
}

// serveBackup answers the operator with a backup. Whether it is whole is said
// after it.
func (p *Operator) serveBackup(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	// It takes as long as it takes.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Trailer", saidLater)
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := p.o.backup(ctx, r.URL.Query().Get("program"), w); err != nil {
		p.o.Log.Warn("a backup was not finished", "err", err)
		w.Header().Set(saidLater, err.Error())
	}
}

// fetchBackup copies the serving office's backup into w.
func fetchBackup(ctx context.Context, dir, program string, w io.Writer) error {
	client := operatorClient(dir)
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://office/"+opBackup, nil)
	if err != nil {
		return err
	}
	req.URL.RawQuery = url.Values{"program": {program}}.Encode()
	resp, err := client.Do(req)
	if err != nil {
		return asked(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, err := io.ReadAll(io.LimitReader(resp.Body, maxHeaderBytes))
		return errors.Join(errors.New(string(said)), err)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("the serving office's backup: %v", err) // not to be asked again: w has some of it
	}
	if said := resp.Trailer.Get(saidLater); said != "" {
		return errors.New(said)
	}
	return nil
}

// RestoreReply says what was restored and whether it is what was exchanged.
type RestoreReply struct {
	Office  liaison.Office  `json:"office"`
	Backup  liaison.Instant `json:"backup"` // when it was made
	SHA256  string          `json:"sha256"`
	Store   string          `json:"store"` // where it is now
	Content backup.Summary  `json:"content"`
	FsckReply
	// Outside says what the logs lack of what the office has signed, as far as the
	// folder knows: it is found out when the office serves.
	Outside []string `json:"outside,omitzero"`
}

// Restore puts a backup into the empty store of the office in dir and checks
// every hash of it. An office that serves is not restored. If newKeys, the keys
// of the folder may be others than those of the office when the backup was made.
func Restore(ctx context.Context, dir string, opt Options, in io.Reader, newKeys bool, tell func(backup.Summary)) (*RestoreReply, error) {
	r, err := backup.NewReader(in)
	if err != nil {
		return nil, err
	}
	o, err := readFolder(dir, opt)
	if err != nil {
		return nil, err
	}
	if err := o.checkBackupKeys(r.Header, newKeys); err != nil {
		return nil, err
	}
	if conn, err := dialOperator(ctx, dir); err == nil {
		conn.Close()
		return nil, errors.New("an office serves from this folder: stop it, a backup is restored into a store that nobody uses")
	}
	if o.engine, err = o.openEngine(ctx, Options{}); err != nil {
		return nil, err
	}
	if err := o.makeAnchor(ctx); err != nil { // before the work, and not after it
		return nil, errors.Join(err, o.engine.Close())
	}
	reply := &RestoreReply{Office: o.Config.Office, Backup: r.Header.At, Store: o.StoreName()}
	err = o.unserved(ctx, func(ctx context.Context) (err error) {
		reply.Content, err = r.Restore(ctx, backup.Target{
			Store: o.engine, Office: o.Config.Office, Now: liaison.InstantOf(o.now()), Same: journal.SameOf, Tell: tell,
		})
		return err
	})
	if errors.Is(err, backup.ErrDamaged) || errors.Is(err, backup.ErrCut) { // the file's fault
		err = errors.Join(fmt.Errorf("%w; %s is half restored: restore a whole backup into it", err, reply.Store), o.engine.Close())
		return nil, err
	}
	if err = errors.Join(err, o.engine.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", reply.Store, err)
	}
	reply.SHA256 = r.SHA256()
	// What it would log is in the reply.
	if o, err = Open(ctx, dir, Options{Now: opt.Now, ReadOnly: true, newKeys: newKeys}); err != nil {
		return nil, fmt.Errorf("the backup is restored, and the office does not open: %w", err)
	}
	if reply.FsckReply, reply.Outside, err = o.Operator().fsck(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the backup is restored, and was not checked to the end: see liaison store check (%v)", err), o.Close())
	}
	reply.Problems = slices.DeleteFunc(reply.Problems, func(p string) bool { return slices.Contains(reply.Outside, p) })
	return reply, o.Close()
}

// leaderGone is how long a process that leads may take to end, for a restore.
const leaderGone = 3 * time.Second

// unserved runs fn, once, while no process of the office leads: one that serves
// would read what is half there.
func (o *Office) unserved(ctx context.Context, fn func(context.Context) error) error {
	l, shared := o.engine.(store.Leaser)
	if !shared {
		return fn(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(leaderGone, func() {
		cancel(errors.New("an office serves from this database: stop every process of it, a backup is restored into a store that nobody uses"))
	})
	var begun bool
	var done error
	err := l.Lease(ctx, leadLease, func(held context.Context) error {
		if !late.Stop() {
			return context.Cause(ctx)
		}
		begun, done = true, fn(held)
		cancel(nil) // not again, though the lease was lost
		return done
	})
	if begun {
		return done
	}
	return err
}

// checkBackupKeys refuses the backup of an office that has other keys: what it
// signed then could not be continued.
func (o *Office) checkBackupKeys(h backup.Header, newKeys bool) error {
	if h.Office != o.Config.Office {
		return fmt.Errorf("%w: it is of %s, and this office is %s", backup.ErrOtherOffice, h.Office, o.Config.Office)
	}
	if newKeys {
		return nil
	}
	for _, k := range o.Keys.Public(0) {
		if had, ok := h.Keys[string(k.Use)]; ok && string(had) != string(k.Key) {
			return fmt.Errorf("%s is not the %s key that %s had when this backup was made: put the keys of this office back from their copy; if they were changed since, or are lost, repeat with --new-keys",
				filepath.Join(o.Dir, keysDir, seedFile(k.Use)), k.Use, o.Config.Office)
		}
	}
	return nil
}

// MigrateReply is the schema of the database, before and after.
type MigrateReply struct {
	Store  string `json:"store"`
	From   int    `json:"from"`   // number of the last migration that was applied; 0: there is no store yet
	To     int    `json:"to"`     // the same, now
	Newest int    `json:"newest"` // that this version knows
}

// Migrate brings the schema of the office's store up to date, as every opening of
// it does. With show it only looks.
func Migrate(ctx context.Context, dir string, opt Options, show bool) (*MigrateReply, error) {
	o, err := readFolder(dir, opt)
	if err != nil {
		return nil, err
	}
	return whenFree(ctx, opt, func() (*MigrateReply, error) {
		if conn, err := dialOperator(ctx, dir); err == nil {
			conn.Close()
			return migrated(ctx, dir)
		}
		return o.migrate(ctx, show)
	})
}

// migrated asks the office that serves: it has brought its store up to date.
func migrated(ctx context.Context, dir string) (*MigrateReply, error) {
	r := new(MigrateReply)
	if err := CallServing(ctx, dir, opSchema, struct{}{}, r); err != nil {
		return nil, err
	}
	return r, nil
}

// Schema says which schema the store has.
func (p *Operator) Schema(ctx context.Context, _ struct{}) (r MigrateReply, err error) {
	r.Store = p.o.StoreName()
	if m, ok := p.o.Store.(store.Measurer); ok {
		room, err := m.Room(ctx)
		if err != nil {
			return r, err
		}
		r.From, r.To, r.Newest = room.Schema, room.Schema, room.Schema
	}
	return r, nil
}

func (o *Office) migrate(ctx context.Context, show bool) (r *MigrateReply, err error) {
	r = &MigrateReply{Store: o.StoreName()}
	if r.From, r.Newest, err = o.schema(ctx); err != nil {
		return nil, err
	}
	if r.To = r.From; show || r.From == r.Newest {
		return r, nil
	}
	e, err := o.openEngine(ctx, Options{})
	if err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	r.To, _, err = o.schema(ctx)
	return r, err
}

// StatsReply is how much an office's store holds and takes.
type StatsReply struct {
	Store string `json:"store"`
	store.Room
	store.Counts
	Names map[string]string `json:"names"` // of collections, as programme.area
}

// Stats counts. It reads everything once, beside whoever works.
func (p *Operator) Stats(ctx context.Context, _ struct{}) (r StatsReply, err error) {
	r.Store, r.Names = p.o.StoreName(), map[string]string{}
	now := liaison.InstantOf(p.o.now())
	for _, c := range p.o.Desk.Registry().Collections() {
		v, _ := c.Programme.InForce(now)
		r.Names[c.ID.String()] = v.Alias + "." + string(c.Area)
	}
	if m, ok := p.o.Store.(store.Measurer); ok {
		room, err := m.Room(ctx)
		if err != nil {
			return r, err
		}
		r.Room = *room
	}
	counts, err := store.Count(ctx, p.o.Store)
	if err == nil {
		r.Counts = *counts
	}
	return r, err
}

// CompactRequest asks for room.
type CompactRequest struct {
	Rewrite bool `json:"rewrite,omitzero"` // make the files smaller, though others wait
	Serving bool `json:"serving,omitzero"` // though an office serves
}

// CompactReply is the room before and after.
type CompactReply struct {
	Before store.Room `json:"before"`
	After  store.Room `json:"after"`
}

// Compact gives back room. An office on SQLite that serves accepts nothing until
// it is done, so that must be asked for.
func (p *Operator) Compact(ctx context.Context, q CompactRequest) (r CompactReply, err error) {
	c, ok := p.o.Store.(store.Compacter)
	m, measures := p.o.Store.(store.Measurer)
	if !ok || !measures {
		return r, errors.New("this engine of the store cannot be compacted")
	}
	waits := q.Rewrite || p.o.Config.Store == ""
	if p.o.bound.Operator != nil && waits && !q.Serving {
		return r, errors.New("the office serves, and accepts nothing while its database is written anew: stop it first, or repeat with --serving; reading goes on")
	}
	before, err := m.Room(ctx)
	if err != nil {
		return r, err
	}
	if err := c.Compact(ctx, q.Rewrite); err != nil {
		return r, err
	}
	after, err := m.Room(ctx)
	if err != nil {
		return r, err
	}
	return CompactReply{*before, *after}, nil
}
