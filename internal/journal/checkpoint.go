package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// Anchor keeps the newest signed checkpoint of each log outside the store and
// its backups, so that a store that went back in time is noticed. Every process
// that writes to a store keeps them in the same place.
type Anchor interface {
	// Load returns the note last saved for an origin, and whether there is one.
	Load(origin liaison.Origin) (note string, ok bool, err error)
	// Save replaces it, unless what is kept is of a later size, or of the same with
	// another root, or cannot be read: whichever process saved it. kept is the
	// note that is there afterwards, durably.
	Save(origin liaison.Origin, note string) (kept string, err error)
	// Ready says why Save could not keep a note now. It is asked before every
	// commit, and need not wait for the disk.
	Ready() error
	// Logs lists, with their generations, the logs of which there is a note, in
	// any order.
	Logs() ([]Log, error)
}

// Log names a log of this office: a collection and a generation.
type Log struct {
	Collection liaison.CollectionID
	Generation uint32
}

// bucketSigned marks, in the store, the collections with an anchor.
const bucketSigned = "signed"

// ErrBehind says that a log is behind the checkpoint kept outside the store,
// or that this checkpoint is missing: the store went back in time, or the
// anchor was lost. Nothing is appended or signed.
var ErrBehind = errors.New("the log does not agree with the checkpoint kept outside the store: " + remedy + "; until then nothing is accepted or signed in it, and reading goes on")

// errAtFault is the ErrBehind of a log whose leaves are not what was signed:
// whichever process looks.
var errAtFault = fmt.Errorf("%w", ErrBehind)

// ErrRestored says that the store was restored from a backup and nobody has said
// yet what it lacks. Nothing is appended or signed, whatever the anchors say.
var ErrRestored = errors.New("the store was restored from a backup: until the neighbours have said what they know of this office's logs, or the operator says to go on, nothing is accepted or signed, and reading goes on (liaison log list)")

// remedy is what an operator can do about a log that went back in time.
const remedy = "restore the newest backup, or ask the neighbours (liaison log list)"

// ErrNoAnchor says that no checkpoint can be kept outside the store. Nothing is
// accepted, because nothing could be proved; it ends by itself.
var ErrNoAnchor = errors.New("no checkpoint can be kept outside the store")

// verified is how far a log was checked against storage, and the newest note.
type verified struct {
	mu                sync.Mutex
	ledger.Checkpoint        // guarded by mu
	note              string // of it; empty: it is to be signed again; guarded by mu
}

// Open checks every log against its anchor. Logs that fail are stopped; the
// others work. A store or an anchor of another office is an error.
func (j *Journal) Open(ctx context.Context) error {
	return j.Store.View(ctx, func(v store.View) error {
		if err := j.ownStore(v); err != nil {
			return err
		}
		mark, err := store.RestoreMark(v)
		if err != nil {
			return err
		}
		j.setRestored(mark)
		kept, err := j.anchored()
		if err != nil {
			return err
		}
		logs, err := j.logs(v, kept)
		if err != nil {
			return err
		}
		if err := j.startClock(v, logs); err != nil {
			return err
		}
		for _, c := range logs {
			if err := j.openLog(v, c, kept[c]); err != nil {
				return err
			}
		}
		return j.reviewMarks(v)
	})
}

