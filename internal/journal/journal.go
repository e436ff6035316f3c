// Package journal records what was: it appends acts to an office's logs, signs
// what the office says, and proves it afterwards.
//
// # Invariants
//
//   - One transaction holds bytes, act, leaf, Merkle hashes and indexes. What is
//     acknowledged is durable.
//   - The instant of a leaf is decided under the collection's lock: UTC
//     microseconds, strictly increasing, never going back. An act's accepted is
//     the instant of its first leaf.
//   - Identity is (collection, id, version). The same act twice adds nothing;
//     another act for an object that is here becomes an again leaf; other
//     contents under the same identity are refused at the first door and become
//     a conflict leaf by relay, where every office picks the same winner.
//   - A checkpoint is signed only after the tree was verified from storage, and
//     the last one is kept outside the store too (Anchor). A log that is behind
//     its anchor, or of which only the anchor is left, is neither appended to nor
//     signed. While no anchor can be written nothing is accepted.
//   - The store and the anchors are this office's: the store says whose it is, and
//     anchors are signed by its log key.
//   - After a commit whose outcome is unknown nothing more is written; reading
//     goes on.
//   - All of this holds whichever processes of the office share the store: what
//     is decided is decided under its locks, what judges ask is brought up to date
//     there (Register), and a log found at fault is stopped for all.
//
// # What it does not do
//
// It decides nothing: the desk hands it a Judge that is asked under the lock. It
// keeps no keys (Signer is handed in) and knows no party, programme or viewer.
package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// Signer signs for the office. Signatures are in C2SP signed-note form: four
// bytes of key hash, then the signature.
type Signer interface {
	// SignAct signs a batch or evidence text with the key <office>/act.
	SignAct(text string) liaison.Binary
	// ActKey is the public key of SignAct.
	ActKey() []byte
	// LogKey is the public key of SignCheckpoint.
	LogKey() []byte
	// SignCheckpoint signs a checkpoint text with the log key of its origin
	// and returns the whole note.
	SignCheckpoint(origin liaison.Origin, text string) string
}

// Config is what a journal needs. Zero values of the optional fields work.
type Config struct {
	Office liaison.Office
	Store  store.Store
	Signer Signer
	Anchor Anchor
	Log    *slog.Logger

	Now  func() time.Time                                        // optional: time.Now
	Salt func(c liaison.CollectionID, index uint64) liaison.Hash // optional: random

	// Elapsed is a clock that nobody sets: how much time has passed since some
	// instant, sleep included. Optional: with it, Now is the clock of the machine
	// and is compared with it, and with the store's.
	Elapsed func() time.Duration

	// EarlierLogKeys are further keys by which this office may have signed what
	// is kept outside the store. Optional: none.
	EarlierLogKeys func() [][]byte
}

// MaxGroup bounds the items committed in one transaction.
const MaxGroup = 5000

// ErrStopped says that the journal no longer writes: a commit failed in a way
// that leaves its outcome unknown. Restarting the office recovers.
var ErrStopped = errors.New("the journal has stopped writing after a failed commit; restart the office")

// Journal writes and proves the logs of one office. Its methods may be called
// concurrently.
type Journal struct {
	Config
	requests chan *request
	done     chan struct{}

	mu      sync.Mutex
	changed map[liaison.CollectionID]chan struct{} // closed at the next commit; guarded by mu
	signed  map[liaison.CollectionID]*verified     // guarded by mu
	stopped map[liaison.CollectionID]error         // logs that this process found at fault; guarded by mu
	marks   map[liaison.CollectionID]mark          // of them, for Run to write into the store; guarded by mu
	erased  chan struct{}                          // capacity 1: the store's files may hold what was erased
	marked  chan struct{}                          // capacity 1: there are marks to write

	restored *store.Restore // the store was restored, and what it lacks is not known; guarded by mu

	waiting map[liaison.CollectionID]int // batches that Run has not taken yet; guarded by mu

	clock    clock
	edges    map[liaison.CollectionID]*edge       // owned by Run
	trouble  error                                // what kept the last commit from writing; owned by Run
	judges   func(v store.View, r Register) error // set before Run
	claimed  bool                                 // the store says whose it is; owned by Open, then by Run
	expected map[liaison.CollectionID]int         // batches that the next group may have; owned by Run
}

