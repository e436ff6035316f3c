package ledger

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liaison-office/liaison"
)

// Limits of a receipt.
const (
	MaxHops    = 64
	MaxOffices = 256
)

// Report says what a receipt proves.
type Report struct {
	Act         liaison.Hash            // hash of the act
	Offices     []*liaison.OfficeObject // the office objects the pin vouches for
	Hops        []HopReport             // the way of the act, its own office first
	Programme   *liaison.Programme      // the version the act was done under
	ProgrammeBy liaison.Office          // the office that signed a directed programme; "" where the authority did
	Genesis     liaison.Hash            // of that programme
	Area        liaison.Area            // of the act's collection
	Epoch       uint32                  // of that area
	Object      bool                    // the receipt has the object, and the act committed to it
}

// HopReport says what one office's log proves.
type HopReport struct {
	Office   liaison.Office
	Origin   liaison.Origin
	Kind     liaison.Kind
	Index    uint64          // of the leaf
	Size     uint64          // of the log at the checkpoint
	Added    liaison.Instant // by this office's clock
	Cosigned []Cosigned      // the offices of the receipt that cosigned the checkpoint
}

// Cosigned says that an office had seen a log grow to a checkpoint.
type Cosigned struct {
	Office liaison.Office
	Time   int64 // seconds since 1970 UTC, by that office's clock
}

// by reports whether an office is among the cosigners.
func (h HopReport) by(o liaison.Office) bool {
	return slices.ContainsFunc(h.Cosigned, func(c Cosigned) bool { return c.Office == o })
}

// Failure says where a receipt does not hold, and why. Place is a path into the
// receipt without a leading slash: "hops/1/path", "object", "keys/offices/0".
type Failure struct {
	Place  string
	Reason string
}

// Error returns "receipt: place: reason".
func (f *Failure) Error() string { return "receipt: " + f.Place + ": " + f.Reason }

func fail(place, format string, args ...any) *Failure {
	return &Failure{Place: place, Reason: fmt.Sprintf(format, args...)}
}

func failErr(place string, err error) *Failure { return &Failure{Place: place, Reason: err.Error()} }

// VerifyReceipt checks everything a receipt claims, from the pin on: keys, then
// the way hop by hop, then act, batch, programme and object. Every error is a
// [*Failure]; docs/formats.md ("Receipt") lists what is an error and what the
// report tells instead.
//
// What each hop proves comes first, so that what differs from what the logs
// hold is named as what is wrong: the act, not its batch.
func VerifyReceipt(r *liaison.Receipt, pin Pin) (*Report, error) {
	v := &receiptVerifier{r: r, pin: pin, report: &Report{Act: r.Act.Hash()}}
	for _, step := range []func() *Failure{v.shape, v.keys, v.hops, v.act, v.batch, v.programme, v.object} {
		if f := step(); f != nil {
			return nil, f
		}
	}
	return v.report, nil
}

type receiptVerifier struct {
	r      *liaison.Receipt
	pin    Pin
	report *Report
}

func (v *receiptVerifier) shape() *Failure {
	switch {
	case len(v.r.Hops) == 0:
		return fail("hops", "there is none: nothing says that an office accepted the act")
	case len(v.r.Hops) > MaxHops:
		return fail("hops", "%d, the limit is %d", len(v.r.Hops), MaxHops)
	case len(v.r.Keys.Offices) > MaxOffices:
		return fail("keys/offices", "%d, the limit is %d", len(v.r.Keys.Offices), MaxOffices)
	}
	return nil
}

func (v *receiptVerifier) keys() *Failure {
	if v.r.Keys.Authority != nil {
		if err := v.pin.verifyAuthority(v.r.Keys.Authority); err != nil {
			return failErr("keys/authority", err)
		}
	}
	for i, raw := range v.r.Keys.Offices {
		if err := v.office(raw); err != nil {
			return failErr(fmt.Sprintf("keys/offices/%d", i), err)
		}
	}
	return nil
}

// verifyAuthority checks that an authority object is the pinned one.
func (p Pin) verifyAuthority(object []byte) error {
	a, err := liaison.ParseAuthority(object)
	if err != nil {
		return err
	}
	if a.Threshold != p.Threshold || !sameKeys(a.Keys, p.Keys) {
		return fmt.Errorf("the authority is not the pinned one: its keys or threshold differ")
	}
	return p.Verify(object)
}

