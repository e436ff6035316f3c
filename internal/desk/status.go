package desk

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// bucketStatus keeps what became of a batch for the viewer that brought it:
// <principal> 0x00 <status id>.
const bucketStatus = "status"

type statusRecord struct {
	Collection liaison.CollectionID `json:"collection"`
	At         liaison.Instant      `json:"at"`
	Outcomes   []Outcome            `json:"outcomes"`
}

// encode writes the record as json.Marshal would: by hand, since every envelope
// has one and each of its objects an outcome.
func (r *statusRecord) encode() []byte {
	b := make([]byte, 0, 100+300*len(r.Outcomes))
	b = append(append(append(b, `{"collection":"`...), r.Collection.String()...), `","at":`...)
	b = append(append(b, marshal(r.At)...), `,"outcomes":[`...)
	for i := range r.Outcomes {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.Outcomes[i].append(b)
	}
	return append(b, "]}"...)
}

// append writes an outcome to its JSON. What is rare goes the general way.
func (o *Outcome) append(b []byte) []byte {
	if o.Code != "" || o.Pointer != "" || o.Reason != "" || o.Unread || o.Erased || len(o.Found) > 0 || o.Added.IsZero() || o.Act.IsZero() {
		return append(b, marshal(o)...)
	}
	b = append(append(append(b, `{"status":"`...), o.Status...), '"')
	b = appendText(b, `,"id":`, o.ID)
	b = appendText(b, `,"version":`, o.Version)
	b = strconv.AppendUint(append(b, `,"index":`...), o.Index, 10)
	b = base64.StdEncoding.AppendEncode(append(b, `,"act":"`...), o.Act[:])
	b = o.Added.Append(append(b, `","added":"`...))
	return append(b, `"}`...)
}

// appendText writes a member, unless it is empty.
func appendText(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b, err := jsontext.AppendQuote(append(b, name...), text)
	if err != nil {
		panic(fmt.Sprintf("desk: %q is no text: %v", text, err)) // legible and package stix let none through
	}
	return b
}

func statusKey(v Viewer, id string) string { return v.Principal() + "\x00" + id }

func (d *Desk) keepStatus(tx store.Tx, v Viewer, b Batch, outcomes []Outcome) error {
	if b.Status == "" {
		return nil
	}
	r := statusRecord{Collection: b.Collection, At: b.At, Outcomes: outcomes}
	if r.At.IsZero() {
		r.At = d.now()
	}
	return tx.Put(bucketStatus, statusKey(v, b.Status), r.encode())
}

func (d *Desk) readStatus(s store.View, v Viewer, q Query, page *Page) error {
	raw, ok, err := s.State(bucketStatus, statusKey(v, q.Status))
	if err != nil {
		return err
	}
	if !ok {
		return ErrNotFound
	}
	var r statusRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("status %s: %w", q.Status, err)
	}
	page.Outcomes, page.At, page.Collection = r.Outcomes, r.At, r.Collection
	return nil
}

// UndeliveredAct is an act that was not appended here, or not further on.
type UndeliveredAct struct {
	Status     Status               `json:"status"`
	Collection liaison.CollectionID `json:"collection"`
	Act        string               `json:"act"`
	Office     liaison.Office       `json:"office"`
	Rule       string               `json:"rule"`
	Reason     string               `json:"reason,omitzero"`
	At         liaison.Instant      `json:"at"`
}

// undelivered lists held and waiting acts and the verdicts of other offices.
func (d *Desk) undelivered(s store.View) ([]UndeliveredAct, error) {
	var list []UndeliveredAct
	for bucket, status := range map[string]Status{bucketHeld: Held, bucketWaiting: Waiting} {
		err := s.States(bucket, "", func(key string, raw []byte) error {
			var w waitingAct
			if err := json.Unmarshal(raw, &w); err != nil {
				return fmt.Errorf("%s act %s: %w", bucket, key, err)
			}
			list = append(list, UndeliveredAct{
				Status: status, Collection: w.Collection, Act: w.Travels.Act.Hash().String(),
				Office: d.Office, Rule: w.Rule, Reason: w.Reason, At: w.At,
			})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	err := s.States(bucketVerdicts, "", func(key string, raw []byte) error {
		var e liaison.SignedEvidence
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("verdict %s: %w", key, err)
		}
		if e.Evidence.Office == d.Office && e.Evidence.Verdict == liaison.VerdictHeld {
			return nil // listed above
		}
		c, err := liaison.ParseCollectionID(key[:strings.IndexByte(key, '/')])
		if err != nil {
			return fmt.Errorf("verdict %s: %w", key, err)
		}
		list = append(list, UndeliveredAct{
			Status: Status(e.Evidence.Verdict), Collection: c, Act: e.Evidence.Act.String(),
			Office: e.Evidence.Office, Rule: e.Evidence.Rule, At: e.Evidence.At,
		})
		return nil
	})
	return list, err
}
