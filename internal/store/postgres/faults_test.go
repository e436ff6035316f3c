package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// cutConn is a connection to which something happens when it carries COMMIT.
type cutConn struct {
	net.Conn
	at   *cut
	on   atomic.Bool // this COMMIT is the one
	deaf atomic.Bool // its owner believes to write and to close
}

// cut says what happens to the next COMMIT once it is armed.
type cut struct {
	armed atomic.Bool
	write func(c *cutConn, b []byte) (int, error)
	read  func(c *cutConn, b []byte) (int, error)
}

func (c *cut) wrap(conn net.Conn) net.Conn { return &cutConn{Conn: conn, at: c} }

func (c *cutConn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("COMMIT; NOTIFY")) && c.at.armed.CompareAndSwap(true, false) {
		c.on.Store(true)
		return c.at.write(c, b)
	}
	if c.deaf.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *cutConn) Close() error {
	if c.deaf.Load() {
		return nil
	}
	return c.Conn.Close()
}

func (c *cutConn) Read(b []byte) (int, error) {
	if c.on.Load() {
		return c.at.read(c, b)
	}
	return c.Conn.Read(b)
}

// deliver, swallow and answerLost are what becomes of a COMMIT and its answer.
func deliver(c *cutConn, b []byte) (int, error)    { return c.Conn.Write(b) }
func swallow(c *cutConn, b []byte) (int, error)    { c.Conn.Close(); return len(b), nil }
func answerLost(c *cutConn, b []byte) (int, error) { c.Conn.Read(b); return 0, io.ErrUnexpectedEOF }
func nothingRead(*cutConn, []byte) (int, error)    { return 0, io.ErrUnexpectedEOF }

func TestACommitThatDidNotArriveIsToldAsSuchAndTheStoreGoesOn(t *testing.T) {
	at := &cut{write: swallow, read: nothingRead}
	s, l := cutStore(t, at)
	ahead := *l
	at.armed.Store(true)
	err := appendTo(s, l.Collection, ahead.Next(5))
	if !errors.Is(err, errLost) || errors.Is(err, store.ErrBroken) {
		t.Fatal(err)
	}
	if n := sizeOf(t, s, l.Collection); n != 10 {
		t.Fatalf("%d entries are there, want 10", n)
	}
	fill(t, s, l, 5)
}

func TestACommitWhoseAnswerIsLostIsFoundOut(t *testing.T) {
	at := &cut{write: deliver, read: answerLost}
	s, l := cutStore(t, at)
	at.armed.Store(true)
	fill(t, s, l, 5)
	if n := sizeOf(t, s, l.Collection); n != 15 || at.armed.Load() {
		t.Fatalf("%d entries are there, want 15", n)
	}
	fill(t, s, l, 5)
}

// The message is still under way when the connection is lost: the transaction
// lives, and may yet commit.
func TestACommitThatArrivesLateIsWaitedFor(t *testing.T) {
	for _, arrives := range []bool{true, false} {
		late := make(chan func(), 1)
		at := &cut{read: nothingRead}
		at.write = func(c *cutConn, b []byte) (int, error) {
			message, conn := bytes.Clone(b), c.Conn
			c.deaf.Store(true)
			late <- func() {
				if arrives {
					conn.Write(message)
				}
				conn.Close()
			}
			return len(b), nil
		}
		s, l := cutStore(t, at)
		done := make(chan error)
		at.armed.Store(true)
		go func() { done <- appendTo(s, l.Collection, l.Next(5)) }()
		go func() {
			end := <-late
			pgtest.Until(t, pgtest.Fast(t), "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO commits%'")
			end()
		}()
		err, want := <-done, uint64(10)
		if arrives {
			want = 15
		}
		if n := sizeOf(t, s, l.Collection); n != want || (err == nil) != arrives {
			t.Fatalf("arrives %v: %v, and %d entries are there", arrives, err, n)
		}
	}
}

func cutStore(t *testing.T, at *cut) (*Store, *storetest.Log) {
	t.Helper()
	s := openTest(t, pgtest.Schema(t, pgtest.Fast(t)), Config{unsynced: true, wrap: at.wrap})
	l := storetest.NewLog(1)
	fill(t, s, l, 10)
	return s, l
}

