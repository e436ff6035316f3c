package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
)

type receiptCmd struct {
	Entry      string `arg:"" help:"Id of the object, or index of the entry."`
	Collection string `required:"" help:"Programme alias and area, such as itpp.disinformation, or an id."`
	Out        string `short:"o" help:"Write here instead of standard output."`
}

func (c *receiptCmd) Run(a *app) error {
	r := office.ReceiptRequest{Collection: c.Collection}
	if n, err := strconv.ParseUint(c.Entry, 10, 40); err == nil {
		r.Index = n
	} else {
		r.Object = c.Entry
	}
	var receipt liaison.Receipt
	if err := a.call("receipt", r, &receipt); err != nil {
		return err
	}
	b, err := json.Marshal(receipt, jsontext.Multiline(true))
	if err != nil {
		return err
	}
	return a.write(c.Out, append(b, '\n'))
}

type verifyCmd struct {
	File      string `arg:"" help:"The receipt."`
	Authority string `required:"" type:"existingfile" placeholder:"FILE" help:"The pinned authority (authority.pin)."`
}

func (c *verifyCmd) Run(a *app) error {
	pin, err := readPin(c.Authority)
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
		return fmt.Errorf("%s does not verify: %s: %s", c.File, failure.Place, failure.Reason)
	}
	if err != nil {
		return err
	}
	return a.show(verified(report), func() { c.print(a, r, report) })
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

func (c *verifyCmd) print(a *app, r *liaison.Receipt, report *ledger.Report) {
	who := string(r.Act.By)
	if r.Act.For != "" {
		who += " for " + string(r.Act.For)
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
		a.say("the object is the one the act commits to")
	}
	a.say("verified")
}
