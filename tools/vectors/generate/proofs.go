package main

import (
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/tools/vectors/sample"
)

// nine is tokyo's second log, with the nine named leaves.
func (w *world) nine() *sample.Log {
	l := w.open(w.Tokyo)
	l.Origin.Generation = 2
	_, leaves := w.namedLeaves()
	for _, leaf := range leaves {
		l.Append(leaf)
	}
	return l
}

func (w *world) log() logVector {
	l := w.nine()
	hashes := l.Hashes()
	out := logVector{Origin: l.Origin}
	for i := range l.Leaves {
		out.Leaves = append(out.Leaves, string(liaison.JCS(&l.Leaves[i])))
	}
	for size := range uint64(len(hashes) + 1) {
		var r ledger.Range
		r.Append(hashes[:size]...)
		b, err := r.MarshalBinary()
		must(err)
		out.Roots, out.Ranges = append(out.Roots, ledger.Root(hashes[:size])), append(out.Ranges, b)
		for index := range size {
			out.Inclusion = append(out.Inclusion, inclusionVector{index, size, ledger.Path(hashes[:size], index)})
		}
		for size1 := uint64(1); size1 <= size; size1++ {
			out.Consistency = append(out.Consistency, consistencyVector{size1, size, ledger.Consistency(hashes[:size], size1)})
		}
	}
	return out
}

func (w *world) checkpoints() []checkpointVector {
	empty := &sample.Log{Office: w.Seoul, Origin: w.open(w.Seoul).Origin}
	d := w.Deliver()
	return []checkpointVector{
		checkpoint(empty),
		checkpoint(d.Logs[0], w.Tokyo),
		checkpoint(d.Logs[1], w.Seoul, w.HQ),
	}
}

func checkpoint(l *sample.Log, cosigners ...*sample.Office) checkpointVector {
	c := l.Checkpoint()
	v := checkpointVector{Origin: c.Origin, Size: c.Size, Root: c.Root, Text: c.Text(), Key: c.Origin.String()}
	n := l.Note(cosigners...)
	for i, o := range cosigners {
		s := n.Signatures[i+1]
		t, err := ledger.VerifyCosignature(n, o.Witness.Name, [][]byte{o.Witness.Public()})
		must(err)
		v.Cosignatures = append(v.Cosignatures, cosignatureVector{
			Key: o.Witness.Name, Time: t, Message: string(ledger.CosignatureMessage(c.Text(), t)), Line: s.String(),
		})
	}
	v.Note = n.String()
	return v
}

// signed has one control object of each type, and one object that too few, and
// one that the wrong keys signed.
func (w *world) signed() (out []signedVector) {
	at := sample.At("2025-12-01T00:00:00.000000Z")
	route := liaison.JCS(liaison.NewRoute(sample.ID("route", "seoul"), w.Seoul.Name, []liaison.Office{w.Tokyo.Name}, at))
	party := liaison.NewPartyObject(sample.Embassy, "Embassy of Northland in Seoul", "organization", liaison.PartyExtension{
		Kind: liaison.PartyMember, ServedBy: w.Seoul.Name,
	}, at)
	north := liaison.NewPartyObject(sample.Northland, "Ministry of Northland", "organization", liaison.PartyExtension{
		Kind: liaison.PartyMember, ServedBy: w.HQ.Name,
		ActsAt: []liaison.ActsAt{{Party: sample.Embassy, Office: w.Seoul.Name, From: at, Until: sample.At("2028-12-01T00:00:00.000000Z")}},
	}, at)
	k := w.AuthorityKeys
	add := func(what, schema string, object []byte, keys ...sample.Key) {
		out = append(out, w.signedVector(what, schema, object, keys))
	}
	add("an authority", "authority", w.AuthorityObject, k[0], k[1])
	add("an office", "office", w.Tokyo.Object, k[1], k[2])
	add("a route", "route", route, k[2], k[0])
	add("a programme", "programme", w.First, k[0], k[1], k[2])
	add("a party", "party", party, k[0], k[1])
	add("a party for which another acts", "party", north, k[0], k[1])
	add("an identity with no other extension", "signed", liaison.JCS(map[string]string{
		"type": "identity", "id": string(sample.Eastland), "name": "Ministry of Eastland",
	}), k[0], k[1])
	add("by one key", "route", route, k[1])
	add("by one key of the authority and one that is not", "route", route, k[1], w.Tokyo.Act)
	return out
}

