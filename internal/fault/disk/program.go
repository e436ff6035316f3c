//go:build !faults

package disk

// EnvUnsynced is a variable of programs that were built with a Disk.
const EnvUnsynced = "LIAISON_FAULT_UNSYNCED"

// On says that the program was built with a Disk.
const On = false

// OfProgram is the Disk under everything the program writes: none.
var OfProgram *Disk
