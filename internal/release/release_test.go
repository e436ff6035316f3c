package release_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

const (
	nato    liaison.Party  = "identity--11111111-1111-4111-8111-111111111111"
	japan   liaison.Party  = "identity--22222222-2222-4222-8222-222222222222"
	korea   liaison.Party  = "identity--33333333-3333-4333-8333-333333333333"
	denmark liaison.Party  = "identity--44444444-4444-4444-8444-444444444444"
	voice   liaison.Party  = "identity--55555555-5555-4555-8555-555555555555"
	seoul   liaison.Office = "seoul.example.org"
	tokyo   liaison.Office = "tokyo.example.org"
)

func day(n int) liaison.Instant {
	return liaison.InstantOf(time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC))
}

// programme is in force from day 10 to day 20; NATO writes, Korea observes,
// Japan is a party from day 12 to day 14.
func programme(kind liaison.ProgrammeKind, change func(*liaison.Programme)) *liaison.Programme {
	ceiling := map[liaison.ProgrammeKind]stix.TLP{
		liaison.KindPublic: stix.Clear, liaison.KindCommunity: stix.Green, liaison.KindMembers: stix.AmberStrict,
		liaison.KindPartnership: stix.Amber, liaison.KindDirected: stix.Red,
	}[kind]
	p := &liaison.Programme{
		Name: "P", Alias: "p", Kind: kind, Version: 3, Areas: []liaison.Area{"cyber"}, Ceiling: ceiling,
		InForce: day(10), ValidUntil: day(20), AfterExpiry: liaison.AfterReadable,
		Transit: []liaison.Office{tokyo}, Comment: []liaison.Office{tokyo},
		Parties: []liaison.Participant{
			{Ref: nato, Role: liaison.RoleParticipant, Since: day(1)},
			{Ref: korea, Role: liaison.RoleObserver, Since: day(1)},
			{Ref: japan, Role: liaison.RoleParticipant, Since: day(12), Until: day(14)},
		},
	}
	if change != nil {
		change(p)
	}
	return p
}

func marked(t stix.TLP) stix.Label { return stix.Label{TLP: t, Marked: t != stix.Unmarked} }

// write is NATO's own note of a label into cyber on day 11.
func write(kind liaison.ProgrammeKind, tlp stix.TLP, changes ...func(*release.Question)) *release.Question {
	q := &release.Question{
		At: day(11), Programme: programme(kind, nil), Area: "cyber",
		Actor:  release.Actor{By: nato, Kind: liaison.PartyAlliance, ServedBy: "hq.example.org", Office: "hq.example.org"},
		Object: release.Object{Type: "note", Label: marked(tlp), Owner: nato},
	}
	for _, c := range changes {
		c(q)
	}
	return q
}

func read(kind liaison.ProgrammeKind, by liaison.Party, changes ...func(*release.Question)) *release.Question {
	q := write(kind, stix.Clear, changes...)
	q.Action, q.Object = release.Read, release.Object{}
	if q.Actor.By == nato {
		q.Actor.By = by
	}
	return q
}

type set = func(*release.Question)

func at(i liaison.Instant) set { return func(q *release.Question) { q.At = i } }
func by(p liaison.Party) set   { return func(q *release.Question) { q.Actor.By, q.Object.Owner = p, p } }
func owner(p liaison.Party) set {
	return func(q *release.Question) { q.Object.Owner = p }
}
func terms(change func(*liaison.Programme)) set {
	return func(q *release.Question) { q.Programme = programme(q.Programme.Kind, change) }
}

// acting: Denmark acts for NATO at seoul under a mandate from day 5 to 15.
func acting(change func(*liaison.ActsAt)) set {
	return func(q *release.Question) {
		m := &liaison.ActsAt{Party: denmark, Office: seoul, From: day(5), Until: day(15)}
		change(m)
		q.Actor = release.Actor{By: denmark, Kind: liaison.PartyMember, For: nato, Office: seoul, Mandate: m}
	}
}
func commenting(typ string) set {
	return func(q *release.Question) {
		q.Actor = release.Actor{By: voice, Kind: liaison.PartyOffice, ServedBy: tokyo, Office: tokyo}
		q.Object.Type, q.Object.Owner = typ, voice
	}
}

