package registry_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

var register = desktest.Collection("register", liaison.Charter)

// entry is a control object on its way into a charter.
type entry struct {
	c liaison.CollectionID
	b []byte
}

// alliance returns all entries of the alliance, in the order of its operator.
func alliance() (list []entry) {
	for _, c := range desktest.Charters() {
		for _, b := range c.Objects() {
			list = append(list, entry{c.Collection(liaison.Charter), b})
		}
	}
	return list
}

// fold applies entries until no more apply; only ErrWaiting may hold one up.
func fold(t interface{ Fatalf(string, ...any) }, r *registry.Registry, list []entry) *registry.Registry {
	for len(list) > 0 {
		var waiting []entry
		for _, e := range list {
			next, err := r.Fold(e.c, e.b)
			switch {
			case err == nil:
				r = next
			case errors.Is(err, registry.ErrWaiting):
				waiting = append(waiting, e)
			default:
				t.Fatalf("%s: %v", e.b, err)
			}
		}
		if len(waiting) == len(list) {
			t.Fatalf("%d entries wait for ever", len(waiting))
		}
		list = waiting
	}
	return r
}

func whole(t *testing.T) *registry.Registry {
	t.Helper()
	return fold(t, registry.New(desktest.Pin()), alliance())
}

func TestTwoOfThreeAuthorityKeysSufficeAndNothingLess(t *testing.T) {
	unsigned := liaison.NewPartyObject(desktest.PartyID("New"), "New", "organization", liaison.PartyExtension{Kind: liaison.PartyPartner, ServedBy: desktest.Tokyo}, desktest.At(0))
	route := liaison.JCS(liaison.NewRoute(desktest.ID("route", "x"), "x.example.org", []liaison.Office{desktest.HQ}, desktest.At(0)))
	office := liaison.JCS(liaison.NewOfficeObject(desktest.ID("office", "x"), "x.example.org", desktest.NewKeys("x.example.org").Public(1), nil, desktest.At(0)))
	community := desktest.CharterOf("community")
	pin := desktest.Pin()
	authority := liaison.JCS(liaison.NewAuthority(desktest.ID("authority", "alliance"), "A", pin.Keys, 2, desktest.At(0)))
	r := registry.New(pin)
	for name, e := range map[string]entry{
		"party": {register, unsigned}, "route": {register, route}, "office": {register, office}, "authority": {register, authority},
		"programme": {community.Collection(liaison.Charter), liaison.JCS(community.Version1())},
	} {
		for _, keys := range [][]int{{0, 1}, {1, 2}, {2, 0}, {0, 1, 2}, {0, 7, 2}} {
			if _, err := r.Apply(e.c, desktest.SignBy(e.b, keys...)); err != nil {
				t.Errorf("%s by %v: %v", name, keys, err)
			}
		}
		for _, keys := range [][]int{{}, {0}, {2}, {1, 1}, {1, 7}, {7, 8}} {
			if _, err := r.Apply(e.c, desktest.SignBy(e.b, keys...)); err == nil || !strings.Contains(err.Error(), "2 of 3") {
				t.Errorf("%s by %v: %v", name, keys, err)
			}
		}
		forged := strings.Replace(string(desktest.Sign(e.b)), "2026-03-01T09:00:00.000000Z", "2026-03-01T09:00:01.000000Z", 1)
		if _, err := r.Apply(e.c, []byte(forged)); err == nil || name != "programme" && !strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s changed after signing: %v", name, err)
		}
	}
}

