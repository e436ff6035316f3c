package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/relay"
	"github.com/liaison-office/liaison/taxii"
)

// bitFlips flips a bit in each class of an office's files in turn. What an
// office then shows, proves or signs must be what it was, or it must say what is
// damaged.
func bitFlips(ctx context.Context, c *Campaign, r *Result) error {
	g, err := c.newGallery(ctx, r)
	if err != nil {
		return err
	}
	defer g.close()
	random := rand.New(rand.NewPCG(c.Seed, 6))
	found := map[string]int{}
	for range c.count(r.Fault, 5, 50) {
		for _, class := range g.classes {
			at, ok := class.pick(random)
			if !ok {
				r.Note("an office has none of %s", class.name)
				continue
			}
			verdict, err := g.flip(ctx, class, at)
			if err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			found[verdict]++
			r.Count++
		}
	}
	r.Note("%d detected and named, %d harmless, served or signed wrong: %d", found[detected], found[harmless], found[wrong])
	return nil
}

// What became of a flip.
const (
	detected = "detected"
	harmless = "harmless"
	wrong    = "wrong"
)

// bit is a bit of a file.
type bit struct {
	file string // below the office's folder
	at   int64
	bit  uint
}

func (b bit) String() string { return fmt.Sprintf("bit %d of byte %d of %s", b.bit, b.at, b.file) }

// class is a kind of file, or of a part of one.
type class struct {
	name string
	from string // folder of the office that is damaged
	pick func(random *rand.Rand) (bit, bool)
}

// gallery is a stopped office that has something of everything, and one that was
// killed, with what they must show.
type gallery struct {
	*Site
	known   *Known
	objects contents
	killed  string // folder of the one that was killed
	classes []class
}

func (c *Campaign) newGallery(ctx context.Context, r *Result) (*gallery, error) {
	s, err := c.newSite(r, r.Fault)
	if err != nil {
		return nil, err
	}
	g := &gallery{Site: s, killed: s.Dir + "-killed"}
	if err := keepSampleFork(s.Dir); err != nil {
		return nil, err
	}
	p, err := s.Start(ctx)
	if err != nil {
		return nil, err
	}
	client := s.client(p.Address, demo.SampleAccount)
	for range 8 {
		if err := s.Load.Post(ctx, client); err != nil {
			return nil, err
		}
	}
	if g.objects, err = readObjects(ctx, s.client(p.Address, reader)); err != nil {
		return nil, err
	}
	if err := copyOffice(g.killed, s.Dir); err != nil { // as kill -9 leaves it
		return nil, err
	}
	if err := p.Stop(); err != nil {
		return nil, err
	}
	if g.known, err = s.Oracle.Known(); err != nil {
		return nil, err
	}
	r.Acknowledged = len(g.known.Acked)
	g.classes, err = g.listClasses()
	return g, err
}

func (g *gallery) close() {
	g.Close()
	os.RemoveAll(g.killed)
}

// copyOffice copies an office's files, without its socket.
func copyOffice(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
}

// keepSampleFork keeps evidence of a fork of the neighbour's log of a collection
// that nobody follows.
func keepSampleFork(dir string) error {
	c := liaison.CollectionID{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89}
	f := relay.Fork{
		Origin: liaison.Origin{Office: "tokyo.example.org", Collection: c, Generation: 1},
		Reason: "rewritten", Detail: "a sample of a fault campaign", Claimed: "a note", At: 1,
	}
	return relay.ForkDir(filepath.Join(dir, "forks")).Keep(&f)
}

// listClasses lists what is damaged.
func (g *gallery) listClasses() ([]class, error) {
	list := []class{
		{"the head of the database", g.Dir, inFile("store/liaison.db", 0, 100)},
		{"the write-ahead log", g.killed, anywhere(g.killed, "store/liaison.db-wal")},
		{"the index of the write-ahead log", g.killed, anywhere(g.killed, "store/liaison.db-shm")},
		{"the database beside its write-ahead log", g.killed, anywhere(g.killed, "store/liaison.db")},
	}
	pages, err := pagesOf(filepath.Join(g.Dir, "store", "liaison.db"))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"collections", "objects", "leaves", "trees", "gaps", "ids", "acts", "state", "free"} {
		list = append(list, class{"pages of " + name, g.Dir, inPages(pages.size, pages.of[name])})
	}
	for _, pattern := range []string{"anchor/*.*", "keys/log.seed", "keys/act.seed", "keys/witness.seed", "keys/relay.seed", "keys/cursor.seed", office.PinFile, office.ConfigFile, "peers/*.card", "forks/*.json"} {
		list = append(list, class{pattern, g.Dir, anywhere(g.Dir, pattern)})
	}
	return list, nil
}

