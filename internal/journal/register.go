package journal

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// What judges ask is made of the entries of control batches (Batch.Control),
// which any process may commit. The store names each state of it, so that whoever
// made a picture of it sees that another commit has overtaken the picture, and
// which entries it lacks.

// Register names a state of what judges ask: a number that grows by one with
// each control batch, and a random part, as a database that lost commits could
// use a number again. Empty: nothing was committed yet.
type Register string

// Change is what one control batch has appended: the entries of a collection
// with From <= index < To.
type Change struct {
	Register   Register // what it led to
	Collection liaison.CollectionID
	From, To   uint64
}

// bucketFence holds what is asked in each transaction, so that one walk reads
// all of it: which register there is, which logs are stopped, and where something
// is erased (prefixErased).
const (
	bucketFence    = "fence"
	keyRegister    = "register"
	prefixStopped  = "stopped/" // <collection>: why
	bucketRegister = "register"
	keyRecent      = "recent" // recent
)

// MaxRecent bounds the changes that are remembered. Who is further behind reads
// all charters again.
const MaxRecent = 64

// recent are the last changes, the newest last.
type recent struct {
	Before  Register // what there was before the first of them
	Changes []Change
}

// RegisterOf returns the register of a snapshot.
func RegisterOf(v store.View) (Register, error) {
	b, _, err := v.State(bucketFence, keyRegister)
	return Register(b), err
}

// ChangesSince returns what came after a register, the oldest first. ok is
// false where that is not remembered, or where the snapshot never held it.
func ChangesSince(v store.View, r Register) (changes []Change, ok bool, err error) {
	now, err := readRecent(v)
	if err != nil || r == now.Before {
		return now.Changes, err == nil, err
	}
	i := slices.IndexFunc(now.Changes, func(c Change) bool { return c.Register == r })
	if i < 0 {
		return nil, false, nil
	}
	return now.Changes[i+1:], true, nil
}

func readRecent(v store.View) (r recent, err error) {
	b, ok, err := v.State(bucketRegister, keyRecent)
	if err != nil || !ok {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("state %s/%s: %w", bucketRegister, keyRecent, err)
	}
	return r, nil
}

// raise writes that the entries of a control batch were appended. Nobody else
// writes meanwhile.
func raise(tx store.Tx, c liaison.CollectionID, outcomes []Outcome) error {
	change := Change{Collection: c}
	for _, o := range outcomes {
		if o.State != Appended {
			continue
		}
		if change.To == 0 {
			change.From = o.Index
		}
		change.To = o.Index + 1
	}
	if change.To == 0 {
		return nil
	}
	was, err := RegisterOf(tx)
	if err != nil {
		return err
	}
	change.Register = was.next()
	r, err := readRecent(tx)
	if err != nil {
		return err
	}
	if n := len(r.Changes); n == 0 || r.Changes[n-1].Register != was {
		r = recent{Before: was}
	}
	r.Changes = append(r.Changes, change)
	if n := len(r.Changes) - MaxRecent; n > 0 {
		r.Before, r.Changes = r.Changes[n-1].Register, r.Changes[n:]
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := tx.Put(bucketRegister, keyRecent, b); err != nil {
		return err
	}
	return tx.Put(bucketFence, keyRegister, []byte(change.Register))
}

func (r Register) next() Register {
	var number uint64
	_, _ = fmt.Sscanf(string(r), "%d-", &number) // of an empty one it stays 0
	var random [8]byte
	rand.Read(random[:])
	return Register(fmt.Sprintf("%d-%x", number+1, random))
}