func TestEveryRefusalSaysWhere(t *testing.T) {
	r := whole(t)
	pin := desktest.Pin()
	itpp, directed := desktest.CharterOf("itpp"), desktest.CharterOf("directed")
	into := func(c desktest.Charter, b []byte) entry { return entry{c.Collection(liaison.Charter), b} }
	amend := func(c desktest.Charter, fn func(*liaison.Programme)) entry { return into(c, c.Amend(fn)) }
	second := desktest.NewKeys("second.example.org")
	for want, e := range map[string]entry{
		"not JSON":                     {register, []byte("x")},
		"takes control objects, not a": {register, []byte(`{"type":"note","spec_version":"2.1","id":"` + string(desktest.ID("note", "n")) + `"}`)},
		"needs the extension":          {register, []byte(`{"type":"identity","spec_version":"2.1","id":"` + string(desktest.ID("identity", "n")) + `","name":"n"}`)},
		"served_by":                    {register, desktest.Sign(liaison.NewPartyObject(desktest.PartyID("N"), "N", "organization", liaison.PartyExtension{Kind: liaison.PartyMember}, 1))},
		"not the pinned ones":          {register, desktest.Sign(liaison.JCS(liaison.NewAuthority(desktest.ID("authority", "x"), "X", pin.Keys, 1, desktest.At(0))))},
		"is introduced by":             {register, desktest.Sign(liaison.JCS(liaison.NewOfficeObject(desktest.ID("office", "other"), desktest.Seoul, second.Public(1), nil, desktest.At(0))))},
		"/keys lacks":                  {register, desktest.Sign(liaison.JCS(liaison.NewOfficeObject(desktest.ID("office", "second"), "second.example.org", nil, nil, desktest.At(0))))},
		"the office itself":            {register, desktest.Route(desktest.HQ, desktest.HQ)},
		"belongs into its own charter": {register, desktest.SignProgramme(itpp.Version1())},
		"/kind was partnership":        amend(itpp, func(p *liaison.Programme) { p.Kind = liaison.KindMembers }),
		"/issuer_ref was":              amend(itpp, func(p *liaison.Programme) { p.Issuer = desktest.PartyID("Japan") }),
		"/id and /nonce never change":  amend(itpp, func(p *liaison.Programme) { p.Nonce = liaison.H(nil) }),
		"in the order of the versions": amend(itpp, func(p *liaison.Programme) { p.InForce = itpp.Version1().InForce }),
		"/genesis belongs to every":    amend(itpp, func(p *liaison.Programme) { p.Version = 1 }),
		"/kind was directed":           amend(directed, func(p *liaison.Programme) { p.Kind = liaison.KindPartnership }),
		"no signature of hq":           into(directed, desktest.NewKeys(desktest.Tokyo).SignObject(liaison.JCS(directed.Version1()))),
		"2 of 3 signatures needed":     into(itpp, desktest.NewKeys(desktest.HQ).SignObject(liaison.JCS(itpp.Version1()))),
	} {
		next, err := r.Apply(e.c, e.b)
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, registry.ErrWaiting) {
			t.Errorf("want %q, got %v", want, err)
		}
		if next != nil {
			t.Errorf("%s: a registry beside the error", want)
		}
	}
	id := itpp.Amend(func(p *liaison.Programme) { p.ID = desktest.ID("programme", "another") })
	if _, err := r.Apply(itpp.Collection(liaison.Charter), id); err == nil {
		t.Error("a version under another id")
	}
	other := *itpp.Version1()
	other.Nonce = liaison.H([]byte("new genesis"))
	stolen := liaison.CollectionOf(liaison.H(liaison.JCS(other)), liaison.Charter, 1)
	if _, err := r.Apply(stolen, desktest.SignProgramme(&other)); err == nil || !strings.Contains(err.Error(), "/genesis is not that of") {
		t.Errorf("another programme under the id of ITPP: %v", err)
	}
}

