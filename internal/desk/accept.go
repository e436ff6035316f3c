package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// Accept takes a batch. It returns one outcome per item, in order; when it
// returns without error, everything accepted is durable. ErrNotFound,
// ErrReadOnly, ErrRevoked and ErrNoWrite refuse the whole batch.
func (d *Desk) Accept(ctx context.Context, v Viewer, b Batch) ([]Outcome, error) {
	outcomes, err := d.accept(ctx, v, b)
	for _, cannot := range []error{
		journal.ErrStopped, journal.ErrBehind, journal.ErrRestored, journal.ErrNoAnchor, journal.ErrClock,
		store.ErrBroken, store.ErrFull, errOvertaken,
	} {
		if errors.Is(err, cannot) {
			return nil, fmt.Errorf("%w (%w)", ErrNoWrite, err)
		}
	}
	return outcomes, err
}

func (d *Desk) accept(ctx context.Context, v Viewer, b Batch) ([]Outcome, error) {
	if n, ok := v.Neighbour(); ok {
		return d.acceptRelay(ctx, n, b)
	}
	reg, actor, err := d.actor(ctx, v, &b)
	if err != nil {
		return nil, err
	}
	if v.IsOperator() && b.Reopen {
		outcome, err := d.reopen(ctx, b.Collection)
		return []Outcome{outcome}, err
	}
	coll, _ := reg.Collection(b.Collection)
	if erases, _ := b.erases(); erases {
		return d.acceptErasures(ctx, reg.Registry, v, b, coll, actor)
	}
	if v.IsOperator() && b.As == nil {
		return d.acceptControl(ctx, b)
	}
	outside, err := d.mayBring(reg.Registry, v, coll, actor, &b)
	if err != nil {
		return nil, err
	}
	return d.acceptObjects(ctx, v, b, coll, actor, outside)
}

// actor says who acts, the account or the one an operator asks about, and by
// which register.
func (d *Desk) actor(ctx context.Context, v Viewer, b *Batch) (reg *register, actor release.Actor, err error) {
	a, ok := v.Account()
	err = d.view(ctx, func(s store.View, r *register) error {
		if reg = r; ok {
			return checkAccount(s, a)
		}
		return nil
	})
	if v.IsOperator() && b.As != nil && b.DryRun {
		a, ok = *b.As, true
	}
	switch {
	case err != nil:
		return nil, actor, err
	case !ok && !v.IsOperator():
		return nil, actor, ErrNotFound
	}
	return reg, d.actorOf(reg.Registry, a.By, a.For, d.Office, d.now()), nil
}

// actorOf gathers what the release rules need to know about who acts.
func (d *Desk) actorOf(reg *registry.Registry, by, forParty liaison.Party, at liaison.Office, when liaison.Instant) release.Actor {
	actor := release.Actor{By: by, For: forParty, Office: at}
	if p, ok := reg.Party(by); ok {
		actor.Kind, actor.ServedBy = p.Party.Kind, p.Party.ServedBy
		if slices.Contains(reg.ServedBy(by, when), at) {
			actor.ServedBy = at
		}
	}
	if forParty != "" {
		actor.Mandate = reg.Mandate(by, forParty, at, when)
	}
	return actor
}

// mayBring: who may not read the collection gets the answer of one that does
// not exist (nil), a preview too; who reads it without the right to write is
// told so. An operator asks on behalf of anybody. Outside says that the actor,
// who may not read any more, withdraws its own.
func (d *Desk) mayBring(reg *registry.Registry, v Viewer, c *registry.Collection, actor release.Actor, b *Batch) (outside bool, err error) {
	if v.IsOperator() && b.DryRun {
		return false, allow(c != nil)
	}
	a, _ := v.Account()
	if c == nil || !d.readable(reg, v, c).Allowed {
		l := d.newLooks()
		own := a.Has(registry.MayWrite) && d.withdrawsOwn(l, c, actor, b)
		return true, cmp.Or(l.failed(), allow(own))
	}
	if !b.DryRun && (!a.Has(registry.MayWrite) || !d.couldWrite(reg, c, actor, d.now()) && !withdraws(b)) {
		return false, ErrReadOnly
	}
	return false, nil
}

