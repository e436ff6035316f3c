package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// maxFresh bounds the receipts that a check asks the office for, beside all
// those that clients kept.
const maxFresh = 500

// Check starts the office once more and holds it to what clients were told, then
// stops it and holds its ledger to the same.
func (s *Site) Check(ctx context.Context) error {
	known, err := s.Oracle.Known()
	if err != nil {
		return err
	}
	s.r.Acknowledged += len(known.Acked)
	p, err := s.Start(ctx)
	if err != nil {
		s.r.Fail(&s.r.Wrong, "the office does not start any more: %v", err)
		return nil
	}
	served, err := s.checkServed(ctx, p.Address, known)
	if err == nil {
		err = s.checkReceipts(ctx, p.Address, known)
	}
	if err == nil {
		err = p.Stop()
	} else {
		p.Kill()
	}
	if err != nil {
		s.r.Fail(&s.r.Wrong, "the office cannot be read: %v", err)
		return nil
	}
	return s.CheckFolder(ctx, known, served)
}

// contents are the versions that somebody was shown, with the digests of their
// bytes ("" where bytes were not shown).
type contents map[key][]string

// checkServed compares what TAXII shows with what clients know (I1, I2, I3, I5)
// and returns it.
func (s *Site) checkServed(ctx context.Context, address string, known *Known) (contents, error) {
	there, err := readObjects(ctx, s.client(address, reader))
	if err != nil {
		return nil, err
	}
	s.compare(known, there)
	manifest, err := readManifest(ctx, s.client(address, demo.SampleAccount))
	if err != nil {
		return nil, err
	}
	s.same("objects", there, "manifest", manifest)
	s.checkOutsider(ctx, address)
	return there, nil
}

// compare holds what is there to what was sent and acknowledged.
func (s *Site) compare(known *Known, there contents) {
	for k, a := range known.Acked {
		switch sums := there[k]; {
		case len(sums) == 0:
			s.r.Fail(&s.r.Lost, "%s %s was acknowledged and is not there", k.id, k.version)
		case sums[0] != a.SHA256:
			s.r.Fail(&s.r.Lost, "%s %s has other bytes than were acknowledged", k.id, k.version)
		}
	}
	for k, sums := range there {
		switch want, sent := known.Sent[k]; {
		case !sent:
			s.r.Fail(&s.r.Wrong, "%s %s is there and nobody sent it", k.id, k.version)
		case len(sums) > 1:
			s.r.Fail(&s.r.Duplicated, "%s %s is there %d times", k.id, k.version, len(sums))
		case sums[0] != want:
			s.r.Fail(&s.r.Wrong, "%s %s has other bytes than were sent", k.id, k.version)
		}
	}
}

// same compares what two views show.
func (s *Site) same(one string, a contents, other string, b contents) {
	for k := range a {
		if len(a[k]) != len(b[k]) {
			s.r.Fail(&s.r.Wrong, "%s %s is %d times in %s and %d times in %s", k.id, k.version, len(a[k]), one, len(b[k]), other)
		}
	}
	for k := range b {
		if len(a[k]) == 0 {
			s.r.Fail(&s.r.Wrong, "%s %s is in %s and not in %s", k.id, k.version, other, one)
		}
	}
}

// checkOutsider: who is in no programme gets the 404 of what does not exist. No
// answer tells nothing, and neither does one that says that the office fails.
func (s *Site) checkOutsider(ctx context.Context, address string) {
	c := s.client(address, outsider)
	defer c.HTTP.CloseIdleConnections()
	_, err := c.Collection(ctx, taxii.RootPath, demo.SampleCollection)
	var answered *taxii.ResponseError
	switch {
	case errors.Is(err, taxii.ErrNotFound), err != nil && !errors.As(err, &answered):
		return
	case answered != nil && answered.Status >= http.StatusInternalServerError:
		return
	}
	s.r.Fail(&s.r.Wrong, "who is in no programme is told %v of a collection", err)
}

// outsiderPause is how often the one who is in no programme asks during a fault.
const outsiderPause = 10 * time.Millisecond

// watchOutsider asks again and again until ctx ends (I5).
func (s *Site) watchOutsider(ctx context.Context, address string) {
	for ctx.Err() == nil {
		s.checkOutsider(ctx, address)
		select {
		case <-time.After(outsiderPause):
		case <-ctx.Done():
		}
	}
}

// readObjects reads every version in the collection.
func readObjects(ctx context.Context, c *taxii.Client) (contents, error) {
	defer c.HTTP.CloseIdleConnections()
	there := contents{}
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
			k := key{string(o.ID()), o.Version()}
			there[k] = append(there[k], digest(raw))
		}
	}
	return there, nil
}

func readManifest(ctx context.Context, c *taxii.Client) (contents, error) {
	defer c.HTTP.CloseIdleConnections()
	there := contents{}
	query := taxii.Query{Match: taxii.Match{Version: []string{taxii.VersionAll}}}
	for page, err := range c.Manifest(ctx, taxii.RootPath, demo.SampleCollection, query) {
		if err != nil {
			return nil, err
		}
		for _, m := range page.Objects {
			k := key{m.ID, m.Version}
			there[k] = append(there[k], "")
		}
	}
	return there, nil
}

