package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
)

// Anchors keeps the newest signed checkpoint of each log of an office, for
// processes on several machines: in a database of another server than the store's,
// as what takes one back in time must not take the other.
//
// anchors/ is its schema. Several offices may share the database.
type Anchors struct {
	s      *Store // has no writers
	office liaison.Office

	mu    sync.Mutex
	asked time.Time // when the database last answered, or did not; guarded by mu
	why   error     // it did not; guarded by mu
}

const (
	anchorConnections = 4
	anchorPatience    = 5 * time.Second // somebody holds a transaction of the store meanwhile
	readyFor          = time.Second     // Ready believes an answer for as long
)

// ErrSameDatabase refuses to keep checkpoints where the store is.
var ErrSameDatabase = errors.New("the checkpoints are to be kept in the database of the store, and would go back in time with it: name one of another server")

// OpenAnchors opens the place of an office's checkpoints, and makes its tables if
// there are none. Of store, the database of the office's store, it must be
// another; the same server is a warning. The store may be of another engine: nil.
func OpenAnchors(ctx context.Context, database string, office liaison.Office, store *Store, config Config) (*Anchors, error) {
	config.fill()
	config.Writers = 0
	a := &Anchors{s: &Store{Config: config, closed: make(chan struct{})}, office: office}
	c, err := a.s.address(database)
	if err != nil {
		return nil, fmt.Errorf("open the place of checkpoints: %w", err)
	}
	a.s.presence.is = "the database of the checkpoints kept outside the store"
	a.s.survey(ctx, c)
	if a.s.reading, err = newPool(ctx, c, anchorConnections, nil); err == nil {
		err = a.adopt(ctx, store)
	}
	if err != nil {
		a.s.closePools()
		return nil, fmt.Errorf("open the place of checkpoints, %s: %w", a.s.name, explain(err))
	}
	return a, nil
}

func (a *Anchors) adopt(ctx context.Context, store *Store) error {
	if store != nil {
		if err := a.apart(ctx, store); err != nil {
			return err
		}
	}
	if a.s.ReadOnly {
		return a.s.onReader(ctx, anchorSchema.recognise)
	}
	return a.s.onReader(ctx, anchorSchema.adopt)
}

// apart refuses the database of the store, and warns of its server.
func (a *Anchors) apart(ctx context.Context, store *Store) error {
	var here, there identity
	err := a.s.onReader(ctx, here.read)
	if err == nil {
		err = store.onReader(ctx, there.read)
	}
	switch {
	case err != nil:
		return err
	case here == there && a.s.name == store.name, here == there && here.cluster != "":
		return refusal(ErrSameDatabase.Error())
	case here.cluster == there.cluster && here.cluster != "":
		a.s.Log.Warn("the checkpoints are kept on the server of the store: a restored copy of that server takes both back in time, and nobody notices; name a database of another server", "store", store.name, "anchor", a.s.name)
	}
	return nil
}

// identity is which database of which cluster one is: a standby and its primary
// are one cluster. Of a server that does not say, nothing is known.
type identity struct{ cluster, database string }

func (i *identity) read(ctx context.Context, c *pgx.Conn) error {
	err := c.QueryRow(ctx, "SELECT system_identifier::text, oid::text FROM pg_control_system(), pg_database WHERE datname = current_database()").Scan(&i.cluster, &i.database)
	if isUndone(err) {
		return nil
	}
	return err
}

// Close ends the connections.
func (a *Anchors) Close() error { return a.s.Close() }

// Load returns the note that is kept of a log.
func (a *Anchors) Load(o liaison.Origin) (note string, ok bool, err error) {
	err = a.try(func(ctx context.Context, c *pgx.Conn) error {
		err := c.QueryRow(ctx, loadNote, a.office, o.Collection[:], int64(o.Generation)).Scan(&note)
		ok = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return note, ok, err
}

const (
	loadNote = "SELECT note FROM anchors WHERE office = $1 AND collection = $2 AND generation = $3"

	// A row that stays as it is is locked all the same: what loadNote then reads in
	// the same transaction is the note that stands.
	saveNote = `INSERT INTO anchors (office, collection, generation, size, root, note) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (office, collection, generation) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, at = now()
		WHERE anchors.size < excluded.size OR anchors.size = excluded.size AND anchors.root = excluded.root`
)

// Save keeps a note, unless one of a later size is kept, or of the same with
// another root. kept is the one that is there afterwards.
func (a *Anchors) Save(o liaison.Origin, note string) (kept string, err error) {
	cp, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return "", err
	}
	err = a.try(func(ctx context.Context, c *pgx.Conn) error {
		warning(c.PgConn())
		var b pgx.Batch
		b.Queue(saveNote, a.office, o.Collection[:], int64(o.Generation), int64(cp.Size), cp.Root[:], note)
		b.Queue(loadNote, a.office, o.Collection[:], int64(o.Generation)).QueryRow(func(row pgx.Row) error { return row.Scan(&kept) })
		if err := c.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		if said := warning(c.PgConn()); said != "" {
			return errors.New(said) // a standby may not have it
		}
		return nil
	})
	return kept, err
}

// Ready says why no note could be kept now. An answer is believed for a moment.
func (a *Anchors) Ready() error {
	a.mu.Lock()
	fresh, why := time.Since(a.asked) < readyFor, a.why
	a.mu.Unlock()
	if fresh {
		return why
	}
	return a.try(func(ctx context.Context, c *pgx.Conn) error { return c.Ping(ctx) })
}

// Origins lists the logs of which a note is kept.
func (a *Anchors) Origins() (list []liaison.Origin, err error) {
	err = a.try(func(ctx context.Context, c *pgx.Conn) error {
		rows, err := c.Query(ctx, "SELECT collection, generation FROM anchors WHERE office = $1", a.office)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (liaison.Origin, error) {
			var id []byte
			o := liaison.Origin{Office: a.office}
			err := row.Scan(&id, &o.Generation)
			if err == nil && len(id) != len(o.Collection) {
				err = fmt.Errorf("collection %x has no id", id)
			}
			copy(o.Collection[:], id)
			return o, err
		})
		return err
	})
	return list, err
}

// try runs fn, which may run again: doing it twice is doing it once.
func (a *Anchors) try(fn func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*anchorPatience)
	defer cancel()
	err := a.s.presence.insist(ctx, anchorPatience, func() error { return a.s.onReader(ctx, fn) })
	if err != nil {
		err = fmt.Errorf("%s: %w", a.s.name, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked, a.why = time.Now(), err
	return err
}
