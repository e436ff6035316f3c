// Package backup copies a store into one file and back: from any engine into
// any engine.
//
// # Invariants
//
//   - A backup is one snapshot (store.View): what was committed before it began,
//     whole, and nothing that came later.
//   - A file that is cut short, or of which a byte has changed, is refused, with
//     the place. It is known before the store says that it is whole.
//   - A restore goes into an empty store, and into one that says that an earlier
//     restore was interrupted. From its first transaction to its last the store
//     says so (store.RestoreMark), and no office opens it.
//   - Memory does not grow with the store: blocks, batches and transactions are
//     bounded.
//
// # The file
//
// docs/backup.md has every byte of it. A header line, then blocks of records,
// each a zstd frame followed by the SHA-256 of everything up to there. The last
// record says how much there was of everything.
//
// # What it does not do
//
// It knows no keys and no formats: what it copies is opaque to it. It keeps
// nothing that follows from the rest: which version of an object an entry is
// (Entry.Same) is computed anew by the journal. Whether hashes are those of the
// leaves is the journal's to say (journal.Check).
package backup

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/liaison-office/liaison"
)

// Format is the number of the format that is written, and the newest that is
// read.
const Format = 1

// magic is how every backup begins; the number of its format follows.
const magic = "liaison/backup/"

// Is reports whether what r gives begins as a backup does.
func Is(r io.Reader) bool {
	begin := make([]byte, len(magic))
	_, err := io.ReadFull(r, begin)
	return err == nil && string(begin) == magic
}

// Limits of what is read and written, in bytes.
const (
	blockSize = 1 << 20   // records are gathered until a block has so many
	maxRecord = 256 << 20 // a record, and so a value of keyed state
	maxBlock  = maxRecord + 2*blockSize
	maxHeader = 64 << 10
)

// Header says what a backup is of.
type Header struct {
	Office  liaison.Office  `json:"office"`
	At      liaison.Instant `json:"at"`      // everything acknowledged before is in it
	Schema  int             `json:"schema"`  // store.Schema of the office that wrote it
	Engine  string          `json:"engine"`  // which it came from, with its version; for people
	Program string          `json:"program"` // version of liaison; for people
	// Keys are the public keys of the office, by use: the private ones are not in
	// a backup, and a restored store is of no use with others.
	Keys map[string]liaison.Binary `json:"keys"`
}

// Summary counts what is in a backup.
type Summary struct {
	Collections int    `json:"collections"`
	Entries     uint64 `json:"entries"`
	Hidden      uint64 `json:"hidden"`
	Erased      uint64 `json:"erased"`
	States      uint64 `json:"states"`
	// Bytes of the records, not compressed. The end of a file leaves itself out.
	Bytes uint64 `json:"bytes"`
}

// Errors that callers tell apart.
var (
	// ErrDamaged says that a file is not what was written.
	ErrDamaged = errors.New("the backup is damaged: take another one")
	// ErrCut says that a file ends before its end.
	ErrCut = errors.New("the backup is cut short: take another one, or copy it again")
	// ErrNewer says that a newer version of liaison wrote the file.
	ErrNewer = errors.New("a newer version of liaison has written this backup: use that version")
	// ErrNotEmpty says that a store holds something already.
	ErrNotEmpty = errors.New("the store is not empty, and a backup is restored into an empty one")
	// ErrOtherOffice says that the backup is of another office.
	ErrOtherOffice = errors.New("the backup is of another office")
)

// chain is the SHA-256 of all that came before.
type chain [sha256.Size]byte

func (c *chain) add(parts ...[]byte) {
	h := sha256.New()
	h.Write(c[:])
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(c[:0])
}

func (c chain) String() string { return fmt.Sprintf("%x", c[:]) }

// kind tells records apart.
type kind byte

// The records, in the order of a file: buckets each with its states, then
// collections each with its entries and what hides some of them, then the end.
const (
	isBucket     kind = 1 + iota // its name
	isState                      // key, value
	isCollection                 // id, generation, size
	isEntry                      // the next of the collection
	isHidden                     // index, by
	isEnd                        // Summary
)
