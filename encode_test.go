package liaison

import (
	"testing"
	"time"

	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

func anyHash() *rapid.Generator[Hash] {
	return rapid.Custom(func(t *rapid.T) (h Hash) {
		copy(h[:], rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "hash"))
		return h
	})
}

func anyInstant() *rapid.Generator[Instant] {
	return rapid.Custom(func(t *rapid.T) Instant {
		return InstantOf(time.Unix(rapid.Int64Range(-1e9, 1e11).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")))
	})
}

var anyText = rapid.OneOf(rapid.StringMatching(`[a-z.\-0-9]{0,40}`), rapid.String())

// TestWritingByHandIsWritingByTheRules: what the encoders write is what the
// general canonicalisation writes, for any value.
func TestWritingByHandIsWritingByTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return anyText.Draw(t, name) }
		via := &Via{Origin: Origin{Office: Office(text("via")), Collection: CollectionID{1}, Generation: rapid.Uint32().Draw(t, "g")}, Index: rapid.Uint64Range(0, 1<<53).Draw(t, "i")}
		if rapid.Bool().Draw(t, "here") {
			via = nil
		}
		var path []Hash
		for range rapid.IntRange(0, 3).Draw(t, "path") {
			path = append(path, anyHash().Draw(t, "node"))
		}
		values := []any{
			Act{
				V: text("v"), Office: Office(text("office")), Collection: CollectionOf(anyHash().Draw(t, "genesis"), "cyber", 1),
				Commit: anyHash().Draw(t, "commit"), Erases: anyHash().Draw(t, "erases"), By: stix.ID(text("by")), For: stix.ID(text("for")),
				Under: anyHash().Draw(t, "under"), Label: stix.TLP(rapid.IntRange(0, 5).Draw(t, "label")),
				Accepted: anyInstant().Draw(t, "accepted"), Consent: anyHash().Draw(t, "consent"),
			},
			Leaf{V: text("leaf v"), Kind: Kind(text("kind")), Act: anyHash().Draw(t, "act"), Added: anyInstant().Draw(t, "added"), Via: via},
			BatchProof{Index: rapid.Uint64Range(0, 1<<53).Draw(t, "index"), Size: 3, Path: path, Sig: rapid.SliceOf(rapid.Byte()).Draw(t, "sig")},
		}
		for _, v := range values {
			if a, b := string(JCS(v)), string(jcs(v)); a != b {
				t.Fatalf("%T by hand\n%s\nby the rules\n%s", v, a, b)
			}
		}
	})
}

func BenchmarkJCSOfAnAct(b *testing.B) {
	a := &Act{V: ActVersion, Office: "hq.example.org", Commit: Hash{1}, By: "identity--11111111-1111-4111-8111-111111111111", Under: Hash{2}, Label: stix.Green, Accepted: 1}
	for b.Loop() {
		JCS(a)
	}
}