// TestWhatMayEnterByKindAndLabel is the table of kinds × labels: the label an
// object counts as, or the rule that refuses it. Unmarked is asked twice,
// without and with accept_unmarked.
func TestWhatMayEnterByKindAndLabel(t *testing.T) {
	const no = stix.Unmarked
	type row struct {
		clear, green, amber, strict, red, unmarked, accepted any
	}
	rows := map[liaison.ProgrammeKind]row{
		liaison.KindPublic:      {stix.Clear, release.RuleKind, release.RuleKind, release.RuleKind, release.RuleRed, release.RuleUnmarked, release.RuleUnmarked},
		liaison.KindCommunity:   {stix.Clear, stix.Green, release.RuleKind, release.RuleKind, release.RuleRed, release.RuleUnmarked, release.RuleUnmarked},
		liaison.KindMembers:     {stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, release.RuleRed, release.RuleUnmarked, stix.AmberStrict},
		liaison.KindPartnership: {stix.Clear, stix.Green, stix.Amber, release.RuleCeiling, release.RuleRed, release.RuleUnmarked, stix.Amber},
		liaison.KindDirected:    {stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red, release.RuleUnmarked, stix.Red},
	}
	for kind, r := range rows {
		check := func(name string, want any, q *release.Question) {
			t.Helper()
			d := release.Decide(q)
			if tlp, ok := want.(stix.TLP); ok && (!d.Allowed || d.Label != tlp) || !ok && (d.Allowed || d.Rule != want) {
				t.Errorf("%s into %s: %+v, want %v", name, kind, d, want)
			}
		}
		for tlp, want := range map[stix.TLP]any{stix.Clear: r.clear, stix.Green: r.green, stix.Amber: r.amber, stix.AmberStrict: r.strict, stix.Red: r.red} {
			check(tlp.String(), want, write(kind, tlp))
		}
		check("unmarked", r.unmarked, write(kind, no))
		check("unmarked", r.accepted, write(kind, no, terms(func(p *liaison.Programme) { p.AcceptUnmarked = true })))
		check("unknown marking", release.RuleUnknown, write(kind, stix.Clear, func(q *release.Question) {
			q.Object.Label.Unknown = []stix.ID{"marking-definition--1"}
		}))
		check("a control object", release.RuleControl, write(kind, stix.Clear, func(q *release.Question) { q.Object.Type = "programme" }))
	}
	if d := release.Decide(write(liaison.KindMembers, no, terms(func(p *liaison.Programme) { p.AcceptUnmarked, p.Ceiling = true, stix.Red }))); d.Rule != release.RuleRed {
		t.Errorf("unmarked under a ceiling of RED counts as RED: %+v", d)
	}
}

