package liaison

import (
	"fmt"
	"strconv"
)

// BatchText is the text an office signs for the acts of one collection and one
// transaction: a C2SP signed note by the key Office.ActKey over
//
//	liaison/batch/1
//	<office>
//	<collection>
//	<size>
//	<base64 root of the RFC 6962 tree over JCS(act), in log order>
func BatchText(o Office, c CollectionID, size uint64, root Hash) string {
	return "liaison/batch/1\n" + string(o) + "\n" + c.String() + "\n" + strconv.FormatUint(size, 10) + "\n" + root.String() + "\n"
}

// BatchProof places an act in its signed batch. Sig is the note signature: four
// bytes of key hash, then the Ed25519 signature.
type BatchProof struct {
	Index uint64 `json:"index"`
	Size  uint64 `json:"size"`
	Path  []Hash `json:"path"` // RFC 6962 audit path, leaf to root
	Sig   Binary `json:"sig"`
}

// EvidenceText is the text an office signs for evidence outside the logs: a
// C2SP signed note by the key Office.ActKey over "liaison/evidence/1\n", the
// JCS of the evidence and a newline.
func EvidenceText(e *Evidence) string { return "liaison/evidence/1\n" + string(JCS(e)) + "\n" }

// Verdict is what an office that did not append an act did with it.
type Verdict string

// The verdicts.
const (
	VerdictHeld    Verdict = "held"    // kept for a person; the bytes are fetched again
	VerdictRefused Verdict = "refused" // will not be appended here
)

// Evidence says that an office held or refused an act, and by which rule
// (ETSI EN 319 522: relay rejection). It is carried back to the act's office.
type Evidence struct {
	V       string  `json:"v"` // EvidenceVersion
	Act     Hash    `json:"act"`
	Office  Office  `json:"office"`
	Verdict Verdict `json:"verdict"`
	Rule    string  `json:"rule"`
	At      Instant `json:"at"`
}

// EvidenceVersion is the value of an evidence's member v.
const EvidenceVersion = "evidence/1"

// SignedEvidence carries evidence with its note signature.
type SignedEvidence struct {
	Evidence Evidence `json:"evidence"`
	Sig      Binary   `json:"sig"`
}

// Check tests the rules of the format.
func (e *Evidence) Check() error {
	switch {
	case e.V != EvidenceVersion:
		return fmt.Errorf("evidence: v is %.20q, want %q", e.V, EvidenceVersion)
	case e.Verdict != VerdictHeld && e.Verdict != VerdictRefused:
		return fmt.Errorf("evidence: unknown verdict %.20q", e.Verdict)
	case e.Act.IsZero() || e.At.IsZero() || e.Rule == "":
		return fmt.Errorf("evidence: act, at and rule are required")
	}
	return nil
}
