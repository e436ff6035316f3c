package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/pgserver"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/postgres"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/ncruces/go-sqlite3"
	"golang.org/x/mod/sumdb/tlog"
)

// rangeRows is how many entries a range has.
const rangeRows = 1000

// sampleLog is the collection of what is put into a store directly.
var sampleLog = liaison.CollectionID{1}

// ranged is what the role ranges prints: milliseconds for each range, in the middle
// of all, by the clock and by CPU of this process.
type ranged struct {
	Store, Bare       float64
	StoreCPU, BareCPU float64
	RSS               int // megabytes
}

// ranges measures store.View.Range beside a bare prepared SELECT of the same
// rows, in turn, at random offsets.
func (o *options) ranges(ctx context.Context, dir string) error {
	if err := o.rangesOf(ctx, "SQLite", "--dir="+dir); err != nil {
		return err
	}
	server, err := pgserver.New(ctx, pgserver.Config{Durable: true})
	if err != nil {
		fmt.Println("ranges on PostgreSQL are not measured:", err)
		return nil
	}
	defer server.Close()
	return o.rangesOf(ctx, "PostgreSQL", "--postgres="+server.URL(), "--dir="+dir)
}

func (o *options) rangesOf(ctx context.Context, engine string, args ...string) error {
	cmd, err := child(ctx, append([]string{"--role=ranges", fmt.Sprintf("--entries=%d", o.Entries), fmt.Sprintf("--size=%d", o.Size), fmt.Sprintf("--seconds=%d", o.Seconds)}, args...)...)
	if err != nil {
		return err
	}
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("ranges on %s: %w", engine, err)
	}
	var r ranged
	if err := json.Unmarshal(out, &r); err != nil {
		return err
	}
	row(fmt.Sprintf("range of %d among %d, %s", rangeRows, o.Entries, engine), "/s", 1000/r.Store, 1000/r.Bare,
		fmt.Sprintf("%.2f ms beside %.2f; by CPU here %.2f, %.2f; %d MB of memory", r.Store, r.Bare, r.StoreCPU, r.BareCPU, r.RSS))
	return nil
}

// readRanges is the role.
func readRanges(ctx context.Context, o *options) error {
	s, err := o.openStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := fillLog(ctx, s, 0, o.Entries, o.Size, rangeRows); err != nil {
		return err
	}
	bare, end, err := o.bareSelect(ctx)
	if err != nil {
		return err
	}
	defer end()
	r, err := o.alternate(func(from uint64) (n int, err error) {
		err = s.View(ctx, func(v store.View) error {
			return v.Range(sampleLog, from, from+rangeRows, store.Bytes, func(e *store.Entry) error {
				n += len(e.Bytes)
				return nil
			})
		})
		return n, err
	}, bare)
	if err != nil {
		return err
	}
	r.RSS = rss(os.Getpid())
	return json.MarshalWrite(os.Stdout, r)
}

func (o *options) openStore(ctx context.Context) (store.Store, error) {
	if o.Postgres != "" {
		return postgres.Open(ctx, o.Postgres, postgres.Config{})
	}
	return sqlite.Open(filepath.Join(o.Dir, "ranges"), sqlite.Config{})
}

// alternate times two ways to read the same range, in turn, at offsets that differ.
func (o *options) alternate(ours, bare func(from uint64) (int, error)) (*ranged, error) {
	var took, cpu [2][]float64
	begin := time.Now()
	for n := 0; time.Since(begin) < 2*time.Duration(o.Seconds)*time.Second || n < 10; n++ {
		var sizes [2]int
		for i, read := range []func(uint64) (int, error){ours, bare} {
			from := uint64(offset(2*n+i, o.Entries)) // each meets pages that the other has not just read
			used, start := cpuTime(), time.Now()
			size, err := read(from)
			if err != nil {
				return nil, err
			}
			took[i], cpu[i] = append(took[i], milliseconds(time.Since(start))), append(cpu[i], milliseconds(cpuTime()-used))
			sizes[i] = size
		}
		if sizes[0] != sizes[1] {
			return nil, fmt.Errorf("a range has %d bytes, the SELECT of as many rows %d", sizes[0], sizes[1])
		}
	}
	return &ranged{Store: middle(took[0]), Bare: middle(took[1]), StoreCPU: middle(cpu[0]), BareCPU: middle(cpu[1])}, nil
}

func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// bareSelect reads key and bytes of the store's own table, by a prepared
// statement on a connection with the settings of the store's.
func (o *options) bareSelect(ctx context.Context) (read func(from uint64) (int, error), end func(), err error) {
	if o.Postgres != "" {
		return o.barePostgres(ctx)
	}
	db, err := sqlite3.Open(filepath.Join(o.Dir, "ranges", "liaison.db"))
	if err != nil {
		return nil, nil, err
	}
	if err := db.Exec("PRAGMA query_only = ON; PRAGMA cache_size = -4000"); err != nil {
		return nil, nil, err
	}
	s, _, err := db.Prepare("SELECT key, bytes FROM objects WHERE key >= ? AND key < ? ORDER BY key")
	if err != nil {
		return nil, nil, err
	}
	return func(from uint64) (n int, err error) {
		s.BindInt64(1, 1<<40|int64(from))
		s.BindInt64(2, 1<<40|int64(from+rangeRows))
		for s.Step() {
			s.ColumnInt64(0)
			n += len(s.ColumnRawBlob(1))
		}
		return n, s.Reset()
	}, func() { s.Close(); db.Close() }, nil
}

