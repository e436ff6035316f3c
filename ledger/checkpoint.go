package ledger

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/liaison-office/liaison"
)

// Checkpoint is the head of a log (C2SP tlog-checkpoint) without extension
// lines.
type Checkpoint struct {
	Origin liaison.Origin
	Size   uint64
	Root   liaison.Hash
}

// Text returns the three lines that are signed.
func (c Checkpoint) Text() string {
	return c.Origin.String() + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// ParseCheckpointText reads what Text wrote, and nothing else: a fourth line is
// refused, since nobody could audit it.
func ParseCheckpointText(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return c, fmt.Errorf("checkpoint: want exactly three lines: origin, size, root")
	}
	if c.Origin, err = liaison.ParseOrigin(lines[0]); err != nil {
		return c, fmt.Errorf("checkpoint: line 1: %w", err)
	}
	c.Size, err = strconv.ParseUint(lines[1], 10, 64)
	if err != nil || c.Size > MaxSize || strconv.FormatUint(c.Size, 10) != lines[1] {
		return c, fmt.Errorf("checkpoint: line 2: %.30q is not a size from 0 to %d", lines[1], uint64(MaxSize))
	}
	if c.Root, err = liaison.ParseHash(lines[2]); err != nil {
		return c, fmt.Errorf("checkpoint: line 3: %w", err)
	}
	if c.Size == 0 && c.Root != liaison.H() {
		return c, fmt.Errorf("checkpoint: line 3: %s is not the root of the empty log", c.Root)
	}
	return c, nil
}

// OpenCheckpoint reads a signed checkpoint and checks that one of the office's
// log keys (32 bytes each) signed it under the name of its origin. Whether that
// origin is the expected one is the caller's to compare.
func OpenCheckpoint(note string, logKeys [][]byte) (Checkpoint, *Note, error) {
	n, err := ParseNote(note)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	c, err := ParseCheckpointText(n.Text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if err := verifySigned(n.Text, n.Signatures, c.Origin.String(), logKeys); err != nil {
		return Checkpoint{}, nil, fmt.Errorf("checkpoint: %w", err)
	}
	return c, n, nil
}

// CosignatureMessage returns what a witness signs: that at a time, in seconds
// since 1970 UTC, the log had this checkpoint (C2SP tlog-cosignature, "Ed25519
// signed message").
func CosignatureMessage(checkpointText string, time int64) []byte {
	return []byte("cosignature/v1\ntime " + strconv.FormatInt(time, 10) + "\n" + checkpointText)
}

// CosignatureBytes puts time and Ed25519 signature together as they stand
// after the key hash: eight bytes, big endian, then 64.
func CosignatureBytes(time int64, sig []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(time)), sig...)
}

// VerifyCosignature returns the time at which the witness of that name (see
// [liaison.Office.WitnessKey]) cosigned the checkpoint in the note, in seconds
// since 1970 UTC: the latest, where it did so more than once. It is
// [ErrNotCosigned] where no signature claims one of the keys.
func VerifyCosignature(n *Note, witness string, keys [][]byte) (time int64, err error) {
	err = fmt.Errorf("%w by %s", ErrNotCosigned, witness)
	for _, s := range n.Signatures {
		key := keyOf(s, witness, keys, typeCosignature)
		if key == nil {
			continue
		}
		t, ok := verifyCosignature(n.Text, key, s.Sig)
		if !ok {
			return 0, fmt.Errorf("the cosignature of %s (key %08x) is wrong", witness, s.Hash)
		}
		time, err = max(time, t), nil
	}
	return time, err
}

// ErrNotCosigned says that a note has no cosignature of the witness asked for.
var ErrNotCosigned = fmt.Errorf("not cosigned")

func verifyCosignature(text string, key ed25519.PublicKey, sig []byte) (time int64, ok bool) {
	if len(sig) != 8+ed25519.SignatureSize {
		return 0, false
	}
	t := binary.BigEndian.Uint64(sig)
	if t > math.MaxInt64 {
		return 0, false
	}
	return int64(t), ed25519.Verify(key, CosignatureMessage(text, int64(t)), sig[8:])
}
