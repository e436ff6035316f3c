// Package store says what the journal asks of a database: append to logs, read
// ranges of them, find by object and by act, and keep small keyed state.
//
// # Invariants
//
//   - An entry, once committed, keeps its index, its instant and its bytes.
//     Hiding an entry is a note beside it. Erasing is the one exception: it takes
//     away what the object was, and nothing that proves that there was one.
//   - Per collection, indexes are contiguous from 0 and added is strictly
//     increasing, in commit order; no reader ever sees an index whose
//     predecessors it cannot see.
//   - A transaction is visible as a whole or not at all, and durable before
//     Update returns.
//
// # What it does not do
//
// It hashes nothing, signs nothing and decides nothing: what an engine is given
// is opaque to it, apart from the fields it looks up by. It knows no clock.
//
// Package storetest is this contract as tests; every engine runs them. Engines
// are the packages below this one.
package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/liaison-office/liaison"
)

// Errors that callers tell apart. Absence is not an error: a collection without
// entries has the zero Position, Find yields nothing, State says false.
var (
	// ErrBroken says that a commit failed in a way that leaves its outcome
	// unknown. The store refuses every later Update until it is opened again.
	ErrBroken = errors.New("the outcome of a commit is unknown; nothing more is written until the store is opened again")

	// ErrFull says that the disk is full and that nothing of the Update was
	// written. Later ones succeed once there is room.
	ErrFull = errors.New("the disk is full and nothing was written")

	// ErrAway says that the database cannot be reached, or went away meanwhile:
	// nothing of the Update is written, and the View is not whole. The engine has
	// waited for it as long as it does. Later ones succeed once it is back.
	ErrAway = errors.New("the database is away")

	// ErrOrder refuses an Append that leaves a gap, repeats an index or does
	// not increase added, or that opens a generation which is past.
	ErrOrder = errors.New("entries out of order")

	// ErrNotLocked refuses a write to a collection that Update did not lock.
	ErrNotLocked = errors.New("collection is not locked by this update")

	// ErrClosed refuses work after Close.
	ErrClosed = errors.New("store is closed")
)

// Stop, returned by a yield function, ends the walk; the method that walked
// returns nil.
//
//lint:ignore ST1012 it is no failure; compare fs.SkipAll
var Stop = errors.New("stop")

// MaxEntries bounds a collection: indexes are below it.
const MaxEntries = 1 << 40

// Store is one office's database. Its methods may be called concurrently.
type Store interface {
	// Update runs fn in one write transaction, under the lock (Lock says against
	// whom). Collections are locked in the order of their ids.
	//
	// When Update returns nil, everything fn wrote is durable (fsynced) and
	// visible to every View that starts afterwards. When it returns an error,
	// nothing of it is visible, except for ErrBroken. An error of fn is
	// returned as it is, the context's wrapped when ctx ends before the commit. A
	// write that failed fails the Update, even if fn ignores its error.
	// A panic of fn undoes the transaction and goes on.
	//
	// fn runs once. It must not call Update or View of the same store, and tx
	// is not used after fn returns nor by two goroutines at a time.
	Update(ctx context.Context, lock Lock, fn func(tx Tx) error) error

	// View runs fn on one snapshot: everything committed before View was
	// called, and nothing committed after fn began. Views are short: they hold
	// one of a few connections and keep the engine from reclaiming space. fn
	// must not call Update or View of the same store, and v is not used after
	// fn returns nor by two goroutines at a time.
	View(ctx context.Context, fn func(v View) error) error

	// Scrub returns nil when nothing that Erase took away is left in any file of
	// the database, free pages and logs included; at once if there is nothing
	// to do. What the engine cannot reach, such as copies of its log that somebody
	// keeps, its documentation names. It is called after an Update that erased and
	// whenever a store was opened: what is left to do survives a crash. Other
	// methods may wait for it. An error, the context's among them, says that
	// something is left and that Scrub is to be called again.
	Scrub(ctx context.Context) error

	// Close waits for what is running and releases the database.
	Close() error
}

