package office

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/ledger"
)

// checkKeys refuses keys that are not those of this office's own signed object:
// nothing that they sign could be proved or delivered. Before that object is
// here, nobody else knows other keys than these.
func (o *Office) checkKeys(reg *registry.Registry) error {
	own, _, ok := reg.Office(o.Config.Office)
	if !ok {
		return nil
	}
	now := liaison.InstantOf(o.now())
	for _, k := range o.Keys.Public(now) {
		if !slices.ContainsFunc(own.Keys, func(h liaison.OfficeKey) bool {
			return h.Use == k.Use && bytes.Equal(h.Key, k.Key) && (h.Until.IsZero() || now < h.Until)
		}) {
			return fmt.Errorf("%s is not the %s key of %s in its office object: put the keys of this office back from their copy; if they are lost, let the authority sign an office object with these (liaison office card) and add it (liaison office add)",
				filepath.Join(o.Dir, keysDir, seedFile(k.Use)), k.Use, o.Config.Office)
		}
	}
	return nil
}

// checkNewKeys is checkKeys for control objects that are to be added.
func (o *Office) checkNewKeys(objects [][]byte) error {
	reg := o.Desk.Registry()
	for _, b := range objects {
		if _, err := liaison.ParseOfficeObject(b); err != nil {
			continue // another object
		}
		if next, err := reg.Apply(liaison.CollectionID{}, b); err == nil {
			reg = next
		}
	}
	return o.checkKeys(reg)
}

// ownLogKeys are the log keys that this office has had.
func (o *Office) ownLogKeys() (keys [][]byte) {
	own, _, ok := o.Desk.Registry().Office(o.Config.Office)
	if !ok {
		return nil
	}
	for _, k := range own.Keys {
		if k.Use == liaison.UseLog {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// checkPin refuses a store whose programmes are another alliance's: the pinned
// authority has not one key of those that signed them. Whether the signatures
// hold is asked elsewhere: in a damaged store they may not.
func (o *Office) checkPin(ctx context.Context) error {
	pinned := pinnedKeys(o.Pin)
	var strange []string
	err := o.Journal.View(ctx, func(v store.View) error {
		return v.Collections(func(c liaison.CollectionID) error {
			b, err := firstProgramme(v, c)
			if err != nil || b == nil {
				return err
			}
			strange = signers(b)
			if slices.ContainsFunc(strange, func(k string) bool { return slices.Contains(pinned, k) }) {
				strange = nil
				return store.Stop
			}
			return nil
		})
	})
	if err != nil || strange == nil {
		return err
	}
	return fmt.Errorf("%s pins the authority %s, and the programmes in %s are signed by %s: put back the pin of this office's alliance, or the store that belongs to the pin",
		filepath.Join(o.Dir, PinFile), strings.Join(pinned, ", "), o.StoreName(), strings.Join(strange, ", "))
}

// firstProgramme returns the first version of the programme of a charter, if the
// authority signs it; nil of other collections.
func firstProgramme(v store.View, c liaison.CollectionID) (first []byte, err error) {
	err = v.Range(c, 0, store.MaxEntries, store.Bytes, func(e *store.Entry) error {
		if e.Type != "programme" {
			if liaison.IsControlType(e.Type) || e.Type == "identity" {
				return nil
			}
			return store.Stop // charters hold control objects only
		}
		if p, err := liaison.ParseProgramme(e.Bytes); err == nil && p.Kind != liaison.KindDirected {
			first = bytes.Clone(e.Bytes)
		}
		return store.Stop
	})
	return first, err
}

// pinnedKeys names the keys of a pin, without their 32 bytes.
func pinnedKeys(p ledger.Pin) (names []string) {
	for _, k := range p.Keys {
		if name, key, err := ledger.ParseVKey(k); err == nil {
			names = append(names, keyName(name, ledger.LogKeyHash(name, key)))
		}
	}
	return names
}

// signers names the keys that signed a control object.
func signers(object []byte) (names []string) {
	_, lines, err := liaison.SignedText(object)
	if err != nil {
		return nil
	}
	for _, l := range lines {
		if s, err := ledger.ParseSignature(l); err == nil {
			names = append(names, keyName(s.Name, s.Hash))
		}
	}
	return names
}

func keyName(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }
