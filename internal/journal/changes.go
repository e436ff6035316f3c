package journal

import (
	"encoding/binary"
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// What was read of a closed range of a log stays true until one of its entries is
// hidden, shown again or erased. So each block of indexes has a number in the store that grows,
// in the same transaction, when that happens: whoever kept what it read compares
// the number in the snapshot it reads now, whichever process wrote.

// bucketChanges holds the numbers: <collection>/<block>, 8 bytes, big endian.
const bucketChanges = "changes"

// blockBits is how many bits of an index say where it lies in its block.
const blockBits = 12

// ChangesBlock is how many indexes share a number: that many more cost Changes a
// question more.
const ChangesBlock = 1 << blockBits

func changesKey(c liaison.CollectionID, block uint64) string { return fmt.Sprintf("%s/%d", c, block) }

// Changes returns a number that is another one after an entry of c with from <= index <= to
// was hidden, shown again or erased.
func Changes(v store.View, c liaison.CollectionID, from, to uint64) (sum uint64, err error) {
	for block := from >> blockBits; block <= to>>blockBits; block++ {
		n, err := changesOf(v, changesKey(c, block))
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func changesOf(v store.View, key string) (uint64, error) {
	b, ok, err := v.State(bucketChanges, key)
	if err != nil || !ok {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("state %s/%s has %d bytes", bucketChanges, key, len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// changing is a Tx that counts the changes it makes to entries. Writers have no
// other.
type changing struct {
	store.Tx
	counted map[string]bool // keys, in this transaction
}

func counting(tx store.Tx) changing { return changing{tx, map[string]bool{}} }

// Hide implements store.Tx.
func (t changing) Hide(c liaison.CollectionID, index, by uint64) error {
	if err := t.count(c, index); err != nil {
		return err
	}
	return t.Tx.Hide(c, index, by)
}

// Show implements store.Tx.
func (t changing) Show(c liaison.CollectionID, index uint64) error {
	if err := t.count(c, index); err != nil {
		return err
	}
	return t.Tx.Show(c, index)
}

// Erase implements store.Tx.
func (t changing) Erase(c liaison.CollectionID, index uint64) error {
	if err := t.count(c, index); err != nil {
		return err
	}
	return t.Tx.Erase(c, index)
}

func (t changing) count(c liaison.CollectionID, index uint64) error {
	key := changesKey(c, index>>blockBits)
	if t.counted[key] {
		return nil
	}
	n, err := changesOf(t.Tx, key)
	if err != nil {
		return err
	}
	t.counted[key] = true
	return t.Put(bucketChanges, key, binary.BigEndian.AppendUint64(nil, n+1))
}
