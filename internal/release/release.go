// Package release decides who may do what: whether a party may write an object
// into a collection, and whether it may read one.
//
// # Invariants
//
//   - Decide is a pure function: no clock, no store, no state. The same question
//     has the same answer at every office, so each office decides again from the
//     same bytes and nothing is ever widened on the way.
//   - Writing is judged at the act's accepted instant under the programme version
//     the act names; reading is judged now.
//   - Fails closed: what no rule allows is refused, and every refusal names its
//     rule and the clause of the programme it rests on.
//
// # What it does not do
//
// It does not find the programme, the party's mandate or the object's label (the
// desk asks the registry and package stix), checks no signature, and knows
// nothing of accounts and their roles.
package release

import (
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/stix"
)

// Action is what somebody wants to do.
type Action uint8

// The actions.
const (
	Write    Action = iota // append an object
	Read                   // see the collection
	Withdraw               // append a revoked version of what the party released
	Erase                  // take back what an act of the party's released, for all
)

// Question is everything a decision depends on.
type Question struct {
	Action Action
	// At is the act's accepted instant (Write, Withdraw, Erase) or now (Read).
	At liaison.Instant
	// Programme is the version the act names (Write, Withdraw, Erase) or the newest
	// version in force (Read).
	Programme *liaison.Programme
	// Until is the in_force of the version's successor; zero if there is none.
	Until liaison.Instant
	Area  liaison.Area
	// Closed: a later epoch of the area is open, and takes what is new (Withdraw).
	Closed bool
	// Contact: a party of the directed programme is a contact (Write, Withdraw).
	Contact bool
	// Dropped: the version has the area no more; one that had it is asked too
	// (Read).
	Dropped bool

	Actor  Actor
	Object Object // Write only

	// Brief leaves Clause and Reason of the answer empty: for questions whose
	// answer nobody reads.
	Brief bool

	// Unlisted are offices the way to the audience needs that the programme
	// does not list as transit. The first door asks; later offices leave it empty.
	Unlisted []liaison.Office
}

// Actor is who wants to do it.
type Actor struct {
	By       liaison.Party     // empty: nobody is logged in
	Kind     liaison.PartyKind // of By
	ServedBy liaison.Office    // of By
	For      liaison.Party     // the party By acts for, if any
	Mandate  *liaison.ActsAt   // the mandate of By to act for For at Office, if there is one
	Office   liaison.Office    // where By acts
}

// party is whose right is used.
func (a Actor) party() liaison.Party {
	if a.For != "" {
		return a.For
	}
	return a.By
}

// Object is what is written.
type Object struct {
	Type    string
	Label   stix.Label
	Owner   liaison.Party // created_by_ref
	SCO     bool          // a cyber-observable: has no owner
	Consent bool          // the owner's signed consent for this destination is here
	Revoked bool          // a version that withdraws the object
	Signed  bool          // a control object whose signatures were found valid
	// Released is the strictest label the party has released the object with,
	// here (Withdraw), or that of its act (Erase); Unmarked: it has not.
	Released stix.TLP
	// Kept is the strictest label the party has released these contents with,
	// here: a version that differs by revoked, modified and markings only
	// (Withdraw); Unmarked: it has not.
	Kept stix.TLP
	// Withdrawn: the party's latest act for the object withdrew it (Withdraw).
	Withdrawn bool
	// Outsider: the owner shares no programme with the actor, so there is no
	// party that could consent.
	Outsider bool
	// Missing says why the first of Label.Unknown is not known; for people.
	Missing string
}

// Rule is the stable name of a rule.
type Rule string

