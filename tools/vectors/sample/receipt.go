package sample

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/stix"
)

// Delivery is an act on its way, with what a receipt is made of.
type Delivery struct {
	Act   *liaison.Act
	Batch liaison.BatchProof
	Salt  liaison.Hash
	Bytes []byte
	Logs  []*Log   // the offices' logs, the first door's first
	Index []uint64 // of the act's leaf in each
}

// noted is when the delivered act was accepted.
const noted = "2026-03-02T08:15:30.250000Z"

// Act returns an act of this alliance into an area of the partnership.
func (a *Alliance) Act(name string, area liaison.Area, accepted liaison.Instant) *liaison.Act {
	return &liaison.Act{
		V: liaison.ActVersion, Office: a.Seoul.Name, Collection: liaison.CollectionOf(a.Genesis, area, 1),
		Commit: liaison.Commit(Random("salt "+name), Note(name)), By: Northland,
		Under: UnderOf(a.First), Label: stix.Amber, Accepted: accepted,
	}
}

// Note returns the bytes of a STIX note.
func Note(name string) []byte {
	return liaison.JCS(map[string]any{
		"type": "note", "spec_version": "2.1", "id": ID("note", name), "created_by_ref": Northland,
		"created": "2026-03-02T08:15:00.000Z", "modified": "2026-03-02T08:15:00.000Z",
		"object_marking_refs": []stix.ID{stix.Amber.Marking()},
		"content":             name, "object_refs": []stix.ID{Northland},
	})
}

// Deliver sends an act of the embassy for Northland from seoul through tokyo
// to hq, among other acts of the same collection.
func (a *Alliance) Deliver() *Delivery {
	act := a.Act("delivered", "disinformation", At(noted))
	act.By, act.For = Embassy, Northland
	act.Approved = &liaison.Approval{By: Embassy, At: At(noted).Add(-time.Minute)}
	beside := a.Act("beside", "disinformation", At(noted).Add(time.Microsecond))
	d := &Delivery{
		Act: act, Batch: a.Seoul.Batch(act, beside)[0],
		Salt: Random("salt delivered"), Bytes: Note("delivered"),
	}
	seoul, tokyo, hq := a.Seoul.Open(act.Collection), a.Tokyo.Open(act.Collection), a.HQ.Open(act.Collection)
	for i, l := range []*Log{seoul, tokyo, hq} {
		a.fill(l, i+2)
	}
	d.Logs = []*Log{seoul, tokyo, hq}
	d.Index = append(d.Index, seoul.Append(liaison.Leaf{Kind: liaison.KindObject, Act: act.Hash(), Added: act.Accepted}))
	seoul.Append(liaison.Leaf{Kind: liaison.KindObject, Act: beside.Hash(), Added: beside.Accepted})
	for i, l := range d.Logs[1:] {
		added := act.Accepted.Add(time.Duration(i+1) * 140 * time.Millisecond)
		d.Index = append(d.Index, l.Relay(d.Logs[i], d.Index[i], added))
	}
	a.fill(hq, 2)
	return d
}

// fill appends n leaves of earlier or later acts.
func (a *Alliance) fill(l *Log, n int) {
	added := At("2026-03-01T00:00:00.000000Z")
	if len(l.Leaves) > 0 {
		added = l.Leaves[len(l.Leaves)-1].Added
	}
	for range n {
		added = added.Add(time.Second)
		act := a.Act(fmt.Sprintf("%s %d", l.Origin, len(l.Leaves)), "disinformation", added)
		l.Append(liaison.Leaf{Kind: liaison.KindObject, Act: act.Hash(), Added: added})
	}
}

// Receipt returns the receipt of a delivery over its first hops.
func (a *Alliance) Receipt(d *Delivery, hops int) *liaison.Receipt {
	r := &liaison.Receipt{
		V: liaison.ReceiptVersion, Act: *d.Act, Batch: d.Batch, Programme: a.First,
		Keys:   liaison.Keys{Authority: a.AuthorityObject},
		Object: &liaison.Sealed{Salt: d.Salt, Bytes: d.Bytes},
	}
	for i, l := range d.Logs[:hops] {
		r.Keys.Offices = append(r.Keys.Offices, jsontext.Value(l.Office.Object))
		r.Hops = append(r.Hops, l.Hop(d.Index[i], beside(d.Logs[:hops], i)...))
	}
	return r
}