// inFile picks from a range of a file.
func inFile(file string, from, to int64) func(*rand.Rand) (bit, bool) {
	return func(random *rand.Rand) (bit, bool) {
		return bit{file, from + random.Int64N(to-from), uint(random.IntN(8))}, true
	}
}

// anywhere picks from the files that match a pattern.
func anywhere(dir, pattern string) func(*rand.Rand) (bit, bool) {
	return func(random *rand.Rand) (bit, bool) {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			return bit{}, false
		}
		path := files[random.IntN(len(files))]
		info, err := os.Stat(path)
		rel, err2 := filepath.Rel(dir, path)
		if err != nil || err2 != nil || info.Size() == 0 {
			return bit{}, false
		}
		return inFile(rel, 0, info.Size())(random)
	}
}

// inPages picks from pages of the database.
func inPages(size int64, pages []int64) func(*rand.Rand) (bit, bool) {
	return func(random *rand.Rand) (bit, bool) {
		if len(pages) == 0 {
			return bit{}, false
		}
		from := (pages[random.IntN(len(pages))] - 1) * size
		return inFile("store/liaison.db", from, from+size)(random)
	}
}

// flip damages a copy of an office and says what becomes of it.
func (g *gallery) flip(ctx context.Context, class class, at bit) (verdict string, err error) {
	dir, err := os.MkdirTemp(memory(filepath.Dir(g.Dir)), "liaison-flip-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := copyOffice(dir, class.from); err != nil {
		return "", err
	}
	path := filepath.Join(dir, at.file)
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	b[at.at] ^= 1 << at.bit
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return "", err
	}
	e := &examination{gallery: g, dir: dir}
	if err := e.run(ctx); err != nil {
		return "", err
	}
	switch {
	case len(e.wrong) > 0 && class.from == g.killed && strings.HasSuffix(at.file, "-wal") && e.behind():
	case len(e.wrong) > 0:
		g.r.Fail(&g.r.Wrong, "%s (%s): %s (said: %s)", at, class.name, strings.Join(e.wrong, "; "), strings.Join(e.said, "; "))
		return wrong, nil
	}
	if len(e.said) > 0 {
		return detected, nil
	}
	return harmless, nil
}

// examination is what a damaged office says and does.
type examination struct {
	*gallery
	dir   string
	said  []string // where it names damage
	wrong []string // what it shows, proves or signs otherwise than before

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

func (e *examination) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.Write(p)
}

func (e *examination) found(format string, args ...any) {
	e.said = append(e.said, fmt.Sprintf(format, args...))
}

func (e *examination) bad(format string, args ...any) {
	if len(e.wrong) < 5 {
		e.wrong = append(e.wrong, fmt.Sprintf(format, args...))
	}
}

// run checks the folder, serves it and reads everything.
func (e *examination) run(ctx context.Context) error {
	var fsck office.FsckReply
	if err := office.Call(ctx, e.dir, "fsck", office.Options{}, struct{}{}, &fsck); err != nil {
		e.found("fsck: %v", err)
	}
	for _, p := range fsck.Problems {
		e.found("fsck: %s", p)
	}
	log := slog.New(slog.NewTextHandler(e, &slog.HandlerOptions{Level: slog.LevelWarn}))
	p, err := startHere(ctx, e.dir, office.Options{Log: log})
	if err != nil {
		e.found("start: %v", err)
		return nil
	}
	e.serve(ctx, p)
	if err := p.Stop(); err != nil {
		e.found("stop: %v", err)
	}
	for l := range strings.Lines(e.log.String()) {
		e.found("log: %s", l)
	}
	return nil
}