// Lock says what an Update keeps others from. It holds against every Update of
// every process on the same database, from before fn runs until the commit is
// visible. It keeps no View waiting.
type Lock struct {
	// Collections may be appended to. Updates that name a common one run one
	// after the other. Any of them may come twice, and in any order.
	Collections []liaison.CollectionID

	// Alone: no other Update runs. It is meant for what reads keyed state and
	// writes by what it read, where no collection guards that state. An Update
	// that names no collection is alone too. Those that come later wait behind
	// one that waits to be alone.
	Alone bool
}

// IsAlone reports whether no other Update runs beside one with this lock.
func (l Lock) IsAlone() bool { return l.Alone || len(l.Collections) == 0 }

// Listener is an optional power of an engine whose database several processes
// share: it hears of what the others write.
type Listener interface {
	// Listen calls hint after commits that appended to a collection, whoever
	// made them, until ctx ends or the store is closed, and returns why. The zero
	// id stands for any collection: it comes at the beginning and whenever commits
	// may have gone by unheard. A hint may be late, repeated or lost with the
	// process that committed: it says when to look, and never what is there.
	Listen(ctx context.Context, hint func(c liaison.CollectionID)) error
}

// Leaser is an optional power of an engine whose database several processes
// share: it lets one of them at a time do what need not be done twice.
type Leaser interface {
	// Lease runs fn while this caller has the lease of that name, and nobody else
	// in any process, and waits for it before. fn's context ends when the lease is
	// lost; Lease then waits for fn, and for the lease again. It returns fn's error
	// once fn has returned by itself, and otherwise the context's when ctx ends, or
	// ErrClosed.
	//
	// The lease of a process that ends, however it ends, is free within a few
	// seconds. It is for economy: who lost it without knowing may do for as long
	// what another does already, so nothing may be wrong if both do.
	Lease(ctx context.Context, name string, fn func(ctx context.Context) error) error
}

// Checker is an optional power of an engine: it looks for damage that it alone
// can see.
type Checker interface {
	// Check reads everything and returns what is wrong, in a sentence each.
	Check(ctx context.Context) []string
}

// View reads one snapshot. Methods may be called inside yield functions.
type View interface {
	// Position returns where the log of c ends.
	Position(c liaison.CollectionID) (Position, error)

	// Range yields the entries of c with from <= index < to, in index order,
	// hidden and erased ones included. A to beyond the end means the end.
	Range(c liaison.CollectionID, from, to uint64, part Part, yield func(*Entry) error) error

	// Find yields the entries of c for one object, whatever their version and
	// kind, in index order. Erased ones are of no object.
	Find(c liaison.CollectionID, id string, part Part, yield func(*Entry) error) error

	// FindSame yields those of one object that were appended with this Same, in
	// index order. What it costs does not depend on how many others there are.
	FindSame(c liaison.CollectionID, id string, same uint64, part Part, yield func(*Entry) error) error

	// FindShown yields those of one object that nothing hides, in index order,
	// at the same cost.
	FindShown(c liaison.CollectionID, id string, part Part, yield func(*Entry) error) error

	// FindAct yields the entries of c whose leaf names the act, in index order,
	// erased ones included.
	FindAct(c liaison.CollectionID, act liaison.Hash, part Part, yield func(*Entry) error) error

	// IndexAfter returns the first index whose added is later than the instant;
	// the size of the log if there is none.
	IndexAfter(c liaison.CollectionID, added liaison.Instant) (uint64, error)

	// Hashes returns the stored hashes of the Merkle tree of c, one for each
	// index, in the numbering of golang.org/x/mod/sumdb/tlog. A hash that no
	// entry has completed is an error.
	Hashes(c liaison.CollectionID, indexes []int64) ([]liaison.Hash, error)

	// Collections yields the collections that have entries, in the order of
	// their ids.
	Collections(yield func(c liaison.CollectionID) error) error

	// State returns a copy of the value of a key, and whether there is one.
	State(bucket, key string) ([]byte, bool, error)

	// Buckets yields the buckets that have keys, in the order of their bytes.
	Buckets(yield func(bucket string) error) error

	// States yields the keys of a bucket that begin with prefix, in the order
	// of their bytes. value is valid during yield only.
	States(bucket, prefix string, yield func(key string, value []byte) error) error
}