// The rules.
const (
	RuleMandate    Rule = "mandate"           // acting for another party needs a signed mandate
	RuleServed     Rule = "party.served"      // a party acts at the office that serves it
	RuleSigned     Rule = "charter.signed"    // a charter takes signed control objects only
	RuleControl    Rule = "control.area"      // control objects go into a charter and nowhere else
	RuleTerm       Rule = "programme.term"    // in force at that instant, in that version
	RuleArea       Rule = "programme.area"    // one of its areas
	RuleParty      Rule = "programme.party"   // a party of it at that instant
	RuleRole       Rule = "programme.role"    // with a role that writes
	RuleComment    Rule = "programme.comment" // a listed office attaches a note or opinion
	RuleExpiry     Rule = "programme.after-expiry"
	RulePublic     Rule = "public"         // everyone reads what is public
	RuleUnknown    Rule = "label.unknown"  // a marking nobody here knows
	RuleUnmarked   Rule = "label.unmarked" // unmarked fails closed
	RuleRed        Rule = "label.red"      // RED is for directed programmes only
	RuleKind       Rule = "label.kind"     // what may enter a programme of this kind
	RuleCeiling    Rule = "label.ceiling"  // the programme's ceiling
	RuleOriginator Rule = "originator"     // another party's object above GREEN needs its consent
	RuleTransit    Rule = "transit"        // the way needs an office the programme does not list
	RuleWithdraw   Rule = "withdraw.own"   // one's own act can always be withdrawn
	RuleErase      Rule = "erase.own"      // and erased, by nobody else
)

// Decision is the answer: the rule that decided, the clause of the programme
// it rests on (title, version and JSON pointer) and a sentence for people.
type Decision struct {
	Allowed bool
	Rule    Rule
	Clause  string
	Reason  string
	// Label is what the object was judged as: an unmarked object that is
	// admitted counts as marked with the ceiling.
	Label stix.TLP
}

// Decide answers a question.
func Decide(q *Question) Decision {
	if q.Programme == nil {
		return q.refuse(RuleParty, "", "there is no such programme")
	}
	switch q.Action {
	case Read:
		return q.read()
	case Withdraw:
		return q.withdraw()
	case Erase:
		return q.erase()
	}
	return q.write()
}

func (q *Question) write() Decision {
	if q.Area == liaison.Charter {
		return q.writeCharter()
	}
	for _, ask := range []func(*Question) (Decision, bool){control, mandate, served, term, area, party} {
		if d, decided := ask(q); decided {
			return d
		}
	}
	tlp, d, refused := label(q)
	if refused {
		return d
	}
	for _, ask := range []func(*Question, stix.TLP) (Decision, bool){originator, transit} {
		if d, decided := ask(q, tlp); decided {
			return d
		}
	}
	return q.allowWrite(tlp)
}

// allowWrite names the clause that gave the right: the party's line, or the
// comment clause for an office's own voice.
func (q *Question) allowWrite(tlp stix.TLP) Decision {
	d := q.allow(RuleRole, "/parties", "%s is a participant of %s", q.Actor.party(), q.Programme.Name)
	if _, i, ok := q.Programme.Participant(q.Actor.party()); ok {
		if !q.Brief {
			d.Clause = q.clause(fmt.Sprintf("/parties/%d", i))
		}
	} else {
		d = q.allow(RuleComment, "/comment", "%s may attach assessments as a listed office", q.Actor.ServedBy)
	}
	d.Label = tlp
	return d
}

func (q *Question) writeCharter() Decision {
	if !q.Object.Signed {
		return q.refuse(RuleSigned, "", "a charter takes control objects with valid signatures only")
	}
	d := q.allow(RuleSigned, "", "the control object carries the signatures its kind needs")
	if d.Label = q.Object.Label.TLP; d.Label == stix.Unmarked {
		d.Label = q.Programme.Ceiling
	}
	return d
}

func control(q *Question) (Decision, bool) {
	if liaison.IsControlType(q.Object.Type) {
		return q.refuse(RuleControl, "", "a %s belongs into a charter", q.Object.Type), true
	}
	return Decision{}, false
}

func mandate(q *Question) (Decision, bool) {
	a := q.Actor
	if a.For == "" || a.For == a.By {
		return Decision{}, false
	}
	if a.Mandate == nil || a.Mandate.Party != a.By || a.Mandate.Office != a.Office || !a.Mandate.Covers(q.At) {
		return q.refuse(RuleMandate, "", "%s has no signed mandate to act for %s at %s at %s", a.By, a.For, a.Office, q.At), true
	}
	return Decision{}, false
}

