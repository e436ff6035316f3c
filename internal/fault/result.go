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

// Bound is the rule of three: so many strikes without a failure leave at most
// this probability of one, with 95 % confidence.
func (r *Result) Bound() float64 { return 3 / float64(r.Count) }

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
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	for _, r := range results {
		fmt.Fprintln(t, strings.Join(r.row(), "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return remarks(w, results, "")
}

// Markdown writes results as a table of Markdown.
func Markdown(w io.Writer, results []*Result) error {
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, r := range results {
		fmt.Fprintf(w, "| %s |\n", strings.Join(r.row(), " | "))
	}
	fmt.Fprintln(w)
	return remarks(w, results, "- ")
}

// remarks writes what does not fit into the table.
func remarks(w io.Writer, results []*Result, begin string) error {
	var text strings.Builder
	for _, r := range results {
		if r.NotRun != "" {
			fmt.Fprintf(&text, "%s%s: not run: %s\n", begin, r.Fault, r.NotRun)
		}
		for _, n := range r.Notes {
			fmt.Fprintf(&text, "%s%s: %s\n", begin, r.Fault, n)
		}
		for _, f := range r.failures() {
			fmt.Fprintf(&text, "%s%s: BROKEN: %s\n", begin, r.Fault, f)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
