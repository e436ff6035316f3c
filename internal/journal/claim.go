package journal

import (
	"context"
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// The store says whose it is: an office that is started on the store of another
// would sign the other's acts as its own.
const (
	bucketOffice = "office"
	keyOffice    = "name"
)

// ownStore refuses a store that belongs to another office, and one that is half
// restored.
func (j *Journal) ownStore(v store.View) error {
	name, err := j.ownerOf(v)
	j.claimed = j.claimed || err == nil && name != ""
	return err
}

// ownerOf returns whose the store is; empty: nobody's yet.
func (j *Journal) ownerOf(v store.View) (liaison.Office, error) {
	mark, err := store.RestoreMark(v)
	if err != nil {
		return "", err
	}
	if mark != nil && mark.Half {
		return "", mark.Refusal()
	}
	name, ok, err := v.State(bucketOffice, keyOffice)
	if err != nil || !ok {
		return "", err
	}
	if string(name) != string(j.Office) {
		return "", fmt.Errorf("the store is of %s, and this office is %s: put back the store of %s, or the name of the office in its configuration", name, j.Office, j.Office)
	}
	return j.Office, nil
}

// claim writes whose the store is before the first commit to it. Of two offices
// that find a new store, one has it.
func (j *Journal) claim(ctx context.Context) error {
	if j.claimed {
		return nil
	}
	err := j.Store.Update(ctx, store.Lock{Alone: true}, j.claimIn)
	j.claimed = j.claimed || err == nil
	return err
}

func (j *Journal) claimIn(tx store.Tx) error {
	name, err := j.ownerOf(tx)
	if err != nil || name != "" {
		return err
	}
	return tx.Put(bucketOffice, keyOffice, []byte(j.Office))
}
