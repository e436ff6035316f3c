// Package desk is the one way in and the one way out: Accept, Read and
// Collections. Every room goes through these three verbs; nothing else touches
// the journal.
//
// # Invariants
//
//   - Who may do what is decided by package release, from what the registry
//     knows, at the instant the journal assigns under the collection's lock.
//   - What another process changed in the charters counts with the next read and
//     the next decision here (register.go).
//   - Unknown and forbidden are the same error, ErrNotFound.
//   - Nothing is filtered out of a collection because of who reads: a collection
//     has one audience.
//   - One bad object never spoils the rest: there is one Outcome per object.
//   - What a relay page brings (leaves, held and waiting acts, evidence) and the
//     follower's position commit together.
//   - The account is checked in the snapshot of every read, so revocation is
//     immediate.
//   - Pages that are kept in memory are asked for after that, and only as long as
//     nothing in them was superseded or erased: in the same snapshot too.
//
// # What it does not do
//
// It speaks no protocol and opens no connection (rooms do), signs nothing but
// evidence (with the journal's signer) and stores nothing itself.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// Errors that rooms tell apart; everything else is the office's own trouble.
var (
	// ErrNotFound: no such thing, or not for this viewer. Never say which.
	ErrNotFound = errors.New("not found")
	// ErrReadOnly: the viewer reads this collection and may not write into it.
	ErrReadOnly = errors.New("this account may read the collection and not write into it")
	// ErrRevoked: the account was changed or disabled since it logged in.
	ErrRevoked = errors.New("the account is no longer valid")
	// ErrWaitingFull: a relay page brings acts that would wait, and there is no
	// room for them. The follower stays where it stands and asks again.
	ErrWaitingFull = errors.New("no room for more acts that wait")
	// ErrNoWrite: the office reads and cannot write: its disk failed or is full.
	// Nothing was acknowledged, and bringing it again later does no harm.
	ErrNoWrite = errors.New("the office cannot write now")
	// ErrAway: the office's database is away. Nothing was read, or acknowledged; it
	// ends by itself.
	ErrAway = store.ErrAway
	// ErrNotSigned: a neighbour returns for a log of this office what this office
	// has not signed.
	ErrNotSigned = errors.New("this office has not signed it")
	// ErrWhole: a relay page lacks objects that this office has lost; it is to be
	// asked for with them.
	ErrWhole = errors.New("objects that were lost here did not come with the page")
	// ErrPosition: a relay page does not continue where the follower stands.
	ErrPosition = errors.New("the page does not continue at the follower's position")
)

// GenerationError says that a log is of another generation than is followed.
type GenerationError struct{ Now uint32 }

func (e *GenerationError) Error() string {
	return fmt.Sprintf("the log is of generation %d now", e.Now)
}

// Viewer is who asks; authentication makes it.
type Viewer = registry.Viewer

// Config is what a desk needs. Zero values of the optional fields work.
type Config struct {
	Office  liaison.Office
	Journal *journal.Journal
	Pinned  *registry.Registry // knows the pinned authority and nothing else
	Log     *slog.Logger

	Validation stix.Mode        // what breaks a MUST of STIX 2.1; optional: stix.Admit
	Except     []string         // optional: collections, as programme.area, with the other mode
	Limits     stix.Limits      // optional: stix.DefaultLimits
	Now        func() time.Time // optional: time.Now

	// Neighbours lists the offices whose cards are here: those that are asked
	// about this office's own logs. Optional: none.
	Neighbours func() []liaison.Office

	// PageCache is how many bytes of pages are kept in memory: DefaultPageCache if
	// zero, none if negative. Optional.
	PageCache int

	WaitingActs  int // optional: most acts of a neighbour that wait; MaxWaiting
	WaitingBytes int // optional: most bytes of them; MaxWaitingBytes
}