func TestALostCommitThatNobodyKnowsOfBreaksTheStore(t *testing.T) {
	server := pgtest.Durable(t)
	database := pgtest.Schema(t, server)
	at := &cut{read: nothingRead}
	at.write = func(c *cutConn, b []byte) (int, error) {
		server.Kill()
		return len(b), nil
	}
	s := openTest(t, database, Config{wrap: at.wrap, Patience: time.Millisecond})
	l := storetest.NewLog(1)
	fill(t, s, l, 10)
	ahead := *l
	at.armed.Store(true)
	if err := appendTo(s, l.Collection, ahead.Next(5)); !errors.Is(err, store.ErrBroken) {
		t.Fatal(err)
	}
	pgtest.Start(t, server)
	if err := appendTo(s, l.Collection, ahead.Entries[10:]); !errors.Is(err, store.ErrBroken) {
		t.Fatalf("it writes on: %v", err)
	}
	for away := store.ErrAway; errors.Is(away, store.ErrAway); { // it does not wait, and says so while its old connections end
		away = s.View(t.Context(), func(store.View) error { return nil })
	}
	if n := sizeOf(t, s, l.Collection); n != 10 {
		t.Fatalf("%d entries are read, want 10", n)
	}
	fill(t, openTest(t, database, Config{}), l, 5)
}

