package backup_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/backup"
	"github.com/liaison-office/liaison/internal/store/postgres"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

const office = liaison.Office("tokyo.example.org")

var header = backup.Header{
	Office: office, At: 1_700_000_000_000_000, Engine: "SQLite", Program: "test",
	Keys: map[string]liaison.Binary{"log": []byte("a public key")},
}

func open(t testing.TB) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "store"), sqlite.Config{Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// sames finds the Same of an entry by its salt, as the journal finds it by its
// bytes.
type sames map[liaison.Hash]uint64

func (m sames) of(e *store.Entry) uint64 { return m[e.Salt] }

// draw fills a store with what comes to rapid's mind.
func draw(r *rapid.T, s store.Store, known sames) {
	name := rapid.StringOfN(rapid.SampledFrom([]rune("aé\x00B🕊")), 0, 3, -1)
	logs := map[uint64]*storetest.Log{}
	for range rapid.IntRange(0, 6).Draw(r, "updates") {
		seed := rapid.Uint64Range(1, 3).Draw(r, "log")
		if logs[seed] == nil {
			logs[seed] = storetest.NewLog(seed)
		}
		l := logs[seed]
		err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}, Alone: true}, func(tx store.Tx) error {
			es := l.Next(rapid.IntRange(0, 40).Draw(r, "entries"))
			for _, e := range es {
				known[e.Salt] = e.Same
			}
			if err := tx.Append(l.Collection, es); err != nil {
				return err
			}
			if len(l.Entries) > 1 {
				for range rapid.IntRange(0, 4).Draw(r, "hides") {
					index := rapid.Uint64Range(0, uint64(len(l.Entries)-1)).Draw(r, "index")
					by := rapid.Uint64Range(0, uint64(len(l.Entries)-1)).Draw(r, "by")
					if index != by {
						if err := tx.Hide(l.Collection, index, by); err != nil {
							return err
						}
					}
				}
				for range rapid.IntRange(0, 2).Draw(r, "erasures") {
					if err := tx.Erase(l.Collection, rapid.Uint64Range(0, uint64(len(l.Entries)-1)).Draw(r, "erased")); err != nil {
						return err
					}
				}
			}
			for range rapid.IntRange(0, 4).Draw(r, "states") {
				if err := tx.Put(name.Draw(r, "bucket"), name.Draw(r, "key"), rapid.SliceOf(rapid.Byte()).Draw(r, "value")); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			r.Fatal(err)
		}
	}
}

