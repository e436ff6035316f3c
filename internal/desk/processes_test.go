package desk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// meanwhile is a store of a process that hears no hints, and whose next
// transaction that writes begins after something else has happened.
type meanwhile struct {
	store.Store
	first atomic.Pointer[func()]
}

func (m *meanwhile) Update(ctx context.Context, lock store.Lock, fn func(store.Tx) error) error {
	if first := m.first.Swap(nil); first != nil {
		(*first)()
	}
	return m.Store.Update(ctx, lock, fn)
}

// deaf opens processes of an office that knows the alliance and whose clock
// stands a minute after it began. No hint says what another one did.
func deaf(t *testing.T, name liaison.Office, n int, aliases ...string) ([]*Office, []*meanwhile) {
	t.Helper()
	var stores []*meanwhile
	offices := Processes(t, name, n, Options{Wrap: func(s store.Store) store.Store {
		stores = append(stores, &meanwhile{Store: s})
		return stores[len(stores)-1]
	}})
	offices[0].Found(t, aliases...)
	offices[0].Clock.Move(time.Minute)
	return offices, stores
}

// before lets something happen before the next transaction of a process.
func (m *meanwhile) before(fn func()) { m.first.Store(&fn) }

// version returns a signed version of a programme that is in force.
func version(alias string, n int, change func(*liaison.Programme)) []byte {
	c := CharterOf(alias)
	p := c.Version1()
	p.Version, p.Genesis = n, c.Genesis()
	p.InForce = At(time.Duration(n) * time.Second)
	p.Modified = p.InForce.String()
	change(p)
	return SignProgramme(p)
}

// out removes Japan from the programme.
func out(p *liaison.Programme) { p.Parties[1].Until = p.InForce }

func TestARemovalIsObeyedByTheNextDecisionOfAnotherProcess(t *testing.T) {
	offices, stores := deaf(t, Tokyo, 2, "register", "itpp")
	a, b := offices[0], offices[1]
	c := Collection("itpp", "cyber")
	japan := a.As(t, "Japan")
	for i, o := range offices {
		if got := o.Post(t, "Japan", c, note(fmt.Sprint(i), 1, stix.Green)); got[0].Status != desk.Accepted {
			t.Fatalf("%+v", got)
		}
	}
	stores[1].before(func() { a.Enact(t, "itpp", version("itpp", 2, out)) })
	got, err := accept(b, japan, desk.Batch{Collection: c, Items: Items(note("n", 1, stix.Green))})
	if err != nil || got[0].Status != desk.Refused {
		t.Errorf("a post that was on its way: %+v %v", got, err)
	}
	for name, o := range map[string]*Office{"the process that heard of it": a, "the other": b} {
		if _, err := o.Desk.Read(t.Context(), japan, desk.Query{Collection: c}); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("%s: reading: %v", name, err)
		}
		if list, err := o.Desk.Collections(t.Context(), japan); err != nil || strings.Contains(fmt.Sprint(list), "ITPP") {
			t.Errorf("%s: %v %v", name, list, err)
		}
		if n := o.Size(t, c); n != 2 {
			t.Errorf("%s: %d entries", name, n)
		}
	}
}

// TestReadingObeysARemovalAtOnce: the process has decided nothing since.
func TestReadingObeysARemovalAtOnce(t *testing.T) {
	offices, _ := deaf(t, Tokyo, 3, "register", "itpp", "trial")
	c := Collection("itpp", "cyber")
	japan := offices[0].As(t, "Japan")
	offices[0].Post(t, "Japan", c, note("n", 1, stix.Green))
	for _, o := range offices {
		if _, err := o.Desk.Read(t.Context(), japan, desk.Query{Collection: c}); err != nil {
			t.Fatal(err)
		}
	}
	offices[1].Enact(t, "itpp", version("itpp", 2, out))
	for i, q := range []desk.Query{{Collection: c}, {Collection: c, What: desk.Receipts}, {Collection: c, What: desk.Versions}} {
		o := offices[(i+2)%3]
		if _, err := o.Desk.Read(t.Context(), japan, q); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("query %d: %v", q.What, err)
		}
	}
}

