package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

// revoked is the withdrawn version of a note.
func revoked(name string, version int, tlp stix.TLP, further ...string) []byte {
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
