package backup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// Limits of a transaction of a restore.
const (
	groupEntries = 2000
	groupBytes   = 4 << 20
)

// Target says where a backup is restored to.
type Target struct {
	Store  store.Store
	Office liaison.Office
	Now    liaison.Instant
	// Same returns Entry.Same of an entry that names an object.
	Same func(e *store.Entry) uint64
	// Tell, if not nil, is called now and then with what has been restored.
	Tell func(Summary)
}

// Restore puts a backup into an empty store, or again into one that is half
// restored. ErrNotEmpty, ErrOtherOffice, ErrDamaged and ErrCut say why it is not
// whole; until it is, store.RestoreMark says so, and afterwards when it was.
func (r *Reader) Restore(ctx context.Context, t Target) (Summary, error) {
	if r.Header.Office != t.Office {
		return Summary{}, fmt.Errorf("%w: it is of %s, and this office is %s", ErrOtherOffice, r.Header.Office, t.Office)
	}
	mark := store.Restore{Half: true, Token: rand.Text(), At: t.Now, Backup: r.Header.At}
	if err := begin(ctx, t.Store, mark); err != nil {
		return Summary{}, err
	}
	in := &filler{ctx: ctx, to: t, mark: mark}
	sum, err := r.walk(in, t.Tell)
	if err == nil {
		err = in.flush()
	}
	if err == nil {
		err = in.finish()
	}
	return sum, err
}

// begin marks an empty store as half restored. One that is so already is
// emptied.
func begin(ctx context.Context, s store.Store, mark store.Restore) error {
	old := false
	err := s.View(ctx, func(v store.View) error {
		m, err := store.RestoreMark(v)
		old = m != nil && m.Half
		return err
	})
	if err != nil {
		return err
	}
	put := func(tx store.Tx) error { return store.MarkRestore(tx, mark) }
	if !old {
		return s.Update(ctx, store.Lock{Alone: true}, func(tx store.Tx) error {
			if err := empty(tx); err != nil {
				return err
			}
			return put(tx)
		})
	}
	c, ok := s.(store.Clearer)
	if !ok {
		return errors.New("the store is half restored and cannot be emptied: take another one")
	}
	return c.Clear(ctx, put)
}

// empty refuses a store that holds something: an entry or a key.
func empty(v store.View) error {
	err := v.Collections(func(c liaison.CollectionID) error {
		return fmt.Errorf("%w: it holds collection %s", ErrNotEmpty, c)
	})
	if err != nil {
		return err
	}
	return v.Buckets(func(bucket string) error {
		return fmt.Errorf("%w: it holds states in bucket %.80q", ErrNotEmpty, bucket)
	})
}

// filler is the sink that fills a store. What it was given is kept until there
// is enough for a transaction.
type filler struct {
	ctx  context.Context
	to   Target
	mark store.Restore

	log     liaison.CollectionID
	begun   bool // log is one
	entries []store.Entry
	erased  []uint64
	doing   []func(tx store.Tx) error // after the entries
	size    int                       // bytes that are kept
}

func (f *filler) state(bucket, key string, value []byte) error {
	f.doing = append(f.doing, func(tx store.Tx) error { return tx.Put(bucket, key, value) })
	return f.grow(len(key) + len(value))
}

func (f *filler) collection(c collection) error {
	err := f.flush()
	f.log, f.begun = c.id, true
	return err
}

func (f *filler) entry(_ liaison.CollectionID, e *store.Entry, erased bool) error {
	if e.ID != "" {
		e.Same = f.to.Same(e)
	}
	if erased {
		f.erased = append(f.erased, e.Index)
	}
	f.entries = append(f.entries, *e)
	return f.grow(len(e.Bytes) + len(e.Leaf) + len(e.Act) + len(e.Batch) + len(e.Consent) + len(e.Hops) + len(e.Hashes)*len(e.Salt))
}

func (f *filler) hide(c liaison.CollectionID, index, by uint64) error {
	f.doing = append(f.doing, func(tx store.Tx) error { return tx.Hide(c, index, by) })
	return f.grow(0)
}

func (f *filler) grow(n int) error {
	if f.size += n; f.size < groupBytes && len(f.entries)+len(f.doing) < groupEntries {
		return nil
	}
	return f.flush()
}

// flush commits what is kept.
func (f *filler) flush() error {
	if len(f.entries)+len(f.doing) == 0 {
		return nil
	}
	err := f.update(func(tx store.Tx) error {
		if len(f.entries) > 0 {
			if err := tx.Append(f.log, f.entries); err != nil {
				return err
			}
		}
		for _, i := range f.erased {
			if err := tx.Erase(f.log, i); err != nil {
				return err
			}
		}
		for _, do := range f.doing {
			if err := do(tx); err != nil {
				return err
			}
		}
		return nil
	})
	clear(f.entries)
	clear(f.doing)
	f.entries, f.erased, f.doing, f.size = f.entries[:0], f.erased[:0], f.doing[:0], 0
	return err
}

// update runs fn in a transaction, if the store is still this restore's.
func (f *filler) update(fn func(tx store.Tx) error) error {
	lock := store.Lock{Alone: true}
	if len(f.entries)+len(f.doing) > 0 && f.begun {
		lock.Collections = []liaison.CollectionID{f.log}
	}
	return f.to.Store.Update(f.ctx, lock, func(tx store.Tx) error {
		m, err := store.RestoreMark(tx)
		switch {
		case err != nil:
			return err
		case m == nil || m.Token != f.mark.Token:
			return errors.New("another restore into this store was begun: let one of them end")
		}
		return fn(tx)
	})
}

// finish says that the store is whole.
func (f *filler) finish() error {
	f.mark.Half = false
	return f.update(func(tx store.Tx) error { return store.MarkRestore(tx, f.mark) })
}
