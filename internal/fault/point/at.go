//go:build !faults

package point

// On says that the program was built with points.
const On = false

// At is a point of that name.
func At(string) {}