// withdraws reports whether a batch holds nothing but revoked versions: who may
// not write any more still withdraws what it released.
func withdraws(b *Batch) bool {
	return len(b.Items) > 0 && !slices.ContainsFunc(b.Items, func(it Item) bool { return it.Object == nil || !it.Object.Revoked() })
}

// withdrawsOwn reports whether a batch withdraws what the actor's party has
// released in the collection, and nothing else. That depends on its own acts
// alone, so the answer to it tells nothing of what it may not see. The same is
// looked up for a collection that does not exist, and for one that the party
// had no part in: there it looks where nothing is.
func (d *Desk) withdrawsOwn(l *looks, c *registry.Collection, actor release.Actor, b *Batch) bool {
	if !withdraws(b) {
		return false
	}
	var place liaison.CollectionID
	had := c != nil && hadPart(c, actor)
	if had {
		place = c.ID
	}
	earlier := l.earlierOf(place, owner(actor))
	if slices.ContainsFunc(b.Items, func(it Item) bool { return earlier(it.Object.ID()).Released() == stix.Unmarked }) || !had {
		return false
	}
	version, until := c.Programme.InForce(d.now())
	return release.Decide(&release.Question{
		Action: release.Withdraw, At: d.now(), Programme: version.Programme, Until: until, Area: c.Area, Actor: actor, Brief: true,
		Object: release.Object{Label: stix.Label{TLP: stix.Clear, Marked: true}, Released: stix.Clear, Kept: stix.Clear},
	}).Allowed
}

// hadPart reports whether the actor's party can have released anything into the
// collection, by any version of its programme.
func hadPart(c *registry.Collection, actor release.Actor) bool {
	return slices.ContainsFunc(c.Programme.Versions, func(v *registry.Version) bool {
		_, _, listed := v.Participant(owner(actor))
		return listed || actor.Kind == liaison.PartyOffice && slices.Contains(v.Comment, actor.Office)
	})
}

// mayRead asks under the version in force; of a closed epoch, and of an area
// that this version has dropped, also under the last one that wrote there: so
// nobody reads the past by joining, and it stays readable to who was there.
func (d *Desk) mayRead(c *registry.Collection, actor release.Actor, now liaison.Instant) release.Decision {
	version, until := c.InForce(now)
	q := &release.Question{
		Action: release.Read, At: now, Programme: version.Programme, Until: until, Area: c.Area, Actor: actor, Brief: true,
		Dropped: !version.HasArea(c.Area),
	}
	decision := release.Decide(q)
	last, _, over := c.Closing(now)
	if !over && q.Dropped {
		last, over = lastWith(c, version), true
	}
	if over && decision.Allowed {
		if last == nil {
			return release.Decision{Rule: release.RuleParty}
		}
		q.Programme, q.Dropped = last.Programme, false
		decision = release.Decide(q)
	}
	return decision
}

// lastWith returns the last version before another that had the collection's
// area; nil if there was none.
func lastWith(c *registry.Collection, before *registry.Version) (last *registry.Version) {
	for _, v := range c.Programme.Versions {
		if v.Version < before.Version && v.HasArea(c.Area) {
			last = v
		}
	}
	return last
}

// couldWrite asks with the most harmless of objects: it answers can_write.
func (d *Desk) couldWrite(reg *registry.Registry, c *registry.Collection, actor release.Actor, now liaison.Instant) bool {
	if !c.Open(now) || c.Area == liaison.Charter {
		return false
	}
	version, until := c.InForce(now)
	return release.Decide(&release.Question{
		At: now, Programme: version.Programme, Until: until, Area: c.Area, Actor: actor, Brief: true,
		Contact: withContact(reg, version.Programme),
		Object:  release.Object{Type: "note", Label: stix.Label{TLP: stix.Clear, Marked: true}},
	}).Allowed
}

