package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"

	"github.com/go-json-experiment/json"
)

// ack is one acknowledged object.
type ack struct {
	ID      string `json:"id"`
	SHA256  string `json:"sha256"`
	Receipt string `json:"receipt"` // path of its receipt
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// oracle keeps what was acknowledged, on another file system than the store's,
// synced before the writer goes on.
type oracle struct {
	mu   sync.Mutex
	file *os.File // guarded by mu
}

func newOracle(dir string) (*oracle, error) {
	f, err := os.CreateTemp(dir, "liaison-acknowledged-")
	return &oracle{file: f}, err
}

func (o *oracle) close() {
	o.file.Close()
	os.Remove(o.file.Name())
}

func (o *oracle) acknowledge(acks []ack) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range acks {
		b, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if _, err := o.file.Write(append(b, '\n')); err != nil {
			return err
		}
	}
	return o.file.Sync()
}

// all reads back what was acknowledged.
func (o *oracle) all() ([]ack, error) {
	f, err := os.Open(o.file.Name())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []ack
	for s := bufio.NewScanner(f); s.Scan(); {
		var a ack
		if err := json.Unmarshal(s.Bytes(), &a); err != nil {
			return nil, fmt.Errorf("oracle line %d: %w", len(list)+1, err)
		}
		list = append(list, a)
	}
	return list, nil
}