// TestEveryAmendmentCountsAtOnceEverywhere: processes amend in turn, and the next
// decision of each follows the last.
func TestEveryAmendmentCountsAtOnceEverywhere(t *testing.T) {
	offices, _ := deaf(t, HQ, 3, "register", "itpp")
	c := Collection("itpp", "cyber")
	owner := `"created_by_ref":"` + string(PartyID("NATO")) + `"`
	for n := 2; n < 14; n++ {
		ceiling, want := stix.Green, desk.Refused
		if n%2 == 0 {
			ceiling, want = stix.Amber, desk.Accepted
		}
		offices[n%3].Enact(t, "itpp", version("itpp", n, func(p *liaison.Programme) { p.Ceiling = ceiling }))
		for i, o := range offices {
			got := o.Post(t, "NATO", c, note(fmt.Sprint(n, i), 1, stix.Amber, owner))
			if got[0].Status != want {
				t.Errorf("version %d at process %d: %+v", n, i, got[0])
			}
		}
	}
	want := picture(offices[0])
	for _, o := range offices {
		if _, err := o.Desk.Collections(t.Context(), o.As(t, "NATO")); err != nil {
			t.Error(err)
		}
		if got := picture(o); got != want {
			t.Errorf("a process sees\n%s\nanother\n%s", got, want)
		}
	}
	if err := offices[1].Desk.Open(t.Context()); err != nil { // as a process that starts
		t.Fatal(err)
	}
	if got := picture(offices[1]); got != want {
		t.Errorf("from the store it sees\n%s\nwant\n%s", got, want)
	}
}

// TestWhoIsFarBehindReadsAllChartersAgain: more has changed than the store
// remembers.
func TestWhoIsFarBehindReadsAllChartersAgain(t *testing.T) {
	offices, _ := deaf(t, HQ, 2, "register")
	offices[0].Found(t)
	for n := 2; n < 40; n++ {
		offices[0].Enact(t, "itpp", version("itpp", n, func(*liaison.Programme) {}))
	}
	if _, err := offices[1].Desk.Collections(t.Context(), offices[1].As(t, "NATO")); err != nil {
		t.Fatal(err)
	}
	if got, want := picture(offices[1]), picture(offices[0]); got != want {
		t.Errorf("it sees\n%s\nwant\n%s", got, want)
	}
}

// TestOfTwoContradictingVersionsOneIsTaken: two processes are brought a second
// version at the same time.
func TestOfTwoContradictingVersionsOneIsTaken(t *testing.T) {
	offices, stores := deaf(t, HQ, 2, "register", "itpp")
	two := func(ceiling stix.TLP) []byte {
		return version("itpp", 2, func(p *liaison.Programme) { p.Ceiling = ceiling })
	}
	stores[1].before(func() { offices[0].Enact(t, "itpp", two(stix.Green)) })
	if got := offices[1].Control(t, "itpp", two(stix.Clear)); got[0].Status != desk.Refused || !strings.Contains(got[0].Reason, "/version 2 is here") {
		t.Errorf("%+v", got[0])
	}
}

func TestTheSameObjectAtTwoProcessesAtOnceIsAcceptedOnce(t *testing.T) {
	offices := Processes(t, HQ, 2, Options{})
	offices[0].Found(t, "register", "itpp")
	c, nato := Collection("itpp", "cyber"), offices[0].As(t, "NATO")
	const rounds = 20
	for i := range rounds {
		var got [2][]desk.Outcome
		var errs [2]error
		var posting sync.WaitGroup
		for p, o := range offices {
			posting.Go(func() {
				got[p], errs[p] = accept(o, nato, desk.Batch{Collection: c, Items: Items(note(fmt.Sprint(i), 1, stix.Green))})
			})
		}
		posting.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		x, y := got[0][0], got[1][0]
		if y.Status == desk.Accepted {
			x, y = y, x
		}
		if x.Status != desk.Accepted || y.Status != desk.Duplicate || x.Index != y.Index || x.Act != y.Act || x.Added != y.Added {
			t.Errorf("%+v %+v", x, y)
		}
	}
	if n := offices[0].Size(t, c); n != rounds {
		t.Errorf("%d entries", n)
	}
}

