package office

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/postgres"
	"github.com/liaison-office/liaison/internal/store/sqlite"
)

// Place is where something is kept: a folder, or a PostgreSQL database as a URL
// or as settings. A password may be in it, so whatever prints a Place prints
// where the database is and nothing else of it.
type Place string

func (p Place) isDatabase() bool { return postgres.IsDatabase(string(p)) }

// String implements fmt.Stringer.
func (p Place) String() string {
	if !p.isDatabase() {
		return string(p)
	}
	name, err := postgres.Name(string(p))
	if err != nil {
		return "a database"
	}
	return "PostgreSQL, " + name
}

// GoString implements fmt.GoStringer.
func (p Place) GoString() string { return p.String() }

// MarshalText implements encoding.TextMarshaler.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// check says why this cannot be a place.
func (p Place) check() error {
	if !p.isDatabase() {
		return nil
	}
	_, err := postgres.Name(string(p))
	return err
}

// checkStore says why this cannot be the place of a store.
func (p Place) checkStore() error {
	if p != "" && !p.isDatabase() {
		return errors.New(`want a PostgreSQL database, such as "postgres://liaison@db.example.org/liaison"; without this key the store is SQLite in ` + storeDir + "/")
	}
	return p.check()
}

// engine is the office's database.
type engine interface {
	store.Store
	store.Checker
}

// openEngine opens the store that the configuration names.
func (o *Office) openEngine(ctx context.Context, opt Options) (engine, error) {
	limits := o.Config.Limits.withDefaults()
	if o.Config.Store == "" {
		return sqlite.Open(filepath.Join(o.Dir, storeDir), sqlite.Config{Log: o.Log, ReadOnly: opt.ReadOnly, Readers: limits.Readers})
	}
	return postgres.Open(ctx, string(o.Config.Store), postgres.Config{
		Log: o.Log, ReadOnly: opt.ReadOnly, Readers: limits.Readers, Writers: limits.Writers,
	})
}

// openAnchor opens the place of the newest checkpoints.
func (o *Office) openAnchor(ctx context.Context, opt Options) (journal.Anchor, error) {
	if !o.Config.Anchor.isDatabase() {
		return journal.AnchorDir(o.Config.anchorDir(o.Dir)), nil
	}
	engine, _ := o.engine.(*postgres.Store)
	a, err := postgres.OpenAnchors(ctx, string(o.Config.Anchor), o.Config.Office, engine, postgres.Config{Log: o.Log, ReadOnly: opt.ReadOnly})
	if err != nil {
		return nil, err
	}
	return anchorDatabase{a}, nil
}

// makeAnchor sees that the place of the newest checkpoints is there, and makes it
// if it is new.
func (o *Office) makeAnchor(ctx context.Context) error {
	a, err := o.openAnchor(ctx, Options{})
	if err != nil {
		return err
	}
	if _, err = a.Logs(); err != nil {
		err = fmt.Errorf("list the checkpoints kept outside the store: %w", err)
	}
	if c, ok := a.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// anchorDatabase is journal.Anchor in PostgreSQL.
type anchorDatabase struct{ *postgres.Anchors }

// Logs implements journal.Anchor.
func (a anchorDatabase) Logs() (list []journal.Log, err error) {
	origins, err := a.Origins()
	for _, o := range origins {
		list = append(list, journal.Log{Collection: o.Collection, Generation: o.Generation})
	}
	return list, err
}

// StoreName says where the office's store is.
func (o *Office) StoreName() string {
	return cmp.Or(o.Config.Store, Place(filepath.Join(o.Dir, storeDir))).String()
}

// schema returns the number of the last migration of the store, which is 0 where
// there is none yet, and of the newest that this version knows.
func (o *Office) schema(ctx context.Context) (version, newest int, err error) {
	if o.Config.Store == "" {
		return sqlite.Schema(filepath.Join(o.Dir, storeDir))
	}
	return postgres.Schema(ctx, string(o.Config.Store))
}
