package sample

import (
	"github.com/liaison-office/liaison"
)

// Office is an office with its four keys and its object.
type Office struct {
	Name                     liaison.Office
	Log, Witness, Act, Relay Key
	Object                   []byte // signed by two keys of the authority
}

// founded is when the alliance's keys begin to count.
const founded = "2025-12-01T00:00:00.000000Z"

func newOffice(name liaison.Office, authority ...Key) *Office {
	o := &Office{
		Name: name,
		Log:  NewKey(string(name) + "/log"), Witness: NewKey(name.WitnessKey()),
		Act: NewKey(name.ActKey()), Relay: NewKey(string(name) + "/relay"),
	}
	o.Object = SignObject(liaison.JCS(o.object()), authority...)
	return o
}

func (o *Office) object() *liaison.OfficeObject {
	key := func(use liaison.KeyUse, k Key) liaison.OfficeKey {
		return liaison.OfficeKey{Use: use, Key: k.Public(), From: At(founded)}
	}
	return liaison.NewOfficeObject(ID("office", string(o.Name)), o.Name, []liaison.OfficeKey{
		key(liaison.UseLog, o.Log), key(liaison.UseWitness, o.Witness),
		key(liaison.UseAct, o.Act), key(liaison.UseRelay, o.Relay),
	}, []string{string(o.Name) + ":7420"}, At(founded))
}

// Open starts the office's log of a collection in its first generation.
func (o *Office) Open(c liaison.CollectionID) *Log {
	return &Log{Office: o, Origin: liaison.Origin{Office: o.Name, Collection: c, Generation: 1}}
}

// Batch signs acts of one collection and returns the proof of each.
func (o *Office) Batch(acts ...*liaison.Act) []liaison.BatchProof {
	hashes := make([]liaison.Hash, len(acts))
	for i, a := range acts {
		hashes[i] = a.Hash()
	}
	text := o.batchText(acts[0].Collection, hashes)
	proofs := make([]liaison.BatchProof, len(acts))
	for i := range proofs {
		proofs[i] = liaison.BatchProof{
			Index: uint64(i), Size: uint64(len(acts)),
			Path: path(hashes, i), Sig: o.Act.Sign(text).Bytes(),
		}
	}
	return proofs
}
