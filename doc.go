// Package liaison holds the words of the project and the formats that can
// never change again: acts, leaves, commitments, collection ids, checkpoint
// origins, key names, receipts and the control objects (authority, office,
// route, programme, party).
//
// Everything is a STIX 2.1 object version; every exchange is one append to a
// collection's log. A collection is one programme × one area × one epoch.
//
// # Invariants
//
//   - No I/O, no clock, no randomness: every function is a pure function of its
//     arguments, so a second program can recompute every value (tools/vectors).
//   - JSON that is hashed or signed is JCS (RFC 8785); binary is padded base64;
//     instants are UTC with six decimals and Z; unknown members are refused.
//   - H is SHA-256. Merkle hashing is RFC 6962.
//
// docs/formats.md is the specification; testdata/vectors.json its vectors.
//
// # What it does not do
//
// It verifies nothing that needs a key (package ledger does), decides nothing
// (internal/release), and stores nothing (internal/journal).
package liaison
