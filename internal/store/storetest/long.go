package storetest

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/liaison-office/liaison/internal/store"
)

var long = []promise{
	{"walks that are longer than an engine asks for at once leave out nothing", testLongWalks},
}

// longWalk is more than an engine would ask its database for at once, twice.
const longWalk = 2600

func testLongWalks(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	l := NewLog(1)
	l.Next(longWalk)
	var stored []int64 // of each leaf's own hash
	for i := range l.Entries {
		if e := &l.Entries[i]; e.ID != "" && i%2 == 0 {
			e.ID = "note--many"
		}
		stored = append(stored, tlog.StoredHashIndex(0, int64(i)))
	}
	key := func(i int) string { return fmt.Sprintf("%05d", i) }
	s.update(only(l.Collection), func(tx store.Tx) error {
		err := tx.Append(l.Collection, l.Entries)
		for i := range longWalk {
			err = errors.Join(err, tx.Put("long", key(i), []byte{byte(i)}))
		}
		return err
	})
	s.view(func(v store.View) error {
		for _, from := range []uint64{0, 1, 999, 1023} {
			same(t, "range", rangeOf(t, v, l.Collection, from, store.MaxEntries, store.Full), l.Entries[from:])
		}
		same(t, "of one object", find(t, v, l.Collection, "note--many"),
			with(l.Entries, func(e *store.Entry) bool { return e.ID == "note--many" }))
		hashes, err := v.Hashes(l.Collection, stored)
		for i := range hashes {
			if hashes[i] != l.Hashes[stored[i]] {
				t.Fatalf("hash of leaf %d is another", i)
			}
		}
		n := 0
		err = errors.Join(err, v.States("long", "", func(k string, value []byte) error {
			if k != key(n) || len(value) != 1 || value[0] != byte(n) {
				return fmt.Errorf("state %d is %s %x", n, k, value)
			}
			n++
			return nil
		}))
		if n != longWalk || len(hashes) != longWalk {
			t.Errorf("%d states and %d hashes, want %d", n, len(hashes), longWalk)
		}
		return err
	})
}