// Desk is the office's desk. Its methods may be called concurrently.
type Desk struct {
	Config
	reg     atomic.Pointer[register]
	folding sync.Mutex // held while a newer register is made

	retry chan struct{} // capacity 1: what others wait for may have come

	recovery *recovery // of stopped logs

	buffers sync.Pool  // of *[]byte: the bytes of pages
	pages   *pageCache // nil if there is none
}

// New returns a desk; Open must be called before use.
func New(cfg Config) *Desk {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Limits == (stix.Limits{}) {
		cfg.Limits = stix.DefaultLimits()
	}
	if cfg.WaitingActs == 0 {
		cfg.WaitingActs = MaxWaiting
	}
	if cfg.WaitingBytes == 0 {
		cfg.WaitingBytes = MaxWaitingBytes
	}
	if cfg.PageCache == 0 {
		cfg.PageCache = DefaultPageCache
	}
	d := &Desk{Config: cfg, retry: make(chan struct{}, 1), recovery: newRecovery()}
	if cfg.PageCache > 0 {
		d.pages = newPageCache(cfg.PageCache)
	}
	d.reg.Store(&register{Registry: cfg.Pinned})
	cfg.Journal.JudgeBy(d.judgeBy)
	return d
}

// Registry returns the newest picture of who takes part that this process has
// seen; what another has changed since is at most journal.HintSlack old. It is for
// the assembly of the office; rooms do not see it.
func (d *Desk) Registry() *registry.Registry { return d.reg.Load().Registry }

func (d *Desk) now() liaison.Instant { return liaison.InstantOf(d.Now()) }

// Open folds the charters that are in the store.
func (d *Desk) Open(ctx context.Context) error {
	return d.Journal.View(ctx, func(v store.View) error {
		of, err := journal.RegisterOf(v)
		if err != nil {
			return err
		}
		reg, err := d.foldStore(v, of)
		if err == nil {
			d.reg.Store(reg)
			d.somethingCame()
		}
		return err
	})
}

// isControl reports whether a type may stand in a charter.
func isControl(typ string) bool { return typ == "identity" || liaison.IsControlType(typ) }

// somethingCame lets Run try again what waits: a charter changed, or a marking
// definition came.
func (d *Desk) somethingCame() {
	select {
	case d.retry <- struct{}{}:
	default:
	}
}

// How often Run looks without being told to.
const (
	retryEvery = time.Minute            // whether what waits has found what it waits for
	lookGap    = 200 * time.Millisecond // at least between two looks at what other processes did
)

// Run tries waiting acts again whenever what they may wait for came, until ctx
// ends; and every minute, as a process may have ended between what came and its
// trying. It takes in what other processes change in the charters, and lets
// stopped logs go on when they can.
func (d *Desk) Run(ctx context.Context) error {
	every := time.NewTicker(retryEvery)
	defer every.Stop()
	others := d.Journal.Changed(liaison.CollectionID{})
	var gap <-chan time.Time
	d.recovery.look()
	stopped := time.NewTicker(mendEvery)
	defer stopped.Stop()
	stale := time.NewTicker(sweepEvery)
	defer stale.Stop()
	for {
		select {
		case <-d.recovery.again:
			d.mend(ctx)
		case <-stopped.C:
			if d.Journal.Doubtful() {
				d.mend(ctx)
			}
		case <-stale.C:
			if err := d.sweepPages(ctx); err != nil && ctx.Err() == nil {
				d.Log.Error("pages that are kept in memory could not be compared with the store", "err", err)
			}
		case <-d.retry:
			d.tryWaiting(ctx)
		case <-every.C:
			d.tryWaiting(ctx)
		case <-others:
			others, gap = nil, time.After(lookGap)
			d.catchUp()
		case <-gap:
			others, gap = d.Journal.Changed(liaison.CollectionID{}), nil
			d.catchUp()
		case <-ctx.Done():
			return nil
		}
	}
}

func (d *Desk) tryWaiting(ctx context.Context) {
	if err := d.retryWaiting(ctx); err != nil && ctx.Err() == nil {
		d.Log.Error("waiting acts could not be tried again", "err", err)
	}
}
