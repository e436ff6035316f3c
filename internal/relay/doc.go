// Package relay lets offices follow each other's logs over one stream per pair
// of neighbours, whoever dials it.
//
// Each side offers the collections the other may follow, and follows what it is
// offered from the index it has. The log is the queue and the follower's index
// the acknowledgement: a neighbour that was away for a week simply continues.
// Cosignatures and evidence about acts travel back on the same stream.
//
// # Invariants
//
//   - Nothing of a page reaches the desk before leaves, acts, root and signed
//     checkpoint were verified against what was verified before. A log that was
//     forked, shortened, reordered or rewritten is not followed any further, by
//     this process or a later one, until an operator resumes it; both checkpoints
//     are kept as evidence (Fork, ForkDir), and other collections go on.
//   - A page is acknowledged after the desk committed it, together with the
//     position. What fails is tried again; nothing is skipped.
//   - Neighbours are known by the Ed25519 keys pinned in Config.Peers and by
//     nothing else. A neighbour that is no longer listed, or a collection that is
//     no longer offered, is cut within a second.
//   - One stream survives when both dial at once: the one dialled by the office
//     with the lower name.
//   - Memory is bounded: one page is under way per followed collection and waits
//     compressed for its turn; every queue and every frame has a limit.
//   - What a neighbour can observe depends on what it is offered only; frames are
//     compressed one by one, never two collections together.
//
// docs/design/004-relay.md has the frames and what was rejected.
//
// # What it does not do
//
// It decides nothing about acts and stores nothing but forks: the desk does. It keeps no
// keys but the relay key it is given, and no topology: which collections are
// offered follows from the charters, at the desk.
package relay
