package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/stix"
)

// revoked is the withdrawn version of a note: it says what version 1 said.
func revoked(name string, version int, tlp stix.TLP, further ...string) []byte {
	return []byte(strings.Replace(string(changed(name, version, tlp, further...)), fmt.Sprintf(`"%s %d"`, name, version), fmt.Sprintf(`"%s 1"`, name), 1))
}

// changed is a withdrawn version that says something else.
func changed(name string, version int, tlp stix.TLP, further ...string) []byte {
	return note(name, version, tlp, append(further, `"revoked":true`)...)
}

// ends are the ways by which a party stops reading the trial.
var ends = map[string]func(t *testing.T, o *Office){
	"the term ended, and the programme is closed": func(_ *testing.T, o *Office) { o.Clock.Move(30 * 24 * time.Hour) },
	"the party was removed": func(t *testing.T, o *Office) {
		o.Enact(t, "trial", CharterOf("trial").Amend(func(p *liaison.Programme) {
			p.Parties = slices.DeleteFunc(p.Parties, func(q liaison.Participant) bool { return q.Ref == PartyID("Korea") })
			p.Ceiling = stix.Green // lower than what was released
		}))
		o.Clock.Move(2 * time.Hour)
	},
}

func TestAPartyWithdrawsItsOwnWhenItReadsNoMore(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			o := alone(t, Seoul, Options{})
			c, korea := Collection("trial", "cyber"), `"created_by_ref":"`+string(PartyID("Korea"))+`"`
			o.Post(t, "Korea", c, note("mine", 1, stix.Amber, korea))
			o.Post(t, "Denmark for NATO", c, note("theirs", 1, stix.Green))
			end(t, o)
			v := o.As(t, "Korea")
			post := func(objects ...[]byte) ([]desk.Outcome, error) {
				return accept(o, v, desk.Batch{Collection: c, Items: Items(objects...), Status: "s"})
			}
			for what, objects := range map[string][][]byte{
				"nothing":               {},
				"a new note":            {note("new", 1, stix.Green)},
				"its own, unrevoked":    {note("mine", 2, stix.Amber, korea)},
				"another's":             {revoked("theirs", 2, stix.Green)},
				"what is not there":     {revoked("absent", 2, stix.Green)},
				"its own and another's": {revoked("mine", 2, stix.Amber, korea), revoked("theirs", 2, stix.Green)},
				"its own and none":      {revoked("mine", 2, stix.Amber, korea), []byte("1")},
			} {
				if out, err := post(objects...); !errors.Is(err, desk.ErrNotFound) {
					t.Errorf("%s: %+v %v", what, out, err)
				}
			}
			for what, object := range map[string][]byte{
				"stricter than before": revoked("mine", 2, stix.Red, korea),
				"without a level":      revoked("mine", 2, stix.Unmarked, korea),
				"with another marking": revoked("mine", 2, stix.Unmarked, korea, fmt.Sprintf(`"object_marking_refs":["%s","%s"]`, stix.Green.Marking(), ID("marking-definition", "terms"))),
			} {
				if out, err := post(object); err != nil || out[0].Status != desk.Refused || out[0].Pointer != "/object_marking_refs" {
					t.Errorf("%s: %+v %v", what, out, err)
				}
			}
			preview, err := accept(o, v, desk.Batch{Collection: c, DryRun: true, Items: Items(revoked("mine", 2, stix.Amber, korea))})
			if err != nil || preview[0].Status != desk.Accepted {
				t.Errorf("preview: %+v %v", preview, err)
			}
			out, err := post(revoked("mine", 2, stix.Amber, korea))
			if err != nil || out[0].Status != desk.Accepted {
				t.Fatalf("%+v %v", out, err)
			}
			if out[0].Index != 0 || out[0].Added != 0 || !out[0].Unread {
				t.Errorf("the answer says how the log has grown: %+v", out[0])
			}
			p, err := o.Desk.Read(context.Background(), v, desk.Query{What: desk.Statuses, Status: "s"})
			if err != nil || p.Outcomes[0].Index != 0 || p.Outcomes[0].Added != 0 || !p.Outcomes[0].Unread {
				t.Errorf("so does its status: %+v %v", p, err)
			}
			if _, err := o.Desk.Read(context.Background(), v, desk.Query{Collection: c}); !errors.Is(err, desk.ErrNotFound) {
				t.Errorf("it reads again: %v", err)
			}
			if again, err := post(revoked("mine", 2, stix.Amber, korea)); err != nil || again[0].Status != desk.Duplicate || again[0].Index != 0 {
				t.Errorf("again: %+v %v", again, err)
			}
			if shown := o.Shown(t, c)[string(ID("note", "mine"))]; shown != string(revoked("mine", 2, stix.Amber, korea)) {
				t.Errorf("shown: %s", shown)
			}
			if err := check(o); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAnEndedMandateWithdrawsNothing: what a party released through somebody is
// not that somebody's afterwards.
func TestAnEndedMandateWithdrawsNothing(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c := Collection("trial", "cyber")
	o.Post(t, "Denmark for NATO", c, note("n", 1, stix.Green))
	o.Clock.Move(366 * 24 * time.Hour)
	for _, name := range []string{"n", "absent"} {
		_, err := accept(o, o.As(t, "Denmark for NATO"), desk.Batch{Collection: c, Items: Items(revoked(name, 2, stix.Green))})
		if !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	reader := Account("Korea")
	reader.Name, reader.Roles = "reader", []registry.AccountRole{registry.MayRead}
	o = alone(t, Seoul, Options{})
	o.Post(t, "Korea", c, note("k", 1, stix.Green))
	o.Clock.Move(30 * 24 * time.Hour)
	if _, err := accept(o, o.PutAccount(t, reader), desk.Batch{Collection: c, Items: Items(revoked("k", 2, stix.Green))}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("an account that may only read: %v", err)
	}
}

// TestWhoMayNotWriteSaysNothingNewByWithdrawing: it withdraws what it released
// as it was, and once.
func TestWhoMayNotWriteSaysNothingNewByWithdrawing(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			o := alone(t, Seoul, Options{})
			c := Collection("trial", "cyber")
			o.Post(t, "Korea", c, note("mine", 1, stix.Green), note("two", 1, stix.Green))
			o.Post(t, "Korea", c, revoked("two", 2, stix.Green), note("two", 3, stix.Green))
			end(t, o)
			post := func(objects ...[]byte) []desk.Outcome { return o.Post(t, "Korea", c, objects...) }
			for what, object := range map[string][]byte{
				"another text":    changed("mine", 2, stix.Green),
				"a further text":  revoked("mine", 2, stix.Green, `"abstract":"new"`),
				"a looser level":  revoked("mine", 2, stix.Clear),
				"a language":      revoked("mine", 2, stix.Green, `"granular_markings":[{"lang":"new text","selectors":["content"]}]`),
				"without a text":  []byte(strings.Replace(string(revoked("mine", 2, stix.Green)), `"content":"mine 1",`, "", 1)),
				"another created": []byte(strings.Replace(string(revoked("mine", 2, stix.Green)), `"created":"2026`, `"created":"2025`, 1)),
			} {
				if out := post(object); out[0].Status != desk.Refused || out[0].Decision.Rule != release.RuleWithdraw || out[0].Reason == "" {
					t.Errorf("%s: %+v", what, out[0])
				}
			}
			size := o.Size(t, c)
			out := post(revoked("mine", 2, stix.Green), revoked("mine", 3, stix.Green))
			if out[0].Status != desk.Accepted || out[1].Status != desk.Refused {
				t.Errorf("twice in a batch: %+v", out)
			}
			if out := post(revoked("mine", 2, stix.Green), revoked("mine", 4, stix.Green)); out[0].Status != desk.Duplicate || out[1].Status != desk.Refused {
				t.Errorf("once more: %+v", out)
			}
			said := []byte(strings.Replace(string(revoked("two", 4, stix.Green)), "two 1", "two 3", 1))
			if out := post(said); out[0].Status != desk.Accepted {
				t.Errorf("what was released again after its withdrawal: %+v", out)
			}
			if got := o.Size(t, c); got != size+2 {
				t.Errorf("%d leaves for two withdrawals", got-size)
			}
		})
	}
}

