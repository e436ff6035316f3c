package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/intake"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// login is a sample account.
type login struct {
	office   liaison.Office
	name     string
	by, for_ string
	roles    string
}

var logins = []login{
	{seoul, "denmark-seoul", "Denmark", "NATO", "read,write"},
	{seoul, "korea", "Korea", "", "read,write"},
	{tokyo, "japan", "Japan", "", "read,write"},
	{tokyo, "tokyo-desk", "Liaison Office Tokyo", "", "read,write"},
	{tokyo, "india", "India", "", "read,write"},
	{hq, "nato", "NATO", "", "read,write"},
}

// samplePassword is the password of every sample account.
const samplePassword = "sample-password"

// awaitCharters waits until the outer offices know what concerns them: all of
// it, because the alliance is read at seoul too.
func (d *demo) awaitCharters(ctx context.Context, list []charter) error {
	return await(ctx, func() error {
		for _, o := range []liaison.Office{tokyo, seoul} {
			if err := d.knows(ctx, o, list); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *demo) knows(ctx context.Context, o liaison.Office, list []charter) error {
	have, err := d.offices[o].Operator().Programmes(ctx, struct{}{})
	if err != nil {
		return err
	}
	entries := map[string]uint64{}
	for _, p := range have {
		entries[p.Alias] = p.Entries[string(liaison.Charter)]
	}
	for _, c := range list {
		if entries[c.alias] < uint64(len(c.objects)) {
			return fmt.Errorf("%s has %d of %d charter entries of %s", o, entries[c.alias], len(c.objects), c.alias)
		}
	}
	return nil
}

// await tries until it holds or patience is over.
func await(ctx context.Context, holds func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", patience, err)
		}
	}
}

func (d *demo) addAccounts(ctx context.Context) (string, error) {
	for _, l := range logins {
		_, err := d.offices[l.office].Operator().AddAccount(ctx, office.AccountRequest{
			Name: l.name, By: d.alliance.parties[l.by], For: d.alliance.parties[l.for_], Roles: l.roles, Password: samplePassword,
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d accounts; Denmark's embassy acts for NATO at seoul, India is a contact without programme", len(logins)), nil
}

// client is a plain TAXII client of an account.
func (d *demo) client(name string) *taxii.Client {
	for _, l := range logins {
		if l.name == name {
			address, _ := d.offices[l.office].Addresses()
			return newClient(address, taxii.Credentials{User: name, Password: samplePassword})
		}
	}
	panic("demo: no account " + name)
}

// takeIn turns the sample page into a note graph.
func (d *demo) takeIn(context.Context) (string, error) {
	page := intake.SamplePage()
	article, err := intake.ReadText(page)
	if err != nil {
		return "", err
	}
	d.bundle, err = article.Bundle(page, intake.Options{
		At: d.Now(), Author: d.alliance.parties["NATO"], Name: "demo-uk.txt", Marking: stix.Amber,
	})
	if err != nil {
		return "", err
	}
	env, err := stix.ParseEnvelope(d.bundle, stix.DefaultLimits())
	if err != nil {
		return "", err
	}
	for _, it := range env.Objects {
		if it.Err == nil && it.Object.Type() == "report" {
			d.report = string(it.Object.ID())
		}
	}
	return fmt.Sprintf("page %q (%s, %d paragraphs, %d lines of chrome left out) became %d STIX objects",
		article.Title, article.Language, len(article.Body), len(article.Chrome)+len(article.Promo)+len(article.Related), len(env.Objects)), nil
}

// releaseNote posts the graph as the embassy's officer, for NATO.
func (d *demo) releaseNote(ctx context.Context) (string, error) {
	env, err := stix.ParseEnvelope(d.bundle, stix.DefaultLimits())
	if err != nil {
		return "", err
	}
	d.collection = d.current() + ".disinformation"
	c := d.client("denmark-seoul")
	coll, err := c.Collection(ctx, taxii.RootPath, d.collection)
	if err != nil {
		return "", err
	}
	d.id = coll.ID
	status, err := c.Add(ctx, taxii.RootPath, d.collection, envelope(env))
	if err != nil {
		return "", err
	}
	if status.FailureCount > 0 {
		return "", fmt.Errorf("refused: %s: %s", status.Failures[0].ID, status.Failures[0].Message)
	}
	for _, s := range status.Successes {
		if s.ID == d.report {
			d.receipt = member(s.Other, "x_receipt")
		}
	}
	if _, err := d.fetchReceipt(ctx); err != nil {
		return "", fmt.Errorf("receipt: %w", err)
	}
	return fmt.Sprintf("Denmark for NATO released %d objects at seoul into %s; the receipt came back", status.SuccessCount, d.collection), nil
}

// current is the alias of the partnership in force at the demonstration's day.
func (d *demo) current() string {
	if liaison.InstantOf(d.Now()) < date(2027, 1, 1) {
		return "itpp"
	}
	return "itpp-2027"
}

// refuseKorea compares what Korea is told with what nobody's collection says.
func (d *demo) refuseKorea(ctx context.Context) (string, error) {
	env, err := stix.ParseEnvelope(d.bundle, stix.DefaultLimits())
	if err != nil {
		return "", err
	}
	c := d.client("korea")
	if err := d.sameRefusal(ctx, c, "POST", "/objects/", envelope(env)); err != nil {
		return "", err
	}
	why, err := d.offices[seoul].Operator().Explain(ctx, office.ExplainRequest{
		Account: "korea", Collection: d.id, Object: reportOf(env, d.report),
	})
	if err != nil {
		return "", err
	}
	if why.Allowed || why.Clause == "" {
		return "", fmt.Errorf("explain says %+v", why)
	}
	return fmt.Sprintf("Korea gets the 404 of a collection that does not exist; explain: rule %s, clause %s: %s", why.Rule, why.Clause, why.Reason), nil
}

func (d *demo) followNote(ctx context.Context) (string, error) {
	if err := d.awaitObject(ctx, d.client("nato"), d.report); err != nil {
		return "", err
	}
	return "the note came seoul -> tokyo -> hq", nil
}

func (d *demo) awaitObject(ctx context.Context, c *taxii.Client, id string) error {
	return await(ctx, func() error {
		objects, err := d.pull(ctx, c)
		if err == nil && objects[id] == nil {
			err = fmt.Errorf("%s is not there yet", id)
		}
		return err
	})
}

// assess attaches the liaison office's own word on the way.
func (d *demo) assess(ctx context.Context) (string, error) {
	id := stix.DeterministicID("note", [16]byte{}, d.report)
	d.assessment = string(id)
	at := d.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	note := liaison.JCS(map[string]any{
		"type": "note", "spec_version": "2.1", "id": id, "created": at, "modified": at,
		"created_by_ref":      d.alliance.parties["Liaison Office Tokyo"],
		"object_marking_refs": []stix.ID{stix.Amber.Marking()},
		"abstract":            "Assessment of the liaison office",
		"content":             "The pattern fits two earlier reports from the region. Confidence is moderate; the source is single.",
		"object_refs":         []string{d.report},
	})
	status, err := d.client("tokyo-desk").Add(ctx, taxii.RootPath, d.collection, slices.Concat([]byte(`{"objects":[`), note, []byte(`]}`)))
	if err != nil {
		return "", err
	}
	if status.FailureCount > 0 {
		return "", errors.New(status.Failures[0].Message)
	}
	if err := d.awaitObject(ctx, d.client("nato"), d.assessment); err != nil {
		return "", err
	}
	return "tokyo attached its own assessment, a STIX note, to the same collection", nil
}

// readBoth compares what Japan reads at tokyo and NATO at hq, byte for byte.
func (d *demo) readBoth(ctx context.Context) (string, error) {
	japan, err := d.pull(ctx, d.client("japan"))
	if err != nil {
		return "", err
	}
	nato, err := d.pull(ctx, d.client("nato"))
	if err != nil {
		return "", err
	}
	if len(japan) != len(nato) || japan[d.report] == nil || japan[d.assessment] == nil {
		return "", fmt.Errorf("at tokyo %d objects are read, at hq %d", len(japan), len(nato))
	}
	total := 0
	for id, b := range japan {
		if !bytes.Equal(b, nato[id]) {
			return "", fmt.Errorf("%s differs between tokyo and hq", id)
		}
		total += len(b)
	}
	return fmt.Sprintf("Japan at tokyo and NATO at hq read the same %d objects, %d bytes, by TAXII 2.1", len(japan), total), nil
}

// askAsIndia asks for everything there is to ask for.
func (d *demo) askAsIndia(ctx context.Context) (string, error) {
	c := d.client("india")
	asked := 0
	for _, path := range []string{"/", "/objects/", "/manifest/", "/objects/" + d.report + "/", "/objects/" + d.report + "/versions/"} {
		if err := d.sameRefusal(ctx, c, "GET", path, nil); err != nil {
			return "", err
		}
		asked++
	}
	if err := d.sameReceiptRefusal(ctx, c); err != nil {
		return "", err
	}
	return fmt.Sprintf("India asked %d ways for the object and the collection: the 404 of what does not exist, byte for byte", asked+1), nil
}

// prove waits until the proof of delivery has come back to seoul, writes it to
// a file, and verifies it with that file and the pinned keys alone.
func (d *demo) prove(ctx context.Context) (string, error) {
	var raw []byte
	err := await(ctx, func() (err error) {
		if raw, err = d.fetchReceipt(ctx); err != nil {
			return err
		}
		r, err := liaison.ParseReceipt(raw)
		if err == nil && len(r.Hops) < 3 {
			err = fmt.Errorf("%d of 3 hops are proved", len(r.Hops))
		}
		if err == nil {
			_, err = ledger.VerifyReceipt(r, d.alliance.pin)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(d.proofFile(), raw, 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(d.pinFile(), []byte(d.alliance.pin.String()), 0o600); err != nil {
		return "", err
	}
	report, err := verifyFiles(d.proofFile(), d.pinFile())
	if err != nil {
		return "", err
	}
	var hops []string
	for _, h := range report.Hops {
		name, _, _ := strings.Cut(string(h.Office), ".")
		hops = append(hops, fmt.Sprintf("%s %s", name, h.Added.Time().Format("15:04:05.000")))
	}
	return fmt.Sprintf("delivery proved offline, hop by hop: %s; the proof is %s", strings.Join(hops, " -> "), filepath.Base(d.proofFile())), nil
}

func (d *demo) proofFile() string { return filepath.Join(d.dir, "proof.json") }
func (d *demo) pinFile() string   { return filepath.Join(d.dir, "authority.pin") }

// verifyFiles is what a verifier has: a file and keys.
func verifyFiles(proof, keys string) (*ledger.Report, error) {
	pinText, err := os.ReadFile(keys)
	if err != nil {
		return nil, err
	}
	pin, err := ledger.ParsePin(string(pinText))
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(proof)
	if err != nil {
		return nil, err
	}
	r, err := liaison.ParseReceipt(raw)
	if err != nil {
		return nil, err
	}
	return ledger.VerifyReceipt(r, pin)
}

// forge flips one byte of the object in the proof.
func (d *demo) forge(context.Context) (string, error) {
	raw, err := os.ReadFile(d.proofFile())
	if err != nil {
		return "", err
	}
	r, err := liaison.ParseReceipt(raw)
	if err != nil {
		return "", err
	}
	if r.Object == nil || len(r.Object.Bytes) == 0 {
		return "", errors.New("the proof holds no object")
	}
	r.Object.Bytes[len(r.Object.Bytes)/2] ^= 1
	forged := filepath.Join(d.dir, "forged.json")
	if raw, err = json.Marshal(r); err != nil {
		return "", err
	}
	if err := os.WriteFile(forged, raw, 0o600); err != nil {
		return "", err
	}
	_, err = verifyFiles(forged, d.pinFile())
	var failure *ledger.Failure
	if !errors.As(err, &failure) {
		return "", fmt.Errorf("one flipped byte was not detected: %v", err)
	}
	return fmt.Sprintf("one flipped byte is detected and named: %s: %s", failure.Place, failure.Reason), nil
}