// TestIndexesAndInstantsHaveOneOrderWhateverProcessAppends: and every process
// proves what any of them accepted.
func TestIndexesAndInstantsHaveOneOrderWhateverProcessAppends(t *testing.T) {
	offices := Processes(t, HQ, 3, Options{})
	offices[0].Found(t, "register", "itpp", "trial")
	c, own := Collection("itpp", "cyber"), Collection("trial", "cyber")
	nato := offices[0].As(t, "NATO")
	const each, writers = 12, 2
	var posting sync.WaitGroup
	for p, o := range offices {
		for w := range writers {
			posting.Go(func() {
				for i := range each {
					name := fmt.Sprint(p, w, i)
					for _, c := range []liaison.CollectionID{c, own} {
						if got, err := accept(o, nato, desk.Batch{Collection: c, Items: Items(note(name, 1, stix.Green), note(name+"b", 1, stix.Green))}); err != nil || got[1].Status != desk.Accepted {
							t.Errorf("%+v %v", got, err)
						}
					}
					if _, err := o.Desk.Read(context.Background(), nato, desk.Query{What: desk.Receipts, Collection: c, From: uint64(i)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	posting.Wait()
	size, last := uint64(0), liaison.Instant(0)
	err := offices[1].Store.View(t.Context(), func(v store.View) error {
		return v.Range(c, 0, store.MaxEntries, store.Meta, func(e *store.Entry) error {
			if e.Index != size || e.Added <= last {
				t.Errorf("index %d added %s follows %d added %s", e.Index, e.Added, size, last)
			}
			size, last = e.Index+1, e.Added
			return nil
		})
	})
	if want := uint64(len(offices) * writers * each * 2); err != nil || size != want {
		t.Errorf("%d entries, want %d: %v", size, want, err)
	}
	for _, o := range offices {
		verify(t, receipt(t, o, "NATO", c, size-1), 1)
		verify(t, receipt(t, o, "NATO", c, 0), 1)
		if err := check(o); err != nil {
			t.Error(err)
		}
	}
}

// TestAPageThatWasDecidedBeforeItsCharterCameIsDecidedAgain: or its acts would
// wait for what is there already.
func TestAPageThatWasDecidedBeforeItsCharterCameIsDecidedAgain(t *testing.T) {
	tokyo, stores := deaf(t, Tokyo, 2, "register")
	seoul := alone(t, Seoul, Options{Clock: tokyo[0].Clock})
	c := Collection("trial", "cyber")
	seoul.Post(t, "Korea", c, note("n", 1, stix.Green))
	b := page(t, tokyo[1], seoul, c)
	stores[1].before(func() { tokyo[0].Found(t, "trial") })
	if got := take(t, tokyo[1], seoul, b); got[0].Status != desk.Accepted {
		t.Errorf("%+v", got)
	}
}

// TestWhatWaitsIsTakenOnceWhicheverProcessTries: the charter comes to one
// process while both keep looking.
func TestWhatWaitsIsTakenOnceWhicheverProcessTries(t *testing.T) {
	clock := NewClock()
	tokyo := Processes(t, Tokyo, 2, Options{Clock: clock})
	tokyo[0].Found(t, "register")
	seoul := alone(t, Seoul, Options{Clock: clock})
	c := Collection("trial", "cyber")
	const n = 30
	for i := range n {
		seoul.Post(t, "Korea", c, note(fmt.Sprint(i), 1, stix.Green))
	}
	if err := followBy(t, tokyo[1], seoul, c, 7); err != nil {
		t.Fatal(err)
	}
	if got := undelivered(t, tokyo[0]); len(got) != n {
		t.Fatalf("%d wait", len(got))
	}
	if err := followBy(t, tokyo[0], seoul, Collection("trial", "charter"), 2); err != nil {
		t.Fatal(err)
	}
	for _, o := range tokyo {
		o.Await(t, func() bool { return len(undelivered(t, o)) == 0 }, c)
		if o.Size(t, c) != n {
			t.Errorf("%d entries", o.Size(t, c))
		}
	}
	if err := check(tokyo[1]); err != nil {
		t.Error(err)
	}
}

// TestALongPollHearsOfAnotherProcess and of what it appends.
func TestALongPollHearsOfAnotherProcess(t *testing.T) {
	clock := NewClock()
	tokyo := Processes(t, Tokyo, 2, Options{Clock: clock})
	tokyo[0].Found(t, "register", "trial")
	c := Collection("trial", "cyber")
	came := make(chan error)
	go func() {
		p, err := tokyo[1].Desk.Read(context.Background(), registry.Neighbour(Seoul), desk.Query{What: desk.Log, Collection: c, Wait: time.Minute})
		if err == nil && len(p.Leaves) != 1 {
			err = fmt.Errorf("%d leaves", len(p.Leaves))
		}
		came <- err
	}()
	tokyo[0].Post(t, "Japan", c, note("n", 1, stix.Green))
	if err := <-came; err != nil {
		t.Error(err)
	}
}

// TestTwoProcessesFollowOneNeighbour: they fetch the same pages, and each act is
// here once.
func TestTwoProcessesFollowOneNeighbour(t *testing.T) {
	clock := NewClock()
	tokyo := Processes(t, Tokyo, 2, Options{Clock: clock})
	tokyo[0].Found(t, "register", "trial")
	seoul := alone(t, Seoul, Options{Clock: clock})
	c := Collection("trial", "cyber")
	const n = 40
	for i := range n {
		seoul.Post(t, "Korea", c, note(fmt.Sprint(i), 1, stix.Green))
	}
	var following sync.WaitGroup
	for _, o := range tokyo {
		following.Go(func() {
			for {
				b, ok, err := o.Page(context.Background(), seoul, c, 3)
				if err == nil && ok {
					_, err = o.Take(context.Background(), seoul, b)
				}
				if err != nil && !errors.Is(err, desk.ErrPosition) {
					t.Error(err)
				}
				if !ok {
					return
				}
			}
		})
	}
	following.Wait()
	if tokyo[0].Size(t, c) != n || fmt.Sprint(tokyo[1].Shown(t, c)) != fmt.Sprint(seoul.Shown(t, c)) {
		t.Errorf("tokyo has %d entries", tokyo[0].Size(t, c))
	}
}
