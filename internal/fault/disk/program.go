//go:build !faults

package disk

// On says that the program was built with a Disk.
const On = false

// OfProgram is the Disk under everything the program writes: none.
var OfProgram *Disk
