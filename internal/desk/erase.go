package desk

import (
	"bytes"
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
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// ErrErased: the object that was asked for with its proof was erased. Only who
// may read the collection is told.
var ErrErased = errors.New("the object was erased")

// erases reports whether a batch erases, and whether it does anything else.
func (b *Batch) erases() (erases, more bool) {
	for i := range b.Items {
		if b.Items[i].Erases.IsZero() {
			more = true
		} else {
			erases = true
		}
	}
	return erases, more
}

var errMixed = errors.New("a batch that erases brings nothing else")

// acceptErasures is the first door for acts that erase, and the operator's own.
// Who asks for what is not its own, for what is not there and for a collection
// that does not exist gets one answer.
func (d *Desk) acceptErasures(ctx context.Context, reg *registry.Registry, v Viewer, b Batch, coll *registry.Collection, actor release.Actor) ([]Outcome, error) {
	acts, err := d.erasable(ctx, reg, v, b, coll, actor)
	if err != nil {
		return nil, err
	}
	outcomes, items := make([]Outcome, len(b.Items)), make([]journal.Item, len(b.Items))
	for i, it := range b.Items {
		items[i] = journal.Item{Erases: it.Erases, Reason: it.Reason}
		if !v.IsOperator() {
			items[i].Judge = d.judgeErasure(coll, actor, acts[i], &outcomes[i])
		}
	}
	if b.DryRun {
		return outcomes, nil
	}
	outside := !v.IsOperator() && !d.readable(reg, v, coll).Allowed
	settled := func(results []journal.Outcome) {
		for i, r := range results {
			if settle(&outcomes[i], r); outside {
				outcomes[i].Index, outcomes[i].Added, outcomes[i].Act, outcomes[i].Unread = 0, 0, liaison.Hash{}, true
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
			return errors.Join(d.forget(tx, b.Collection, results), d.keepStatus(tx, v, b, outcomes))
		},
	})
	if err != nil {
		return nil, err
	}
	settled(results)
	return outcomes, nil
}

// erasable returns the acts of a batch that erases, if the viewer may erase all
// of them.
func (d *Desk) erasable(ctx context.Context, reg *registry.Registry, v Viewer, b Batch, coll *registry.Collection, actor release.Actor) ([]*liaison.Act, error) {
	if _, more := b.erases(); more {
		return nil, errMixed
	}
	if a, ok := v.Account(); ok && !a.Has(registry.MayWrite) {
		return nil, d.mayNotErase(reg, v, coll)
	}
	acts := make([]*liaison.Act, len(b.Items))
	err := d.Journal.View(ctx, func(s store.View) error {
		for i := range b.Items {
			_, act, err := journal.ActIn(s, b.Collection, b.Items[i].Erases)
			if err != nil {
				return err
			}
			if act == nil || coll == nil {
				return ErrNotFound
			}
			if acts[i] = act; !v.IsOperator() && !d.ownAct(actor, act) {
				return ErrNotFound
			}
		}
		return nil
	})
	if err == nil && coll != nil && coll.Area == liaison.Charter {
		err = errCharter
	}
	return acts, err
}

// errCharter says why nobody erases what offices decide by.
var errCharter = errors.New("what a charter holds is not erased; a newer version replaces it")

// mayNotErase is the answer to an account that may not write anything.
func (d *Desk) mayNotErase(reg *registry.Registry, v Viewer, coll *registry.Collection) error {
	if coll != nil && d.readable(reg, v, coll).Allowed {
		return ErrReadOnly
	}
	return ErrNotFound
}

// ownAct: an act is its parties' own at the office that accepted it.
func (d *Desk) ownAct(actor release.Actor, act *liaison.Act) bool {
	return act.Office == d.Office && partyTo(act, owner(actor))
}

func partyTo(act *liaison.Act, p liaison.Party) bool { return p == act.By || p == act.For }

// judgeErasure decides at the instant the journal assigns.
func (d *Desk) judgeErasure(c *registry.Collection, actor release.Actor, erased *liaison.Act, o *Outcome) journal.Judge {
	fresh := *o
	return func(at liaison.Instant, _ *journal.Earlier) (journal.Ruling, bool) {
		reg, coll := d.reg.Load().Registry, c // judgeBy has brought it up to date
		if now, ok := reg.Collection(c.ID); ok {
			coll = now
		}
		version, until := coll.Judging(at)
		*o = fresh
		decision := release.Decide(&release.Question{
			Action: release.Erase, At: at, Programme: version.Programme, Until: until, Area: coll.Area,
			Actor:  d.actorOf(reg, actor.By, actor.For, d.Office, at),
			Object: release.Object{Released: erased.Label},
		})
		if !decision.Allowed {
			*o = o.refused(decision)
			return journal.Ruling{}, false
		}
		o.Decision = decision
		return journal.Ruling{By: actor.By, For: actor.For, Under: version.Under}, true
	}
}

// erasing knows the acts of a page, and those that wait, that erase others of the
// page. An act comes by several ways: what erases it may come before it, and is
// then kept until it does.
type erasing struct {
	d     *Desk
	c     liaison.CollectionID
	notes *notes

	by    map[liaison.Hash][]*liaison.Act // verified, by what they erase
	page  map[liaison.Hash]verdict        // of the acts examined before
	acts  map[liaison.Hash]*liaison.Act   // of the page
	found map[liaison.Hash]verdict        // of the acts that erase: what verify said
}

func (d *Desk) newErasing(notes *notes, b Batch) *erasing {
	e := &erasing{d: d, c: b.Collection, notes: notes}
	for i := range b.Items {
		a := b.Items[i].Arrival
		act := &a.Travels.Act
		if act.Erases.IsZero() {
			continue
		}
		if e.by == nil {
			e.by, e.page, e.found = map[liaison.Hash][]*liaison.Act{}, map[liaison.Hash]verdict{}, map[liaison.Hash]verdict{}
			e.acts = map[liaison.Hash]*liaison.Act{}
		}
		v := e.verify(a)
		if e.found[act.Hash()] = v; v.status == Accepted {
			e.by[act.Erases] = append(e.by[act.Erases], act)
		}
	}
	return e
}

// add takes in what became of an act of the page.
func (e *erasing) add(a *Arrival, v verdict) {
	if e.by != nil {
		hash := a.Travels.Act.Hash()
		e.page[hash], e.acts[hash] = v, &a.Travels.Act
	}
}

// erases returns the act that erases another one, if one that may is here.
func (e *erasing) erases(act *liaison.Act) (by liaison.Hash, ok bool) {
	if len(e.by) == 0 {
		return by, false
	}
	for _, eraser := range e.by[act.Hash()] {
		if e.d.decideErasure(e.notes.reg, eraser, act).status == Accepted {
			return eraser.Hash(), true
		}
	}
	return by, false
}

// verify checks everything of an act that erases but what it erases.
func (e *erasing) verify(a *Arrival) verdict {
	act, reg := &a.Travels.Act, e.notes.reg
	if act.Collection != e.c {
		return refuse("act.collection", "the act names collection %s", act.Collection)
	}
	if v, ok := wellFormed(&a.Travels); !ok {
		return v
	}
	if len(a.Travels.Bytes) > 0 || !a.Travels.Salt.IsZero() {
		return refuse("act.bytes", "an act that erases came with an object")
	}
	keys := reg.OfficeKeys(act.Office, liaison.UseAct, act.Accepted)
	if len(keys) == 0 {
		return wait("act.key", "no act key of %s is known here for %s", act.Office, act.Accepted)
	}
	if err := ledger.VerifyBatch(act, a.Travels.Batch, keys); err != nil {
		return refuse("act.signature", "%s", err)
	}
	if v, ok := wayOf(e.notes, a); !ok {
		return v
	}
	for _, h := range append(slices.Clone(a.Travels.Hops), a.Hop) {
		if h.Leaf.Kind != liaison.KindErasure {
			return refuse("act.way", "a leaf on the way says %s of an act that erases", h.Leaf.Kind)
		}
	}
	if _, _, v, ok := versionOf(reg, e.c, act); !ok {
		return v
	}
	for _, p := range []liaison.Party{act.By, act.Owner()} {
		if _, ok := reg.Party(p); !ok {
			return wait("act.by", "the party %s is not here", p)
		}
	}
	return verdict{status: Accepted}
}

// decide says what becomes of an act that erases.
func (e *erasing) decide(a *Arrival) verdict {
	act := &a.Travels.Act
	if v := e.found[act.Hash()]; v.status != Accepted {
		return v
	}
	if v, ok := e.page[act.Erases]; ok {
		decided := e.d.decideErasure(e.notes.reg, act, e.acts[act.Erases])
		switch {
		case decided.status != Accepted || v.status == Accepted:
			return decided
		case v.status == Waiting:
			return wait("act.erases", erasesWaiting)
		}
		return behind(v.status)
	}
	return e.decideStored(act)
}

// behind is the verdict on an act that erases one that was not appended here.
func behind(s Status) verdict {
	if s == Held {
		return hold("act.erases", "what it erases is held here")
	}
	return refuse("act.erases", "what it erases was refused here")
}

// decideStored looks for what an act erases where acts are kept.
func (e *erasing) decideStored(act *liaison.Act) (v verdict) {
	err := e.d.Journal.View(context.Background(), func(s store.View) error {
		_, erased, err := journal.ActIn(s, e.c, act.Erases)
		if err != nil {
			return err
		}
		if erased != nil {
			v = e.d.decideErasure(e.notes.reg, act, erased)
			return nil
		}
		v, err = e.d.notAppended(s, e.c, act)
		return err
	})
	if err != nil {
		e.d.Log.Error("what an act erases could not be looked for", "collection", e.c.String(), "act", act.Hash().String(), "err", err)
		return wait("act.erases", "what it erases could not be looked for")
	}
	return v
}

// notAppended: what waits is waited for, like what is not here yet. What was held
// or refused here will not come.
func (d *Desk) notAppended(s store.View, c liaison.CollectionID, act *liaison.Act) (verdict, error) {
	waiting, err := d.waitingKeys(s, c, act.Erases)
	if err != nil {
		return verdict{}, err
	}
	if len(waiting) > 0 {
		return wait("act.erases", erasesWaiting), nil
	}
	raw, ok, err := s.State(bucketVerdicts, actKey(c, act.Erases)+"/"+string(d.Office))
	if err != nil || !ok {
		return wait("act.erases", "what it erases is not here"), err
	}
	var said liaison.SignedEvidence
	if err := json.Unmarshal(raw, &said); err != nil {
		return verdict{}, fmt.Errorf("verdict on %s: %w", act.Erases, err)
	}
	return behind(Status(said.Evidence.Verdict)), nil
}

// decideErasure asks the rules: the parties of the erased act alone, from its own
// first office, whatever the term.
func (d *Desk) decideErasure(reg *registry.Registry, act, erased *liaison.Act) verdict {
	coll, version, v, ok := versionOf(reg, act.Collection, act)
	if !ok {
		return v
	}
	q := &release.Question{
		Action: release.Erase, At: act.Accepted, Programme: version.Programme, Until: version.Until(), Area: coll.Area,
		Actor: d.actorOf(reg, act.By, act.For, act.Office, act.Accepted),
	}
	if erased.Office == act.Office && partyTo(erased, act.Owner()) {
		q.Object.Released = erased.Label
	}
	if decision := release.Decide(q); !decision.Allowed {
		return refuse(string(decision.Rule), "%s", decision.Reason)
	}
	return verdict{status: Accepted}
}

// examineErased decides about an act whose object is erased by another that is
// here: leaf and act are entered, the object is not, if it came at all. What only
// the object could show is not asked.
func (d *Desk) examineErased(notes *notes, c liaison.CollectionID, a *Arrival, by liaison.Hash) verdict {
	v := d.decideErased(notes, c, a)
	v.erased = by
	return v
}

func (d *Desk) decideErased(notes *notes, c liaison.CollectionID, a *Arrival) verdict {
	act, reg := &a.Travels.Act, notes.reg
	keys := reg.OfficeKeys(act.Office, liaison.UseAct, act.Accepted)
	if len(keys) == 0 {
		return wait("act.key", "no act key of %s is known here for %s", act.Office, act.Accepted)
	}
	if err := ledger.VerifyBatch(act, a.Travels.Batch, keys); err != nil {
		return refuse("act.signature", "%s", err)
	}
	if v, ok := wayOf(notes, a); !ok {
		return v
	}
	coll, version, v, ok := versionOf(reg, c, act)
	if !ok {
		return v
	}
	for _, p := range []liaison.Party{act.By, act.Owner()} {
		if _, ok := reg.Party(p); !ok {
			return wait("act.by", "the party %s is not here", p)
		}
	}
	q := &release.Question{
		At: act.Accepted, Programme: version.Programme, Until: version.Until(), Area: coll.Area,
		Actor:   d.actorOf(reg, act.By, act.For, act.Office, act.Accepted),
		Object:  release.Object{Label: stix.Label{TLP: act.Label, Marked: true}, Owner: act.Owner()},
		Contact: withContact(reg, version.Programme),
	}
	decision := release.Decide(q)
	if !decision.Allowed { // it may have been a withdrawal
		q.Action, q.Object.Released, q.Object.Kept = release.Withdraw, act.Label, act.Label
		decision = release.Decide(q)
	}
	if !decision.Allowed {
		return refuse(string(decision.Rule), "%s (%s)", decision.Reason, decision.Clause)
	}
	return verdict{status: Accepted}
}

// bucketErases leads from what is not appended here yet to the acts that wait to
// erase it: <collection>/<erased act>/<key of bucketWaiting>.
const bucketErases = "erases"

// joinErasures adds to a page the acts that wait for one of its own to erase it.
func (d *Desk) joinErasures(ctx context.Context, b *Batch) error {
	if len(b.Items) == 0 {
		return nil
	}
	var keys []string
	prefix := b.Collection.String() + "/"
	err := d.Journal.View(ctx, func(v store.View) error {
		err := v.States(bucketErases, prefix, func(key string, _ []byte) error {
			target, waiting, _ := strings.Cut(key[len(prefix):], " ")
			if slices.ContainsFunc(b.Items, func(it Item) bool { return it.Arrival.Travels.Act.Hash().String() == target }) {
				keys = append(keys, waiting)
			}
			return nil
		})
		for _, key := range keys {
			raw, ok, e := v.State(bucketWaiting, key)
			if err = errors.Join(err, e); err != nil || !ok {
				continue
			}
			w := waitingAct{stored: key}
			if err = json.Unmarshal(raw, &w); err != nil {
				return fmt.Errorf("waiting act %s: %w", key, err)
			}
			if !slices.ContainsFunc(b.Items, func(it Item) bool { return it.waited == key }) {
				b.Items = append(b.Items, w.item())
			}
		}
		return err
	})
	return err
}

// keepErasures keeps what waits to erase, takes the objects of what waits away,
// and forgets what was erased.
func (d *Desk) keepErasures(tx store.Tx, b Batch, verdicts []verdict, results []journal.Outcome) error {
	for i, v := range verdicts {
		a := b.Items[i].Arrival
		if a.Travels.Act.Erases.IsZero() {
			continue
		}
		w := waitingAct{Collection: b.Collection, Neighbour: a.Via.Origin.Office, Travels: a.Travels}
		key := actKey(b.Collection, a.Travels.Act.Erases) + " " + w.key()
		var err error
		switch v.status {
		case Waiting:
			if err = tx.Put(bucketErases, key, nil); err == nil && v.rule == "act.erases" {
				err = d.emptyWaiting(tx, b.Collection, &a.Travels.Act)
			}
		default:
			err = tx.Delete(bucketErases, key)
		}
		if err != nil {
			return err
		}
	}
	for _, r := range results {
		if r.State == journal.Absent {
			return errors.New("what an act erases is not here any more")
		}
	}
	return d.forget(tx, b.Collection, results)
}

// erasureWaits reports whether an act of a page waits for what waits itself: both
// are to be tried again together.
func (d *Desk) erasureWaits(b Batch, verdicts []verdict) bool {
	for i, v := range verdicts {
		if v.status == Waiting && v.rule == "act.erases" && v.reason == erasesWaiting && b.Items[i].waited == "" {
			return true
		}
	}
	return false
}

const erasesWaiting = "what it erases waits here"

// waitingKeys returns the keys under which an act waits, of whichever neighbour.
func (d *Desk) waitingKeys(v store.View, c liaison.CollectionID, act liaison.Hash) (keys []string, err error) {
	end := "/" + actKey(c, act)
	err = v.States(bucketWaiting, "", func(key string, _ []byte) error {
		if strings.HasSuffix(key, end) {
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}

// emptyWaiting takes the object of an act that waits away, if the act that erases
// it may.
func (d *Desk) emptyWaiting(tx store.Tx, c liaison.CollectionID, eraser *liaison.Act) error {
	return d.changeWaiting(tx, c, eraser.Erases, func(w *waitingAct) bool {
		return d.decideErasure(d.reg.Load().Registry, eraser, &w.Travels.Act).status == Accepted
	})
}

func (d *Desk) changeWaiting(tx store.Tx, c liaison.CollectionID, act liaison.Hash, may func(*waitingAct) bool) error {
	keys, err := d.waitingKeys(tx, c, act)
	if err != nil {
		return err
	}
	for _, key := range keys {
		raw, _, err := tx.State(bucketWaiting, key)
		if err != nil {
			return err
		}
		var w waitingAct
		if err := json.Unmarshal(raw, &w); err != nil {
			return fmt.Errorf("waiting act %s: %w", key, err)
		}
		if len(w.Travels.Bytes) == 0 || !may(&w) {
			continue
		}
		w.Travels.Salt, w.Travels.Bytes, w.Reason = liaison.Hash{}, nil, "its object is erased"
		if err := tx.Put(bucketWaiting, key, marshal(w)); err != nil {
			return err
		}
	}
	return nil
}

// forget takes what was erased out of everything else that named it: what waits,
// and what people were told became of their objects.
func (d *Desk) forget(tx store.Tx, c liaison.CollectionID, results []journal.Outcome) error {
	var names []name
	for _, r := range results {
		g := r.Gone
		if g == nil {
			continue
		}
		if err := d.changeWaiting(tx, c, g.Act, func(*waitingAct) bool { return true }); err != nil {
			return err
		}
		n, err := d.nameOf(tx, c, g)
		if err != nil {
			return err
		}
		names = append(names, n)
		d.Log.Info("an object was erased", "collection", c.String(), "act", g.Act.String())
	}
	if len(names) == 0 {
		return nil
	}
	return d.forgetStatuses(tx, c, names)
}

// name is what is forgotten: the act, and the version or all of the object if no
// other act for it is here.
type name struct {
	act         string
	id, version string // empty: they stay
}

func (d *Desk) nameOf(tx store.Tx, c liaison.CollectionID, g *journal.Gone) (name, error) {
	n := name{act: g.Act.String(), id: g.ID}
	err := tx.Find(c, g.ID, store.Meta, func(e *store.Entry) error {
		if n.version = g.Version; compareVersions(e, &store.Entry{Version: g.Version}) == 0 {
			n.id = ""
			return store.Stop
		}
		return nil
	})
	return n, err
}

// names reports whether an outcome is about what is forgotten.
func (n *name) names(o *Outcome) bool {
	return o.Act.String() == n.act || n.id != "" && o.ID == n.id && (n.version == "" || o.Version == n.version)
}

// forgetStatuses takes id and version out of the statuses of a collection.
func (d *Desk) forgetStatuses(tx store.Tx, c liaison.CollectionID, names []name) error {
	changed := map[string][]byte{}
	err := tx.States(bucketStatus, "", func(key string, raw []byte) error {
		if !slices.ContainsFunc(names, func(n name) bool {
			return bytes.Contains(raw, []byte(n.act)) || n.id != "" && bytes.Contains(raw, []byte(n.id))
		}) {
			return nil
		}
		var r statusRecord
		if err := json.Unmarshal(bytes.Clone(raw), &r); err != nil {
			return fmt.Errorf("status: %w", err)
		}
		if r.Collection != c {
			return nil
		}
		for i := range r.Outcomes {
			o := &r.Outcomes[i]
			if slices.ContainsFunc(names, func(n name) bool { return n.names(o) }) {
				*o = Outcome{Status: o.Status, Index: o.Index, Act: o.Act, Added: o.Added, Unread: o.Unread, Erased: true}
			}
		}
		changed[key] = r.encode()
		return nil
	})
	for key, value := range changed {
		err = errors.Join(err, tx.Put(bucketStatus, key, value))
	}
	return err
}