func (o *options) barePostgres(ctx context.Context) (read func(from uint64) (int, error), end func(), err error) {
	c, err := pgx.Connect(ctx, o.Postgres)
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.Exec(ctx, "SET enable_seqscan = off; SET jit = off"); err != nil {
		return nil, nil, err
	}
	return func(from uint64) (n int, err error) {
		rows, err := c.Query(ctx, "SELECT key, bytes FROM objects WHERE key >= $1 AND key < $2 ORDER BY key", 1<<40|int64(from), 1<<40|int64(from+rangeRows))
		if err != nil {
			return 0, err
		}
		for rows.Next() {
			n += len(rows.RawValues()[1])
		}
		return n, rows.Err()
	}, func() { c.Close(ctx) }, nil
}

// fillLog appends entries as large as those of real acts. Nothing is signed: a
// store takes what it is given.
func fillLog(ctx context.Context, s store.Store, from, to, size, group int) error {
	for ; from < to; from += group {
		entries := make([]store.Entry, 0, group)
		for i := from; i < min(from+group, to); i++ {
			entries = append(entries, sampleEntry(i, size))
		}
		err := s.Update(ctx, store.Lock{Collections: []liaison.CollectionID{sampleLog}}, func(tx store.Tx) error { return tx.Append(sampleLog, entries) })
		if err != nil {
			return err
		}
	}
	return nil
}

func sampleEntry(i, size int) store.Entry {
	id, version, b := object(i, size)
	e := store.Entry{
		Index: uint64(i), Added: liaison.Instant(1_750_000_000_000_000 + i), Kind: liaison.KindObject, ID: id, Version: version, Type: "indicator",
		Same: uint64(i), Bytes: b, Leaf: fillBytes(190), Act: fillBytes(460), Batch: fillBytes(520),
	}
	binary.BigEndian.PutUint64(e.Salt[:], uint64(i)+1)
	e.ActHash = sha256.Sum256(e.Salt[:])
	for n := int(tlog.StoredHashCount(int64(i+1)) - tlog.StoredHashCount(int64(i))); n > 0; n-- {
		e.Hashes = append(e.Hashes, e.ActHash)
	}
	return e
}

func fillBytes(n int) []byte { return []byte(strings.Repeat("x", n)) }

// paused is what readers met while the store was written to.
type paused struct {
	Views, Entries  int
	Worst, P999     float64 // milliseconds of a view
	Machine         float64 // milliseconds by which a sleep of 1 ms was longest too long, at the same time
	WorstWriter     float64 // milliseconds of a commit
	LongestLogPages int
}

// pauses measures the longest a reader is kept waiting while one writer commits
// without end and the write-ahead log is moved into the database.
func (o *options) pauses(ctx context.Context, dir string) error {
	s, err := sqlite.Open(filepath.Join(dir, "pauses"), sqlite.Config{})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := fillLog(ctx, s, 0, o.Objects, o.Size, rangeRows); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(o.PauseSeconds)*time.Second)
	defer cancel()
	var p paused
	var all sync.WaitGroup
	var mu sync.Mutex
	var views []float64
	all.Go(func() {
		for begin := time.Now(); ctx.Err() == nil; begin = time.Now() {
			time.Sleep(time.Millisecond)
			p.Machine = max(p.Machine, milliseconds(time.Since(begin))-1)
		}
	})
	for n := range 2 {
		all.Go(func() {
			for i := n; ctx.Err() == nil; i += 2 {
				from, begin := uint64(offset(i, o.Objects)), time.Now()
				err := s.View(context.WithoutCancel(ctx), func(v store.View) error {
					return v.Range(sampleLog, from, from+100, store.Bytes, func(*store.Entry) error { return nil })
				})
				if err != nil {
					fmt.Fprintln(os.Stderr, "bench:", err)
					return
				}
				took := milliseconds(time.Since(begin))
				mu.Lock()
				views = append(views, took)
				mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	size := o.Objects
	for ctx.Err() == nil {
		begin := time.Now()
		if err := fillLog(context.WithoutCancel(ctx), s, size, size+4*envelopeObjects, o.Size, 4*envelopeObjects); err != nil {
			return err
		}
		size += 4 * envelopeObjects
		p.WorstWriter = max(p.WorstWriter, milliseconds(time.Since(begin)))
		if info, err := os.Stat(filepath.Join(dir, "pauses", "liaison.db-wal")); err == nil {
			p.LongestLogPages = max(p.LongestLogPages, int(info.Size()/8192))
		}
	}
	all.Wait()
	slices.Sort(views)
	p.Views, p.Entries, p.Worst, p.P999 = len(views), size-o.Objects, views[len(views)-1], views[len(views)*999/1000]
	fmt.Printf("views of 100 entries while %d were written in %d s: %d views, the longest %.1f ms, 99.9 %% %.1f ms;\n  a sleep of 1 ms was %.1f ms too long at most; the longest commit %.1f ms; write-ahead log at most %d MiB\n",
		p.Entries, o.PauseSeconds, p.Views, p.Worst, p.P999, p.Machine, p.WorstWriter, p.LongestLogPages>>7)
	return nil
}

// rss is the resident memory of a process in megabytes, 0 if it is not known.
func rss(pid int) (megabytes int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for l := range strings.SplitSeq(string(b), "\n") {
		if _, err := fmt.Sscanf(l, "VmRSS: %d kB", &megabytes); err == nil {
			return megabytes >> 10
		}
	}
	return 0
}
