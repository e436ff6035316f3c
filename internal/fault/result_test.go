package fault

import (
	"strings"
	"testing"
)

func TestTheTableShowsWhatWasBrokenAndWhatWasNotRun(t *testing.T) {
	bad := &Result{Fault: "kill", Count: 3, Acknowledged: 7}
	bad.Fail(&bad.Lost, "note--1 is gone")
	list := []*Result{
		bad,
		{Fault: "power-cut", NotRun: "no root"},
		{Fault: "points", Count: 297, Acknowledged: 10},
	}
	var text, mark strings.Builder
	if err := Table(&text, list); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&mark, list); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{text.String(), mark.String()} {
		for _, want := range []string{"BROKEN: note--1 is gone", "power-cut: not run: no root", "300 kills, 17 acknowledged, 1 lost, 0 duplicated, 0 receipts that fail\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
	}
	text.Reset()
	if err := Table(&text, list[1:]); err != nil || !strings.Contains(text.String(), "fewer than 1.01 % of them") {
		t.Errorf("no bound: %v\n%s", err, text.String())
	}
}

func TestAFaultThatMustLoseFailsIfNothingIsLost(t *testing.T) {
	for _, c := range []struct {
		r    *Result
		want bool
	}{
		{&Result{}, false},
		{&Result{Lost: 1}, true},
		{&Result{Duplicated: 1}, true},
		{&Result{BadReceipts: 1}, true},
		{&Result{Wrong: 1}, true},
		{&Result{MustFail: true}, true},
		{&Result{MustFail: true, Lost: 1}, false},
		{&Result{MustFail: true, NotRun: "no root"}, false},
	} {
		if got := c.r.Broken(); got != c.want {
			t.Errorf("%v: broken %v, want %v", c.r, got, c.want)
		}
	}
}
