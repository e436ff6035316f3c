package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

func newClient(address string) *taxii.Client {
	return &taxii.Client{
		Base: &url.URL{Scheme: "http", Host: address}, AllowHTTP: true,
		Credentials: taxii.Credentials{User: demo.SampleAccount, Password: demo.SamplePassword},
	}
}

// object returns the n-th object the writers send.
func object(n int) (id string, b []byte) {
	id = "note--" + uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "kill %d", n)).String()
	return id, fmt.Appendf(nil, `{"type":"note","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",`+
		`"object_marking_refs":["%s"],"content":"object %d of a fault campaign","object_refs":["%s"]}`, id, stix.Green.Marking(), n, id)
}

// post sends objects from, from+1, … and returns what was acknowledged.
func post(ctx context.Context, c *taxii.Client, from, count int) ([]ack, error) {
	var body bytes.Buffer
	sums := map[string]string{}
	body.WriteString(`{"objects":[`)
	for i := range count {
		id, b := object(from + i)
		sums[id] = digest(b)
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(b)
	}
	body.WriteString(`]}`)
	status, err := c.Add(ctx, taxii.RootPath, demo.SampleCollection, body.Bytes())
	if err != nil {
		return nil, err
	}
	if status.FailureCount > 0 {
		return nil, fmt.Errorf("%s refused: %s", status.Failures[0].ID, status.Failures[0].Message)
	}
	var acks []ack
	for _, s := range status.Successes {
		var other struct {
			Receipt string `json:"x_receipt"`
		}
		if err := json.Unmarshal(s.Other, &other); err != nil {
			return nil, err
		}
		acks = append(acks, ack{ID: s.ID, SHA256: sums[s.ID], Receipt: other.Receipt})
	}
	return acks, nil
}

// check opens the office once more and holds it to what it acknowledged.
func check(ctx context.Context, command []string, folder string, o *oracle, r *result) error {
	acks, err := o.all()
	if err != nil {
		return err
	}
	r.acknowledged = len(acks)
	p, err := start(ctx, command, folder)
	if err != nil {
		return err
	}
	defer p.kill()
	there, err := readAll(ctx, newClient(p.address))
	if err != nil {
		return err
	}
	for _, a := range acks {
		switch sums := there[a.ID]; {
		case len(sums) == 0:
			r.fail(&r.lost, "%s is lost", a.ID)
		case len(sums) > 1:
			r.fail(&r.duplicated, "%s is there %d times", a.ID, len(sums))
		case sums[0] != a.SHA256:
			r.fail(&r.changed, "%s has other bytes", a.ID)
		}
	}
	if err := checkReceipts(ctx, folder, p.address, acks, r); err != nil {
		return err
	}
	var reply office.FsckReply
	if err := office.Call(ctx, folder, "fsck", office.Options{}, struct{}{}, &reply); err != nil {
		return err
	}
	r.fsck = reply.Problems
	return nil
}

// readAll returns the digests of every entry of the collection, by object.
func readAll(ctx context.Context, c *taxii.Client) (map[string][]string, error) {
	there := map[string][]string{}
	query := taxii.Query{Match: taxii.Match{Version: []string{taxii.VersionAll}}}
	for page, err := range c.Objects(ctx, taxii.RootPath, demo.SampleCollection, query) {
		if err != nil {
			return nil, err
		}
		for _, raw := range page.Objects {
			o, err := stix.Parse(raw, stix.DefaultLimits())
			if err != nil {
				return nil, err
			}
			there[string(o.ID())] = append(there[string(o.ID())], digest(raw))
		}
	}
	return there, nil
}

func checkReceipts(ctx context.Context, folder, address string, acks []ack, r *result) error {
	text, err := os.ReadFile(filepath.Join(folder, office.PinFile))
	if err != nil {
		return err
	}
	pin, err := ledger.ParsePin(string(text))
	if err != nil {
		return err
	}
	for _, a := range acks {
		r.receipts++
		if err := checkReceipt(ctx, address, a, pin); err != nil {
			r.fail(&r.badReceipts, "receipt of %s: %v", a.ID, err)
		}
	}
	return nil
}

func checkReceipt(ctx context.Context, address string, a ack, pin ledger.Pin) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+a.Receipt+"?object=1", nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(demo.SampleAccount, demo.SamplePassword)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	receipt, err := liaison.ParseReceipt(b)
	if err != nil {
		return err
	}
	if _, err := ledger.VerifyReceipt(receipt, pin); err != nil {
		return err
	}
	if receipt.Object == nil || digest(receipt.Object.Bytes) != a.SHA256 {
		return fmt.Errorf("it proves other bytes")
	}
	return nil
}
