package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// The limits of judging late arrivals (DESIGN: release).
const (
	BoundarySlack = 10 * time.Minute   // first relay hop after accepted, with a boundary in between
	TermSlack     = 7 * 24 * time.Hour // arrival after the end of the term or the epoch
)

// verdict is what the desk makes of an arrival before it is appended.
type verdict struct {
	status Status // Accepted, Refused, Held or Waiting
	rule   string
	reason string
	object *stix.Object
	erased liaison.Hash // the act that erases what this one brought: it is entered without
}

func refuse(rule, format string, args ...any) verdict {
	return verdict{status: Refused, rule: rule, reason: fmt.Sprintf(format, args...)}
}

func hold(rule, format string, args ...any) verdict {
	return verdict{status: Held, rule: rule, reason: fmt.Sprintf(format, args...)}
}

func wait(rule, format string, args ...any) verdict {
	return verdict{status: Waiting, rule: rule, reason: fmt.Sprintf(format, args...)}
}

// acceptRelay takes what a neighbour's page brings. Everything commits
// together with the follower's position.
func (d *Desk) acceptRelay(ctx context.Context, n liaison.Office, b Batch) ([]Outcome, error) {
	if b.Follow != nil && b.Follow.Origin.Office != n {
		return nil, fmt.Errorf("follow %s: the neighbour is %s", b.Follow.Origin, n)
	}
	if b.Follow != nil && b.Follow.Origin.Collection != b.Collection {
		return nil, fmt.Errorf("follow %s: the page is of %s", b.Follow.Origin, b.Collection)
	}
	for i := range b.Items {
		if b.Items[i].Arrival == nil {
			return nil, errors.New("a relay page brings acts, not bare objects")
		}
	}
	if b.Told != nil {
		return nil, d.listen(ctx, n, b.Collection, b.Told)
	}
	if b.Cosigned != "" {
		err := d.Journal.View(ctx, func(v store.View) error { return d.Journal.Hear(v, b.Cosigned) })
		if err != nil {
			return nil, err
		}
	}
	if err := d.ownActsHere(ctx, b); err != nil {
		return nil, err
	}
	var outcomes []Outcome
	err := d.decided(ctx, func(reg *register) error {
		page := b.again()
		err := d.joinErasures(ctx, &page)
		if err == nil {
			outcomes, err = d.acceptPage(ctx, reg, n, page)
		}
		if errors.Is(err, errWaitsNoMore) {
			err = errOvertaken // what waited for this page was taken by another process
		}
		return err
	})
	return outcomes, err
}

// again returns a copy whose arrivals can be examined: that leaves out what of
// them was not verified.
func (b Batch) again() Batch {
	b.Items = slices.Clone(b.Items)
	for i := range b.Items {
		a := *b.Items[i].Arrival
		a.Travels.Hops = slices.Clone(a.Travels.Hops)
		b.Items[i].Arrival = &a
	}
	return b
}

// acceptPage judges charter entries by a registry that holds what all of them
// prove by their own signatures: the first charter an office sees introduces
// the office that signed its acts.
func (d *Desk) acceptPage(ctx context.Context, reg *register, n liaison.Office, b Batch) ([]Outcome, error) {
	known, charter := reg.Registry, reg.mayBeCharter(b.Collection)
	if charter && len(b.Items) > 0 {
		objects := make([][]byte, len(b.Items))
		for i := range b.Items {
			objects[i] = b.Items[i].Arrival.Travels.Bytes
		}
		known = foresee(known, b.Collection, objects)
	}
	verdicts, err := d.examinePage(ctx, known, b)
	if err != nil {
		return nil, err
	}
	return d.commitPage(ctx, reg, n, b, verdicts)
}

// mayBeCharter reports whether control objects are expected in a collection.
func (r *register) mayBeCharter(c liaison.CollectionID) bool {
	coll, known := r.Collection(c)
	return !known || coll.Area == liaison.Charter
}

