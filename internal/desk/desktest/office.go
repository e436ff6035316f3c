package desktest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/liaison-office/liaison/stix"
)

// T is what of a test, *testing.T or *rapid.T, the helpers need.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Clock is a clock that tests move.
type Clock struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

// NewClock returns a clock that stands at Begin.
func NewClock() *Clock { return &Clock{now: Begin} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock, back too.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Salt is a salt that depends on collection and index alone.
func Salt(c liaison.CollectionID, index uint64) liaison.Hash {
	return liaison.H([]byte("desktest salt "), c[:], fmt.Appendf(nil, " %d", index))
}

// Office is an office without network: store, journal and desk at work.
type Office struct {
	Name    liaison.Office
	Dir     string
	Keys    *Keys
	Clock   *Clock
	Store   store.Store
	Journal *journal.Journal
	Desk    *desk.Desk

	waiting int
	end     context.CancelFunc
	done    sync.WaitGroup
}

// Options changes how an office is opened. The zero value is an empty Clock's.
type Options struct {
	Clock      *Clock                        // NewClock
	Validation stix.Mode                     // stix.Admit
	Except     []string                      // collections with the other mode
	Store      store.Store                   // a SQLite store in the folder; closed with the office
	Wrap       func(store.Store) store.Store // wraps the store
	Log        *slog.Logger                  // none
	Waiting    int                           // desk.MaxWaiting
}

// Open opens an office whose files are in dir.
func Open(t T, name liaison.Office, dir string, opt Options) *Office {
	t.Helper()
	o, err := open(name, dir, opt)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	return o
}

func open(name liaison.Office, dir string, opt Options) (*Office, error) {
	o := &Office{Name: name, Dir: dir, Keys: NewKeys(name), Clock: opt.Clock, waiting: opt.Waiting}
	if o.Clock == nil {
		o.Clock = NewClock()
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Join(dir, "anchors"), 0o700); err != nil {
		return nil, err
	}
	if o.Store = opt.Store; o.Store == nil {
		engine, err := sqlite.Open(filepath.Join(dir, "store"), sqlite.Config{})
		if err != nil {
			return nil, err
		}
		o.Store = engine
	}
	if opt.Wrap != nil {
		o.Store = opt.Wrap(o.Store)
	}
	o.Journal = journal.New(journal.Config{
		Office: name, Store: o.Store, Signer: o.Keys, Anchor: journal.AnchorDir(filepath.Join(dir, "anchors")),
		Log: opt.Log, Now: o.Clock.Now, Salt: Salt,
	})
	o.Desk = desk.New(desk.Config{
		Office: name, Journal: o.Journal, Pinned: registry.New(Pin()), Log: opt.Log,
		Validation: opt.Validation, Except: opt.Except, Now: o.Clock.Now, WaitingActs: opt.Waiting,
		Neighbours: func() []liaison.Office { return neighbours[name] },
	})
	return o, o.start()
}

// neighbours are those of each office: they stand in a row.
var neighbours = map[liaison.Office][]liaison.Office{Seoul: {Tokyo}, Tokyo: {Seoul, HQ}, HQ: {Tokyo}}

func (o *Office) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	o.end = cancel
	if err := errors.Join(o.Journal.Open(ctx), o.Desk.Open(ctx)); err != nil {
		return err
	}
	o.done.Go(func() { _ = o.Journal.Run(ctx) }) // tests see its error from Append
	o.done.Go(func() { _ = o.Journal.Listen(ctx) })
	o.done.Go(func() { _ = o.Desk.Run(ctx) })
	return nil
}

// Origin returns the name of the office's log of a collection.
func (o *Office) Origin(c liaison.CollectionID) (origin liaison.Origin) {
	err := o.Journal.View(context.Background(), func(v store.View) (err error) {
		origin, err = o.Journal.Origin(v, c)
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("origin of %s at %s: %v", c, o.Name, err)) // a test reads a closed store
	}
	return origin
}

// Close stops the office.
func (o *Office) Close() {
	o.end()
	o.done.Wait()
	o.Store.Close()
}

// New opens an office in a folder of its own that ends with the test.
func New(t *testing.T, name liaison.Office, opt Options) *Office {
	t.Helper()
	o := Open(t, name, t.TempDir(), opt)
	t.Cleanup(func() { o.Close() })
	return o
}

// Reopen closes the office and opens it again, as a restart does.
func (o *Office) Reopen(t T) {
	t.Helper()
	o.Close()
	again := Open(t, o.Name, o.Dir, Options{Clock: o.Clock, Waiting: o.waiting})
	o.Store, o.Journal, o.Desk, o.end = again.Store, again.Journal, again.Desk, func() { again.end(); again.done.Wait() }
}

