package office

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/stix"
)

// EraseRequest names acts whose object is erased: those given, or all that this
// office has of an object, or of one version of it.
type EraseRequest struct {
	Collection string         `json:"collection"`
	Object     string         `json:"object,omitzero"`
	Version    string         `json:"version,omitzero"`
	Acts       []liaison.Hash `json:"acts,omitzero"`

	// As is an account: its party's own acts are erased by acts of its own, which
	// go to all. Empty: the operator erases here alone, and Reason is kept.
	As     string `json:"as,omitzero"`
	Reason string `json:"reason,omitzero"`

	Preview bool `json:"preview,omitzero"` // say what would be erased
}

// EraseReply says what was erased, or would be. It shows no contents.
type EraseReply struct {
	Acts []ErasedAct `json:"acts"`
	// Left says why the files of the store still hold it; they are freed later.
	Left string `json:"left,omitzero"`
}

// ErasedAct is an act whose object is erased.
type ErasedAct struct {
	Act      liaison.Hash    `json:"act"`
	Index    uint64          `json:"index"`
	By       liaison.Party   `json:"by"`
	For      liaison.Party   `json:"for,omitzero"`
	Party    string          `json:"party"` // whose right was used, by name
	Office   liaison.Office  `json:"office"`
	Label    stix.TLP        `json:"label"`
	Accepted liaison.Instant `json:"accepted"`
	Version  string          `json:"version,omitzero"`
	Status   desk.Status     `json:"status,omitzero"`  // of the erasure; none in a preview
	Erasure  liaison.Hash    `json:"erasure,omitzero"` // the act that erases, where there is one
}

// maxScrub is how long an erasure waits for the files of the store.
const maxScrub = 10 * time.Minute

// Erase erases objects.
func (p *Operator) Erase(ctx context.Context, r EraseRequest) (reply EraseReply, err error) {
	c, err := p.collection(r.Collection)
	if err != nil {
		return reply, err
	}
	viewer, account := p.viewer(), registry.Account{}
	if r.As != "" {
		if account, err = p.o.Accounts.Get(ctx, r.As); err != nil {
			return reply, err
		}
		viewer = registry.LoggedIn(account, p.o.Config.Office)
	}
	if err := checkErase(r); err != nil {
		return reply, err
	}
	if reply.Acts, err = p.toErase(ctx, c, r, account); err != nil || r.Preview {
		return reply, err
	}
	if err := p.erase(ctx, c, viewer, r.Reason, reply.Acts); err != nil {
		return EraseReply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, maxScrub)
	defer cancel()
	if err := p.o.Store.Scrub(ctx); err != nil {
		reply.Left = err.Error()
	}
	return reply, nil
}

func checkErase(r EraseRequest) error {
	switch {
	case r.Object == "" && len(r.Acts) == 0:
		return errors.New("name the object, or the acts, that are to be erased")
	case r.As == "" && r.Reason == "" && !r.Preview:
		return errors.New("what the operator erases needs a reason, which is kept; it names no contents")
	case r.As != "" && r.Reason != "":
		return errors.New("an act that erases carries no reason: leave it out, or erase at this office alone")
	}
	return nil
}

func (p *Operator) erase(ctx context.Context, c liaison.CollectionID, v desk.Viewer, reason string, acts []ErasedAct) error {
	b := desk.Batch{Collection: c, Items: make([]desk.Item, len(acts))}
	for i := range acts {
		b.Items[i] = desk.Item{Erases: acts[i].Act, Reason: reason}
	}
	outcomes, err := p.o.Desk.Accept(ctx, v, b)
	switch {
	case errors.Is(err, desk.ErrNotFound):
		return errors.New("the account's party released none of these here, or may not act here")
	case err != nil:
		return fmt.Errorf("erase: %w", err)
	}
	for i, o := range outcomes {
		if acts[i].Status = o.Status; o.Status == desk.Refused {
			return fmt.Errorf("erase act %s: %s", acts[i].Act, p.named(o.Reason))
		}
		if !v.IsOperator() {
			acts[i].Erasure = o.Act
		}
	}
	return nil
}

// toErase finds the acts that a request names.
func (p *Operator) toErase(ctx context.Context, c liaison.CollectionID, r EraseRequest, as registry.Account) (list []ErasedAct, err error) {
	err = p.o.Journal.View(ctx, func(v store.View) error {
		hashes := r.Acts
		if r.Object != "" {
			if hashes, err = actsOf(v, c, r.Object, r.Version); err != nil {
				return err
			}
		}
		for _, h := range hashes {
			e, act, err := journal.ActIn(v, c, h)
			switch {
			case err != nil:
				return err
			case act == nil:
				return fmt.Errorf("no act %s in %s", h, r.Collection)
			case r.As != "" && !p.ownedBy(as, act):
				if r.Object == "" {
					return fmt.Errorf("act %s is not %s's own at this office", h, r.As)
				}
				continue
			}
			list = append(list, p.erasedAct(e, act))
		}
		return nil
	})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("no act for object %.100q in %s that could be erased so: it was erased already, never was here, or is another party's", r.Object, r.Collection)
	}
	slices.SortFunc(list, func(a, b ErasedAct) int { return cmp.Compare(a.Index, b.Index) })
	return list, err
}

func actsOf(v store.View, c liaison.CollectionID, object, version string) (acts []liaison.Hash, err error) {
	err = v.Find(c, object, store.Proof, func(e *store.Entry) error {
		same, err := stix.CompareInstants(version, e.Version)
		if version == "" || version == e.Version || err == nil && same == 0 {
			acts = append(acts, e.ActHash)
		}
		return nil
	})
	return acts, err
}

func (p *Operator) ownedBy(a registry.Account, act *liaison.Act) bool {
	party := a.By
	if a.For != "" {
		party = a.For
	}
	return act.Office == p.o.Config.Office && (party == act.By || party == act.For)
}

func (p *Operator) erasedAct(e *store.Entry, act *liaison.Act) ErasedAct {
	name := string(act.Owner())
	if party, ok := p.o.Desk.Registry().Party(act.Owner()); ok {
		name = party.Name
	}
	return ErasedAct{
		Act: e.ActHash, Index: e.Index, By: act.By, For: act.For, Party: name, Office: act.Office,
		Label: act.Label, Accepted: act.Accepted, Version: e.Version,
	}
}
