package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// Report is what Check found: what was read, and what is wrong, by name.
type Report struct {
	Collections int
	Entries     uint64
	Problems    []string
	// Outside are those of Problems that are about what is kept outside the store:
	// a checkpoint is missing there, or is ahead. A restore leaves them.
	Outside []string
}

// MaxProblems bounds a report: a ruined store needs no longer list.
const MaxProblems = 1000

// Check reads every entry of every log and recomputes every hash. A log of which
// only an anchor is left is one of them.
func (j *Journal) Check(ctx context.Context) (*Report, error) {
	r := new(Report)
	err := j.Store.View(ctx, func(v store.View) error {
		kept, err := j.anchored()
		if err != nil {
			return err
		}
		logs, err := j.logs(v, kept)
		if err != nil {
			return err
		}
		for _, c := range logs {
			if err := j.newChecker(v, c, r).run(ctx, kept[c]); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

func (j *Journal) newChecker(v store.View, c liaison.CollectionID, r *Report) *checker {
	return &checker{j: j, v: v, c: c, r: r, edge: &edge{hashes: map[int64]liaison.Hash{}}, erased: map[liaison.Hash]uint64{}}
}

// checker checks one log. It computes the tree from the leaves alone and
// compares every stored hash with it.
type checker struct {
	j    *Journal
	v    store.View
	c    liaison.CollectionID
	r    *Report
	edge *edge
	last liaison.Instant
	tree ledger.Range

	generation uint32
	erased     map[liaison.Hash]uint64 // index of acts whose entry is erased, and no act that erases them came yet

	anchor   ledger.Checkpoint // kept outside the store; size 0 if there is none
	anchored liaison.Hash      // root of the tree at its size
}

func (k *checker) problem(index uint64, format string, args ...any) {
	if len(k.r.Problems) < MaxProblems {
		k.r.Problems = append(k.r.Problems, fmt.Sprintf("collection %s index %d: ", k.c, index)+fmt.Sprintf(format, args...))
	}
}

// outside notes a problem with the checkpoint that is kept outside the store.
func (k *checker) outside(index uint64, format string, args ...any) {
	before := len(k.r.Problems)
	k.problem(index, format, args...)
	k.r.Outside = append(k.r.Outside, k.r.Problems[before:]...)
}

func (k *checker) run(ctx context.Context, kept []uint32) error {
	if err := k.loadAnchor(kept); err != nil {
		return err
	}
	next := uint64(0)
	err := k.v.Range(k.c, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
		if e.Index != next {
			k.problem(next, "is missing; the next entry is %d", e.Index)
		}
		next = e.Index + 1
		k.r.Entries++
		k.entry(e)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if next > 0 {
		k.r.Collections++
	}
	k.compareAnchor(next)
	return k.erasedAlone()
}

func (k *checker) entry(e *store.Entry) {
	if e.Added <= k.last {
		k.problem(e.Index, "added %s is not later than the entry before", e.Added)
	}
	k.last = e.Added
	k.leaf(e)
	if len(e.Act) > 0 {
		k.act(e)
	}
	k.hashes(e)
}

func (k *checker) leaf(e *store.Entry) {
	leaf, err := liaison.ParseLeaf(e.Leaf)
	switch {
	case err != nil:
		k.problem(e.Index, "the leaf cannot be read: %v", err)
	case leaf.Act != e.ActHash:
		k.problem(e.Index, "the leaf names act %s, the entry holds %s", leaf.Act, e.ActHash)
	case leaf.Added != e.Added || leaf.Kind != e.Kind:
		k.problem(e.Index, "the leaf says %s %s, the entry %s %s", leaf.Kind, leaf.Added, e.Kind, e.Added)
	}
}

func (k *checker) act(e *store.Entry) {
	act, err := liaison.ParseAct(e.Act)
	if err != nil {
		k.problem(e.Index, "the act cannot be read: %v", err)
		return
	}
	if liaison.LeafHash(e.Act) != e.ActHash {
		k.problem(e.Index, "the act does not have the hash the leaf names")
	}
	switch {
	case e.Erased:
		k.erasedEntry(e)
	case act.Commit.IsZero():
		k.erasure(act, e)
	case len(e.Bytes) == 0 && takesIn(e):
		k.problem(e.Index, "the object %.80q is missing, and nothing says that it was erased", e.ID)
	case len(e.Bytes) > 0 && liaison.Commit(e.Salt, e.Bytes) != act.Commit:
		k.problem(e.Index, "the object %.80q is not the one the act commits to", e.ID)
	}
	k.object(e)
	var p liaison.BatchProof
	if err := json.Unmarshal(e.Batch, &p); err != nil {
		k.problem(e.Index, "the batch proof cannot be read: %v", err)
	} else if act.Office == k.j.Office {
		if err := ledger.VerifyBatch(act, p, [][]byte{k.j.Signer.ActKey()}); err != nil {
			k.problem(e.Index, "the batch proof does not hold: %v", err)
		}
	}
}

// erasedEntry: an act that erases comes later in the log, or the operator did.
func (k *checker) erasedEntry(e *store.Entry) {
	if e.ID != "" || len(e.Bytes) > 0 || !e.Salt.IsZero() {
		k.problem(e.Index, "it is erased, and something of it is left")
	}
	k.erased[e.ActHash] = e.Index
}

// erasure checks that an act that erases did.
func (k *checker) erasure(act *liaison.Act, e *store.Entry) {
	delete(k.erased, act.Erases)
	target, _, err := ActIn(k.v, k.c, act.Erases)
	switch {
	case err != nil:
		k.problem(e.Index, "what the act erases cannot be read: %v", err)
	case target != nil && !target.Erased:
		k.problem(e.Index, "the act erases that of index %d, whose object is still here", target.Index)
	}
}

// erasedAlone checks what no act erased: the operator said so.
func (k *checker) erasedAlone() error {
	for act, index := range k.erased {
		why, ok, err := ErasedBy(k.v, k.c, act)
		if err != nil {
			return err
		}
		if !ok || !why.By.IsZero() {
			k.problem(index, "its object is missing, and neither an act of the log nor the operator erased it")
		}
	}
	return nil
}

// object checks that what the object is found by is what it says.
func (k *checker) object(e *store.Entry) {
	if len(e.Bytes) == 0 {
		return
	}
	o, err := stix.Parse(e.Bytes, stix.DefaultLimits())
	if err != nil {
		k.problem(e.Index, "the object cannot be read: %v", err)
		return
	}
	if string(o.ID()) != e.ID || o.Type() != e.Type || (o.Version() != "" && o.Version() != e.Version) {
		k.problem(e.Index, "the object is indexed as %.80q %s", e.ID, e.Version)
	}
	found := false
	err = k.v.FindSame(k.c, e.ID, sameOf(o), store.Meta, func(f *store.Entry) error {
		found = found || f.Index == e.Index
		return nil
	})
	if err != nil || !found {
		k.problem(e.Index, "the object %.80q is not found by its id and version", e.ID)
	}
}

// hashes compares the stored hashes with those that follow from the leaves.
// The edge holds hashes computed here, so one wrong stored hash is named once.
func (k *checker) hashes(e *store.Entry) {
	want, err := k.edge.add(e.Index, liaison.LeafHash(e.Leaf), k.v, k.c)
	if err != nil {
		k.problem(e.Index, "its hashes cannot be computed: %v", err)
		k.edge.size = e.Index + 1
		return
	}
	if k.tree.Append(want[0]); k.tree.Size() == k.anchor.Size {
		k.anchored = k.tree.Root()
	}
	if len(want) != len(e.Hashes) {
		k.problem(e.Index, "%d hashes are stored, want %d", len(e.Hashes), len(want))
		return
	}
	for level, h := range want {
		if e.Hashes[level] != h {
			k.problem(e.Index, "the stored hash of level %d is not that of the leaves", level)
		}
	}
}

func (k *checker) loadAnchor(kept []uint32) error {
	a, err := k.j.readAnchor(k.c, kept)
	switch {
	case errors.Is(err, ErrBehind):
		k.outside(0, "%v", err)
		return nil
	case err != nil:
		return err
	}
	origin, err := k.j.Origin(k.v, k.c)
	switch {
	case err != nil:
		return err
	case a.begun < origin.Generation:
		k.outside(0, "the checkpoint kept outside the store is missing")
		return nil
	case a.Origin.Generation < origin.Generation:
		return nil // nothing of this generation was signed
	}
	k.generation, k.anchor = origin.Generation, a.Checkpoint
	return nil
}

// compareAnchor compares the tree with the checkpoint kept outside the store.
func (k *checker) compareAnchor(size uint64) {
	switch {
	case k.anchor.Origin.Generation > k.generation:
		k.outside(size, "the checkpoint kept outside the store is of generation %d, the log is of generation %d: "+remedy, k.anchor.Origin.Generation, k.generation)
	case k.anchor.Size > size:
		k.outside(size, "the checkpoint kept outside the store is of %d entries, the log holds %d: "+remedy, k.anchor.Size, size)
	case k.anchor.Size > 0 && k.anchor.Root != k.anchored:
		k.problem(k.anchor.Size, "the checkpoint kept outside the store has another root")
	}
}