// Preparer is an optional power of a View whose engine is asked over a distance,
// one question after the other.
type Preparer interface {
	// Prepare says which objects of c will be looked for, so that the engine may
	// ask for all of them at once. What is found stays the same.
	Prepare(c liaison.CollectionID, ids []string) error
}

// Tx reads and writes. Its reads see its own writes.
type Tx interface {
	View

	// Append adds entries to the end of c. Index and Added of each continue
	// those before: contiguous from Position.Size, strictly increasing
	// (ErrOrder). An entry of kind opened begins the next generation of the log
	// (Opens); those before it stay. Nothing of an entry is kept by reference.
	Append(c liaison.CollectionID, entries []Entry) error

	// Hide marks the entry at index as superseded by the one at by, both in c.
	// Hiding it again replaces by.
	Hide(c liaison.CollectionID, index, by uint64) error

	// Show takes back what Hide noted of the entry at index, if it did.
	Show(c liaison.CollectionID, index uint64) error

	// Erase takes ID, Version, Type, Same, Salt and Bytes of the entry at index
	// away and sets Erased. Everything else of it stays, whether it is hidden and
	// what it hides among it. When Update returns, no View that starts afterwards
	// yields what was taken away; the files hold it until Scrub returns. Erasing
	// an entry again changes nothing.
	Erase(c liaison.CollectionID, index uint64) error

	// Put sets the value of a key.
	Put(bucket, key string, value []byte) error

	// Delete removes a key, if it is there.
	Delete(bucket, key string) error
}

// Position is where a collection's log ends.
type Position struct {
	Size       uint64          // number of entries
	Added      liaison.Instant // of the last one
	Generation uint32          // of the log, from 1; 0 without entries. Opens changes it
}

// Opens returns the generation that a log has after entries, if it had one
// before them: an entry of kind opened begins the one after that which its leaf
// names. ErrOrder if that does not come later.
func Opens(before uint32, entries []Entry) (after uint32, err error) {
	after = before
	for i := range entries {
		if entries[i].Kind != liaison.KindOpened {
			continue
		}
		leaf, err := liaison.ParseLeaf(entries[i].Leaf)
		switch {
		case err != nil:
			return after, fmt.Errorf("index %d: %w", entries[i].Index, err)
		case leaf.Prev == nil || leaf.Prev.Origin.Generation < after:
			return after, fmt.Errorf("%w: index %d opens no generation after %d", ErrOrder, entries[i].Index, after)
		}
		after = leaf.Prev.Origin.Generation + 1
	}
	return after, nil
}

// Part says what is loaded of an entry beside what it is found by: Index,
// Added, Kind, ID, Version, Type, Hidden, By and Erased always are. Parts combine
// with |.
type Part uint8

// The parts of an entry.
const (
	Bytes Part = 1 << iota // Bytes
	Proof                  // Leaf, Act, ActHash, Salt, Batch, Consent, Hops
	Tree                   // Hashes

	Meta Part = 0
	Full      = Bytes | Proof | Tree
)

// Entry is one line of a collection's log. What a yield function gets is the
// engine's: the Entry and its byte slices are valid during that call, and until
// the transaction writes; its strings and Hashes may be kept. Absent and empty
// byte strings are the same: nil.
type Entry struct {
	Index uint64
	Added liaison.Instant
	Kind  liaison.Kind

	// Of the STIX object; empty where the leaf has none.
	ID, Version, Type string

	// Same is a number that entries of one object have in common if they are
	// one version of it. FindSame finds by it; no walk sets it.
	Same uint64

	// Hidden says that the entry at index By supersedes this one. Hide sets
	// them; Append ignores them.
	Hidden bool
	By     uint64

	// Erased says that ID, Version, Type, Salt and Bytes were taken away. Erase
	// sets it; Append ignores it.
	Erased bool

	Bytes []byte // the object, as accepted

	Leaf    []byte       // canonical JSON
	Act     []byte       // canonical JSON
	ActHash liaison.Hash // what FindAct finds; zero where the leaf names no act
	Salt    liaison.Hash
	Batch   []byte // the encoded batch proof
	Consent []byte
	Hops    []byte

	// Hashes are the stored hashes that this leaf completes, as
	// tlog.StoredHashesForRecordHash returns them: level 0 first.
	Hashes []liaison.Hash
}
