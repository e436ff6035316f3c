package desk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

// followBy takes pages of so many leaves until one is not taken or nothing is
// new.
func followBy(t *testing.T, o, from *Office, c liaison.CollectionID, limit int) error {
	t.Helper()
	for {
		b, ok, err := o.Page(context.Background(), from, c, limit)
		if err != nil || !ok {
			return err
		}
		if _, err := o.Take(context.Background(), from, b); err != nil {
			return err
		}
	}
}

// TestWhatExceedsTheRoomToWaitStaysWithTheNeighbourUntilTheCharterComes: the
// follower's position never passes what could not be kept, a restart changes
// nothing, charters come all the same, and then everything follows.
func TestWhatExceedsTheRoomToWaitStaysWithTheNeighbourUntilTheCharterComes(t *testing.T) {
	clock := NewClock()
	seoul, tokyo := alone(t, Seoul, Options{Clock: clock}), New(t, Tokyo, Options{Clock: clock, Waiting: 7})
	tokyo.Found(t, "register")
	c, charter := Collection("trial", "cyber"), Collection("trial", "charter")
	for i := range 20 {
		seoul.Post(t, "Korea", c, note(fmt.Sprint(i), 1, stix.Green))
	}
	standsAt := func(want uint64) {
		t.Helper()
		p, err := tokyo.Desk.Read(context.Background(), registry.Neighbour(Seoul), desk.Query{What: desk.Position, Origin: seoul.Origin(c)})
		if err != nil || p.Follow.Size != want || len(undelivered(t, tokyo)) != int(want) {
			t.Errorf("tokyo stands at %d and keeps %d: want %d (%v)", p.Follow.Size, len(undelivered(t, tokyo)), want, err)
		}
	}
	err := followBy(t, tokyo, seoul, c, 3)
	if !errors.Is(err, desk.ErrWaitingFull) || !strings.Contains(err.Error(), "at most 7 acts") {
		t.Fatalf("the third page of three: %v", err)
	}
	standsAt(6)
	tokyo.Reopen(t)
	if err := followBy(t, tokyo, seoul, c, 3); !errors.Is(err, desk.ErrWaitingFull) {
		t.Errorf("after a restart: %v", err)
	}
	standsAt(6)
	if err := followBy(t, tokyo, seoul, charter, 1); err != nil {
		t.Fatalf("the charter is not let in: %v", err)
	}
	tokyo.Await(t, func() bool { return len(undelivered(t, tokyo)) == 0 }, c)
	if err := followBy(t, tokyo, seoul, c, 3); err != nil {
		t.Fatalf("after the charter came: %v", err)
	}
	if fmt.Sprint(tokyo.Shown(t, c)) != fmt.Sprint(seoul.Shown(t, c)) || tokyo.Size(t, c) != 20 {
		t.Errorf("tokyo has %d of 20", tokyo.Size(t, c))
	}
	if err := check(tokyo); err != nil {
		t.Error(err)
	}
}

// TestOneNeighboursRoomIsNotAnothers: what waits from seoul takes no room from
// hq.
func TestOneNeighboursRoomIsNotAnothers(t *testing.T) {
	clock := NewClock()
	seoul, hq := alone(t, Seoul, Options{Clock: clock}), alone(t, HQ, Options{Clock: clock})
	tokyo := New(t, Tokyo, Options{Clock: clock, Waiting: 2})
	tokyo.Found(t, "register")
	c := Collection("trial", "cyber")
	seoul.Post(t, "Korea", c, note("a", 1, stix.Green), note("b", 1, stix.Green), note("c", 1, stix.Green))
	hq.Post(t, "NATO", c, note("d", 1, stix.Green), note("e", 1, stix.Green))
	if err := followBy(t, tokyo, seoul, c, 1); !errors.Is(err, desk.ErrWaitingFull) {
		t.Errorf("seoul's third: %v", err)
	}
	if err := followBy(t, tokyo, hq, c, 1); err != nil {
		t.Errorf("hq's: %v", err)
	}
	if n := len(undelivered(t, tokyo)); n != 4 {
		t.Errorf("%d wait", n)
	}
}
