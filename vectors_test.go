package liaison_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
)

// vectors reads one group of testdata/vectors.json.
func vectors[T any](t testing.TB, group string) (v T) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]jsontext.Value
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file[group], &v, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("vectors.json: %s: %v", group, err)
	}
	return v
}

// node returns where Node is; a test that needs it is skipped elsewhere, never in CI.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal("CI has no node: the vectors are recomputed by no second program")
	default:
		t.Skip("node is not installed: the vectors are not recomputed by a second program")
	}
	return path
}

// The second program shares no code with this module and needs Node alone.
func TestASecondProgramFindsTheSameVectors(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), node(t), "tools/vectors/verify.mjs").CombinedOutput()
	if err != nil {
		t.Errorf("verify.mjs: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func TestTheSecondProgramNamesAChangedVector(t *testing.T) {
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	collection := vectors[[]struct{ ID string }](t, "collections")[1].ID
	broken := t.TempDir() + "/vectors.json"
	changed := strings.Replace(string(b), `"id": "`+collection, `"id": "0`+collection[1:], 1)
	if err := os.WriteFile(broken, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), node(t), "tools/vectors/verify.mjs", broken).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "collections/1 id") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCanonicalFormVectors(t *testing.T) {
	for i, v := range vectors[[]struct {
		Input, Canonical string
		H                liaison.Hash
	}](t, "jcs") {
		if got := string(liaison.JCS(jsontext.Value(v.Input))); got != v.Canonical || liaison.H([]byte(got)) != v.H {
			t.Errorf("%d: %s, want %s", i, got, v.Canonical)
		}
	}
}

func TestInstantVectors(t *testing.T) {
	for i, v := range vectors[[]struct {
		Microseconds int64
		Text         string
	}](t, "instants") {
		if got := liaison.Instant(v.Microseconds).String(); got != v.Text {
			t.Errorf("%d: %s, want %s", i, got, v.Text)
		}
		if got, err := liaison.ParseInstant(v.Text); err != nil || int64(got) != v.Microseconds {
			t.Errorf("%d: %d, %v, want %d", i, got, err, v.Microseconds)
		}
	}
}

func TestProgrammeVectors(t *testing.T) {
	for i, v := range vectors[[]struct {
		Object         jsontext.Value
		Unsigned       string
		Under, Genesis liaison.Hash
	}](t, "programmes") {
		p, err := liaison.ParseProgramme(v.Object)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		unsigned, _ := liaison.Unsigned(v.Object)
		under, _ := liaison.Under(v.Object)
		genesis, _ := liaison.GenesisOf(p, v.Object)
		if string(unsigned) != v.Unsigned || under != v.Under || genesis != v.Genesis {
			t.Errorf("%d: under %s, genesis %s, unsigned %s", i, under, genesis, unsigned)
		}
	}
}

func TestCollectionAndCommitVectors(t *testing.T) {
	for i, v := range vectors[[]struct {
		Genesis liaison.Hash
		Area    liaison.Area
		Epoch   uint32
		ID      liaison.CollectionID
	}](t, "collections") {
		if got := liaison.CollectionOf(v.Genesis, v.Area, v.Epoch); got != v.ID {
			t.Errorf("collection %d: %s, want %s", i, got, v.ID)
		}
	}
	for i, v := range vectors[[]struct {
		Salt   liaison.Hash
		Bytes  liaison.Binary
		Commit liaison.Hash
	}](t, "commits") {
		if got := liaison.Commit(v.Salt, v.Bytes); got != v.Commit {
			t.Errorf("commit %d: %s, want %s", i, got, v.Commit)
		}
	}
}

func TestActAndLeafVectors(t *testing.T) {
	for i, v := range vectors[[]struct {
		What string
		JCS  string
		Hash liaison.Hash
	}](t, "acts") {
		a, err := liaison.ParseAct([]byte(v.JCS))
		if err != nil || a.Hash() != v.Hash || string(liaison.JCS(a)) != v.JCS {
			t.Errorf("act %d %s: %v", i, v.What, err)
		}
	}
	for i, v := range vectors[[]struct {
		What string
		JCS  string
		Hash liaison.Hash
	}](t, "leaves") {
		l, err := liaison.ParseLeaf([]byte(v.JCS))
		if err != nil || liaison.LeafHash(liaison.JCS(l)) != v.Hash {
			t.Errorf("leaf %d %s: %v", i, v.What, err)
		}
	}
}

func TestSignedObjectVectors(t *testing.T) {
	for _, v := range vectors[[]struct {
		What, Schema, Unsigned, Text, Object string
		Lines                                []string
	}](t, "signed") {
		if err := parsers[v.Schema]([]byte(v.Object)); err != nil {
			t.Errorf("%s: %v", v.What, err)
		}
		text, lines, err := liaison.SignedText([]byte(v.Object))
		if err != nil || text != v.Text || strings.Join(lines, "\n") != strings.Join(v.Lines, "\n") {
			t.Errorf("%s: text %q, lines %q, %v", v.What, text, lines, err)
		}
		again, err := liaison.WithSignatures([]byte(v.Unsigned), v.Lines...)
		if err != nil || string(again) != v.Object {
			t.Errorf("%s: with signatures %s, %v", v.What, again, err)
		}
	}
}

func TestReceiptVectorsAreReadAndWrittenAlike(t *testing.T) {
	for _, v := range vectors[[]struct {
		What    string
		Receipt jsontext.Value
	}](t, "receipts") {
		r, err := liaison.ParseReceipt(v.Receipt)
		if err != nil {
			t.Fatalf("%s: %v", v.What, err)
		}
		if got, want := string(liaison.JCS(r)), string(liaison.JCS(v.Receipt)); got != want {
			t.Errorf("%s: written %s\nread %s", v.What, got, want)
		}
	}
}

// Every hash, signature and canonical line of the worked example stands in the
// vectors.
func TestTheSpecificationShowsNumbersOfTheVectors(t *testing.T) {
	doc, err := os.ReadFile("docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	file := strings.ReplaceAll(string(b), `\"`, `"`)
	shown := regexp.MustCompile("[A-Za-z0-9+/]{40,}=*|\\{\"ac.*\\}").FindAllString(string(doc), -1)
	if len(shown) < 15 {
		t.Errorf("the specification shows %d values", len(shown))
	}
	var receipts strings.Builder
	for _, v := range vectors[[]struct{ Receipt jsontext.Value }](t, "receipts") {
		receipts.Write(liaison.JCS(v.Receipt))
	}
	for _, s := range shown {
		if !strings.Contains(file, s) && !strings.Contains(receipts.String(), s) {
			t.Errorf("docs/formats.md shows %s, which is in no vector", s)
		}
	}
}
