package desk

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
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

func statusKey(v Viewer, id string) string { return v.Principal() + "\x00" + id }

func (d *Desk) keepStatus(tx store.Tx, v Viewer, b Batch, outcomes []Outcome) error {
	if b.Status == "" {
		return nil
	}
	r := statusRecord{Collection: b.Collection, At: b.At, Outcomes: outcomes}
	if r.At.IsZero() {
		r.At = d.now()
	}
	return tx.Put(bucketStatus, statusKey(v, b.Status), marshal(r))
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
