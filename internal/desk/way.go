package desk

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/ledger"
)

// MaxHops bounds the offices on the way of an act.
const MaxHops = 16

// wayOf verifies the way an act came: a chain of leaves, each in a log its
// office signed, from the act's own first leaf to the neighbour's. It proves
// that accepted was not backdated, and it is what receipts are made of. Of the
// checkpoints only the signatures that were verified stay.
func wayOf(notes *notes, a *Arrival) (verdict, bool) {
	way := make([]*liaison.Hop, 0, len(a.Travels.Hops)+1)
	for i := range a.Travels.Hops {
		way = append(way, &a.Travels.Hops[i])
	}
	if way = append(way, &a.Hop); len(way) > MaxHops {
		return refuse("act.way", "the way has %d offices, the limit is %d", len(way), MaxHops), false
	}
	act := &a.Travels.Act
	hash := act.Hash()
	var before *liaison.Via
	for _, h := range way {
		cp, v, ok := verifyHop(notes, act, hash, h)
		if !ok {
			return v, false
		}
		if v, ok := follows(act, h, cp, before); !ok {
			return v, false
		}
		before = &liaison.Via{Origin: cp.Origin, Index: h.Index}
	}
	if *before != a.Via {
		return refuse("act.way", "the way does not end at the neighbour's leaf"), false
	}
	return verdict{}, true
}

// verifyHop checks one leaf: its format, the act it names, its place in the
// tree and the signature on it.
func verifyHop(notes *notes, act *liaison.Act, hash liaison.Hash, h *liaison.Hop) (ledger.Checkpoint, verdict, bool) {
	none := ledger.Checkpoint{}
	raw := liaison.JCS(h.Leaf)
	if _, err := liaison.ParseLeaf(raw); err != nil {
		return none, refuse("act.way", "%s", err), false
	}
	if h.Leaf.Act != hash {
		return none, refuse("act.way", "a leaf on the way names another act"), false
	}
	head, err := ledger.ReadCheckpoint(h.Checkpoint)
	if err != nil {
		return none, refuse("act.way", "%s", err), false
	}
	if head.Origin.Collection != act.Collection {
		return none, refuse("act.way", "a checkpoint on the way is of collection %s", head.Origin.Collection), false
	}
	if len(notes.reg.OfficeKeys(head.Origin.Office, liaison.UseLog, h.Leaf.Added)) == 0 {
		return none, wait("act.key", "no log key of %s is known here for %s", head.Origin.Office, h.Leaf.Added), false
	}
	cp, kept, err := notes.open(head, h.Checkpoint, h.Leaf.Added)
	if err == nil {
		err = ledger.VerifyInclusion(liaison.LeafHash(raw), h.Index, cp.Size, h.Path, cp.Root)
	}
	if h.Checkpoint = kept; err != nil {
		return none, refuse("act.way", "%s: %s", head.Origin.Office, err), false
	}
	return cp, verdict{}, true
}

// notes opens the checkpoints of one page. The acts of a page share theirs, so
// each is verified once for each set of keys that counted.
type notes struct {
	reg    *registry.Registry
	opened map[noteKey]openedNote
}

type noteKey struct{ note, keys string }

type openedNote struct {
	cp   ledger.Checkpoint
	kept string // the note with the signatures that were verified
	err  error
}

func newNotes(reg *registry.Registry) *notes {
	return &notes{reg: reg, opened: map[noteKey]openedNote{}}
}

// open verifies a checkpoint, whose text says head, by the keys that counted at
// an instant.
func (n *notes) open(head ledger.Checkpoint, note string, at liaison.Instant) (ledger.Checkpoint, string, error) {
	keys := n.reg.OfficeKeys(head.Origin.Office, liaison.UseLog, at)
	all := slices.Clone(keys)
	for _, w := range ledger.Cosigners(note) {
		all = append(all, []byte(w))
		all = append(all, n.reg.OfficeKeys(w, liaison.UseWitness, at)...)
	}
	key := noteKey{note, string(bytes.Join(all, []byte{0}))}
	o, ok := n.opened[key]
	if !ok {
		if o.cp, _, o.err = ledger.OpenCheckpoint(note, keys); o.err == nil {
			o.kept, o.err = attested(n.reg, note, at)
		}
		n.opened[key] = o
	}
	return o.cp, o.kept, o.err
}

// follows: the first leaf is the act's own, at its accepted instant; every
// other came by the one before.
func follows(act *liaison.Act, h *liaison.Hop, cp ledger.Checkpoint, before *liaison.Via) (verdict, bool) {
	switch via := h.Leaf.Via; {
	case before == nil && (cp.Origin.Office != act.Office || via != nil || h.Leaf.Added != act.Accepted):
		return refuse("act.accepted", "the way does not begin with %s adding it at %s", act.Office, act.Accepted), false
	case before != nil && (via == nil || *via != *before):
		return refuse("act.way", "%s did not get it from the office before", cp.Origin.Office), false
	}
	return verdict{}, true
}

// wellFormed holds an act to its format: what is stored is served, and others
// read it strictly.
func wellFormed(t *liaison.Travels) (verdict, bool) {
	if _, err := liaison.ParseAct(liaison.JCS(t.Act)); err != nil {
		return refuse("act.format", "%s", err), false
	}
	if len(t.Consent) > 0 || !t.Act.Consent.IsZero() {
		return refuse("act.consent", "it rests on a consent, and no consent has a format yet"), false
	}
	return verdict{}, true
}

// attested returns a checkpoint note with the signatures that were verified
// here and no other line, so that nobody's junk spoils a receipt.
func attested(reg *registry.Registry, note string, at liaison.Instant) (string, error) {
	n, err := ledger.ParseNote(note)
	if err != nil {
		return "", err
	}
	kept := &ledger.Note{Text: n.Text}
	cp, err := ledger.ParseCheckpointText(n.Text)
	if err != nil {
		return "", err
	}
	for _, s := range n.Signatures {
		one := &ledger.Note{Text: n.Text, Signatures: []ledger.Signature{s}}
		if office, ok := strings.CutSuffix(s.Name, "/witness"); ok {
			keys := reg.OfficeKeys(liaison.Office(office), liaison.UseWitness, at)
			if _, err := ledger.VerifyCosignature(one, s.Name, keys); err != nil {
				continue
			}
		} else if s.Name != cp.Origin.String() || ledger.VerifyNote(one, s.Name, reg.OfficeKeys(cp.Origin.Office, liaison.UseLog, at)) != nil {
			continue
		}
		kept.Signatures = append(kept.Signatures, s)
	}
	if len(kept.Signatures) == 0 {
		return "", fmt.Errorf("no signature on the checkpoint of %s could be verified", cp.Origin)
	}
	return kept.String(), nil
}