func (w *world) signedVector(what, schema string, object []byte, keys []sample.Key) signedVector {
	unsigned, err := liaison.Unsigned(object)
	must(err)
	signed := sample.SignObject(unsigned, keys...)
	text, lines, err := liaison.SignedText(signed)
	must(err)
	v := signedVector{
		What: what, Schema: schema, Unsigned: string(unsigned), Text: text, Lines: lines, Object: string(signed),
		Pin: w.Pin.String(), Verifies: w.Pin.Verify(signed) == nil,
	}
	for _, k := range keys {
		v.Keys = append(v.Keys, k.Name)
	}
	return v
}

func (w *world) evidence() (out []evidenceVector) {
	for _, verdict := range []liaison.Verdict{liaison.VerdictHeld, liaison.VerdictRefused} {
		e := liaison.Evidence{
			V: liaison.EvidenceVersion, Act: w.Deliver().Act.Hash(), Office: w.Tokyo.Name, Verdict: verdict,
			Rule: "programme.area", At: sample.At("2026-03-02T08:15:31.000000Z"),
		}
		text := liaison.EvidenceText(&e)
		signed := liaison.SignedEvidence{Evidence: e, Sig: w.Tokyo.Act.Sign(text).Bytes()}
		out = append(out, evidenceVector{signed, text, w.Tokyo.Act.Name})
	}
	return out
}

func (w *world) pins() []pinVector {
	return []pinVector{{w.Pin.String(), w.Pin.Keys, w.Pin.Threshold}}
}

func (w *world) travels() []travelsVector {
	d := w.Deliver()
	full := liaison.Travels{
		Act: *d.Act, Batch: d.Batch, Salt: d.Salt, Bytes: d.Bytes, Hops: w.Receipt(d, 2).Hops,
	}
	erased := full
	erased.Salt, erased.Bytes, erased.Hops = liaison.Hash{}, nil, []liaison.Hop{}
	return []travelsVector{{"with its object", full}, {"after erasure", erased}}
}

func (w *world) receipts() []receiptVector {
	d := w.Deliver()
	bare := w.Receipt(d, 1)
	bare.Object, bare.Keys.Authority = nil, nil
	closed, opened := w.AmendmentReceipts()
	return []receiptVector{
		w.receipt("three hops, with the object", w.Receipt(d, 3)),
		w.receipt("one hop, without object and authority", bare),
		w.receipt("a directed programme, signed by an office", w.DirectedReceipt()),
		w.receipt("in the second epoch, under the version that opened it", w.NewEpochReceipt()),
		w.receipt("a withdrawal in the first epoch, under the second version", w.WithdrawalReceipt()),
		w.receipt("an amendment in the charter that it closes, under the version before", closed),
		w.receipt("an amendment in the charter that it opens, under itself", opened),
	}
}

func (w *world) receipt(what string, r *liaison.Receipt) receiptVector {
	rep, err := ledger.VerifyReceipt(r, w.Pin)
	must(err)
	v := receiptVector{What: what, Pin: w.Pin.String(), Receipt: *r, Report: reportVector{
		Act: rep.Act, Area: rep.Area, Epoch: rep.Epoch, ProgrammeBy: rep.ProgrammeBy, Object: rep.Object,
	}}
	for _, h := range rep.Hops {
		hop := hopVector{Office: h.Office, Kind: h.Kind, Index: h.Index, Size: h.Size, Added: h.Added}
		for _, c := range h.Cosigned {
			hop.Cosigned = append(hop.Cosigned, cosignedByAtSec{c.Office, c.Time})
		}
		v.Report.Hops = append(v.Report.Hops, hop)
	}
	return v
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
