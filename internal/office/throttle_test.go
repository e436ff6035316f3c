package office

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store/sqlite"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// doorman asks Accounts as the exchange does.
type doorman struct {
	t *testing.T
	*Accounts
}

// withAccounts runs a test in a bubble with the accounts hana and marko, whose
// passwords are their names.
// memory is that of an argon2 run, in KiB.
func withAccounts(t *testing.T, memory uint32, fn func(d doorman)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := sqlite.Open(t.TempDir(), sqlite.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		a := newAccounts(s, "hq.example.org", time.Now)
		a.memory = memory
		for _, name := range []string{"hana", "marko"} {
			acc := registry.Account{Name: name, By: stix.ID("identity--9f2c1d7e-0000-4000-8000-000000000000")}
			if err := a.Put(t.Context(), acc, name); err != nil {
				t.Fatal(err)
			}
		}
		fn(doorman{t, a})
	})
}

type conn struct {
	net.Conn
	from string
}

func (c conn) RemoteAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", c.from)
	if err != nil {
		panic(err)
	}
	return a
}

// try logs in from an address: "in", "wrong", or how long to wait.
func (d doorman) try(from, name, password string) string {
	d.t.Helper()
	_, ok, err := d.Authenticate(withRemote(d.t.Context(), conn{from: from}), taxii.Credentials{User: name, Password: password})
	var refusal *taxii.Refusal
	switch {
	case errors.As(err, &refusal) && errors.Is(err, taxii.ErrTooManyRequests) && refusal.RetryAfter > 0:
		return refusal.RetryAfter.Round(time.Second).String()
	case err != nil:
		d.t.Fatal(err)
	case ok:
		return "in"
	}
	return "wrong"
}

const (
	abroad = "192.0.2.7:5000"
	proxy  = "127.0.0.1:5000"
)

// TestFailuresMakeTheNextOneWaitAndNobodyElse: the name that failed waits
// longer and longer, whether it exists or not, and a log-in that was right before is never asked
// to.
func TestFailuresMakeTheNextOneWaitAndNobodyElse(t *testing.T) {
	withAccounts(t, 64, func(d doorman) {
		if got := d.try(proxy, "hana", "hana"); got != "in" {
			t.Fatal(got)
		}
		for _, name := range []string{"hana", "nobody"} {
			for i := range freeByName {
				if got := d.try(proxy, name, fmt.Sprint("wrong", i)); got != "wrong" {
					t.Fatalf("%s, failure %d: %s", name, i, got)
				}
			}
			for _, want := range []string{"1s", "2s", "4s", "8s", "16s"} {
				wait, err := time.ParseDuration(want)
				if err != nil {
					t.Fatal(err)
				}
				for range 3 { // asking again does not make it longer
					if got := d.try(proxy, name, "still wrong"); got != want {
						t.Fatalf("%s waits %s, want %s", name, got, want)
					}
				}
				time.Sleep(wait)
				if got := d.try(proxy, name, "wrong after "+want); got != "wrong" {
					t.Fatalf("%s after %s: %s", name, want, got)
				}
			}
		}
		if got := d.try(proxy, "hana", "hana"); got != "in" {
			t.Errorf("polling with what was right before: %s", got)
		}
		if got := d.try(proxy, "marko", "marko"); got != "in" {
			t.Errorf("another name: %s", got)
		}
		time.Sleep(10 * time.Minute)
		if got := d.try(proxy, "nobody", "wrong"); got != "wrong" {
			t.Errorf("failures are never forgotten: %s", got)
		}
	})
}

// TestARightPasswordEndsTheWaiting: a slip of the hand counts no longer.
func TestARightPasswordEndsTheWaiting(t *testing.T) {
	withAccounts(t, 64, func(d doorman) {
		for range 3 {
			for i := range freeByName - 1 {
				d.try(proxy, "hana", fmt.Sprint("slip", i))
			}
			if err := d.SetPassword(context.Background(), "hana", "hana"); err != nil { // forgets the proof
				t.Fatal(err)
			}
			if got := d.try(proxy, "hana", "hana"); got != "in" {
				t.Fatal(got)
			}
		}
	})
}

// TestChangingNamesDoesNotHelpAnAddress: whatever names a flood makes up, and
// whichever addresses of its network it comes from, it is one flood; others do
// not wait.
func TestChangingNamesDoesNotHelpAnAddress(t *testing.T) {
	for name, from := range map[string]func(i int) string{
		"one address":     func(int) string { return abroad },
		"another port":    func(i int) string { return fmt.Sprintf("192.0.2.7:%d", 1024+i) },
		"an IPv6 network": func(i int) string { return fmt.Sprintf("[2001:db8::%x]:5000", i+1) },
	} {
		t.Run(name, func(t *testing.T) {
			withAccounts(t, 64, func(d doorman) {
				for i := range freeByAddress {
					if got := d.try(from(i), fmt.Sprint("name ", i), "x"); got != "wrong" {
						t.Fatalf("failure %d: %s", i, got)
					}
				}
				if got := d.try(from(99), "another name", "x"); got != "1s" {
					t.Errorf("the flood goes on: %s", got)
				}
				if got := d.try("198.51.100.1:5000", "hana", "hana"); got != "in" {
					t.Errorf("somebody from elsewhere: %s", got)
				}
			})
		})
	}
}

// TestAFloodAtOnceIsTurnedAwayAndCountedOnce: no more than maxRuns wait for
// argon2, all who show the same share one run, and many at once do not pass
// before the first has failed.
func TestAFloodAtOnceIsTurnedAwayAndCountedOnce(t *testing.T) {
	withAccounts(t, argonMemory, func(d doorman) {
		at := func(n int, name, password func(i int) string) map[string]int {
			var wg sync.WaitGroup
			var mu sync.Mutex
			got := map[string]int{}
			for i := range n {
				wg.Go(func() {
					answer := d.try(proxy, name(i), password(i))
					mu.Lock()
					defer mu.Unlock()
					got[answer]++
				})
			}
			wg.Wait()
			return got
		}
		hana := func(int) string { return "hana" }
		if got := at(40, hana, hana); got["in"] != 40 {
			t.Errorf("many with the right password at once: %v", got)
		}
		if got := at(40, hana, func(i int) string { return fmt.Sprint("guess ", i) }); got["wrong"] > freeByName {
			t.Errorf("guessing at once: %v", got)
		}
		for range maxRuns { // as many under way as there may be
			d.runs[fmt.Sprint(len(d.runs))] = &run{done: make(chan struct{})}
		}
		if got := d.try(proxy, "marko", "marko"); got != "1s" {
			t.Errorf("with every place taken: %s", got)
		}
		if got := d.try(proxy, "hana", "hana"); got != "in" {
			t.Errorf("polling, with every place taken: %s", got)
		}
	})
}
