package desk

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// What is known of an act beyond this office travels back along the way it
// came, neighbour by neighbour, until it is at the act's office.
const (
	bucketHops     = "hops"     // <collection>/<act>/<office>: liaison.Hop
	bucketVerdicts = "verdicts" // <collection>/<act>/<office>: liaison.SignedEvidence
	bucketOutbox   = "outbox"   // <neighbour>/<collection>/<act>/<office>: outgoing
	bucketCosigned = "cosigned" // cosignedKey: checkpoint note of this office's log
)

// outgoing is evidence that waits for a neighbour. A hop waits until this
// office's own leaf is cosigned by the next office, and then goes with it.
type outgoing struct {
	Collection liaison.CollectionID    `json:"collection"`
	Act        liaison.Hash            `json:"act"`
	Hops       []liaison.Hop           `json:"hops,omitzero"`
	Next       liaison.Office          `json:"next,omitzero"` // whose cosignature our leaf needs
	Signed     *liaison.SignedEvidence `json:"signed,omitzero"`
}

// keepVerdict signs why an act was not appended and sends it back.
func (d *Desk) keepVerdict(tx store.Tx, n liaison.Office, c liaison.CollectionID, act *liaison.Act, v verdict) error {
	e := liaison.Evidence{
		V: liaison.EvidenceVersion, Act: act.Hash(), Office: d.Office,
		Verdict: liaison.Verdict(v.status), Rule: v.rule, At: d.now(),
	}
	signed := &liaison.SignedEvidence{Evidence: e, Sig: d.Journal.Signer.SignAct(liaison.EvidenceText(&e))}
	if err := tx.Put(bucketVerdicts, actKey(c, e.Act)+"/"+string(d.Office), marshal(signed)); err != nil {
		return err
	}
	out := outgoing{Collection: c, Act: e.Act, Signed: signed}
	return tx.Put(bucketOutbox, outboxKey(n, c, e.Act, d.Office), marshal(out))
}

func outboxKey(to liaison.Office, c liaison.CollectionID, act liaison.Hash, about liaison.Office) string {
	return string(to) + "/" + actKey(c, act) + "/" + string(about)
}

// keepDelivery notes that the neighbour's log holds an act that is here: a
// leaf of delivery, if it came to the neighbour from this office.
func (d *Desk) keepDelivery(tx store.Tx, n liaison.Office, c liaison.CollectionID, a *Arrival, r journal.Outcome) error {
	via := a.Hop.Leaf.Via
	if via == nil || via.Origin.Office != d.Office {
		return nil
	}
	return d.passBack(tx, n, c, a.Travels.Act.Hash(), []liaison.Hop{a.Hop})
}

// passBack keeps hops of an act and queues them for the neighbour it came
// from, if it was not accepted here.
func (d *Desk) passBack(tx store.Tx, next liaison.Office, c liaison.CollectionID, act liaison.Hash, hops []liaison.Hop) error {
	for _, h := range hops {
		cp, err := ledger.ReadCheckpoint(h.Checkpoint)
		if err != nil {
			return fmt.Errorf("hop of %s: %w", act, err)
		}
		if cp.Origin.Office == d.Office {
			continue
		}
		if err := d.keepHop(tx, c, act, cp.Origin.Office, h); err != nil {
			return err
		}
	}
	back, ok, err := cameFrom(tx, c, act)
	if err != nil || !ok || back == next {
		return err
	}
	return d.queueHops(tx, back, next, c, act, hops)
}

// keepHop keeps the hop of an office under the checkpoint with the most
// cosignatures: one that came back from further on says more than our own
// reading of a neighbour's log.
func (d *Desk) keepHop(tx store.Tx, c liaison.CollectionID, act liaison.Hash, o liaison.Office, h liaison.Hop) error {
	key := actKey(c, act) + "/" + string(o)
	raw, ok, err := tx.State(bucketHops, key)
	if err != nil {
		return err
	}
	if ok {
		var old liaison.Hop
		if err := json.Unmarshal(raw, &old); err != nil {
			return fmt.Errorf("hop %s: %w", key, err)
		}
		if !d.newWitness(old, h) {
			return nil
		}
	}
	return tx.Put(bucketHops, key, marshal(h))
}

// newWitness reports whether a hop is of a later generation of its log, or has a
// cosigner, other than this office, that the one before lacks.
func (d *Desk) newWitness(old, h liaison.Hop) bool {
	if now, was := headOfHop(h).Origin.Generation, headOfHop(old).Origin.Generation; now != was {
		return now > was
	}
	have := ledger.Cosigners(old.Checkpoint)
	return slices.ContainsFunc(ledger.Cosigners(h.Checkpoint), func(o liaison.Office) bool {
		return o != d.Office && !slices.Contains(have, o)
	})
}

func headOfHop(h liaison.Hop) ledger.Checkpoint {
	cp, err := ledger.ReadCheckpoint(h.Checkpoint)
	if err != nil {
		return ledger.Checkpoint{}
	}
	return cp
}

