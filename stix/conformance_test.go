package stix_test

import (
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

// A caseRow is a row of the reference validators: what they say of an object.
type caseRow struct {
	Case   string         `json:"case"`
	Expect string         `json:"expect"`
	Why    []string       `json:"why"`
	Agreed *bool          `json:"agreed"`
	Object jsontext.Value `json:"object"`
}

// strictVerdict is ours: valid only if no object of it would be refused in strict mode.
func strictVerdict(raw []byte) (string, []string) {
	e, err := stix.ParseEnvelope(raw, roomy)
	if err != nil {
		return "invalid", []string{err.Error()}
	}
	var why []string
	for _, item := range e.Objects {
		if item.Err != nil {
			why = append(why, item.Err.Error())
			continue
		}
		for _, f := range item.Object.Findings() {
			if f.Level == stix.Must {
				why = append(why, f.Code+" "+f.Pointer+": "+f.Message)
			}
		}
	}
	if len(why) > 0 {
		return "invalid", why
	}
	return "valid", nil
}

func TestStrictModeAgreesWhereTheReferenceValidatorsAgree(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora", "stix")
	for _, file := range []string{"validator-cases.jsonl", "spec-examples.jsonl"} {
		same, total := 0, 0
		for _, row := range rows[caseRow](t, filepath.Join(dir, file)) {
			if row.Agreed == nil || !*row.Agreed {
				continue
			}
			total++
			got, why := strictVerdict(row.Object)
			if got == row.Expect {
				same++
				continue
			}
			t.Errorf("%s: we say %s %q, they %s %q", row.Case, got, why, row.Expect, row.Why)
		}
		t.Logf("%s: %d of %d the same", file, same, total)
	}
}
