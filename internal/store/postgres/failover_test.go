package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/pgserver"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/internal/store/storetest"
)

// pair is a primary and its synchronous standby.
func pair(t *testing.T) (primary, standby *pgserver.Server, database string) {
	t.Helper()
	config := pgserver.Config{Durable: true}
	primary = pgtest.New(t, config)
	standby = pgtest.Standby(t, primary, config)
	if err := primary.Synchronous(t.Context()); err != nil {
		t.Fatal(err)
	}
	return primary, standby, pgserver.URL([]*pgserver.Server{primary, standby})
}

const failoverUpdates = 60

func TestAFailoverLosesNothingAcknowledged(t *testing.T) {
	primary, standby, database := pair(t)
	s := openTest(t, database, Config{})
	var writing sync.WaitGroup
	var updates atomic.Int64
	half := make(chan bool, 2)
	logs := [][2]*storetest.Log{{storetest.NewLog(1), storetest.NewLog(2)}, {storetest.NewLog(3), storetest.NewLog(4)}}
	for _, both := range logs {
		writing.Go(func() { writeBoth(t, s, both, &updates, half) })
	}
	<-half
	primary.Kill()
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	writing.Wait()
	for _, both := range logs {
		for _, l := range both {
			if n := checkLog(t, s, l); n != uint64(len(l.Entries)) {
				t.Errorf("%d entries are there, %d were acknowledged", n, len(l.Entries))
			}
		}
	}
	theOldPrimaryIsNotUsed(t, s, primary, standby, database)
}

// writeBoth appends to two logs in each Update. What failed is written again:
// if half of it were there, or all of it, it would be out of order.
func writeBoth(t *testing.T, s store.Store, both [2]*storetest.Log, updates *atomic.Int64, half chan bool) {
	a, b := both[0].Next(failoverUpdates*killGroup), both[1].Next(failoverUpdates*killGroup)
	lock := store.Lock{Collections: []liaison.CollectionID{both[0].Collection, both[1].Collection}}
	for n := 0; n < len(a); {
		err := s.Update(context.Background(), lock, func(tx store.Tx) error {
			return errors.Join(tx.Append(lock.Collections[0], a[n:n+killGroup]), tx.Append(lock.Collections[1], b[n:n+killGroup]))
		})
		switch {
		case errors.Is(err, store.ErrBroken), errors.Is(err, store.ErrOrder):
			t.Error(err)
			half <- true
			return
		case err == nil:
			n += killGroup
			if updates.Add(1) == failoverUpdates {
				half <- true
			}
		}
	}
}

// theOldPrimaryIsNotUsed: it comes back as a primary of its own, first in the
// list of hosts, and the new one goes away.
func theOldPrimaryIsNotUsed(t *testing.T, s *Store, old, primary *pgserver.Server, database string) {
	t.Helper()
	pgtest.Run(t, primary, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'liaison'")
	pgtest.Start(t, old)
	pgtest.Run(t, old, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
	pgtest.Until(t, old, "SELECT NOT pg_is_in_recovery() AND current_setting('synchronous_standby_names') = ''")
	impatient := openTest(t, database, Config{Patience: 200 * time.Millisecond})
	l := storetest.NewLog(9)
	fill(t, s, l, 5)
	fill(t, impatient, l, 5)
	primary.Kill()
	ahead := *l
	err := appendTo(impatient, l.Collection, ahead.Next(5))
	if err == nil || errors.Is(err, store.ErrBroken) || !strings.Contains(err.Error(), "this primary is on timeline 1, and timeline 2 was seen") {
		t.Error(err)
	} else {
		t.Log(err)
	}
	err = impatient.View(context.Background(), func(store.View) error { return nil })
	if err == nil {
		t.Error("the old primary is read")
	}
	pgtest.Start(t, primary)
	err = store.ErrAway
	for es := l.Next(5); errors.Is(err, store.ErrAway); { // what is impatient is told so while its old connections end
		err = appendTo(impatient, l.Collection, es)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := checkLog(t, s, l); n != 15 {
		t.Errorf("%d entries are there, want 15", n)
	}
	old.Stop()
}

// A standby is promoted while its primary lives on, which is what fencing is
// against: whoever hears of it leaves.
func TestAStoreLeavesAPrimaryThatWasReplaced(t *testing.T) {
	old := pgtest.New(t, pgserver.Config{})
	primary := pgtest.Standby(t, old, pgserver.Config{})
	s := openTest(t, pgserver.URL([]*pgserver.Server{primary, old}), Config{unsynced: true})
	l := storetest.NewLog(1)
	fill(t, s, l, 5)
	sizeOf(t, s, l.Collection)
	if err := errors.Join(old.CaughtUp(t.Context()), primary.Promote(t.Context())); err != nil {
		t.Fatal(err)
	}
	err := s.View(t.Context(), func(store.View) error { // keeps its connection, so that there is need of another
		return s.View(t.Context(), func(store.View) error { return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, l, 5)
	pgtest.Until(t, primary, "SELECT size = 10 FROM collections")
	pgtest.Until(t, old, "SELECT size = 5 FROM collections")
}

func TestAnotherClusterIsNotTakenForThisOne(t *testing.T) {
	var p past
	for _, c := range []struct {
		l       lineage
		next    bool
		refused string
	}{
		{lineage{}, false, ""}, // it does not say
		{lineage{"7", 3}, false, ""},
		{lineage{"7", 3}, false, ""},
		{lineage{"7", 2}, false, "timeline 2"},
		{lineage{"8", 9}, false, "cluster 8"},
		{lineage{"7", 5}, true, ""},
		{lineage{"7", 4}, false, "timeline 4"},
		{lineage{}, false, ""},
	} {
		next, err := p.see(c.l)
		if next != c.next || (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%+v: %v, %v", c.l, next, err)
		}
	}
}
