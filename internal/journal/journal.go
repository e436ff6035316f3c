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
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
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
	stopped map[liaison.CollectionID]error         // logs behind their anchor; guarded by mu

	waiting atomic.Int64 // batches that Run has not taken yet

	edges    map[liaison.CollectionID]*edge // owned by Run
	trouble  error                          // what kept the last commit from writing; owned by Run
	claimed  bool                           // the store says whose it is; owned by Open, then by Run
	expected int                            // batches that the next group may have; owned by Run
}

// New returns a journal; Run must be running for Append to return.
func New(cfg Config) *Journal {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Salt == nil {
		cfg.Salt = randomSalt
	}
	return &Journal{
		Config:   cfg,
		requests: make(chan *request),
		done:     make(chan struct{}),
		changed:  map[liaison.CollectionID]chan struct{}{},
		signed:   map[liaison.CollectionID]*verified{},
		stopped:  map[liaison.CollectionID]error{},
		edges:    map[liaison.CollectionID]*edge{},
	}
}

func randomSalt(liaison.CollectionID, uint64) (h liaison.Hash) {
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

// View runs fn on one snapshot of the store.
func (j *Journal) View(ctx context.Context, fn func(store.View) error) error {
	return j.Store.View(ctx, fn)
}

// Changed returns a channel that is closed at the next commit to a collection.
// Take it before looking, then wait.
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

func (j *Journal) stoppedErr(c liaison.CollectionID) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.stopped[c]; err != nil {
		return fmt.Errorf("collection %s: %w", c, err)
	}
	return nil
}
