package exchange

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
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

// status is TAXII 2.1 §4.3.1. Every success says where its receipt is, every
// failure where in the body the element stands: one that was refused for having
// no id could not be found otherwise.
func (r *Room) status(id string, c liaison.CollectionID, outcomes []desk.Outcome, at liaison.Instant) taxii.Status {
	s := taxii.Status{ID: id, Status: taxii.Complete, RequestTimestamp: at.String(), TotalCount: len(outcomes)}
	for i, o := range outcomes {
		d := taxii.StatusDetail{ID: o.ID, Version: o.Version}
		switch o.Status {
		case desk.Accepted, desk.Duplicate:
			if !o.Unread {
				d.Other = member("x_receipt", ReceiptPath(c, o.Index))
			}
			s.Successes = append(s.Successes, d)
		default:
			at := fmt.Sprintf("/objects/%d%s", i, o.Pointer)
			d.Message, d.Other = at+": "+o.Reason, member("x_pointer", at)
			s.Failures = append(s.Failures, d)
		}
	}
	s.SuccessCount, s.FailureCount = len(s.Successes), len(s.Failures)
	return s
}

// member is a member of ours in a TAXII resource.
func member(name, value string) jsontext.Value {
	b, err := json.Marshal(map[string]string{name: value})
	if err != nil {
		panic(err) // a map of strings
	}
	return b
}