// fromOutside refuses contents that only what the collection holds, or the
// programme's present terms, could judge: neither may show to who is outside.
func fromOutside(q *release.Question, earlier *journal.Earlier, o *Outcome) bool {
	l, released := q.Object.Label, earlier.Released()
	if l.Marked && len(l.Unknown) == 0 && l.TLP <= released {
		return true
	}
	o.Status, o.Pointer = Refused, "/object_marking_refs"
	o.Reason = fmt.Sprintf("what is withdrawn from a collection that can no longer be read carries TLP markings only, up to %s as it was released", released)
	return false
}

// acceptObjects is the first door.
func (d *Desk) acceptObjects(ctx context.Context, v Viewer, b Batch, coll *registry.Collection, actor release.Actor, outside bool) ([]Outcome, error) {
	outcomes := make([]Outcome, len(b.Items))
	l := d.newLooks()
	items, places := d.judged(ctx, l, b, coll, actor, outside, outcomes)
	if err := l.failed(); err != nil {
		return nil, err
	}
	if b.DryRun {
		return outcomes, nil
	}
	settled := func(results []journal.Outcome) {
		for n, r := range results {
			o := &outcomes[places[n]]
			if settle(o, r); outside {
				o.unread(&b.Items[places[n]])
			}
		}
	}
	results, err := d.Journal.Append(ctx, &journal.Batch{
		Collection: b.Collection, Items: items,
		Then: func(tx store.Tx, results []journal.Outcome) error {
			if a, ok := v.Account(); ok {
				if err := checkAccount(tx, a); err != nil {
					return err
				}
			}
			settled(results)
			return d.keepStatus(tx, v, b, outcomes)
		},
	})
	if err != nil {
		return nil, err
	}
	settled(results)
	if slices.ContainsFunc(items, func(it journal.Item) bool { return isMarking(it.Object) }) {
		d.somethingCame()
	}
	return outcomes, nil
}

// judged prepares what may enter, with its places in the batch, and settles the
// outcomes of everything else. Marking definitions come first, so that what
// they mark finds them in every log.
func (d *Desk) judged(ctx context.Context, l *looks, b Batch, coll *registry.Collection, actor release.Actor, outside bool, outcomes []Outcome) (items []journal.Item, places []int) {
	var resolve resolver
	var missing func(stix.ID) string
	if !outside {
		resolve, missing = d.definitions(ctx, l, b, coll, actor)
	}
	unlisted, earlier, mode := d.unlisted(), l.earlierOf(coll.ID, owner(actor)), d.mode(coll)
	for _, i := range markingsFirst(b.Items) {
		o := &outcomes[i]
		if !admit(mode, &b.Items[i], o) {
			continue
		}
		object := b.Items[i].Object
		q := d.question(coll, actor, object, resolve)
		if unknown := q.Object.Label.Unknown; len(unknown) > 0 && !outside {
			q.Object.Missing = missing(unknown[0])
		}
		if outside && !fromOutside(q, earlier(object.ID()), o) {
			continue
		}
		judge := d.judge(coll, q, object, o, unlisted, b.DryRun)
		if b.DryRun {
			d.dryRun(judge, object, earlier, o)
			continue
		}
		items = append(items, journal.Item{Object: object, Owner: owner(actor), Judge: judge, Apart: outside})
		places = append(places, i)
	}
	return items, places
}

func isMarking(o *stix.Object) bool { return o.Type() == "marking-definition" }

// markingsFirst returns the places of items, those of marking definitions
// before all others.
func markingsFirst(items []Item) []int {
	var first, then []int
	for i, it := range items {
		if it.Object != nil && isMarking(it.Object) {
			first = append(first, i)
		} else {
			then = append(then, i)
		}
	}
	return append(first, then...)
}