// TestAWithdrawalFromOutsideMeetsItsOwnActsOnly: what others released under the
// same version decides nothing about the answer. The leaf is one of the first
// door all the same, and its receipt verifies.
func TestAWithdrawalFromOutsideMeetsItsOwnActsOnly(t *testing.T) {
	o := alone(t, Seoul, Options{})
	c := Collection("trial", "cyber")
	bare := func(further string) []byte {
		return fmt.Appendf(nil, `{"type":"ipv4-addr","spec_version":"2.1","id":"%s","value":"198.51.100.7","object_marking_refs":["%s"]%s}`, ID("ipv4-addr", "seven"), stix.Green.Marking(), further)
	}
	o.Post(t, "Korea", c, note("mine", 1, stix.Green), note("equal", 1, stix.Green), bare(""))
	ends["the party was removed"](t, o)
	o.Post(t, "Denmark for NATO", c, note("mine", 5, stix.Green), revoked("equal", 5, stix.Green))
	out := o.Post(t, "Korea", c, revoked("mine", 5, stix.Green), revoked("equal", 5, stix.Green), bare(`,"revoked":true`))
	for i, version := range []string{"2026-01-01T00:00:05.000Z", "2026-01-01T00:00:05.000Z", ""} {
		if got := out[i]; got.Status != desk.Accepted || got.Version != version || got.Index != 0 || got.Added != 0 || !got.Act.IsZero() {
			t.Errorf("%d: %+v", i, got)
		}
	}
	if shown := o.Shown(t, c)[string(ID("note", "mine"))]; shown != string(note("mine", 5, stix.Green)) {
		t.Errorf("of one version the earliest act is in sight: %s", shown)
	}
	for i, kind := range []liaison.Kind{liaison.KindObject, liaison.KindAgain, liaison.KindObject} {
		if r := receipt(t, o, "Denmark for NATO", c, o.Size(t, c)-3+uint64(i)); r.Hops[0].Leaf.Kind != kind {
			t.Errorf("leaf %d is of kind %s", i, r.Hops[0].Leaf.Kind)
		}
	}
	if err := check(o); err != nil {
		t.Error(err)
	}
}

