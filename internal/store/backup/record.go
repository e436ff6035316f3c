package backup

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// Bits of an entry's first byte.
const (
	hasAct  = 1 << iota // ActHash is not zero
	hasSalt             // Salt is not zero
	isErased
	allBits = hasAct | hasSalt | isErased
)

// appendEntry writes what the record of an entry holds. Its index is its place,
// and what hides it has a record of its own.
func appendEntry(b []byte, e *store.Entry) []byte {
	flags := byte(0)
	if !e.ActHash.IsZero() {
		flags |= hasAct
	}
	if !e.Salt.IsZero() {
		flags |= hasSalt
	}
	if e.Erased {
		flags |= isErased
	}
	b = append(b, flags)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Added))
	for _, s := range []string{string(e.Kind), e.ID, e.Version, e.Type} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	for _, f := range [][]byte{e.Bytes, e.Leaf, e.Act, e.Batch, e.Consent, e.Hops} {
		b = appendBytes(b, f)
	}
	if flags&hasAct != 0 {
		b = append(b, e.ActHash[:]...)
	}
	if flags&hasSalt != 0 {
		b = append(b, e.Salt[:]...)
	}
	for i := range e.Hashes {
		b = append(b, e.Hashes[i][:]...)
	}
	return b
}

func appendBytes(b, f []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(f))), f...) }

// fields reads what a record holds. After the first thing that is not there all
// others are empty.
type fields struct {
	rest []byte
	err  error
}

var errRecord = errors.New("a record is not as the format says")

func (f *fields) take(n uint64) []byte {
	if f.err != nil || n > uint64(len(f.rest)) {
		f.err = errRecord
		return nil
	}
	b := f.rest[:n:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) number() uint64 {
	n, size := binary.Uvarint(f.rest)
	if size <= 0 {
		f.err = errRecord
		return 0
	}
	f.take(uint64(size))
	return n
}

func (f *fields) bytes() []byte {
	if b := f.take(f.number()); len(b) > 0 {
		return b
	}
	return nil
}

func (f *fields) text() string { return string(f.bytes()) }

func (f *fields) hash(h []byte) { copy(h, f.take(uint64(len(h)))) }

// end is the error of a record that must be over.
func (f *fields) end() error {
	if f.err == nil && len(f.rest) > 0 {
		f.err = errRecord
	}
	return f.err
}

// parseEntry reads what appendEntry wrote. Its byte strings stay those of b.
func parseEntry(b []byte, e *store.Entry) error {
	f := fields{rest: b}
	flags := byte(allBits + 1)
	if head := f.take(1); len(head) == 1 {
		flags = head[0]
	}
	if flags > allBits {
		return errRecord
	}
	var added [8]byte
	f.hash(added[:])
	e.Added = liaison.Instant(binary.BigEndian.Uint64(added[:]))
	e.Kind = liaison.Kind(f.text())
	e.ID, e.Version, e.Type = f.text(), f.text(), f.text()
	for _, p := range []*[]byte{&e.Bytes, &e.Leaf, &e.Act, &e.Batch, &e.Consent, &e.Hops} {
		*p = f.bytes()
	}
	if flags&hasAct != 0 {
		f.hash(e.ActHash[:])
	}
	if flags&hasSalt != 0 {
		f.hash(e.Salt[:])
	}
	for len(f.rest) > 0 && f.err == nil {
		var h liaison.Hash
		f.hash(h[:])
		e.Hashes = append(e.Hashes, h)
	}
	return f.end()
}

// collection is the record that a collection begins with.
type collection struct {
	id         liaison.CollectionID
	generation uint32
	size       uint64
}

func appendCollection(b []byte, c collection) []byte {
	b = append(b, c.id[:]...)
	b = binary.AppendUvarint(b, uint64(c.generation))
	return binary.AppendUvarint(b, c.size)
}

func parseCollection(b []byte) (c collection, err error) {
	f := fields{rest: b}
	f.hash(c.id[:])
	generation := f.number()
	c.generation, c.size = uint32(generation), f.number()
	if err := f.end(); err != nil {
		return c, err
	}
	if uint64(c.generation) != generation || c.size == 0 || c.size > store.MaxEntries {
		return c, fmt.Errorf("%w: %d entries of generation %d", errRecord, c.size, generation)
	}
	return c, nil
}
