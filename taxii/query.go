package taxii

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/liaison-office/liaison/stix"
)

// Keywords of match[version] (TAXII 2.1 §3.4.1).
const (
	VersionFirst = "first"
	VersionLast  = "last"
	VersionAll   = "all"
)

// MaxMatchValues bounds the values of one match parameter.
const MaxMatchValues = 1000

// Query is what a client asks of a collection: the URL parameters of TAXII 2.1
// §3.4, read and checked.
type Query struct {
	// AddedAfter keeps what was added later than this instant, exclusive. Six
	// decimals and Z, or "" for everything. As clients may, it can come with
	// Next and differ from the query that made Next: both hold.
	AddedAfter string
	// Limit bounds the entries of a page. The handler always gives 1 or more;
	// a client's 0 leaves it to the server.
	Limit int
	// Next continues after the page that carried it.
	Next  string
	Match Match

	// WithoutBytes says that Entry.Bytes will not be looked at: a manifest or a
	// list of versions is asked for. Not a URL parameter.
	WithoutBytes bool
}

// Match is a filter: the values of a field are alternatives, the fields must
// all hold (TAXII 2.1 §3.4.1). An empty field filters nothing, save that:
//   - Version from the handler is never empty: without the parameter it is
//     VersionLast. It holds keywords and instants, compared as instants with all
//     their digits; VersionAll stands alone. First and last are meant among
//     what the other fields let through.
//   - without SpecVersion, only the latest spec version of each object counts.
type Match struct {
	ID, Type, Version, SpecVersion []string
}

// Key returns a text that is equal for equal filters, whatever order and
// repetition their values were given in: what a backend binds Next to.
func (m Match) Key() string {
	var b strings.Builder
	for _, values := range [][]string{m.ID, m.Type, m.Version, m.SpecVersion} {
		set := slices.Compact(slices.Sorted(slices.Values(values)))
		b.WriteString(strconv.Itoa(len(set)))
		for _, v := range set {
			b.WriteByte(' ')
			b.WriteString(strconv.Quote(v))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// ParameterError names the URL parameter that cannot be used and says why.
// Neither text holds anything of the value.
type ParameterError struct{ Name, Reason string }

func (e *ParameterError) Error() string { return "parameter " + e.Name + ": " + e.Reason }

// Unwrap makes it an ErrBadRequest.
func (e *ParameterError) Unwrap() error { return ErrBadRequest }

// ParseQuery reads the query part of a URL. A limit that is absent or above
// maxLimit becomes maxLimit. A known parameter that is malformed or given twice
// is a *ParameterError; unknown ones, match fields too, are ignored (TAXII 2.1
// §3.4, §3.4.1).
func ParseQuery(raw string, maxLimit int) (Query, error) {
	q := Query{Limit: maxLimit, Match: Match{Version: []string{VersionLast}}}
	if raw == "" {
		return q, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return Query{}, &ParameterError{"query", "the query part of the URL is not well formed"}
	}
	for _, p := range q.parameters(maxLimit) {
		given, ok := values[p.name]
		if !ok {
			continue
		}
		if len(given) > 1 {
			return Query{}, &ParameterError{p.name, "given more than once"}
		}
		if err := p.read(given[0]); err != nil {
			return Query{}, &ParameterError{p.name, err.Error()}
		}
	}
	return q, nil
}

type parameter struct {
	name string
	read func(string) error
}

// parameters is the list of what ParseQuery knows, each with the field it fills.
func (q *Query) parameters(maxLimit int) []parameter {
	return []parameter{
		{"added_after", func(s string) error {
			t, err := ParseTimestamp(s)
			q.AddedAfter = FormatTimestamp(t)
			return err
		}},
		{"limit", func(s string) (err error) {
			q.Limit, err = parseLimit(s, maxLimit)
			return err
		}},
		{"next", func(s string) error {
			q.Next = s
			return refuseEmpty(s)
		}},
		{"match[id]", func(s string) error { return parseList(&q.Match.ID, s) }},
		{"match[type]", func(s string) error { return parseList(&q.Match.Type, s) }},
		{"match[spec_version]", func(s string) error { return parseList(&q.Match.SpecVersion, s) }},
		{"match[version]", func(s string) error {
			if err := parseList(&q.Match.Version, s); err != nil {
				return err
			}
			return checkVersions(q.Match.Version)
		}},
	}
}

func refuseEmpty(s string) error {
	if s == "" {
		return fmt.Errorf("empty")
	}
	return nil
}

// parseLimit reads a whole number from 1; one too large for any integer is
// still only above the cap.
func parseLimit(s string, maxLimit int) (int, error) {
	if s == "" || strings.Trim(s, "0123456789") != "" || strings.Trim(s, "0") == "" {
		return 0, fmt.Errorf("want a whole number from 1")
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return maxLimit, nil
	}
	return min(n, maxLimit), nil
}

// parseList splits at commas. Values are compared, never interpreted, so any
// text will do except none.
func parseList(into *[]string, s string) error {
	if strings.Count(s, ",") >= MaxMatchValues {
		return fmt.Errorf("more than %d values", MaxMatchValues)
	}
	values := strings.Split(s, ",")
	if slices.Contains(values, "") {
		return fmt.Errorf("an empty value")
	}
	*into = values
	return nil
}

// checkVersions holds the values of match[version] to TAXII 2.1 §3.4.1: all
// stands alone, no keyword twice, everything else an instant. A "+" that came as
// a space is mended in place.
func checkVersions(values []string) error {
	seen := map[string]bool{}
	for i, v := range values {
		switch v {
		case VersionFirst, VersionLast, VersionAll:
			if seen[v] {
				return fmt.Errorf("%q is there more than once", v)
			}
			seen[v] = true
		default:
			values[i] = strings.Replace(v, " ", "+", 1)
			if _, err := stix.CompareInstants(values[i], values[i]); err != nil {
				return fmt.Errorf("want first, last, all or timestamps")
			}
		}
	}
	if seen[VersionAll] && len(values) > 1 {
		return fmt.Errorf("%q stands alone", VersionAll)
	}
	return nil
}

// Values returns the URL parameters a client sends for q. Zero fields are left
// out; so is a Version of just VersionLast, which is what no Version means.
func (q Query) Values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("added_after", q.AddedAfter)
	if q.Limit > 0 {
		set("limit", strconv.Itoa(q.Limit))
	}
	set("next", q.Next)
	set("match[id]", strings.Join(q.Match.ID, ","))
	set("match[type]", strings.Join(q.Match.Type, ","))
	set("match[spec_version]", strings.Join(q.Match.SpecVersion, ","))
	if versions := strings.Join(q.Match.Version, ","); versions != VersionLast {
		set("match[version]", versions)
	}
	return v
}
