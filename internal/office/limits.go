package office

import (
	"context"
	"fmt"
	"strings"

	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/exchange"
	"github.com/liaison-office/liaison/stix"
)

// Limits is the table [limits]: what one request of a tool may bring, and how
// much one answer holds. Zero means the default.
//
// They are the limits of the door. What a neighbour accepted is read by those
// that all offices share (stix.DefaultLimits): an office with narrower ones of
// its own would refuse what the others hold, and one with wider ones would send
// what they refuse. So an object's cannot be raised. Readers, Writers and
// PageCacheMB bound the process, not a request.
type Limits struct {
	BodyBytes   int `toml:"body_bytes"`    // stix.DefaultBodyBytes; max_content_length of TAXII
	ObjectBytes int `toml:"object_bytes"`  // stix.DefaultObjectBytes
	Depth       int `toml:"depth"`         // stix.DefaultDepth
	Objects     int `toml:"objects"`       // stix.DefaultObjects
	PageObjects int `toml:"page_objects"`  // desk.MaxPage
	Readers     int `toml:"readers"`       // snapshots of the store that are read at a time
	Writers     int `toml:"writers"`       // transactions that are written at a time; PostgreSQL
	PageCacheMB int `toml:"page_cache_mb"` // memory for pages that are asked for again; -1 is none
}

// The bounds of the limits themselves: below, no office could work; above, one
// request could hold up all others.
const (
	minObjectBytes = 4 << 10  // a short report, its markings and references
	minDepth       = 8        // an object, its extensions, a list of objects in one
	maxBodyBytes   = 64 << 20 // held in memory while it is parsed
	maxObjects     = 100_000  // one transaction

	usualConnections = 4 // that read, and that write
	maxConnections   = 100

	maxPageCacheMB = 4096
)

// bound is one limit with its default and between what it must lie.
type bound struct {
	key                 string
	value               *int
	usual, least, limit int
}

func (l *Limits) bounds() []bound {
	return []bound{
		{"body_bytes", &l.BodyBytes, stix.DefaultBodyBytes, minObjectBytes, maxBodyBytes},
		{"object_bytes", &l.ObjectBytes, stix.DefaultObjectBytes, minObjectBytes, stix.DefaultObjectBytes},
		{"depth", &l.Depth, stix.DefaultDepth, minDepth, stix.DefaultDepth},
		{"objects", &l.Objects, stix.DefaultObjects, 1, maxObjects},
		{"page_objects", &l.PageObjects, desk.MaxPage, 1, desk.MaxPage},
		{"readers", &l.Readers, usualConnections, 1, maxConnections},
		{"writers", &l.Writers, usualConnections, 1, maxConnections},
		{"page_cache_mb", &l.PageCacheMB, desk.DefaultPageCache >> 20, -1, maxPageCacheMB},
	}
}

// check says which limit cannot work, and why.
func (l *Limits) check() (key string, err error) {
	for _, b := range l.bounds() {
		if v := *b.value; v != 0 && (v < b.least || v > b.limit) {
			return "limits." + b.key, fmt.Errorf("%d: want a number from %d to %d, or 0 for the default, %d", v, b.least, b.limit, b.usual)
		}
	}
	return "", nil
}

// withDefaults puts the defaults in the place of zeros.
func (l Limits) withDefaults() Limits {
	for _, b := range l.bounds() {
		if *b.value == 0 {
			*b.value = b.usual
		}
	}
	return l
}

// stix are the limits of what is parsed.
func (l Limits) stix() stix.Limits {
	l = l.withDefaults()
	return stix.Limits{ObjectBytes: l.ObjectBytes, Depth: l.Depth, Objects: l.Objects, BodyBytes: l.BodyBytes}
}

// text writes the table, or nothing if all limits are the default.
func (l Limits) text() string {
	if l == (Limits{}) {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n# What one request may bring, and how much one page holds.\n[limits]\n")
	for _, x := range l.bounds() {
		if *x.value != 0 {
			fmt.Fprintf(&b, "%s = %d\n", x.key, *x.value)
		}
	}
	return b.String()
}

// pages is a desk whose pages of objects hold at most limit entries.
type pages struct {
	exchange.Desk
	limit int
}

// Read implements exchange.Desk.
func (p pages) Read(ctx context.Context, v desk.Viewer, q desk.Query) (*desk.Page, error) {
	if q.Limit <= 0 || q.Limit > p.limit {
		q.Limit = p.limit
	}
	return p.Desk.Read(ctx, v, q)
}
