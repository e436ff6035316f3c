package exchange

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// Add implements taxii.Backend: the envelope is parsed once, strictly, and
// each element becomes an item of one batch.
func (r *Room) Add(ctx context.Context, p taxii.Principal, collection string, body []byte) (taxii.Status, error) {
	c, err := liaison.ParseCollectionID(collection)
	if err != nil {
		return taxii.Status{}, taxii.ErrNotFound
	}
	env, err := stix.ParseEnvelope(body, r.Limits)
	if err != nil {
		return taxii.Status{}, err
	}
	b := desk.Batch{
		Collection: c, Items: Items(env),
		Status: r.NewID(viewer(p).Principal()), At: liaison.InstantOf(r.Now()),
	}
	outcomes, err := r.Desk.Accept(ctx, viewer(p), b)
	if err != nil {
		return taxii.Status{}, wire(err)
	}
	point.At("exchange.accepted-not-answered")
	return r.status(b.Status, c, outcomes, b.At), nil
}

// Items turns an envelope into what the desk takes.
func Items(env stix.Envelope) []desk.Item {
	items := make([]desk.Item, len(env.Objects))
	for i, it := range env.Objects {
		items[i] = desk.Item{Object: it.Object, Err: it.Err, Raw: it.Raw}
	}
	return items
}

// Status implements taxii.Backend.
func (r *Room) Status(ctx context.Context, p taxii.Principal, id string) (taxii.Status, error) {
	page, err := r.Desk.Read(ctx, viewer(p), desk.Query{What: desk.Statuses, Status: id})
	if err != nil {
		return taxii.Status{}, wire(err)
	}
	return r.status(id, page.Collection, page.Outcomes, page.At), nil
}

// detail is what this server says of an object beyond TAXII 2.1 §4.3.2: where the
// receipt of a success is; where in the body an element stands that failed, since
// one that has no id could not be found otherwise, and by which code; and what was
// found in the object (docs/findings.md).
type detail struct {
	Receipt  string       `json:"x_receipt,omitzero"`
	Pointer  string       `json:"x_pointer,omitzero"`
	Code     string       `json:"x_code,omitzero"`
	Findings []desk.Found `json:"x_findings,omitzero"`
}

// status is TAXII 2.1 §4.3.1.
func (r *Room) status(id string, c liaison.CollectionID, outcomes []desk.Outcome, at liaison.Instant) taxii.Status {
	s := taxii.Status{ID: id, Status: taxii.Complete, RequestTimestamp: at.String(), TotalCount: len(outcomes)}
	for i, o := range outcomes {
		d := taxii.StatusDetail{ID: o.ID, Version: o.Version}
		switch o.Status {
		case desk.Accepted, desk.Duplicate:
			s.SuccessCount++
		default:
			s.FailureCount++
		}
		if o.Erased { // its id is gone, and a detail has one: it is counted only
			continue
		}
		switch o.Status {
		case desk.Accepted, desk.Duplicate:
			said := detail{Findings: o.Found}
			if !o.Unread {
				said.Receipt = ReceiptPath(c, o.Index)
			}
			d.Other = said.members()
			s.Successes = append(s.Successes, d)
		default:
			at := fmt.Sprintf("/objects/%d%s", i, o.Pointer)
			d.Message, d.Other = at+": "+o.Reason, detail{Pointer: at, Code: o.Code, Findings: o.Found}.members()
			s.Failures = append(s.Failures, d)
		}
	}
	return s
}

// members are the members of ours in a TAXII resource.
func (d detail) members() jsontext.Value {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts and numbers
	}
	return b
}