// A server that waits for standbys has committed by itself: what it is made to
// give up waiting for may be gone with it.
func TestACommitThatNoStandbyHasIsNotAcknowledged(t *testing.T) {
	for name, end := range map[string]string{"cancelled": "pg_cancel_backend", "terminated": "pg_terminate_backend"} {
		for _, comes := range []bool{true, false} {
			server := pgtest.Durable(t)
			config := Config{}
			if !comes {
				config.Patience = 300 * time.Millisecond
			}
			s := openTest(t, pgtest.Schema(t, server), config)
			l := storetest.NewLog(1)
			fill(t, s, l, 10)
			pgtest.Run(t, server, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
			pgtest.Until(t, server, "SELECT current_setting('synchronous_standby_names') = 'nobody'")
			done := make(chan error)
			go func() { done <- appendTo(s, l.Collection, l.Next(5)) }()
			pgtest.Until(t, server, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'COMMIT%'")
			pgtest.Run(t, server, "SELECT "+end+"(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'COMMIT%'")
			if comes {
				pgtest.Until(t, server, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'INSERT INTO commits%'")
				pgtest.Run(t, server, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
				if err := <-done; err != nil {
					t.Errorf("%s: a standby came and it is %v", name, err)
				}
			} else if err := <-done; !errors.Is(err, store.ErrBroken) {
				t.Errorf("%s: no standby has it and the answer is %v", name, err)
			}
			pgtest.Run(t, server, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
			if n := sizeOf(t, s, l.Collection); n != 15 {
				t.Errorf("%s: %d entries are read, want 15", name, n)
			}
		}
	}
}

const (
	serverKills = 4
	killUpdates = 60 // between two kills
	killGroup   = 5  // entries
)

func TestAKilledServerLosesNothingAcknowledged(t *testing.T) {
	server := pgtest.Durable(t)
	s := openTest(t, pgtest.Schema(t, server), Config{})
	logs := []*storetest.Log{storetest.NewLog(1), storetest.NewLog(2)}
	var updates atomic.Int64
	due := make(chan bool, serverKills)
	var writing sync.WaitGroup
	for _, l := range logs {
		l.Next(serverKills * killUpdates * killGroup)
		writing.Go(func() { writeThrough(t, s, l, &updates, due) })
	}
	for range serverKills {
		<-due
		server.Kill()
		pgtest.Start(t, server)
	}
	writing.Wait()
	for _, l := range logs {
		if n := checkLog(t, s, l); n != uint64(len(l.Entries)) {
			t.Errorf("%d entries are there, %d were acknowledged", n, len(l.Entries))
		}
	}
}

// writeThrough writes a whole log, whatever becomes of the server: an error
// says that nothing was written, and the same is written again. It says when
// the server is due.
func writeThrough(t *testing.T, s store.Store, l *storetest.Log, updates *atomic.Int64, due chan bool) {
	for n := 0; n < len(l.Entries); {
		err := appendTo(s, l.Collection, l.Entries[n:n+killGroup])
		switch {
		case errors.Is(err, store.ErrBroken), errors.Is(err, store.ErrOrder):
			t.Error(err) // it did not find out, or what it found was wrong
			due <- true
			return
		case err == nil:
			n += killGroup
			if updates.Add(1)%killUpdates == killUpdates/2 && len(due) < cap(due) {
				due <- true
			}
		}
	}
}

// checkLog compares what is there with the beginning of a log.
func checkLog(t *testing.T, s store.Store, l *storetest.Log) uint64 {
	t.Helper()
	n := uint64(0)
	err := s.View(context.Background(), func(v store.View) error {
		p, err := v.Position(l.Collection)
		if err != nil {
			return err
		}
		err = v.Range(l.Collection, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
			want := &l.Entries[n]
			if e.Index != n || e.Added != want.Added || !bytes.Equal(e.Bytes, want.Bytes) || !bytes.Equal(e.Leaf, want.Leaf) {
				return errors.New("another entry is there")
			}
			n++
			return nil
		})
		if err == nil && n != p.Size {
			err = errors.New("the position is another")
		}
		return err
	})
	if err != nil {
		t.Fatalf("index %d: %v", n, err)
	}
	return n
}

// Two processes append to one collection and to one of their own each, while
// readers follow by index and by instant.
func TestProcessesOnOneDatabaseKeepTheOrder(t *testing.T) {
	database := pgtest.Schema(t, pgtest.Fast(t))
	const each, group = 150, 3
	common := storetest.NewLog(1)
	stores := []*Store{openTest(t, database, Config{unsynced: true}), openTest(t, database, Config{unsynced: true})}
	var writing, reading sync.WaitGroup
	for i, s := range stores {
		own := storetest.NewLog(uint64(10 + i))
		reading.Go(func() { follow(t, s, common.Collection, 2*each*group) })
		for range 2 {
			writing.Go(func() {
				for range each / 2 {
					both := []liaison.CollectionID{common.Collection, own.Collection}
					err := s.Update(context.Background(), store.Lock{Collections: both}, func(tx store.Tx) error {
						return errors.Join(appendNext(tx, common.Collection, group), appendNext(tx, own.Collection, 1))
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	writing.Wait()
	if t.Failed() {
		t.FailNow()
	}
	reading.Wait()
	for i, s := range stores {
		if n := sizeOf(t, s, storetest.NewLog(uint64(10+i)).Collection); n != each {
			t.Errorf("its own log has %d entries, want %d", n, each)
		}
	}
}

// appendNext appends n entries where the log ends, as its lock shows it.
func appendNext(tx store.Tx, c liaison.CollectionID, n int) error {
	p, err := tx.Position(c)
	if err != nil {
		return err
	}
	es := make([]store.Entry, n)
	for i := range es {
		es[i] = store.Entry{Index: p.Size + uint64(i), Added: p.Added + 1 + liaison.Instant(i), Kind: liaison.KindClosed}
	}
	return tx.Append(c, es)
}

// follow reads a log by the instant of the last entry alone until it has seen
// so many, each once.
func follow(t *testing.T, s store.Store, c liaison.CollectionID, want int) {
	seen, last := uint64(0), liaison.Instant(0)
	for seen < uint64(want) && !t.Failed() {
		err := s.View(context.Background(), func(v store.View) error {
			from, err := v.IndexAfter(c, last)
			if err != nil {
				return err
			}
			return v.Range(c, from, store.MaxEntries, store.Meta, func(e *store.Entry) error {
				if e.Index != seen || e.Added <= last {
					t.Errorf("index %d follows %d", e.Index, seen)
				}
				seen, last = e.Index+1, e.Added
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
	}
}
