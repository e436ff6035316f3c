package desk

import (
	"context"
	"fmt"
	"slices"

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
// ErrReadOnly and ErrRevoked refuse the whole batch.
func (d *Desk) Accept(ctx context.Context, v Viewer, b Batch) ([]Outcome, error) {
	if n, ok := v.Neighbour(); ok {
		return d.acceptRelay(ctx, n, b)
	}
	actor, err := d.actor(ctx, v, &b)
	if err != nil {
		return nil, err
	}
	reg := d.reg.Load()
	coll, ok := reg.Collection(b.Collection)
	if v.IsOperator() && b.As == nil {
		return d.acceptControl(ctx, b)
	}
	if !ok {
		return nil, ErrNotFound
	}
	if !b.DryRun {
		if err := d.mayWrite(ctx, reg, coll, v, actor); err != nil {
			return nil, err
		}
	}
	return d.acceptObjects(ctx, v, b, coll, actor)
}

// actor says who acts: the account, or the one an operator asks about.
func (d *Desk) actor(ctx context.Context, v Viewer, b *Batch) (release.Actor, error) {
	a, ok := v.Account()
	if v.IsOperator() && b.As != nil && b.DryRun {
		a, ok = *b.As, true
	} else if ok {
		if err := d.checkAccount(ctx, a); err != nil {
			return release.Actor{}, err
		}
	}
	if !ok && !v.IsOperator() {
		return release.Actor{}, ErrNotFound
	}
	return d.actorOf(d.reg.Load(), a.By, a.For, d.Office, d.now()), nil
}

// actorOf gathers what the release rules need to know about who acts.
func (d *Desk) actorOf(reg *registry.Registry, by, forParty liaison.Party, at liaison.Office, when liaison.Instant) release.Actor {
	actor := release.Actor{By: by, For: forParty, Office: at}
	if p, ok := reg.Party(by); ok {
		actor.Kind, actor.ServedBy = p.Party.Kind, p.Party.ServedBy
	}
	if forParty != "" {
		actor.Mandate = reg.Mandate(by, forParty, at, when)
	}
	return actor
}

// mayWrite: who may not read the collection gets the answer of one that does
// not exist; who reads it without the right to write is told so.
func (d *Desk) mayWrite(ctx context.Context, reg *registry.Registry, c *registry.Collection, v Viewer, actor release.Actor) error {
	now := d.now()
	if !d.mayRead(c, actor, now).Allowed {
		return ErrNotFound
	}
	a, _ := v.Account()
	if !a.Has(registry.MayWrite) || !d.couldWrite(c, actor, now) {
		return ErrReadOnly
	}
	return nil
}

func (d *Desk) mayRead(c *registry.Collection, actor release.Actor, now liaison.Instant) release.Decision {
	version, until := c.Programme.InForce(now)
	return release.Decide(&release.Question{
		Action: release.Read, At: now, Programme: version.Programme, Until: until, Area: c.Area, Actor: actor, Brief: true,
	})
}

// couldWrite asks with the most harmless of objects: it answers can_write.
func (d *Desk) couldWrite(c *registry.Collection, actor release.Actor, now liaison.Instant) bool {
	if c.Area == liaison.Charter {
		return false
	}
	version, until := c.Programme.InForce(now)
	return release.Decide(&release.Question{
		At: now, Programme: version.Programme, Until: until, Area: c.Area, Actor: actor, Brief: true,
		Object: release.Object{Type: "note", Label: stix.Label{TLP: stix.Clear, Marked: true}},
	}).Allowed
}

// acceptObjects is the first door.
func (d *Desk) acceptObjects(ctx context.Context, v Viewer, b Batch, coll *registry.Collection, actor release.Actor) ([]Outcome, error) {
	outcomes := make([]Outcome, len(b.Items))
	resolve := d.resolver(ctx, b)
	var items []journal.Item
	var places []int
	for i := range b.Items {
		o := &outcomes[i]
		if !d.admit(&b.Items[i], o) {
			continue
		}
		q := d.question(coll, actor, b.Items[i].Object, resolve)
		judge := d.judge(coll, q, o, b.DryRun)
		if b.DryRun {
			d.dryRun(judge, o)
			continue
		}
		items = append(items, journal.Item{Object: b.Items[i].Object, Owner: owner(actor), Judge: judge})
		places = append(places, i)
	}
	if b.DryRun {
		return outcomes, nil
	}
	results, err := d.Journal.Append(ctx, &journal.Batch{
		Collection: b.Collection, Items: items,
		Then: func(tx store.Tx, results []journal.Outcome) error {
			for n, r := range results {
				settle(&outcomes[places[n]], r)
			}
			return d.keepStatus(tx, v, b, outcomes)
		},
	})
	if err != nil {
		return nil, err
	}
	for n, r := range results {
		settle(&outcomes[places[n]], r)
	}
	return outcomes, nil
}

func owner(a release.Actor) liaison.Party {
	if a.For != "" {
		return a.For
	}
	return a.By
}

// admit parses nothing again: it reports why an item cannot enter at all, and
// in strict mode what breaks a MUST.
func (d *Desk) admit(it *Item, o *Outcome) bool {
	if it.Err != nil {
		o.Status, o.Pointer, o.Reason = Refused, it.Err.Pointer, it.Err.Reason
		if it.Object == nil {
			o.ID, o.Version = headOf(it.Raw)
		}
		return false
	}
	o.ID, o.Version, o.Findings = string(it.Object.ID()), it.Object.Version(), it.Object.Findings()
	if d.Validation == Strict {
		for _, f := range o.Findings {
			if f.Level == stix.Must {
				o.Status, o.Pointer, o.Reason = Refused, f.Pointer, f.Message
				return false
			}
		}
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
	const most = 200
	if version = head.Modified; version == "" {
		version = head.Created
	}
	return head.ID[:min(len(head.ID), most)], version[:min(len(version), most)]
}

// question gathers all but the instant and the version, which are known under
// the lock.
func (d *Desk) question(c *registry.Collection, actor release.Actor, o *stix.Object, resolve func(stix.ID) (*stix.Object, bool)) *release.Question {
	return &release.Question{
		Area: c.Area, Actor: actor,
		Object: release.Object{
			Type: o.Type(), Label: labelOf(o, resolve), Owner: o.CreatedByRef(), SCO: o.IsSCO(),
		},
	}
}

// labelOf: the five TLP definitions themselves are public knowledge; every
// other object counts as it is marked.
func labelOf(o *stix.Object, resolve func(stix.ID) (*stix.Object, bool)) stix.Label {
	if o.Type() == "marking-definition" && len(o.MarkingRefs()) == 0 && stix.IsTLPDefinition(o) {
		return stix.Label{TLP: stix.Clear, Marked: true}
	}
	return stix.LabelOf(o, resolve)
}

// judge decides at the instant the journal assigns; explain puts an allowed
// decision into words too.
func (d *Desk) judge(c *registry.Collection, q *release.Question, o *Outcome, explain bool) journal.Judge {
	return func(at liaison.Instant, first *liaison.Act) (journal.Ruling, bool) {
		reg := d.reg.Load()
		version, until := c.Programme.InForce(at)
		if now, ok := reg.Collection(c.ID); ok {
			version, until = now.Programme.InForce(at)
		}
		q.At, q.Programme, q.Until = at, version.Programme, until
		q.Unlisted = reg.Unlisted(d.Office, version.Of(), at)
		q.Brief = !explain
		decision := release.Decide(q)
		if !decision.Allowed {
			q.Brief = false
			*o = o.refused(release.Decide(q))
			return journal.Ruling{}, false
		}
		o.Decision, o.Reason = decision, ""
		return journal.Ruling{By: q.Actor.By, For: q.Actor.For, Under: version.Under, Label: decision.Label}, true
	}
}

func (d *Desk) dryRun(judge journal.Judge, o *Outcome) {
	if _, ok := judge(d.now(), nil); ok {
		o.Status = Accepted
	}
}

// settle writes into an outcome what the journal did.
func settle(o *Outcome, r journal.Outcome) {
	switch r.State {
	case journal.Appended:
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

// resolver finds marking definitions in the batch and in the collection: what
// the audience has.
func (d *Desk) resolver(ctx context.Context, b Batch) func(stix.ID) (*stix.Object, bool) {
	found := map[stix.ID]*stix.Object{}
	for _, it := range b.Items {
		if it.Object != nil && it.Object.Type() == "marking-definition" {
			found[it.Object.ID()] = it.Object
		}
	}
	return func(id stix.ID) (*stix.Object, bool) {
		if stix.IsTLP(id) {
			return nil, false // what everybody knows is not for somebody to define
		}
		if o, ok := found[id]; ok {
			return o, o != nil
		}
		o := d.markingHere(ctx, b.Collection, id)
		found[id] = o
		return o, o != nil
	}
}

func (d *Desk) markingHere(ctx context.Context, c liaison.CollectionID, id stix.ID) (o *stix.Object) {
	err := d.Journal.View(ctx, func(v store.View) error {
		return v.Find(c, string(id), store.Bytes, func(e *store.Entry) (err error) {
			if !e.Hidden && len(e.Bytes) > 0 {
				o, err = stix.Parse(slices.Clone(e.Bytes), d.Limits)
			}
			return err
		})
	})
	if err != nil {
		d.Log.Error("marking definition could not be read", "collection", c.String(), "object", string(id), "err", err)
		return nil
	}
	return o
}