func TestWhoMayWrite(t *testing.T) {
	const kind, ok = liaison.KindPartnership, release.RuleRole
	same := func(*liaison.ActsAt) {}
	cases := []struct {
		name   string
		q      *release.Question
		rule   release.Rule
		clause string
	}{
		{"a participant", write(kind, stix.Amber), ok, "P v3 /parties/0"},
		{"an observer", write(kind, stix.Clear, by(korea)), release.RuleRole, "P v3 /parties/1/role"},
		{"a stranger", write(kind, stix.Clear, by(denmark)), release.RuleParty, "/parties"},
		{"a stranger under RED only terms", write(liaison.KindDirected, stix.Red, by(denmark)), release.RuleParty, "/parties"},
		{"a party before its time", write(kind, stix.Clear, by(japan), at(day(12)-1)), release.RuleParty, "/parties"},
		{"at its first microsecond", write(kind, stix.Clear, by(japan), at(day(12))), ok, "/parties/2"},
		{"at its last", write(kind, stix.Clear, by(japan), at(day(14)-1)), ok, "/parties/2"},
		{"after it", write(kind, stix.Clear, by(japan), at(day(14))), release.RuleParty, "/parties"},

		{"before the term", write(kind, stix.Clear, at(day(10)-1)), release.RuleTerm, "/in_force"},
		{"at its first microsecond", write(kind, stix.Clear, at(day(10))), ok, ""},
		{"at its last", write(kind, stix.Clear, at(day(20)-1)), ok, ""},
		{"after the term", write(kind, stix.Clear, at(day(20))), release.RuleTerm, "/valid_until"},
		{"an open-ended term", write(kind, stix.Clear, at(day(900)), terms(func(p *liaison.Programme) { p.ValidUntil = 0 })), ok, ""},
		{"before the successor", write(kind, stix.Clear, func(q *release.Question) { q.Until = day(11) + 1 }), ok, ""},
		{"when the successor is in force", write(kind, stix.Clear, func(q *release.Question) { q.Until = day(11) }), release.RuleTerm, "/version"},
		{"another area", write(kind, stix.Clear, func(q *release.Question) { q.Area = "space" }), release.RuleArea, "/areas"},
		{"no programme", write(kind, stix.Clear, func(q *release.Question) { q.Programme = nil }), release.RuleParty, ""},

		{"for another party", write(kind, stix.Amber, acting(same)), ok, "/parties/0"},
		{"without a mandate", write(kind, stix.Clear, acting(same), func(q *release.Question) { q.Actor.Mandate = nil }), release.RuleMandate, ""},
		{"with another's mandate", write(kind, stix.Clear, acting(func(m *liaison.ActsAt) { m.Party = japan })), release.RuleMandate, ""},
		{"at another office", write(kind, stix.Clear, acting(func(m *liaison.ActsAt) { m.Office = tokyo })), release.RuleMandate, ""},
		{"before the mandate", write(kind, stix.Clear, acting(func(m *liaison.ActsAt) { m.From = day(11) + 1 })), release.RuleMandate, ""},
		{"after the mandate", write(kind, stix.Clear, acting(func(m *liaison.ActsAt) { m.Until = day(11) })), release.RuleMandate, ""},
		{"an embassy by itself", write(kind, stix.Clear, acting(same), func(q *release.Question) { q.Actor.For = "" }), release.RuleServed, ""},
		{"a party at another's office", write(kind, stix.Clear, func(q *release.Question) { q.Actor.ServedBy = tokyo }), release.RuleServed, ""},
		{"for an observer", write(kind, stix.Clear, acting(same), func(q *release.Question) { q.Actor.For = korea }), release.RuleRole, "/parties/1"},

		{"another's note at GREEN", write(kind, stix.Green, owner(japan)), ok, ""},
		{"another's note above GREEN", write(kind, stix.Amber, owner(japan)), release.RuleOriginator, ""},
		{"another's AMBER into one's own directed programme", write(liaison.KindDirected, stix.Amber, owner(japan)), release.RuleOriginator, ""},
		{"with the owner's consent", write(kind, stix.Amber, owner(japan), func(q *release.Question) { q.Object.Consent = true }), ok, ""},
		{"nobody's note above GREEN", write(kind, stix.Amber, owner("")), release.RuleOriginator, ""},
		{"nobody's note at GREEN", write(kind, stix.Green, owner("")), ok, ""},
		{"nobody's, and consent", write(kind, stix.Amber, owner(""), func(q *release.Question) { q.Object.Consent = true }), release.RuleOriginator, ""},
		{"an observable has no owner", write(kind, stix.Amber, owner(""), func(q *release.Question) { q.Object.SCO = true }), ok, ""},
		{"unmarked counts as its ceiling: whose?", write(kind, stix.Unmarked, owner(japan), terms(func(p *liaison.Programme) { p.AcceptUnmarked = true })), release.RuleOriginator, ""},
		{"the note of who is acted for", write(kind, stix.Amber, acting(same), owner(nato)), ok, ""},
		{"the note of who acts", write(kind, stix.Amber, acting(same), owner(denmark)), ok, ""},
		{"a third party's note while acting", write(kind, stix.Amber, acting(same), owner(japan)), release.RuleOriginator, ""},

		{"the way needs an unlisted office", write(kind, stix.Clear, func(q *release.Question) { q.Unlisted = []liaison.Office{seoul} }), release.RuleTransit, "/transit"},

		{"an office's note", write(kind, stix.Amber, commenting("note")), release.RuleComment, "/comment"},
		{"an office's opinion", write(kind, stix.Clear, commenting("opinion")), release.RuleComment, "/comment"},
		{"an office's report", write(kind, stix.Clear, commenting("report")), release.RuleComment, "/comment"},
		{"an office not listed", write(kind, stix.Clear, commenting("note"), terms(func(p *liaison.Programme) { p.Comment = nil })), release.RuleParty, "/parties"},
		{"an office's voice elsewhere", write(kind, stix.Clear, commenting("note"), func(q *release.Question) { q.Actor.Office = seoul }), release.RuleServed, ""},
		{"a party that is no office's voice", write(kind, stix.Clear, commenting("note"), func(q *release.Question) { q.Actor.Kind = liaison.PartyPartner }), release.RuleParty, "/parties"},

		{"an unsigned object into a charter", write(kind, stix.Clear, func(q *release.Question) { q.Area = liaison.Charter }), release.RuleSigned, ""},
		{"a signed one", write(kind, stix.Clear, by(denmark), at(day(30)), func(q *release.Question) { q.Area, q.Object.Signed = liaison.Charter, true }), release.RuleSigned, ""},
	}
	refusedRoles := []string{"an observer", "for an observer", "an office's report", "an unsigned object into a charter"}
	for _, c := range cases {
		d := release.Decide(c.q)
		allowed := c.rule == ok || c.rule == release.RuleComment || c.rule == release.RuleSigned
		if slices.Contains(refusedRoles, c.name) {
			allowed = false
		}
		if d.Allowed != allowed || d.Rule != c.rule || !strings.Contains(d.Clause, c.clause) || d.Reason == "" {
			t.Errorf("%s: %+v, want allowed %v by %s, clause %q", c.name, d, allowed, c.rule, c.clause)
		}
	}
}

