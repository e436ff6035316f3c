package office

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/durable"
	"github.com/liaison-office/liaison/ledger"
)

// Card introduces an office to a neighbour before the charters did: its name,
// the address of its relay and its public keys. As text it is a C2SP signed
// note by the office's own act key:
//
//	liaison/card/1
//	office <name>
//	address <host:port>          (absent if it only dials)
//	log|witness|act|relay <base64 of the public key>
//
// Nobody trusts a card for its signature: both operators compare Fingerprint.
type Card struct {
	Office  liaison.Office
	Address string
	Keys    map[liaison.KeyUse][]byte
}

const (
	cardHeader = "liaison/card/1"
	cardSuffix = ".card" // of the files in peers/
)

// Text returns the text that is signed.
func (c *Card) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\noffice %s\n", cardHeader, c.Office)
	if c.Address != "" {
		fmt.Fprintf(&b, "address %s\n", c.Address)
	}
	for _, use := range keyUses[:4] {
		fmt.Fprintf(&b, "%s %s\n", use, base64.StdEncoding.EncodeToString(c.Keys[use]))
	}
	return b.String()
}

// Fingerprint is what the operators compare: the first 16 bytes of the SHA-256
// of the text, in groups of four hexadecimal digits.
func (c *Card) Fingerprint() string {
	h := liaison.H([]byte(c.Text()))
	digits := hex.EncodeToString(h[:16])
	var groups []string
	for g := range slices.Chunk([]byte(digits), 4) {
		groups = append(groups, string(g))
	}
	return strings.Join(groups, " ")
}

// Card returns the card of the office that holds the keys.
func (k *Keys) Card(address string) *Card {
	c := &Card{Office: k.office, Address: address, Keys: map[liaison.KeyUse][]byte{}}
	for _, use := range keyUses[:4] {
		c.Keys[use] = public(*k.of(use))
	}
	return c
}

// SignedCard returns the card as it is handed over.
func (k *Keys) SignedCard(address string) string {
	text := k.Card(address).Text()
	return text + "\n" + line(k.office.ActKey(), k.SignAct(text))
}

// ParseCard reads a signed card and checks that its own act key signed it.
func ParseCard(note string) (*Card, error) {
	n, err := ledger.ParseNote(note)
	if err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	c, err := parseCardText(n.Text)
	if err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	if c.Text() != n.Text {
		return nil, fmt.Errorf("card: lines are missing, repeated or out of order")
	}
	if err := ledger.VerifyNote(n, c.Office.ActKey(), [][]byte{c.Keys[liaison.UseAct]}); err != nil {
		return nil, fmt.Errorf("card of %s: %w", c.Office, err)
	}
	return c, nil
}

func parseCardText(text string) (*Card, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != cardHeader {
		return nil, fmt.Errorf("line 1: want %q", cardHeader)
	}
	c := &Card{Keys: map[liaison.KeyUse][]byte{}}
	for i, l := range lines[1:] {
		name, value, _ := strings.Cut(l, " ")
		if err := c.set(name, value); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	if c.Office == "" || len(c.Keys) != 4 {
		return nil, fmt.Errorf("want the office and its four keys")
	}
	return c, nil
}

func (c *Card) set(name, value string) (err error) {
	switch use := liaison.KeyUse(name); use {
	case "office":
		c.Office, err = liaison.ParseOffice(value)
	case "address":
		c.Address, err = value, checkReachable(value)
	case liaison.UseLog, liaison.UseWitness, liaison.UseAct, liaison.UseRelay:
		key, err := base64.StdEncoding.Strict().DecodeString(value)
		if err != nil || len(key) != 32 {
			return fmt.Errorf("%s is not a public key (32 bytes in base64)", name)
		}
		c.Keys[use] = key
	default:
		return fmt.Errorf("unknown word %.20q", name)
	}
	return err
}

// AddPeer keeps a neighbour's card. The operators have compared fingerprints.
func AddPeer(dir, note string) (*Card, error) {
	c, err := ParseCard(note)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, peersDir), 0o700); err != nil {
		return nil, err
	}
	return c, durable.WriteFile(filepath.Join(dir, peersDir, string(c.Office)+cardSuffix), []byte(note))
}

// LoadPeers reads the cards of the neighbours, by name. The error names files
// that cannot be read or are not named after their office, so that each office
// has one card; the others are returned all the same.
func LoadPeers(dir string) ([]*Card, error) {
	paths, err := filepath.Glob(filepath.Join(dir, peersDir, "*"+cardSuffix))
	if err != nil {
		return nil, err
	}
	var cards []*Card
	var bad []error
	for _, p := range paths {
		note, err := os.ReadFile(p)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		c, err := ParseCard(string(note))
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", p, err))
			continue
		}
		if want := string(c.Office) + cardSuffix; filepath.Base(p) != want {
			bad = append(bad, fmt.Errorf("%s is the card of %s, which belongs in %s", p, c.Office, want))
			continue
		}
		cards = append(cards, c)
	}
	return cards, errors.Join(bad...)
}

// lastSaid keeps what is found again and again from being logged each time.
type lastSaid struct {
	mu   sync.Mutex
	text string // guarded by mu
}

// news reports an error that is not the one before.
func (l *lastSaid) news(err error) bool {
	text := ""
	if err != nil {
		text = err.Error()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	same := l.text == text
	l.text = text
	return !same && err != nil
}

// cards returns the readable cards; the others are logged when they change.
func (o *Office) cards() []*Card {
	cards, err := LoadPeers(o.Dir)
	if o.badCards.news(err) {
		o.Log.Error("some cards of neighbours are not used", "err", err)
	}
	return cards
}
