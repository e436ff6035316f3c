// Package sample is an invented alliance with fixed keys: three offices, an
// authority of three keys of which two sign, and programmes. It makes signed
// things for the test vectors and for tests of what verifies.
//
// Everything in it follows from names: the same call gives the same bytes,
// forever. Its keys are public and therefore worthless.
//
// It is no model of an office: nothing here stores, decides or relays.
package sample
