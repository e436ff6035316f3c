package intake

import "time"

// Engine names the method and its version. It stands in every bundle, so that
// a result can be traced to the rules that made it.
const Engine = "plain-lines/1"

// Span is a place in the raw bytes: Start and End are byte offsets, Exact is
// raw[Start:End], Line counts from 1. The zero Span means "not on the page".
type Span struct {
	Line  int
	Start int
	End   int
	Exact string
}

// Found reports whether the span is a place on the page.
func (s Span) Found() bool { return s.Line > 0 }

// Article is what a page says, separated from what the site prints around it.
// Strings are "" and pointers nil where the page does not say.
type Article struct {
	Title     string
	Lede      string // summary above the text; not repeated in Body
	Publisher string
	Author    string
	Language  string // uk, ru, en, ja, ko, de, fr, pl; "" when uncertain
	Credit    string // who made the photo
	Caption   string // what the photo shows
	Published Published

	Body    []Block // paragraphs and headings inside the text, in order
	Related []Block // links and teasers to other articles
	Chrome  []Block // menus, counters, notices, repeated lines
	Promo   []Block // subscriptions, channels, advertising

	Tags     []Tag
	Sources  []Source
	Counters []Counter
	Links    []Link

	// Comments and Views are the counters of that kind. Where the page prints
	// two bare numbers the smaller is read as comments; Counter.Basis says so.
	Comments, Views *int

	Where Places
}

// Places says where on the page the single findings stand.
type Places struct {
	Title, Lede, Publisher, Author, Credit, Caption Span
	// PublisherBasis says what the publisher was read from.
	PublisherBasis string
}

// Block is a line of the page, without outer white space.
type Block struct {
	Span
	Text   string
	Reason string // why it was left out; "" in Body
}

// Published is the instant the page gives for its publication.
type Published struct {
	Text      string    // as printed
	Local     string    // 2006-01-02T15:04, or 2006-01-02 where no time is printed
	Instant   time.Time // UTC; midnight where no time is printed; zero where no date is
	Zone      string    // IANA name, UTC, or an offset such as +09:00
	Assumed   bool      // the page prints no zone
	Basis     string    // where Zone comes from
	Precision string    // second, minute or day
	Span
}

// Certainty says how sure a split of glued tags is.
type Certainty string

// The certainties of a tag.
const (
	Certain Certainty = "high" // printed apart, or glued where the case or script changes
	Guessed Certainty = "low"  // cut out of a run of letters with a word list
)

// Tag is a tag as the page writes it.
type Tag struct {
	Text      string
	Certainty Certainty
	Span
}

// Source is a source the text names for what it reports.
type Source struct {
	Name string
	Cue  string // the words it was recognised by
	Span        // of Name
}

// CounterKind says what a counter counts.
type CounterKind string

// The kinds of counters.
const (
	CountComments CounterKind = "comments"
	CountViews    CounterKind = "views"
	CountUnknown  CounterKind = "unknown" // a bare number
)

// Counter is a number the site prints beside an article.
type Counter struct {
	Kind  CounterKind
	Value int
	Basis string
	Span
}

// Link is a URL as the page prints it.
type Link struct {
	URL string
	Span
}
