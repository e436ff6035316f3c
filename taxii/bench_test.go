package taxii_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/taxii"
)

// shelved is a Backend with one page, already found: what is measured is the
// handler.
type shelved struct {
	*memory
	page taxii.Page
}

func (s shelved) Objects(context.Context, taxii.Principal, string, taxii.Query) (taxii.Page, error) {
	return s.page, nil
}

// sink takes an answer and keeps nothing.
type sink struct{ header http.Header }

func (s sink) Header() http.Header         { return s.header }
func (s sink) Write(b []byte) (int, error) { return len(b), nil }
func (s sink) WriteHeader(int)             {}

// thousand is a page of a thousand objects of about 680 bytes.
func thousand() (page taxii.Page) {
	var whole []byte
	for n := range 1000 {
		o := strings.Replace(note(n, 0), `"content":"`, `"content":"`+strings.Repeat("Ноти 覚書 notes ", 20), 1)
		page.Entries = append(page.Entries, taxii.Entry{ID: noteID(n), Added: "2026-01-01T00:00:00.000000Z", Bytes: []byte(o)})
		whole = append(append(whole, o...), ',')
	}
	page.Joined = whole[:len(whole)-1]
	page.More, page.Next = true, "a token"
	return page
}

func BenchmarkPage(b *testing.B) {
	page := thousand()
	apart := page
	apart.Joined = nil
	size := len(page.Joined)
	body := append(append([]byte(`{"more":true,"next":"a token","objects":[`), page.Joined...), "]}"...)
	floor := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", taxii.MediaType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})
	handlers := []struct {
		name string
		h    http.Handler
	}{
		{"floor", floor},
		{"joined", taxii.NewHandler(shelved{newMemory(), page}, taxii.Config{})},
		{"entries", taxii.NewHandler(shelved{newMemory(), apart}, taxii.Config{})},
		{"empty", taxii.NewHandler(shelved{newMemory(), taxii.Page{}}, taxii.Config{})},
	}
	for _, c := range handlers {
		r := httptest.NewRequest("GET", strings.TrimPrefix(objectsOf, "GET "), nil)
		r.Header.Set("Authorization", "Bearer hana-token")
		r.Header.Set("Accept", taxii.MediaType)
		b.Run(fmt.Sprintf("%s/handler", c.name), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				c.h.ServeHTTP(sink{http.Header{}}, r)
			}
		})
		b.Run(fmt.Sprintf("%s/gzip", c.name), func(b *testing.B) {
			zipped := r.Clone(b.Context())
			zipped.Header.Set("Accept-Encoding", "gzip")
			b.SetBytes(int64(size))
			for b.Loop() {
				c.h.ServeHTTP(sink{http.Header{}}, zipped)
			}
		})
		b.Run(fmt.Sprintf("%s/tcp", c.name), func(b *testing.B) {
			web := httptest.NewServer(c.h)
			defer web.Close()
			b.SetBytes(int64(size))
			for b.Loop() {
				fetch(b, web.URL+r.URL.Path)
			}
		})
	}
}

func fetch(b *testing.B, url string) {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer hana-token")
	r.Header.Set("Accept-Encoding", "identity")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		b.Fatal(resp.Status)
	}
	var buffer [64 << 10]byte
	for {
		if _, err := resp.Body.Read(buffer[:]); err != nil {
			return
		}
	}
}
