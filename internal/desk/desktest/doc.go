// Package desktest builds a small alliance for tests: an authority with three
// keys, three offices in a row (seoul, tokyo, hq), parties, one programme of
// each kind, and offices with real journals on real stores.
//
// # Invariants
//
//   - Everything but the clock is fixed: keys come from names, salts from
//     collection and index, nonces and ids from names. Two alliances are equal
//     byte by byte.
//   - Nothing is faked: signatures verify, stores are SQLite in a folder,
//     offices meet by pages that one desk reads and another accepts.
//
// # What it does not do
//
// It opens no connection and serves no protocol: tests move pages by hand
// (Office.Follow, Office.PassBack). Nothing but tests imports it.
package desktest
