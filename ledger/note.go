package ledger

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/liaison-office/liaison"
)

// Limits of a signed note. Sixteen post-quantum signatures of five kilobytes
// fit in.
const (
	MaxNoteBytes      = 256 << 10
	MaxNoteSignatures = 100
)

// Signature types (C2SP signed-note, "Signature types").
const (
	typeEd25519     = 0x01
	typeCosignature = 0x04
)

// Note is a C2SP signed note, split but not verified. All signatures are kept,
// those of unknown keys too.
type Note struct {
	Text       string // ends in a newline
	Signatures []Signature
}

// Signature is one signature line of a note.
type Signature struct {
	Name string // key name
	Hash uint32 // key hash: with Name it says which key, and of which type
	Sig  []byte // what follows the key hash
}

// ParseNote splits a note into its text and signatures (C2SP signed-note,
// "Format"). An error names the line, counted from 1.
func ParseNote(note string) (*Note, error) {
	if len(note) > MaxNoteBytes {
		return nil, fmt.Errorf("note: %d bytes, the limit is %d", len(note), MaxNoteBytes)
	}
	if line, reason := badText(note); reason != "" {
		return nil, fmt.Errorf("note: line %d: %s", line, reason)
	}
	cut := strings.LastIndex(note, "\n\n")
	if cut < 0 {
		return nil, fmt.Errorf("note: no blank line before signatures")
	}
	n := &Note{Text: note[:cut+1]}
	lines, ended := strings.CutSuffix(note[cut+2:], "\n")
	first := strings.Count(n.Text, "\n") + 2
	if !ended {
		return nil, fmt.Errorf("note: line %d: no signature line with a newline at its end", first+strings.Count(lines, "\n"))
	}
	for i, line := range strings.Split(lines, "\n") {
		if i == MaxNoteSignatures {
			return nil, fmt.Errorf("note: line %d: more than %d signatures", first+i, MaxNoteSignatures)
		}
		s, err := ParseSignature(line)
		if err != nil {
			return nil, fmt.Errorf("note: line %d: %w", first+i, err)
		}
		n.Signatures = append(n.Signatures, s)
	}
	return n, nil
}

// badText finds the first line that a note must not have.
func badText(s string) (line int, reason string) {
	line = 1
	for i, r := range s {
		switch {
		case r == '\n':
			line++
		case r < 0x20:
			return line, fmt.Sprintf("control character %U", r)
		case r == utf8.RuneError:
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return line, "not UTF-8"
			}
		}
	}
	return 0, ""
}

// ParseSignature reads one signature line, without its newline.
func ParseSignature(line string) (Signature, error) {
	rest, dash := strings.CutPrefix(line, "— ")
	name, b64, space := strings.Cut(rest, " ")
	if !dash || !space || !validName(name) {
		return Signature{}, fmt.Errorf("%.80q is not a signature line (— name base64)", line)
	}
	sig, err := decode(b64)
	if err != nil || len(sig) < 5 {
		return Signature{}, fmt.Errorf("signature of %.80q is not base64 of a key hash and a signature", name)
	}
	return Signature{Name: name, Hash: binary.BigEndian.Uint32(sig), Sig: sig[4:]}, nil
}

// String returns the signature line, without a newline.
func (s Signature) String() string {
	return "— " + s.Name + " " + base64.StdEncoding.EncodeToString(s.Bytes())
}

// Bytes returns the key hash and the signature: what a line has in base64.
func (s Signature) Bytes() []byte {
	return append(binary.BigEndian.AppendUint32(nil, s.Hash), s.Sig...)
}

func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		return r == '+' || r < 0x20 || unicode.IsSpace(r)
	})
}

func decode(s string) ([]byte, error) {
	var b liaison.Binary
	err := b.UnmarshalText([]byte(s))
	return b, err
}