// TestAWithdrawalByRelayIsHeldToWhatTheOfficeHolds: an office that lets another
// text through is not followed in it.
func TestAWithdrawalByRelayIsHeldToWhatTheOfficeHolds(t *testing.T) {
	for name, k := range map[string]struct {
		object []byte // in the place of the second withdrawal
		status desk.Status
	}{
		"another text": {changed("two", 2, stix.Green), desk.Refused},
		"looser":       {revoked("two", 2, stix.Clear), desk.Refused},
		"once more":    {revoked("one", 3, stix.Green), desk.Refused},
		"not held":     {revoked("none", 2, stix.Green), desk.Refused},
		"as it was":    {revoked("two", 2, stix.Green), desk.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			seoul, tokyo := pair(t)
			c := Collection("trial", "cyber")
			seoul.Post(t, "Korea", c, note("one", 1, stix.Green), note("two", 1, stix.Green))
			tokyo.Follow(t, seoul, c)
			seoul.Clock.Move(30 * 24 * time.Hour)
			seoul.Post(t, "Korea", c, revoked("one", 2, stix.Green), revoked("two", 2, stix.Green))
			b := page(t, tokyo, seoul, c)
			withBytes(b.Items[1].Arrival, k.object)
			resign(b.Items[1].Arrival, func(act *liaison.Act) { act.Label = stix.LabelOf(Items(k.object)[0].Object, nil).TLP })
			out, err := accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: c, Items: b.Items})
			if err != nil || out[0].Status != desk.Accepted || out[1].Status != k.status {
				t.Errorf("%+v %v", out, err)
			}
		})
	}
}

// TestAWithdrawalWaitsWithWhatItWithdraws: it is not refused for coming after a
// note that waits.
func TestAWithdrawalWaitsWithWhatItWithdraws(t *testing.T) {
	seoul, tokyo := pair(t)
	c := Collection("trial", "cyber")
	terms := ID("marking-definition", "terms")
	both := fmt.Sprintf(`"object_marking_refs":["%s","%s"]`, stix.Green.Marking(), terms)
	seoul.Clock.Move(24*time.Hour - 5*time.Minute) // of the term five minutes are left
	seoul.Post(t, "Korea", c, statement("terms", stix.Green.Marking()), note("mine", 1, stix.Unmarked, both))
	seoul.Clock.Move(6 * time.Minute)
	seoul.Post(t, "Korea", c, revoked("mine", 2, stix.Green))
	b := page(t, tokyo, seoul, c)
	for _, items := range [][]desk.Item{b.Items[1:2], b.Items[2:]} {
		out, err := accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: c, Items: items})
		if err != nil || out[0].Status != desk.Waiting {
			t.Fatalf("%+v %v", out, err)
		}
	}
	if _, err := accept(tokyo, registry.Neighbour(Seoul), desk.Batch{Collection: c, Items: b.Items[:1]}); err != nil {
		t.Fatal(err)
	}
	tokyo.Await(t, func() bool { return len(undelivered(t, tokyo)) == 0 }, c)
	if shown := tokyo.Shown(t, c)[string(ID("note", "mine"))]; shown != string(revoked("mine", 2, stix.Green)) {
		t.Errorf("shown: %s", shown)
	}
}

// TestAWithdrawalComesInOnePageWithWhatItWithdraws: the office was away while
// the term ended.
func TestAWithdrawalComesInOnePageWithWhatItWithdraws(t *testing.T) {
	seoul, tokyo := pair(t)
	c := Collection("trial", "cyber")
	seoul.Clock.Move(24*time.Hour - 5*time.Minute) // of the term five minutes are left
	seoul.Post(t, "Korea", c, note("mine", 1, stix.Green))
	seoul.Clock.Move(6 * time.Minute)
	seoul.Post(t, "Korea", c, revoked("mine", 2, stix.Green))
	tokyo.Follow(t, seoul, c)
	if shown := tokyo.Shown(t, c)[string(ID("note", "mine"))]; shown != string(revoked("mine", 2, stix.Green)) {
		t.Errorf("shown: %s, undelivered: %q", shown, undelivered(t, tokyo))
	}
}
