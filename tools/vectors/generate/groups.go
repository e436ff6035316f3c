package main

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/tools/vectors/sample"
)

// world makes the groups of vectors.
type world struct {
	*sample.Alliance
}

const (
	cyber          liaison.Area = "cyber"
	disinformation liaison.Area = "disinformation"
)

func (w *world) keys() (out []keyVector) {
	keys := w.AuthorityKeys[:]
	for _, o := range []*sample.Office{w.HQ, w.Tokyo, w.Seoul} {
		keys = append(keys, o.Act, o.Log.As(w.open(o).Origin.String()))
		if o == w.Seoul {
			directed := liaison.CollectionOf(sample.UnderOf(w.Directed), cyber, 1)
			keys = append(keys, o.Log.As(o.Open(directed).Origin.String()))
			for _, c := range []liaison.CollectionID{
				liaison.CollectionOf(w.Genesis, cyber, 2),
				liaison.CollectionOf(w.Genesis, liaison.Charter, 1), liaison.CollectionOf(w.Genesis, liaison.Charter, 2),
			} {
				keys = append(keys, o.Log.As(o.Open(c).Origin.String()))
			}
		}
	}
	for _, k := range keys {
		out = append(out, keyVector{
			Name: k.Name, Type: "note", Seed: k.Seed(), Public: k.Public(),
			Hash: fmt.Sprintf("%08x", ledger.LogKeyHash(k.Name, k.Public())), VKey: ledger.VKey(k.Name, k.Public()),
		})
	}
	for _, o := range []*sample.Office{w.HQ, w.Tokyo, w.Seoul} {
		k := o.Witness
		out = append(out, keyVector{
			Name: k.Name, Type: "cosignature", Seed: k.Seed(), Public: k.Public(),
			Hash: fmt.Sprintf("%08x", ledger.WitnessKeyHash(k.Name, k.Public())), VKey: ledger.WitnessVKey(k.Name, k.Public()),
		})
	}
	return out
}

// open returns an office's empty log of the collection the vectors are about.
func (w *world) open(o *sample.Office) *sample.Log {
	return o.Open(liaison.CollectionOf(w.Genesis, disinformation, 1))
}

// canonicals are texts a control object could be written as.
func canonicals() (out []jcsVector) {
	for _, in := range []string{
		`{ "b" : [ ], "a" : { } , "A" : true }`,
		`{"\uE000":1,"\uD83D\uDE00":2,"é":3,"e":4,"":5}`,
		`["\u0041\/\u2028\u007F\u0007\b\f\n\r\t\"\\","\u0416\u672C","\uD834\uDD1E"]`,
		`[0,-0,7,10.0,2e3,-1.50,9007199254740991,-9007199254740991,0.000001,1e-7]`,
		"\t{\"z\":{\"10\":1,\"9\":2,\"1\":3},\n\"y\":[false,[[]]]}\r\n",
	} {
		v := jsontext.Value(in)
		must(v.Canonicalize())
		out = append(out, jcsVector{Input: in, Canonical: string(v), H: liaison.H(v)})
	}
	return out
}

func instants() (out []instantVector) {
	for _, us := range []int64{1, -1, 1767225600000000, 1772439330250000, 951782399999999, 4102444800000001} {
		out = append(out, instantVector{Microseconds: us, Text: liaison.Instant(us).String()})
	}
	return out
}

func (w *world) programmes() (out []programmeVector) {
	for _, b := range [][]byte{w.First, w.Second, w.Directed} {
		p, err := liaison.ParseProgramme(b)
		must(err)
		unsigned, err := liaison.Unsigned(b)
		must(err)
		genesis, err := liaison.GenesisOf(p, b)
		must(err)
		out = append(out, programmeVector{Object: b, Unsigned: string(unsigned), Under: sample.UnderOf(b), Genesis: genesis})
	}
	return out
}

func (w *world) collections() (out []collectionVector) {
	for _, area := range []liaison.Area{liaison.Charter, cyber, disinformation} {
		for _, epoch := range []uint32{1, 2, 258} {
			out = append(out, collectionVector{w.Genesis, area, epoch, liaison.CollectionOf(w.Genesis, area, epoch)})
		}
	}
	return out
}

func commits() (out []commitVector) {
	for _, b := range [][]byte{{}, []byte("{}"), sample.Note("delivered"), []byte(`{"type":"note","content":"нотатка · 覚書"}`)} {
		salt := sample.Random(fmt.Sprintf("salt %d", len(out)))
		out = append(out, commitVector{salt, b, liaison.Commit(salt, b)})
	}
	return out
}

