package relay

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/liaison-office/liaison"
)

// ALPN names the protocol in the TLS handshake (RFC 7301), ALPN1 its first
// version: that lacks recall and recalled, and follow and refusal have no members
// of version 2. Each side offers what it speaks, and the later common one counts.
const (
	ALPN  = "liaison-relay/2"
	ALPN1 = "liaison-relay/1"
)

// certificate wraps a relay key for TLS. Nothing in it is looked at but the key.
func certificate(key ed25519.PrivateKey) (tls.Certificate, error) {
	if len(key) != ed25519.PrivateKeySize {
		return tls.Certificate{}, fmt.Errorf("relay key has %d bytes, want %d", len(key), ed25519.PrivateKeySize)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "liaison relay"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("relay certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// tlsConfig pins: known is asked about the key that the other side presents and
// proves to hold. No certificate authority and no name takes part.
func (r *Relay) tlsConfig(known func(key []byte) bool) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{r.cert},
		MinVersion:             tls.VersionTLS13,
		NextProtos:             r.protocols,
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // VerifyConnection pins the key
		SessionTicketsDisabled: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if !slices.Contains(r.protocols, cs.NegotiatedProtocol) {
				return fmt.Errorf("relay: the other side does not speak %s", r.protocols[0])
			}
			key, err := presented(cs)
			if err != nil {
				return err
			}
			if !known(key) {
				return &strangerError{Fingerprint(key)}
			}
			return nil
		},
	}
}

// presented returns the Ed25519 key of the certificate the other side showed.
func presented(cs tls.ConnectionState) ([]byte, error) {
	if len(cs.PeerCertificates) == 0 {
		return nil, fmt.Errorf("relay: the other side showed no certificate")
	}
	key, ok := cs.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("relay: the other side's key is not Ed25519")
	}
	return key, nil
}

// strangerError says that a connection was made with a key nobody confirmed.
type strangerError struct{ fingerprint string }

func (e *strangerError) Error() string {
	return "relay: unknown key, fingerprint " + e.fingerprint
}

// Fingerprint names a relay key in logs: the first 16 bytes of its SHA-256 in
// groups of four hexadecimal digits.
func Fingerprint(key []byte) string {
	h := liaison.H(key)
	var groups []string
	for g := range slices.Chunk([]byte(hex.EncodeToString(h[:16])), 4) {
		groups = append(groups, string(g))
	}
	return strings.Join(groups, " ")
}

// holds reports whether key is one of the peer's.
func (p Peer) holds(key []byte) bool {
	return slices.ContainsFunc(p.Keys, func(k []byte) bool {
		return len(k) == ed25519.PublicKeySize && bytes.Equal(k, key)
	})
}

// owner finds the neighbour a key belongs to. Want, if not empty, is the only
// one that will do.
func (r *Relay) owner(key []byte, want liaison.Office) (liaison.Office, bool) {
	for _, p := range r.peers() {
		if p.holds(key) && p.Office != r.cfg.Office && (want == "" || want == p.Office) {
			return p.Office, true
		}
	}
	return "", false
}

// secure shakes hands and returns the neighbour that proved who it is. Want is
// the office that was dialled, empty for a connection that came in.
func (r *Relay) secure(ctx context.Context, conn net.Conn, want liaison.Office) (*tls.Conn, liaison.Office, []byte, error) {
	cfg := r.tlsConfig(func(key []byte) bool { _, ok := r.owner(key, want); return ok })
	var tc *tls.Conn
	if want == "" {
		tc = tls.Server(conn, cfg)
	} else {
		tc = tls.Client(conn, cfg)
	}
	if err := tc.HandshakeContext(ctx); err != nil {
		return nil, "", nil, err
	}
	key, err := presented(tc.ConnectionState())
	if err != nil {
		return nil, "", nil, err
	}
	office, ok := r.owner(key, want)
	if !ok {
		return nil, "", nil, &strangerError{Fingerprint(key)}
	}
	return tc, office, key, nil
}

// maxStrangers bounds how many fingerprints are remembered as logged.
const maxStrangers = 1000

// logStranger reports an unknown key once.
func (r *Relay) logStranger(e *strangerError, remote string) {
	r.mu.Lock()
	seen := r.strangers[e.fingerprint] || len(r.strangers) >= maxStrangers
	if !seen {
		r.strangers[e.fingerprint] = true
	}
	r.mu.Unlock()
	if !seen {
		r.cfg.Log.Warn("relay connection with an unknown key", "fingerprint", e.fingerprint, "remote", remote)
	}
}

// lively ends a connection on which no byte came, or could be sent, for
// deadAfter.
type lively struct{ net.Conn }

func (l lively) Read(b []byte) (int, error) {
	_ = l.SetReadDeadline(time.Now().Add(deadAfter)) // a closed connection says so at Read
	return l.Conn.Read(b)
}

func (l lively) Write(b []byte) (int, error) {
	_ = l.SetWriteDeadline(time.Now().Add(deadAfter))
	return l.Conn.Write(b)
}
