//go:build faults

package disk

// On says that the program was built with a Disk.
const On = true

// OfProgram is the Disk under everything the program writes.
var OfProgram = new(Disk)
