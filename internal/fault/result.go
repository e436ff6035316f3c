package fault

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// Result is what came of one fault.
type Result struct {
	Fault string `json:"fault"`
	About string `json:"about"`
	Seed  uint64 `json:"seed"`

	Count        int `json:"count"`        // how often the fault was made
	Acknowledged int `json:"acknowledged"` // objects
	Lost         int `json:"lost"`         // of them: gone, or with other bytes
	Duplicated   int `json:"duplicated"`   // there more than once
	Receipts     int `json:"receipts"`     // verified
	BadReceipts  int `json:"bad_receipts"` // that do not
	Wrong        int `json:"wrong"`        // any other promise that was broken

	Took    Seconds `json:"took"`
	Restart Seconds `json:"restart"` // the longest start after a fault

	// MustFail says that promises had to be broken: the fault shows that the
	// campaign finds what is lost.
	MustFail bool `json:"must_fail,omitempty"`

	Notes  []string `json:"notes,omitempty"`   // what else is to be known
	NotRun string   `json:"not_run,omitempty"` // why the fault was not made
	First  []string `json:"first,omitempty"`   // the first few failures, by name

	mu sync.Mutex // guards the counts and First
}

// Seconds is a duration.
type Seconds float64

func (s Seconds) String() string {
	if s < 1 {
		return fmt.Sprintf("%.0f ms", float64(s)*1000)
	}
	return fmt.Sprintf("%.1f s", float64(s))
}

// maxFirst bounds Result.First.
const maxFirst = 20

// Fail notes a broken promise in one of r's counts.
func (r *Result) Fail(count *int, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*count++
	if len(r.First) < maxFirst {
		r.First = append(r.First, fmt.Sprintf(format, args...))
	}
}

// Note notes what a reader of the table should know.
func (r *Result) Note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
	}
}

// started notes how long a start took.
func (r *Result) started(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Restart = max(r.Restart, Seconds(took.Seconds()))
}

// Broken reports whether a promise was broken; of a fault that must break one,
// whether none was.
func (r *Result) Broken() bool {
	return r.NotRun == "" && (r.Lost+r.Duplicated+r.BadReceipts+r.Wrong > 0) != r.MustFail
}

func (r *Result) String() string {
	if r.NotRun != "" {
		return fmt.Sprintf("%s: not run: %s", r.Fault, r.NotRun)
	}
	text := fmt.Sprintf("%s: %d times, %d acknowledged, %d lost, %d duplicated, %d of %d receipts fail, %d otherwise wrong; longest start %s; %s (seed %d)",
		r.Fault, r.Count, r.Acknowledged, r.Lost, r.Duplicated, r.BadReceipts, r.Receipts, r.Wrong, r.Restart, r.Took, r.Seed)
	for _, n := range r.Notes {
		text += "\n  " + n
	}
	for _, f := range r.failures() {
		text += "\n  BROKEN: " + f
	}
	return text
}

// failures are the first few by name, if they count.
func (r *Result) failures() []string {
	switch {
	case !r.MustFail:
		return r.First
	case r.Broken():
		return []string{"nothing was found to be lost, and everything is done to lose it: the campaign is blind"}
	}
	return nil
}

var columns = []string{"fault", "count", "acknowledged", "lost", "duplicated", "receipts", "that fail", "otherwise wrong", "longest start", "time"}

func (r *Result) row() []string {
	if r.NotRun != "" {
		return []string{r.Fault, "not run", "", "", "", "", "", "", "", ""}
	}
	var row []string
	for _, v := range []any{r.Fault, r.Count, r.Acknowledged, r.Lost, r.Duplicated, r.Receipts, r.BadReceipts, r.Wrong, r.Restart, r.Took} {
		row = append(row, fmt.Sprint(v))
	}
	return row
}

// Table writes results as text.
func Table(w io.Writer, results []*Result) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	for _, r := range results {
		fmt.Fprintln(t, strings.Join(r.row(), "\t"))
	}
	t.Flush() // into memory
	remarks(&b, results, "")
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes results as a table of Markdown.
func Markdown(w io.Writer, results []*Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, r := range results {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r.row(), " | "))
	}
	b.WriteByte('\n')
	remarks(&b, results, "- ")
	_, err := io.WriteString(w, b.String())
	return err
}

// remarks writes what does not fit into the table.
func remarks(b *strings.Builder, results []*Result, begin string) {
	for _, line := range sums(results) {
		fmt.Fprintf(b, "%s%s\n", begin, line)
	}
	for _, r := range results {
		if r.NotRun != "" {
			fmt.Fprintf(b, "%s%s: not run: %s\n", begin, r.Fault, r.NotRun)
		}
		for _, n := range r.Notes {
			fmt.Fprintf(b, "%s%s: %s\n", begin, r.Fault, n)
		}
		for _, f := range r.failures() {
			fmt.Fprintf(b, "%s%s: BROKEN: %s\n", begin, r.Fault, f)
		}
	}
}

// strikes are the faults of which the sums are told, by what they are called
// together.
var strikes = []struct {
	name   string
	faults []string
}{
	{"kills", []string{"points", "kill", "postgres-kill", "postgres-backend", "postgres-office"}},
	{"power cuts", []string{"power-cut"}},
	{"operations that failed", []string{"nth-door", "nth-relay", "nth-control", "nth-erase"}},
}

// sums tells of faults of one kind together. The bound is the rule of three: none
// in K leaves at most 3/K, with 95 % confidence.
func sums(results []*Result) (lines []string) {
	for _, s := range strikes {
		var all Result
		for _, r := range results {
			if slices.Contains(s.faults, r.Fault) {
				all.Count += r.Count
				all.Acknowledged += r.Acknowledged
				all.Lost += r.Lost
				all.Duplicated += r.Duplicated
				all.BadReceipts += r.BadReceipts
				all.Wrong += r.Wrong
			}
		}
		if all.Count == 0 {
			continue
		}
		line := fmt.Sprintf("%d %s, %d acknowledged, %d lost, %d duplicated, %d receipts that fail", all.Count, s.name, all.Acknowledged, all.Lost, all.Duplicated, all.BadReceipts)
		if !all.Broken() {
			line += fmt.Sprintf(": with 95 %% confidence fewer than %.2f %% of them break a promise", 300/float64(all.Count))
		}
		lines = append(lines, line)
	}
	return lines
}
