// Package stix is STIX 2.1 for programs: it reads objects as other people wrote them, says
// what is wrong with them, shows what they hold, and keeps their bytes.
//
// # Reading
//
// [Parse] reads one object, [ParseEnvelope] what a client posts or a file holds: a TAXII
// envelope, a bundle, one object, or one object a line. [NewStream] reads the same from a
// stream of any length with little memory, and gives the same answers. JSON is strict: UTF-8, no member name
// twice in one object, no lone surrogates, depth and size within [Limits]. Names match
// exactly: ID is not id.
//
// An [Object] is one version of one object, and never changes. Its bytes are those that came,
// without insignificant white space: properties, types and extensions that nobody knows
// survive byte for byte. What cannot be stored, routed or labelled safely becomes no Object
// but an [*Error], with a JSON pointer and a code. In an envelope a bad element spoils no
// other; a body that is not JSON is refused whole.
//
// # Validating
//
// [Object.Findings] checks an object against the tables, the vocabularies and the rules of
// the specification. A [Finding] says where, how much it matters (a [Level]), by which
// section, and what was expected. Its code never changes its meaning; [Catalogue] and
// docs/findings.md explain each. Which findings refuse an object is the choice of a [Mode]:
// [Admit] refuses for none, [Strict] for those that break a MUST. [Object.Unknown] lists what
// the specification does not define.
//
// What only shows beside other objects has types of its own: a [Gathering] finds versions that
// contradict each other and translations that do not mirror their object, [References] what is
// referred to and not there. Envelope and [Stream] have findings about a bundle itself.
//
// # Views
//
// Each type of STIX 2.1 has a view, and each property a method of it: [AsIndicator] makes an
// [Indicator] of an object, and its PatternType is pattern_type. JSON objects inside have
// views too, such as [ExternalReference]; a predefined extension is taken from its object, as
// by [AsPDFExt]. Methods of Object read the common properties, of types that nobody knows as
// well.
//
//   - Nothing is copied but texts with escapes. What a view returns is part of the object's
//     bytes. Ranging over a list or a dictionary allocates nothing.
//   - What is absent, of another kind than its property wants, or a malformed id, is the zero
//     value; such an element of a list is left out. [Object.Has] and [PartView.Has] tell
//     absent from zero, and [Object.Property] returns any value as JSON.
//   - Where Object has a method of that name, the view's ends in Property: of a [Software],
//     Version is the version of the object and VersionProperty that of the program.
//   - Object.MarkingRefs is object_marking_refs, and Object.Granular granular_markings.
//
// The tables are there to be read: [Types] yields every [Type] with its properties, and
// docs/stix-types.md lists them beside the methods.
//
// # Ids, versions and markings
//
// An [ID] is a type and a UUID. [DeterministicSCOID] computes the one that the properties of
// a cyber-observable give it, and [CheckSCOID] compares. [Object.Version] says which version of
// its id an object is; versions compare as instants with all their digits
// ([CompareInstants]). [NewVersion] and [Revoke] make the next one by the rules, and [Edit] is
// how every change is made: bytes that it does not touch stay as they are. [Canonical] writes
// equal contents equally, and [DifferencesOf] tells two versions apart in words.
//
// [Select] finds what a selector names. [AddMarkings], [RemoveMarkings], [SetMarkings] and
// [ClearMarkings] change the markings of a whole object; those with Granular in their names
// change those of its parts, and [GranularMarks] and [IsMarked] read them.
//
// [LabelOf] turns the markings of an object into one [Label], whose [TLP] level decides how
// far it may travel. Labels fail closed: several levels count as the strictest, a marking that
// is not understood is reported as Unknown, and names and nested markings can only tighten.
//
// # Bundles
//
// [BuildBundle] writes objects as a bundle, [BuildEnvelope] and [AppendEnvelope] as a TAXII
// envelope, with the bytes of the objects as they are. [SplitBundle] makes parts that keep a
// limit. [ClosureOf] follows references, transitively, and says which lead nowhere in a set.
// [Upgrade] makes objects of STIX 2.0 into objects of 2.1 and loses no value.
//
// Patterns of indicators are read by the package stix/pattern.
//
// # What it does not do
//
// It fetches nothing and stores nothing. It does not match patterns, and does not decide who
// may see an object.
package stix
