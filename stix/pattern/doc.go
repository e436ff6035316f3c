// Package pattern reads, checks and prints the STIX 2.1 patterning language (STIX 2.1 §9),
// in which an indicator says what would betray it:
//
//	[domain-name:value = 'mirror-1.example'] REPEATS 5 TIMES WITHIN 1800 SECONDS
//
// [Parse] returns the tree of a pattern. [Check] runs the same parser without building the
// tree and allocates nothing for a valid pattern. [Pattern.String] prints the one form that
// every spelling of a tree has.
//
// # Invariants
//
//   - Parse and Check are one code path: they accept the same patterns and give the same error.
//   - Every constant keeps the text in which it was written: no number is rounded, no escape
//     and no line feed inside base64 is lost. Only what is between the constants is printed anew:
//     white space, needless parentheses and apostrophes, == for = and <> for !=.
//   - Parsing what was printed gives the same tree, positions aside, and prints the same.
//   - Work and memory grow with the length of the pattern, which [MaxBytes] bounds; nesting, and
//     with it the stack, is bounded by [MaxDepth].
//   - A refusal is an [*Error]: where, what was found, what was expected.
//
// # Refused and found
//
// Refused is what is no pattern: grammar, malformed constants, and whatever else STIX 2.1
// forbids and no program in wide use writes or reads. A few MUSTs are broken by patterns that
// circulate and that the other validators pass: those are admitted, and [Pattern.Findings] names
// them: an AND over objects of different types, WITHIN 0 SECONDS, a second qualifier of one type
// on a group, the 30th of February, a set of mixed constants or of none, ISSUBSET on another
// property than an address, names too short or with capitals.
//
// # What it does not do
//
// It does not match patterns against observations and does not tell whether two patterns mean the
// same. It does not know the properties of each object type, so it cannot say that a property does
// not exist or is compared with a constant of another type; a custom type is as good as any. It
// does not read the regular expression of MATCHES (PCRE), and the language has no comments.
package pattern
