package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/exchange"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

type receiptCmd struct {
	Entry      string `arg:"" help:"Id of the object, or number of the entry, which submit prints."`
	Collection string `required:"" help:"Programme alias and area, such as itpp.disinformation, or an id."`
	Object     bool   `help:"With the object, so that the proof shows what was sent; needs --url and an account, for the operator's side shows no contents."`
	Out        string `short:"o" help:"Write here instead of standard output."`
	server
}

// Help completes the help text.
func (receiptCmd) Help() string {
	return "With --url the receipt comes from an office's server, for an account that reads the collection; without it from the office of --dir."
}

func (c *receiptCmd) Run(a *app) error {
	index, err := strconv.ParseUint(c.Entry, 10, 40)
	if err != nil {
		if _, err := stix.ParseID(c.Entry); err != nil {
			return &usageError{fmt.Sprintf("%.100q is neither the id of an object nor the number of an entry", c.Entry)}
		}
	}
	var b []byte
	switch byID := err != nil; {
	case c.URL != "" && byID:
		return &usageError{"--url knows receipts by the number of the entry, which submit prints; by the object's id the office's own folder does (--dir)"}
	case c.URL != "":
		b, err = c.fromServer(a, index)
	case c.Object:
		return &usageError{"--object needs --url and an account: the operator's side shows no contents"}
	default:
		b, err = c.fromOffice(a, index, byID)
	}
	if err != nil {
		return err
	}
	return a.write(c.Out, append(b, '\n'))
}

func (c *receiptCmd) fromOffice(a *app, index uint64, byID bool) ([]byte, error) {
	r := office.ReceiptRequest{Collection: c.Collection, Index: index}
	if byID {
		r.Object = c.Entry
	}
	var receipt liaison.Receipt
	if err := a.call("receipt", r, &receipt); err != nil {
		return nil, err
	}
	return json.Marshal(receipt, jsontext.Multiline(true))
}

func (c *receiptCmd) fromServer(a *app, index uint64) ([]byte, error) {
	r, err := c.connect(a)
	if err != nil {
		return nil, err
	}
	coll, err := r.collection(a.ctx, c.Collection)
	if err != nil {
		return nil, err
	}
	id, err := liaison.ParseCollectionID(coll.ID)
	if err != nil {
		return nil, fmt.Errorf("%s is no liaison office and gives no receipts: %w", r.Base.Host, err)
	}
	b, err := r.receipt(a.ctx, exchange.ReceiptPath(id, index), c.Object)
	if errors.Is(err, taxii.ErrNotFound) {
		return nil, fmt.Errorf("there is no entry %d in %s for this account", index, c.Collection)
	}
	if err != nil {
		return nil, err
	}
	if _, err := liaison.ParseReceipt(b); err != nil {
		return nil, fmt.Errorf("%s answered with something else: %w", r.Base.Host, err)
	}
	return b, nil
}

// maxReceipt bounds a receipt in bytes.
const maxReceipt = 16 << 20

// receipt fetches a receipt. Credentials follow no redirect.
func (r *remote) receipt(ctx context.Context, path string, object bool) ([]byte, error) {
	u := url.URL{Scheme: r.Base.Scheme, Host: r.Base.Host, Path: path}
	if object {
		u.RawQuery = "object=1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if c := r.Credentials; c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	} else if !c.Anonymous() {
		req.SetBasicAuth(c.User, c.Password)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, r.words(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, r.words(&taxii.ResponseError{Status: resp.StatusCode})
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReceipt+1))
	if err == nil && len(b) > maxReceipt {
		err = fmt.Errorf("the receipt is longer than %d bytes", maxReceipt)
	}
	return b, err
}

type verifyCmd struct {
	File      string `arg:"" help:"The receipt."`
	Authority string `required:"" type:"existingfile" placeholder:"FILE" help:"The pinned authority (authority.pin)."`
	Parties   string `placeholder:"FILE" help:"Signed objects of parties, such as a pulled charter: their names are printed too."`
}

// Help completes the help text.
func (verifyCmd) Help() string {
	return "A receipt holds ids of parties and no names, since it needs none to hold; --parties adds those that the authority signed."
}