// checkReceipts verifies the receipts that clients kept, and some that are made
// now, offline (I4).
func (s *Site) checkReceipts(ctx context.Context, address string, known *Known) error {
	pin, err := readPin(s.Dir)
	if err != nil {
		return err
	}
	s.verify(pin, known.Receipts, "a receipt that a client kept")
	c := s.client(address, demo.SampleAccount)
	defer c.HTTP.CloseIdleConnections()
	var fresh [][]byte
	random := rand.New(rand.NewPCG(s.Load.seed, 3))
	for _, a := range known.Acked {
		if random.IntN(len(known.Acked)) >= maxFresh {
			continue
		}
		b, err := getReceipt(ctx, c, a.Receipt)
		var answered *taxii.ResponseError
		switch {
		case errors.As(err, &answered):
			s.r.Fail(&s.r.BadReceipts, "receipt of %s: %v", a.ID, err)
		case err != nil:
			return err
		default:
			fresh = append(fresh, b)
		}
	}
	s.verify(pin, fresh, "a receipt made after the fault")
	return nil
}

// verify checks receipts from the pin on, several at a time.
func (s *Site) verify(pin ledger.Pin, receipts [][]byte, what string) {
	s.r.Receipts += len(receipts)
	work := make(chan []byte)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for b := range work {
				if err := verifyReceipt(pin, b); err != nil {
					s.r.Fail(&s.r.BadReceipts, "%s: %v", what, err)
				}
			}
		})
	}
	for _, b := range receipts {
		work <- b
	}
	close(work)
	wg.Wait()
}

func verifyReceipt(pin ledger.Pin, b []byte) error {
	r, err := liaison.ParseReceipt(b)
	if err != nil {
		return err
	}
	_, err = ledger.VerifyReceipt(r, pin)
	return err
}

func readPin(dir string) (ledger.Pin, error) {
	text, err := os.ReadFile(filepath.Join(dir, office.PinFile))
	if err != nil {
		return ledger.Pin{}, err
	}
	return ledger.ParsePin(string(text))
}

// CheckFolder opens a stopped office and holds its ledger to what was served and
// to every checkpoint that was ever seen; fsck must find nothing.
func (s *Site) CheckFolder(ctx context.Context, known *Known, served contents) error {
	o, err := office.Open(ctx, s.Dir, office.Options{})
	if err != nil {
		s.r.Fail(&s.r.Wrong, "the folder cannot be opened: %v", err)
		return nil
	}
	defer o.Close()
	c, err := sampleCollection(ctx, o)
	if err != nil {
		return err
	}
	err = o.Journal.View(ctx, func(v store.View) error {
		there, err := readLedger(v, c)
		if err != nil {
			return err
		}
		s.same("objects", served, "the ledger", there)
		return s.checkPrefixes(v, c, known.Receipts)
	})
	if err != nil {
		return err
	}
	fsck, err := o.Operator().Fsck(ctx, struct{}{})
	for _, p := range fsck.Problems {
		s.r.Fail(&s.r.Wrong, "fsck: %s", p)
	}
	return err
}

// viewPrefixes is checkPrefixes of an open office.
func (s *Site) viewPrefixes(ctx context.Context, o *office.Office, c liaison.CollectionID, receipts [][]byte) error {
	return o.Journal.View(ctx, func(v store.View) error { return s.checkPrefixes(v, c, receipts) })
}

// sampleCollection finds the collection that clients write into.
func sampleCollection(ctx context.Context, o *office.Office) (c liaison.CollectionID, err error) {
	list, err := o.Operator().Programmes(ctx, struct{}{})
	for _, p := range list {
		for area, id := range p.Collection {
			if p.Alias+"."+area == demo.SampleCollection {
				return liaison.ParseCollectionID(id)
			}
		}
	}
	return c, errors.Join(err, fmt.Errorf("the office has no collection %s", demo.SampleCollection))
}

// readLedger returns the versions for which there are leaves.
func readLedger(v store.View, c liaison.CollectionID) (contents, error) {
	there := contents{}
	err := v.Range(c, 0, store.MaxEntries, store.Meta, func(e *store.Entry) error {
		if e.ID == "" {
			return nil // an erasure, or what was erased
		}
		k := key{e.ID, e.Version}
		there[k] = append(there[k], "")
		return nil
	})
	return there, err
}

// checkPrefixes: the log begins with what every checkpoint said.
func (s *Site) checkPrefixes(v store.View, c liaison.CollectionID, receipts [][]byte) error {
	roots := map[uint64]liaison.Hash{}
	for _, b := range receipts {
		r, err := liaison.ParseReceipt(b)
		if err != nil || len(r.Hops) == 0 {
			continue // counted as a receipt that fails
		}
		cp, err := ledger.ReadCheckpoint(r.Hops[0].Checkpoint)
		if err != nil {
			continue
		}
		if old, ok := roots[cp.Size]; ok && old != cp.Root {
			s.r.Fail(&s.r.Wrong, "two checkpoints of %d entries have different roots", cp.Size)
		}
		roots[cp.Size] = cp.Root
	}
	pos, err := v.Position(c)
	if err != nil {
		return err
	}
	for size, root := range roots {
		if size > pos.Size {
			s.r.Fail(&s.r.Wrong, "a checkpoint of %d entries was seen, the log has %d", size, pos.Size)
			continue
		}
		if got, err := journal.Root(v, c, size); err != nil || got != root {
			s.r.Fail(&s.r.Wrong, "the log does not begin with the %d entries of a checkpoint that was seen (%v)", size, err)
		}
	}
	return nil
}