// foresee returns the registry with those objects of a page that apply.
func foresee(reg *registry.Registry, c liaison.CollectionID, objects [][]byte) *registry.Registry {
	entries := make([]charterEntry, len(objects))
	for i, b := range objects {
		entries[i] = charterEntry{c, b}
	}
	reg, _ = foldAll(reg, entries)
	return reg
}

// commitPage commits what was decided by a register. How much waits of a
// neighbour is counted over all its collections, so that no other page may add to
// it meanwhile.
func (d *Desk) commitPage(ctx context.Context, reg *register, n liaison.Office, b Batch, verdicts []verdict) ([]Outcome, error) {
	outcomes := make([]Outcome, len(b.Items))
	var items []journal.Item
	var places []int
	for i := range b.Items {
		outcomes[i] = Outcome{Status: verdicts[i].status, Reason: verdicts[i].reason, Act: b.Items[i].Arrival.Travels.Act.Hash()}
		if verdicts[i].status == Accepted {
			items = append(items, journal.Item{Object: verdicts[i].object, Arrival: arrival(b.Items[i].Arrival), Erased: verdicts[i].erased})
			places = append(places, i)
		}
	}
	page := &journal.Batch{
		Collection: b.Collection, Items: items, Check: d.still(reg), Guard: b.guard(reg.Registry),
		Alone: slices.ContainsFunc(verdicts, func(v verdict) bool { return v.status == Waiting }),
		Then: func(tx store.Tx, results []journal.Outcome) error {
			return d.keepPage(tx, n, b, verdicts, results, places)
		},
	}
	if len(b.Items) > 0 && reg.mayBeCharter(b.Collection) {
		page.Control = true
		page.After = func() {
			d.catchUp()
			d.somethingCame() // entries that wait may rest on each other
		}
	}
	point.At("desk.page-decided")
	results, err := d.Journal.Append(ctx, page)
	if err != nil {
		return nil, err
	}
	point.At("desk.page-committed")
	for k, r := range results {
		settle(&outcomes[places[k]], r)
	}
	if slices.ContainsFunc(items, func(it journal.Item) bool { return it.Object != nil && isMarking(it.Object) }) || d.erasureWaits(b, verdicts) {
		d.somethingCame()
	}
	return outcomes, nil
}

func arrival(a *Arrival) *journal.Arrival {
	hops := append(append([]liaison.Hop(nil), a.Travels.Hops...), a.Hop)
	return &journal.Arrival{Travels: a.Travels, Via: a.Via, Hops: hops}
}

// examinePage decides about the acts of a page in order. What a marking
// definition of the page marks does not wait for its commit. An error says that
// the store could not be read.
func (d *Desk) examinePage(ctx context.Context, reg *registry.Registry, b Batch) ([]verdict, error) {
	l := d.newLooks()
	verdicts, notes, before := make([]verdict, len(b.Items)), newNotes(reg), l.newBefore(b.Collection)
	resolve, found := l.markings(ctx, b.Collection)
	erasing := d.newErasing(notes, b)
	for i := range b.Items {
		v := d.examine(ctx, notes, b.Collection, b.Items[i].Arrival, resolve, before, erasing)
		before.add(b.Items[i].Arrival, v)
		erasing.add(b.Items[i].Arrival, v)
		if verdicts[i] = v; v.status == Accepted && v.object != nil && isMarking(v.object) {
			found[v.object.ID()] = v.object
		}
	}
	return verdicts, l.failed()
}