func owner(a release.Actor) liaison.Party {
	if a.For != "" {
		return a.For
	}
	return a.By
}

// mode returns how strict a collection is: the office's mode, or the other where
// the operator has made an exception.
func (d *Desk) mode(c *registry.Collection) stix.Mode {
	version, _ := c.InForce(d.now())
	if !slices.Contains(d.Except, version.Alias+"."+string(c.Area)) {
		return d.Validation
	}
	if d.Validation == stix.Strict {
		return stix.Admit
	}
	return stix.Strict
}

// admit parses nothing again: it reports why an item cannot enter at all, and
// in strict mode what breaks a MUST.
func admit(mode stix.Mode, it *Item, o *Outcome) bool {
	if it.Err != nil {
		o.Status, o.Code, o.Pointer, o.Reason = Refused, it.Err.Code, legible(it.Err.Pointer), legible(it.Err.Reason)
		if it.Object == nil {
			o.ID, o.Version = headOf(it.Raw)
		}
		return false
	}
	findings := it.Object.Findings()
	o.ID, o.Version, o.Found = string(it.Object.ID()), it.Object.Version(), foundBy(findings)
	if f, refused := mode.Refuses(findings); refused {
		o.Status, o.Code, o.Pointer, o.Reason = Refused, f.Code, legible(f.Pointer), legible(f.Message)
		return false
	}
	return true
}

// headOf finds what a refused object calls itself, for the status resource.
func headOf(raw []byte) (id, version string) {
	var head struct {
		ID       string `json:"id"`
		Modified string `json:"modified"`
		Created  string `json:"created"`
	}
	_ = json.Unmarshal(raw, &head) // what cannot be read stays empty
	if version = head.Modified; version == "" {
		version = head.Created
	}
	return legible(head.ID), legible(version)
}

