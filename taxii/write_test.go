package taxii_test

import (
	"bytes"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/liaison-office/liaison/taxii"
)

func zip(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestF1F2ADuplicateIsNoError(t *testing.T) {
	s := newServer(t, taxii.Config{})
	for range 2 {
		var status taxii.Status
		s.post(cyber, envelope(note(1, 0), note(2, 0))).want(202).into(&status)
		if status.Status != taxii.Complete || status.TotalCount != 2 || status.SuccessCount != 2 {
			t.Errorf("status %+v", status)
		}
	}
	if got := s.ask(objectsOf).ids(); !slices.Equal(got, noteIDs(1, 3)) {
		t.Errorf("stored %v", got)
	}
}

func TestF4F5AnEnvelopeIsRefusedWholeOnlyWhenItIsNone(t *testing.T) {
	s := newServer(t, taxii.Config{})
	for _, body := range []string{"", "  \n", "[]", "null", "1", `{"objects":[`, `{"objects":{}}`, `{"objects":[]} x`, "\ufeff{}", `{"objects":[{"a":NaN}]}`} {
		a := s.post(cyber, []byte(body)).want(400)
		var m taxii.ErrorMessage
		a.into(&m)
		if m.Description == "" {
			t.Errorf("%q: no reason in %s", body, a.Body)
		}
	}
	if got := s.ask(objectsOf).ids(); got != nil {
		t.Errorf("stored %v", got)
	}
	var status taxii.Status
	s.post(cyber, envelope(note(1, 0), "7", `{"id":"garbage"}`, note(2, 0))).want(202).into(&status)
	if status.SuccessCount != 2 || status.FailureCount != 2 || status.Failures[0].Message == "" {
		t.Errorf("status %+v", status)
	}
}

// TestF6 uses what servers like to lose: unknown properties, spellings of
// numbers, escapes, order.
func TestF6WhatIsReadIsWhatWasWritten(t *testing.T) {
	s := newServer(t, taxii.Config{})
	object := `{"x_b":1.50,"type":"note","spec_version":"2.1","id":"` + noteID(1) + `","created":"2026-01-01T00:00:00.000001Z",` +
		`"modified":"2026-01-01T00:00:00.000001Z","content":"\u0416\/Ж <&> 東京\u2028","x_a":{"z":[1e2,-0,0.0]},"object_refs":["` + noteID(2) + `"]}`
	s.post(cyber, envelope(object)).want(202)
	want := `{"objects":[` + object + `]}`
	for _, of := range []string{objectsOf, objectsOf + noteID(1) + "/"} {
		if got := s.ask(of).want(200).Body; got != want {
			t.Errorf("read\n%s\nwrote\n%s", got, want)
		}
	}
}

func TestAPageJoinedByTheBackendIsServedAsItIs(t *testing.T) {
	apart := newServer(t, taxii.Config{})
	apart.memory.fill(cyber, 0, 40)
	together := *apart
	together.handler = taxii.NewHandler(joined{apart.memory}, taxii.Config{})
	for _, query := range []string{"", "?limit=7", "?limit=1", "?added_after=2999-01-01T00:00:00Z"} {
		for _, encoding := range []string{"none", "gzip"} {
			a, b := apart.ask(objectsOf+query, "Accept-Encoding: "+encoding), together.ask(objectsOf+query, "Accept-Encoding: "+encoding)
			if a.want(200).Body != b.want(200).Body {
				t.Errorf("%q: joined differs", query)
			}
		}
	}
}

func TestB4B5TheLimitIsExact(t *testing.T) {
	body := envelope(note(1, 0))
	s := newServer(t, taxii.Config{MaxContentLength: int64(len(body))})
	s.post(cyber, body).want(202)
	s.post(cyber, zip(t, body), "Content-Encoding: gzip").want(202)
	s.post(cyber, append(body, ' ')).want(413)
	s.post(cyber, zip(t, append(body, ' ')), "Content-Encoding: gzip").want(413)
}

func TestContentEncodingsOtherThanGzipAreRefused(t *testing.T) {
	s := newServer(t, taxii.Config{})
	body := envelope(note(1, 0))
	s.post(cyber, body, "Content-Encoding: identity").want(202)
	for _, coding := range []string{"br", "zstd", "deflate", "gzip, gzip", "x"} {
		s.post(cyber, body, "Content-Encoding: "+coding).want(415)
	}
	s.post(cyber, body, "Content-Encoding: gzip", "Content-Encoding: gzip").want(415)
	s.post(cyber, body, "Content-Encoding: gzip").want(400)
	whole := zip(t, body)
	s.post(cyber, whole[:len(whole)-9], "Content-Encoding: gzip").want(400)
	if got := s.ask(objectsOf).ids(); len(got) != 1 {
		t.Errorf("stored %v", got)
	}
}

// TestAGzipBombCostsNoMoreThanTheLimit posts 100 MiB of zeros in about 100 kB.
func TestAGzipBombCostsNoMoreThanTheLimit(t *testing.T) {
	s := newServer(t, taxii.Config{})
	bomb := zip(t, make([]byte, 100<<20))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s.post(cyber, bomb, "Content-Encoding: gzip").want(413)
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 4*taxii.DefaultMaxContentLength {
		t.Errorf("a bomb of %d bytes allocated %d", len(bomb), spent)
	}
}

func TestPagesAreCompressedForWhoAsks(t *testing.T) {
	s := newServer(t, taxii.Config{})
	s.memory.fill(cyber, 0, 200)
	plain := s.ask(objectsOf).want(200)
	for accept, zipped := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "GZIP": true, "gzip;q=0": false, "*": false, "identity": false, "br": false,
	} {
		a := s.ask(objectsOf, "Accept-Encoding: "+accept).want(200)
		if got := a.Header.Get("Content-Encoding") == "gzip"; got != zipped {
			t.Errorf("%s: compressed %v", accept, got)
		}
		body := a.Body
		if zipped {
			r, err := gzip.NewReader(strings.NewReader(a.Body))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			body = string(b)
		}
		if body != plain.Body {
			t.Errorf("%s: other bytes", accept)
		}
	}
	small := s.ask(objectsOf+"?limit=1", "Accept-Encoding: gzip")
	if small.Header.Get("Content-Encoding") != "" {
		t.Error("a small page was compressed")
	}
}