// String returns the note as it is written.
func (n *Note) String() string {
	var b strings.Builder
	b.WriteString(n.Text + "\n")
	for _, s := range n.Signatures {
		b.WriteString(s.String() + "\n")
	}
	return b.String()
}

// verifySigned checks that at least one of the Ed25519 keys signed text under
// name. A signature that claims one of them and is wrong is an error.
func verifySigned(text string, sigs []Signature, name string, keys [][]byte) error {
	found := false
	for _, s := range sigs {
		key := keyOf(s, name, keys, typeEd25519)
		if key == nil {
			continue
		}
		if !ed25519.Verify(key, []byte(text), s.Sig) {
			return fmt.Errorf("the signature of %s (key %08x) is wrong", name, s.Hash)
		}
		found = true
	}
	if !found {
		return fmt.Errorf("no signature of %s by a key that counts (%d known)", name, len(keys))
	}
	return nil
}

// keyOf returns the key a signature claims to be made with, or nil.
func keyOf(s Signature, name string, keys [][]byte, typ byte) ed25519.PublicKey {
	if s.Name != name {
		return nil
	}
	for _, k := range keys {
		if len(k) == ed25519.PublicKeySize && keyHash(name, typ, k) == s.Hash {
			return k
		}
	}
	return nil
}

// keyHash is the key ID of C2SP signed-note: the first four bytes of
// SHA-256(name ‖ "\n" ‖ type ‖ key).
func keyHash(name string, typ byte, key []byte) uint32 {
	h := liaison.H([]byte(name), []byte{'\n', typ}, key)
	return binary.BigEndian.Uint32(h[:4])
}

// LogKeyHash returns the key hash of an Ed25519 key that signs checkpoints; the
// name is the origin.
func LogKeyHash(name string, key []byte) uint32 { return keyHash(name, typeEd25519, key) }

// ActKeyHash returns the key hash of an Ed25519 key that signs plain notes:
// batches and evidence (name [liaison.Office.ActKey]) and control objects.
func ActKeyHash(name string, key []byte) uint32 { return keyHash(name, typeEd25519, key) }

// WitnessKeyHash returns the key hash of an Ed25519 key that cosigns checkpoints
// (C2SP tlog-cosignature, type 0x04).
func WitnessKeyHash(name string, key []byte) uint32 { return keyHash(name, typeCosignature, key) }

// VKey returns the C2SP verifier key text of an Ed25519 key that signs notes:
// name+hash+base64(0x01 ‖ key).
func VKey(name string, key []byte) string { return vkey(name, typeEd25519, key) }

// WitnessVKey returns the C2SP verifier key text of a key that cosigns
// checkpoints: name+hash+base64(0x04 ‖ key).
func WitnessVKey(name string, key []byte) string { return vkey(name, typeCosignature, key) }

func vkey(name string, typ byte, key []byte) string {
	b := append([]byte{typ}, key...)
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, typ, key), base64.StdEncoding.EncodeToString(b))
}

// ParseVKey reads what VKey wrote and returns the name and the 32 bytes of the
// Ed25519 key. Keys of other types are refused.
func ParseVKey(s string) (name string, key []byte, err error) {
	name, rest, _ := strings.Cut(s, "+")
	hash, b64, _ := strings.Cut(rest, "+")
	b, err := decode(b64)
	switch {
	case !validName(name) || err != nil || len(b) == 0:
		return "", nil, fmt.Errorf("verifier key %.120q: want name+hash+base64", s)
	case b[0] != typeEd25519 || len(b) != 1+ed25519.PublicKeySize:
		return "", nil, fmt.Errorf("verifier key %.120q: want an Ed25519 key (type 0x01, 32 bytes)", s)
	case fmt.Sprintf("%08x", keyHash(name, typeEd25519, b[1:])) != hash:
		return "", nil, fmt.Errorf("verifier key %.120q: the hash does not fit the name and key", s)
	}
	return name, bytes.Clone(b[1:]), nil
}
