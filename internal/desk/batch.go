package desk

import (
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/release"
	"github.com/liaison-office/liaison/stix"
	"slices"
)

// Batch is what is brought to the desk: objects at the first door, or what a
// neighbour's relay page holds.
type Batch struct {
	Collection liaison.CollectionID
	Items      []Item

	// DryRun decides and stores nothing: preview and explain. As lets an
	// operator ask on behalf of an account.
	DryRun bool
	As     *registry.Account

	// Status keeps the outcomes, in the same transaction, as a status of this
	// id for the viewer (Query.Status). At is when it was asked for; zero means
	// now.
	Status string
	At     liaison.Instant

	// Follow moves the follower's position in the neighbour's log, together
	// with the items (relay).
	Follow *Follow
	// Cosigned is a checkpoint note of this office's log with the
	// neighbour's cosignature (relay).
	Cosigned string
	// Evidence is what a neighbour passes back about acts that came through
	// this office (relay).
	Evidence []Evidence
	// Delivered are the keys of evidence the neighbour has received (relay).
	Delivered []string
	// Told is what a neighbour knows of this office's own logs (relay).
	Told *Told
	// Reopen opens the next generation of a stopped log, or lets it go on where
	// nothing is missing (operators).
	Reopen bool
}

// Item is one object, or one act that came by relay.
type Item struct {
	Object *stix.Object // first door: parsed
	Err    *stix.Error  // first door: why it could not be parsed
	Raw    []byte       // first door: what could not be parsed

	// Erases is the act of the viewer's party whose object is to be erased for all
	// (first door). An operator's batch erases it at this office alone. A batch that
	// erases does nothing else.
	Erases liaison.Hash
	Reason string // of an operator's erasure; it names no object

	Arrival *Arrival // relay

	waited string // the key of bucketWaiting under which the arrival waited
}

// Arrival is an act by relay, with the leaf of the neighbour's log by which it
// came. The neighbour's log was verified up to it.
type Arrival struct {
	Travels liaison.Travels
	Kind    liaison.Kind // of the neighbour's leaf
	Erased  liaison.Hash // the act that erased its object at the neighbour; zero: none
	Via     liaison.Via
	Hop     liaison.Hop // the neighbour's
}

// Follow is a follower's position in a neighbour's log.
type Follow struct {
	Origin liaison.Origin `json:"origin"`
	From   uint64         `json:"-"`     // the position this page continues
	Size   uint64         `json:"size"`  // entries verified
	Range  liaison.Binary `json:"range"` // ledger.Range
	Note   string         `json:"note"`  // checkpoint of Size, cosigned by this office

	Bare  []liaison.Hop `json:"-"` // leaves of the page that name no act
	Whole bool          `json:"-"` // the page was asked for with the objects that came from here
}

// Told is what a neighbour knows of this office's own logs.
type Told struct {
	Heads    []string   // checkpoints it has verified, the newest of each log
	All      bool       // these, with those told before, are all
	Doubtful bool       // its own store was restored: it may have known more
	Returned []Returned // leaves of the batch's collection
	Done     bool       // it has no more of them
}

// Evidence is what travels back to an act's office about it: the leaves of
// offices further on, or the signed word of one that held or refused it.
type Evidence struct {
	Key        string                  `json:"key"` // of the sender's outbox; acknowledges it
	Collection liaison.CollectionID    `json:"collection"`
	Act        liaison.Hash            `json:"act"`
	Hops       []liaison.Hop           `json:"hops,omitzero"`
	Signed     *liaison.SignedEvidence `json:"signed,omitzero"`
}

// Status is what became of an object.
type Status string

// The statuses.
const (
	Accepted  Status = "accepted"
	Duplicate Status = "duplicate" // it is here: nothing was added
	Refused   Status = "refused"
	Held      Status = "held"    // relay: kept for a person
	Waiting   Status = "waiting" // relay: for a programme, party, marking or key
)

// Outcome is what became of one item.
type Outcome struct {
	Status  Status          `json:"status"`
	ID      string          `json:"id,omitzero"`
	Version string          `json:"version,omitzero"`
	Index   uint64          `json:"index"`
	Act     liaison.Hash    `json:"act,omitzero"`
	Added   liaison.Instant `json:"added,omitzero"`
	Code    string          `json:"code,omitzero"`    // of a refusal by form: a stix.Code or stix.Find constant
	Pointer string          `json:"pointer,omitzero"` // RFC 6901, into the object
	Reason  string          `json:"reason,omitzero"`
	// Unread: who withdrew it may not read the collection, so what tells how the
	// log has grown is left out: Index, Added, Act, and a Version that the object
	// does not say itself.
	Unread bool `json:"unread,omitzero"`
	// Erased: what is told here was erased since, and id and version with it.
	Erased   bool             `json:"erased,omitzero"`
	Decision release.Decision `json:"-"`
	Found    []Found          `json:"found,omitzero"`
}

// Found is what was found in an object, by code.
type Found struct {
	Code    string `json:"code"` // a stix.Find constant
	Level   string `json:"level"`
	Count   int    `json:"count"`
	Pointer string `json:"pointer"` // of the first
}

// foundBy counts findings by their codes, in the order in which these come first.
func foundBy(findings []stix.Finding) (list []Found) {
	for _, f := range findings {
		i := slices.IndexFunc(list, func(g Found) bool { return g.Code == f.Code })
		if i < 0 {
			i, list = len(list), append(list, Found{f.Code, f.Level.String(), 0, legible(f.Pointer)})
		}
		list[i].Count++
	}
	return list
}

// unread leaves out of an outcome what its reader may not see.
func (o *Outcome) unread(it *Item) {
	o.Index, o.Added, o.Act, o.Unread = 0, 0, liaison.Hash{}, true
	o.Version = it.Object.Version()
}

// refused builds an outcome from a decision that did not allow.
func (o Outcome) refused(d release.Decision) Outcome {
	o.Status, o.Decision, o.Reason = Refused, d, d.Reason
	if o.Pointer == "" && labelRule(d.Rule) {
		o.Pointer = "/object_marking_refs"
	}
	return o
}

func labelRule(r release.Rule) bool {
	switch r {
	case release.RuleUnknown, release.RuleUnmarked, release.RuleRed, release.RuleKind, release.RuleCeiling:
		return true
	}
	return false
}