func (d *Desk) queueHops(tx store.Tx, back, next liaison.Office, c liaison.CollectionID, act liaison.Hash, hops []liaison.Hop) error {
	last, err := ledger.ReadCheckpoint(hops[len(hops)-1].Checkpoint)
	if err != nil {
		return err
	}
	out := outgoing{Collection: c, Act: act, Hops: hops, Next: next}
	return tx.Put(bucketOutbox, outboxKey(back, c, act, last.Origin.Office), marshal(out))
}

// cameFrom returns the neighbour an act came from; ok is false for an act
// accepted here.
func cameFrom(v store.View, c liaison.CollectionID, act liaison.Hash) (from liaison.Office, ok bool, err error) {
	err = v.FindAct(c, act, store.Proof, func(e *store.Entry) error {
		leaf, err := liaison.ParseLeaf(e.Leaf)
		if err == nil && leaf.Via != nil {
			from, ok = leaf.Via.Origin.Office, true
		}
		return err
	})
	return from, ok, err
}

// guard returns the collections whose acts the evidence is about: the keys that
// keepBack reads and writes begin with them.
func (b *Batch) guard(reg *registry.Registry) (list []liaison.CollectionID) {
	add := func(c liaison.CollectionID) {
		if _, known := reg.Collection(c); known && c != b.Collection && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	for _, e := range b.Evidence {
		add(e.Collection)
	}
	for _, key := range b.Delivered {
		name, _, _ := strings.Cut(key, "/")
		if c, err := liaison.ParseCollectionID(name); err == nil {
			add(c)
		}
	}
	return list
}

// keepBack takes cosignatures, evidence and acknowledgements of a neighbour.
func (d *Desk) keepBack(tx store.Tx, n liaison.Office, b Batch) error {
	if b.Cosigned != "" {
		if err := d.keepCosigned(tx, n, b.Collection, b.Cosigned); err != nil {
			return err
		}
	}
	for _, e := range b.Evidence {
		if err := d.keepEvidence(tx, n, e); err != nil {
			return err
		}
	}
	for _, key := range b.Delivered {
		if err := tx.Delete(bucketOutbox, string(n)+"/"+key); err != nil {
			return err
		}
	}
	return nil
}

// keepCosigned keeps the newest checkpoint of our log that a neighbour
// cosigned.
func (d *Desk) keepCosigned(tx store.Tx, n liaison.Office, c liaison.CollectionID, note string) error {
	reg := d.reg.Load().Registry
	cp, signed, err := ledger.OpenCheckpoint(note, reg.OfficeKeys(d.Office, liaison.UseLog, d.now()))
	if err != nil {
		return fmt.Errorf("cosigned checkpoint from %s: %w", n, err)
	}
	origin, err := d.Journal.Origin(tx, c)
	switch {
	case err != nil:
		return err
	case cp.Origin.Office != d.Office || cp.Origin.Collection != c || cp.Origin.Generation > origin.Generation:
		return fmt.Errorf("cosigned checkpoint from %s is of %s", n, cp.Origin)
	case cp.Origin.Generation < origin.Generation:
		return nil // what it covers may not be here any more
	}
	if _, err := ledger.VerifyCosignature(signed, n.WitnessKey(), reg.OfficeKeys(n, liaison.UseWitness, d.now())); err != nil {
		return fmt.Errorf("cosigned checkpoint from %s: %w", n, err)
	}
	key := cosignedKey(cp.Origin, n)
	raw, ok, err := tx.State(bucketCosigned, key)
	if err != nil {
		return err
	}
	if ok {
		if old, err := ledger.ReadCheckpoint(string(raw)); err == nil && old.Size > cp.Size {
			return nil
		}
	}
	if note, err = attested(reg, note, d.now()); err != nil {
		return err
	}
	return tx.Put(bucketCosigned, key, []byte(note))
}

// cosignedKey names what an office has cosigned of a generation of a log here:
// <collection>/<office>, and from the second on /<generation> behind it.
func cosignedKey(o liaison.Origin, by liaison.Office) string {
	key := o.Collection.String() + "/" + string(by)
	if o.Generation > 1 {
		key += fmt.Sprintf("/%d", o.Generation)
	}
	return key
}

// keepEvidence checks what a neighbour passes back and keeps it: hops for
// receipts, verdicts for people. It goes on towards the act's office.
func (d *Desk) keepEvidence(tx store.Tx, n liaison.Office, e Evidence) error {
	here := false
	if err := tx.FindAct(e.Collection, e.Act, store.Meta, func(*store.Entry) error { here = true; return nil }); err != nil {
		return err
	}
	if !here {
		d.Log.Warn("evidence about an act that is not here", "office", string(n), "act", e.Act.String())
		return nil
	}
	if e.Signed != nil {
		return d.keepSigned(tx, n, e)
	}
	for i := range e.Hops {
		if err := checkHop(d.reg.Load().Registry, e.Act, e.Collection, &e.Hops[i]); err != nil {
			d.Log.Warn("evidence that does not verify", "office", string(n), "act", e.Act.String(), "err", err)
			return nil
		}
		note, err := attested(d.reg.Load().Registry, e.Hops[i].Checkpoint, e.Hops[i].Leaf.Added)
		if err != nil {
			return err
		}
		e.Hops[i].Checkpoint = note
	}
	if len(e.Hops) == 0 {
		return nil
	}
	return d.passBack(tx, n, e.Collection, e.Act, e.Hops)
}

// checkHop verifies that the log of the office a hop names holds an act.
func checkHop(reg *registry.Registry, act liaison.Hash, c liaison.CollectionID, h *liaison.Hop) error {
	head, err := ledger.ReadCheckpoint(h.Checkpoint)
	if err != nil {
		return err
	}
	cp, _, err := ledger.OpenCheckpoint(h.Checkpoint, reg.OfficeKeys(head.Origin.Office, liaison.UseLog, h.Leaf.Added))
	switch {
	case err != nil:
		return err
	case cp.Origin.Collection != c:
		return fmt.Errorf("checkpoint of collection %s", cp.Origin.Collection)
	case h.Leaf.Act != act:
		return fmt.Errorf("the leaf names another act")
	}
	return ledger.VerifyInclusion(liaison.LeafHash(liaison.JCS(h.Leaf)), h.Index, cp.Size, h.Path, cp.Root)
}

func (d *Desk) keepSigned(tx store.Tx, n liaison.Office, e Evidence) error {
	s := e.Signed
	keys := d.reg.Load().OfficeKeys(s.Evidence.Office, liaison.UseAct, s.Evidence.At)
	if err := ledger.VerifyEvidence(*s, keys); err != nil || s.Evidence.Act != e.Act {
		d.Log.Warn("a verdict that does not verify", "office", string(n), "act", e.Act.String(), "err", err)
		return nil
	}
	if err := tx.Put(bucketVerdicts, actKey(e.Collection, e.Act)+"/"+string(s.Evidence.Office), marshal(s)); err != nil {
		return err
	}
	back, ok, err := cameFrom(tx, e.Collection, e.Act)
	if err != nil || !ok || back == n {
		return err
	}
	out := outgoing{Collection: e.Collection, Act: e.Act, Signed: s}
	return tx.Put(bucketOutbox, outboxKey(back, e.Collection, e.Act, s.Evidence.Office), marshal(out))
}

// outbox returns the evidence that can be sent to a neighbour now.
func (d *Desk) outbox(v store.View, n liaison.Office, most int) ([]Evidence, error) {
	var list []Evidence
	prefix := string(n) + "/"
	err := v.States(bucketOutbox, prefix, func(key string, raw []byte) error {
		var out outgoing
		if err := json.Unmarshal(bytes.Clone(raw), &out); err != nil {
			return fmt.Errorf("outbox %s: %w", key, err)
		}
		e := Evidence{Key: key[len(prefix):], Collection: out.Collection, Act: out.Act, Signed: out.Signed}
		if out.Signed == nil {
			own, err := d.ownHop(v, out.Collection, out.Act, out.Next, generationOf(out.Hops[0]))
			if err != nil || own == nil {
				return err // not cosigned yet: it goes with a later page
			}
			e.Hops = append([]liaison.Hop{*own}, out.Hops...)
		}
		if list = append(list, e); len(list) == most {
			return store.Stop
		}
		return nil
	})
	return list, err
}

// generationOf returns the generation of the log by which a leaf further on came.
func generationOf(h liaison.Hop) uint32 {
	if h.Leaf.Via == nil {
		return 0
	}
	return h.Leaf.Via.Origin.Generation
}

// ownHop returns this office's leaf for an act, in a generation of its log, under
// a checkpoint cosigned by an office; nil if that office has not cosigned so far.
func (d *Desk) ownHop(v store.View, c liaison.CollectionID, act liaison.Hash, by liaison.Office, generation uint32) (*liaison.Hop, error) {
	raw, ok, err := v.State(bucketCosigned, cosignedKey(liaison.Origin{Collection: c, Generation: generation}, by))
	if err != nil || !ok {
		return nil, err
	}
	cp, err := ledger.ReadCheckpoint(string(raw))
	if err != nil {
		return nil, err
	}
	var hop *liaison.Hop
	err = v.FindAct(c, act, store.Meta, func(e *store.Entry) (err error) {
		if hop == nil && e.Index < cp.Size {
			hop, err = journal.Hop(v, c, e.Index, string(raw))
		}
		return err
	})
	if err != nil || hop == nil || ledger.VerifyInclusion(liaison.LeafHash(liaison.JCS(hop.Leaf)), hop.Index, cp.Size, hop.Path, cp.Root) != nil {
		return nil, err // an earlier generation may have gone on otherwise
	}
	return hop, nil
}