func TestTwoContentsForOneVersionAreRefused(t *testing.T) {
	itpp := desktest.CharterOf("itpp")
	c := itpp.Collection(liaison.Charter)
	two := func(goal string) []byte { return itpp.Amend(func(p *liaison.Programme) { p.Goals = []string{goal} }) }
	r, err := whole(t).Apply(c, two("dialogue"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.Apply(c, two("dialogue")); err != nil || again != r {
		t.Errorf("the same again: %v", err)
	}
	if again, err := r.Apply(c, desktest.SignBy(two("dialogue"), 1)); err != nil || again != r {
		t.Errorf("the same with a further signature: %v", err)
	}
	if _, err := r.Apply(c, two("war")); err == nil || !strings.Contains(err.Error(), "/version 2 is here with other contents") {
		t.Errorf("other contents: %v", err)
	}
	both, err := r.Fold(c, two("war"))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := both.ProgrammeByID(itpp.Version1().ID)
	if len(p.Versions) != 2 || len(p.Contradicting()) != 1 {
		t.Fatalf("%d versions count, %d do not", len(p.Versions), len(p.Contradicting()))
	}
	counts, not := p.Versions[1], p.Contradicting()[0]
	if not.Counts() || bytes.Compare(counts.Under[:], not.Under[:]) > 0 {
		t.Errorf("of two contents %s counts, not %s", counts.Under, not.Under)
	}
	if _, known := both.Version(not.Under); !known {
		t.Error("the one that does not count is forgotten, and so are the receipts of acts that name it")
	}
}

func TestWhatIsNotHereYetIsWaitedFor(t *testing.T) {
	directed := desktest.CharterOf("directed")
	c := directed.Collection(liaison.Charter)
	v1 := desktest.SignProgramme(directed.Version1())
	v2 := directed.Amend(func(*liaison.Programme) {})
	r := registry.New(desktest.Pin())
	for _, step := range []struct{ b, next []byte }{{v1, desktest.Party("NATO")}, {v1, desktest.OfficeObject(desktest.HQ)}, {v2, v1}, {v2, nil}} {
		next, err := r.Apply(c, step.b)
		if waits := errors.Is(err, registry.ErrWaiting); waits != (step.next != nil) {
			t.Fatalf("%.80s: %v", step.b, err)
		}
		if step.next == nil {
			r = next
			break
		}
		if r, err = r.Apply(c, step.next); err != nil {
			t.Fatal(err)
		}
	}
	if p, ok := r.ProgrammeByID(desktest.ID("programme", "directed")); !ok || len(p.Versions) != 2 {
		t.Errorf("%+v", p)
	}
}

// TestNobodyOccupiesAProgrammeBeforeItsFirstVersionComes: an office signs a
// "second version" of a programme of the authority that is not here yet.
func TestNobodyOccupiesAProgrammeBeforeItsFirstVersionComes(t *testing.T) {
	itpp := desktest.CharterOf("itpp")
	c := itpp.Collection(liaison.Charter)
	r := registry.New(desktest.Pin())
	for _, b := range [][]byte{desktest.Party("Japan"), desktest.OfficeObject(desktest.Tokyo)} {
		var err error
		if r, err = r.Apply(register, b); err != nil {
			t.Fatal(err)
		}
	}
	p := itpp.Version1()
	p.Version, p.Genesis, p.Kind, p.Issuer = 2, itpp.Genesis(), liaison.KindDirected, desktest.PartyID("Japan")
	evil := desktest.NewKeys(desktest.Tokyo).SignObject(liaison.JCS(p))
	if _, err := r.Apply(c, evil); !errors.Is(err, registry.ErrWaiting) {
		t.Errorf("before: %v", err)
	}
	r, err := r.Apply(c, desktest.SignProgramme(itpp.Version1()))
	if err != nil {
		t.Fatalf("the real one: %v", err)
	}
	if _, err := r.Apply(c, evil); err == nil || errors.Is(err, registry.ErrWaiting) {
		t.Errorf("after: %v", err)
	}
}

func TestADirectedProgrammeIsSignedByTheOfficeThatServedItsIssuerThen(t *testing.T) {
	directed := desktest.CharterOf("directed")
	c := directed.Collection(liaison.Charter)
	moved := func(at time.Duration) []byte {
		return desktest.Sign(liaison.NewPartyObject(desktest.PartyID("NATO"), "NATO", "organization", liaison.PartyExtension{Kind: liaison.PartyAlliance, ServedBy: desktest.Seoul}, desktest.At(at)))
	}
	r, err := whole(t).Apply(c, moved(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	version := func(by liaison.Office, at time.Duration) []byte {
		p := directed.Version1()
		p.Version, p.Genesis, p.InForce, p.Modified = 2, directed.Genesis(), desktest.At(time.Hour), desktest.At(at).String()
		return desktest.NewKeys(by).SignObject(liaison.JCS(p))
	}
	for _, k := range []struct {
		by liaison.Office
		at time.Duration
		ok bool
	}{{desktest.HQ, time.Second, true}, {desktest.Seoul, time.Second, false}, {desktest.HQ, time.Hour, false}, {desktest.Seoul, time.Hour, true}} {
		if _, err := r.Apply(c, version(k.by, k.at)); (err == nil) != k.ok {
			t.Errorf("%s after %s: %v", k.by, k.at, err)
		}
	}
	if p, _ := r.Party(desktest.PartyID("NATO")); p.Party.ServedBy != desktest.Seoul {
		t.Errorf("the newest version does not count: %s", p.Party.ServedBy)
	}
}

func TestAnOldRegistryStaysAsItWas(t *testing.T) {
	r := whole(t)
	before := describe(r)
	itpp := desktest.CharterOf("itpp")
	next, err := r.Apply(itpp.Collection(liaison.Charter), itpp.Amend(func(p *liaison.Programme) { p.Areas = append(p.Areas, "space") }))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{desktest.Route(desktest.Seoul, desktest.HQ), desktest.Route("new.example.org", desktest.HQ)} {
		if next, err = next.Apply(register, b); err != nil {
			t.Fatal(err)
		}
	}
	if after := describe(r); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if describe(next) == before {
		t.Error("nothing was applied")
	}
}

// describe writes down all that can be asked of a registry.
func describe(r *registry.Registry) string {
	var b strings.Builder
	offices := []liaison.Office{desktest.Seoul, desktest.Tokyo, desktest.HQ, "new.example.org"}
	instants := []liaison.Instant{desktest.At(0), desktest.At(2 * time.Hour)}
	fmt.Fprintf(&b, "authority %s\n", r.Authority())
	for _, p := range r.Parties() {
		fmt.Fprintf(&b, "party %+v\n", *p)
	}
	for _, c := range r.Collections() {
		fmt.Fprintf(&b, "collection %s %s %d\n", c.ID, c.Area, c.Epoch)
		for _, v := range c.Programme.Versions {
			fmt.Fprintf(&b, "  %s %d %s %s\n", v.Name, v.Version, v.Under, v.Until())
			if found, ok := r.Version(v.Under); !ok || found != v || v.Of() != c.Programme {
				fmt.Fprintf(&b, "  INCONSISTENT\n")
			}
		}
		for _, at := range instants {
			v, until := c.Programme.InForce(at)
			fmt.Fprintf(&b, "  at %s v%d until %s, read at %v\n", at, v.Version, until, r.OfficesOf(c.Programme, at))
			for _, o := range offices {
				fmt.Fprintf(&b, "   %s: unlisted %v", o, r.Unlisted(o, c.Programme, at))
				for _, n := range offices {
					fmt.Fprintf(&b, " %v", r.Offered(o, n, c.ID, at))
				}
				b.WriteByte('\n')
			}
		}
	}
	for _, o := range offices {
		_, raw, _ := r.Office(o)
		fmt.Fprintf(&b, "office %s %s neighbours %v keys %x\n", o, raw, r.Neighbours(o), r.OfficeKeys(o, liaison.UseAct, instants[0]))
	}
	return b.String()
}

// TestTheOrderOfEntriesDoesNotMatter: any order of a charter's entries, with
// those tried again that wait, makes the same registry.
func TestTheOrderOfEntriesDoesNotMatter(t *testing.T) {
	itpp, directed := desktest.CharterOf("itpp"), desktest.CharterOf("directed")
	var list []entry
	for _, c := range []desktest.Charter{desktest.CharterOf("register"), itpp, directed} {
		for _, b := range c.Objects() {
			list = append(list, entry{c.Collection(liaison.Charter), b})
		}
	}
	three := func(c desktest.Charter) entry {
		return entry{c.Collection(liaison.Charter), c.Amend(func(p *liaison.Programme) {
			p.Version, p.InForce, p.Modified = 3, desktest.At(3*time.Hour), desktest.At(2*time.Second).String()
		})}
	}
	tie := func(name string) entry {
		return entry{register, desktest.Sign(liaison.NewPartyObject(desktest.PartyID("India"), name, "organization", liaison.PartyExtension{Kind: liaison.PartyContact, ServedBy: desktest.Tokyo}, desktest.At(0)))}
	}
	rival := func(begins time.Duration) entry { // another version 2, and what follows may contradict it
		return entry{itpp.Collection(liaison.Charter), itpp.Amend(func(p *liaison.Programme) {
			p.InForce, p.Epochs = desktest.At(begins), []liaison.Epoch{{Area: "cyber", Number: 2}}
		})}
	}
	list = append(list, rival(4*time.Hour), rival(2*time.Hour), rival(5*time.Hour), rival(time.Hour),
		entry{itpp.Collection(liaison.Charter), itpp.Amend(func(p *liaison.Programme) { p.Areas = append(p.Areas, "space") })}, three(itpp),
		entry{directed.Collection(liaison.Charter), directed.Amend(func(*liaison.Programme) {})}, three(directed),
		entry{register, desktest.Sign(liaison.JCS(liaison.NewRoute(desktest.ID("route", "seoul"), desktest.Seoul, []liaison.Office{desktest.HQ}, desktest.At(time.Hour))))},
		tie("India"), tie("Bharat"),
	)
	want := describe(fold(t, registry.New(desktest.Pin()), list))
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation(list).Draw(t, "order")
		if got := describe(fold(t, registry.New(desktest.Pin()), order)); got != want {
			t.Fatalf("want\n%s\ngot\n%s", want, got)
		}
	})
}

func TestEveryWayInARow(t *testing.T) {
	r := whole(t)
	s, k, h := desktest.Seoul, desktest.Tokyo, desktest.HQ
	for _, c := range []struct {
		from, to liaison.Office
		want     []liaison.Office
	}{{s, h, []liaison.Office{s, k, h}}, {h, s, []liaison.Office{h, k, s}}, {s, s, []liaison.Office{s}}, {s, "nowhere.example.org", nil}} {
		if got := r.Path(c.from, c.to); !slices.Equal(got, c.want) {
			t.Errorf("%s to %s: %v", c.from, c.to, got)
		}
	}
	if got := r.Neighbours(k); !slices.Equal(got, []liaison.Office{h, s}) {
		t.Errorf("neighbours of tokyo: %v", got)
	}
}

// TestOffersGoWhereAReaderIsAndOnTheWayThere is the table of what each office
// offers its neighbour.
func TestOffersGoWhereAReaderIsAndOnTheWayThere(t *testing.T) {
	r := whole(t)
	s, k, h := desktest.Seoul, desktest.Tokyo, desktest.HQ
	const all = "charter+areas"
	for alias, want := range map[string]map[[2]liaison.Office]string{
		// NATO is served by hq and acts at seoul through Denmark's embassy.
		"register": {{s, k}: all, {k, s}: all, {k, h}: all, {h, k}: all},
		"members":  {{s, k}: all, {k, s}: all, {k, h}: all, {h, k}: all},
		"itpp":     {{s, k}: all, {k, s}: all, {k, h}: all, {h, k}: all},
		"bulletin": {{s, k}: all, {k, s}: all, {k, h}: all, {h, k}: all},
	} {
		for way, what := range want {
			if got := offered(r, alias, way[0], way[1]); got != what {
				t.Errorf("%s: %s offers %s %q, want %q", alias, way[0], way[1], got, what)
			}
		}
		if got := offered(r, alias, s, h); got != "" {
			t.Errorf("%s: seoul offers hq, no neighbour, %q", alias, got)
		}
	}
	ids := r.Offers(k, h, desktest.At(0))
	if i := slices.IndexFunc(ids, func(id liaison.CollectionID) bool { c, _ := r.Collection(id); return c.Area != liaison.Charter }); i < 7 {
		t.Errorf("charters do not come first: the first area is at %d", i)
	}
}

func offered(r *registry.Registry, alias string, from, to liaison.Office) string {
	c := desktest.CharterOf(alias)
	what := ""
	if r.Offered(from, to, c.Collection(liaison.Charter), desktest.At(0)) {
		what = "charter"
	}
	for _, a := range c.Terms.Areas {
		if !r.Offered(from, to, c.Collection(a), desktest.At(0)) {
			return what
		}
	}
	if what == "" {
		return ""
	}
	return what + "+areas"
}

// square is four offices in a ring, a-b-d-c-a, and e behind d. Party A is
// served at a, E at e; the programme lists who carries.
func square(t *testing.T, transit ...liaison.Office) (*registry.Registry, *registry.Programme) {
	t.Helper()
	var list []entry
	add := func(b []byte) { list = append(list, entry{register, b}) }
	add(desktest.Route("a.example.org", "b.example.org", "c.example.org"))
	add(desktest.Route("d.example.org", "b.example.org", "c.example.org", "e.example.org"))
	for _, name := range []string{"A", "E"} {
		served := liaison.Office(strings.ToLower(name) + ".example.org")
		add(desktest.Sign(liaison.NewPartyObject(desktest.PartyID(name), name, "organization", liaison.PartyExtension{Kind: liaison.PartyMember, ServedBy: served}, desktest.At(0))))
	}
	c := desktest.Charter{Alias: "ring", Names: []string{"A", "E"}, Terms: liaison.Programme{
		Name: "Ring", Kind: liaison.KindPartnership, Ceiling: stix.Green, Areas: []liaison.Area{"cyber"}, Transit: transit,
	}}
	list = append(list, entry{c.Collection(liaison.Charter), desktest.SignProgramme(c.Version1())})
	r := fold(t, registry.New(desktest.Pin()), list)
	p, _ := r.ProgrammeByID(desktest.ID("programme", "ring"))
	return r, p
}

func TestWaysAndOffersInARing(t *testing.T) {
	a, b, c, d, e := liaison.Office("a.example.org"), liaison.Office("b.example.org"), liaison.Office("c.example.org"), liaison.Office("d.example.org"), liaison.Office("e.example.org")
	r, p := square(t, b, c, d)
	if got := r.Path(a, e); !slices.Equal(got, []liaison.Office{a, b, d, e}) {
		t.Errorf("of two ways the lower name: %v", got)
	}
	if got := r.Unlisted(a, p, desktest.At(0)); len(got) != 0 {
		t.Errorf("unlisted: %v", got)
	}
	cyber := liaison.CollectionOf(p.Genesis, "cyber", 1)
	charter := liaison.CollectionOf(p.Genesis, liaison.Charter, 1)
	for _, way := range [][2]liaison.Office{{a, b}, {b, d}, {d, e}, {e, d}, {d, b}, {b, a}} {
		if !r.Offered(way[0], way[1], cyber, desktest.At(0)) {
			t.Errorf("%s does not offer %s, which is on the way", way[0], way[1])
		}
	}
	if r.Offered(a, c, cyber, desktest.At(0)) || r.Offered(d, c, cyber, desktest.At(0)) {
		t.Error("contents are offered to c, which is not on the way")
	}
	if !r.Offered(a, c, charter, desktest.At(0)) {
		t.Error("c is listed as transit and is not offered the charter")
	}

	r, p = square(t, b)
	if got := r.Unlisted(a, p, desktest.At(0)); !slices.Equal(got, []liaison.Office{d}) {
		t.Errorf("unlisted: %v, want d", got)
	}
	if r.Offered(b, d, cyber, desktest.At(0)) {
		t.Error("an office that is not listed is offered contents")
	}
}

// TestEveryReaderIsReachedHopByHop: in any graph, following the offers from
// any office leads to every reader there is a listed way to.
func TestEveryReaderIsReachedHopByHop(t *testing.T) {
	names := []liaison.Office{"a.example.org", "b.example.org", "c.example.org", "d.example.org", "e.example.org", "f.example.org"}
	rapid.Check(t, func(t *rapid.T) {
		c := desktest.Charter{Alias: "graph", Names: []string{"A", "F"}, Terms: liaison.Programme{
			Name: "Graph", Kind: liaison.KindPartnership, Ceiling: stix.Green, Areas: []liaison.Area{"cyber"}, Transit: names,
		}}
		list := []entry{{c.Collection(liaison.Charter), desktest.SignProgramme(c.Version1())}}
		for i, n := range names[1:] {
			through := rapid.SliceOfNDistinct(rapid.SampledFrom(names[:i+1]), 1, -1, rapid.ID[liaison.Office]).Draw(t, "through")
			list = append(list, entry{register, desktest.Route(n, through...)})
		}
		for name, o := range map[string]liaison.Office{"A": names[0], "F": names[5]} {
			list = append(list, entry{register, desktest.Sign(liaison.NewPartyObject(desktest.PartyID(name), name, "organization", liaison.PartyExtension{Kind: liaison.PartyMember, ServedBy: o}, desktest.At(0)))})
		}
		r := fold(t, registry.New(desktest.Pin()), list)
		id := c.Collection("cyber")
		for _, start := range names {
			reached := map[liaison.Office]bool{start: true}
			for queue := []liaison.Office{start}; len(queue) > 0; queue = queue[1:] {
				for _, n := range r.Neighbours(queue[0]) {
					if !reached[n] && r.Offered(queue[0], n, id, desktest.At(0)) {
						reached[n], queue = true, append(queue, n)
					}
				}
			}
			if !reached[names[0]] || !reached[names[5]] {
				t.Fatalf("from %s the offers reach %v", start, reached)
			}
		}
	})
}

func TestMandates(t *testing.T) {
	m := func(from, until int) liaison.ActsAt {
		return liaison.ActsAt{Party: desktest.PartyID("Denmark"), Office: desktest.Seoul, From: desktest.At(time.Duration(from) * time.Hour), Until: desktest.At(time.Duration(until) * time.Hour)}
	}
	ext := liaison.PartyExtension{Kind: liaison.PartyAlliance, ServedBy: desktest.HQ, ActsAt: []liaison.ActsAt{m(1, 2), m(3, 4)}}
	r, err := registry.New(desktest.Pin()).Apply(register, desktest.Sign(liaison.NewPartyObject(desktest.PartyID("NATO"), "NATO", "organization", ext, desktest.At(0))))
	if err != nil {
		t.Fatal(err)
	}
	nato, denmark := desktest.PartyID("NATO"), desktest.PartyID("Denmark")
	if got := r.Mandate(denmark, nato, desktest.Seoul, desktest.At(3*time.Hour)); got == nil || *got != m(3, 4) {
		t.Errorf("the one that covers the instant: %+v", got)
	}
	if got := r.Mandate(denmark, nato, desktest.Seoul, desktest.At(9*time.Hour)); got == nil || got.Covers(desktest.At(9*time.Hour)) {
		t.Errorf("afterwards: %+v", got)
	}
	for _, none := range []*liaison.ActsAt{
		r.Mandate(denmark, nato, desktest.Tokyo, desktest.At(time.Hour)), r.Mandate(nato, denmark, desktest.Seoul, desktest.At(time.Hour)), r.Mandate(denmark, denmark, desktest.Seoul, 1),
	} {
		if none != nil {
			t.Errorf("%+v", none)
		}
	}
}

func TestViewersOfOneNameAreOnePrincipal(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range []registry.Viewer{
		{}, registry.Operator(desktest.HQ), registry.Neighbour(desktest.Seoul), registry.Neighbour(desktest.Tokyo),
		registry.LoggedIn(desktest.Account("Japan"), desktest.Tokyo), registry.LoggedIn(registry.Account{Name: "operator"}, desktest.Tokyo), registry.LoggedIn(registry.Account{Name: "nobody"}, desktest.Tokyo),
	} {
		if seen[v.Principal()] {
			t.Errorf("%s is there twice", v.Principal())
		}
		seen[v.Principal()] = true
	}
	if !registry.Nobody().IsNobody() || registry.Nobody().Principal() != (registry.Viewer{}).Principal() {
		t.Error("the zero viewer is nobody")
	}
}