func (c *verifyCmd) Run(a *app) error {
	pin, err := readPin(c.Authority)
	if err != nil {
		return err
	}
	names, err := c.names(a, pin)
	if err != nil {
		return err
	}
	raw, err := a.read(c.File)
	if err != nil {
		return err
	}
	r, err := liaison.ParseReceipt(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	report, err := ledger.VerifyReceipt(r, pin)
	var failure *ledger.Failure
	if errors.As(err, &failure) {
		if a.JSON {
			a.show(map[string]any{"verified": false, "place": failure.Place, "reason": failure.Reason}, nil)
		}
		return fmt.Errorf("%s does not verify: %s: %s", c.File, failure.Place, failure.Reason)
	}
	if err != nil {
		return err
	}
	return a.show(verified(report), func() { c.print(a, r, report, names) })
}

// names reads the names of parties, each from the newest object of it. The
// authority vouches for every one.
func (c *verifyCmd) names(a *app, pin ledger.Pin) (partyNames, error) {
	if c.Parties == "" {
		return nil, nil
	}
	raw, err := a.read(c.Parties)
	if err != nil {
		return nil, err
	}
	env, err := stix.ParseEnvelope(raw, stix.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Parties, err)
	}
	newest := map[liaison.Party]*liaison.PartyObject{}
	for i, it := range env.Objects {
		if it.Err != nil {
			return nil, fmt.Errorf("%s: %s%s", c.Parties, place(pointer(env, i, it.Err.Pointer)), it.Err.Reason)
		}
		p, ok, err := signedParty(it.Object, pin)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.Parties, it.Object.ID(), err)
		}
		if old := newest[it.Object.ID()]; ok && (old == nil || old.Modified < p.Modified) {
			newest[p.ID] = p
		}
	}
	names := partyNames{}
	for id, p := range newest {
		names[id] = p.Name
	}
	return names, nil
}

// signedParty reads the object of a party; ok is false for any other object.
func signedParty(o *stix.Object, pin ledger.Pin) (p *liaison.PartyObject, ok bool, err error) {
	if o.Type() != "identity" {
		return nil, false, nil
	}
	p, ok, err = liaison.ParsePartyObject(o.Bytes())
	if ok && err == nil {
		err = pin.Verify(o.Bytes())
	}
	return p, ok, err
}

// partyNames are the names of the parties that are known.
type partyNames map[liaison.Party]string

// of is a party as people are told of it.
func (n partyNames) of(p liaison.Party) string {
	if name := n[p]; name != "" {
		return fmt.Sprintf("%s (%s)", name, p)
	}
	return string(p)
}

// verified is the report for programs.
func verified(r *ledger.Report) map[string]any {
	var hops []map[string]any
	for _, h := range r.Hops {
		hops = append(hops, map[string]any{"office": h.Office, "index": h.Index, "size": h.Size, "added": h.Added, "cosigned": cosigners(h)})
	}
	return map[string]any{"verified": true, "area": r.Area, "programme": r.Programme.Name, "version": r.Programme.Version, "object": r.Object, "hops": hops}
}

func cosigners(h ledger.HopReport) []string {
	list := []string{}
	for _, c := range h.Cosigned {
		list = append(list, string(c.Office))
	}
	return list
}

func (c *verifyCmd) print(a *app, r *liaison.Receipt, report *ledger.Report, names partyNames) {
	who := names.of(r.Act.By)
	if r.Act.For != "" {
		who += " for " + names.of(r.Act.For)
	}
	a.say("%s accepted at %s what %s released", r.Act.Office, r.Act.Accepted, who)
	a.say("under %s version %d, area %s, label %s", report.Programme.Name, report.Programme.Version, report.Area, r.Act.Label)
	for i, h := range report.Hops {
		by := "no other office"
		if list := cosigners(h); len(list) > 0 {
			by = strings.Join(list, ", ")
		}
		a.say("hop %d: %s added it at %s as entry %d of %d, cosigned by %s", i+1, h.Office, h.Added, h.Index, h.Size, by)
	}
	if report.Object {
		a.say("the object is the one the act commits to: %s", idOf(r.Object.Bytes))
	}
	a.say("verified")
}

// idOf names an object.
func idOf(object []byte) stix.ID {
	o, err := stix.Parse(object, stix.DefaultLimits())
	if err != nil {
		return ""
	}
	return o.ID()
}
