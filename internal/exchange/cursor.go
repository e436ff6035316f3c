package exchange

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/taxii"
)

// CursorLife is how long next can be used. It is rounded up to an hour, so
// that the same page gives the same token for a while.
const CursorLife = 24 * time.Hour

// sealer makes next: the position and its expiry, encrypted and bound to
// principal, collection and filter. The nonce follows from the contents (as in
// SIV modes), so that equal cursors are equal bytes and no randomness is spent.
type sealer struct {
	aead  cipher.AEAD
	nonce []byte // key of the HMAC that derives nonces
	now   func() time.Time
}

func newSealer(key [32]byte, now func() time.Time) *sealer {
	derive := func(label string) []byte {
		m := hmac.New(sha256.New, key[:])
		m.Write([]byte("liaison/next/1/" + label))
		return m.Sum(nil)
	}
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size GCM wants
	}
	return &sealer{aead: aead, nonce: derive("nonce"), now: now}
}

func cursorBinding(principal, collection, filter string) string {
	return principal + "\x00" + collection + "\x00" + filter
}

// place is where reading goes on in a log.
type place struct {
	index      uint64
	generation uint32          // of the log then: in another one the index says nothing
	seen       liaison.Instant // added of the last entry of the page
}

func (s *sealer) seal(at place, bound string) string {
	expiry := s.now().Add(CursorLife).Truncate(time.Hour).Add(time.Hour)
	plain := binary.BigEndian.AppendUint64(nil, at.index)
	plain = binary.BigEndian.AppendUint64(plain, uint64(expiry.Unix()))
	plain = binary.BigEndian.AppendUint32(plain, at.generation)
	plain = binary.BigEndian.AppendUint64(plain, uint64(at.seen))
	m := hmac.New(sha256.New, s.nonce)
	m.Write(plain)
	m.Write([]byte(bound))
	nonce := m.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, []byte(bound)))
}

// open returns the position, or taxii.ErrBadNext whatever is wrong.
func (s *sealer) open(token, bound string) (at place, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	n := s.aead.NonceSize()
	if err != nil || len(raw) < n {
		return at, taxii.ErrBadNext
	}
	plain, err := s.aead.Open(nil, raw[:n], raw[n:], []byte(bound))
	if err != nil || len(plain) != 28 {
		return at, taxii.ErrBadNext
	}
	if s.now().Unix() > int64(binary.BigEndian.Uint64(plain[8:])) {
		return at, taxii.ErrBadNext
	}
	at.index = binary.BigEndian.Uint64(plain)
	at.generation = binary.BigEndian.Uint32(plain[16:])
	at.seen = liaison.Instant(binary.BigEndian.Uint64(plain[20:]))
	return at, nil
}
