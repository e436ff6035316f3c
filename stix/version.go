package stix

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Why there is no new version.
var (
	// ErrNotVersionable: marking-definitions never have versions, other objects only with
	// created, and cyber-observables only with created and modified.
	ErrNotVersionable = errors.New("object has no versions")
	// ErrRevoked: a revoked object has no later version.
	ErrRevoked = errors.New("object is revoked")
	// ErrUnmodifiable: type, id, created and created_by_ref are the same in all versions,
	// and modified cannot be left out.
	ErrUnmodifiable = errors.New("property is the same in all versions")
	// ErrNotLater: modified is not later than the version before, or nothing later can be
	// written.
	ErrNotLater = errors.New("modified is not later than the version before")
)

// NewVersion returns the version of o that follows it (STIX 2.1 §3.6), with the changes
// made and nothing else touched. modified is taken from the changes if it is there;
// otherwise it is now, and the millisecond after o where now is no later than that.
//
// Only the creator of an object may make versions of it. NewVersion cannot know who
// asks: that is the caller's to check, against created_by_ref.
func NewVersion(o *Object, now time.Time, changes ...Change) (*Object, error) {
	at, err := o.nextModified(now, changes)
	if err != nil {
		return nil, fmt.Errorf("new version of %s: %w", o.id, err)
	}
	if at != nil {
		changes = append(changes[:len(changes):len(changes)], Change{"modified", at})
	}
	return Edit(o, changes...)
}

// Revoke returns the last version of o, which says that it is no longer valid (STIX 2.1
// §3.6). As with [NewVersion], only the creator may revoke.
func Revoke(o *Object, now time.Time) (*Object, error) {
	return NewVersion(o, now, Change{"revoked", jsontext.Value("true")})
}

// nextModified checks that o may get these changes and returns the modified to add to
// them; nil if they have one.
func (o *Object) nextModified(now time.Time, changes []Change) (jsontext.Value, error) {
	switch {
	case !o.versionable():
		return nil, ErrNotVersionable
	case o.revoked:
		return nil, ErrRevoked
	}
	if err := o.checkFixed(changes); err != nil {
		return nil, err
	}
	before, err := o.latestInstant()
	if err != nil {
		return nil, err
	}
	if c, given := changeOf(changes, "modified"); given {
		return nil, checkModified(c, before)
	}
	next, err := after(before, now)
	return quoted(next), err
}

// versionable: see ErrNotVersionable (STIX 2.1 §3.6, §7.2.1).
func (o *Object) versionable() bool {
	return o.typ != "marking-definition" && o.created != "" && (o.modified != "" || !o.sco)
}

// checkFixed refuses changes of what all versions share. To say the same again is none.
func (o *Object) checkFixed(changes []Change) error {
	for _, c := range changes {
		switch c.Name {
		case "type", "id", "created", "created_by_ref":
			old, present := o.Property(c.Name)
			if same := string(old) == string(c.Value) || !present && c.removes(); !same {
				return fmt.Errorf("%s: %w", c.Name, ErrUnmodifiable)
			}
		}
	}
	return nil
}

// latestInstant returns modified or created, whichever is later: modified is never earlier
// than created in a version that follows (STIX 2.1 §3.6.1).
func (o *Object) latestInstant() (instant, error) {
	latest, _, err := readInstant(o.created)
	if err != nil || o.modified == "" {
		return latest, err
	}
	modified, _, err := readInstant(o.modified)
	if latest.compare(modified) < 0 {
		latest = modified
	}
	return latest, err
}

// checkModified wants an instant as STIX writes them (STIX 2.1 §2.16, §3.2), later than
// the one before.
func checkModified(c Change, before instant) error {
	if c.removes() {
		return fmt.Errorf("modified: %w", ErrUnmodifiable)
	}
	text, err := jsontext.AppendUnquote(nil, c.Value)
	if err != nil {
		return fmt.Errorf("modified: %w", err)
	}
	at, fault, err := readInstant(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("modified: %w", err)
	case fault != "":
		return fmt.Errorf("modified: timestamp %s %s", quoteShort(string(text)), fault)
	case !hasMilliseconds(string(text)):
		return fmt.Errorf("modified: timestamp %s has fewer than three decimals", quoteShort(string(text)))
	case at.compare(before) <= 0:
		return fmt.Errorf("%w: it is %s", ErrNotLater, quoteShort(string(text)))
	}
	return nil
}

// after returns now, or the millisecond after before if now is not later than that.
func after(before instant, now time.Time) (string, error) {
	text := formatInstant(now)
	at, _, err := readInstant(text)
	if err == nil && at.compare(before) > 0 {
		return text, nil
	}
	text = formatInstant(before.nextMillisecond())
	if _, _, err := readInstant(text); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotLater, err)
	}
	return text, nil
}

// formatInstant writes t in UTC with as many decimals as it has, three at the least
// (STIX 2.1 §3.2).
func formatInstant(t time.Time) string {
	const milli, micro, nano = "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05.000000Z", "2006-01-02T15:04:05.000000000Z"
	switch ns := t.Nanosecond(); {
	case ns%1e6 == 0:
		return t.UTC().Format(milli)
	case ns%1e3 == 0:
		return t.UTC().Format(micro)
	}
	return t.UTC().Format(nano)
}

// nextMillisecond returns the first whole millisecond after a.
func (a instant) nextMillisecond() time.Time {
	milli := digits((a.frac + "000")[:3])
	return time.Unix(a.minute*60+int64(a.second), 0).Add(time.Duration(milli+1) * time.Millisecond)
}
