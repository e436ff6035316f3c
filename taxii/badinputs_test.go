package taxii_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/taxii"
)

// badInput is a line of the catalogue of malformed and hostile input that the
// environment variable LIAISON_CORPORA, or ../shared beside the repository,
// leads to.
type badInput struct {
	N      int    `json:"n"`
	Level  string `json:"level"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Input  string `json:"input"`
	Expect string `json:"expect"`
}

func badInputs(t *testing.T) (all []badInput) {
	t.Helper()
	b, err := os.ReadFile(corpora.Path(t, "bad-inputs.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var c badInput
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// asked are the cases of the catalogue that one request expresses, by number:
// the request and the statuses that meet what is expected. Cases of headers and
// bodies that take more than a request have tests of their own, named here.
var asked = map[int]struct {
	request string
	line    string
	status  []int
}{
	89:  {objectsOf, "Accept: application/taxii+json;version=9.9", []int{406}},
	98:  {objectsOf + "?match[id]=" + strings.Repeat("a", 64<<10), "", []int{414}},
	100: {"PUT /taxii2/root/collections/" + cyber + "/objects/", "X-HTTP-Method-Override: DELETE", []int{405}},
	101: {"GET /taxii2/", "Host: evil.example", []int{200}},
	102: {objectsOf, "X-Forwarded-For: 127.0.0.1", []int{200}},
	108: {objectsOf + "?limit=1000000000", "", []int{200}},
	109: {objectsOf + "?limit=abc", "", []int{400}},
	110: {objectsOf + "?limit=1&limit=100", "", []int{400}},
	112: {objectsOf + "?added_after=2026-01-01T00:00:00%2B09:00", "", []int{400}},
	113: {objectsOf + "?added_after=2999-01-01T00:00:00Z", "", []int{200}},
	115: {objectsOf + "?next=AAAA", "", []int{400}},
	122: {objectsOf + "?match[id]=" + strings.Repeat("a,", 9999) + "a", "", []int{400, 414}},
	126: {objectsOf + "?match[type]=a'%20OR%201=1--", "", []int{200}},
	127: {objectsOf + "?match[foo]=x", "", []int{200}},
	128: {objectsOf + "?order=password%20desc", "", []int{200}},
	131: {"GET /taxii2/root/collections/" + secret + "/", "", []int{404}},
	133: {"DELETE /taxii2/root/collections/" + secret + "/objects/" + noteID(1) + "/", "", []int{404}},
	134: {"GET /taxii2/root/collections/CYBER/", "", []int{404}},
	164: {"GET /taxii2/root/collections/", "Authorization: none", []int{401}},
	176: {"GET /taxii2/root/collections/" + secret + "/", "X-Remote-User: marko", []int{404}},
	180: {"GET /taxii2/root/collections/" + secret + "/?user_id=marko", "X-User: marko", []int{404}},
}

// elsewhere are cases that whole tests keep.
var elsewhere = map[int]string{
	86:  "TestA8A9ContentTypeIsReadAsAMediaType",
	90:  "TestALyingLengthSmugglesNothing",
	91:  "TestALyingLengthSmugglesNothing",
	92:  "TestB5AChunkedBodyOverTheLimitEndsTheConnection",
	93:  "TestAGzipBombCostsNoMoreThanTheLimit",
	117: "TestNextIsBoundToWhomAndWhatItWasMadeFor",
	118: "TestNextIsBoundToWhomAndWhatItWasMadeFor",
	165: "TestA17NoOrBadCredentialsAreOneAnswer",
}

func TestBadRequestsOfTheCatalogueAreAnsweredAsExpected(t *testing.T) {
	for _, c := range badInputs(t) {
		in, ok := asked[c.N]
		if !ok {
			if c.Level == "taxii-param" || c.Level == "http" {
				t.Logf("%d %s: %s", c.N, c.Name, orElse(elsewhere[c.N], "not a matter of one request to this package"))
			}
			continue
		}
		s := newServer(t, taxii.Config{})
		s.memory.fill(cyber, 0, 3)
		s.memory.fill(secret, 0, 3)
		lines := []string{}
		if in.line != "" {
			lines = append(lines, in.line)
		}
		a := s.ask(in.request, lines...)
		met := false
		for _, status := range in.status {
			met = met || a.Status == status
		}
		if !met {
			t.Errorf("%d %s: answered %d, expected %s", c.N, c.Name, a.Status, c.Expect)
		}
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// TestBadEnvelopesOfTheCatalogueNeverBecomeServerErrors posts every literal
// body: a 4xx that names a reason and stores nothing, or a status that counts.
func TestBadEnvelopesOfTheCatalogueNeverBecomeServerErrors(t *testing.T) {
	posted := 0
	for _, c := range badInputs(t) {
		if c.Kind != "literal" || c.Level != "envelope" && c.Level != "object" {
			continue
		}
		posted++
		s := newServer(t, taxii.Config{})
		a := s.post(cyber, []byte(c.Input))
		switch {
		case a.Status == 202:
			var st taxii.Status
			a.into(&st)
			if st.SuccessCount+st.FailureCount+st.PendingCount != st.TotalCount {
				t.Errorf("%d %s: %s", c.N, c.Name, a.Body)
			}
		case a.Status >= 400 && a.Status < 500:
			if got := s.ask(objectsOf).ids(); got != nil {
				t.Errorf("%d %s: refused and stored %v", c.N, c.Name, got)
			}
		default:
			t.Errorf("%d %s: %s", c.N, c.Name, a.transcript())
		}
	}
	if posted < 30 {
		t.Errorf("only %d bodies were posted", posted)
	}
}