// served: without a mandate a party acts at the office that serves it and
// nowhere else, so no office can sign acts of another's parties.
func served(q *Question) (Decision, bool) {
	a := q.Actor
	if (a.For == "" || a.For == a.By) && a.ServedBy != a.Office {
		return q.refuse(RuleServed, "", "%s is not served by %s", a.By, a.Office), true
	}
	return Decision{}, false
}

func term(q *Question) (Decision, bool) {
	p := q.Programme
	switch {
	case EndlessFor(p, q.Contact):
		return q.refuse(RuleTerm, "/valid_until", "%s is a directed programme with a contact, and one of those has an end", p.Name), true
	case q.At < p.InForce:
		return q.refuse(RuleTerm, "/in_force", "%s is in force from %s", p.Name, p.InForce), true
	case !p.ValidUntil.IsZero() && q.At >= p.ValidUntil:
		return q.refuse(RuleTerm, "/valid_until", "the term of %s ended at %s", p.Name, p.ValidUntil), true
	case !q.Until.IsZero() && q.At >= q.Until:
		return q.refuse(RuleTerm, "/version", "version %d of %s was replaced at %s", p.Version, p.Name, q.Until), true
	}
	return Decision{}, false
}

// EndlessFor reports whether a programme is one that nothing is released under:
// what is directed to a contact has an end.
func EndlessFor(p *liaison.Programme, contact bool) bool {
	return contact && p.Kind == liaison.KindDirected && p.ValidUntil.IsZero()
}

func area(q *Question) (Decision, bool) {
	if !q.Dropped && !q.Programme.HasArea(q.Area) {
		return q.refuse(RuleArea, "/areas", "%q is not an area of %s", q.Area, q.Programme.Name), true
	}
	return Decision{}, false
}

// party asks for the role of the party whose right is used, or for the right
// of a listed office to attach its own assessment.
func party(q *Question) (Decision, bool) {
	terms, i, listed := q.Programme.Participant(q.Actor.party())
	switch {
	case !listed && q.comments():
		if q.Object.Type != "note" && q.Object.Type != "opinion" {
			return q.refuse(RuleComment, "/comment", "%s may attach a note or an opinion, not a %s", q.Actor.ServedBy, q.Object.Type), true
		}
		return Decision{}, false
	case !listed || !terms.Covers(q.At):
		return q.refuse(RuleParty, "/parties", "%s is not a party of %s at %s", q.Actor.party(), q.Programme.Name, q.At), true
	case terms.Role != liaison.RoleParticipant:
		return q.refuse(RuleRole, fmt.Sprintf("/parties/%d/role", i), "%s is an %s of %s and does not write", q.Actor.party(), terms.Role, q.Programme.Name), true
	}
	return Decision{}, false
}

// comments reports whether the actor is an office with a voice of its own
// that the programme lists under comment.
func (q *Question) comments() bool {
	a := q.Actor
	if a.For != "" || a.Kind != liaison.PartyOffice || a.ServedBy != a.Office {
		return false
	}
	for _, o := range q.Programme.Comment {
		if o == a.Office {
			return true
		}
	}
	return false
}

// label finds what the object counts as and asks the rules on labels.
func label(q *Question) (stix.TLP, Decision, bool) {
	p, l := q.Programme, q.Object.Label
	if len(l.Unknown) > 0 {
		return 0, q.refuse(RuleUnknown, "", "it is marked by %s, %s", l.Unknown[0], q.missing()), true
	}
	tlp := l.TLP
	if tlp == stix.Unmarked {
		closed := p.Kind == liaison.KindPublic || p.Kind == liaison.KindCommunity
		if closed || !p.AcceptUnmarked {
			return 0, q.refuse(RuleUnmarked, "/accept_unmarked", "it carries no TLP marking and %s does not take unmarked objects: %s", p.Name, q.remedy()), true
		}
		tlp = p.Ceiling
	}
	d, refused := fits(q, tlp)
	return tlp, d, refused
}

func (q *Question) missing() string {
	if q.Object.Missing != "" {
		return q.Object.Missing
	}
	return "which is not known here"
}