// logs lists the logs that the store holds or should hold: those with entries,
// those marked as anchored, and those of which an anchor is kept.
func (j *Journal) logs(v store.View, kept generations) ([]liaison.CollectionID, error) {
	list := slices.Collect(maps.Keys(kept))
	err := v.Collections(func(c liaison.CollectionID) error {
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = v.States(bucketSigned, "", func(key string, _ []byte) error {
		c, err := liaison.ParseCollectionID(key)
		if err != nil {
			return fmt.Errorf("state %s/%s: %w", bucketSigned, key, err)
		}
		list = append(list, c)
		return nil
	})
	slices.SortFunc(list, compareIDs)
	return slices.Compact(list), err
}

// generations are those of each log of which an anchor is kept, the newest
// first.
type generations map[liaison.CollectionID][]uint32

// anchored lists what is kept outside the store.
func (j *Journal) anchored() (generations, error) {
	list, err := j.Anchor.Logs()
	if err != nil {
		return nil, fmt.Errorf("list the checkpoints kept outside the store: %w", err)
	}
	slices.SortFunc(list, func(x, y Log) int { return cmp.Compare(y.Generation, x.Generation) })
	kept := generations{}
	for _, l := range list {
		kept[l.Collection] = append(kept[l.Collection], l.Generation)
	}
	return kept, nil
}

func compareIDs(a, b liaison.CollectionID) int { return slices.Compare(a[:], b[:]) }

func (j *Journal) openLog(v store.View, c liaison.CollectionID, kept []uint32) error {
	_, signed, err := v.State(bucketSigned, c.String())
	if err != nil {
		return err
	}
	a, err := j.readAnchor(c, kept)
	if err == nil {
		err = j.anchorHolds(v, c, &a, signed)
	}
	switch {
	case errors.Is(err, ErrBehind):
		j.stop(c, err)
		return nil
	case err != nil:
		return err
	}
	if !a.present {
		a.note = "" // to be signed again by the key that counts now
	}
	j.verifiedOf(c).reset(a.Checkpoint, a.note)
	return nil
}

// anchorHolds is ErrBehind if a log does not agree with its anchor, or if that
// is missing and should be there. An anchor of a generation that is over says
// nothing of the one that was begun: it becomes an empty one.
func (j *Journal) anchorHolds(v store.View, c liaison.CollectionID, a *anchor, signed bool) error {
	origin, err := j.Origin(v, c)
	switch {
	case err != nil:
		return err
	case a.begun < origin.Generation && (signed || a.begun > 0):
		return fmt.Errorf("%w (it is missing; all processes of an office keep them in one place, which anchor names in the configuration)", ErrBehind)
	case a.Origin.Generation < origin.Generation:
		*a = anchor{begun: a.begun}
	}
	if a.note == "" {
		return nil
	}
	if err = agrees(v, c, a.Checkpoint); err != nil && !errors.Is(err, ErrBehind) {
		err = fmt.Errorf("%w (%w)", ErrBehind, err) // what it says cannot be read back
	}
	return err
}

// anchor is what is kept of a log outside the store. Without a note there is
// nothing.
type anchor struct {
	ledger.Checkpoint
	note    string
	present bool   // by the log key that signs now, not by an earlier one
	begun   uint32 // the newest generation of which there is a note; 0: none
}

// readAnchor returns the anchor of a log: that of its newest generation of which
// any entry was signed, given those of which there is a note. One that this
// office has not signed for this log is ErrBehind; one of another office is an
// error of its own, since the folder is not this office's.
func (j *Journal) readAnchor(c liaison.CollectionID, kept []uint32) (a anchor, err error) {
	begun := uint32(0)
	for _, g := range kept {
		begun = max(begun, g)
		a, err = j.loadAnchor(liaison.Origin{Office: j.Office, Collection: c, Generation: g})
		if a.begun = begun; err != nil || a.Size > 0 {
			break
		}
	}
	return a, err
}

func (j *Journal) loadAnchor(origin liaison.Origin) (a anchor, err error) {
	c := origin.Collection
	note, ok, err := j.Anchor.Load(origin)
	if err != nil || !ok {
		return a, err
	}
	cp, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return a, fmt.Errorf("%w (%w)", ErrBehind, err)
	}
	if cp.Origin.Office != j.Office {
		return a, fmt.Errorf("the checkpoint kept outside the store for %s is of %s, and this office is %s: put back what was kept of %s, or the name of the office in its configuration", c, cp.Origin.Office, j.Office, j.Office)
	}
	if cp.Origin != origin {
		return a, fmt.Errorf("%w (it is of %s)", ErrBehind, cp.Origin)
	}
	if _, _, err := ledger.OpenCheckpoint(note, j.logKeys()); err != nil {
		return a, fmt.Errorf("%w (the log key of %s has not signed it: %w)", ErrBehind, j.Office, err)
	}
	_, _, err = ledger.OpenCheckpoint(note, [][]byte{j.Signer.LogKey()})
	return anchor{Checkpoint: cp, note: note, present: err == nil}, nil
}

// logKeys are the keys by which this office signs and has signed checkpoints.
func (j *Journal) logKeys() [][]byte {
	keys := [][]byte{j.Signer.LogKey()}
	if j.EarlierLogKeys != nil {
		keys = append(keys, j.EarlierLogKeys()...)
	}
	return keys
}

// emptyAnchor stops a log without entries whose anchor knows some: the store
// was lost or replaced.
func (j *Journal) emptyAnchor(c liaison.CollectionID) error {
	kept, err := j.anchored()
	if err != nil {
		return err
	}
	a, err := j.readAnchor(c, kept[c])
	if err == nil && a.Size > 0 {
		err = behind(a.Size, 0)
	}
	if errors.Is(err, ErrBehind) {
		j.stop(c, err)
		return j.stoppedErr(c)
	}
	return err
}

func behind(signed, held uint64) error {
	if held == 0 {
		return fmt.Errorf("%w (signed %d entries, the store holds none)", errAtFault, signed)
	}
	return fmt.Errorf("%w (signed %d entries, the store holds %d)", errAtFault, signed, held)
}

// agrees is ErrBehind if the log in the store does not begin with what a
// checkpoint says.
func agrees(v store.View, c liaison.CollectionID, cp ledger.Checkpoint) error {
	pos, err := v.Position(c)
	if err != nil {
		return err
	}
	if cp.Size > pos.Size {
		return behind(cp.Size, pos.Size)
	}
	if g := max(pos.Generation, 1); cp.Size > 0 && cp.Origin.Generation > g {
		return fmt.Errorf("%w (it is of generation %d, the store holds generation %d)", errAtFault, cp.Origin.Generation, g)
	}
	root, err := Root(v, c, cp.Size)
	if err != nil {
		return err
	}
	if root != cp.Root {
		return fmt.Errorf("%w (the first %d entries have another root)", errAtFault, cp.Size)
	}
	return nil
}

// Confront takes a leaf of this office's own log as a neighbour returns it: the
// checkpoint over it is heard. What this office has not signed proves nothing.
func (j *Journal) Confront(v store.View, c liaison.CollectionID, h liaison.Hop) error {
	cp, _, err := ledger.OpenCheckpoint(h.Checkpoint, j.logKeys())
	if err != nil || cp.Origin.Collection != c ||
		ledger.VerifyInclusion(liaison.LeafHash(liaison.JCS(h.Leaf)), h.Index, cp.Size, h.Path, cp.Root) != nil {
		return j.stoppedErr(c)
	}
	return j.Hear(v, h.Checkpoint)
}

// Hear takes a checkpoint of this office's own log as a neighbour knows it. If
// the store does not hold what it says, the store was lost or went back in time:
// the log is stopped, the checkpoint is its anchor from now on unless a later one
// is kept, and the error is ErrBehind. One of a generation that is over says
// nothing, and so does what this office has not signed.
func (j *Journal) Hear(v store.View, note string) error {
	cp, _, err := ledger.OpenCheckpoint(note, j.logKeys())
	if err != nil || cp.Origin.Office != j.Office {
		return nil
	}
	c := cp.Origin.Collection
	origin, err := j.Origin(v, c)
	if err != nil {
		return err
	}
	if cp.Origin.Generation >= origin.Generation {
		if err = agrees(v, c, cp); err == nil {
			return j.stoppedErr(c)
		}
	}
	if !errors.Is(err, ErrBehind) {
		return errors.Join(err, j.stoppedErr(c))
	}
	if stopped, err2 := j.foundAtFault(v); err2 != nil {
		return err2
	} else if stopped[c] == nil {
		j.stop(c, err)
	}
	_, saved := j.keep(cp.Origin, note)
	return errors.Join(j.stoppedErr(c), saved)
}

// keep saves an anchor and returns the note that is kept: another one, if that
// is newer.
func (j *Journal) keep(o liaison.Origin, note string) (kept string, err error) {
	if kept, err = j.Anchor.Save(o, note); err != nil {
		return "", fmt.Errorf("checkpoint of %s: %w", o.Collection, noAnchor(err))
	}
	return kept, nil
}

// noAnchor says why no anchor can be written. A full disk is one trouble,
// whatever finds it.
func noAnchor(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w (%w)", store.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrNoAnchor, err)
}

func (v *verified) set(cp ledger.Checkpoint, note string) { v.Checkpoint, v.note = cp, note }

func (v *verified) reset(cp ledger.Checkpoint, note string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.set(cp, note)
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
	if err := j.maySign(v, c); err != nil {
		return "", err
	}
	if size == 0 {
		pos, err := v.Position(c)
		if err != nil {
			return "", err
		}
		size = pos.Size
	}
	origin, err := j.Origin(v, c)
	if err != nil {
		return "", err
	}
	done := j.verifiedOf(c)
	done.mu.Lock()
	defer done.mu.Unlock()
	if done.Origin != origin {
		done.set(ledger.Checkpoint{Origin: origin}, "") // what was signed of another generation says nothing of this one
	}
	if err := j.continues(v, done.Checkpoint); err != nil {
		return "", err
	}
	if size == done.Size && done.note != "" {
		return done.note, nil
	}
	if size > done.Size {
		if err := verifyLeaves(v, c, done.Size, size); err != nil {
			if errors.Is(err, errTree) { // who reads may hang up: that says nothing about the log
				j.stop(c, err)
			}
			return "", err
		}
		point.At("checkpoint.verified-not-signed")
	}
	return j.sign(v, size, done)
}

// sign signs what was verified.
func (j *Journal) sign(v store.View, size uint64, done *verified) (string, error) {
	cp := ledger.Checkpoint{Origin: done.Origin, Size: size}
	c := cp.Origin.Collection
	var err error
	if cp.Root, err = Root(v, c, size); err != nil {
		return "", fmt.Errorf("checkpoint of %s at %d: %w", c, size, err)
	}
	if size < done.Size || size == 0 { // of an earlier size: the anchor stays with the newest
		return j.Signer.SignCheckpoint(cp.Origin, cp.Text()), nil
	}
	if err := j.agreesWithKept(v, done); err != nil {
		return "", err
	}
	note := j.Signer.SignCheckpoint(cp.Origin, cp.Text())
	point.At("checkpoint.signed-not-saved")
	kept, err := j.keep(cp.Origin, note)
	if err == nil && kept != note { // another process has signed it meanwhile
		err = j.overtaken(v, cp.Origin, kept)
	}
	if err != nil {
		return "", err
	}
	point.At("checkpoint.saved-not-given")
	done.set(cp, note)
	return note, nil
}

// agreesWithKept compares a log with the checkpoint that is kept, if another
// process has signed it.
func (j *Journal) agreesWithKept(v store.View, done *verified) error {
	note, ok, err := j.Anchor.Load(done.Origin)
	if err != nil {
		return fmt.Errorf("checkpoint of %s: %w", done.Origin.Collection, noAnchor(err))
	}
	if !ok || note == done.note {
		return nil
	}
	a, err := j.loadAnchor(done.Origin)
	if err != nil || a.Size <= done.Size {
		return err
	}
	return j.continues(v, a.Checkpoint)
}

// overtaken compares a log with the newer checkpoint that is kept.
func (j *Journal) overtaken(v store.View, o liaison.Origin, kept string) error {
	cp, err := ledger.ReadCheckpoint(kept)
	if err != nil || cp.Origin != o {
		return fmt.Errorf("%w (it is not one of %s)", ErrBehind, o)
	}
	return j.continues(v, cp)
}

// continues asks whether a snapshot holds what a signed checkpoint of its
// generation says, and stops the log if it does not. A snapshot may be from before
// the checkpoint: then View looks again when it has ended.
func (j *Journal) continues(v store.View, cp ledger.Checkpoint) error {
	if cp.Size == 0 {
		return nil
	}
	pos, err := v.Position(cp.Origin.Collection)
	if err != nil {
		return err
	}
	if s, ok := v.(*snapshot); ok && cp.Size > pos.Size {
		s.later = append(s.later, cp)
		return nil
	}
	return j.confront(v, cp)
}

// confront stops a log that does not begin with what a signed checkpoint says.
func (j *Journal) confront(v store.View, cp ledger.Checkpoint) error {
	c := cp.Origin.Collection
	err := agrees(v, c, cp)
	if errors.Is(err, ErrBehind) {
		j.stop(c, err)
		return j.stoppedErr(c)
	}
	return err
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
