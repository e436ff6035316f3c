package sqlite

import (
	"encoding/binary"
	"errors"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// A head is what an entry is found by, in one column: asking SQLite for five
// columns costs more than reading the object.
//
//	added            8 bytes, microseconds since 1970, big endian
//	kind             its length in one byte, then the text; the highest bit of
//	                 the length says that the entry is erased
//	id, version      each its length as a uvarint, then the text
//	type             the rest
func appendHead(b []byte, e *store.Entry) ([]byte, error) {
	if len(e.Kind) >= erasedBit {
		return nil, errors.New("kind is longer than 127 bytes")
	}
	b = binary.BigEndian.AppendUint64(b, uint64(e.Added))
	b = append(append(b, byte(len(e.Kind))), e.Kind...)
	b = append(binary.AppendUvarint(b, uint64(len(e.ID))), e.ID...)
	b = append(binary.AppendUvarint(b, uint64(len(e.Version))), e.Version...)
	return append(b, e.Type...), nil
}

const erasedBit = 0x80

// erasedHead returns what is left of a head.
func erasedHead(e *store.Entry) ([]byte, error) {
	b, err := appendHead(nil, &store.Entry{Added: e.Added, Kind: e.Kind})
	if err == nil {
		b[8] |= erasedBit
	}
	return b, err
}

var errHead = errors.New("the head is damaged")

// parseHead reads what appendHead wrote. The strings share one allocation.
func parseHead(b []byte, e *store.Entry) error {
	if len(b) < 9 || len(b)-9 < int(b[8]&^erasedBit) {
		return errHead
	}
	e.Added, e.Erased = headAdded(b), b[8]&erasedBit != 0
	k := b[9 : 9+int(b[8]&^erasedBit)]
	if string(k) == string(liaison.KindObject) {
		e.Kind = liaison.KindObject
	} else {
		e.Kind = liaison.Kind(k)
	}
	rest := string(b[9+len(k):])
	var ok bool
	if e.ID, rest, ok = cutField(rest); !ok {
		return errHead
	}
	if e.Version, e.Type, ok = cutField(rest); !ok {
		return errHead
	}
	return nil
}

// headAdded reads the instant alone; 0 of a damaged head.
func headAdded(b []byte) liaison.Instant {
	if len(b) < 8 {
		return 0
	}
	return liaison.Instant(binary.BigEndian.Uint64(b))
}

// cutField is binary.Uvarint, for a string, and the field of that length.
func cutField(s string) (field, rest string, ok bool) {
	n := uint64(0)
	for i := 0; i < len(s) && i < 5; i++ {
		n |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			s = s[i+1:]
			if n > uint64(len(s)) {
				return "", "", false
			}
			return s[:n], s[n:], true
		}
	}
	return "", "", false
}
