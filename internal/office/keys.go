package office

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/durable"
	"github.com/liaison-office/liaison/ledger"
)

// Keys are an office's private keys, one for each use. On disk each is a file
// keys/<use>.seed: the 32-byte Ed25519 seed in base64, readable by the owner
// only. They are never logged, relayed or backed up with the store.
type Keys struct {
	office  liaison.Office
	log     ed25519.PrivateKey
	witness ed25519.PrivateKey
	act     ed25519.PrivateKey
	relay   ed25519.PrivateKey
	cursor  ed25519.PrivateKey // its seed seals cursors; never published
}

var keyUses = []liaison.KeyUse{liaison.UseLog, liaison.UseWitness, liaison.UseAct, liaison.UseRelay, "cursor"}

func (k *Keys) of(use liaison.KeyUse) *ed25519.PrivateKey {
	switch use {
	case liaison.UseLog:
		return &k.log
	case liaison.UseWitness:
		return &k.witness
	case liaison.UseAct:
		return &k.act
	case liaison.UseRelay:
		return &k.relay
	}
	return &k.cursor
}

func seedFile(use liaison.KeyUse) string { return string(use) + ".seed" }

// exposedKeys returns the files of keys that others than their owner can read.
func exposedKeys(dir string) (paths []string) {
	for _, use := range keyUses {
		path := filepath.Join(dir, seedFile(use))
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			paths = append(paths, path)
		}
	}
	return paths
}

// NewKeys makes the keys of an office in a folder that has none.
func NewKeys(dir string, office liaison.Office) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, use := range keyUses {
		if err := newSeed(filepath.Join(dir, seedFile(use))); err != nil {
			return nil, err
		}
	}
	return LoadKeys(dir, office)
}

func newSeed(path string) error {
	var seed [ed25519.SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return err
	}
	err := durable.Create(path, []byte(base64.StdEncoding.EncodeToString(seed[:])+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: keys are never overwritten", path)
	}
	return err
}

// LoadKeys reads the keys of an office.
func LoadKeys(dir string, office liaison.Office) (*Keys, error) {
	k := &Keys{office: office}
	for _, use := range keyUses {
		path := filepath.Join(dir, seedFile(use))
		key, err := loadSeed(path)
		if err != nil {
			return nil, err
		}
		*k.of(use) = key
	}
	return k, nil
}

func loadSeed(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	seed, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s does not hold a key (32 bytes in base64)", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func public(k ed25519.PrivateKey) []byte { return k.Public().(ed25519.PublicKey) }

// Public returns the public keys, counting from an instant.
func (k *Keys) Public(from liaison.Instant) []liaison.OfficeKey {
	var list []liaison.OfficeKey
	for _, use := range keyUses[:4] {
		list = append(list, liaison.OfficeKey{Use: use, Key: public(*k.of(use)), From: from})
	}
	return list
}

// SignAct implements journal.Signer.
func (k *Keys) SignAct(text string) liaison.Binary {
	return signature(ledger.ActKeyHash(k.office.ActKey(), public(k.act)), ed25519.Sign(k.act, []byte(text)))
}

// SignCheckpoint implements journal.Signer.
func (k *Keys) SignCheckpoint(origin liaison.Origin, text string) string {
	name := origin.String()
	sig := signature(ledger.LogKeyHash(name, public(k.log)), ed25519.Sign(k.log, []byte(text)))
	return text + "\n" + line(name, sig)
}

// Cosign returns the signature line by which this office's witness key says
// that it saw a checkpoint at a time (C2SP tlog-cosignature v1), without its
// newline.
func (k *Keys) Cosign(text string, unix int64) string {
	name := k.office.WitnessKey()
	sig := ed25519.Sign(k.witness, ledger.CosignatureMessage(text, unix))
	return strings.TrimSuffix(line(name, signature(ledger.WitnessKeyHash(name, public(k.witness)), ledger.CosignatureBytes(unix, sig))), "\n")
}

// signature is the C2SP signed-note form: the key hash, then the signature.
func signature(hash uint32, sig []byte) liaison.Binary {
	return append(binary.BigEndian.AppendUint32(nil, hash), sig...)
}

func line(name string, sig liaison.Binary) string {
	return "— " + name + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
}

// SigningKey is one of an authority's keys.
type SigningKey struct {
	Name string
	key  ed25519.PrivateKey
}

// NewSigningKey makes an authority key and writes its seed to path.
func NewSigningKey(path, name string) (*SigningKey, error) {
	if err := newSeed(path); err != nil {
		return nil, err
	}
	return LoadSigningKey(path, name)
}

// LoadSigningKey reads an authority key.
func LoadSigningKey(path, name string) (*SigningKey, error) {
	key, err := loadSeed(path)
	if err != nil {
		return nil, err
	}
	return &SigningKey{Name: name, key: key}, nil
}

// VKey returns the C2SP verifier key.
func (s *SigningKey) VKey() string { return ledger.VKey(s.Name, public(s.key)) }

// Sign returns the signature line of a text, without newline.
func (s *SigningKey) Sign(text string) string {
	sig := signature(ledger.LogKeyHash(s.Name, public(s.key)), ed25519.Sign(s.key, []byte(text)))
	return strings.TrimSuffix(line(s.Name, sig), "\n")
}

// ActSigner is the office's act key as a signing key: it signs the directed
// programmes its parties issue.
func (k *Keys) ActSigner() *SigningKey { return &SigningKey{Name: k.office.ActKey(), key: k.act} }

// SignObject adds the signatures of keys to a control object.
func SignObject(object []byte, keys ...*SigningKey) ([]byte, error) {
	text, _, err := liaison.SignedText(object)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, k := range keys {
		lines = append(lines, k.Sign(text))
	}
	return liaison.WithSignatures(object, lines...)
}

// ActKey implements journal.Signer.
func (k *Keys) ActKey() []byte { return public(k.act) }

// LogKey implements journal.Signer.
func (k *Keys) LogKey() []byte { return public(k.log) }
