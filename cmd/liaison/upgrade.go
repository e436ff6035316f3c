package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

type upgradeCmd struct {
	File string `arg:"" help:"A bundle, objects or an envelope, plain or packed by gzip or zstd; - for standard input."`
	Out  string `short:"o" help:"Write the bundle to this file instead of standard output."`
}

// Help completes the help text.
func (upgradeCmd) Help() string {
	return "Writes a bundle of STIX 2.1: ids and times stay, no value is lost, and objects of 2.1 pass unchanged. Where 2.1 asks what 2.0 did not say (whether malware is a family), a note tells what was put. It reads at most 128 MiB, unpacked, and a million objects. " +
		"What was done is said on standard error, with --json as one object. Ends with 1 if something could not be converted and is not in the bundle."
}

// upgraded is what was done, for programs.
type upgraded struct {
	Objects int            `json:"objects"` // in the bundle
	Notes   []upgradeNote  `json:"notes"`
	Left    []notConverted `json:"left"` // not in the bundle
}

type upgradeNote struct {
	ID      stix.ID `json:"id"`
	Pointer string  `json:"pointer"` // into the object of STIX 2.0
	Text    string  `json:"text"`
}

// notConverted is an element that is no object, and so cannot be converted.
type notConverted struct {
	Place   string `json:"place"`
	Pointer string `json:"pointer,omitzero"` // into the element
	Code    string `json:"code"`
	Reason  string `json:"reason"`
}

func (c *upgradeCmd) Run(a *app) error {
	raw, err := a.readUnpacked(c.File)
	if err != nil {
		return err
	}
	env, err := stix.ParseEnvelope(raw, localLimits)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if len(env.Objects) == 0 {
		return fmt.Errorf("%s holds no object", c.File)
	}
	sum := upgraded{Notes: []upgradeNote{}, Left: []notConverted{}}
	objects, notes, err := stix.Upgrade(sum.objects(env))
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	sum.Objects = len(objects)
	for _, n := range notes {
		sum.Notes = append(sum.Notes, upgradeNote(n))
	}
	if len(objects) > 0 {
		if err := a.write(c.Out, append(stix.BuildBundle(bundleID(env.ID, objects), objects), '\n')); err != nil {
			return err
		}
	}
	if err := sum.say(a, c.File); err != nil {
		return err
	}
	if len(sum.Left) > 0 {
		return errSaid
	}
	return nil
}

// maxUnpacked bounds what is unpacked and held, in bytes: a small file can unpack to anything.
const maxUnpacked = 128 << 20

// readUnpacked reads a file that may be packed.
func (a *app) readUnpacked(name string) ([]byte, error) {
	src, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer src.close()
	b, err := io.ReadAll(io.LimitReader(src.in, maxUnpacked+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(b) > maxUnpacked:
		return nil, fmt.Errorf("%s is larger than %d MiB unpacked: split it", name, maxUnpacked>>20)
	}
	return b, nil
}

// objects returns the objects, and notes the elements that are none.
func (u *upgraded) objects(env stix.Envelope) []*stix.Object {
	var objects []*stix.Object
	for i, it := range env.Objects {
		if it.Err != nil {
			u.Left = append(u.Left, notConverted{strings.TrimSpace(pointer(env, i, "")), it.Err.Pointer, it.Err.Code, it.Err.Reason})
			continue
		}
		objects = append(objects, it.Object)
	}
	return objects
}

// bundleID keeps the id of a bundle: the same file gives the same bytes. What had none gets
// one that follows from its objects.
func bundleID(id stix.ID, objects []*stix.Object) stix.ID {
	if id != "" {
		return id
	}
	h := sha256.New()
	for _, o := range objects {
		h.Write(o.Bytes())
	}
	return stix.DeterministicID("bundle", [16]byte{}, hex.EncodeToString(h.Sum(nil)))
}

// say says on standard error what was done.
func (u *upgraded) say(a *app, file string) error {
	if a.JSON {
		b, err := json.Marshal(u, jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.err, "%s\n", escaped(b))
		return err
	}
	for i, l := range u.Left {
		if i == maxRefusals {
			a.note("%s: not converted: %d more (--json lists all)", file, len(u.Left)-i)
			break
		}
		a.note("%s: not converted: %s", strings.TrimSpace(file+" "+l.Place+l.Pointer), l.Reason)
	}
	for _, g := range u.grouped() {
		g.note(a)
	}
	a.note("%s in the bundle, %d not converted", count(u.Objects, "object"), len(u.Left))
	return nil
}

// noted is one note and the objects of which it is said.
type noted struct {
	what
	ids []stix.ID
}

type what struct{ typ, name, text string }

// grouped gathers the notes that say the same of objects of one type.
func (u *upgraded) grouped() []*noted {
	var groups []*noted
	by := map[what]*noted{}
	for _, n := range u.Notes {
		key := what{n.ID.Type(), strings.TrimPrefix(n.Pointer, "/"), n.Text}
		if by[key] == nil {
			by[key] = &noted{what: key}
			groups = append(groups, by[key])
		}
		by[key].ids = append(by[key].ids, n.ID)
	}
	slices.SortStableFunc(groups, func(x, y *noted) int { return cmp.Or(cmp.Compare(x.typ, y.typ), cmp.Compare(x.name, y.name)) })
	return groups
}

func (g *noted) note(a *app) {
	rest := ""
	if len(g.ids) > 1 {
		rest = fmt.Sprintf(" and %d more", len(g.ids)-1)
	}
	a.note("%s: %s %s (%s%s)", oneLine([]any{g.typ, g.name, g.text, g.ids[0], rest})...)
}