// Found brings charters of the alliance, as its operator does; without aliases
// all of them.
func (o *Office) Found(t T, aliases ...string) {
	t.Helper()
	if len(aliases) == 0 {
		for _, c := range Charters() {
			aliases = append(aliases, c.Alias)
		}
	}
	for _, alias := range aliases {
		c := CharterOf(alias)
		o.Enact(t, alias, c.Objects()...)
	}
}

// Enact brings signed control objects into a charter; all must be accepted.
func (o *Office) Enact(t T, alias string, objects ...[]byte) {
	t.Helper()
	for i, out := range o.Control(t, alias, objects...) {
		if out.Status == desk.Refused {
			t.Fatalf("%s: control object %d of %s: %s %s", o.Name, i, alias, out.Pointer, out.Reason)
		}
	}
}

// Control brings control objects into a charter.
func (o *Office) Control(t T, alias string, objects ...[]byte) []desk.Outcome {
	t.Helper()
	b := desk.Batch{Collection: Collection(alias, liaison.Charter), Items: Items(objects...)}
	outcomes, err := o.Desk.Accept(context.Background(), registry.Operator(o.Name), b)
	if err != nil {
		t.Fatalf("%s: charter of %s: %v", o.Name, alias, err)
	}
	return outcomes
}

// Items parses objects as the rooms do.
func Items(objects ...[]byte) []desk.Item {
	items := make([]desk.Item, len(objects))
	for i, b := range objects {
		items[i].Raw = b
		obj, err := stix.Parse(b, stix.DefaultLimits())
		if items[i].Object = obj; err != nil {
			items[i].Object = nil
			errors.As(err, &items[i].Err)
		}
	}
	return items
}

// Account is an account that reads and writes for a party; party may be
// "Denmark for NATO".
func Account(party string) registry.Account {
	a := registry.Account{Name: party, Roles: []registry.AccountRole{registry.MayRead, registry.MayWrite}, Version: 1}
	var by, forParty string
	if n, _ := fmt.Sscanf(party, "%s for %s", &by, &forParty); n == 2 {
		a.By, a.For = PartyID(by), PartyID(forParty)
	} else {
		a.By = PartyID(party)
	}
	return a
}

// PutAccount keeps an account's record and returns its viewer.
func (o *Office) PutAccount(t T, a registry.Account) desk.Viewer {
	t.Helper()
	raw, err := json.Marshal(a)
	if err == nil {
		err = o.Store.Update(context.Background(), store.Lock{}, func(tx store.Tx) error {
			return tx.Put(desk.BucketAccounts, a.Name, raw)
		})
	}
	if err != nil {
		t.Fatalf("account %s: %v", a.Name, err)
	}
	return registry.LoggedIn(a, o.Name)
}

// As returns the viewer of a party's account, made if there is none.
func (o *Office) As(t T, party string) desk.Viewer {
	t.Helper()
	return o.PutAccount(t, Account(party))
}

// Post brings objects to the first door.
func (o *Office) Post(t T, party string, c liaison.CollectionID, objects ...[]byte) []desk.Outcome {
	t.Helper()
	outcomes, err := o.Desk.Accept(context.Background(), o.As(t, party), desk.Batch{Collection: c, Items: Items(objects...)})
	if err != nil {
		t.Fatalf("%s: %s posts: %v", o.Name, party, err)
	}
	return outcomes
}

// Read reads in the name of a party; "" is nobody.
func (o *Office) Read(t T, party string, q desk.Query) (*desk.Page, error) {
	t.Helper()
	v := registry.Nobody()
	if party != "" {
		v = o.As(t, party)
	}
	return o.Desk.Read(context.Background(), v, q)
}

// Size returns how many leaves a log has.
func (o *Office) Size(t T, c liaison.CollectionID) (size uint64) {
	t.Helper()
	err := o.Store.View(context.Background(), func(v store.View) error {
		pos, err := v.Position(c)
		size = pos.Size
		return err
	})
	if err != nil {
		t.Fatalf("%s: position of %s: %v", o.Name, c, err)
	}
	return size
}

// Await returns when a condition holds; it looks after every commit to the
// collections.
func (o *Office) Await(t T, condition func() bool, collections ...liaison.CollectionID) {
	t.Helper()
	late := reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(time.After(time.Minute))}
	for {
		cases := []reflect.SelectCase{late}
		for _, c := range collections {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(o.Journal.Changed(c))})
		}
		if condition() {
			return
		}
		if chosen, _, _ := reflect.Select(cases); chosen == 0 {
			t.Fatalf("%s: what was awaited did not come", o.Name)
		}
	}
}
