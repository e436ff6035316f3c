package store

import (
	"context"
	"time"

	"github.com/liaison-office/liaison"
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

// Compacter gives back space.
type Compacter interface {
	// Compact gives the room of what was removed back to others. Full rewrites
	// the tables. Whoever is ended in the middle of it, nothing is lost.
	Compact(ctx context.Context, full bool) error
}

// Measurer counts what is there.
type Measurer interface {
	// Measure reads everything once.
	Measure(ctx context.Context) (*Measure, error)
}

// Clock is the clock of the machine on which the database is.
type Clock interface {
	Clock(ctx context.Context) (time.Time, error)
}

// Measure is what a store holds, and the room it takes.
type Measure struct {
	Engine string `json:"engine"` // with its version
	Schema int    `json:"schema"` // number of its last migration
	Newest int    `json:"newest"` // number of the last one that this version knows

	Collections []CollectionMeasure `json:"collections"`
	States      uint64              `json:"states"`
	StateBytes  uint64              `json:"state_bytes"`

	Files []FileMeasure `json:"files"` // or tables with their indexes
	Free  int64         `json:"free"`  // bytes of them that compacting gives back, as far as the engine knows; -1 if it does not
}

// CollectionMeasure counts the entries of a collection.
type CollectionMeasure struct {
	ID          liaison.CollectionID `json:"id"`
	Name        string               `json:"name,omitzero"` // for people
	Entries     uint64               `json:"entries"`
	Hidden      uint64               `json:"hidden"`
	Erased      uint64               `json:"erased"`
	ObjectBytes uint64               `json:"object_bytes"` // of objects, as they are served
	Bytes       uint64               `json:"bytes"`        // of everything that is kept of the entries
}

// FileMeasure is the size of a file or table, in bytes.
type FileMeasure struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}