// legible returns what can stand in an answer of what somebody sent: UTF-8, and
// not without end.
func legible(s string) string {
	const most = 200
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// question gathers all but the instant and the version, which are known under
// the lock.
func (d *Desk) question(c *registry.Collection, actor release.Actor, o *stix.Object, resolve resolver) *release.Question {
	return &release.Question{
		Area: c.Area, Actor: actor,
		Object: release.Object{
			Type: o.Type(), Label: labelOf(o, resolve), Owner: ownerOf(o), SCO: o.IsSCO(), Revoked: o.Revoked(),
		},
	}
}

// earlierOf finds what a party released of an object before. Each object is
// looked up once: a batch may hold many versions of one.
func (l *looks) earlierOf(c liaison.CollectionID, owner liaison.Party) func(stix.ID) *journal.Earlier {
	known := map[stix.ID]*journal.Earlier{}
	return func(id stix.ID) *journal.Earlier {
		if known[id] == nil {
			known[id] = l.earlier(c, id, owner)
		}
		return known[id]
	}
}

// earlier returns what a party released of an object here; nothing if that
// cannot be read.
func (l *looks) earlier(c liaison.CollectionID, id stix.ID, owner liaison.Party) (e *journal.Earlier) {
	ok := l.view(context.Background(), "earlier acts", func(v store.View) (err error) {
		e, err = journal.EarlierOf(v, c, id, owner)
		return err
	})
	if !ok {
		return new(journal.Earlier)
	}
	return e
}

// withContact reports whether a party of a directed programme is a contact.
func withContact(reg *registry.Registry, p *liaison.Programme) bool {
	return p.Kind == liaison.KindDirected && slices.ContainsFunc(p.Parties, func(q liaison.Participant) bool {
		party, ok := reg.Party(q.Ref)
		return ok && party.Party.Kind == liaison.PartyContact
	})
}

// ownerOf: an identity that names no creator speaks of itself.
func ownerOf(o *stix.Object) liaison.Party {
	if o.CreatedByRef() == "" && o.Type() == "identity" {
		return o.ID()
	}
	return o.CreatedByRef()
}

// outsider reports whether the owner of an object without any level is nobody
// that the actor shares a programme with.
func outsider(reg *registry.Registry, a release.Actor, o release.Object) bool {
	return !o.Label.Marked && o.Owner != "" && !reg.Share(a.By, o.Owner) && (a.For == "" || !reg.Share(a.For, o.Owner))
}

// labelOf: the five TLP definitions themselves are public knowledge; every
// other object counts as it is marked.
func labelOf(o *stix.Object, resolve resolver) stix.Label {
	if o.Type() == "marking-definition" && len(o.MarkingRefs()) == 0 && stix.IsTLPDefinition(o) {
		return stix.Label{TLP: stix.Clear, Marked: true}
	}
	return stix.LabelOf(o, resolve)
}

// transit finds the offices on the way that a programme does not list.
type transit func(*registry.Registry, *registry.Version, liaison.Instant) []liaison.Office

// unlisted returns the offices the way needs and the programme does not list,
// found once for all objects of a batch.
func (d *Desk) unlisted() transit {
	var reg *registry.Registry
	var version *registry.Version
	var offices []liaison.Office
	return func(r *registry.Registry, v *registry.Version, at liaison.Instant) []liaison.Office {
		if reg != r || version != v {
			reg, version, offices = r, v, r.Unlisted(d.Office, v.Of(), at)
		}
		return offices
	}
}

// judge decides at the instant the journal assigns; explain puts an allowed
// decision into words too.
func (d *Desk) judge(c *registry.Collection, q *release.Question, object *stix.Object, o *Outcome, unlisted transit, explain bool) journal.Judge {
	fresh := *o // a batch can be judged again, when its group failed
	return func(at liaison.Instant, earlier *journal.Earlier) (journal.Ruling, bool) {
		reg, coll := d.reg.Load().Registry, c // judgeBy has brought it up to date
		if now, ok := reg.Collection(c.ID); ok {
			coll = now
		}
		version, until := coll.Judging(at)
		q.At, q.Programme, q.Until = at, version.Programme, until
		q.Contact = withContact(reg, version.Programme)
		q.Actor = d.actorOf(reg, q.Actor.By, q.Actor.For, d.Office, at)
		q.Object.Outsider = outsider(reg, q.Actor, q.Object)
		q.Unlisted = unlisted(reg, version, at)
		if q.Action = release.Write; earlier != nil && earlier.Released() != stix.Unmarked {
			_, _, q.Closed = coll.Closing(at)
			withdrawing(q, object, earlier)
		}
		*o = fresh
		q.Brief = !explain
		decision := release.Decide(q)
		if !decision.Allowed {
			q.Brief = false
			*o = o.refused(release.Decide(q))
			return journal.Ruling{}, false
		}
		if q.Action == release.Write && !coll.Open(at) {
			*o = o.refused(notOpen(coll, version))
			return journal.Ruling{}, false
		}
		o.Decision, o.Reason = decision, ""
		return journal.Ruling{By: q.Actor.By, For: q.Actor.For, Under: version.Under, Label: decision.Label}, true
	}
}

// notOpen refuses what is new in an epoch that is not open.
func notOpen(c *registry.Collection, v *registry.Version) release.Decision {
	return release.Decision{
		Rule: release.RuleTerm, Clause: fmt.Sprintf("%s v%d /epochs", v.Name, v.Version),
		Reason: fmt.Sprintf("epoch %d of %s is not the one that takes new acts", c.Epoch, c.Area),
	}
}

// withdrawing makes the question that of a withdrawal.
func withdrawing(q *release.Question, o *stix.Object, earlier *journal.Earlier) {
	q.Action = release.Withdraw
	q.Object.Released = earlier.Released()
	_, q.Object.Withdrawn = earlier.Latest(q.At)
	if !q.CouldWrite() {
		q.Object.Kept = earlier.Kept(o)
	}
}

func (d *Desk) dryRun(judge journal.Judge, object *stix.Object, earlier func(stix.ID) *journal.Earlier, o *Outcome) {
	var before *journal.Earlier
	if object.Revoked() {
		before = earlier(object.ID())
	}
	if _, ok := judge(d.now(), before); ok {
		o.Status = Accepted
	}
}

// settle writes into an outcome what the journal did.
func settle(o *Outcome, r journal.Outcome) {
	switch r.State {
	case journal.Appended, journal.ErasedHere:
		o.Status = Accepted
	case journal.Duplicate:
		o.Status = Duplicate
	case journal.Refused:
		return // the judge has said why
	case journal.Differs:
		o.Status, o.Pointer = Refused, "/modified"
		o.Reason = fmt.Sprintf("version %s of this object is here with other contents; a change needs a later modified", r.Version)
		return
	}
	o.Index, o.Act, o.Added, o.Version = r.Index, r.Act, r.Added, r.Version
}

// resolver finds a marking definition by its id.
type resolver func(stix.ID) (*stix.Object, bool)

// definitions finds marking definitions that the audience has: those in the
// collection, and those of the batch that will be. Missing says why another is
// not among them.
func (d *Desk) definitions(ctx context.Context, l *looks, b Batch, coll *registry.Collection, actor release.Actor) (resolve resolver, missing func(stix.ID) string) {
	resolve, found := l.markings(ctx, b.Collection)
	var pending []*stix.Object
	for _, it := range b.Items {
		if it.Object != nil && isMarking(it.Object) {
			pending = append(pending, it.Object)
		}
	}
	refused := map[stix.ID]string{}
	for progress := true; progress; { // one may be marked by another
		progress = false
		pending = slices.DeleteFunc(pending, func(o *stix.Object) bool {
			if _, here := resolve(o.ID()); here {
				return true
			}
			why, ok := d.wouldEnter(l, coll, actor, o, resolve)
			if ok {
				found[o.ID()], progress = o, true
			} else {
				refused[o.ID()] = "whose definition is refused: " + why
			}
			return ok
		})
	}
	return resolve, func(id stix.ID) string {
		if why, ok := refused[id]; ok {
			return why
		}
		return "whose definition is not here: send it with the object; if it was refused, mend that first"
	}
}

// wouldEnter asks whether an object of a batch will be accepted, and why not.
func (d *Desk) wouldEnter(l *looks, coll *registry.Collection, actor release.Actor, o *stix.Object, resolve resolver) (why string, ok bool) {
	var out Outcome
	if !admit(d.mode(coll), &Item{Object: o}, &out) {
		return out.Reason, false
	}
	judge := d.judge(coll, d.question(coll, actor, o, resolve), o, &out, d.unlisted(), false)
	d.dryRun(judge, o, l.earlierOf(coll.ID, owner(actor)), &out)
	return out.Reason, out.Status == Accepted
}

// markings finds the marking definitions of a collection and remembers them in
// found. What everybody knows is not for somebody to define.
func (l *looks) markings(ctx context.Context, c liaison.CollectionID) (resolve resolver, found map[stix.ID]*stix.Object) {
	found = map[stix.ID]*stix.Object{}
	return func(id stix.ID) (*stix.Object, bool) {
		if stix.IsTLP(id) {
			return nil, false
		}
		o, asked := found[id]
		if !asked {
			o = l.markingHere(ctx, c, id)
			found[id] = o
		}
		return o, o != nil
	}, found
}

func (l *looks) markingHere(ctx context.Context, c liaison.CollectionID, id stix.ID) (o *stix.Object) {
	ok := l.view(ctx, "a marking definition", func(v store.View) error {
		return v.Find(c, string(id), store.Bytes, func(e *store.Entry) (err error) {
			if !e.Hidden && len(e.Bytes) > 0 {
				o, err = stix.Parse(slices.Clone(e.Bytes), l.d.Limits)
			}
			return err
		})
	})
	if !ok {
		return nil
	}
	return o
}
