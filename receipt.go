package liaison

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// ReceiptVersion is the value of a receipt's member v.
const ReceiptVersion = "receipt/1"

// Receipt proves offline that an office accepted an act and, hop by hop, that
// further offices did: act, batch proof, and per office a leaf with its
// inclusion proof under a signed, cosigned checkpoint. Package ledger verifies.
type Receipt struct {
	V         string         `json:"v"` // ReceiptVersion
	Act       Act            `json:"act"`
	Batch     BatchProof     `json:"batch"`
	Hops      []Hop          `json:"hops"`            // the way of the act; the act's office first
	Keys      Keys           `json:"keys"`            // signed objects that chain every key used to the authority
	Programme jsontext.Value `json:"programme"`       // the signed programme version the act names
	Object    *Sealed        `json:"object,omitzero"` // on request: what the commitment was made of
}

// Hop is an office's leaf for the act, included in a checkpoint of its log.
type Hop struct {
	Leaf       Leaf   `json:"leaf"`
	Index      uint64 `json:"index"`
	Path       []Hash `json:"path"`       // RFC 6962 audit path, leaf to root
	Checkpoint string `json:"checkpoint"` // C2SP signed note with cosignatures
}

// Keys are the control objects needed to check the signatures of a receipt.
// They prove nothing by themselves: the verifier pins the authority.
type Keys struct {
	Authority jsontext.Value   `json:"authority,omitzero"`
	Offices   []jsontext.Value `json:"offices"`
}

// Sealed is an object with the salt of its commitment.
type Sealed struct {
	Salt  Hash   `json:"salt"`
	Bytes Binary `json:"bytes"`
}

// Travels is an act as it is carried between offices.
type Travels struct {
	Act     Act            `json:"act"`
	Batch   BatchProof     `json:"batch"`
	Salt    Hash           `json:"salt,omitzero"`  // absent after erasure
	Bytes   Binary         `json:"bytes,omitzero"` // absent after erasure, or where the receiver sent them
	Consent jsontext.Value `json:"consent,omitzero"`
	Hops    []Hop          `json:"hops"`
}

// ParseReceipt decodes a receipt and checks the rules of the format. White
// space is allowed: a receipt is mailed and kept in files.
func ParseReceipt(b []byte) (*Receipt, error) {
	r := new(Receipt)
	if err := parseStrict(b, r); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	if r.V != ReceiptVersion {
		return nil, fmt.Errorf("receipt: v is %.20q, want %q", r.V, ReceiptVersion)
	}
	if err := r.Act.check(); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	for i := range r.Hops {
		if err := r.Hops[i].Leaf.check(); err != nil {
			return nil, fmt.Errorf("receipt: hops/%d: %w", i, err)
		}
	}
	return r, nil
}
