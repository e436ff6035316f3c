package stix_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// A verdict is what reading decides about one case of the catalogue of bad inputs.
type verdict struct {
	whole string   // code of the refusal of the body; "" if it is read
	items []string // per element: the code of its refusal, or the findings of an admitted one in brackets
}

// verdicts are keyed by the number in the catalogue. A comment says where we admit with a
// finding what the catalogue wants refused, or the other way round.
var verdicts = map[int]verdict{
	2:  {whole: stix.CodeNotJSON},
	3:  {whole: stix.CodeBadEnvelope},
	4:  {whole: stix.CodeBadEnvelope},
	8:  {items: []string{stix.CodeNotObject, stix.CodeNotObject, stix.CodeNotObject, stix.CodeNotObject}},
	9:  {items: []string{"[]"}}, // a bundle is accepted, always; Kind says so
	12: {whole: stix.CodeNotJSON},
	23: {whole: stix.CodeNotJSON},
	24: {whole: stix.CodeNotJSON},
	25: {items: []string{"[]"}},
	26: {items: []string{stix.CodeNoID}},
	27: {items: []string{stix.CodeTypeMismatch}},
	30: {items: []string{stix.CodeBadID}},
	32: {items: []string{"[" + stix.FindNameCase + "]"}}, // id is the lower-case member; ID survives as a custom property
	33: {items: []string{stix.CodeDuplicateName}},
	34: {items: []string{stix.CodeDuplicateName}},
	36: {items: []string{"[]"}}, // read; its label has an Unknown marking, on which release fails closed
	37: {items: []string{stix.CodeBadMarking}},
	40: {items: []string{stix.CodeSelfMarking}},
	43: {items: []string{"[" + stix.FindOrder + "]"}},                                                                                              // catalogue refuses; it can be ordered, so admitted
	45: {items: []string{"[]"}},                                                                                                                    // any number of decimals is good STIX
	46: {items: []string{"[" + many(stix.FindInstant, 2) + " " + many(stix.FindPrecision, 2) + "]"}},                                               // catalogue refuses; an offset can be ordered, so admitted
	47: {items: []string{"[" + stix.FindInstant + " " + many(stix.FindPrecision, 2) + "]"}},                                                        // catalogue refuses; the leap second is real and the hour 24 can be ordered, so admitted
	48: {items: []string{"[" + stix.FindNumber + " " + stix.FindCustom + "]"}},                                                                     // kept digit by digit
	50: {items: []string{"[" + stix.FindCustom + "]"}},                                                                                             // kept as written
	54: {items: []string{"[" + stix.FindInvisible + "]"}},                                                                                          // kept, and flagged for review
	56: {items: []string{"[" + stix.FindInvisible + " " + stix.FindInvisible + "]"}},                                                               // kept, and flagged for review
	57: {items: []string{"[]"}}, 58: {items: []string{"[" + stix.FindRecommended + "]"}}, 59: {items: []string{"[]"}}, 60: {items: []string{"[]"}}, // for those who show text
	69: {items: []string{"[" + stix.FindName + "]"}}, // the extension is unknown, and has a name of one letter
}

func many(code string, times int) string {
	return strings.TrimSuffix(strings.Repeat(code+" ", times), " ")
}

func TestBadInputsOfTheCatalogue(t *testing.T) {
	type row struct {
		N     int    `json:"n"`
		Level string `json:"level"`
		Name  string `json:"name"`
		Kind  string `json:"kind"`
		Input string `json:"input"`
	}
	ran := 0
	for _, r := range rows[row](t, filepath.Join(shared(t), "bad-inputs.jsonl")) {
		if r.Kind != "literal" || r.Level != "envelope" && r.Level != "object" {
			continue
		}
		want, ok := verdicts[r.N]
		if !ok {
			t.Errorf("%d %s: no verdict", r.N, r.Name)
			continue
		}
		ran++
		if got := judge(t, r.Input); got.whole != want.whole || !slices.Equal(got.items, want.items) {
			t.Errorf("%d %s: %+v, want %+v", r.N, r.Name, got, want)
		}
	}
	if ran != len(verdicts) {
		t.Errorf("%d cases ran of %d with a verdict", ran, len(verdicts))
	}
}

func judge(t *testing.T, body string) (v verdict) {
	e, err := stix.ParseEnvelope([]byte(body), stix.DefaultLimits())
	var bad *stix.Error
	if errors.As(err, &bad) {
		return verdict{whole: bad.Code}
	}
	for _, item := range e.Objects {
		if item.Err != nil {
			v.items = append(v.items, item.Err.Code)
			continue
		}
		if !bytes.Equal(item.Raw, item.Object.Bytes()) {
			t.Errorf("bytes changed: %s", item.Object.Bytes())
		}
		var codes []string
		for _, f := range item.Object.Findings() {
			codes = append(codes, f.Code)
		}
		v.items = append(v.items, "["+strings.Join(codes, " ")+"]")
	}
	return v
}