// beside returns the offices before and after on the way.
func beside(logs []*Log, i int) (out []*Office) {
	for _, j := range []int{i - 1, i + 1} {
		if j >= 0 && j < len(logs) {
			out = append(out, logs[j].Office)
		}
	}
	return out
}

// DirectedReceipt returns the receipt of an act under the directed programme,
// alone in its log at seoul, without cosignature and without the object.
func (a *Alliance) DirectedReceipt() *liaison.Receipt {
	act := a.Act("directed", "cyber", At("2026-03-03T12:00:00.000001Z"))
	act.By, act.Label, act.Under = Embassy, stix.Red, UnderOf(a.Directed)
	act.Collection = liaison.CollectionOf(act.Under, "cyber", 1)
	l := a.Seoul.Open(act.Collection)
	l.Append(liaison.Leaf{Kind: liaison.KindObject, Act: act.Hash(), Added: act.Accepted})
	return &liaison.Receipt{
		V: liaison.ReceiptVersion, Act: *act, Batch: a.Seoul.Batch(act)[0], Hops: []liaison.Hop{l.Hop(0)},
		Keys:      liaison.Keys{Authority: a.AuthorityObject, Offices: []jsontext.Value{a.Seoul.Object}},
		Programme: a.Directed,
	}
}

// lone returns the receipt of an act under a version of the partnership, alone
// in its log at seoul.
func (a *Alliance) lone(name string, act *liaison.Act, programme, object []byte) *liaison.Receipt {
	salt := Random("salt " + name)
	act.Commit = liaison.Commit(salt, object)
	act.Under = UnderOf(programme)
	l := a.Seoul.Open(act.Collection)
	l.Append(liaison.Leaf{Kind: liaison.KindObject, Act: act.Hash(), Added: act.Accepted})
	return &liaison.Receipt{
		V: liaison.ReceiptVersion, Act: *act, Batch: a.Seoul.Batch(act)[0], Hops: []liaison.Hop{l.Hop(0)},
		Keys:      liaison.Keys{Authority: a.AuthorityObject, Offices: []jsontext.Value{a.Seoul.Object}},
		Programme: programme, Object: &liaison.Sealed{Salt: salt, Bytes: object},
	}
}

// NewEpochReceipt returns the receipt of an act in the second epoch.
func (a *Alliance) NewEpochReceipt() *liaison.Receipt {
	act := a.Act("in the new epoch", "cyber", At("2026-07-01T00:00:00.000000Z"))
	act.Collection = liaison.CollectionOf(a.Genesis, "cyber", 2)
	return a.lone("in the new epoch", act, a.Second, Note("in the new epoch"))
}

// WithdrawalReceipt returns the receipt of an act that withdraws a note of the
// first epoch, after the second has opened.
func (a *Alliance) WithdrawalReceipt() *liaison.Receipt {
	withdrawn := liaison.JCS(map[string]any{
		"type": "note", "spec_version": "2.1", "id": ID("note", "delivered"), "created_by_ref": Northland, "revoked": true,
		"created": "2026-03-02T08:15:00.000Z", "modified": "2026-07-02T09:00:00.000Z",
		"object_marking_refs": []stix.ID{stix.Amber.Marking()},
		"content":             "delivered", "object_refs": []stix.ID{Northland},
	})
	act := a.Act("withdrawn", "disinformation", At("2026-07-02T09:00:01.000000Z"))
	return a.lone("withdrawn", act, a.Second, withdrawn)
}

// AmendmentReceipts returns the receipts of the entries that bring the second
// version before it is in force: in the charter that it closes, under the first
// version, and in the one that it opens, under itself.
func (a *Alliance) AmendmentReceipts() (closed, opened *liaison.Receipt) {
	entry := func(name string, epoch uint32, under []byte, at string) *liaison.Receipt {
		act := a.Act(name, liaison.Charter, At(at))
		act.Collection, act.Label = liaison.CollectionOf(a.Genesis, liaison.Charter, epoch), stix.AmberStrict
		return a.lone(name, act, under, a.Second)
	}
	return entry("amendment", 1, a.First, "2026-06-25T10:00:00.000000Z"), entry("amendment again", 2, a.Second, "2026-06-25T10:00:00.100000Z")
}
