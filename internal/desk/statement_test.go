package desk_test

import (
	"compress/gzip"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/stix"
)

// TestARefusalNamesTheMarkingThatCausesIt: whoever posts objects with a
// definition of their terms is told what is wrong with the definition, in both
// orders, and in a preview too.
func TestARefusalNamesTheMarkingThatCausesIt(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	c, terms := Collection("community", "cyber"), ID("marking-definition", "terms")
	marked := markedBy("n", stix.Green.Marking(), terms)
	for name, k := range map[string]struct {
		objects []desk.Item
		want    []string // in the reason of the note
	}{
		"refused":       {Items(statement("terms"), marked), []string{string(terms), "definition is refused", "no TLP marking", "TLP:CLEAR or TLP:GREEN"}},
		"refused, last": {Items(marked, statement("terms")), []string{string(terms), "definition is refused", "no TLP marking"}},
		"above":         {Items(statement("terms", stix.Amber.Marking()), marked), []string{string(terms), "definition is refused", "TLP:AMBER may not enter"}},
		"not sent":      {Items(marked), []string{string(terms), "definition is not here", "send it"}},
	} {
		for _, dry := range []bool{false, true} {
			out, err := accept(o, o.As(t, "Japan"), desk.Batch{Collection: c, Items: k.objects, DryRun: dry})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(k.objects, func(it desk.Item) bool { return it.Object.Type() == "note" })
			if out[i].Status != desk.Refused || out[i].Decision.Rule != release.RuleUnknown {
				t.Fatalf("%s, dry run %v: %+v", name, dry, out[i])
			}
			for _, w := range k.want {
				if !strings.Contains(out[i].Reason, w) {
					t.Errorf("%s, dry run %v: %q does not say %q", name, dry, out[i].Reason, w)
				}
			}
		}
	}
	for i, out := range o.Post(t, "Japan", c, marked, statement("terms", stix.Clear.Marking())) {
		if out.Status != desk.Accepted {
			t.Errorf("with a marked definition, %d: %+v", i, out)
		}
	}
}

// TestUnmarkedWorkOfOutsidersEntersAndThatOfPartiesAsksThem: above GREEN by the
// programme's caution alone, there is nobody to ask but a party.
func TestUnmarkedWorkOfOutsidersEntersAndThatOfPartiesAsksThem(t *testing.T) {
	hq := alone(t, HQ, Options{})
	c := Collection("trial", "cyber")
	by := func(name string) string { return `"created_by_ref":"` + string(PartyID(name)) + `"` }
	for name, k := range map[string]struct {
		object []byte
		status desk.Status
	}{
		"an outsider's":                     {note("a", 1, stix.Unmarked, by("Vendor")), desk.Accepted},
		"an outsider's, marked AMBER":       {note("b", 1, stix.Amber, by("Vendor")), desk.Refused},
		"another party's":                   {note("c", 1, stix.Unmarked, by("Japan")), desk.Refused},
		"a party's of another programme":    {note("d", 1, stix.Unmarked, by("Denmark")), desk.Refused},
		"the actor's own":                   {note("e", 1, stix.Unmarked, by("NATO")), desk.Accepted},
		"nobody's":                          {note("f", 1, stix.Unmarked), desk.Refused},
		"an outsider that speaks of itself": {identity("Vendor"), desk.Accepted},
		"a party described by another":      {identity("Japan"), desk.Refused},
	} {
		if out := hq.Post(t, "NATO", c, k.object); out[0].Status != k.status {
			t.Errorf("%s: %+v", name, out[0])
		}
	}
}

// TestAPartyThatIsNotKnownToTheActorIsAnOutsider: the answer about unmarked
// work does not tell who takes part in what the actor may not see.
func TestAPartyThatIsNotKnownToTheActorIsAnOutsider(t *testing.T) {
	o := alone(t, Seoul, Options{}) // knows members, of which Denmark is one and Korea is not
	for _, owner := range []string{"Denmark", "Nobody at all"} {
		n := note("by "+owner, 1, stix.Unmarked, `"created_by_ref":"`+string(PartyID(owner))+`"`)
		if out := o.Post(t, "Korea", Collection("trial", "cyber"), n); out[0].Status != desk.Accepted {
			t.Errorf("%s: %+v", owner, out[0])
		}
	}
}

func identity(name string) []byte {
	return fmt.Appendf(nil, `{"type":"identity","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"%s"}`, PartyID(name), name)
}

// attack returns the objects of ATT&CK for mobile, which carry a statement
// marking and no level.
func attack(t *testing.T) (objects [][]byte) {
	t.Helper()
	f, err := os.Open(corpora.Path(t, "corpora", "attack", "mobile-attack-17.1.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var bundle struct{ Objects []jsontext.Value }
	if err := json.UnmarshalRead(zipped, &bundle, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	for _, o := range bundle.Objects {
		objects = append(objects, o)
	}
	return objects
}

func TestATTACKEntersWhereUnmarkedIsAcceptedAndIsRefusedWithAdviceInTheCommunity(t *testing.T) {
	objects := attack(t)
	hq, tokyo := alone(t, HQ, Options{}), alone(t, Tokyo, Options{})
	trial := Collection("trial", "cyber")
	ownerless := 0
	for i, out := range hq.Post(t, "NATO", trial, objects...) {
		o, err := stix.Parse(slices.Clone(objects[i]), stix.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case o.CreatedByRef() != "" || o.Type() == "identity":
			if out.Status != desk.Accepted {
				t.Fatalf("%s: %+v", o.ID(), out)
			}
		case out.Status != desk.Refused || !strings.Contains(out.Reason, "created_by_ref"):
			t.Errorf("%s without an owner: %+v", o.ID(), out)
		default:
			ownerless++
		}
	}
	tokyo.Follow(t, hq, trial)
	if n := len(tokyo.Shown(t, trial)); n == 0 || n != len(objects)-ownerless {
		t.Errorf("tokyo shows %d of %d, %d have no owner", n, len(objects), ownerless)
	}
	for i, out := range hq.Post(t, "NATO", Collection("community", "cyber"), objects...) {
		if out.Status != desk.Refused || !strings.Contains(out.Reason, "TLP:CLEAR or TLP:GREEN") || !strings.Contains(out.Reason, "accepts unmarked objects") {
			t.Fatalf("community, %d: %+v", i, out)
		}
	}
	t.Logf("%d objects, %d without an owner", len(objects), ownerless)
}

// TestWhereTheCeilingIsGreenAllOfATTACKEnters: nobody's consent is asked.
func TestWhereTheCeilingIsGreenAllOfATTACKEnters(t *testing.T) {
	objects := attack(t)
	hq := alone(t, HQ, Options{})
	feeds := CharterOf("trial")
	feeds.Alias, feeds.Terms.Ceiling = "feeds", stix.Green
	b := desk.Batch{Collection: feeds.Collection(liaison.Charter), Items: Items(SignProgramme(feeds.Version1()))}
	if out, err := accept(hq, registry.Operator(HQ), b); err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("%+v %v", out, err)
	}
	for i, out := range hq.Post(t, "NATO", feeds.Collection("cyber"), objects...) {
		if out.Status != desk.Accepted {
			t.Fatalf("%d: %+v", i, out)
		}
	}
}
