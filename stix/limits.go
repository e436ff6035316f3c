package stix

import "math"

// Sizes refused beyond, unless a caller sets its own (see [DefaultLimits]).
const (
	DefaultObjectBytes = 1 << 20  // one object, insignificant white space removed
	DefaultDepth       = 64       // nested objects and arrays in one object, itself included
	DefaultObjects     = 10_000   // objects in one envelope
	DefaultBodyBytes   = 10 << 20 // one envelope as received
)

// MaxInstantBytes bounds created and modified, which become index keys.
const MaxInstantBytes = 256

// Markings refused beyond: each has to be looked up before an object can be labelled.
const (
	MaxMarkings  = 1000   // object_marking_refs, and granular markings, of one object
	MaxSelectors = 10_000 // of the granular markings of one object
)

// maxSkipDepth bounds what is read only to find where a refused element ends.
const maxSkipDepth = 10_000

// maxFindings bounds the findings of one object; the last one says that there are more.
const maxFindings = 100

// Limits bound what is parsed. A field that is zero or less means its default.
type Limits struct {
	ObjectBytes int // bytes of one object after compaction
	Depth       int // nesting of one object; at most 10,000 counts
	Objects     int // elements of one envelope
	BodyBytes   int // bytes of one envelope as received
}

// DefaultLimits returns 1 MiB an object, depth 64, 10,000 objects and 10 MiB a body.
func DefaultLimits() Limits {
	return Limits{DefaultObjectBytes, DefaultDepth, DefaultObjects, DefaultBodyBytes}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	if l.ObjectBytes <= 0 {
		l.ObjectBytes = d.ObjectBytes
	}
	if l.Depth <= 0 {
		l.Depth = d.Depth
	}
	if l.Objects <= 0 {
		l.Objects = d.Objects
	}
	if l.BodyBytes <= 0 {
		l.BodyBytes = d.BodyBytes
	}
	l.Depth = min(l.Depth, maxSkipDepth)
	l.BodyBytes = min(l.BodyBytes, math.MaxUint32) // places in a body are of 32 bits
	return l
}
