package intake

import (
	_ "embed"
	"slices"
)

//go:embed sample/demo-uk.txt
var samplePage []byte

// SamplePage returns a page of our own writing, in Ukrainian, as a browser
// copies it: outlet, people and events are invented.
func SamplePage() []byte { return slices.Clone(samplePage) }
