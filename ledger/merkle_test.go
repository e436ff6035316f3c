package ledger_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func someLeaves(n int) []liaison.Hash {
	out := make([]liaison.Hash, n)
	for i := range out {
		out[i] = liaison.LeafHash(binary.BigEndian.AppendUint32(nil, uint32(i)))
	}
	return out
}

func raw(hashes []liaison.Hash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

// otherRoot is the root as transparency-dev/merkle computes it.
func otherRoot(leaves []liaison.Hash) (h liaison.Hash) {
	if len(leaves) == 0 {
		return liaison.Hash(rfc6962.DefaultHasher.EmptyRoot())
	}
	r := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for _, l := range leaves {
		if err := r.Append(l[:], nil); err != nil {
			panic(err)
		}
	}
	b, err := r.GetRootHash(nil)
	if err != nil {
		panic(err)
	}
	return liaison.Hash(b)
}

func TestOurTreesAreEverybodysTrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "size")
		leaves := someLeaves(n)
		root := ledger.Root(leaves)
		if root != otherRoot(leaves) {
			t.Fatalf("size %d: root %s", n, root)
		}
		i := rapid.IntRange(0, n-1).Draw(t, "index")
		path := ledger.Path(leaves, uint64(i))
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(i), uint64(n), leaves[i][:], raw(path), root[:]); err != nil {
			t.Fatalf("they refuse our path: %v", err)
		}
		if err := ledger.VerifyInclusion(leaves[i], uint64(i), uint64(n), path, root); err != nil {
			t.Fatal(err)
		}
		m := rapid.IntRange(1, n).Draw(t, "old size")
		old, p := ledger.Root(leaves[:m]), ledger.Consistency(leaves, uint64(m))
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(m), uint64(n), raw(p), old[:], root[:]); err != nil {
			t.Fatalf("they refuse our consistency proof: %v", err)
		}
		if err := ledger.VerifyConsistency(uint64(m), uint64(n), old, root, p); err != nil {
			t.Fatal(err)
		}
	})
}

// Any change of a proof, a root or a number is refused, by us and by them.
func TestWrongProofsAreRefusedAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(0, 40).Draw(t, "size")
		i := rapid.Uint64Range(0, 40).Draw(t, "index")
		leaves := someLeaves(41)
		path := ledger.Path(leaves[:rapid.IntRange(0, 40).Draw(t, "path of")], rapid.Uint64Range(0, 40).Draw(t, "path to"))
		root := ledger.Root(leaves[:n])
		ours := ledger.VerifyInclusion(leaves[i], i, n, path, root)
		theirs := proof.VerifyInclusion(rfc6962.DefaultHasher, i, n, leaves[i][:], raw(path), root[:])
		if (ours == nil) != (theirs == nil) {
			t.Fatalf("inclusion: ours %v, theirs %v", ours, theirs)
		}
		m := rapid.Uint64Range(1, 40).Draw(t, "old size")
		grown := ledger.Consistency(leaves[:rapid.IntRange(0, 40).Draw(t, "proof of")], rapid.Uint64Range(0, 40).Draw(t, "proof from"))
		old := ledger.Root(leaves[:m])
		ours = ledger.VerifyConsistency(m, n, old, root, grown)
		theirs = proof.VerifyConsistency(rfc6962.DefaultHasher, m, n, raw(grown), old[:], root[:])
		if (ours == nil) != (theirs == nil) {
			t.Fatalf("consistency: ours %v, theirs %v", ours, theirs)
		}
	})
}

func TestARangeGrowsLikeTheWholeTree(t *testing.T) {
	leaves := someLeaves(600)
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.IntRange(0, 300).Draw(t, "known")
		b := a + rapid.IntRange(0, 300).Draw(t, "new")
		var r ledger.Range
		r.Append(leaves[:a]...)
		root, paths := r.Paths(leaves[a:b])
		if root != ledger.Root(leaves[:b]) || len(paths) != b-a || r.Size() != uint64(a) {
			t.Fatalf("from %d to %d: root %s, %d paths, size %d", a, b, root, len(paths), r.Size())
		}
		for i, p := range paths {
			if !slices.Equal(p, ledger.Path(leaves[:b], uint64(a+i))) {
				t.Fatalf("from %d to %d: path of %d differs", a, b, a+i)
			}
		}
		again := reloaded(t, &r)
		again.Append(leaves[a:b]...)
		if again.Root() != root || again.Size() != uint64(b) {
			t.Fatalf("from %d to %d: appended root %s, paths' root %s", a, b, again.Root(), root)
		}
	})
}

func reloaded(t *rapid.T, r *ledger.Range) *ledger.Range {
	b, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var out ledger.Range
	if err := out.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if c, _ := out.MarshalBinary(); string(c) != string(b) {
		t.Fatalf("%x was read as %x", b, c)
	}
	return &out
}

func TestARangeOfTheWrongLengthIsRefused(t *testing.T) {
	for _, b := range [][]byte{{}, make([]byte, 7), make([]byte, 9), binary.BigEndian.AppendUint64(nil, 1), append(binary.BigEndian.AppendUint64(nil, 1<<60), make([]byte, 32)...)} {
		if err := new(ledger.Range).UnmarshalBinary(b); err == nil {
			t.Errorf("%x was read", b)
		}
	}
}

// A journal stores its hashes by golang.org/x/mod/sumdb/tlog: the same tree.
func TestATlogTreeIsTheSame(t *testing.T) {
	leaves := someLeaves(70)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i := range at {
			out[i] = stored[at[i]]
		}
		return out, nil
	})
	for i, l := range leaves {
		h, err := tlog.StoredHashesForRecordHash(int64(i), tlog.Hash(l), reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, h...)
		root, err := tlog.TreeHash(int64(i+1), reader)
		if err != nil || liaison.Hash(root) != ledger.Root(leaves[:i+1]) {
			t.Errorf("size %d: %v %v", i+1, root, err)
		}
	}
}

func BenchmarkPaths(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			leaves := someLeaves(n + 12345)
			var r ledger.Range
			r.Append(leaves[:12345]...)
			b.ReportAllocs()
			for b.Loop() {
				r.Paths(leaves[12345:])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/leaf")
		})
	}
}

// A rewritten log is refused whatever was rewritten: the old root, the new
// root, or a hash of the proof.
func TestARewrittenLogIsRefused(t *testing.T) {
	leaves := someLeaves(20)
	for n := uint64(1); n <= 20; n++ {
		for m := uint64(1); m <= n; m++ {
			old, root, p := ledger.Root(leaves[:m]), ledger.Root(leaves[:n]), ledger.Consistency(leaves[:n], m)
			if err := ledger.VerifyConsistency(m, n, old, root, p); err != nil {
				t.Fatalf("%d to %d: %v", m, n, err)
			}
			other := liaison.H([]byte("other"))
			if ledger.VerifyConsistency(m, n, other, root, p) == nil || ledger.VerifyConsistency(m, n, old, other, p) == nil {
				t.Errorf("%d to %d: another root passes", m, n)
			}
			for i := range p {
				q := slices.Clone(p)
				q[i] = other
				if ledger.VerifyConsistency(m, n, old, root, q) == nil {
					t.Errorf("%d to %d: another hash %d of the proof passes", m, n, i)
				}
			}
		}
	}
}