// remedy tells who releases something unmarked what to do.
func (q *Question) remedy() string {
	levels := "a TLP level up to " + q.Programme.Ceiling.String()
	switch {
	case q.Programme.Kind == liaison.KindPublic:
		levels = "TLP:CLEAR"
	case q.Programme.Kind == liaison.KindCommunity:
		levels = "TLP:CLEAR or TLP:GREEN"
	}
	return "its owner marks it with " + levels + ", or it is released under a programme that accepts unmarked objects"
}

// fits asks whether a TLP may enter a programme of this kind and ceiling.
func fits(q *Question, tlp stix.TLP) (Decision, bool) {
	p := q.Programme
	switch {
	case tlp == stix.Red && p.Kind != liaison.KindDirected:
		return q.refuse(RuleRed, "/kind", "%s may enter a directed programme only; %s is of kind %s", tlp, p.Name, p.Kind), true
	case p.Kind == liaison.KindPublic && tlp != stix.Clear:
		return q.refuse(RuleKind, "/kind", "%s may not enter a public programme", tlp), true
	case p.Kind == liaison.KindCommunity && tlp > stix.Green:
		return q.refuse(RuleKind, "/kind", "%s may not enter a community programme", tlp), true
	case tlp > p.Ceiling:
		return q.refuse(RuleCeiling, "/ceiling", "%s is above the ceiling %s of %s", tlp, p.Ceiling, p.Name), true
	}
	return Decision{}, false
}

// originator asks for the owner's consent. What an outsider published without
// any level is above GREEN only by this programme's caution: nobody restricted
// it, and there is nobody to ask.
func originator(q *Question, tlp stix.TLP) (Decision, bool) {
	o := q.Object
	if tlp <= stix.Green || o.SCO {
		return Decision{}, false
	}
	switch {
	case o.Owner == "" && !o.Label.Marked:
		return q.refuse(RuleOriginator, "", "unmarked it counts as %s here, and an object above TLP:GREEN names its owner in created_by_ref", tlp), true
	case o.Owner == "":
		return q.refuse(RuleOriginator, "", "an object above TLP:GREEN names its owner in created_by_ref"), true
	case !o.Label.Marked && o.Outsider:
		return Decision{}, false
	case o.Owner != q.Actor.By && o.Owner != q.Actor.For && !o.Consent:
		return q.refuse(RuleOriginator, "", "%s belongs to %s and is released further only with its consent", tlp, o.Owner), true
	}
	return Decision{}, false
}

func transit(q *Question, _ stix.TLP) (Decision, bool) {
	if len(q.Unlisted) > 0 {
		return q.refuse(RuleTransit, "/transit", "the way to the parties of %s needs %s, which is not a transit office", q.Programme.Name, q.Unlisted[0]), true
	}
	return Decision{}, false
}

func (q *Question) withdraw() Decision {
	if d, decided := mandate(q); decided {
		return d
	}
	o := q.Object
	if o.Released == stix.Unmarked {
		return q.refuse(RuleWithdraw, "", "only the party that released an object withdraws it; a note or an opinion can disagree")
	}
	tlp := o.Label.TLP
	if !o.Label.Marked || len(o.Label.Unknown) > 0 || tlp > o.Released {
		var d Decision // the withdrawn version is contents too, and these are other ones
		var refused bool
		if tlp, d, refused = label(q); refused {
			return d
		}
	}
	if d, refused := asItWas(q, tlp); refused {
		return d
	}
	d := q.allow(RuleWithdraw, "", "%s withdraws what it released", q.Actor.party())
	d.Label = tlp
	return d
}

// erase: whatever the term, the kind and the role. What a charter says is taken
// back by a newer version alone, since offices decide by it.
func (q *Question) erase() Decision {
	if d, decided := mandate(q); decided {
		return d
	}
	switch {
	case q.Area == liaison.Charter:
		return q.refuse(RuleControl, "", "what a charter holds is not erased; a newer version replaces it")
	case q.Object.Released == stix.Unmarked:
		return q.refuse(RuleErase, "", "only the party that released an object erases it, at the office where it did")
	}
	return q.allow(RuleErase, "", "%s erases what it released", q.Actor.party())
}

