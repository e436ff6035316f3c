package relay

import (
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/ledger"
	"pgregory.net/rapid"
)

// logOf makes a log of a neighbour, with acts and without a
// desk behind it.
func logOf(t *rapid.T, size int) (leaves []pageLeaf) {
	added := liaison.Instant(1_700_000_000_000_000)
	for i := range size {
		added += liaison.Instant(rapid.IntRange(1, 5).Draw(t, "step"))
		tr := &liaison.Travels{Act: liaison.Act{V: liaison.ActVersion, Office: tokyo, Collection: community, Commit: liaison.H([]byte{byte(i)}), Accepted: added}}
		leaf := liaison.Leaf{V: liaison.LeafVersion, Kind: liaison.KindObject, Act: tr.Act.Hash(), Added: added}
		leaves = append(leaves, pageLeaf{Leaf: liaison.JCS(leaf), Travels: tr})
	}
	return leaves
}

// TestEveryHopOfAVerifiedPageProvesItsLeaf: however a log is cut into pages,
// every item carries a proof under the page's checkpoint, and the position that
// is kept leads on after a restart.
func TestEveryHopOfAVerifiedPageProvesItsLeaf(t *testing.T) {
	origin := liaison.Origin{Office: tokyo, Collection: community, Generation: 1}
	keys := desktest.NewKeys(tokyo)
	rapid.Check(t, func(t *rapid.T) {
		leaves := logOf(t, rapid.IntRange(1, 40).Draw(t, "size"))
		kept := desk.Follow{Origin: origin}
		for from := 0; from < len(leaves); {
			to := min(len(leaves), from+rapid.IntRange(1, 9).Draw(t, "page"))
			at, err := readPosition(kept)
			if err != nil {
				t.Fatal(err)
			}
			head := ledger.Checkpoint{Origin: origin, Size: uint64(to), Root: ledger.Root(hashes(leaves[:to]))}
			v := &verifier{
				at: &at, page: &page{Collection: community, From: uint64(from), Leaves: leaves[from:to], Note: keys.SignCheckpoint(origin, head.Text())},
				keys: func(liaison.Office, liaison.Instant) [][]byte { return [][]byte{keys.LogKey()} }, now: desktest.Begin,
			}
			p, err := v.verify()
			if err != nil {
				t.Fatal(err)
			}
			p.cosigned(desktest.NewKeys(hq).Cosign(p.text, 1))
			for i, it := range p.items {
				h := it.Arrival.Hop
				if h.Index != uint64(from+i) || it.Arrival.Via != (liaison.Via{Origin: origin, Index: h.Index}) {
					t.Fatalf("leaf %d stands at %d", from+i, h.Index)
				}
				cp, note, err := ledger.OpenCheckpoint(h.Checkpoint, [][]byte{keys.LogKey()})
				if err != nil {
					t.Fatal(err)
				}
				if err := ledger.VerifyInclusion(liaison.LeafHash(liaison.JCS(&h.Leaf)), h.Index, cp.Size, h.Path, cp.Root); err != nil {
					t.Fatal(err)
				}
				witness := desktest.NewKeys(hq).Public(1)[1].Key
				if _, err := ledger.VerifyCosignature(note, hq.WitnessKey(), [][]byte{witness}); err != nil {
					t.Fatal(err)
				}
			}
			follow, err := p.next.follow(p.from)
			if err != nil {
				t.Fatal(err)
			}
			kept, from = *follow, to
		}
	})
}

func TestAPositionThatDoesNotFitIsNotFollowedFrom(t *testing.T) {
	var r ledger.Range
	r.Append(liaison.H([]byte("one")), liaison.H([]byte("two")), liaison.H([]byte("three")))
	b, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]desk.Follow{
		"empty":      {Size: 3},
		"cut":        {Size: 3, Range: b[:len(b)-1]},
		"other size": {Size: 5, Range: b},
		"too long":   {Size: 3, Range: append(b[:len(b):len(b)], 1, 2)},
	} {
		if _, err := readPosition(f); err == nil {
			t.Errorf("%s: a position was read", name)
		}
	}
	if p, err := readPosition(desk.Follow{Size: 3, Range: b}); err != nil || p.leaves.Size() != 3 || p.added != 0 {
		t.Errorf("a plain range: %v", err)
	}
}
