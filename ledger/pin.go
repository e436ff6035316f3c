package ledger

import (
	"crypto/ed25519"
	"fmt"
	"strconv"
	"strings"

	"github.com/liaison-office/liaison"
)

// MaxPinBytes bounds the text of a pin.
const MaxPinBytes = 64 << 10

// Pin is what an operator pinned: an authority's verifier keys and how many of
// them sign together.
type Pin struct {
	Keys      []string // C2SP verifier keys of type Ed25519
	Threshold int
}

// pinHeader is the first line of a pin that is neither empty nor a comment.
const pinHeader = "liaison/pin/1"

// ParsePin reads the text of a pin:
//
//	liaison/pin/1
//	threshold 2
//	key <verifier key>
//	key <verifier key>
//	key <verifier key>
//
// Empty lines and lines that start with # are skipped. An error names the line.
func ParsePin(text string) (Pin, error) {
	if len(text) > MaxPinBytes {
		return Pin{}, fmt.Errorf("pin: %d bytes, the limit is %d", len(text), MaxPinBytes)
	}
	var p Pin
	begun := false
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSuffix(line, "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		var err error
		if begun {
			err = p.parseLine(line)
		} else if begun = true; line != pinHeader {
			err = fmt.Errorf("%.40q, want %q first", line, pinHeader)
		}
		if err != nil {
			return Pin{}, fmt.Errorf("pin: line %d: %w", number, err)
		}
	}
	return p, p.check()
}

func (p *Pin) parseLine(line string) error {
	word, value, _ := strings.Cut(line, " ")
	switch word {
	case "threshold":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || p.Threshold != 0 || strconv.Itoa(n) != value {
			return fmt.Errorf("threshold %.20q: want one number from 1", value)
		}
		p.Threshold = n
		return nil
	case "key":
		p.Keys = append(p.Keys, value)
		_, err := p.signers()
		return err
	}
	return fmt.Errorf("%.40q: want threshold or key", line)
}

// String returns the text that ParsePin reads.
func (p Pin) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nthreshold %d\n", pinHeader, p.Threshold)
	for _, k := range p.Keys {
		b.WriteString("key " + k + "\n")
	}
	return b.String()
}

func (p Pin) check() error {
	switch {
	case len(p.Keys) == 0:
		return fmt.Errorf("pin: no key")
	case len(p.Keys) > liaison.MaxAuthorityKeys:
		return fmt.Errorf("pin: %d keys, the limit is %d", len(p.Keys), liaison.MaxAuthorityKeys)
	case p.Threshold < 1 || p.Threshold > len(p.Keys):
		return fmt.Errorf("pin: threshold %d with %d keys", p.Threshold, len(p.Keys))
	}
	return nil
}

// signer is a key that may sign, by its name.
type signer struct {
	name string
	key  ed25519.PublicKey
}

// signers decodes the keys and refuses one that is there twice, under whatever
// name: it would count for two.
func (p Pin) signers() ([]signer, error) {
	seen := map[string]bool{}
	var out []signer
	for i, text := range p.Keys {
		name, key, err := ParseVKey(text)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if seen[string(key)] {
			return nil, fmt.Errorf("key %d: %.120q is listed twice", i+1, text)
		}
		seen[string(key)] = true
		out = append(out, signer{name, key})
	}
	return out, nil
}

// Verify checks that at least Threshold distinct keys of the pin signed a
// control object ([liaison.SignedText]). Several lines by one key count once;
// signatures of unknown keys are ignored; a wrong signature that claims a key
// of the pin is an error.
func (p Pin) Verify(object []byte) error {
	if err := p.check(); err != nil {
		return err
	}
	signers, err := p.signers()
	if err != nil {
		return fmt.Errorf("pin: %w", err)
	}
	text, sigs, err := signatures(object)
	if err != nil {
		return err
	}
	var found, missing []string
	for _, s := range signers {
		switch ok, err := s.signed(text, sigs); {
		case err != nil:
			return err
		case ok:
			found = append(found, s.name)
		default:
			missing = append(missing, s.name)
		}
	}
	if len(found) < p.Threshold {
		return fmt.Errorf("%d of %d signatures needed, found %d: signed by [%s], not by [%s]",
			p.Threshold, len(signers), len(found), strings.Join(found, " "), strings.Join(missing, " "))
	}
	return nil
}

func (s signer) signed(text string, sigs []Signature) (bool, error) {
	hash := keyHash(s.name, typeEd25519, s.key)
	found := false
	for _, sig := range sigs {
		if sig.Name != s.name || sig.Hash != hash {
			continue
		}
		if !ed25519.Verify(s.key, []byte(text), sig.Sig) {
			return false, fmt.Errorf("the signature of %s (key %08x) is wrong", s.name, hash)
		}
		found = true
	}
	return found, nil
}

// VerifySignedBy checks that one of the keys (32 bytes each) signed a control
// object under a name: a directed programme is signed by its issuer's office
// with the name [liaison.Office.ActKey].
func VerifySignedBy(object []byte, name string, keys [][]byte) error {
	text, sigs, err := signatures(object)
	if err != nil {
		return err
	}
	return verifySigned(text, sigs, name, keys)
}

// signatures returns the text signed for a control object and its signatures.
func signatures(object []byte) (text string, sigs []Signature, err error) {
	text, lines, err := liaison.SignedText(object)
	if err != nil {
		return "", nil, err
	}
	if len(lines) > MaxNoteSignatures {
		return "", nil, fmt.Errorf("%d signatures, the limit is %d", len(lines), MaxNoteSignatures)
	}
	for i, line := range lines {
		s, err := ParseSignature(line)
		if err != nil {
			return "", nil, fmt.Errorf("/extensions/%s/signatures/%d: %w", liaison.ExtSigned, i, err)
		}
		sigs = append(sigs, s)
	}
	return text, sigs, nil
}
