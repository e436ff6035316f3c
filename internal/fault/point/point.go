// Package point names the moments at which a fault campaign ends the program.
//
// # Invariants
//
//   - A program that is built without the tag faults holds none of this: At is
//     empty there and compiles to nothing.
//   - Built with it, At ends the process as kill -9 does, without deferred calls
//     and without a last write, at the moment that LIAISON_FAULT_POINT names: a
//     name of All, and after a colon how many passes go by before.
//   - Every name of All is passed in exactly one place of the program, and every
//     place has its name in All.
//
// # What it does not do
//
// It fails no operation (package disk does) and checks nothing: package fault
// does.
package point

// Env is the variable that names the point.
const Env = "LIAISON_FAULT_POINT"

// All are the points, in the order in which a note meets them.
var All = []string{
	"office.opened",
}