// serve reads objects, manifest and receipts, and posts once more.
func (e *examination) serve(ctx context.Context, p *Process) {
	e.readForks(ctx)
	there, err := readObjects(ctx, e.client(p.Address, reader))
	if err != nil {
		e.found("objects: %v", err)
	} else if d := differs(e.objects, there); d != "" {
		e.bad("objects: %s", d)
	}
	manifest, err := readManifest(ctx, e.client(p.Address, demo.SampleAccount))
	if err != nil {
		e.found("manifest: %v", err)
	} else if len(manifest) != len(e.objects) {
		e.bad("the manifest has %d versions, want %d", len(manifest), len(e.objects))
	}
	e.readReceipts(ctx, p)
	e.checkSigned(ctx, p)
}

func differs(want, have contents) string {
	for k, sums := range want {
		if !slices.Equal(have[k], sums) {
			return fmt.Sprintf("%s %s is shown %d times, or with other bytes", k.id, k.version, len(have[k]))
		}
	}
	if len(have) != len(want) {
		return fmt.Sprintf("%d versions are shown, want %d", len(have), len(want))
	}
	return ""
}

// readForks: evidence of a fork is as it was, or said to be damaged.
func (e *examination) readForks(ctx context.Context) {
	forks, err := relay.ForkDir(filepath.Join(e.dir, "forks")).Load("tokyo.example.org")
	if err != nil {
		e.found("forks: %v", err)
	}
	for _, f := range forks {
		if f.Reason == relay.Unreadable {
			e.found("forks: %s", f.Detail)
		} else if f.Detail != "a sample of a fault campaign" || f.Claimed != "a note" || f.Reason != "rewritten" || f.At != 1 {
			e.bad("the evidence of a fork says %v", f)
		}
	}
	if len(forks) != 1 {
		e.bad("%d forks are known, want 1", len(forks))
	}
}

// readReceipts asks for the receipt of everything, and verifies it by the pin
// that the client has.
func (e *examination) readReceipts(ctx context.Context, p *Process) {
	pin, err := readPin(e.Dir)
	if err != nil {
		e.bad("%v", err)
		return
	}
	c := e.client(p.Address, demo.SampleAccount)
	defer c.HTTP.CloseIdleConnections()
	for _, a := range e.known.Acked {
		b, err := getReceipt(ctx, c, a.Receipt)
		if err != nil {
			e.found("receipt: %v", err)
			continue
		}
		r, err := liaison.ParseReceipt(b)
		switch {
		case verifyReceipt(pin, b) != nil:
			e.found("the client's check of a receipt: %v", verifyReceipt(pin, b))
		case err != nil || r.Object == nil || digest(r.Object.Bytes) != a.SHA256:
			e.bad("a receipt that verifies proves something else than %s", a.ID)
		}
	}
}

// checkSigned posts, and holds what the office signs now to what it signed
// before.
func (e *examination) checkSigned(ctx context.Context, p *Process) {
	c := e.client(p.Address, demo.SampleAccount)
	defer c.HTTP.CloseIdleConnections()
	list, body := e.Load.envelope(1_000_000)
	status, err := c.Add(ctx, taxii.RootPath, demo.SampleCollection, body)
	var receipt []byte
	if err == nil {
		var acks []Ack
		if acks, err = acknowledged(status, list); err == nil {
			receipt, err = getReceipt(ctx, c, acks[0].Receipt)
		}
	}
	if err != nil {
		e.found("posting: %v", err)
		return
	}
	o := &Site{Dir: e.dir, r: &Result{}}
	p.Stop()
	if err := o.checkSigned(ctx, slices.Concat(e.known.Receipts, [][]byte{receipt})); err != nil {
		e.found("the ledger: %v", err)
	}
	for _, f := range o.r.First {
		e.bad("signed: %s", f)
	}
}

// behind reports whether the office says that it lost what it had signed.
func (e *examination) behind() bool {
	return slices.ContainsFunc(e.said, func(s string) bool {
		return strings.Contains(s, "the log holds") || strings.Contains(s, "checkpoint kept outside")
	})
}

// checkSigned opens a folder and holds its log to checkpoints.
func (s *Site) checkSigned(ctx context.Context, receipts [][]byte) error {
	o, err := office.Open(ctx, s.Dir, office.Options{})
	if err != nil {
		return err
	}
	c, err := sampleCollection(ctx, o)
	if err == nil {
		err = s.viewPrefixes(ctx, o, c, receipts)
	}
	return errors.Join(err, o.Close())
}
