// Package intake turns a news page pasted as plain text into a STIX 2.1 note
// graph that an officer can check, mark and release.
//
// [ReadText] separates the article from everything a site prints around it:
// menus, counters, promotion, links to other articles, notes on how to report
// a mistake. [Article.Bundle] makes the graph, [Article.WriteText] a page for
// a person to read: what was found, what was left out and why.
//
// # Method
//
// Every line gets features (length, words, share of stop words, closing
// punctuation, label words in eight languages). Prose scores above zero,
// everything else below, and the text of the article is the run of lines with
// the greatest sum. Title, lede, photo, tags, counters and date are then
// looked for in their places around that run. No site is known by name; of the
// outlets that texts cite, the large agencies are.
//
// # Invariants
//
//   - Every finding has a [Span] into the bytes as they came in:
//     raw[Start:End] == Exact. Paragraphs are verbatim; only outer white space
//     is trimmed. Nothing is corrected.
//   - Every line that is not blank is in exactly one place: it is part of the
//     article, a finding about it, or left out with a reason.
//   - What the page does not say is not invented: no URL, no author, no zone
//     of time that is not marked as assumed, no technique.
//   - No clock, no network, no state. The same bytes give the same article; the
//     same bytes and [Options] the same bundle; ids depend on the bytes, and
//     the capture instant changes only timestamps.
//
// # What it does not do
//
// It does not read HTML, fetch pages, translate, judge whether a statement is
// true, or say that something is manipulation. It releases nothing.
package intake
