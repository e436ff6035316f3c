package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/liaison-office/liaison"
)

// VerifyBatch checks that the act stands where the proof says in a batch that
// the act's office signed with one of its act keys (32 bytes each; those that
// counted at act.Accepted).
func VerifyBatch(act *liaison.Act, p liaison.BatchProof, actKeys [][]byte) error {
	if p.Size > MaxSize {
		return fmt.Errorf("batch: size %d is over %d", p.Size, uint64(MaxSize))
	}
	root, err := rootOf(act.Hash(), p.Index, p.Size, p.Path)
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	text := liaison.BatchText(act.Office, act.Collection, p.Size, root)
	if err := verifyOne(text, p.Sig, act.Office.ActKey(), actKeys); err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	return nil
}

// VerifyEvidence checks evidence and that the office it names signed it with
// one of its act keys (32 bytes each; those that counted at Evidence.At).
func VerifyEvidence(e liaison.SignedEvidence, actKeys [][]byte) error {
	if err := e.Evidence.Check(); err != nil {
		return err
	}
	if _, err := liaison.ParseOffice(string(e.Evidence.Office)); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	text := liaison.EvidenceText(&e.Evidence)
	if err := verifyOne(text, e.Sig, e.Evidence.Office.ActKey(), actKeys); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

// verifyOne checks a signature kept apart from its note: key hash and Ed25519
// signature.
func verifyOne(text string, sig []byte, name string, keys [][]byte) error {
	if len(sig) < 5 {
		return fmt.Errorf("the signature of %s has %d bytes, want 68", name, len(sig))
	}
	s := Signature{Name: name, Hash: binary.BigEndian.Uint32(sig), Sig: sig[4:]}
	return verifySigned(text, []Signature{s}, name, keys)
}
