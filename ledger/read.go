package ledger

import (
	"strings"

	"github.com/liaison-office/liaison"
)

// ReadCheckpoint reads a checkpoint note without checking any signature: for
// notes that were checked when they came in.
func ReadCheckpoint(note string) (Checkpoint, error) {
	n, err := ParseNote(note)
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpointText(n.Text)
}

// Cosigners returns the offices whose witness keys are named in a note's
// signature lines, without checking them.
func Cosigners(note string) []liaison.Office {
	n, err := ParseNote(note)
	if err != nil {
		return nil
	}
	var list []liaison.Office
	for _, s := range n.Signatures {
		if name, ok := strings.CutSuffix(s.Name, "/witness"); ok {
			list = append(list, liaison.Office(name))
		}
	}
	return list
}

// VerifyNote checks that one of the keys signed a note under a name.
func VerifyNote(n *Note, name string, keys [][]byte) error {
	return verifySigned(n.Text, n.Signatures, name, keys)
}