func sameKeys(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func (v *receiptVerifier) office(raw []byte) error {
	o, err := liaison.ParseOfficeObject(raw)
	if err != nil {
		return err
	}
	if v.officeObject(o.Name) != nil {
		return fmt.Errorf("%s is there twice", o.Name)
	}
	if err := v.pin.Verify(raw); err != nil {
		return err
	}
	v.report.Offices = append(v.report.Offices, o)
	return nil
}

// officeObject returns the object of an office that the pin vouches for, or nil.
func (v *receiptVerifier) officeObject(name liaison.Office) *liaison.OfficeObject {
	for _, o := range v.report.Offices {
		if o.Name == name {
			return o
		}
	}
	return nil
}

func (v *receiptVerifier) hops() *Failure {
	for i := range v.r.Hops {
		if f := v.hop(i); f != nil {
			f.Place = fmt.Sprintf("hops/%d/%s", i, f.Place)
			return f
		}
	}
	for i := range v.r.Hops {
		if f := v.neighbour(i); f != nil {
			return f
		}
	}
	return nil
}

// hop checks one hop; the place of a failure is relative to it.
func (v *receiptVerifier) hop(i int) *Failure {
	h := &v.r.Hops[i]
	c, note, err := v.checkpoint(h)
	if err != nil {
		return failErr("checkpoint", err)
	}
	if err := VerifyInclusion(liaison.LeafHash(liaison.JCS(&h.Leaf)), h.Index, c.Size, h.Path, c.Root); err != nil {
		return failErr("path", err)
	}
	rep := HopReport{Office: c.Origin.Office, Origin: c.Origin, Kind: h.Leaf.Kind, Index: h.Index, Size: c.Size, Added: h.Leaf.Added}
	if rep.Cosigned, err = v.cosigned(c, note); err != nil {
		return failErr("checkpoint", err)
	}
	v.report.Hops = append(v.report.Hops, rep)
	if i == 0 {
		return v.firstLeaf(&h.Leaf)
	}
	return v.nextLeaf(&h.Leaf, v.report.Hops[i-1])
}

// checkpoint opens a hop's checkpoint with the log keys of the office its
// origin names. A log key counts if its time did not end before the leaf was
// added: the checkpoint is of that instant or later.
func (v *receiptVerifier) checkpoint(h *liaison.Hop) (Checkpoint, *Note, error) {
	n, err := ParseNote(h.Checkpoint)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	c, err := ParseCheckpointText(n.Text)
	if err != nil {
		return c, nil, err
	}
	if c.Origin.Collection != v.r.Act.Collection {
		return c, nil, fmt.Errorf("a log of collection %s, the act is in %s", c.Origin.Collection, v.r.Act.Collection)
	}
	o := v.officeObject(c.Origin.Office)
	if o == nil {
		return c, nil, fmt.Errorf("keys/offices lacks %s", c.Origin.Office)
	}
	return c, n, verifySigned(n.Text, n.Signatures, c.Origin.String(), logKeys(o, h.Leaf.Added))
}

func logKeys(o *liaison.OfficeObject, added liaison.Instant) [][]byte {
	var keys [][]byte
	for _, k := range o.Keys {
		if k.Use == liaison.UseLog && (k.Until.IsZero() || added < k.Until) {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// cosigned collects the receipt's other offices that cosigned a checkpoint with
// a witness key that counted at the time the cosignature states.
func (v *receiptVerifier) cosigned(c Checkpoint, n *Note) ([]Cosigned, error) {
	var out []Cosigned
	for _, o := range v.report.Offices {
		if o.Name == c.Origin.Office {
			continue
		}
		t, ok, err := cosignedBy(n, o)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, Cosigned{Office: o.Name, Time: t})
		}
	}
	return out, nil
}

func cosignedBy(n *Note, o *liaison.OfficeObject) (time int64, ok bool, err error) {
	for _, k := range o.Keys {
		if k.Use != liaison.UseWitness {
			continue
		}
		t, err := VerifyCosignature(n, o.Name.WitnessKey(), [][]byte{k.Key})
		if err != nil && !errors.Is(err, ErrNotCosigned) {
			return 0, false, err
		}
		if err == nil && counted(k, t) {
			time, ok = max(time, t), true
		}
	}
	return time, ok, nil
}

// counted reports whether a key counted at a time in seconds, within which it
// may have begun or ended.
func counted(k liaison.OfficeKey, seconds int64) bool {
	return k.From.Time().Unix() <= seconds && (k.Until.IsZero() || seconds <= k.Until.Time().Unix())
}

func (v *receiptVerifier) firstLeaf(l *liaison.Leaf) *Failure {
	switch {
	case l.Kind != liaison.KindObject && l.Kind != liaison.KindAgain && l.Kind != liaison.KindErasure:
		return fail("leaf/kind", "%q does not record an act at its first door", l.Kind)
	case l.Via != nil:
		return fail("leaf/via", "the first hop came by relay from %s", l.Via.Origin)
	}
	return nil
}

func (v *receiptVerifier) nextLeaf(l *liaison.Leaf, before HopReport) *Failure {
	switch {
	case l.Kind != liaison.KindObject && l.Kind != liaison.KindAgain && l.Kind != liaison.KindConflict && l.Kind != liaison.KindErasure:
		return fail("leaf/kind", "%q does not record an act", l.Kind)
	case l.Via == nil:
		return fail("leaf/via", "is missing: the act did not come from %s", before.Origin)
	case l.Via.Origin != before.Origin || l.Via.Index != before.Index:
		return fail("leaf/via", "names %s at %d, the hop before is %s at %d", l.Via.Origin, l.Via.Index, before.Origin, before.Index)
	}
	return nil
}

// neighbour checks that the office next on the way cosigned a hop's
// checkpoint; for the last hop the office before. A lone hop needs none.
func (v *receiptVerifier) neighbour(i int) *Failure {
	hops := v.report.Hops
	if len(hops) == 1 {
		return nil
	}
	beside := i + 1
	if beside == len(hops) {
		beside = i - 1
	}
	if o := hops[beside].Office; !hops[i].by(o) {
		return fail(fmt.Sprintf("hops/%d/checkpoint", i), "%s did not cosign it", o)
	}
	return nil
}

// act checks that the logs hold this act.
func (v *receiptVerifier) act() *Failure {
	a := &v.r.Act
	for i, h := range v.r.Hops {
		switch {
		case h.Leaf.Act != v.report.Act:
			return fail("act", "its hash is %s, hops/%d records %s", v.report.Act, i, h.Leaf.Act)
		case (h.Leaf.Kind == liaison.KindErasure) != !a.Erases.IsZero():
			return fail(fmt.Sprintf("hops/%d/leaf/kind", i), "%q does not fit what the act does", h.Leaf.Kind)
		}
	}
	switch first := v.report.Hops[0]; {
	case first.Office != a.Office:
		return fail("act/office", "%s, the first hop is %s", a.Office, first.Office)
	case first.Added != a.Accepted:
		return fail("act/accepted", "%s, its first leaf was added %s", a.Accepted, first.Added)
	}
	return nil
}

func (v *receiptVerifier) batch() *Failure {
	a := &v.r.Act
	keys := v.officeObject(a.Office).KeysFor(liaison.UseAct, a.Accepted)
	if err := VerifyBatch(a, v.r.Batch, keys); err != nil {
		return failErr("batch", err)
	}
	return nil
}

func (v *receiptVerifier) programme() *Failure {
	raw := []byte(v.r.Programme)
	p, err := liaison.ParseProgramme(raw)
	if err != nil {
		return failErr("programme", err)
	}
	under, err := liaison.Under(raw)
	if err != nil {
		return failErr("programme", err)
	}
	if under != v.r.Act.Under {
		return fail("programme", "hashes to %s, the act is under %s", under, v.r.Act.Under)
	}
	if v.report.Genesis, err = liaison.GenesisOf(p, raw); err != nil {
		return failErr("programme", err)
	}
	v.report.Programme = p
	if f := v.programmeSigned(p, raw); f != nil {
		return f
	}
	return v.area(p)
}

// programmeSigned checks the signatures of a programme: the authority's, or for
// a directed one an office's act key that counted when it was written.
func (v *receiptVerifier) programmeSigned(p *liaison.Programme, raw []byte) *Failure {
	authority := v.pin.Verify(raw)
	if authority == nil {
		return nil
	}
	if p.Kind != liaison.KindDirected {
		return failErr("programme", authority)
	}
	at, err := time.Parse(time.RFC3339Nano, p.Modified)
	if err != nil {
		return fail("programme", "/modified %.40q is not an instant", p.Modified)
	}
	for _, o := range v.report.Offices {
		if VerifySignedBy(raw, o.Name.ActKey(), o.KeysFor(liaison.UseAct, liaison.InstantOf(at))) == nil {
			v.report.ProgrammeBy = o.Name
			return nil
		}
	}
	return fail("programme", "not signed by the authority (%v) nor by an office of keys/offices", authority)
}

// area finds the area and the epoch of the act's collection: one that the
// version has or that it closed.
func (v *receiptVerifier) area(p *liaison.Programme) *Failure {
	for _, a := range append([]liaison.Area{liaison.Charter}, p.Areas...) {
		for epoch := p.EpochOf(a); epoch > 0; epoch-- {
			if liaison.CollectionOf(v.report.Genesis, a, epoch) == v.r.Act.Collection {
				v.report.Area, v.report.Epoch = a, epoch
				return nil
			}
		}
	}
	return fail("act/collection", "%s is no area of programme %q in its version %d", v.r.Act.Collection, p.Name, p.Version)
}

func (v *receiptVerifier) object() *Failure {
	o := v.r.Object
	if o == nil {
		return nil
	}
	if liaison.Commit(o.Salt, o.Bytes) != v.r.Act.Commit {
		return fail("object", "salt and bytes are not what the act committed to")
	}
	v.report.Object = true
	return nil
}
