package pattern

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An Error is why a text is no pattern: where, what is there, and what belongs there.
type Error struct {
	Offset   int    // bytes before the place
	Line     int    // from 1; a line feed ends a line
	Column   int    // from 1, in characters
	Found    string // for people; quotes no more than a few words of the input
	Expected string // for people
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: found %s, expected %s", e.Line, e.Column, e.Found, e.Expected)
}

// place returns the line and the column of a byte of src, both from 1.
func place(src string, offset int) (line, column int) {
	before := src[:min(max(offset, 0), len(src))]
	start := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])
}

// quoteShort quotes text that is no longer than a reader wants.
func quoteShort(s string) string {
	const limit = 40
	if len(s) <= limit {
		return strconv.Quote(s)
	}
	cut := limit
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "..."
}
