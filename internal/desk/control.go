package desk

import (
	"context"
	"fmt"
	"slices"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/stix"
)

// acceptControl appends signed control objects to a charter: what counts are
// their signatures, whoever brings them. Each is folded before the next.
func (d *Desk) acceptControl(ctx context.Context, b Batch) ([]Outcome, error) {
	outcomes := make([]Outcome, len(b.Items))
	for i := range b.Items {
		o := &outcomes[i]
		if !admit(stix.Admit, &b.Items[i], o) { // their own formats are stricter
			continue
		}
		if err := d.acceptOneControl(ctx, b, b.Items[i].Object, o); err != nil {
			return outcomes, err
		}
	}
	return outcomes, nil
}

// acceptOneControl appends a control object to its charter; a version of a
// programme that opens another one to both. The outcome is that of the last.
func (d *Desk) acceptOneControl(ctx context.Context, b Batch, obj *stix.Object, o *Outcome) error {
	charters := []liaison.CollectionID{b.Collection}
	reg, err := d.present(ctx)
	if err != nil {
		return err
	}
	if p, err := liaison.ParseProgramme(obj.Bytes()); err == nil {
		genesis, err := liaison.GenesisOf(p, obj.Bytes())
		if err != nil {
			return err
		}
		if all := reg.Charters(p, genesis); slices.Contains(all, b.Collection) {
			charters = all
		}
	}
	for _, c := range charters {
		fresh := *o
		err := d.decided(ctx, func(reg *register) error {
			*o = fresh
			return d.appendControl(ctx, reg, c, obj, b.DryRun, o)
		})
		if err != nil || o.Status == Refused {
			return err
		}
	}
	return nil
}

func (d *Desk) appendControl(ctx context.Context, reg *register, c liaison.CollectionID, obj *stix.Object, dryRun bool, o *Outcome) error {
	next, err := reg.Apply(c, obj.Bytes())
	if err == nil {
		err = next.Belongs(c, obj.Bytes())
	}
	if err != nil {
		o.Status, o.Reason = Refused, err.Error()
		o.Decision = release.Decision{Rule: release.RuleSigned, Reason: o.Reason}
		return nil
	}
	if p, err := liaison.ParseProgramme(obj.Bytes()); err == nil && release.EndlessFor(p, withContact(next, p)) {
		o.Status, o.Pointer, o.Reason = Refused, "/valid_until", "a directed programme with a contact has an end: nothing could be released under it"
		return nil
	}
	coll, ok := next.Collection(c)
	if !ok || coll.Area != liaison.Charter {
		o.Status, o.Reason = Refused, "control objects go into the charter of a programme that is known here; add the programme first"
		return nil
	}
	version, _ := coll.InForce(d.now())
	actor := release.Actor{By: version.Issuer, Office: d.Office}
	judge := d.judgeControl(coll, actor, obj, o)
	if dryRun {
		l := d.newLooks()
		d.dryRun(judge, obj, l.earlierOf(c, actor.By), o)
		return l.failed()
	}
	results, err := d.Journal.Append(ctx, &journal.Batch{
		Collection: c, Control: true, Check: d.still(reg),
		Items: []journal.Item{{Object: obj, Owner: actor.By, Judge: judge}},
		After: func() {
			point.At("desk.control-committed-not-folded")
			d.catchUp()
		},
	})
	if err != nil {
		return err
	}
	point.At("desk.control-folded-not-answered")
	settle(o, results[0])
	return nil
}

// judgeControl decides about a control object whose signatures were found
// valid when it was applied. Only a version of the programme goes into a
// charter that is not open: it opens it, or closes it.
func (d *Desk) judgeControl(c *registry.Collection, actor release.Actor, obj *stix.Object, o *Outcome) journal.Judge {
	return func(at liaison.Instant, _ *journal.Earlier) (journal.Ruling, bool) {
		version, until := c.InForce(at)
		decision := release.Decide(&release.Question{
			At: at, Programme: version.Programme, Until: until, Area: c.Area, Actor: actor,
			Object: release.Object{Type: obj.Type(), Label: stix.LabelOf(obj, nil), Signed: true},
		})
		if decision.Allowed && obj.Type() != "programme" && !c.Open(at) {
			decision = notOpen(c, version)
		}
		if !decision.Allowed {
			*o = o.refused(decision)
			return journal.Ruling{}, false
		}
		o.Decision = decision
		return journal.Ruling{By: actor.By, Under: version.Under, Label: decision.Label}, true
	}
}

// CharterOf returns the charter a control object made here belongs to: the
// programme's own, or the one of a programme named by alias or id.
func (d *Desk) CharterOf(ctx context.Context, obj *stix.Object, programme string) (liaison.CollectionID, error) {
	if obj.Type() == "programme" {
		p, err := liaison.ParseProgramme(obj.Bytes())
		if err != nil {
			return liaison.CollectionID{}, err
		}
		genesis, err := liaison.GenesisOf(p, obj.Bytes())
		if err != nil {
			return liaison.CollectionID{}, err
		}
		return liaison.CollectionOf(genesis, liaison.Charter, p.EpochOf(liaison.Charter)), nil
	}
	if programme == "" {
		return liaison.CollectionID{}, fmt.Errorf("an object of type %s is no programme; parties, offices and routes are added to the charter of one (--programme)", obj.Type())
	}
	reg, err := d.present(ctx)
	if err != nil {
		return liaison.CollectionID{}, err
	}
	for _, c := range reg.Collections() {
		v, _ := c.Programme.InForce(d.now())
		if c.Area == liaison.Charter && c.Epoch == v.EpochOf(liaison.Charter) && (v.Alias == programme || string(v.ID) == programme) {
			return c.ID, nil
		}
	}
	return liaison.CollectionID{}, fmt.Errorf("no programme %q is known here", programme)
}
