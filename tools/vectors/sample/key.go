package sample

import (
	"crypto/ed25519"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// Key is an Ed25519 key with the name it signs notes under.
type Key struct {
	Name    string
	private ed25519.PrivateKey
}

// NewKey returns the key whose seed is H("liaison/sample key/" ‖ name).
func NewKey(name string) Key {
	seed := liaison.H([]byte("liaison/sample key/"), []byte(name))
	return Key{Name: name, private: ed25519.NewKeyFromSeed(seed[:])}
}

// As returns the same key under another name: a log key signs as its origin.
func (k Key) As(name string) Key { return Key{Name: name, private: k.private} }

// Seed returns the 32 bytes the key is made of.
func (k Key) Seed() []byte { return k.private.Seed() }

// Public returns the 32 bytes of the public key.
func (k Key) Public() []byte { return k.private.Public().(ed25519.PublicKey) }

// Sign signs a note's text.
func (k Key) Sign(text string) ledger.Signature {
	return ledger.Signature{
		Name: k.Name, Hash: ledger.ActKeyHash(k.Name, k.Public()),
		Sig: ed25519.Sign(k.private, []byte(text)),
	}
}

// Cosign cosigns a checkpoint's text at a time in seconds.
func (k Key) Cosign(text string, time int64) ledger.Signature {
	return ledger.Signature{
		Name: k.Name, Hash: ledger.WitnessKeyHash(k.Name, k.Public()),
		Sig: ledger.CosignatureBytes(time, ed25519.Sign(k.private, ledger.CosignatureMessage(text, time))),
	}
}

// SignObject adds the signatures of keys to a control object.
func SignObject(object []byte, keys ...Key) []byte {
	text, _, err := liaison.SignedText(object)
	must(err)
	var lines []string
	for _, k := range keys {
		lines = append(lines, k.Sign(text).String())
	}
	b, err := liaison.WithSignatures(object, lines...)
	must(err)
	return b
}

// ID returns the id of a STIX object by its type and a name.
func ID(typ, name string) stix.ID {
	h := liaison.H([]byte("liaison/sample id/"+typ+"/"), []byte(name))
	uuid := [16]byte(h[:16])
	uuid[6] = uuid[6]&0x0f | 0x40
	uuid[8] = uuid[8]&0x3f | 0x80
	return stix.NewID(typ, uuid)
}

// Random returns 32 bytes that stand for random ones.
func Random(name string) liaison.Hash { return liaison.H([]byte("liaison/sample random/" + name)) }

// At reads an instant in its text form.
func At(text string) liaison.Instant {
	i, err := liaison.ParseInstant(text)
	must(err)
	return i
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
