// Package stix reads STIX 2.1 objects as other people wrote them, keeps their
// bytes, and says what is wrong with them without changing them.
//
// [Parse] takes one object, [ParseEnvelope] what a client posts or a file holds
// (a TAXII envelope, a bundle, one object, or one object a line). [LabelOf] turns
// markings into the one [TLP] level that decides how far an object may travel.
//
// # Invariants
//
//   - Insignificant white space is removed once; nothing else ever changes. Unknown
//     properties, types and extensions survive byte for byte. An [Object] is immutable.
//   - JSON is strict: UTF-8, no duplicate member names at any depth, no lone
//     surrogates, bounded depth and size ([Limits]). Names match exactly: ID is not id.
//   - Three answers, never mixed. An object that cannot be stored, routed or labelled
//     safely is refused: an [*Error] with a JSON pointer. What breaks STIX but is safe is
//     admitted with a [Finding], whose Code never changes its meaning. A body that is not
//     JSON is refused whole; one bad element of a good body never spoils the others.
//   - Labels fail closed. Several levels count as the strictest; an id or a definition
//     that is not understood is Unknown; names and nested markings can only tighten.
//   - Versions compare as instants with all their digits ([CompareInstants]).
//
// # What it does not do
//
// It does not check the properties of each object type, nor patterns and vocabularies:
// findings cover the common properties (STIX 2.1 §3). It fetches nothing, stores nothing
// and decides nothing: who may see an object is internal/release.
package stix