func TestWhoMayRead(t *testing.T) {
	const part, pub = liaison.KindPartnership, liaison.KindPublic
	closed := terms(func(p *liaison.Programme) { p.AfterExpiry = liaison.AfterClosed })
	charter := func(q *release.Question) { q.Area = liaison.Charter }
	nobody := func(q *release.Question) { q.Actor = release.Actor{} }
	same := func(*liaison.ActsAt) {}
	cases := []struct {
		name    string
		q       *release.Question
		allowed bool
		rule    release.Rule
	}{
		{"a participant", read(part, nato), true, release.RuleParty},
		{"an observer", read(part, korea), true, release.RuleParty},
		{"a stranger", read(part, denmark), false, release.RuleParty},
		{"a stranger, community", read(liaison.KindCommunity, denmark), false, release.RuleParty},
		{"nobody", read(part, nato, nobody), false, release.RuleParty},
		{"nobody, public", read(pub, nato, nobody), true, release.RulePublic},
		{"nobody, the charter of a public programme", read(pub, nato, nobody, charter), false, release.RuleParty},
		{"a party, the charter of a public programme", read(pub, nato, charter), true, release.RuleParty},
		{"a stranger, public", read(pub, denmark), true, release.RulePublic},
		{"a lapsed mandate, public", read(pub, nato, acting(func(m *liaison.ActsAt) { m.Until = day(6) })), true, release.RulePublic},
		{"who left, in the next microsecond", read(part, japan, at(day(14))), false, release.RuleParty},
		{"who left, just before", read(part, japan, at(day(14)-1)), true, release.RuleParty},
		{"who is not yet a party", read(part, japan, at(day(11))), false, release.RuleParty},
		{"who will be a party, the charter", read(part, japan, at(day(11)), charter), true, release.RuleParty},
		{"who left, the charter", read(part, japan, at(day(14)), charter), false, release.RuleParty},
		{"before the term", read(part, nato, at(day(10)-1)), false, release.RuleTerm},
		{"before the term, the charter", read(part, nato, at(day(10)-1), charter), true, release.RuleParty},
		{"before the term, public", read(pub, nato, nobody, at(day(10)-1)), false, release.RuleTerm},
		{"after the term, readable", read(part, nato, at(day(20))), true, release.RuleParty},
		{"after the term, closed", read(part, nato, at(day(20)), closed), false, release.RuleExpiry},
		{"the last microsecond, closed after", read(part, nato, at(day(20)-1), closed), true, release.RuleParty},
		{"after the term, closed, the charter", read(part, nato, at(day(20)), closed, charter), true, release.RuleParty},
		{"after the term, closed, public", read(pub, nato, nobody, at(day(20)), closed), false, release.RuleExpiry},
		{"another area", read(part, nato, func(q *release.Question) { q.Area = "space" }), false, release.RuleArea},
		{"who acts for a party", read(part, nato, acting(same)), true, release.RuleParty},
		{"without a mandate", read(part, nato, acting(same), func(q *release.Question) { q.Actor.Mandate = nil }), false, release.RuleMandate},
		{"an office that comments", read(part, nato, commenting("note")), true, release.RuleComment},
		{"an office that does not", read(part, nato, commenting("note"), terms(func(p *liaison.Programme) { p.Comment = nil })), false, release.RuleParty},
	}
	for _, c := range cases {
		if d := release.Decide(c.q); d.Allowed != c.allowed || d.Rule != c.rule {
			t.Errorf("%s: %+v, want %v by %s", c.name, d, c.allowed, c.rule)
		}
	}
}