// asItWas: who could not write says nothing new by withdrawing.
func asItWas(q *Question, tlp stix.TLP) (Decision, bool) {
	o := q.Object
	switch {
	case q.CouldWrite():
		return Decision{}, false
	case o.Withdrawn:
		return q.refuse(RuleWithdraw, "", "it is withdrawn; %s may not write here and withdraws an object once", q.Actor.party()), true
	case o.Kept == stix.Unmarked:
		return q.refuse(RuleWithdraw, "", "%s may not write here and withdraws an object as it released it: only revoked, modified and TLP markings may differ", q.Actor.party()), true
	case tlp < o.Kept:
		return q.refuse(RuleWithdraw, "", "%s may not write here and withdraws no looser than it released: %s", q.Actor.party(), o.Kept), true
	}
	return Decision{}, false
}

// CouldWrite asks whether the actor could release something into the area at
// that instant. Of who could, Object.Kept is not asked.
func (q *Question) CouldWrite() bool {
	if q.Closed || q.Area == liaison.Charter {
		return false
	}
	asked := *q
	asked.Brief = true
	for _, ask := range []func(*Question) (Decision, bool){served, term, area, party} {
		if _, refused := ask(&asked); refused {
			return false
		}
	}
	return true
}

func (q *Question) read() Decision {
	p := q.Programme
	for _, ask := range []func(*Question) (Decision, bool){area, readTerm, public, mandate} {
		if d, decided := ask(q); decided {
			return d
		}
	}
	terms, i, listed := p.Participant(q.Actor.party())
	switch {
	case q.Actor.By == "":
		return q.refuse(RuleParty, "/parties", "nobody is logged in and %s is not public", p.Name)
	case !listed && q.comments():
		return q.allow(RuleComment, "/comment", "%s reads what it may comment on", q.Actor.ServedBy)
	case listed && q.Area == liaison.Charter && !terms.Ended(q.At):
		// A party knows what it will be party of.
	case !listed || !terms.Covers(q.At):
		return q.refuse(RuleParty, "/parties", "%s is not a party of %s at %s", q.Actor.party(), p.Name, q.At)
	}
	if q.Brief {
		return Decision{Allowed: true, Rule: RuleParty}
	}
	return q.allow(RuleParty, fmt.Sprintf("/parties/%d", i), "%s is a party of %s", q.Actor.party(), p.Name)
}

func public(q *Question) (Decision, bool) {
	if q.Programme.Kind != liaison.KindPublic || q.Area == liaison.Charter {
		return Decision{}, false // who its parties are is known to them alone
	}
	return q.allow(RulePublic, "/kind", "%s is public", q.Programme.Name), true
}

// readTerm: before the term only the charter is read; after it, what the
// programme says. The charter stays readable, so that acts can be cited.
func readTerm(q *Question) (Decision, bool) {
	p := q.Programme
	switch {
	case q.Area == liaison.Charter:
		return Decision{}, false
	case q.At < p.InForce:
		return q.refuse(RuleTerm, "/in_force", "%s is in force from %s", p.Name, p.InForce), true
	case !p.ValidUntil.IsZero() && q.At >= p.ValidUntil && p.AfterExpiry == liaison.AfterClosed:
		return q.refuse(RuleExpiry, "/after_expiry", "%s is closed since its term ended at %s", p.Name, p.ValidUntil), true
	}
	return Decision{}, false
}

func (q *Question) clause(pointer string) string {
	if q.Programme == nil {
		return ""
	}
	return fmt.Sprintf("%s v%d %s", q.Programme.Name, q.Programme.Version, pointer)
}

func (q *Question) refuse(r Rule, pointer, format string, args ...any) Decision {
	if q.Brief {
		return Decision{Rule: r}
	}
	return Decision{Rule: r, Clause: q.clause(pointer), Reason: fmt.Sprintf(format, args...)}
}

func (q *Question) allow(r Rule, pointer, format string, args ...any) Decision {
	if q.Brief {
		return Decision{Allowed: true, Rule: r}
	}
	return Decision{Allowed: true, Rule: r, Clause: q.clause(pointer), Reason: fmt.Sprintf(format, args...)}
}
