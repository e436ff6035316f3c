package desk

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"pgregory.net/rapid"
)

// TestAStatusIsWrittenAsJSONWouldBe holds what is written by hand together with
// what is read.
func TestAStatusIsWrittenAsJSONWouldBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &statusRecord{Collection: liaison.CollectionID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "collection")), At: drawInstant(t), Outcomes: []Outcome{}}
		for range rapid.IntRange(0, 5).Draw(t, "outcomes") {
			r.Outcomes = append(r.Outcomes, drawOutcome(t))
		}
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.encode(); string(got) != string(want) {
			t.Fatalf("written %s\nwant    %s", got, want)
		}
	})
}

func drawInstant(t *rapid.T) liaison.Instant {
	return liaison.Instant(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 4_000_000_000_000_000)).Draw(t, "instant"))
}

func drawOutcome(t *rapid.T) Outcome {
	text := rapid.OneOf(rapid.Just(""), rapid.String())
	o := Outcome{
		Status: rapid.SampledFrom([]Status{Accepted, Duplicate, Refused, Held, Waiting}).Draw(t, "status"),
		ID:     text.Draw(t, "id"), Version: text.Draw(t, "version"),
		Index: rapid.Uint64().Draw(t, "index"), Added: drawInstant(t),
	}
	copy(o.Act[:], rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "act"))
	if rapid.Bool().Draw(t, "refused") {
		o.Code, o.Pointer, o.Reason, o.Unread = text.Draw(t, "code"), text.Draw(t, "pointer"), text.Draw(t, "reason"), rapid.Bool().Draw(t, "unread")
		o.Found = []Found{{Code: text.Draw(t, "found"), Count: 1}}
	}
	return o
}
