package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

func newClient(address string, c taxii.Credentials) *taxii.Client {
	return &taxii.Client{Base: &url.URL{Scheme: "http", Host: address}, Credentials: c, AllowHTTP: true}
}

// pull reads the whole collection, by object id.
func (d *demo) pull(ctx context.Context, c *taxii.Client) (map[string][]byte, error) {
	all := map[string][]byte{}
	for page, err := range c.Objects(ctx, taxii.RootPath, d.collection, taxii.Query{}) {
		if err != nil {
			return nil, err
		}
		for _, raw := range page.Objects {
			o, err := stix.Parse(raw, stix.DefaultLimits())
			if err != nil {
				return nil, err
			}
			all[string(o.ID())] = raw
		}
	}
	return all, nil
}

// envelope joins what a bundle holds.
func envelope(env stix.Envelope) []byte {
	var objects [][]byte
	for _, it := range env.Objects {
		objects = append(objects, it.Object.Bytes())
	}
	return bytes.Join([][]byte{[]byte(`{"objects":[`), bytes.Join(objects, []byte(",")), []byte(`]}`)}, nil)
}

func reportOf(env stix.Envelope, id string) jsontext.Value {
	for _, it := range env.Objects {
		if string(it.Object.ID()) == id {
			return it.Object.Bytes()
		}
	}
	return nil
}

func member(object jsontext.Value, name string) string {
	var m map[string]any
	if err := json.Unmarshal(object, &m); err != nil {
		return ""
	}
	text, _ := m[name].(string)
	return text
}

// absent is a well-formed collection id that no programme has.
const absent = "9f2c1d7e-0000-4000-8000-000000000000"

// sameRefusal asks for the collection and for one that does not exist, and
// compares status, headers (but Date) and body.
func (d *demo) sameRefusal(ctx context.Context, c *taxii.Client, method, path string, body []byte) error {
	prefix := taxii.RootPath + "collections/"
	return same(ctx, c, method, prefix+d.id+path, prefix+absent+path, body)
}

func (d *demo) sameReceiptRefusal(ctx context.Context, c *taxii.Client) error {
	return same(ctx, c, http.MethodGet, d.receipt, strings.Replace(d.receipt, d.id, absent, 1), nil)
}

func same(ctx context.Context, c *taxii.Client, method, one, other string, body []byte) error {
	a, err := ask(ctx, c, method, one, body)
	if err != nil {
		return err
	}
	b, err := ask(ctx, c, method, other, body)
	if err != nil {
		return err
	}
	if a != b || !strings.HasPrefix(a, "404") {
		return fmt.Errorf("%s %s answers\n%s\nand what does not exist\n%s", method, one, a, b)
	}
	return nil
}

// ask returns an answer as text: status, headers but Date, body.
func ask(ctx context.Context, c *taxii.Client, method, path string, body []byte) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base.String()+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(c.Credentials.User, c.Credentials.Password)
	req.Header.Set("Accept", taxii.MediaType)
	req.Header.Set("Content-Type", taxii.MediaType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	resp.Header.Del("Date")
	var head strings.Builder
	if err := resp.Header.Write(&head); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d\n%s\n%s", resp.StatusCode, head.String(), b), nil
}

// fetchReceipt gets the receipt of the report, with the object, at seoul.
func (d *demo) fetchReceipt(ctx context.Context) ([]byte, error) {
	c := d.client("denmark-seoul")
	answer, err := ask(ctx, c, http.MethodGet, d.receipt+"?object=1", nil)
	if err != nil {
		return nil, err
	}
	_, body, ok := strings.Cut(answer, "\r\n\n")
	if !ok || !strings.HasPrefix(answer, "200") {
		return nil, fmt.Errorf("%s", answer)
	}
	return []byte(body), nil
}
