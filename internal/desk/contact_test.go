package desk_test

import (
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
)

// toIndia is a directed programme of NATO's with a contact.
func toIndia(until liaison.Instant) (charter liaison.CollectionID, area liaison.CollectionID, object []byte) {
	p := CharterOf("directed").Version1()
	p.ID, p.Alias, p.Nonce, p.ValidUntil = ID("programme", "india"), "india", liaison.H([]byte("india")), until
	p.Parties = append(p.Parties, liaison.Participant{Ref: PartyID("India"), Role: liaison.RoleObserver, Since: p.InForce})
	genesis := liaison.H(liaison.JCS(p))
	return liaison.CollectionOf(genesis, liaison.Charter, 1), liaison.CollectionOf(genesis, "cyber", 1), SignProgramme(p)
}

// TestWhatIsDirectedToAContactHasAnEnd: the programme is refused where it would
// be added, and if the contact is known only afterwards nothing is released.
func TestWhatIsDirectedToAContactHasAnEnd(t *testing.T) {
	add := func(o *Office, c liaison.CollectionID, object []byte) desk.Outcome {
		t.Helper()
		out, err := accept(o, registry.Operator(HQ), desk.Batch{Collection: c, Items: Items(object)})
		if err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	for name, k := range map[string]struct {
		until          liaison.Instant
		knownFirst     bool
		added, writing desk.Status
	}{
		"without an end": {0, true, desk.Refused, ""},
		"without an end, and a contact afterwards": {0, false, desk.Accepted, desk.Refused},
		"with an end": {At(time.Hour), true, desk.Accepted, desk.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			o := alone(t, HQ, Options{})
			charter, area, object := toIndia(k.until)
			register := Collection("register", liaison.Charter)
			if k.knownFirst {
				add(o, register, Party("India"))
			}
			if out := add(o, charter, object); out.Status != k.added || (k.added == desk.Refused) != (out.Pointer == "/valid_until") {
				t.Fatalf("%+v", out)
			}
			if k.added == desk.Refused {
				return
			}
			if !k.knownFirst {
				add(o, charter, Party("India"))
			}
			out, err := accept(o, o.As(t, "NATO"), desk.Batch{Collection: area, DryRun: true, Items: Items(note("n", 1, stix.Green))})
			if err != nil || out[0].Status != k.writing || (k.writing == desk.Refused) != (out[0].Decision.Rule == "programme.term") {
				t.Errorf("%+v %v", out, err)
			}
		})
	}
}
