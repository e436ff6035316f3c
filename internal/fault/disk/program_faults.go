//go:build faults

package disk

import "os"

// EnvUnsynced is a variable that, if it is set, keeps the program from syncing
// anything: it shows that campaigns find what is lost.
const EnvUnsynced = "LIAISON_FAULT_UNSYNCED"

// On says that the program was built with a Disk.
const On = true

// OfProgram is the Disk under everything the program writes.
var OfProgram = &Disk{Quick: os.Getenv(EnvUnsynced) != ""}