func TestOnesOwnActIsAlwaysWithdrawnAndNobodyElses(t *testing.T) {
	own := func(q *release.Question) {
		q.Action, q.Object.Released, q.Object.Kept = release.Withdraw, stix.Amber, stix.Amber
	}
	for _, when := range []liaison.Instant{day(1), day(11), day(90)} {
		if d := release.Decide(write(liaison.KindPartnership, stix.Amber, own, at(when))); !d.Allowed || d.Rule != release.RuleWithdraw {
			t.Errorf("at %s: %+v", when, d)
		}
	}
	gone := terms(func(p *liaison.Programme) { p.Parties = nil })
	for what, change := range map[string]set{
		"another text": func(q *release.Question) { q.Object.Kept = stix.Unmarked },
		"twice":        func(q *release.Question) { q.Object.Withdrawn = true },
		"looser":       func(q *release.Question) { q.Object.Label = marked(stix.Green) },
	} {
		for where, limit := range map[string]set{"left": gone, "after the term": at(day(90)), "in a closed epoch": func(q *release.Question) { q.Closed = true }} {
			if d := release.Decide(write(liaison.KindPartnership, stix.Amber, own, change, limit)); d.Allowed || d.Rule != release.RuleWithdraw {
				t.Errorf("%s, %s: %+v", what, where, d)
			}
		}
		if d := release.Decide(write(liaison.KindPartnership, stix.Amber, own, change)); !d.Allowed {
			t.Errorf("%s, by who writes: %+v", what, d)
		}
	}
	if d := release.Decide(write(liaison.KindPartnership, stix.Amber, own, gone)); !d.Allowed {
		t.Errorf("after leaving: %+v", d)
	}
	lowered := terms(func(p *liaison.Programme) { p.Ceiling = stix.Clear })
	if d := release.Decide(write(liaison.KindPartnership, stix.Amber, own, lowered)); !d.Allowed || d.Label != stix.Amber {
		t.Errorf("under a lower ceiling: %+v", d)
	}
	if d := release.Decide(write(liaison.KindPartnership, stix.AmberStrict, own, lowered)); d.Allowed || d.Rule != release.RuleCeiling {
		t.Errorf("stricter than it was released: %+v", d)
	}
	if d := release.Decide(write(liaison.KindPartnership, stix.Amber, func(q *release.Question) { q.Action = release.Withdraw })); d.Allowed || d.Rule != release.RuleWithdraw {
		t.Errorf("another's: %+v", d)
	}
}

