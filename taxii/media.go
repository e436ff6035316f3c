package taxii

import (
	"mime"
	"strconv"
	"strings"
)

// Media types.
const (
	MediaType     = "application/taxii+json;version=2.1" // TAXII 2.1 §3.1
	STIXMediaType = "application/stix+json;version=2.1"  // of the objects

	bareType = "application/taxii+json"
	version  = "2.1"
)

// Accepts reports whether an Accept header (all its lines) lets a TAXII 2.1
// server answer: the most specific media range that covers MediaType has a
// quality above zero. No header at all accepts everything (RFC 9110 §12.5.1).
func Accepts(lines []string) bool {
	if len(lines) == 1 && lines[0] == MediaType {
		return true
	}
	best, quality, ranges := 0, 0.0, 0
	for _, line := range lines {
		for part := range splitList(line) {
			ranges++
			specificity, q := matchRange(part)
			if specificity > best || specificity == best && q > quality {
				best, quality = specificity, q
			}
		}
	}
	return ranges == 0 || best > 0 && quality > 0
}

// matchRange says how specifically a media range covers MediaType: 0 not at
// all, 1 */*, 2 application/*, 3 the type, 4 the type with its version.
// Parameters other than version and q are ignored, as clients add charset.
func matchRange(s string) (specificity int, q float64) {
	typ, params, err := mime.ParseMediaType(s)
	if err != nil {
		return 0, 0
	}
	q, ok := quality(params)
	if !ok {
		return 0, 0
	}
	asked, versioned := params["version"]
	switch {
	case typ == "*/*":
		return 1, q
	case typ == "application/*":
		return 2, q
	case typ == bareType && !versioned:
		return 3, q
	case typ == bareType && asked == version:
		return 4, q
	}
	return 0, 0
}

// quality reads the weight of a media range or coding, 0 to 1 (RFC 9110 §12.4.2).
func quality(params map[string]string) (float64, bool) {
	s, ok := params["q"]
	if !ok {
		return 1, true
	}
	q, err := strconv.ParseFloat(s, 64)
	return q, err == nil && q >= 0 && q <= 1
}

// acceptsGzip reports whether an Accept-Encoding header names gzip with a
// quality above zero. "*" is not taken for it: that client said nothing of gzip.
func acceptsGzip(lines []string) bool {
	for _, line := range lines {
		for part := range splitList(line) {
			coding, params, err := mime.ParseMediaType(part)
			if err != nil || coding != "gzip" && coding != "x-gzip" {
				continue
			}
			q, ok := quality(params)
			return ok && q > 0
		}
	}
	return false
}

// isTAXII reports whether a Content-Type (all its lines) is TAXII 2.1's: the
// version may be left out (TAXII 2.1 §3.1). Two lines are ambiguous, so none.
func isTAXII(lines []string) bool {
	if len(lines) != 1 {
		return false
	}
	if lines[0] == MediaType {
		return true
	}
	typ, params, err := mime.ParseMediaType(lines[0])
	asked, versioned := params["version"]
	return err == nil && typ == bareType && (!versioned || asked == version)
}

// splitList yields the non-empty elements of a comma-separated header line;
// commas in quoted strings do not separate.
func splitList(line string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i <= len(line); i++ {
			switch {
			case i+1 < len(line) && line[i] == '\\' && quoted:
				i++
			case i < len(line) && line[i] == '"':
				quoted = !quoted
			case i >= len(line) || line[i] == ',' && !quoted:
				part := strings.TrimSpace(line[start:min(i, len(line))])
				start = i + 1
				if part != "" && !yield(part) {
					return
				}
			}
		}
	}
}