// examine verifies an act that came by relay and decides about it again, from
// the same bytes, as every office does.
func (d *Desk) examine(ctx context.Context, notes *notes, c liaison.CollectionID, a *Arrival, resolve resolver, before *before, erasing *erasing) verdict {
	act, reg := &a.Travels.Act, notes.reg
	if act.Collection != c {
		return refuse("act.collection", "the act names collection %s", act.Collection)
	}
	if v, ok := wellFormed(&a.Travels); !ok {
		return v
	}
	if here, ok := before.l.actHere(ctx, c, act.Hash()); ok {
		return verdict{status: Accepted, object: here} // the journal will find the duplicate
	}
	if !act.Erases.IsZero() {
		return erasing.decide(a)
	}
	if by, ok := erasing.erases(act); ok {
		return d.examineErased(notes, c, a, by)
	}
	if len(a.Travels.Bytes) == 0 && !a.Erased.IsZero() {
		return wait("act.bytes", "the neighbour has its object no more, and the act that erases it follows")
	}
	if len(a.Travels.Bytes) == 0 {
		return refuse("act.bytes", "the act came without its object")
	}
	if liaison.Commit(a.Travels.Salt, a.Travels.Bytes) != act.Commit {
		return refuse("act.commit", "the object is not the one the act commits to")
	}
	obj, err := stix.Parse(a.Travels.Bytes, d.Limits)
	if err != nil {
		return refuse("object", "%s", err)
	}
	if string(obj.Bytes()) != string(a.Travels.Bytes) {
		return refuse("object.bytes", "the object carries insignificant white space")
	}
	keys, v, ok := d.actKeys(reg, act, obj)
	if !ok {
		return v
	}
	if err := ledger.VerifyBatch(act, a.Travels.Batch, keys); err != nil {
		return refuse("act.signature", "%s", err)
	}
	if v, ok := wayOf(notes, a); !ok {
		return v
	}
	return d.decide(reg, c, a, obj, resolve, before)
}

// actHere returns the object of an act this office has already; nil if it has
// none, or none any more.
func (l *looks) actHere(ctx context.Context, c liaison.CollectionID, act liaison.Hash) (o *stix.Object, ok bool) {
	read := l.view(ctx, "what is here of an act", func(v store.View) error {
		return v.FindAct(c, act, store.Bytes, func(e *store.Entry) (err error) {
			ok = ok || e.Erased || e.Kind == liaison.KindErasure
			if len(e.Bytes) > 0 {
				o, err = stix.Parse(append([]byte(nil), e.Bytes...), l.d.Limits)
			}
			return err
		})
	})
	return o, read && (ok || o != nil)
}

// actKeys finds the act keys of the office that accepted the act. An office
// object with valid authority signatures brings its own.
func (d *Desk) actKeys(reg *registry.Registry, act *liaison.Act, obj *stix.Object) ([][]byte, verdict, bool) {
	if obj.Type() == "office" {
		if next, err := reg.Apply(act.Collection, obj.Bytes()); err == nil {
			reg = next
		}
	}
	keys := reg.OfficeKeys(act.Office, liaison.UseAct, act.Accepted)
	if len(keys) == 0 {
		return nil, wait("act.key", "no act key of %s is known here for %s", act.Office, act.Accepted), false
	}
	return keys, verdict{}, true
}

// decide asks the release rules at the act's accepted instant under the
// version it names.
func (d *Desk) decide(reg *registry.Registry, c liaison.CollectionID, a *Arrival, obj *stix.Object, resolve resolver, before *before) verdict {
	act := &a.Travels.Act
	if isControl(obj.Type()) {
		if v, decided := d.decideControl(reg, c, act, obj); decided {
			return v
		}
	}
	coll, version, v, ok := versionOf(reg, c, act)
	if !ok {
		return v
	}
	label := labelOf(obj, resolve)
	if len(label.Unknown) > 0 {
		return wait("label.unknown", "marking %s is not here", label.Unknown[0])
	}
	return d.decideWrite(reg, coll, version, a, obj, label, before)
}

// versionOf finds the version that an act names; v says why it does not count.
func versionOf(reg *registry.Registry, c liaison.CollectionID, act *liaison.Act) (coll *registry.Collection, version *registry.Version, v verdict, ok bool) {
	coll, here := reg.Collection(c)
	version, known := reg.Version(act.Under)
	switch {
	case !here || !known:
		v = wait("act.under", "the programme version the act names is not here")
	case version.Of() != coll.Programme:
		v = refuse("act.under", "the act names a version of another programme")
	case !version.Counts():
		v = hold("act.under", "version %d of %s that the act names contradicts another and does not count", version.Version, version.Name)
	case !coll.In(version):
		v = refuse("act.under", "version %d of %s has no epoch %d of %s", version.Version, version.Name, coll.Epoch, coll.Area)
	default:
		ok = true
	}
	return coll, version, v, ok
}

