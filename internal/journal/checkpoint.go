package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// Anchor keeps the newest signed checkpoint of each log outside the store and
// its backups, so that a store that went back in time is noticed.
type Anchor interface {
	// Load returns the note last saved for an origin, and whether there is one.
	Load(origin liaison.Origin) (note string, ok bool, err error)
	// Save replaces it; it is durable when Save returns.
	Save(origin liaison.Origin, note string) error
}

// bucketSigned marks, in the store, the collections with an anchor.
const bucketSigned = "signed"

// ErrBehind says that a log is behind the checkpoint kept outside the store,
// or that this checkpoint is missing: the store went back in time, or the
// anchor was lost. Nothing is appended or signed.
var ErrBehind = errors.New("the log does not agree with the checkpoint kept outside the store; nothing is accepted or signed until the neighbours were asked or a new generation is opened")

// verified is how far a log was checked against storage, and the newest note.
type verified struct {
	mu   sync.Mutex
	size uint64
	note string // for size; guarded by mu
}

// Open checks every log against its anchor. Logs that fail are stopped; the
// others work.
func (j *Journal) Open(ctx context.Context) error {
	return j.Store.View(ctx, func(v store.View) error {
		err := v.Collections(func(c liaison.CollectionID) error { return j.openLog(v, c) })
		if err != nil {
			return err
		}
		return v.States(bucketSigned, "", func(key string, _ []byte) error {
			c, err := liaison.ParseCollectionID(key)
			if err != nil {
				return fmt.Errorf("state %s/%s: %w", bucketSigned, key, err)
			}
			return j.openLog(v, c)
		})
	})
}

func (j *Journal) openLog(v store.View, c liaison.CollectionID) error {
	_, signed, err := v.State(bucketSigned, c.String())
	if err != nil {
		return err
	}
	note, anchored, err := j.Anchor.Load(j.Origin(c))
	if err != nil {
		return err
	}
	if !anchored {
		if signed {
			j.stop(c, fmt.Errorf("%w (it is missing)", ErrBehind))
		}
		return nil
	}
	return j.compareAnchor(v, c, note)
}

// emptyAnchor stops a log without entries whose anchor knows some: the store
// was lost or replaced.
func (j *Journal) emptyAnchor(c liaison.CollectionID) error {
	note, anchored, err := j.Anchor.Load(j.Origin(c))
	if err != nil || !anchored {
		return err
	}
	switch cp, err := ledger.ReadCheckpoint(note); {
	case err != nil:
		j.stop(c, fmt.Errorf("%w (%v)", ErrBehind, err))
	case cp.Size > 0:
		j.stop(c, fmt.Errorf("%w (signed %d entries, the store holds none)", ErrBehind, cp.Size))
	}
	return j.stoppedErr(c)
}

func (j *Journal) compareAnchor(v store.View, c liaison.CollectionID, note string) error {
	cp, err := ledger.ReadCheckpoint(note)
	if err != nil {
		j.stop(c, fmt.Errorf("%w (%v)", ErrBehind, err))
		return nil
	}
	pos, err := v.Position(c)
	if err != nil {
		return err
	}
	if cp.Size > pos.Size {
		j.stop(c, fmt.Errorf("%w (signed %d entries, the store holds %d)", ErrBehind, cp.Size, pos.Size))
		return nil
	}
	root, err := Root(v, c, cp.Size)
	if err != nil || root != cp.Root {
		j.stop(c, fmt.Errorf("%w (the first %d entries have another root)", ErrBehind, cp.Size))
		return nil
	}
	j.verifiedOf(c).reset(cp.Size, note)
	return nil
}

func (v *verified) reset(size uint64, note string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.size, v.note = size, note
}

func (j *Journal) stop(c liaison.CollectionID, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopped[c] = err
	j.Log.Error("collection stopped", "collection", c.String(), "err", err)
}

func (j *Journal) verifiedOf(c liaison.CollectionID) *verified {
	j.mu.Lock()
	defer j.mu.Unlock()
	v, ok := j.signed[c]
	if !ok {
		v = &verified{}
		j.signed[c] = v
	}
	return v
}

// Checkpoint returns the signed note for the first size entries of a log; size
// 0 means all that the snapshot holds. Every leaf since the last checkpoint is
// read back and hashed again before anything is signed.
func (j *Journal) Checkpoint(ctx context.Context, v store.View, c liaison.CollectionID, size uint64) (string, error) {
	if err := j.stoppedErr(c); err != nil {
		return "", err
	}
	if size == 0 {
		pos, err := v.Position(c)
		if err != nil {
			return "", err
		}
		size = pos.Size
	}
	done := j.verifiedOf(c)
	done.mu.Lock()
	defer done.mu.Unlock()
	if size == done.size && done.note != "" {
		return done.note, nil
	}
	if size > done.size {
		if err := verifyLeaves(v, c, done.size, size); err != nil {
			if errors.Is(err, errTree) { // who reads may hang up: that says nothing about the log
				j.stop(c, err)
			}
			return "", err
		}
	}
	return j.sign(v, c, size, done)
}

func (j *Journal) sign(v store.View, c liaison.CollectionID, size uint64, done *verified) (string, error) {
	root, err := Root(v, c, size)
	if err != nil {
		return "", fmt.Errorf("checkpoint of %s at %d: %w", c, size, err)
	}
	origin := j.Origin(c)
	note := j.Signer.SignCheckpoint(origin, ledger.Checkpoint{Origin: origin, Size: size, Root: root}.Text())
	if size < done.size || size == 0 {
		return note, nil // of an earlier size: the anchor stays with the newest
	}
	if err := j.Anchor.Save(origin, note); err != nil {
		return "", fmt.Errorf("keep checkpoint of %s: %w", c, err)
	}
	done.size, done.note = size, note
	return note, nil
}

// errTree says that stored hashes do not follow from the stored leaves.
var errTree = errors.New("it does not follow from the leaves")

// verifyLeaves reads the leaves from..to back and recomputes every hash they
// complete.
func verifyLeaves(v store.View, c liaison.CollectionID, from, to uint64) error {
	e := &edge{size: from, hashes: map[int64]liaison.Hash{}}
	return v.Range(c, from, to, store.Proof|store.Tree, func(s *store.Entry) error {
		want, err := e.add(s.Index, liaison.LeafHash(s.Leaf), v, c)
		if err != nil {
			return err
		}
		if len(want) != len(s.Hashes) {
			return fmt.Errorf("index %d holds %d hashes, want %d: %w", s.Index, len(s.Hashes), len(want), errTree)
		}
		for level, h := range want {
			if s.Hashes[level] != h {
				return fmt.Errorf("index %d: stored hash of level %d: %w", s.Index, level, errTree)
			}
		}
		return nil
	})
}

// Hop returns this office's leaf at index as a hop under a checkpoint note of
// its log that covers it.
func Hop(v store.View, c liaison.CollectionID, index uint64, note string) (*liaison.Hop, error) {
	cp, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return nil, err
	}
	path, err := Path(v, c, index, cp.Size)
	if err != nil {
		return nil, err
	}
	hop := &liaison.Hop{Index: index, Path: path, Checkpoint: note}
	err = v.Range(c, index, index+1, store.Proof, func(e *store.Entry) error {
		leaf, err := liaison.ParseLeaf(e.Leaf)
		if err == nil {
			hop.Leaf = *leaf
		}
		return err
	})
	return hop, err
}
