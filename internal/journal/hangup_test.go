package journal

import (
	"context"
	"errors"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// cutView is a snapshot whose reader has hung up.
type cutView struct{ store.View }

func (cutView) Position(liaison.CollectionID) (store.Position, error) {
	return store.Position{Size: 3}, nil
}

func (cutView) State(string, string) ([]byte, bool, error) { return nil, false, nil }

func (cutView) Hashes(liaison.CollectionID, []int64) ([]liaison.Hash, error) {
	return nil, context.Canceled
}

func (cutView) Range(liaison.CollectionID, uint64, uint64, store.Part, func(*store.Entry) error) error {
	return context.Canceled
}

// TestAReaderThatHangsUpStopsNoLog: what ends a read says nothing about the log.
func TestAReaderThatHangsUpStopsNoLog(t *testing.T) {
	j := New(Config{Office: "hq.example.org"})
	c := liaison.CollectionID{1}
	for _, signed := range []uint64{0, 2} {
		cp := ledger.Checkpoint{Origin: liaison.Origin{Office: j.Office, Collection: c, Generation: 1}, Size: signed}
		j.verifiedOf(c).reset(cp, "a note")
		if _, err := j.Checkpoint(t.Context(), cutView{}, c, 0); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want the reader's own", err)
		}
		if err := j.stoppedErr(c); err != nil {
			t.Errorf("the log was stopped: %v", err)
		}
	}
}