func (d *Desk) decideWrite(reg *registry.Registry, coll *registry.Collection, version *registry.Version, a *Arrival, obj *stix.Object, label stix.Label, before *before) verdict {
	act := &a.Travels.Act
	for _, p := range []liaison.Party{act.By, act.Owner()} {
		if _, ok := reg.Party(p); !ok {
			return wait("act.by", "the party %s is not here", p)
		}
	}
	if obj.Revoked() {
		earlier := before.released(obj.ID(), act.Owner())
		switch {
		case earlier.Released() != stix.Unmarked:
			return d.decideWithdrawal(reg, coll, version, a, obj, label, earlier)
		case before.waiting(a, obj.ID()):
			return wait(string(release.RuleWithdraw), "what it withdraws waits here")
		}
	}
	if act.Accepted < version.InForce || (version.Until() != 0 && act.Accepted >= version.Until()) {
		return hold(string(release.RuleTerm), "version %d of %s was not in force at %s", version.Version, version.Name, act.Accepted)
	}
	if !coll.Open(act.Accepted) {
		return refuse(string(release.RuleTerm), "epoch %d of %s took no new acts at %s", coll.Epoch, coll.Area, act.Accepted)
	}
	q := &release.Question{
		At: act.Accepted, Programme: version.Programme, Until: version.Until(), Area: coll.Area,
		Actor:  d.actorOf(reg, act.By, act.For, act.Office, act.Accepted),
		Object: release.Object{Type: obj.Type(), Label: label, Owner: ownerOf(obj), SCO: obj.IsSCO()},

		Contact: withContact(reg, version.Programme),
	}
	q.Object.Outsider = outsider(reg, q.Actor, q.Object)
	decision := release.Decide(q)
	switch {
	case !decision.Allowed:
		return refuse(string(decision.Rule), "%s (%s)", decision.Reason, decision.Clause)
	case decision.Label != act.Label:
		return refuse("act.label", "the act says %s, the object counts as %s", act.Label, decision.Label)
	}
	if v, held := d.late(coll, version, a); held {
		return v
	}
	return verdict{status: Accepted, object: obj}
}

// decideWithdrawal: one's own act can always be withdrawn, whatever the term.
// Once means once at each office: two may accept one each before they hear of
// the other, and what comes first differs from place to place.
func (d *Desk) decideWithdrawal(reg *registry.Registry, coll *registry.Collection, version *registry.Version, a *Arrival, obj *stix.Object, label stix.Label, earlier *journal.Earlier) verdict {
	act := &a.Travels.Act
	q := &release.Question{
		At: act.Accepted, Programme: version.Programme, Until: version.Until(), Area: coll.Area,
		Actor:  d.actorOf(reg, act.By, act.For, act.Office, act.Accepted),
		Object: release.Object{Type: obj.Type(), Label: label, Owner: ownerOf(obj), SCO: obj.IsSCO(), Revoked: true},
		Closed: version.EpochOf(coll.Area) > coll.Epoch, Contact: withContact(reg, version.Programme),
	}
	withdrawing(q, obj, earlier)
	if last, _ := earlier.Latest(act.Accepted); last != nil && last.Office != act.Office {
		q.Object.Withdrawn = false
	}
	decision := release.Decide(q)
	switch {
	case !decision.Allowed:
		return refuse(string(decision.Rule), "%s (%s)", decision.Reason, decision.Clause)
	case decision.Label != act.Label:
		return refuse("act.label", "the act says %s, the object counts as %s", act.Label, decision.Label)
	}
	return verdict{status: Accepted, object: obj}
}

