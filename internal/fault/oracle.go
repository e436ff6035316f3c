package fault

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Sent is an object version that a client sends.
type Sent struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // of its bytes
}

// Ack is one that was acknowledged.
type Ack struct {
	Sent
	Receipt string `json:"receipt"` // path of its receipt
}

// line is one line of the oracle's file; one of its members is set.
type line struct {
	Intent  []Sent         `json:"intent,omitempty"`
	Acked   []Ack          `json:"acked,omitempty"`
	Receipt jsontext.Value `json:"receipt,omitempty"` // as it was served
	Erasing []Sent         `json:"erasing,omitempty"` // asked for
	Erased  []Sent         `json:"erased,omitempty"`  // acknowledged
}

// Oracle is what clients know, on another file system than the office's: what
// they mean to send, and what they were told. Each line is synced before the
// client goes on.
type Oracle struct {
	Shares string // not empty: the file system it shares with the office

	mu   sync.Mutex
	file *os.File // guarded by mu
}

// newOracle makes an oracle for an office whose files are in beside. Of the
// folders it takes the first that lies on another file system.
func newOracle(beside string, folders ...string) (*Oracle, error) {
	o := &Oracle{Shares: beside}
	in := beside
	for _, f := range folders {
		if other, err := otherFileSystem(f, beside); err == nil && other {
			in, o.Shares = f, ""
			break
		}
	}
	var err error
	o.file, err = os.CreateTemp(in, "liaison-oracle-")
	return o, err
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Close removes the file.
func (o *Oracle) Close() {
	o.file.Close()
	os.Remove(o.file.Name())
}

// Intend notes what is about to be sent.
func (o *Oracle) Intend(list []Sent) error { return o.write(line{Intent: list}) }

// Acknowledge notes what was acknowledged.
func (o *Oracle) Acknowledge(list []Ack) error { return o.write(line{Acked: list}) }

// Keep notes a receipt as it was served.
func (o *Oracle) Keep(receipt []byte) error { return o.write(line{Receipt: receipt}) }

// Erasing notes what is about to be erased: from now on it may be gone.
func (o *Oracle) Erasing(list []Sent) error { return o.write(line{Erasing: list}) }

// Erased notes an erasure that was acknowledged: from now on it is gone.
func (o *Oracle) Erased(list []Sent) error { return o.write(line{Erased: list}) }

func (o *Oracle) write(l line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.file.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	return o.file.Sync()
}

// Known is what an oracle knows, read back from its file. What is being erased is
// not Acked any more, and what was erased not Sent.
type Known struct {
	Sent     map[key]string // digest
	Acked    map[key]Ack
	Receipts [][]byte
}

// key is what identifies an object version.
type key struct{ id, version string }

// Known reads the file.
func (o *Oracle) Known() (*Known, error) {
	f, err := os.Open(o.file.Name())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	k := &Known{Sent: map[key]string{}, Acked: map[key]Ack{}}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 16<<20)
	for n := 1; s.Scan(); n++ {
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("oracle line %d: %w", n, err)
		}
		for _, i := range l.Intent {
			k.Sent[key{i.ID, i.Version}] = i.SHA256
		}
		for _, a := range l.Acked {
			k.Acked[key{a.ID, a.Version}] = a
		}
		for _, e := range l.Erasing {
			delete(k.Acked, key{e.ID, e.Version})
		}
		for _, e := range l.Erased {
			delete(k.Sent, key{e.ID, e.Version})
		}
		if len(l.Receipt) > 0 {
			k.Receipts = append(k.Receipts, l.Receipt)
		}
	}
	return k, s.Err()
}