// level is what an object counts as, and whether that may enter.
func level(q *release.Question) (stix.TLP, bool) {
	p, tlp := q.Programme, q.Object.Label.TLP
	if tlp == stix.Unmarked {
		if !p.AcceptUnmarked || p.Kind == liaison.KindPublic || p.Kind == liaison.KindCommunity {
			return 0, false
		}
		tlp = p.Ceiling
	}
	most := map[liaison.ProgrammeKind]stix.TLP{liaison.KindPublic: stix.Clear, liaison.KindCommunity: stix.Green, liaison.KindMembers: stix.AmberStrict, liaison.KindPartnership: stix.AmberStrict, liaison.KindDirected: stix.Red}
	return tlp, len(q.Object.Label.Unknown) == 0 && tlp <= most[p.Kind] && tlp <= p.Ceiling
}

// oracle is written from the design's sentences alone.
func oracle(q *release.Question) bool {
	p, a, o := q.Programme, q.Actor, q.Object
	who, mandated := a.By, true
	if a.For != "" {
		who = a.For
		if a.For != a.By {
			m := a.Mandate
			mandated = m != nil && m.Party == a.By && m.Office == a.Office && m.From <= q.At && (m.Until == 0 || q.At < m.Until)
		}
	}
	var mine *liaison.Participant
	for i := range p.Parties {
		if p.Parties[i].Ref == who {
			mine = &p.Parties[i]
		}
	}
	present := mine != nil && mine.Since <= q.At && (mine.Until == 0 || q.At < mine.Until)
	comments := mine == nil && a.For == "" && a.Kind == liaison.PartyOffice && a.ServedBy == a.Office && slices.Contains(p.Comment, a.Office)
	begun := q.At >= p.InForce
	endless := p.Kind == liaison.KindDirected && q.Contact && p.ValidUntil == 0
	ended := p.ValidUntil != 0 && q.At >= p.ValidUntil
	charter := q.Area == liaison.Charter
	topic := charter || slices.Contains(p.Areas, q.Area)
	replaced := q.Until != 0 && q.At >= q.Until
	elsewhere := who == a.By && a.ServedBy != a.Office
	switch q.Action {
	case release.Withdraw:
		_, fits := level(q)
		asBefore := o.Label.TLP != stix.Unmarked && o.Label.TLP <= o.Released && len(o.Label.Unknown) == 0
		writes := present && mine.Role == liaison.RoleParticipant || comments && (o.Type == "note" || o.Type == "opinion")
		writes = writes && begun && !ended && !endless && !replaced && !elsewhere && topic && !charter && !q.Closed
		counts := o.Label.TLP
		if counts == stix.Unmarked {
			counts = p.Ceiling
		}
		same := !o.Withdrawn && o.Kept != stix.Unmarked && counts >= o.Kept
		return mandated && o.Released != stix.Unmarked && (asBefore || fits) && (writes || same)
	case release.Read:
		topic = topic || q.Dropped
		inTerm := charter || begun && !(ended && p.AfterExpiry == liaison.AfterClosed)
		if p.Kind == liaison.KindPublic && !charter {
			return topic && inTerm
		}
		future := charter && mine != nil && (mine.Until == 0 || q.At < mine.Until)
		return topic && inTerm && mandated && a.By != "" && (present || comments || future)
	}
	if charter {
		return o.Signed
	}
	control := slices.Contains([]string{"authority", "office", "route", "programme"}, o.Type)
	if control || elsewhere || !mandated || !begun || ended || endless || replaced || !topic || len(q.Unlisted) > 0 {
		return false
	}
	if comments && o.Type != "note" && o.Type != "opinion" || !comments && !(present && mine.Role == liaison.RoleParticipant) {
		return false
	}
	tlp, fits := level(q)
	if !fits {
		return false
	}
	own := o.Owner == a.By || a.For != "" && o.Owner == a.For
	unrestricted := o.Outsider && o.Label.TLP == stix.Unmarked
	return tlp <= stix.Green || o.SCO || o.Owner != "" && (own || o.Consent || unrestricted)
}