// late: a long way across a boundary of the term, or long after its end or that
// of the epoch, is for a person.
func (d *Desk) late(c *registry.Collection, p *registry.Version, a *Arrival) (verdict, bool) {
	act, now := &a.Travels.Act, d.now()
	if _, since, closed := c.Closing(now); closed && now > since.Add(TermSlack) {
		return hold("act.late", "it arrived at %s, more than seven days after epoch %d of %s closed", now, c.Epoch, c.Area), true
	}
	if !p.ValidUntil.IsZero() && now > p.ValidUntil.Add(TermSlack) {
		return hold("act.late", "it arrived at %s, more than seven days after the term of %s", now, p.Name), true
	}
	for _, boundary := range []liaison.Instant{p.ValidUntil, p.Until()} {
		if act.Accepted >= boundary || boundary > now {
			continue
		}
		if first := d.firstRelay(a); boundary <= first && first > act.Accepted.Add(BoundarySlack) {
			return hold("act.boundary", "its first relay hop came at %s, across a boundary of the term at %s", first, boundary), true
		}
	}
	return verdict{}, false
}

// firstRelay returns when the first office after the act's own added it: now,
// if that is this office. The way was verified before.
func (d *Desk) firstRelay(a *Arrival) liaison.Instant {
	if way := append(slices.Clone(a.Travels.Hops), a.Hop); len(way) > 1 {
		return way[1].Leaf.Added
	}
	return d.now()
}

// decideControl: a charter entry is accepted for its signatures, whoever
// brings it. decided is false for an identity that is an ordinary object.
func (d *Desk) decideControl(reg *registry.Registry, c liaison.CollectionID, act *liaison.Act, obj *stix.Object) (verdict, bool) {
	coll, known := reg.Collection(c)
	if known && coll.Area != liaison.Charter {
		return verdict{}, false
	}
	next, err := reg.Fold(c, obj.Bytes())
	if err == nil {
		err = next.Belongs(c, obj.Bytes())
	}
	switch {
	case errors.Is(err, registry.ErrWaiting):
		return wait("charter.signed", "%s", err), true
	case err != nil && (known || obj.Type() == "programme"):
		return refuse(string(release.RuleSigned), "%s", err), true
	case err != nil:
		return wait("act.under", "the programme of this collection is not here"), true
	}
	charter, ok := next.Collection(c)
	if !ok {
		return wait("act.under", "the programme of this charter is not here"), true
	}
	version, ok := next.Version(act.Under)
	switch {
	case !ok:
		return wait("act.under", "the programme version the act names is not here"), true
	case !charter.In(version):
		return refuse("act.under", "version %d of %s has not this charter", version.Version, version.Name), true
	}
	return verdict{status: Accepted, object: obj}, true
}

// The buckets of keyed state the desk keeps.
const (
	bucketHeld   = "held"   // <collection>/<act>
	bucketFollow = "follow" // <origin>
)

func actKey(c liaison.CollectionID, act liaison.Hash) string {
	return c.String() + "/" + act.String()
}

// errWaitsNoMore says that another process has tried the same waiting acts again.
var errWaitsNoMore = errors.New("what waited does not wait any more")

// keepPage commits what a page brings beside leaves: the position, waiting and
// held acts, evidence about refused ones, and the leaves of delivery.
func (d *Desk) keepPage(tx store.Tx, n liaison.Office, b Batch, verdicts []verdict, results []journal.Outcome, places []int) error {
	if err := stillWait(tx, b.Items); err != nil {
		return err
	}
	if err := d.roomToWait(tx, n, b, verdicts); err != nil {
		return err
	}
	for i, v := range verdicts {
		if v.status != Accepted {
			if err := d.keepUndelivered(tx, from(n, &b.Items[i]), b.Collection, b.Items[i].Arrival, v); err != nil {
				return err
			}
		}
	}
	if err := d.keepErasures(tx, b, verdicts, results); err != nil {
		return err
	}
	added := make([]bool, len(b.Items))
	for k, r := range results {
		a := b.Items[places[k]].Arrival
		if r.State != journal.Duplicate {
			added[places[k]] = true
			continue
		}
		if err := d.keepDelivery(tx, n, b.Collection, a, r); err != nil {
			return err
		}
	}
	if err := d.keepLeaves(tx, b, verdicts, added); err != nil {
		return err
	}
	if err := d.keepBack(tx, n, b); err != nil {
		return err
	}
	for i := range b.Items {
		if key := b.Items[i].waited; key != "" && verdicts[i].status != Waiting {
			if err := tx.Delete(bucketWaiting, key); err != nil {
				return err
			}
		}
	}
	return d.keepFollow(tx, b.Follow)
}

