package ledger_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/ledger"
)

// published returns a file of the published test vectors.
func published(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(corpora.Path(t, "corpora", "log", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lines decodes JSON lines.
func lines[T any](t *testing.T, b []byte) (out []T) {
	t.Helper()
	for line := range bytes.Lines(b) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%v in %.80s", err, line)
		}
		out = append(out, v)
	}
	return out
}

// proofVector is a Merkle proof case. Hashes stay bytes: some have a wrong length.
type proofVector struct {
	Case     string           `json:"case"`
	Kind     string           `json:"kind"`
	LeafHash liaison.Binary   `json:"leafHash"`
	LeafIdx  uint64           `json:"leafIdx"`
	TreeSize uint64           `json:"treeSize"`
	Start    uint64           `json:"start"`
	End      uint64           `json:"end"`
	Size1    uint64           `json:"size1"`
	Size2    uint64           `json:"size2"`
	Root     liaison.Binary   `json:"root"`
	Root1    liaison.Binary   `json:"root1"`
	Root2    liaison.Binary   `json:"root2"`
	Proof    []liaison.Binary `json:"proof"`
	WantErr  bool             `json:"wantErr"`
}

// verify runs a case. A subtree that starts at the first leaf is a tree.
func (v proofVector) verify() error {
	switch v.Kind {
	case "subtreeinclusion":
		v.TreeSize = v.End
		fallthrough
	case "inclusion":
		h, err := hashes(append([]liaison.Binary{v.LeafHash, v.Root}, v.Proof...))
		if err != nil {
			return err
		}
		return ledger.VerifyInclusion(h[0], v.LeafIdx, v.TreeSize, h[2:], h[1])
	}
	h, err := hashes(append([]liaison.Binary{v.Root1, v.Root2}, v.Proof...))
	if err != nil {
		return err
	}
	return ledger.VerifyConsistency(v.Size1, v.Size2, h[0], h[1], h[2:])
}

func hashes(in []liaison.Binary) ([]liaison.Hash, error) {
	out := make([]liaison.Hash, len(in))
	for i, b := range in {
		text, _ := b.MarshalText()
		if err := out[i].UnmarshalText(text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func TestPublishedMerkleProofsAgree(t *testing.T) {
	ran, others := map[string]int{}, 0
	for _, v := range lines[proofVector](t, published(t, "merkle-proofs.jsonl")) {
		if v.Kind == "subtreeconsistency" || v.Start != 0 {
			others++ // a subtree's own roots and proofs: no format here has them
			continue
		}
		ran[v.Kind]++
		if err := v.verify(); (err != nil) != v.WantErr {
			t.Errorf("%s: %v, want an error: %v", v.Case, err, v.WantErr)
		}
	}
	t.Logf("%v; %d cases of subtrees do not apply", ran, others)
}

func TestPublishedRootsAgree(t *testing.T) {
	var v struct {
		Inputs []string `json:"leaf_inputs_hex"`
		Roots  []string `json:"root_by_tree_size_hex"`
	}
	if err := json.Unmarshal(published(t, "rfc6962-roots.json"), &v); err != nil {
		t.Fatal(err)
	}
	var leaves []liaison.Hash
	for size, want := range v.Roots {
		if size > 0 {
			b, _ := hex.DecodeString(v.Inputs[size-1])
			leaves = append(leaves, liaison.LeafHash(b))
		}
		if root := ledger.Root(leaves); hex.EncodeToString(root[:]) != want {
			t.Errorf("size %d: root %x, want %s", size, root, want)
		}
	}
}

func TestPublishedSignedNoteVerifies(t *testing.T) {
	for _, v := range lines[struct {
		Key  string `json:"verifier_key"`
		Note string `json:"note"`
	}](t, published(t, "signed-notes.jsonl")) {
		name, key, err := ledger.ParseVKey(v.Key)
		if err != nil || ledger.VKey(name, key) != v.Key {
			t.Fatalf("%s: %v", v.Key, err)
		}
		n, err := ledger.ParseNote(v.Note)
		if err != nil || n.String() != v.Note {
			t.Fatalf("%q: %v", v.Note, err)
		}
		if s := n.Signatures[0]; s.Hash != ledger.ActKeyHash(name, key) || !ed25519Verify(key, n.Text, s.Sig) {
			t.Errorf("%q does not verify", v.Note)
		}
	}
}

func TestPublishedCanonicalFormsAgree(t *testing.T) {
	for _, v := range lines[struct {
		Case      string `json:"case"`
		Input     string `json:"input"`
		Canonical string `json:"canonical"`
	}](t, published(t, "jcs-cases.jsonl")) {
		if got := string(liaison.JCS(jsontext.Value(v.Input))); got != v.Canonical {
			t.Errorf("%s: %s, want %s", v.Case, got, v.Canonical)
		}
	}
}
