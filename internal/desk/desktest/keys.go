package desktest

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
)

// key derives an Ed25519 key from what it is called.
func key(name string) ed25519.PrivateKey {
	seed := liaison.H([]byte("desktest key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(k ed25519.PrivateKey) []byte { return k.Public().(ed25519.PublicKey) }

// signature is the C2SP signed-note form: the key hash, then the signature.
func signature(hash uint32, sig []byte) liaison.Binary {
	return append(binary.BigEndian.AppendUint32(nil, hash), sig...)
}

func line(name string, sig liaison.Binary) string {
	return "— " + name + " " + base64.StdEncoding.EncodeToString(sig)
}

// Keys are an office's keys; they implement journal.Signer.
type Keys struct {
	Office                   liaison.Office
	Act, Log, Witness, Relay ed25519.PrivateKey
}

// NewKeys returns the keys of an office: the same for the same name.
func NewKeys(o liaison.Office) *Keys {
	n := string(o)
	return &Keys{Office: o, Act: key(n + "/act"), Log: key(n + "/log"), Witness: key(n + "/witness"), Relay: key(n + "/relay")}
}

// SignAct implements journal.Signer.
func (k *Keys) SignAct(text string) liaison.Binary {
	return signature(ledger.ActKeyHash(k.Office.ActKey(), public(k.Act)), ed25519.Sign(k.Act, []byte(text)))
}

// ActKey implements journal.Signer.
func (k *Keys) ActKey() []byte { return public(k.Act) }

// LogKey is the public key of SignCheckpoint.
func (k *Keys) LogKey() []byte { return public(k.Log) }

// SignCheckpoint implements journal.Signer.
func (k *Keys) SignCheckpoint(origin liaison.Origin, text string) string {
	name := origin.String()
	sig := signature(ledger.LogKeyHash(name, public(k.Log)), ed25519.Sign(k.Log, []byte(text)))
	return text + "\n" + line(name, sig) + "\n"
}

// Cosign returns the signature line of a witness, without newline.
func (k *Keys) Cosign(text string, unix int64) string {
	name := k.Office.WitnessKey()
	sig := ed25519.Sign(k.Witness, ledger.CosignatureMessage(text, unix))
	return line(name, signature(ledger.WitnessKeyHash(name, public(k.Witness)), ledger.CosignatureBytes(unix, sig)))
}

// Public returns the public keys, counting from an instant.
func (k *Keys) Public(from liaison.Instant) []liaison.OfficeKey {
	return []liaison.OfficeKey{
		{Use: liaison.UseLog, Key: public(k.Log), From: from},
		{Use: liaison.UseWitness, Key: public(k.Witness), From: from},
		{Use: liaison.UseAct, Key: public(k.Act), From: from},
		{Use: liaison.UseRelay, Key: public(k.Relay), From: from},
	}
}

// SignObject signs a control object as an office does: a directed programme.
func (k *Keys) SignObject(object []byte) []byte {
	return signObject(object, k.Office.ActKey(), k.Act)
}

func signObject(object []byte, name string, k ed25519.PrivateKey) []byte {
	text, _, err := liaison.SignedText(object)
	if err != nil {
		panic(err)
	}
	sig := signature(ledger.ActKeyHash(name, public(k)), ed25519.Sign(k, []byte(text)))
	signed, err := liaison.WithSignatures(object, line(name, sig))
	if err != nil {
		panic(err)
	}
	return signed
}

func authorityName(i int) string { return fmt.Sprintf("alliance.example.org/authority/%d", i) }

// Pin is what every office pins: two of three keys sign together.
func Pin() ledger.Pin {
	p := ledger.Pin{Threshold: 2}
	for i := range 3 {
		p.Keys = append(p.Keys, ledger.VKey(authorityName(i), public(key(authorityName(i)))))
	}
	return p
}

// SignBy signs a control object with the authority keys of these numbers, from
// 0 to 2; further numbers are keys nobody pinned.
func SignBy(object []byte, keys ...int) []byte {
	for _, i := range keys {
		object = signObject(object, authorityName(i), key(authorityName(i)))
	}
	return object
}

// Sign signs with two of the three keys.
func Sign(object []byte) []byte { return SignBy(object, 0, 2) }
