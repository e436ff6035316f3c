// Package ledger verifies: Merkle roots and proofs, checkpoints and their
// cosignatures, signed batches of acts, evidence, control objects signed by an
// authority's threshold, and receipts as a whole.
//
// # Invariants
//
//   - No signing, no I/O, no clock: a verifier needs bytes and a [Pin], and
//     answers the same wherever and whenever it runs.
//   - Trust begins at the pin. Keys that come with what is verified count only
//     once a chain of signatures leads from the pin to them.
//   - A signature by a key that is not known is ignored; a signature that
//     claims a known key (same name, same key hash) and is wrong spoils the
//     whole note (C2SP signed-note, "Signatures").
//   - Merkle hashing is RFC 6962 §2.1 with SHA-256; proofs have exactly the
//     length their sizes ask for.
//
// docs/formats.md is the specification of every format read here.
//
// # What it does not do
//
// It decides nothing about rights: whether a party might release or read is
// package release's question. It keeps no log: a follower keeps a [Range], an
// office a journal. It does not ask whether a checkpoint is the newest.
package ledger
