package store

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/liaison-office/liaison"
)

// Schema is the number of what is kept: of the meaning of entries and keyed
// state, whatever the engine. Who changes that meaning raises it, so that an
// older version does not restore what it would misread.
const Schema = 1

// BucketRestore is where a store says that it was restored from a backup. No
// backup holds it.
const BucketRestore = "restore"

// keyRestore is its one key.
const keyRestore = "mark"

// Restore says what a restore has left in a store.
type Restore struct {
	// Half: the restore has not ended. The store is no office's, and can be
	// restored again.
	Half bool `json:"half,omitzero"`
	// Token tells restores apart.
	Token string `json:"token"`
	// At is when it was begun, Backup when the backup was made: what was
	// acknowledged after that is not here.
	At     liaison.Instant `json:"at"`
	Backup liaison.Instant `json:"backup"`
}

// Refusal says what to do about a store that is half restored.
func (r *Restore) Refusal() error {
	return fmt.Errorf("the store is half restored: the restore that began at %s did not end; restore the backup again (liaison store restore)", r.At)
}

// RestoreMark returns what a restore has left; nil in other stores.
func RestoreMark(v View) (*Restore, error) {
	b, ok, err := v.State(BucketRestore, keyRestore)
	if err != nil || !ok {
		return nil, err
	}
	r := new(Restore)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("state %s/%s: %w", BucketRestore, keyRestore, err)
	}
	return r, nil
}

// MarkRestore puts the mark.
func MarkRestore(tx Tx, r Restore) error {
	b, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return err
	}
	return tx.Put(BucketRestore, keyRestore, b)
}

// ForgetRestore removes the mark: what the store lacks of what the office signed
// has been found out.
func ForgetRestore(tx Tx) error { return tx.Delete(BucketRestore, keyRestore) }