// from is the neighbour that brought an item: another one than now, if it waited
// for what comes now.
func from(n liaison.Office, it *Item) liaison.Office {
	if it.waited != "" {
		return it.Arrival.Via.Origin.Office
	}
	return n
}

// stillWait asks whether what waited still does.
func stillWait(tx store.Tx, items []Item) error {
	for i := range items {
		key := items[i].waited
		if key == "" {
			continue
		}
		if _, ok, err := tx.State(bucketWaiting, key); err != nil || !ok {
			return cmp.Or(err, errWaitsNoMore)
		}
	}
	return nil
}

func (d *Desk) keepUndelivered(tx store.Tx, n liaison.Office, c liaison.CollectionID, a *Arrival, v verdict) error {
	act := a.Travels.Act.Hash()
	w := waitingAct{
		Collection: c, Neighbour: n, Travels: a.Travels, Kind: a.Kind, Erased: a.Erased, Via: a.Via, Hop: a.Hop,
		Rule: v.rule, Reason: v.reason, At: d.now(),
	}
	if !v.erased.IsZero() {
		w.Travels.Salt, w.Travels.Bytes = liaison.Hash{}, nil
	}
	switch v.status {
	case Waiting:
		return tx.Put(bucketWaiting, w.key(), marshal(w))
	case Held:
		w.Travels.Salt, w.Travels.Bytes = liaison.Hash{}, nil
		if err := tx.Put(bucketHeld, actKey(c, act), marshal(w)); err != nil {
			return err
		}
	}
	d.Log.Warn("act not appended", "collection", c.String(), "act", act.String(), "status", string(v.status), "rule", v.rule, "reason", v.reason)
	return d.keepVerdict(tx, n, c, &a.Travels.Act, v)
}

func (d *Desk) keepFollow(tx store.Tx, f *Follow) error {
	if f == nil {
		return nil
	}
	have, err := followed(tx, f.Origin)
	if err != nil {
		return err
	}
	if have.Size != f.From {
		return fmt.Errorf("%s at %d, the page begins at %d: %w", f.Origin, have.Size, f.From, ErrPosition)
	}
	point.At("desk.before-position")
	if err := tx.Put(bucketFollow, f.Origin.String(), marshal(f)); err != nil {
		return err
	}
	point.At("desk.position-put")
	return nil
}

func followed(v store.View, origin liaison.Origin) (Follow, error) {
	f := Follow{Origin: origin}
	raw, ok, err := v.State(bucketFollow, origin.String())
	if err != nil || !ok {
		return f, err
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("position in %s: %w", origin, err)
	}
	return f, nil
}

// position returns the follower's position in a log and in the newest generation
// before it.
func position(v store.View, origin liaison.Origin) (at, before Follow, err error) {
	newest := liaison.Origin{Office: origin.Office, Collection: origin.Collection}
	prefix := strings.TrimSuffix(newest.String(), "0")
	var older uint32
	err = v.States(bucketFollow, prefix, func(key string, _ []byte) error {
		o, err := liaison.ParseOrigin(key)
		switch g := o.Generation; {
		case err != nil:
			return err
		case origin.Generation == 0 && g > newest.Generation:
			older, newest.Generation = newest.Generation, g
		case (origin.Generation == 0 || g < origin.Generation) && g > older:
			older = g
		}
		return nil
	})
	if err != nil {
		return at, before, err
	}
	if newest.Generation = max(newest.Generation, 1); origin.Generation == 0 {
		origin = newest
	}
	if at, err = followed(v, origin); err != nil || older == 0 {
		return at, before, err
	}
	origin.Generation = older
	before, err = followed(v, origin)
	return at, before, err
}

// marshal encodes one of the desk's own records.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("desk: encode %T: %v", v, err))
	}
	return b
}