// contents lists everything that a store holds and finds, but for the mark of a
// restore.
func contents(t interface{ Fatal(...any) }, s store.Store) (all []string) {
	note := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	err := s.View(context.Background(), func(v store.View) error {
		err := v.Buckets(func(bucket string) error {
			return v.States(bucket, "", func(key string, value []byte) error {
				if bucket != store.BucketRestore {
					note("state %q %q %q", bucket, key, value)
				}
				return nil
			})
		})
		return errors.Join(err, v.Collections(func(c liaison.CollectionID) error {
			p, err := v.Position(c)
			note("collection %s %+v", c, p)
			return errors.Join(err, v.Range(c, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
				note("%+v", *e)
				find := func(what string) func(*store.Entry) error {
					return func(f *store.Entry) error { note("%s finds %d", what, f.Index); return nil }
				}
				err := errors.Join(v.FindShown(c, e.ID, store.Meta, find("shown")), v.FindAct(c, e.ActHash, store.Meta, find("act")))
				for _, same := range []uint64{0, 1, 1 << 63, 1<<64 - 1} {
					err = errors.Join(err, v.FindSame(c, e.ID, same, store.Meta, find(fmt.Sprint("same ", same))))
				}
				return err
			}))
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func write(t interface{ Fatal(...any) }, s store.Store) []byte {
	var b bytes.Buffer
	if _, err := backup.Write(context.Background(), s, header, &b, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func restore(file []byte, s store.Store, known sames) (backup.Summary, error) {
	r, err := backup.NewReader(bytes.NewReader(file))
	if err != nil {
		return backup.Summary{}, err
	}
	return r.Restore(context.Background(), backup.Target{Store: s, Office: office, Now: 1_800_000_000_000_000, Same: known.of})
}

// TestABackupRestoredIsTheSameStore, whatever is in it.
func TestABackupRestoredIsTheSameStore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		from, to, known := open(t), open(t), sames{}
		draw(r, from, known)
		sum, err := restore(write(r, from), to, known)
		if err != nil {
			r.Fatal(err)
		}
		want, got := contents(r, from), contents(r, to)
		if !slices.Equal(want, got) {
			r.Fatalf("the store holds\n%q\nand its backup\n%q", want, got)
		}
		if n := len(slices.DeleteFunc(want, func(s string) bool { return !strings.HasPrefix(s, "state ") })); n != int(sum.States) {
			r.Fatalf("%d states, the summary says %d", n, sum.States)
		}
		if again := write(r, to); !bytes.Equal(again, write(r, from)) {
			r.Fatal("a backup of the restored store is another file")
		}
	})
}

// TestABackupMovesAStoreToAnotherEngine, and back again.
func TestABackupMovesAStoreToAnotherEngine(t *testing.T) {
	server := pgtest.Durable(t)
	var moved []store.Store
	for range 2 {
		s, err := postgres.Open(t.Context(), pgtest.Schema(t, server), postgres.Config{Readers: 1, Writers: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		moved = append(moved, s)
	}
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		if runs++; runs > 8 {
			return // a server takes its time
		}
		at, known := store.Store(open(t)), sames{}
		draw(r, at, known)
		want := contents(r, at)
		for _, next := range []store.Store{moved[0], moved[1], open(t)} {
			nothing := func(store.Tx) error { return nil }
			if err := next.(store.Clearer).Clear(t.Context(), nothing); err != nil {
				r.Fatal(err)
			}
			if _, err := restore(write(r, at), next, known); err != nil {
				r.Fatal(err)
			}
			if got := contents(r, next); !slices.Equal(want, got) {
				r.Fatalf("the first store holds\n%q\nand %T\n%q", want, next, got)
			}
			at = next
		}
	})
}

// TestABackupBesideWritersIsOneInstant: it holds everything acknowledged before
// it was begun, of every collection a whole beginning, and as many states.
func TestABackupBesideWritersIsOneInstant(t *testing.T) {
	s, known := open(t), sames{}
	const logs, batches, batch = 3, 60, 20
	var all [logs]*storetest.Log
	for i := range all {
		all[i] = storetest.NewLog(uint64(i))
		for _, e := range all[i].Next(batches * batch) {
			known[e.Salt] = e.Same
		}
	}
	var acknowledged [logs]atomic.Int64
	begun, done := make(chan struct{}), make(chan error, logs)
	for i, l := range all {
		go func() {
			for n := 0; n < batches; n++ {
				if n == batches/3 && i == 0 {
					close(begun)
				}
				err := s.Update(context.Background(), store.Lock{Collections: []liaison.CollectionID{l.Collection}}, func(tx store.Tx) error {
					return errors.Join(tx.Append(l.Collection, l.Entries[n*batch:(n+1)*batch]), tx.Put("count", l.Collection.String(), fmt.Append(nil, (n+1)*batch)))
				})
				if err != nil {
					done <- err
					return
				}
				acknowledged[i].Store(int64((n + 1) * batch))
			}
			done <- nil
		}()
	}
	<-begun
	var least [logs]int64
	for i := range least {
		least[i] = acknowledged[i].Load()
	}
	file := write(t, s)
	for range all {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	to := open(t)
	if _, err := restore(file, to, known); err != nil {
		t.Fatal(err)
	}
	err := to.View(t.Context(), func(v store.View) error {
		for i, l := range all {
			n := int64(0)
			err := v.Range(l.Collection, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
				if want := l.Entries[n]; e.Index != uint64(n) || e.ActHash != want.ActHash || !bytes.Equal(e.Bytes, want.Bytes) {
					return fmt.Errorf("log %d: entry %d is another", i, n)
				}
				n++
				return nil
			})
			if err != nil {
				return err
			}
			count, _, err := v.State("count", l.Collection.String())
			if n < least[i] || n > 0 && string(count) != fmt.Sprint(n) || err != nil {
				t.Errorf("log %d: %d entries, %d were acknowledged before, the state says %q (%v)", i, n, least[i], count, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// sample is a store with some of everything, and the backup of it.
func sample(t testing.TB) (*sqlite.Store, sames, []byte) {
	s, known := open(t), sames{}
	for seed := range uint64(3) {
		l := storetest.NewLog(seed)
		es := l.Next(700)
		for _, e := range es {
			known[e.Salt] = e.Same
		}
		err := s.Update(t.Context(), store.Lock{Collections: []liaison.CollectionID{l.Collection}, Alone: true}, func(tx store.Tx) error {
			return errors.Join(
				tx.Append(l.Collection, es),
				tx.Hide(l.Collection, 3, 600), tx.Hide(l.Collection, 500, 4), tx.Erase(l.Collection, 5), tx.Erase(l.Collection, 500),
				tx.Put("b", fmt.Sprint(seed), []byte("value")), tx.Put("c", "k", nil))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s, known, write(t, s)
}

// TestAFileThatIsCutShortOrChangedIsRefusedWithThePlace, at every place, and
// leaves a store that says that it is half restored and can be restored again.
func TestAFileThatIsCutShortOrChangedIsRefusedWithThePlace(t *testing.T) {
	from, known, file := sample(t)
	to := open(t)
	step := max(1, len(file)/61)
	for i, n := 0, 0; i < len(file); i, n = i+step, n+1 {
		flipped := bytes.Clone(file)
		flipped[i] ^= 1 << (i % 8)
		for name, bad := range map[string][]byte{"cut": file[:i], "changed": flipped} {
			r, err := backup.NewReader(bytes.NewReader(bad))
			if err == nil {
				_, err = r.Check(nil)
			}
			said := err != nil && (strings.Contains(err.Error(), "byte") || strings.Contains(err.Error(), "header"))
			switch {
			case name == "cut" && i == 0, name == "changed" && i < len("liaison/backup/"):
				said = err != nil && strings.Contains(err.Error(), "no backup of liaison")
			case name == "cut":
				said = said && errors.Is(err, backup.ErrCut)
			case i >= 200: // the header has sentences of its own
				said = said && (errors.Is(err, backup.ErrDamaged) || errors.Is(err, backup.ErrCut))
			}
			if !said {
				t.Fatalf("%s at byte %d of %d: %v", name, i, len(file), err)
			}
			if n%5 > 0 {
				continue
			}
			if _, restored := restore(bad, to, known); restored == nil {
				t.Fatalf("%s at byte %d: it is restored", name, i)
			}
		}
	}
	if m := mark(t, to); m == nil || !m.Half || !strings.Contains(m.Refusal().Error(), "half restored") {
		t.Fatalf("the store says %+v", m)
	}
	if _, err := backup.Write(t.Context(), to, header, &bytes.Buffer{}, nil); err == nil || !strings.Contains(err.Error(), "half restored") {
		t.Errorf("a half restored store is backed up: %v", err)
	}
	if _, err := restore(file, to, known); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(contents(t, from), contents(t, to)) {
		t.Error("restored at last, the store holds something else")
	}
	if m := mark(t, to); m == nil || m.Half || m.Backup != header.At {
		t.Errorf("the store says %+v", m)
	}
	if _, err := restore(append(bytes.Clone(file), 0), open(t), known); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("a byte after the end: %v", err)
	}
}

func mark(t testing.TB, s store.Store) (m *store.Restore) {
	t.Helper()
	err := s.View(t.Context(), func(v store.View) (err error) {
		m, err = store.RestoreMark(v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestABackupIsRestoredWhereItBelongsOnly(t *testing.T) {
	_, known, file := sample(t)
	newer := bytes.Replace(file, []byte("liaison/backup/1 "), []byte("liaison/backup/2 "), 1)
	schema := bytes.Replace(file, []byte(`"schema":1`), []byte(`"schema":9`), 1)
	other := bytes.Replace(file, []byte("tokyo"), []byte("kyoto"), 1)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"a newer format":   {newer, backup.ErrNewer},
		"a newer schema":   {schema, backup.ErrNewer},
		"another office's": {other, backup.ErrOtherOffice},
	} {
		to := open(t)
		if _, err := restore(c.file, to, known); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if m := mark(t, to); m != nil {
			t.Errorf("%s: the store says %+v", name, m)
		}
	}
	for name, put := range map[string]func(tx store.Tx) error{
		"an entry": func(tx store.Tx) error {
			l := storetest.NewLog(9)
			return tx.Append(l.Collection, l.Next(1))
		},
		"a key": func(tx store.Tx) error { return tx.Put("b", "k", nil) },
	} {
		to := open(t)
		lock := store.Lock{Collections: []liaison.CollectionID{storetest.NewLog(9).Collection}, Alone: true}
		if err := to.Update(t.Context(), lock, put); err != nil {
			t.Fatal(err)
		}
		before := contents(t, to)
		if _, err := restore(file, to, known); !errors.Is(err, backup.ErrNotEmpty) {
			t.Errorf("into a store with %s: %v", name, err)
		}
		if !slices.Equal(before, contents(t, to)) {
			t.Errorf("a store with %s that was refused has changed", name)
		}
	}
}

// TestARestoreThatIsOvertakenGivesWay: the one that was begun last counts.
func TestARestoreThatIsOvertakenGivesWay(t *testing.T) {
	_, known, file := sample(t)
	to := open(t)
	r, err := backup.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	overtaken := false
	_, err = r.Restore(t.Context(), backup.Target{Store: to, Office: office, Now: 1_800_000_000_000_000, Same: func(e *store.Entry) uint64 {
		if !overtaken {
			overtaken = true
			if _, err := restore(file, to, known); err != nil {
				t.Error(err)
			}
		}
		return known.of(e)
	}})
	if err == nil || !strings.Contains(err.Error(), "another restore") {
		t.Errorf("the first one: %v", err)
	}
	if m := mark(t, to); m == nil || m.Half {
		t.Errorf("the store says %+v", m)
	}
}

// framed puts records into a file as Write does.
func framed(records []byte) []byte {
	head := []byte(`liaison/backup/1 {"office":"tokyo.example.org","at":"2026-01-01T00:00:00.000000Z","schema":1,"engine":"","program":"","keys":{}}` + "\n")
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	block := zip.EncodeAll(records, make([]byte, 4))
	binary.BigEndian.PutUint32(block, uint32(len(block)-4))
	first := liaison.H(make([]byte, 32), head)
	chain := liaison.H(first[:], block)
	return slices.Concat(head, block, chain[:])
}

// FuzzReader: whatever a file holds, it is read to its end or refused; nothing
// may follow what is accepted.
func FuzzReader(f *testing.F) {
	s, known := open(f), sames{}
	l := storetest.NewLog(1)
	es := l.Next(3)
	for _, e := range es {
		known[e.Salt] = e.Same
	}
	err := s.Update(f.Context(), store.Lock{Collections: []liaison.CollectionID{l.Collection}, Alone: true}, func(tx store.Tx) error {
		return errors.Join(tx.Append(l.Collection, es), tx.Hide(l.Collection, 0, 1), tx.Put("b", "k", []byte("v")))
	})
	if err != nil {
		f.Fatal(err)
	}
	file := write(f, s)
	f.Add(file, []byte{})
	f.Add(file[:100], []byte{1, 1, 'b', 2, 3, 1, 'k', 'v', 6, 2, '{', '}'})
	f.Add([]byte("liaison/backup/1 {}\n\xff\xff\xff\xff"), []byte{6, 0})
	f.Add([]byte{}, append([]byte{3, 18}, make([]byte, 18)...))
	f.Fuzz(func(t *testing.T, file, records []byte) {
		for _, b := range [][]byte{file, framed(records)} {
			r, err := backup.NewReader(bytes.NewReader(b))
			if err != nil {
				continue
			}
			if _, err := r.Check(nil); err != nil {
				continue
			}
			if r, err = backup.NewReader(bytes.NewReader(append(b[:len(b):len(b)], 0))); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Check(nil); !errors.Is(err, backup.ErrDamaged) {
				t.Fatalf("a byte after its end: %v", err)
			}
		}
	})
}
