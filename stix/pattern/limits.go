package pattern

// MaxBytes bounds the length of a pattern.
const MaxBytes = 1 << 20

// MaxDepth bounds the parentheses open at one place, those around observation expressions and
// those around comparison expressions together. No tree is deeper than it takes.
const MaxDepth = 64

// maxInteger is the largest integer, and its negative the smallest (STIX 2.1 §2.10).
const maxInteger = 1<<53 - 1

// maxFindings bounds the findings of one pattern; the last one says that there are more.
const maxFindings = 100
