package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// Secret is an entry that is to be erased, with the byte strings by which what
// it was would be known again in a file.
type Secret struct {
	Collection liaison.CollectionID
	Index      uint64
	Waited     bool // its object lay in the keyed state before
	Marks      map[string][]byte
}

// Fill writes entries of several collections into a store, as the rows of an
// office meet: collections by turns, short and long objects, ids in no order,
// and keyed state that comes and goes. It returns n of them.
func Fill(t testing.TB, s store.Store, seed uint64, entries, n int, idDigest func(id string) []byte) (secrets []Secret) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0xe7a5e))
	logs := []*Log{NewLog(seed), NewLog(seed + 1), NewLog(seed + 2)}
	up := in{t, s}
	for made := 0; made < entries; {
		l := logs[r.IntN(len(logs))]
		es := l.Next(1 + r.IntN(40))
		for i := range es {
			e := &es[i]
			if e.ID == "" {
				continue
			}
			e.Same = r.Uint64()
			e.Version = fmt.Sprintf("2026-%016x", r.Uint64())
			if r.IntN(20) == 0 {
				e.Bytes = l.text(r.IntN(30_000) + 700)
			}
			if made++; r.IntN(max(1, entries/n/2)) == 0 && len(secrets) < n {
				secrets = append(secrets, secret(l.Collection, e, idDigest(e.ID), len(secrets)%2 == 0))
			}
		}
		up.update(only(l.Collection), func(tx store.Tx) error {
			for _, m := range secrets {
				if m.Waited && m.Collection == l.Collection && m.Index >= es[0].Index { // it waits, and what was told of it is replaced
					if err := waits(tx, m, es[m.Index-es[0].Index]); err != nil {
						return err
					}
				}
			}
			return tx.Append(l.Collection, es)
		})
		up.update(store.Lock{}, func(tx store.Tx) error { // others come between
			for range 5 {
				if err := tx.Put("b", fmt.Sprintf("%x", r.Uint32()), l.text(50+r.IntN(900))); err != nil {
					return err
				}
			}
			return nil
		})
		up.update(store.Lock{}, func(tx store.Tx) error {
			for _, m := range secrets {
				if err := tx.Delete("waiting", fmt.Sprint(m.Collection, m.Index)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	stays := map[string]int{}
	for _, l := range logs {
		for i := range l.Entries {
			stays[l.Entries[i].ID]++
		}
	}
	for _, m := range secrets { // another act for the object has its id
		if stays[string(m.Marks["id"])] > 1 {
			delete(m.Marks, "id")
			delete(m.Marks, "digest of the id")
		}
	}
	if len(secrets) < n {
		t.Fatalf("%d entries of %d can be erased", len(secrets), n)
	}
	return secrets
}

func waits(tx store.Tx, m Secret, e store.Entry) error {
	return tx.Put("waiting", fmt.Sprint(m.Collection, m.Index), fmt.Appendf(nil, "%s %s %s", e.ID, e.Version, e.Bytes))
}

func secret(c liaison.CollectionID, e *store.Entry, digest []byte, waited bool) Secret {
	return Secret{c, e.Index, waited, map[string][]byte{
		"id": []byte(e.ID), "version": []byte(e.Version), "salt": bytes.Clone(e.Salt[:]),
		"begin of the bytes": bytes.Clone(e.Bytes[20:60]), "end of the bytes": bytes.Clone(e.Bytes[len(e.Bytes)-40:]),
		"middle of the bytes": bytes.Clone(e.Bytes[len(e.Bytes)/2:][:40]),
		"digest of the id":    digest, "number of the version": binary.BigEndian.AppendUint64(nil, e.Same),
	}}
}

// EraseAll erases secrets in one update for each collection.
func EraseAll(ctx context.Context, s store.Store, secrets []Secret) error {
	byLog := map[liaison.CollectionID][]uint64{}
	for _, m := range secrets {
		byLog[m.Collection] = append(byLog[m.Collection], m.Index)
	}
	for c, indexes := range byLog {
		err := s.Update(ctx, only(c), func(tx store.Tx) error {
			for _, i := range indexes {
				if err := tx.Erase(c, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Left reads every byte of files and says which marks of secrets are in them.
func Left(t testing.TB, files []string, secrets []Secret) (found []string) {
	t.Helper()
	type mark struct {
		what  string
		bytes []byte
	}
	begin := func(b []byte) uint64 { return binary.BigEndian.Uint64(b) }
	marks := map[uint64][]mark{}
	for _, m := range secrets {
		for what, b := range m.Marks {
			marks[begin(b)] = append(marks[begin(b)], mark{fmt.Sprintf("%s of entry %d", what, m.Index), b})
		}
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil && !os.IsNotExist(err) { // it came and went
			t.Fatal(err)
		}
		for at := 0; at+8 <= len(b); at++ {
			for _, m := range marks[begin(b[at:])] {
				if bytes.HasPrefix(b[at:], m.bytes) {
					found = append(found, fmt.Sprintf("%s in %s at %d", m.what, f, at))
				}
			}
		}
	}
	return found
}
