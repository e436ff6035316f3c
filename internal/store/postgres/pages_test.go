package postgres

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/pgserver"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

func TestADamagedPageIsNamedAndNotServed(t *testing.T) {
	server := pgtest.New(t, pgserver.Config{Checksums: true})
	l := storetest.NewLog(1)
	s := openTest(t, server.URL(), Config{unsynced: true})
	fill(t, s, l, 200)
	l.Entries = l.Entries[:len(l.Entries):len(l.Entries)]
	e := l.Next(1)
	e[0].Bytes = []byte(strings.Repeat(l.Collection.String(), 1000)) // long, and lies apart
	for i := range e[0].Bytes {
		e[0].Bytes[i] ^= byte(i * i >> 7) // hard to compress
	}
	if err := appendTo(s, l.Collection, e); err != nil {
		t.Fatal(err)
	}
	if found := s.Check(t.Context()); len(found) > 0 {
		t.Fatal(found)
	}
	relations, err := server.Relations(t.Context(), "postgres")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range relations {
		want, read := "table "+r.Name, true // by a page
		switch {
		case strings.HasPrefix(r.Name, "pg_toast") && !strings.HasSuffix(r.Name, "index"):
			want = "table objects"
		case r.Name == "ids_pkey":
			want, read = "index ids_pkey", false
		case !slices.Contains([]string{"objects", "proofs", "liaison"}, r.Name):
			continue // the fault campaign damages all of them
		}
		flip(t, server, r)
		found := s.Check(t.Context())
		if !slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, want+" is damaged") }) {
			t.Errorf("%s: %q", r.Name, found)
		}
		err := s.View(context.Background(), func(v store.View) error {
			v.Range(l.Collection, 0, store.MaxEntries, store.Full, func(*store.Entry) error { return nil })
			_, _, err := v.State("who goes on", "is told the same")
			return err
		})
		if !read {
			err = s.View(context.Background(), func(v store.View) error {
				return v.Find(l.Collection, l.Entries[0].ID, store.Meta, func(*store.Entry) error { return nil })
			})
		}
		if err == nil || !strings.Contains(err.Error(), want+" is damaged") {
			t.Errorf("%s is read: %v", r.Name, err)
		}
		flip(t, server, r)
	}
	if found := s.Check(t.Context()); len(found) > 0 {
		t.Error(found)
	}
}

// flip changes a byte in the middle of the first page of a relation, and back.
func flip(t *testing.T, server *pgserver.Server, r pgserver.Relation) {
	t.Helper()
	server.Stop()
	if err := pgserver.Flip(r.File, pgserver.PageSize/2); err != nil {
		t.Fatal(err)
	}
	pgtest.Start(t, server)
}