func question(t *rapid.T) *release.Question {
	some := func(name string, list ...liaison.Party) liaison.Party { return rapid.SampledFrom(list).Draw(t, name) }
	instant := func(name string) liaison.Instant {
		return day(rapid.IntRange(8, 22).Draw(t, name)) + liaison.Instant(rapid.IntRange(-1, 1).Draw(t, name+"µs"))
	}
	yes := func(name string) bool { return rapid.Bool().Draw(t, name) }
	tlp := func(name string, from stix.TLP) stix.TLP {
		return stix.TLP(rapid.IntRange(int(from), int(stix.Red)).Draw(t, name))
	}
	kinds := []liaison.ProgrammeKind{liaison.KindPublic, liaison.KindCommunity, liaison.KindMembers, liaison.KindPartnership, liaison.KindDirected}
	p := programme(rapid.SampledFrom(kinds).Draw(t, "kind"), func(p *liaison.Programme) {
		p.AcceptUnmarked, p.Ceiling = yes("accept"), tlp("ceiling", stix.Clear)
		p.AfterExpiry = rapid.SampledFrom([]liaison.AfterExpiry{liaison.AfterReadable, liaison.AfterClosed}).Draw(t, "after")
		if yes("open-ended") {
			p.ValidUntil = 0
		}
		if yes("no comment") {
			p.Comment = nil
		}
	})
	q := &release.Question{
		Action: rapid.SampledFrom([]release.Action{release.Write, release.Write, release.Read, release.Withdraw}).Draw(t, "action"),
		At:     instant("at"), Programme: p,
		Area: rapid.SampledFrom([]liaison.Area{"cyber", "cyber", "cyber", "space", liaison.Charter}).Draw(t, "area"),
		Actor: release.Actor{
			By: some("by", nato, japan, korea, denmark, voice, ""), Office: rapid.SampledFrom([]liaison.Office{seoul, tokyo}).Draw(t, "office"),
			Kind: rapid.SampledFrom([]liaison.PartyKind{liaison.PartyMember, liaison.PartyOffice}).Draw(t, "party kind"), ServedBy: tokyo,
		},
		Object: release.Object{
			Type: rapid.SampledFrom([]string{"note", "opinion", "report", "programme"}).Draw(t, "type"), Label: marked(tlp("label", stix.Unmarked)),
			Owner: some("owner", nato, japan, denmark, ""), SCO: yes("sco"), Consent: yes("consent"), Signed: yes("signed"),
			Outsider: yes("outsider"), Released: tlp("released", stix.Unmarked),
			Kept: tlp("kept", stix.Unmarked), Withdrawn: yes("withdrawn"),
		},
		Contact: rapid.IntRange(0, 4).Draw(t, "contact") == 0,
		Closed:  yes("closed"), Dropped: yes("dropped"),
	}
	if yes("replaced") {
		q.Until = instant("until")
	}
	if yes("acting") {
		q.Actor.For = some("for", nato, japan, korea, denmark)
		if yes("mandate") {
			q.Actor.Mandate = &liaison.ActsAt{Party: some("mandated", q.Actor.By, denmark), Office: seoul, From: instant("from"), Until: instant("to")}
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "trouble") == 0 {
		q.Unlisted = []liaison.Office{seoul}
	}
	if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
		q.Object.Label.Unknown = []stix.ID{"marking-definition--1"}
	}
	return q
}

func TestDecideAgreesWithTheDesignsSentences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := question(t)
		before := *q
		d, want := release.Decide(q), oracle(q)
		if d.Allowed != want {
			t.Fatalf("%+v\nDecide: %+v, the design: %v", q, d, want)
		}
		if d.Rule == "" || d.Reason == "" {
			t.Fatalf("a decision without rule or reason: %+v", d)
		}
		brief := before
		brief.Brief = true
		if b := release.Decide(&brief); b.Allowed != d.Allowed || b.Rule != d.Rule || b.Label != d.Label {
			t.Fatalf("in brief %+v, in words %+v", b, d)
		}
		if again := release.Decide(q); again != d {
			t.Fatalf("asked twice: %+v, then %+v", d, again)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	q := write(liaison.KindPartnership, stix.Amber)
	q.Brief = true
	b.ReportAllocs()
	for b.Loop() {
		release.Decide(q)
	}
}
