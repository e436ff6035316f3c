package exchange_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
)

// The flow of many at one collection: eight write into it and eight poll it at
// the same time, each request at another process. Four pollers go by next alone,
// four by added_after alone.
const (
	writersTogether = 8
	pollersTogether = 8
	envelopesEach   = 25
	objectsEach     = 5 // in an envelope
	pollLimit       = 37
)

func TestEightPollersSeeEveryObjectOfEightWritersOnce(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		o := desktest.New(t, desktest.Tokyo, desktest.Options{})
		enact(t, o)
		together(t, newRoomOf(t, o))
	})
	t.Run("three processes on PostgreSQL", func(t *testing.T) {
		var rooms []*room
		for i, o := range desktest.Processes(t, desktest.Tokyo, 3, desktest.Options{}) {
			if i == 0 {
				enact(t, o)
			}
			rooms = append(rooms, newRoomOf(t, o))
		}
		together(t, rooms...)
	})
}

// together runs the flow at the rooms of one office's processes.
func together(t *testing.T, rooms ...*room) {
	c := open.Collection("cyber")
	rooms[0].office.As(t, "Japan")
	var turn atomic.Uint32
	next := func() *room { return rooms[int(turn.Add(1))%len(rooms)] }

	var writing, polling sync.WaitGroup
	var written atomic.Bool
	for w := range writersTogether {
		writing.Go(func() {
			for e := range envelopesEach {
				if err := postNotes(next(), c, w*envelopesEach+e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := make([][]string, pollersTogether)
	for p := range pollersTogether {
		poll := byNext
		if p%2 == 1 {
			poll = byAddedAfter
		}
		polling.Go(func() {
			var err error
			if seen[p], err = poll(next, c, &written); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	written.Store(true)
	polling.Wait()
	if t.Failed() {
		return
	}
	if n := writersTogether * envelopesEach * objectsEach; len(slices.Compact(slices.Sorted(slices.Values(seen[0])))) != n {
		t.Errorf("a poller saw %d objects, want %d", len(seen[0]), n)
	}
	for p := range seen {
		if !slices.Equal(seen[p], seen[0]) {
			t.Errorf("poller %d saw %d objects, or in another order than poller 0 its %d", p, len(seen[p]), len(seen[0]))
		}
	}
	report, err := rooms[0].office.Journal.Check(t.Context())
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("fsck: %q %v", report.Problems, err)
	}
	t.Logf("%d processes, %d writers, %d pollers: each saw %d objects once", len(rooms), writersTogether, pollersTogether, len(seen[0]))
}

func postNotes(r *room, c liaison.CollectionID, envelopeNumber int) error {
	list := make([]string, objectsEach)
	for i := range list {
		list[i] = note(envelopeNumber*objectsEach + i)
	}
	w := r.do("Japan", "POST", objects(c), envelope(list...))
	if w.Code != http.StatusAccepted {
		return fmt.Errorf("POST: %d %s", w.Code, w.Body)
	}
	var s struct {
		Failures int `json:"failure_count"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || s.Failures > 0 {
		return fmt.Errorf("POST: %s %v", w.Body, err)
	}
	return nil
}

// poll asks for a page.
func poll(r *room, c liaison.CollectionID, q url.Values) (ids []string, p page, h http.Header, err error) {
	q.Set("limit", fmt.Sprint(pollLimit))
	var w *httptest.ResponseRecorder
	if w = r.do("Japan", "GET", objects(c)+"?"+q.Encode(), nil); w.Code != http.StatusOK {
		return nil, p, nil, fmt.Errorf("GET %s: %d %s", q.Encode(), w.Code, w.Body)
	}
	err = json.Unmarshal(w.Body.Bytes(), &p)
	for _, raw := range p.Objects {
		var o struct {
			ID string `json:"id"`
		}
		if err == nil {
			err = json.Unmarshal(raw, &o)
		}
		ids = append(ids, o.ID)
	}
	return ids, p, w.Header(), err
}

// byNext reads a page again until it is full, and goes on at its next. What it
// has seen of the page it knows by its number.
func byNext(at func() *room, c liaison.CollectionID, written *atomic.Bool) (seen []string, err error) {
	q, have := url.Values{}, 0
	for {
		last := written.Load()
		ids, p, _, err := poll(at(), c, q)
		switch {
		case err != nil:
			return seen, err
		case len(ids) < have:
			return seen, fmt.Errorf("a page has %d objects and had %d", len(ids), have)
		}
		seen, have = append(seen, ids[have:]...), len(ids)
		if p.More {
			q, have = url.Values{"next": {p.Next}}, 0
		} else if last {
			return seen, nil
		}
	}
}

// byAddedAfter asks for what was added after the last object it has.
func byAddedAfter(at func() *room, c liaison.CollectionID, written *atomic.Bool) (seen []string, err error) {
	q := url.Values{}
	for {
		last := written.Load()
		ids, _, h, err := poll(at(), c, q)
		if err != nil {
			return seen, err
		}
		if seen = append(seen, ids...); len(ids) > 0 {
			q = url.Values{"added_after": {h.Get("X-TAXII-Date-Added-Last")}}
		} else if last {
			return seen, nil
		}
	}
}