// New returns a journal; Run must be running for Append to return.
func New(cfg Config) *Journal {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Journal{
		Config:   cfg,
		requests: make(chan *request),
		done:     make(chan struct{}),
		changed:  map[liaison.CollectionID]chan struct{}{},
		signed:   map[liaison.CollectionID]*verified{},
		stopped:  map[liaison.CollectionID]error{},
		waiting:  map[liaison.CollectionID]int{},
		expected: map[liaison.CollectionID]int{},
		marks:    map[liaison.CollectionID]mark{},
		marked:   make(chan struct{}, 1),
		erased:   make(chan struct{}, 1),
		edges:    map[liaison.CollectionID]*edge{},
	}
}

func randomSalt() (h liaison.Hash) {
	if _, err := rand.Read(h[:]); err != nil {
		panic(err) // crypto/rand never fails on the platforms Go supports
	}
	return h
}

// Origin returns the name of this office's log of a collection, of the
// generation that a snapshot holds.
func (j *Journal) Origin(v store.View, c liaison.CollectionID) (liaison.Origin, error) {
	pos, err := v.Position(c)
	return liaison.Origin{Office: j.Office, Collection: c, Generation: max(pos.Generation, 1)}, err
}

// View runs fn on one snapshot of the store. If fn signs a checkpoint while
// another process has signed one of more than the snapshot holds, View also looks
// whether the store holds that one: nothing that fn returns is to be used before
// View has returned without error.
func (j *Journal) View(ctx context.Context, fn func(store.View) error) error {
	var later []ledger.Checkpoint
	err := j.Store.View(ctx, func(v store.View) error {
		s := &snapshot{View: v}
		defer func() { later = s.later }()
		return fn(s)
	})
	if err != nil || len(later) == 0 {
		return err
	}
	return j.Store.View(ctx, func(v store.View) error {
		for _, cp := range later {
			if err := j.confront(v, cp); err != nil {
				return err
			}
		}
		return nil
	})
}

// snapshot is what View gives to its function.
type snapshot struct {
	store.View
	later []ledger.Checkpoint // signed, and of more than the snapshot holds
}

// JudgeBy sets what brings the judges up to date: fn is called in each
// transaction with the register that it holds, under the lock and before anything
// is judged. An error writes nothing. It is set before Run.
func (j *Journal) JudgeBy(fn func(v store.View, r Register) error) { j.judges = fn }

// Changed returns a channel that is closed at the next commit to a collection
// and, at the latest HintSlack after one by another process, whether a hint of it
// comes or not. That of the zero id is closed when another process may have
// committed anything. Take it before looking, then wait.
func (j *Journal) Changed(c liaison.CollectionID) <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	ch, ok := j.changed[c]
	if !ok {
		ch = make(chan struct{})
		j.changed[c] = ch
	}
	return ch
}

func (j *Journal) wake(c liaison.CollectionID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if ch, ok := j.changed[c]; ok {
		close(ch)
		delete(j.changed, c)
	}
}

func (j *Journal) wakeAll() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, ch := range j.changed {
		close(ch)
	}
	clear(j.changed)
}

// HintSlack bounds how long a commit of another process goes unnoticed if its
// hint is lost.
const HintSlack = 5 * time.Second

// Listen wakes those who wait for what other processes commit, until ctx ends.
// A store of one process needs none.
func (j *Journal) Listen(ctx context.Context) error {
	l, shared := j.Store.(store.Listener)
	if !shared {
		<-ctx.Done()
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	defer looking.Wait()
	defer cancel()
	looking.Go(func() { j.lookAgain(ctx) })
	err := l.Listen(ctx, j.hint)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (j *Journal) hint(c liaison.CollectionID) {
	if c.IsZero() {
		j.wakeAll()
		return
	}
	j.wake(c)
	j.wake(liaison.CollectionID{})
}

func (j *Journal) lookAgain(ctx context.Context) {
	tick := time.NewTicker(HintSlack)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			j.wakeAll()
		case <-ctx.Done():
			return
		}
	}
}