// namedActs are acts with every optional member, alone and together.
func (w *world) namedActs() (whats []string, acts []*liaison.Act) {
	at := sample.At("2026-03-02T08:15:30.000001Z")
	add := func(what string, change func(a *liaison.Act)) {
		a := w.Act(what, disinformation, at.Add(time.Duration(len(acts))*time.Millisecond))
		change(a)
		whats, acts = append(whats, what), append(acts, a)
	}
	add("plain", func(*liaison.Act) {})
	add("for another party", func(a *liaison.Act) { a.By, a.For = sample.Embassy, sample.Northland })
	add("approved by a second person", func(a *liaison.Act) {
		a.Approved = &liaison.Approval{By: sample.Northland, At: a.Accepted.Add(-time.Minute)}
	})
	add("with another party's consent", func(a *liaison.Act) { a.Consent = sample.Random("consent") })
	add("for, approved and with consent", func(a *liaison.Act) {
		a.By, a.For = sample.Embassy, sample.Northland
		a.Approved = &liaison.Approval{By: sample.Embassy, At: a.Accepted.Add(-time.Second)}
		a.Consent = sample.Random("another consent")
	})
	add("erases the first", func(a *liaison.Act) {
		a.Commit, a.Label, a.Erases = liaison.Hash{}, stix.Unmarked, acts[0].Hash()
	})
	add("under the second version, in the second epoch", func(a *liaison.Act) {
		a.Under, a.Collection = sample.UnderOf(w.Second), liaison.CollectionOf(w.Genesis, disinformation, 2)
		a.Accepted, a.Label = sample.At("2026-07-01T00:00:00.000000Z"), stix.AmberStrict
	})
	return whats, acts
}

func (w *world) acts() (out []actVector) {
	whats, acts := w.namedActs()
	for i, a := range acts {
		out = append(out, actVector{whats[i], *a, string(liaison.JCS(a)), a.Hash()})
	}
	return out
}

func (w *world) batches() (out []batchVector) {
	for _, size := range []int{1, 2, 3, 7} {
		acts := make([]*liaison.Act, size)
		hashes := make([]liaison.Hash, size)
		for i := range acts {
			acts[i] = w.Act(fmt.Sprintf("batch %d of %d", i, size), cyber, sample.At("2026-03-04T00:00:00.000000Z")+liaison.Instant(i))
			hashes[i] = acts[i].Hash()
		}
		c, root := acts[0].Collection, ledger.Root(hashes)
		out = append(out, batchVector{
			Office: w.Seoul.Name, Collection: c, Acts: hashes, Root: root, Key: w.Seoul.Act.Name,
			Text: liaison.BatchText(w.Seoul.Name, c, uint64(size), root), Proofs: w.Seoul.Batch(acts...),
		})
	}
	return out
}

// namedLeaves has a leaf of every kind, as one log could have them in order.
func (w *world) namedLeaves() (whats []string, leaves []liaison.Leaf) {
	_, acts := w.namedActs()
	seoul := w.open(w.Seoul).Origin
	prev := w.open(w.Tokyo).Origin
	at := sample.At("2026-03-05T06:00:00.000000Z")
	add := func(what string, l liaison.Leaf) {
		l.V, l.Added = liaison.LeafVersion, at.Add(time.Duration(len(leaves))*time.Second)
		whats, leaves = append(whats, what), append(leaves, l)
	}
	via := func(i uint64) *liaison.Via { return &liaison.Via{Origin: seoul, Index: i} }
	add("a new generation opens", liaison.Leaf{Kind: liaison.KindOpened, Prev: &liaison.Head{Origin: prev, Size: 41, Root: sample.Random("root")}})
	add("an object at its first door", liaison.Leaf{Kind: liaison.KindObject, Act: acts[0].Hash()})
	add("an object by relay", liaison.Leaf{Kind: liaison.KindObject, Act: acts[1].Hash(), Via: via(17)})
	add("another act for an object that is here", liaison.Leaf{Kind: liaison.KindAgain, Act: acts[2].Hash(), Via: via(18)})
	add("the identity of another object that is here", liaison.Leaf{Kind: liaison.KindConflict, Act: acts[3].Hash(), Via: via(19)})
	add("an erasure", liaison.Leaf{Kind: liaison.KindErasure, Act: acts[5].Hash(), Via: via(20)})
	add("a deadline at which two acts count", liaison.Leaf{Kind: liaison.KindClosed, Act: acts[1].Hash(), Counts: []liaison.Count{
		{Party: sample.Northland, Acts: []liaison.Hash{acts[2].Hash(), acts[3].Hash()}}, {Party: sample.Eastland, Acts: []liaison.Hash{}},
	}})
	add("a deadline for no party", liaison.Leaf{Kind: liaison.KindClosed, Act: acts[4].Hash(), Counts: []liaison.Count{}})
	add("an object by relay, from the first leaf", liaison.Leaf{Kind: liaison.KindObject, Act: acts[6].Hash(), Via: via(0)})
	return whats, leaves
}

func (w *world) leaves() (out []leafVector) {
	whats, leaves := w.namedLeaves()
	for i, l := range leaves {
		b := liaison.JCS(&l)
		out = append(out, leafVector{whats[i], l, string(b), liaison.LeafHash(b)})
	}
	return out
}
