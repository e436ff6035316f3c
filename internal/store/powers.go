package store

import (
	"context"
	"time"
)

// The optional powers of an engine, beside Listener.

// LongViewer reads for long.
type LongViewer interface {
	// LongView is a View that may last: it takes no connection from others and
	// keeps no writer waiting. What it keeps the engine from reclaiming, the
	// engine says in its log.
	LongView(ctx context.Context, fn func(v View) error) error
}

// Clearer empties a store.
type Clearer interface {
	// Clear removes everything and runs fn, in one transaction that is alone.
	Clear(ctx context.Context, fn func(tx Tx) error) error
}

// Unchecker says what Checker cannot see.
type Unchecker interface {
	// Unchecked returns a sentence for each thing that Check does not look at, and
	// that the operator can change.
	Unchecked(ctx context.Context) ([]string, error)
}

// Compacter gives back space.
type Compacter interface {
	// Compact makes room of what was removed. Rewrite makes the files smaller
	// where that keeps others waiting. Whoever is ended in the middle of it,
	// nothing is lost.
	Compact(ctx context.Context, rewrite bool) error
}

// Measurer says what an engine takes.
type Measurer interface {
	Room(ctx context.Context) (*Room, error)
}

// Room is what an engine is and the room it takes.
type Room struct {
	Engine string `json:"engine"` // with its version
	Schema int    `json:"schema"` // number of its last migration
	// Files are those of the database, or its tables with their indexes.
	Files []File `json:"files"`
	// Free is how many bytes of them hold nothing; -1 if the engine does not say.
	Free int64 `json:"free"`
}

// File is the size of a file or a table, in bytes.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Clock is the clock of the machine on which the database is.
type Clock interface {
	Clock(ctx context.Context) (time.Time, error)
}
